"""What a dealer's own system said to a lead that was posted to it, and what follows from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

LONGEST_WAIT = timedelta(hours=24)
_LATER = frozenset({408, 425, 429})


class Verdict(StrEnum):
    """What becomes of the message."""

    TAKEN = "taken"
    LATER = "later"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """`wait` is what the system asked for, a day at most."""

    verdict: Verdict
    problem: str = ""
    wait: timedelta = timedelta(0)


def post_answer(status: int, headers: Mapping[str, str], at: datetime) -> PostAnswer:
    """2xx took it; 410 wants no more, ever; 408, 425, 429 and 5xx want it later, when Retry-After
    says so; a redirect and any other answer is a setting for a person to mend.

    `headers` by names in lower case. The rules are those of Standard Webhooks.
    """
    if 200 <= status < 300:
        return PostAnswer(Verdict.TAKEN)
    problem = f"HTTP {status}"
    if status == 410:
        return PostAnswer(Verdict.GONE, problem)
    if status in _LATER or status >= 500:
        return PostAnswer(Verdict.LATER, problem, asked_wait(headers.get("retry-after", ""), at))
    return PostAnswer(Verdict.REFUSED, problem)


def asked_wait(retry_after: str, at: datetime) -> timedelta:
    """Seconds, or an instant of HTTP; none where it is neither, or has passed."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        wanted = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return timedelta(0)
    aware = wanted if wanted.tzinfo is not None else wanted.replace(tzinfo=UTC)
    return min(max(aware - at, timedelta(0)), LONGEST_WAIT)
