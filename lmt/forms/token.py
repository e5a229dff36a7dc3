"""The signed token that a form carries: which version of it was shown, and when, so that neither a
script's instant answer nor a page kept for weeks becomes a lead unseen."""

from __future__ import annotations

from datetime import UTC, datetime

from itsdangerous import BadData, Signer

SHORTEST_SECONDS = 2
LONGEST_SECONDS = 24 * 3600
PROBLEMS = ("missing", "forged", "too_fast", "expired")


def issue_token(secret: str, code: str, version: int, at: datetime) -> str:
    """A token for the version (its number) of the form `code` that is shown at `at`."""
    return _signer(secret).sign(f"{code}:{version}:{int(at.timestamp())}").decode()


def token_problem(secret: str, token: str, code: str, version: int, at: datetime) -> str | None:
    """None where `token` was issued for this version of the form between 2 s and 24 h before `at`,
    else one of PROBLEMS. `too_fast` and `expired` are a person's too: show the form again, answers
    kept; who was too fast may keep the token."""
    if not token:
        return "missing"
    try:
        value = _signer(secret).unsign(token).decode()
    except (BadData, UnicodeError):
        return "forged"
    issued_for, _, stamp = value.rpartition(":")
    if issued_for != f"{code}:{version}" or not stamp.isdecimal():
        return "forged"
    age_seconds = (at - datetime.fromtimestamp(int(stamp), UTC)).total_seconds()
    if age_seconds < SHORTEST_SECONDS:
        return "too_fast"
    return "expired" if age_seconds > LONGEST_SECONDS else None


def _signer(secret: str) -> Signer:
    return Signer(secret, salt="lmt.forms.token")
