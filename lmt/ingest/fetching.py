"""What to ask a platform for an announced lead, what its answer means, when to ask again."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

WAITS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=6),
    timedelta(hours=8),
    timedelta(hours=8),
)
"""With the longest jitter 36 hours in all: as long as Meta itself repeats an announcement."""
FETCH_FAILED = "fetch_failed"
"""The code of a notice whose lead the platform would not give; `cause` says why."""
LONGEST_WISH = timedelta(hours=6)
_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Announced:
    """A lead that a notice names; `context` is what the notice tells of it besides."""

    remote_id: str
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice holds: leads to ask for, leads that were deleted, and the paths where the id
    of a lead is missing. `others` counts what is no news of leads; `foreign` what is not for us."""

    announced: tuple[Announced, ...] = ()
    deleted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    others: int = 0
    foreign: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A GET that asks for one lead."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is "" for a good answer, else token, permission, gone, refused, version, busy,
    unavailable or unreadable; `again`: asking once more may help."""

    code: str = ""
    again: bool = False


GOOD = Verdict()


def wait_after(attempts: int, retrieval_id: UUID, wished: str = "") -> timedelta | None:
    """How long to wait after this many failed attempts (1 and up); None: give up.

    Up to a fifth longer by the retrieval's id, so that what failed together doesn't return
    together. `wished` is a Retry-After in seconds, honoured up to LONGEST_WISH.
    """
    if attempts > len(WAITS):
        return None
    spread = zlib.crc32(retrieval_id.bytes + bytes([attempts])) / 0xFFFFFFFF
    wait = WAITS[attempts - 1] * (1 + _JITTER * spread)
    if wished.isdecimal() and len(wished) < 9:
        wait = max(wait, min(timedelta(seconds=int(wished)), LONGEST_WISH))
    return wait


def verdict_of_status(status: int) -> Verdict:
    """What the status alone says, where the body says nothing clearer."""
    if status == 429:
        return Verdict("busy", again=True)
    if status >= 500 or 300 <= status < 400 or status == 408:
        return Verdict("unavailable", again=True)
    codes = {401: "token", 403: "permission", 404: "gone", 410: "gone", 426: "version"}
    return Verdict(codes.get(status, "refused"))
