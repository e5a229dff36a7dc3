"""A market's middle, asked of the facts in one statement.

A rival's leads count in it, which no dealer may read: so this statement passes the scope by, on a
bare table, and gives back medians alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, LargeBinary, between, func, literal, select, type_coerce
from sqlalchemy.orm import Session

from lmt.models import Dealer, LeadFact
from lmt.reports.figures import BY_CODE
from lmt.reports.grouping import needs_of
from lmt.reports.owncomparison import LEAST_LEADS, RATES, Middle, middle_of
from lmt.reports.tally import Tally

_fact, _dealer = LeadFact.__table__.c, Dealer.__table__.c

_kept: WeakKeyDictionary[Engine, dict[tuple[Any, ...], Middle]] = WeakKeyDictionary()
_MOST_KEPT = 256


def middle_of_the_hour(
    session: Session, market_id: int, first: date, last: date, at: datetime
) -> Middle:
    """`market_middle`, asked once an hour by each process: a thousand dealers' leads are many rows,
    and the middle of a month doesn't move within the hour."""
    kept = _kept.setdefault(session.get_bind().engine, {})
    key = (market_id, first, last, at.replace(minute=0, second=0, microsecond=0))
    if key not in kept:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        kept[key] = market_middle(session, market_id, first, last)
    return kept[key]


def market_middle(
    session: Session,
    market_id: int,
    first: date,
    last: date,
    figures: Sequence[str] = RATES,
    *,
    least: int = LEAST_LEADS,
) -> Middle:
    """The medians over the market's dealers, its teams left out, of the leads that arrived in these
    days, both included; nothing of any one of them. `figures` are codes that need the facts alone.
    """
    of_dealers = tallies_of_dealers(session, market_id, first, last, figures)
    return middle_of(of_dealers.values(), figures, least=least)


def tallies_of_dealers(
    session: Session,
    market_id: int,
    first: date,
    last: date,
    figures: Sequence[str],
    dealer_ids: Collection[int] | None = None,
) -> dict[int, Tally]:
    """By dealer what these figures are worked out from: of `dealer_ids`, else of all the market's
    but its teams. Of no use to a page, whose reader may see few of them."""
    needs = needs_of(BY_CODE[code] for code in ("leads", "offers", *figures))
    nothing = literal(b"", LargeBinary)
    sums = [func.sum(_fact[name]) for name in needs.counters]
    spans = [
        func.string_agg(type_coerce(func.int4send(_fact[name]), LargeBinary), nothing)
        for name in needs.times
    ]
    wanted = _dealer.kind != "team" if dealer_ids is None else _dealer.id.in_(dealer_ids)
    found = session.execute(
        select(_fact.dealer_id, *sums, *spans)
        .select_from(LeadFact.__table__)
        .join(Dealer.__table__, _dealer.id == _fact.dealer_id)
        .where(
            _fact.market_id == market_id,
            between(_fact.day, first, last),
            _dealer.market_id == market_id,
            wanted,
        )
        .group_by(_fact.dealer_id)
    )
    tallies = {}
    for dealer_id, *numbers in found:
        counts = zip(needs.counters, numbers, strict=False)
        times = zip(needs.times, numbers[len(needs.counters) :], strict=True)
        tallies[dealer_id] = Tally(
            {name: int(number) for name, number in counts},
            times={name: bytes(packed or b"") for name, packed in times},
        )
    return tallies
