"""The calendars of many dealers as they were known at many instants, read in a few statements."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.models import Closure, Dealer, DealerTerms, SpecialHours
from lmt.workhours import Calendar

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


class _Terms(NamedTuple):
    lower: datetime
    upper: datetime
    hours: str
    timezone: str
    country: str
    weight: float
    market_id: int
    kind: str


class _Days(NamedTuple):
    """Days that a dealer or a country keeps, known from `lower` to `upper`."""

    lower: datetime
    upper: datetime
    first: date
    last: date
    hours: str


class PastHours:
    """Calendars and weights by dealer and instant. `read` first what is to be asked; what was read
    is kept, so one of these serves one run and not the next."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """All that was read, as where reading was broken off."""
        self._terms: dict[int, list[_Terms]] = {}
        self._closures: dict[int, list[_Days]] = {}
        self._own: dict[int, list[_Days]] = {}
        self._country: dict[tuple[int, str], list[_Days]] = {}
        self._markets: set[int] = set()
        self._edges: dict[int, list[datetime]] = {}
        self._calendars: dict[tuple[int, int], Calendar] = {}

    def read(self, session: Session, dealer_ids: Collection[int]) -> None:
        """At most four statements, none where all of them are known."""
        wanted = sorted(set(dealer_ids) - self._terms.keys())
        if not wanted:
            return
        for dealer_id in wanted:
            self._terms[dealer_id] = []
        found = session.execute(
            select(
                DealerTerms.dealer_id,
                *_span(DealerTerms.valid),
                DealerTerms.hours,
                DealerTerms.timezone,
                DealerTerms.country,
                DealerTerms.weight,
                Dealer.market_id,
                Dealer.kind,
            )
            .join(Dealer, Dealer.id == DealerTerms.dealer_id)
            .where(DealerTerms.dealer_id.in_(wanted))
            .order_by(DealerTerms.dealer_id, func.lower(DealerTerms.valid).nulls_first())
        )
        for dealer_id, lower, upper, *rest in found:
            self._terms[dealer_id].append(_Terms(lower or _ALWAYS, upper or _NEVER, *rest))
        self._read_days(session, wanted)
        markets = {terms.market_id for each in wanted for terms in self._terms[each]}
        self._read_countries(session, markets - self._markets)

    def weight(self, dealer_id: int, at: datetime) -> float | None:
        """The dealer's weight at `at`, or the nearest known before or after it."""
        terms = self._terms_at(dealer_id, at)
        return terms.weight if terms is not None else None

    def calendar(self, dealer_id: int, at: datetime) -> Calendar | None:
        """As `lmt.calendars.dealer_calendar`; None for a dealer without terms."""
        edges = self._edges.get(dealer_id)
        if edges is None:
            edges = self._edges[dealer_id] = self._edges_of(dealer_id)
        key = dealer_id, bisect_right(edges, at)
        calendar = self._calendars.get(key)
        if calendar is None:
            terms = self._terms_at(dealer_id, at)
            if terms is None:
                return None
            calendar = self._calendars[key] = self._calendar_at(dealer_id, terms, at)
        return calendar

    def _terms_at(self, dealer_id: int, at: datetime) -> _Terms | None:
        terms = self._terms.get(dealer_id)
        if not terms:
            return None
        holding = [each for each in terms if each.lower <= at < each.upper]
        # As the clocks have it: the last known of a dealer that has ended, or that is to begin.
        return holding[0] if holding else terms[-1]

    def _calendar_at(self, dealer_id: int, terms: _Terms, at: datetime) -> Calendar:
        own = _known(self._own.get(dealer_id, ()), at)
        days = self._country.get((terms.market_id, terms.country), ())
        # A team serves all of its market's countries and keeps the days of none.
        kept = [] if terms.kind == "team" else _known(days, at)
        closed = _known(self._closures.get(dealer_id, ()), at)
        return Calendar(
            hours=terms.hours,
            timezone=terms.timezone,
            country=terms.country,
            closures=tuple((each.first, each.last) for each in closed),
            special=tuple((each.first, each.last, each.hours) for each in (*own, *kept)),
        )

    def _edges_of(self, dealer_id: int) -> list[datetime]:
        """The instants at which something about the dealer's calendar began or ceased to hold."""
        terms = self._terms.get(dealer_id, [])
        rows: list[_Terms | _Days] = [*terms]
        rows += self._closures.get(dealer_id, ())
        rows += self._own.get(dealer_id, ())
        for country in {(each.market_id, each.country) for each in terms}:
            rows += self._country.get(country, ())
        return sorted({edge for row in rows for edge in (row.lower, row.upper)})

    def _read_days(self, session: Session, dealer_ids: Collection[int]) -> None:
        closures = select(
            Closure.dealer_id, *_span(Closure.valid), Closure.starts_on, Closure.ends_on
        ).where(Closure.dealer_id.in_(dealer_ids))
        for dealer_id, lower, upper, first, last in session.execute(
            closures.order_by(Closure.starts_on, Closure.id)
        ):
            days = _Days(lower or _ALWAYS, upper or _NEVER, first, last, "")
            self._closures.setdefault(dealer_id, []).append(days)
        own = _special().where(SpecialHours.dealer_id.in_(dealer_ids))
        for _market_id, _country, dealer_id, lower, upper, *rest in session.execute(own):
            days = _Days(lower or _ALWAYS, upper or _NEVER, *rest)
            self._own.setdefault(dealer_id, []).append(days)

    def _read_countries(self, session: Session, market_ids: Collection[int]) -> None:
        if not market_ids:
            return
        self._markets.update(market_ids)
        kept = _special().where(
            SpecialHours.dealer_id.is_(None), SpecialHours.market_id.in_(market_ids)
        )
        for market_id, country, _dealer_id, lower, upper, *rest in session.execute(kept):
            days = _Days(lower or _ALWAYS, upper or _NEVER, *rest)
            self._country.setdefault((market_id, country), []).append(days)


def _span(valid: Any) -> tuple[Any, Any]:
    return func.lower(valid), func.upper(valid)


def _special() -> Any:
    return select(
        SpecialHours.market_id,
        SpecialHours.country,
        SpecialHours.dealer_id,
        *_span(SpecialHours.valid),
        SpecialHours.starts_on,
        SpecialHours.ends_on,
        SpecialHours.hours,
        # What was said last about a day counts.
    ).order_by(SpecialHours.id.desc())


def _known(days: Iterable[_Days], at: datetime) -> list[_Days]:
    return [each for each in days if each.lower <= at < each.upper]
