"""Caps, counted by the database at the moment of assignment so that nobody is overfilled.

One row per dealer holds the day's, the month's and the open leads; one statement checks and
counts. Callers hold the lead's lock already: lead, offer, dealer is the order of locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from sqlalchemy import text
from sqlalchemy.orm import Session

from lmt.routing.candidate import Candidate, Load
from lmt.routing.network import Network
from lmt.workhours import local_date

_Counts = tuple[date, int, int, int, int]

_ENSURE = text(
    "INSERT INTO dealer_load (dealer_id, day, day_used, month_used, open_used, received)"
    " VALUES (:dealer_id, :day, 0, 0, 0, 0) ON CONFLICT (dealer_id) DO NOTHING"
)
# A row of an earlier local date counts as zero, and the same statement moves it on. It never moves
# back: two workers whose clocks lie on either side of midnight would reset each other's counts.
# It also says why nothing was counted: no row yet, dealers edited since the decision, or a cap.
_TAKE = text(
    """
    WITH network AS (SELECT version FROM network_version), taken AS (
    UPDATE dealer_load SET
        day_used = CASE WHEN day >= :day THEN day_used ELSE 0 END + 1,
        month_used = CASE WHEN date_trunc('month', day) >= date_trunc('month', CAST(:day AS date))
                     THEN month_used ELSE 0 END + 1,
        open_used = open_used + 1,
        received = received + 1,
        day = greatest(day, :day)
    WHERE dealer_id = :dealer_id
      AND (CAST(:version AS int) IS NULL OR :version = (SELECT version FROM network))
      AND (CAST(:day_cap AS int) IS NULL
           OR CASE WHEN day >= :day THEN day_used ELSE 0 END < :day_cap)
      AND (CAST(:month_cap AS int) IS NULL
           OR CASE WHEN date_trunc('month', day) >= date_trunc('month', CAST(:day AS date))
              THEN month_used ELSE 0 END < :month_cap)
      AND (CAST(:open_cap AS int) IS NULL OR open_used < :open_cap)
    RETURNING 1)
    SELECT EXISTS (SELECT 1 FROM taken),
           EXISTS (SELECT 1 FROM dealer_load WHERE dealer_id = :dealer_id),
           CAST(:version AS int) IS NULL OR :version = (SELECT version FROM network)
    """
)

# As _TAKE, for several leads of each of many dealers: their places are counted in an order that the
# caller has worked out, so that the last of them is within the caps if all are.
_ENSURE_MANY = text(
    "INSERT INTO dealer_load (dealer_id, day, day_used, month_used, open_used, received)"
    " SELECT id, day, 0, 0, 0, 0"
    " FROM unnest(CAST(:ids AS int[]), CAST(:days AS date[])) AS new (id, day) ORDER BY id"
    " ON CONFLICT (dealer_id) DO NOTHING"
)
_LOCK_MANY = text(
    "SELECT dealer_id FROM dealer_load WHERE dealer_id = ANY(CAST(:ids AS int[]))"
    " ORDER BY dealer_id FOR UPDATE"
)
_TAKE_MANY = text(
    """
    WITH network AS (SELECT version FROM network_version), taken AS (
    UPDATE dealer_load AS held SET
        day_used = CASE WHEN held.day >= new.day THEN day_used ELSE 0 END + number,
        month_used = CASE WHEN date_trunc('month', held.day) >= date_trunc('month', new.day)
                     THEN month_used ELSE 0 END + number,
        open_used = open_used + number,
        received = received + number,
        day = greatest(held.day, new.day)
    FROM unnest(CAST(:ids AS int[]), CAST(:days AS date[]), CAST(:numbers AS int[]),
                CAST(:day_caps AS int[]), CAST(:month_caps AS int[]), CAST(:open_caps AS int[]))
         AS new (id, day, number, day_cap, month_cap, open_cap)
    WHERE held.dealer_id = new.id
      AND :version = (SELECT version FROM network)
      AND (day_cap IS NULL
           OR CASE WHEN held.day >= new.day THEN day_used ELSE 0 END + number <= day_cap)
      AND (month_cap IS NULL
           OR CASE WHEN date_trunc('month', held.day) >= date_trunc('month', new.day)
              THEN month_used ELSE 0 END + number <= month_cap)
      AND (open_cap IS NULL OR open_used + number <= open_cap)
    RETURNING 1)
    SELECT (SELECT count(*) FROM taken), :version = (SELECT version FROM network)
    """
)

_COUNTS = text(
    "SELECT dealer_id, day, day_used, month_used, open_used, received"
    " FROM dealer_load WHERE dealer_id = ANY(CAST(:ids AS int[]))"
)
_COUNTS_OF_MARKET = text(
    "SELECT dealer_id, day, day_used, month_used, open_used, received"
    " FROM dealer_load WHERE dealer_id IN (SELECT id FROM dealer WHERE market_id = :market_id)"
)
_UNTAKE = text(
    "UPDATE dealer_load SET day_used = day_used - 1, month_used = month_used - 1,"
    " open_used = open_used - 1, received = received - 1 WHERE dealer_id = :dealer_id"
)


class NetworkMoved(Exception):
    """Dealers were edited after the decision was taken: it is to be taken anew."""


def take_slot(
    session: Session,
    dealer: Candidate,
    at: datetime,
    *,
    within_caps: bool = True,
    version: int | None = None,
) -> bool:
    """Count one more lead for the dealer; False, and nothing counted, where a cap is reached.

    `version` is the network's that the decision was taken on: raises NetworkMoved, and counts
    nothing, where dealers were edited since.
    """
    claim = {
        "dealer_id": dealer.id,
        "day": local_date(dealer.calendar, at),
        "day_cap": dealer.day_cap if within_caps else None,
        "month_cap": dealer.month_cap if within_caps else None,
        "open_cap": dealer.open_cap if within_caps else None,
        "version": version,
    }
    taken, known, current = session.execute(_TAKE, claim).one()
    if not known:
        session.execute(_ENSURE, {"dealer_id": dealer.id, "day": claim["day"]})
        taken, known, current = session.execute(_TAKE, claim).one()
    if not current:
        raise NetworkMoved
    return bool(taken)


@dataclass(frozen=True, slots=True)
class Slots:
    """So many leads for a dealer; `within_caps` where its caps hold for them."""

    dealer: Candidate
    number: int
    within_caps: bool = True


def take_slots(session: Session, wanted: Iterable[Slots], at: datetime, *, version: int) -> bool:
    """As `take_slot` for many dealers at once, locked in the order of their ids.

    False where some of them have no room for all of theirs, or raises NetworkMoved: then the
    others may be counted, so call it within a savepoint that is rolled back.
    """
    slots = sorted(wanted, key=lambda each: each.dealer.id)
    capped = [(each.dealer if each.within_caps else None) for each in slots]
    ids = [each.dealer.id for each in slots]
    days = {"ids": ids, "days": [local_date(each.dealer.calendar, at) for each in slots]}
    if len(session.execute(_LOCK_MANY, {"ids": ids}).all()) < len(ids):
        session.execute(_ENSURE_MANY, days)
        session.execute(_LOCK_MANY, {"ids": ids})
    taken, current = session.execute(
        _TAKE_MANY,
        {
            **days,
            "numbers": [each.number for each in slots],
            "day_caps": [None if each is None else each.day_cap for each in capped],
            "month_caps": [None if each is None else each.month_cap for each in capped],
            "open_caps": [None if each is None else each.open_cap for each in capped],
            "version": version,
        },
    ).one()
    if not current:
        raise NetworkMoved
    return bool(taken == len(ids))


def untake_slot(session: Session, dealer_id: int) -> None:
    """As if this transaction's `take_slot` had never been; the row is still locked by it."""
    session.execute(_UNTAKE, {"dealer_id": dealer_id})


def one_move_at_a_time(session: Session, market_id: int) -> None:
    """A lead that moves from dealer to dealer locks the counts of both. Within a market one such
    move waits for the other, so that A to B and B to A never wait for each other."""
    session.execute(text("SELECT pg_advisory_xact_lock(7240714, :id)"), {"id": market_id})


FIRST_READ = 32
"""Most decisions look at fewer dealers than that."""


class Loads(Mapping[int, Load]):
    """What each dealer has received, on its own local date, as this transaction sees it.

    Read when asked, in growing portions: `nearest` gives ids in the order in which they are
    likely to be asked for, so that a decision reads the nearest few and not the whole market.
    """

    def __init__(
        self, session: Session, network: Network, at: datetime, nearest: Iterable[int] = ()
    ) -> None:
        self._session, self._network, self._at = session, network, at
        self._coming = iter(nearest)
        self._portion = FIRST_READ
        self._is_whole = False
        self._rows: dict[int, _Counts | None] = {}

    def __getitem__(self, dealer_id: int) -> Load:
        if dealer_id not in self._rows and not self._is_whole:
            self._read(dealer_id)
        counts = self._rows.get(dealer_id)
        if counts is None:
            raise KeyError(dealer_id)
        day, day_used, month_used, open_used, received = counts
        dealer = self._network.by_id(dealer_id)
        today = day if dealer is None else local_date(dealer.calendar, self._at)
        same_month = (day.year, day.month) >= (today.year, today.month)
        return Load(
            day_used=day_used if day >= today else 0,
            month_used=month_used if same_month else 0,
            open_used=open_used,
            received=received,
        )

    def __iter__(self) -> Iterator[int]:
        return iter([each for each, counts in self._rows.items() if counts is not None])

    def __len__(self) -> int:
        return sum(counts is not None for counts in self._rows.values())

    def read_market(self, market_id: int) -> None:
        """Read all of the network's counts; nothing is left to be read."""
        rows = self._session.execute(_COUNTS_OF_MARKET, {"market_id": market_id})
        self._rows = {number: tuple(counts) for number, *counts in rows}
        self._is_whole = True

    def _read(self, dealer_id: int) -> None:
        wanted = {dealer_id, *islice(self._coming, self._portion)} - self._rows.keys()
        self._portion *= 4
        self._rows |= dict.fromkeys(wanted)
        rows = self._session.execute(_COUNTS, {"ids": list(wanted)})
        for number, day, day_used, month_used, open_used, received in rows:
            self._rows[number] = (day, day_used, month_used, open_used, received)


def loads_of(
    session: Session, network: Network, at: datetime, nearest: Iterable[int] = ()
) -> Loads:
    """The counts of the network's dealers, as this transaction sees them, read as they are asked
    for: with each one that isn't known yet, the next of `nearest`."""
    return Loads(session, network, at, nearest)


def loads_of_market(session: Session, network: Network, market_id: int, at: datetime) -> Loads:
    """As `loads_of`, all of the market's read at once: for many leads, all over it."""
    loads = Loads(session, network, at)
    loads.read_market(market_id)
    return loads
