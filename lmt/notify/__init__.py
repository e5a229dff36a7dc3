"""Stage 4, notify: tell dealer, customer and headquarters, each in their language and zone.

`service` is what the pipeline calls; `messages` keeps, `outbox` sends, `mails` writes.
"""
