"""Links in mails that do one thing: a page that asks first, and a press that acts, once.

`calltimes` says when to call, `service` acts, `routes` show.
"""
