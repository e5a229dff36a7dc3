"""Every process's copy of the dealer networks, one a market, rebuilt when a dealer was edited."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shapely.geometry import shape
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lmt.models import (
    Brand,
    Closure,
    Competence,
    Dealer,
    DealerTerms,
    NetworkVersion,
    Territory,
)
from lmt.routing.candidate import Candidate
from lmt.routing.network import Network
from lmt.workhours import Calendar

FAR_AWAY = datetime.max.replace(tzinfo=UTC)


class Directory:
    """Networks by market, each good for one version of the dealers and until one of their rows
    begins or ends. Safe to share among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._networks: dict[int, _Kept] = {}

    def network(self, session: Session, market_id: int, at: datetime) -> Network:
        """The market's dealers as they are at `at`, at most one edit behind this transaction."""
        version = session.scalars(select(NetworkVersion.version)).one()
        with self._lock:
            if version != self._version:
                self._version, self._networks = version, {}
            kept = self._networks.get(market_id)
        if kept is not None and kept.since <= at < kept.until:
            return kept.network
        kept = _Kept(
            Network(candidates_of(session, market_id, at)),
            at,
            _next_change(session, market_id, at),
        )
        with self._lock:
            if version == self._version:
                self._networks[market_id] = kept
        return kept.network


@dataclass(frozen=True, slots=True)
class _Kept:
    network: Network
    since: datetime
    until: datetime


def _next_change(session: Session, market_id: int, at: datetime) -> datetime:
    """When the first of the market's rows begins or ends by itself after `at`."""
    edges = []
    for model in (DealerTerms, Competence, Closure, Territory):
        for edge in (func.lower(model.valid), func.upper(model.valid)):
            edges.append(
                select(func.min(edge))
                .join(Dealer, Dealer.id == model.dealer_id)
                .where(Dealer.market_id == market_id, edge > at)
                .scalar_subquery()
            )
    earliest = session.execute(select(func.least(*edges))).scalar_one()
    return FAR_AWAY if earliest is None else earliest


directory = Directory()


def dealers_changed(session: Session, at: datetime) -> None:
    """Call in every transaction that edits dealers: all processes rebuild their copies."""
    session.execute(
        update(NetworkVersion).values(version=NetworkVersion.version + 1, changed_at=at)
    )


def candidates_of(session: Session, market_id: int, at: datetime) -> list[Candidate]:
    """The market's dealers as they were known at `at`, without their load. Six queries."""
    brands = {b.id: b.code for b in session.scalars(select(Brand))}
    competences = _by_dealer(session, Competence, market_id, at)
    closures = _by_dealer(session, Closure, market_id, at)
    territories = _by_dealer(session, Territory, market_id, at)
    rows = session.execute(
        select(Dealer.code, Dealer.kind, DealerTerms)
        .join(DealerTerms.dealer)
        .where(Dealer.market_id == market_id, DealerTerms.holds_at(at))
        .order_by(Dealer.code)
    )
    return [
        _candidate(
            code,
            terms,
            # A team of the market serves all of its countries; a showroom its own.
            "" if kind == "team" else terms.country,
            frozenset((brands[c.brand_id], c.service) for c in competences[terms.dealer_id]),
            closures[terms.dealer_id],
            territories[terms.dealer_id],
        )
        for code, kind, terms in rows
    ]


def calendar_of(terms: DealerTerms, closures: list[Closure]) -> Calendar:
    return Calendar(
        hours=terms.hours,
        timezone=terms.timezone,
        country=terms.country,
        closures=tuple(sorted((c.starts_on, c.ends_on) for c in closures)),
    )


def _candidate(
    code: str,
    terms: DealerTerms,
    country: str,
    competences: frozenset[tuple[str, str]],
    closures: list[Closure],
    territories: list[Territory],
) -> Candidate:
    areas = [shape(t.area) for t in territories if t.area is not None]
    area = None
    for each in areas:
        area = each if area is None else area.union(each)
    return Candidate(
        id=terms.dealer_id,
        code=code,
        name=terms.name,
        lat=terms.lat,
        lon=terms.lon,
        country=country,
        calendar=calendar_of(terms, closures),
        competences=competences,
        languages=frozenset(terms.languages),
        active=terms.active,
        paused=terms.paused,
        reachable=bool(terms.email),
        day_cap=terms.day_cap,
        month_cap=terms.month_cap,
        open_cap=terms.open_cap,
        weight=terms.weight,
        quality=terms.quality,
        exclusive_postcodes=tuple(p for t in territories for p in t.postcodes),
        exclusive_area=area,
    )


def _by_dealer(
    session: Session, model: Any, market_id: int, at: datetime
) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    rows = session.scalars(
        select(model)
        .join(model.dealer)
        .where(Dealer.market_id == market_id, model.holds_at(at))
        .order_by(model.id)
    )
    for row in rows:
        found[row.dealer_id].append(row)
    return found
