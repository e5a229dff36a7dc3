"""What headquarters plans: a market's targets and the worth of its currency, month by month.

Each verb notes who changed what, and commits. Raises LookupError for a market that isn't the
actor's to change, BadValues with the problems by field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.dealerchanges import BadValues
from lmt.i18n import gettext as _
from lmt.markets import edited_market
from lmt.models import ExchangeRate, Market, Target, note_change
from lmt.reports.planfigures import PLANNED
from lmt.scope import Actor

log = structlog.get_logger(__name__)

KIND = "target"
RATE_KIND = "exchange_rate"
RATE = "rate"
NAMES = (*PLANNED, RATE)
"""What is entered of a month."""
SHARES = frozenset({"conversion", "within_60"})
"""Entered in percent, kept from 0 to 1."""
WHOLE = frozenset({"leads", "sold"})
_PLACES = {**dict.fromkeys(WHOLE, 0), "value": 2}
"""Decimals that may be typed, where so many are told from thousands."""
MOST = Decimal(10**11)
HIGHEST_RATE = Decimal(10**9)
LOWEST_RATE = Decimal("0.00000001")
FIRST_YEAR, LAST_YEAR = 2000, 2100

Values = Mapping[str, Decimal | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """A month's numbers by name, as they are kept; those that nobody entered are missing."""

    month: date
    values: Mapping[str, Decimal]


def year_of(session: Session, market_id: int, year: int) -> tuple[Entry, ...]:
    """The twelve months of a year."""
    months = [date(year, number, 1) for number in range(1, 13)]
    return tuple(Entry(month, values) for month, values in _kept(session, market_id, months))


def entered(name: str, text: str) -> Decimal | None:
    """A number as it is kept; None of an empty text. Raises ValueError with what to enter."""
    text = "".join(text.split()).removesuffix("%")
    if not text:
        return None
    try:
        number = Decimal(text.replace(",", ".", 1) if "." not in text else text)
    except InvalidOperation:
        raise ValueError(_wanted(name)) from None
    # A thousand to some and one to others: 1.000 is asked for once more.
    _whole, _mark, places = text.replace(",", ".").partition(".")
    if not number.is_finite() or len(places) > _PLACES.get(name, len(places)):
        raise ValueError(_wanted(name))
    if name in SHARES:
        number /= 100
    _check(name, number)
    return number


def as_entered(name: str, number: Decimal | None) -> str:
    """As `entered` reads it."""
    if number is None:
        return ""
    return _plain(number * 100 if name in SHARES else number)


def save_year(
    session: Session,
    code: str,
    year: int,
    typed: Mapping[str, str],
    *,
    at: datetime,
    actor: Actor,
) -> int:
    """`typed` by field: `11.leads` is the leads of November; a field that isn't there leaves what
    stands. Returns how many months changed."""
    market = edited_market(session, code, actor)
    wanted: dict[date, dict[str, Decimal | None]] = {}
    problems: dict[str, str] = {}
    for number in range(1, 13):
        month = date(year, number, 1)
        for name in NAMES:
            field = f"{number}.{name}"
            if field in typed:
                try:
                    wanted.setdefault(month, {})[name] = entered(name, typed[field])
                except ValueError as wrong:
                    problems[field] = str(wrong)
    if problems:
        raise BadValues(problems)
    # Two people who save the same year come one after the other.
    session.execute(select(Market.id).where(Market.id == market.id).with_for_update())
    changed = 0
    for month, present in _kept(session, market.id, sorted(wanted)):
        changed += _write(session, market, month, present, wanted[month], at, actor)
    session.commit()
    if changed:
        log.info("plan.changed", market=code, year=year, months=changed, by=actor.user_id)
    return changed


def set_month(
    session: Session, subject: str, values: Values, *, at: datetime, actor: Actor
) -> bool:
    """Those of `values`, of a `subject` such as PL/2026-11; None takes one away."""
    market, month = _found(session, subject, actor)
    problems = {}
    for name, number in values.items():
        try:
            if number is not None:
                _check(name, number)
        except ValueError as wrong:
            problems[name] = str(wrong)
    if problems:
        raise BadValues(problems)
    session.execute(select(Market.id).where(Market.id == market.id).with_for_update())
    ((_month, present),) = _kept(session, market.id, [month])
    changed = _write(session, market, month, present, values, at, actor)
    session.commit()
    return changed


def told(session: Session, kind: str, subject: str, actor: Actor) -> dict[str, str]:
    """A month's numbers of that kind as the history keeps them."""
    market, month = _found(session, subject, actor)
    ((_month, present),) = _kept(session, market.id, [month])
    return _texts(kind, present)


def _found(session: Session, subject: str, actor: Actor) -> tuple[Market, date]:
    code, _slash, month = subject.partition("/")
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise LookupError(f"no month {month}") from None
    return edited_market(session, code, actor), first


def _kept(
    session: Session, market_id: int, months: list[date]
) -> list[tuple[date, dict[str, Decimal]]]:
    found: dict[date, dict[str, Decimal]] = {month: {} for month in months}
    targets = select(Target.month, Target.figure, Target.value).where(
        Target.market_id == market_id, Target.month.in_(months), Target.figure.in_(PLANNED)
    )
    for month, figure, value in session.execute(targets):
        found[month][figure] = value
    rates = select(ExchangeRate.month, ExchangeRate.rate).where(
        ExchangeRate.market_id == market_id, ExchangeRate.month.in_(months)
    )
    for month, rate in session.execute(rates):
        found[month][RATE] = rate
    return list(found.items())


def _write(
    session: Session,
    market: Market,
    month: date,
    present: Mapping[str, Decimal],
    wanted: Values,
    at: datetime,
    actor: Actor,
) -> bool:
    after: dict[str, Decimal] = {
        name: number for name, number in {**present, **wanted}.items() if number is not None
    }
    if after == dict(present):
        return False
    for name in wanted:
        if after.get(name) != present.get(name):
            _set(session, market.id, month, name, after.get(name))
    for kind in (KIND, RATE_KIND):
        note_change(
            session,
            kind,
            f"{market.code}/{month:%Y-%m}",
            at=at,
            user_id=actor.user_id,
            before=_texts(kind, present),
            after=_texts(kind, after),
        )
    return True


def _set(session: Session, market_id: int, month: date, name: str, number: Decimal | None) -> None:
    row: Target | ExchangeRate | None
    if name == RATE:
        row = session.get(ExchangeRate, (market_id, month))
        if row is None and number is not None:
            session.add(ExchangeRate(market_id=market_id, month=month, rate=number))
        elif row is not None and number is not None:
            row.rate = number
    else:
        row = session.get(Target, (market_id, month, name))
        if row is None and number is not None:
            session.add(Target(market_id=market_id, month=month, figure=name, value=number))
        elif row is not None and number is not None:
            row.value = number
    if row is not None and number is None:
        session.delete(row)


def _texts(kind: str, values: Mapping[str, Decimal]) -> dict[str, str]:
    names = PLANNED if kind == KIND else (RATE,)
    return {name: _plain(values[name]) for name in names if name in values}


def read_back(values: Mapping[str, Any], kind: str) -> dict[str, Decimal | None]:
    """What `told` told, with None for what it had not."""
    names = PLANNED if kind == KIND else (RATE,)
    return {name: Decimal(values[name]) if values.get(name) else None for name in names}


def _plain(number: Decimal) -> str:
    """Without the zeros that the column adds: 40, not 40.0000."""
    return f"{number.normalize():f}"


def _check(name: str, number: Decimal) -> None:
    """Raises ValueError with what to enter."""
    if name == RATE:
        fits = LOWEST_RATE <= number <= HIGHEST_RATE and -_exponent(number) <= 8
    elif name in SHARES:
        fits = 0 <= number <= 1 and -_exponent(number) <= 4
    else:
        fits = 0 <= number <= MOST and -_exponent(number) <= _PLACES[name]
    if not fits:
        raise ValueError(_wanted(name))


def _exponent(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def _wanted(name: str) -> str:
    if name == RATE:
        return _("Enter a rate above zero such as 0.2345, or nothing.")
    if name in SHARES:
        return _("Enter a share from 0 to 100 such as 12.5, or nothing.")
    if name in WHOLE:
        return _("Enter a whole number such as 1200, or nothing.")
    return _("Enter an amount such as 250000, or nothing.")
