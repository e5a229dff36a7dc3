"""What of a dealer's terms headquarters reads in words, and how they differed when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.i18n import format_number
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.models import DealerTerms

MOST_TERMS = 20

FIELD_WORDS = {
    "name": _l("Name"),
    "hours": _l("Hours"),
    "email": _l("Mail address"),
    "day_cap": _l("Leads a day at most"),
    "month_cap": _l("Leads a month at most"),
    "open_cap": _l("Open leads at most"),
    "weight": _l("Weight"),
    "paused": _l("Paused"),
    "assign_to": _l("New leads go to"),
    "active": _l("Active"),
    "timezone": _l("Time zone"),
    "street": _l("Street"),
    "postcode": _l("Postcode"),
    "city": _l("City"),
    "quality": _l("Quality figure"),
}
"""What of a dealer's terms is told, in this order."""
ASSIGN_WORDS = {"team": _l("the whole team"), "colleague": _l("one colleague")}


@dataclass(frozen=True, slots=True)
class Change:
    words: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class TermsRow:
    """Terms and how they differ from those before; the first ones differ from nothing."""

    since: datetime | None
    until: datetime | None
    changes: list[Change]


def terms_history(session: Session, dealer_id: int) -> list[TermsRow]:
    """The latest first."""
    rows = session.scalars(
        select(DealerTerms)
        .where(DealerTerms.dealer_id == dealer_id, ~func.isempty(DealerTerms.valid))
        .order_by(func.lower(DealerTerms.valid).desc().nulls_last())
        .limit(MOST_TERMS + 1)
    ).all()
    olders = [*rows[1:], None]
    return [
        TermsRow(row.valid.lower, row.valid.upper, [] if older is None else _changes(older, row))
        for row, older in zip(rows[:MOST_TERMS], olders, strict=False)
    ]


def _changes(older: DealerTerms, row: DealerTerms) -> list[Change]:
    return [
        Change(str(words), value_words(name, before), value_words(name, after))
        for name, words in FIELD_WORDS.items()
        if (before := getattr(older, name)) != (after := getattr(row, name))
    ]


def value_words(name: str, value: Any) -> str:
    """A field of the terms as it is read."""
    if name in {"paused", "active"}:
        return _("yes") if value else _("no")
    if name == "assign_to":
        return str(ASSIGN_WORDS.get(value, value))
    if value is None:
        return _("no cap")
    if isinstance(value, int | float):
        return format_number(value)
    return str(value) or "–"
