"""Which dealer a manager's pages are about: the one named in the address, else the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flask import abort, request

from lmt import dealers, web
from lmt.dealerdesk import Managed, managed_dealer, managed_dealers
from lmt.models import Dealer, DealerTerms

YEARS = (2000, 2199)
"""Days are counted from and to within these."""


@dataclass(frozen=True, slots=True)
class House:
    """A dealer that its manager looks at, with the others there are to choose from."""

    dealer: Dealer
    terms: DealerTerms
    choices: Sequence[Managed]

    @property
    def code(self) -> str:
        return self.dealer.code

    @property
    def zone(self) -> str:
        return self.terms.timezone


def house() -> House:
    """404 for a dealer that the person doesn't manage, 403 where they manage none at all."""
    session, actor, at = web.db(), web.actor(), web.at()
    choices = managed_dealers(session, actor, at)
    code = request.values.get("dealer", "") or (choices[0].code if choices else "")
    if not code:
        abort(403)
    try:
        dealer = managed_dealer(session, code, actor)
    except LookupError:
        abort(404)
    terms = dealers.terms_now(session, dealer.id, at)
    if terms is None:
        abort(404)
    return House(dealer, terms, choices)


def typed() -> dict[str, str]:
    return {name: value.strip() for name, value in request.form.items()}


def day_of(given: Mapping[str, str], name: str) -> date | None:
    """None for what is no date, or none that a dealer could mean."""
    try:
        day = date.fromisoformat(given.get(name, ""))
    except ValueError:
        return None
    return day if YEARS[0] <= day.year <= YEARS[1] else None


def midnight(day: date, zone: str) -> datetime:
    """When that date begins at the place of `zone`, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def number_of(typed_number: str) -> int | None:
    """The number of a row; None for what can't be one."""
    plain = typed_number.isascii() and typed_number.isdecimal() and len(typed_number) < 10
    return int(typed_number) if plain else None
