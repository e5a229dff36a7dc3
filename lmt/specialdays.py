"""Days with hours of their own as a market's rows: taken from a country's pack, set by people.

What a market changed or took away stays so: a pack only adds what the market never had. Running
offers are counted anew, as after any change of hours by headquarters. Each verb commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.calendarpacks import RAMADAN, ramadan_hours, same_ramadan
from lmt.models import DealerTerms, Lead, MarketCountry, SpecialHours
from lmt.models.validity import since
from lmt.offerclock import hours_changed
from lmt.openinghours import N_, hours_problem
from lmt.routing.directory import dealers_changed

LONGEST_DAYS = 366
LONGEST_NAME = 100


class BadDays(ValueError):
    """Special days that can't be kept: `field`, and the reason as a message to translate."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


def apply_pack(
    session: Session, market_id: int, country: str, years: Iterable[int], at: datetime
) -> list[SpecialHours]:
    """Give a market the Ramadans of these years from a country's pack; returns the rows added.

    To be repeated freely: one that the market has, changed or ended is left alone, and one that
    is over is not added. Raises
    LookupError where the country isn't the market's.
    """
    _own_country(session, market_id, country)
    had = session.scalars(
        select(SpecialHours.starts_on).where(
            SpecialHours.market_id == market_id,
            SpecialHours.country == country,
            SpecialHours.dealer_id.is_(None),
            SpecialHours.name == RAMADAN,
        )
    ).all()
    added = [
        SpecialHours(
            market_id=market_id,
            country=country,
            starts_on=first,
            ends_on=last,
            hours=hours,
            name=RAMADAN,
            valid=since(at),
        )
        for year in sorted(set(years))
        for first, last, hours in ramadan_hours(country, year)
        if last >= at.date() and not any(same_ramadan(first, other) for other in had)
    ]
    if added:
        session.add_all(added)
        _days_changed(session, market_id, country, at)
    session.commit()
    return added


def set_days(
    session: Session,
    market_id: int,
    country: str,
    first: date,
    last: date,
    hours: str,
    name: str,
    at: datetime,
    *,
    instead_of: int | None = None,
) -> SpecialHours:
    """Give a country days of its own, or other dates and hours to those of the row `instead_of`.

    Raises BadDays for what can't be kept, LookupError for a row or country that isn't the
    market's.
    """
    _own_country(session, market_id, country)
    if last < first:
        raise BadDays("last", N_("The last day is before the first."))
    if (last - first).days >= LONGEST_DAYS:
        raise BadDays("last", N_("Special days span a year at most."))
    if len(name) > LONGEST_NAME:
        raise BadDays("name", N_("This name is too long."))
    problem = hours_problem(hours)
    if problem:
        raise BadDays("hours", problem)
    values = {"starts_on": first, "ends_on": last, "hours": hours, "name": name}
    if instead_of is not None:
        row = _row(session, market_id, instead_of, at)
        kept = row.replace(session, at, **values)
    else:
        kept = SpecialHours(market_id=market_id, country=country, valid=since(at), **values)
        session.add(kept)
    _days_changed(session, market_id, country, at)
    session.commit()
    return kept


def end_days(session: Session, market_id: int, row_id: int, at: datetime) -> SpecialHours:
    """Back to the normal hours; LookupError where the row isn't the market's."""
    row = _row(session, market_id, row_id, at)
    row.end(at)
    _days_changed(session, market_id, row.country, at)
    session.commit()
    return row


def _days_changed(session: Session, market_id: int, country: str, at: datetime) -> None:
    """All processes read the dealers anew, and running offers are counted by the new days."""
    dealers_changed(session, at, None)
    holders = session.scalars(
        select(Lead.dealer_id)
        .join(DealerTerms, DealerTerms.dealer_id == Lead.dealer_id)
        .where(
            Lead.market_id == market_id,
            Lead.status == "offered",
            DealerTerms.country == country,
            DealerTerms.holds_at(at),
        )
        .distinct()
    )
    for dealer_id in sorted(each for each in holders if each is not None):
        hours_changed(session, dealer_id, by_headquarters=True, at=at)


def _row(session: Session, market_id: int, row_id: int, at: datetime) -> SpecialHours:
    row = session.scalars(
        select(SpecialHours)
        .where(
            SpecialHours.id == row_id,
            SpecialHours.market_id == market_id,
            SpecialHours.dealer_id.is_(None),
            SpecialHours.holds_at(at),
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise LookupError(f"no special hours {row_id} in force")
    return row


def _own_country(session: Session, market_id: int, country: str) -> None:
    own = session.scalar(
        select(func.count())
        .select_from(MarketCountry)
        .where(MarketCountry.market_id == market_id, MarketCountry.country == country)
    )
    if not own:
        raise LookupError(f"{country} is no country of this market")
