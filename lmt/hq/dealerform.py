"""What headquarters types on a dealer's pages, read into values: numbers, days, instants."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from lmt.dealers import CAPS, HIGHEST_CAP, Terms
from lmt.models import DealerTerms
from lmt.weekform import hours_from

NOT_A_NUMBER = HIGHEST_CAP + 1
"""Stands for what is no whole number; it is refused as one that is too high."""


def terms_of(given: Mapping[str, str]) -> Terms:
    """The terms as typed, unchecked; the suggested hours where their button was pressed. Raises
    BadWeek where the days of the week editor make no week."""
    caps = {name: _cap(given.get(name, "")) for name in CAPS}
    return Terms(
        hours=given.get("suggested") or hours_from(given),
        email=given.get("email", ""),
        weight=_weight(given.get("weight", "")),
        paused=given.get("paused", "") == "yes",
        assign_to=given.get("assign_to", ""),
        **caps,
    )


def filled_in(terms: DealerTerms) -> dict[str, Any]:
    """The form's fields as they are before anybody types."""
    caps = {name: getattr(terms, name) for name in CAPS}
    return {
        "hours": terms.hours,
        "email": terms.email,
        "weight": f"{terms.weight:g}",
        "paused": "yes" if terms.paused else "",
        "assign_to": terms.assign_to,
        **{name: "" if cap is None else str(cap) for name, cap in caps.items()},
    }


def day_of(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


def instant_of(typed: str, zone: str) -> datetime | None:
    """`2026-03-08T10:20` on the wall of `zone`, in UTC; None for what is no such instant."""
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def row_of(typed: str) -> int | None:
    """The number of a row; None for what can't be one."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else None


def _cap(typed: str) -> int | None:
    if not typed:
        return None
    return int(typed) if typed.isdecimal() and len(typed) < 10 else NOT_A_NUMBER


def _weight(typed: str) -> float:
    try:
        return float(typed.replace(",", ".").replace("٫", "."))
    except ValueError:
        return math.nan
