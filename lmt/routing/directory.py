"""Every process's copy of the dealer networks, one a market, renewed only where a dealer changed.

An edit gives the network a new version and writes that to the dealers it changed. Whoever routes
compares versions in a statement of its own transaction, and reads the dealers of newer versions.
Rows that begin or end by themselves make a dealer change too, at that instant: an edge.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from lmt.db import wake
from lmt.models.capacity import wake_unrouted
from lmt.routing.candidate import Candidate
from lmt.routing.dealers import candidates_of
from lmt.routing.network import Network

log = structlog.get_logger(__name__)

CHANNEL = "network"
"""Rung in every transaction that edits dealers."""

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_FOREVER = datetime.max.replace(tzinfo=UTC)
_MOST_ANEW = 0.25
"""From this part of a market on, reading all of it is cheaper than mending."""
_KEPT = 3
"""Networks kept of a market: now, and on the other side of an edge that just passed."""

_STAMP = text("SELECT version, rebuilt FROM network_version")
_NEWER = text("SELECT id, market_id FROM dealer WHERE version > :version")
_BUMP = text(
    "UPDATE network_version SET version = version + 1, changed_at = :at,"
    " rebuilt = CASE WHEN :everything THEN version + 1 ELSE rebuilt END RETURNING version"
)
_MARK = text(
    "UPDATE dealer SET version = :version WHERE id = ANY(CAST(:ids AS int[])) RETURNING market_id"
)
_MARKET_OF = text(
    "SELECT dealer.market_id, network.version, network.rebuilt"
    " FROM dealer, network_version AS network WHERE dealer.id = :id"
)
_EDGES = """
    SELECT dealer_id, unnest(ARRAY[lower(valid), upper(valid)]) AS edge FROM (
        SELECT t.dealer_id, t.valid FROM dealer_terms t JOIN dealer d ON d.id = t.dealer_id
         WHERE {whose}
        UNION ALL
        SELECT t.dealer_id, t.valid FROM competence t JOIN dealer d ON d.id = t.dealer_id
         WHERE {whose}
        UNION ALL
        SELECT t.dealer_id, t.valid FROM closure t JOIN dealer d ON d.id = t.dealer_id
         WHERE {whose}
        UNION ALL
        SELECT t.dealer_id, t.valid FROM territory t JOIN dealer d ON d.id = t.dealer_id
         WHERE {whose}
        UNION ALL
        SELECT t.dealer_id, t.valid FROM special_hours t WHERE {special}
    ) AS rows
"""
_OF_MARKET = _EDGES.format(whose="d.market_id = :market_id", special="t.market_id = :market_id")
_OF_DEALERS = _EDGES.format(
    whose="t.dealer_id = ANY(:ids)",
    special="t.dealer_id = ANY(:ids) OR (t.market_id = :market_id AND t.dealer_id IS NULL)",
)
_SPAN = (
    "SELECT max(edge) FILTER (WHERE edge <= :at), min(edge) FILTER (WHERE edge > :at)"
    " FROM ({edges}) AS edges"
)
_SPAN_OF_MARKET = text(_SPAN.format(edges=_OF_MARKET))
_SPAN_OF_DEALERS = text(_SPAN.format(edges=_OF_DEALERS))
_CROSSED = text(
    f"SELECT DISTINCT dealer_id FROM ({_OF_MARKET}) AS edges WHERE edge > :early AND edge <= :late"
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The state of the dealers as a transaction sees it: the last version, and the last one that
    changed more than the dealers that carry its number."""

    version: int
    rebuilt: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """A network good for one version, and for every instant in [since, until)."""

    network: Network
    version: int
    since: datetime
    until: datetime

    def holds_at(self, at: datetime) -> bool:
        return self.since <= at < self.until


class Directory:
    """Networks by market, kept for each database that was asked. Safe to share among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shelves: WeakKeyDictionary[Engine, dict[int, _Shelf]] = WeakKeyDictionary()

    def network(
        self, session: Session, market_id: int, at: datetime, stamp: Stamp | None = None
    ) -> Network:
        """The market's dealers as they are at `at`, no older than `stamp`, which the caller may
        have read in a statement of its own."""
        shelf = self._shelf(session, market_id)
        stamp = stamp or stamp_of(session)
        kept = shelf.find(stamp, at)
        if kept is None:
            # One thread reads, the others wait for it rather than read the same.
            with shelf.reading:
                kept = shelf.find(stamp, at)
                kept = kept or shelf.renewed(session, market_id, at, stamp)
        return kept.network

    def warm(self, session: Session, at: datetime) -> None:
        """Bring all networks that this process has used up to date, before a lead needs one."""
        with self._lock:
            markets = list(self._shelves.get(_database(session), ()))
        stamp = stamp_of(session)
        for market_id in markets:
            self.network(session, market_id, at, stamp)

    def _shelf(self, session: Session, market_id: int) -> _Shelf:
        with self._lock:
            markets = self._shelves.setdefault(_database(session), {})
            return markets.setdefault(market_id, _Shelf())


class _Shelf:
    """The networks kept of one market, the latest read first; all of one version."""

    def __init__(self) -> None:
        self.reading = threading.Lock()
        self._kept: tuple[_Kept, ...] = ()

    def find(self, stamp: Stamp, at: datetime) -> _Kept | None:
        kept = self._kept
        return next(
            (each for each in kept if each.version >= stamp.version and each.holds_at(at)), None
        )

    def renewed(self, session: Session, market_id: int, at: datetime, stamp: Stamp) -> _Kept:
        fresh = self._mended(session, market_id, at, stamp) or _read(session, market_id, at, stamp)
        others = (
            each
            for each in self._kept
            if each.version == fresh.version
            and (each.until <= fresh.since or each.since >= fresh.until)
        )
        self._kept = (fresh, *others)[:_KEPT]
        return fresh

    def _mended(self, session: Session, market_id: int, at: datetime, stamp: Stamp) -> _Kept | None:
        """The latest network with what changed since; None where all must be read."""
        if not self._kept or self._kept[0].version < stamp.rebuilt:
            return None
        base = self._kept[0]
        ids: set[int | None] = set()
        if base.version < stamp.version:
            ids |= _newer(session, base, market_id)
        crossed = not base.holds_at(at)
        if crossed:
            early, late = (base.since, at) if at >= base.until else (at, base.since)
            edges = {"market_id": market_id, "early": early, "late": late}
            ids |= set(session.scalars(_CROSSED, edges))
        dealers = {each for each in ids if each is not None}
        # An edge of no dealer is one of a country's days, which concern many.
        if None in ids or len(dealers) > max(10, _MOST_ANEW * len(base.network)):
            return None
        network = _with_dealers(session, base.network, market_id, at, dealers)
        if crossed:
            since, until = _span(session, _SPAN_OF_MARKET, at, market_id=market_id)
        else:
            since, until = _span(
                session, _SPAN_OF_DEALERS, at, market_id=market_id, ids=list(dealers)
            )
            since, until = max(since, base.since), min(until, base.until)
        return _Kept(network, max(base.version, stamp.version), since, until)


def _newer(session: Session, base: _Kept, market_id: int) -> set[int | None]:
    """The market's dealers edited since, and those that left it."""
    rows = session.execute(_NEWER, {"version": base.version})
    return {id for id, of in rows if of == market_id or base.network.by_id(id) is not None}


def _read(session: Session, market_id: int, at: datetime, stamp: Stamp) -> _Kept:
    network = Network(candidates_of(session, market_id, at))
    span = _span(session, _SPAN_OF_MARKET, at, market_id=market_id)
    log.info("network.read", market=market_id, version=stamp.version, dealers=len(network))
    return _Kept(network, stamp.version, *span)


def _with_dealers(
    session: Session, network: Network, market_id: int, at: datetime, ids: set[int]
) -> Network:
    """The network with these dealers as they are now, and without those that are no more."""
    if not ids:
        return network
    found = [
        _same_areas(each, network.by_id(each.id))
        for each in candidates_of(session, market_id, at, ids)
    ]
    gone = ids - {each.id for each in found}
    return network.replaced(found, [each for each in gone if network.by_id(each) is not None])


def _same_areas(new: Candidate, old: Candidate | None) -> Candidate:
    """With the old one's polygons where they are equal: what stayed need not be indexed anew."""
    if old is None:
        return new
    same: dict[str, Any] = {}
    for name in ("exclusive_area", "shared_area"):
        before, after = getattr(old, name), getattr(new, name)
        if before is not None and after is not None and before.equals_exact(after, 0.0):
            same[name] = before
    return replace(new, **same) if same else new


def _span(session: Session, query: Any, at: datetime, **of: Any) -> tuple[datetime, datetime]:
    """The edges on either side of `at`."""
    before, after = session.execute(query, {"at": at, **of}).one()
    return before or _ALWAYS, after or _FOREVER


def _database(session: Session) -> Engine:
    return session.get_bind().engine


def stamp_of(session: Session) -> Stamp:
    """One tiny query."""
    version, rebuilt = session.execute(_STAMP).one()
    return Stamp(version, rebuilt)


def market_of(session: Session, dealer_id: int) -> tuple[int, Stamp]:
    """The dealer's market, and the state of the dealers. LookupError where there is no such."""
    found = session.execute(_MARKET_OF, {"id": dealer_id}).first()
    if found is None:
        raise LookupError(f"no dealer {dealer_id}")
    market_id, version, rebuilt = found
    return market_id, Stamp(version, rebuilt)


directory = Directory()


def warm(session: Session, market_id: int | None, at: datetime) -> None:
    """What a process may do when `CHANNEL` rings: read a market's changed dealers before a lead
    needs them. None: all markets it has used."""
    if market_id is None:
        directory.warm(session, at)
    else:
        directory.network(session, market_id, at)


def dealers_changed(
    session: Session, at: datetime, dealer_ids: Iterable[int] | None = None
) -> None:
    """Call in every transaction that edits dealers, after the edit: all processes read them anew.

    `dealer_ids` are the dealers edited; None says that any may be (an import, a country's days).
    Edits wait for each other from here to their commit, so that versions appear in order.
    Leads of these markets that nobody could take are looked at again.
    """
    ids = None if dealer_ids is None else sorted(set(dealer_ids))
    session.flush()
    bump = {"at": at, "everything": ids is None}
    version = session.execute(_BUMP, bump).scalar_one()
    markets = None
    if ids is not None:
        markets = set(session.scalars(_MARK, {"version": version, "ids": ids}))
    wake_unrouted(session, markets, at)
    wake(session, CHANNEL)


__all__ = [
    "CHANNEL",
    "Directory",
    "Stamp",
    "candidates_of",
    "dealers_changed",
    "directory",
    "market_of",
    "stamp_of",
    "warm",
]
