"""A dealer's own figures and the market's middle, asked of the database in three statements.

A lead that has gone elsewhere still counts for whoever was offered it, and a rival's leads count in
the middle. No dealer may read either, so these statements pass the scope by: on bare tables, named
by one dealer that the caller has checked, or giving back medians alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnElement,
    Engine,
    Float,
    Select,
    and_,
    cast,
    exists,
    func,
    not_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from lmt.lifecycle import WITH_DEALER, Status
from lmt.models import Dealer, Lead, Offer, User
from lmt.reports.oldfigures import DEFAULT_TARGET_MINUTES
from lmt.reports.owncomparison import LEAST_LEADS, Figures, Middle

TARGET = timedelta(minutes=DEFAULT_TARGET_MINUTES)

_offer, _lead, _dealer = Offer.__table__.c, Lead.__table__.c, Dealer.__table__.c
_later = Offer.__table__.alias("later")


@dataclass(frozen=True, slots=True)
class Period:
    """Leads that arrived in [since, until), aware instants."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ColleagueFigures:
    """Leads of the period that a colleague has or had last; `open` ones among them."""

    user_id: int | None
    name: str
    leads: int
    accepted: int
    contacted: int
    won: int
    open: int


def own_figures(session: Session, dealer_id: int, period: Period, at: datetime) -> Figures:
    """Of the dealer, whom the caller must have found to be the actor's own. A lead counts once,
    by its last offer there."""
    again = exists(
        select(_later.c.id).where(
            _later.c.lead_id == _offer.lead_id,
            _later.c.dealer_id == dealer_id,
            tuple_(_later.c.offered_at, _later.c.id) > tuple_(_offer.offered_at, _offer.id),
        )
    )
    statement = _counted(period, at).where(_offer.dealer_id == dealer_id, ~again)
    return Figures(*session.execute(statement).one())


_kept: WeakKeyDictionary[Engine, dict[tuple[Any, ...], Middle]] = WeakKeyDictionary()
_MOST_KEPT = 256


def middle_of_the_hour(session: Session, market_id: int, period: Period, at: datetime) -> Middle:
    """`market_middle`, asked once an hour by each process: a thousand dealers' leads are many rows,
    and the middle of a month doesn't move within the hour."""
    kept = _kept.setdefault(session.get_bind().engine, {})
    key = (market_id, period, at.replace(minute=0, second=0, microsecond=0))
    if key not in kept:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        kept[key] = market_middle(session, market_id, period, at)
    return kept[key]


def market_middle(session: Session, market_id: int, period: Period, at: datetime) -> Middle:
    """The medians over the market's dealers, its teams left out; nothing of any one of them."""
    counted = (
        _counted(period, at)
        .join(Dealer.__table__, _dealer.id == _offer.dealer_id)
        .where(_dealer.market_id == market_id, _dealer.kind != "team")
        .group_by(_offer.dealer_id)
        .having(func.count() >= LEAST_LEADS)
        .subquery()
    )
    of = counted.c
    answered = of.accepted + of.declined + of.timed_out
    rates = (
        _share(of.accepted, answered),
        of.response_minutes,
        _share(of.in_target, of.due),
        _share(of.won, of.offered),
    )
    medians = (func.percentile_cont(0.5).within_group(rate.asc()) for rate in rates)
    return Middle(*session.execute(select(func.count(), *medians).select_from(counted)).one())


def colleagues_figures(
    session: Session, dealer_id: int, period: Period
) -> Sequence[ColleagueFigures]:
    """By colleague, whoever has most leads first; leads that nobody took last."""
    rows = session.execute(
        select(
            Lead.owner_id,
            func.coalesce(func.max(User.name), ""),
            func.count().label("leads"),
            func.count().filter(Lead.accepted_at.is_not(None)),
            func.count().filter(Lead.contacted_at.is_not(None)),
            func.count().filter(Lead.status == Status.WON),
            func.count().filter(Lead.status.in_(sorted(WITH_DEALER))),
        )
        .outerjoin(User, User.id == Lead.owner_id)
        .where(
            Lead.dealer_id == dealer_id,
            Lead.created_at >= period.since,
            Lead.created_at < period.until,
            not_(Lead.test),
        )
        .group_by(Lead.owner_id)
        .order_by(Lead.owner_id.is_(None), func.count().desc(), Lead.owner_id)
    )
    return [ColleagueFigures(*row) for row in rows]


def _counted(period: Period, at: datetime) -> Select[*tuple[Any, ...]]:
    """The columns of Figures, of the offers whose leads arrived in the period."""
    here = _lead.dealer_id == _offer.dealer_id
    # What a dealer before had done for the customer is not this one's.
    contacted = and_(here, _lead.contacted_at >= _offer.offered_at)
    felt = _lead.contacted_at - _offer.offered_at
    kept = _offer.state.not_in(("declined", "withdrawn"))
    passed = _offer.offered_at <= at - TARGET
    seconds = cast(func.extract("epoch", felt), Float)
    median = func.percentile_cont(0.5).within_group(seconds.asc()).filter(contacted) / 60
    counted: Select[*tuple[Any, ...]] = (
        select(
            func.count().label("offered"),
            _count(_offer.state == "accepted").label("accepted"),
            _count(_offer.state == "declined").label("declined"),
            _count(_offer.state == "expired").label("timed_out"),
            _count(contacted).label("contacted"),
            _count(and_(here, _lead.status == Status.WON)).label("won"),
            _count(and_(kept, contacted | passed)).label("due"),
            _count(and_(kept, contacted, felt <= TARGET)).label("in_target"),
            median.label("response_minutes"),
        )
        .select_from(Offer.__table__)
        .join(Lead.__table__, _lead.id == _offer.lead_id)
        .where(
            # No lead is offered before it arrives.
            _offer.offered_at >= period.since,
            _lead.created_at >= period.since,
            _lead.created_at < period.until,
            not_(_lead.test),
        )
    )
    return counted


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


def _share(part: ColumnElement[int], whole: ColumnElement[int]) -> ColumnElement[Any]:
    return cast(part, Float) / func.nullif(whole, 0)
