"""When a mail that did not leave is tried again."""

from __future__ import annotations

import zlib
from datetime import timedelta
from uuid import UUID

# The schedule of Standard Webhooks, so that mails and webhooks wait alike: three days in all.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
_JITTER = 0.2


def wait_after(attempts: int, message_id: UUID) -> timedelta | None:
    """How long to wait after this many failed attempts (1 and up); None: give up.

    Up to a fifth longer by the message's id, so that what failed together doesn't return
    together.
    """
    if attempts > len(WAITS):
        return None
    spread = zlib.crc32(message_id.bytes + bytes([attempts])) / 0xFFFFFFFF
    return WAITS[attempts - 1] * (1 + _JITTER * spread)
