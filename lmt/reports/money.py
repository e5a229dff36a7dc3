"""Amounts in one currency: exchange rates by month, and what campaigns cost on which days."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from lmt.models import Campaign, ExchangeRate, Market
from lmt.reports.dimensions import dimension_of
from lmt.reports.figure import MONEY
from lmt.reports.figures import BY_CODE
from lmt.reports.folding import folded
from lmt.reports.question import Question, months_on
from lmt.reports.steady import asked_once
from lmt.scope import Actor

COSTED = frozenset({"", "market", "campaign", "month", "week", "day"})
"""What the cost of a campaign can be told apart by: its own keys, and days, over which it is spread
evenly. No other key says what part of it is its own."""
NO_RATE, SEVERAL = "no_rate", "several_currencies"


@dataclass(frozen=True, slots=True)
class Exchange:
    """Of each market its code and its currency, and what one unit of that is worth in `currency`
    from a month on."""

    currency: str
    markets: Mapping[int, tuple[str, str]]
    rates: Mapping[int, list[tuple[date, Decimal]]]

    def worth(self, own: str, month: date, market: int) -> Decimal | None:
        """What one unit of `own` is worth: by the rate of `market` where that is its currency, else
        by that of another market. None where no rate of that month or an earlier one says so."""
        if own == self.currency:
            return Decimal(1)
        homes = [id for id, (_code, currency) in self.markets.items() if currency == own]
        for home in sorted(homes, key=lambda id: (id != market, id)):
            rates = self.rates.get(home, [])
            place = bisect_right(rates, month, key=lambda rate: rate[0])
            if place:
                return rates[place - 1][1]
        return None

    def rates_of(self, first: date, last: date) -> dict[tuple[int, date], Decimal]:
        """Of all markets in the months of these days, as far as any is known."""
        count = (last.year - first.year) * 12 + last.month - first.month + 1
        found = {
            (market, month): self.worth(own, month, market)
            for market, (_code, own) in self.markets.items()
            for month in (months_on(first, n) for n in range(count))
        }
        return {key: rate for key, rate in found.items() if rate is not None}


@dataclass(frozen=True, slots=True)
class Expense:
    """Part of a campaign's cost: of the days from `first`, which lie in one month."""

    campaign: str
    market: str
    market_id: int
    first: date
    amount: Decimal
    currency: str

    def key(self, dimension: str, week_start: int) -> str:
        """In which group of a dimension of COSTED it is."""
        if dimension in ("campaign", "market"):
            return self.campaign if dimension == "campaign" else self.market
        asked = dimension_of(dimension) if dimension else None
        month = self.first.replace(day=1)
        if asked is None:
            return ""
        return folded(asked, month if asked.column == "month" else self.first, week_start)


@dataclass(slots=True)
class Purse:
    """Amounts as they are told, all in `currency`, with a note of what had to be left out. In
    several currencies ("") none is told."""

    exchange: Exchange
    currency: str
    notes: set[str] = field(default_factory=set)

    def told(self, amount: Decimal, market: int, month: date, own: str = "") -> Decimal | None:
        """`amount` is in `own`, or else in the market's currency."""
        own = own or self.exchange.markets[market][1]
        if not amount or not self.currency or own == self.currency:
            return amount if self.currency else None
        given = self.exchange.worth(own, month, market)
        wanted = self.exchange.worth(self.currency, month, market)
        if given is None or wanted is None:
            self.notes.add(NO_RATE)
            return None
        return amount * given / wanted


def purse_for(question: Question, exchange: Exchange, markets: set[int]) -> Purse:
    """In the one currency that is asked for, else in that of all these markets."""
    if question.currency == "one":
        return Purse(exchange, exchange.currency)
    currencies = {exchange.markets[market][1] for market in markets}
    if len(currencies) > 1:
        return Purse(exchange, "", {SEVERAL})
    return Purse(exchange, next(iter(currencies), ""))


def exchange_of(session: Session, question: Question, currency: str) -> Exchange:
    """What a currency is worth is no secret of a market, so that a dealer's report can be told in
    the installation's, too."""
    return asked_once(
        session,
        f"exchange {question.last} {currency}",
        lambda: _exchange(session, question.last, currency),
    )


def _exchange(session: Session, last: date, currency: str) -> Exchange:
    markets = {
        id: (code, own)
        for id, code, own in session.execute(select(Market.id, Market.code, Market.currency))
    }
    rates: dict[int, list[tuple[date, Decimal]]] = {}
    table = ExchangeRate.__table__.c
    for market, month, rate in session.execute(
        select(table.market_id, table.month, table.rate)
        .where(table.month <= last)
        .order_by(table.market_id, table.month)
    ):
        rates.setdefault(market, []).append((month, rate))
    return Exchange(currency, markets, rates)


def tells_money(question: Question) -> bool:
    """Whether a figure is an amount, or is worked out from one."""
    asked = (BY_CODE[code] for code in question.figures)
    return any(figure.amounts or figure.unit == MONEY for figure in asked)


def tells_cost(question: Question) -> bool:
    return any("cost" in BY_CODE[code].amounts for code in question.figures)


def expenses_of(session: Session, question: Question, at: datetime) -> list[Expense]:
    """What the campaigns cost in the period, by month, or by day where the question tells days
    apart. Each cost is spread evenly over the campaign's days, up to today where it has no end.

    Those of markets that the reader sees whole: elsewhere the leads would be a part of it only. And
    none where a filter leaves out leads for what is no matter of the campaign.
    """
    actor: Actor = session.info["actor"]
    filters = question.filters
    if not COSTED.issuperset(filters):
        return []
    statement: Select[*tuple[Any, ...]] = select(
        Campaign.code, Campaign.market_id, Market.code, Campaign.starts_on, Campaign.ends_on,
        Campaign.cost, Campaign.currency,
    ).join(Market, Market.id == Campaign.market_id)  # fmt: skip
    statement = statement.where(
        Campaign.cost > 0,
        Campaign.starts_on <= question.last,
        or_(Campaign.ends_on.is_(None), Campaign.ends_on >= question.first),
    )
    whole = None if actor.everywhere else actor.whole_markets("report.read")
    if whole is not None:
        statement = statement.where(Campaign.market_id.in_(whole))
    by_day = not {"day", "week"}.isdisjoint([question.rows, question.columns, *filters])
    today = at.date()
    found = []
    for code, market_id, market, starts, ends, cost, currency in session.execute(statement):
        last = ends or max(today, starts)
        days = (last - starts).days + 1
        span = max(starts, question.first), min(last, question.last)
        for first, count in _pieces(*span, by_day=by_day):
            found.append(Expense(code, market, market_id, first, cost * count / days, currency))
    return [expense for expense in found if _fits(expense, filters)]


def _pieces(first: date, last: date, *, by_day: bool) -> Iterator[tuple[date, int]]:
    """The first day of each month's part, or each day, with the number of its days."""
    day = first
    while day <= last:
        after = day + timedelta(days=1)
        if not by_day:
            after = min(months_on(day, 1), last + timedelta(days=1))
        yield day, (after - day).days
        day = after


def _fits(expense: Expense, filters: Mapping[str, Iterable[str]]) -> bool:
    for code, keys in filters.items():
        if code == "week":
            days = [expense.first - timedelta(days=n) for n in range(7)]
            if not any(day.isoformat() in keys for day in days):
                return False
        elif expense.key(code, 0) not in keys:
            return False
    return True


def costs_put(
    expenses: Iterable[Expense], purse: Purse, rows: str, columns: str, week_start: int
) -> dict[tuple[str, str], Decimal]:
    """What of the cost belongs to each group of these two dimensions; none where one of them tells
    leads apart by what is no matter of a campaign."""
    if not COSTED.issuperset({rows, columns}):
        return {}
    found: dict[tuple[str, str], Decimal] = {}
    for part in expenses:
        month = part.first.replace(day=1)
        told = purse.told(part.amount, part.market_id, month, part.currency)
        if told is not None:
            key = part.key(rows, week_start), part.key(columns, week_start)
            found[key] = found.get(key, Decimal(0)) + told
    return found
