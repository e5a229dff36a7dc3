"""The road of many: newcomers of an import that are due, from received to their dealers at once.

Leads come out as `pipeline.advance` would send them one by one, in the same order. All of a chunk
is one transaction, so that a crash leaves it as it was.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.bulkroad.books import books_of
from lmt.bulkroad.choosing import Asked, ask, choose
from lmt.bulkroad.chunk import Newcomer, due_chunk, due_newcomers, note_geocoded
from lmt.bulkroad.landing import Landing
from lmt.bulkroad.places import places_for
from lmt.bulkroad.plain import is_plain
from lmt.bulkroad.rows import Rows
from lmt.collector import collecting_later
from lmt.config import Settings
from lmt.db import SessionFactory, wake
from lmt.lookahead import look_ahead_all
from lmt.notify.messages import BELLS
from lmt.scope import SYSTEM, act_as

log = structlog.get_logger(__name__)

CHUNK = 500
"""At most: the ids that tell the order of events count some thousands in a millisecond."""
ONE_BY_ONE = 20
"""Leads that aren't plain, taken in one call; the others are due still."""


def advance_many(
    sessions: SessionFactory, at: datetime, limit: int = CHUNK, settings: Settings | None = None
) -> int:
    """Take up to `limit` newcomers of imports that are due one step further; returns how many.

    What isn't plain goes through `pipeline.advance`, some of it in each call: also what a geocoder
    that `settings` name may know more of. Commits.
    """
    asks_outside = settings is not None and bool(settings.geocoders)
    with collecting_later():
        moved, left = _advance_chunk(sessions, at, min(limit, CHUNK), asks_outside=asks_outside)
    return moved + _one_by_one(sessions, left[:ONE_BY_ONE], at, settings)


def _advance_chunk(
    sessions: SessionFactory, at: datetime, limit: int, *, asks_outside: bool
) -> tuple[int, list[uuid.UUID]]:
    """How many were taken at once, and which are left for the single road. Commits."""
    with act_as(sessions(), SYSTEM) as session:
        newcomers: Sequence[Newcomer] = ()
        try:
            newcomers = due_chunk(session, at, limit)
            moved, left = _advance(session, newcomers, at, asks_outside=asks_outside)
            session.commit()
        except Exception as problem:
            if _is_collision(problem):
                log.warning("bulkroad.collision", leads=len(newcomers))
            else:
                # One of them may be at fault; the single road finds out which.
                log.exception("bulkroad.failed", leads=len(newcomers))
            session.rollback()
            return 0, [each.lead.id for each in newcomers]
    return moved, left


def advance_imported(
    sessions: SessionFactory, at: datetime, settings: Settings | None = None
) -> int:
    """What a worker does with newcomers of imports: many at once, or a few one by one."""
    with act_as(sessions(), SYSTEM) as session:
        few = due_newcomers(session, at, ONE_BY_ONE)
    if len(few) == ONE_BY_ONE:
        return advance_many(sessions, at, settings=settings)
    return _one_by_one(sessions, few, at, settings)


def _one_by_one(
    sessions: SessionFactory, leads: Sequence[uuid.UUID], at: datetime, settings: Settings | None
) -> int:
    if settings is not None:
        look_ahead_all(sessions, settings, leads, at)
    return sum(pipeline.advance(sessions, each, at) for each in leads)


def _is_collision(problem: Exception) -> bool:
    """Whether somebody else was in the way. Raises again where the database is gone."""
    if not isinstance(problem, OperationalError):
        return False
    state = getattr(problem.orig, "sqlstate", None)
    if state is None or problem.connection_invalidated:
        raise problem
    return state in pipeline.COLLISIONS


def _advance(
    session: Session, newcomers: Sequence[Newcomer], at: datetime, *, asks_outside: bool
) -> tuple[int, list[uuid.UUID]]:
    """How many are written down, and which are left."""
    rows, left, landings = Rows(at), list[uuid.UUID](), []
    by_market = sorted(newcomers, key=lambda each: each.lead.market_id)
    for market_id, group in groupby(by_market, key=lambda each: each.lead.market_id):
        landing, others = _land(session, market_id, list(group), rows, asks_outside=asks_outside)
        landings.append(landing)
        left += others
    rows.write(session)
    for landing in landings:
        if landing is not None:
            landing.alert()
    for channel in sorted(rows.channels):
        wake(session, BELLS[channel])
    order = {each.lead.id: place for place, each in enumerate(newcomers)}
    return len(rows.leads), sorted(left, key=order.__getitem__)


def _land(
    session: Session,
    market_id: int,
    newcomers: Sequence[Newcomer],
    rows: Rows,
    *,
    asks_outside: bool,
) -> tuple[Landing | None, list[uuid.UUID]]:
    """Leads of one market: those that are plain land in `rows`, the others' ids are returned."""
    at = rows.at
    books = books_of(session, market_id, [each.lead for each in newcomers], at)
    leads = [each.lead for each in newcomers]
    places = places_for(session).begin(session, leads, books.countries)
    note_geocoded(session, newcomers, books.countries)
    left: list[uuid.UUID] = []
    asked: list[Asked] = []
    for newcomer in newcomers:
        known = None
        if is_plain(newcomer):
            known = ask(books, newcomer, places, asks_outside=asks_outside)
        if known is None:
            left.append(newcomer.lead.id)
        else:
            asked.append(known)
    chosen = choose(session, market_id, asked, at) if asked else []
    if chosen is None:
        return None, [each.lead.id for each in newcomers]
    landing = Landing(session, books, chosen, rows)
    for each in chosen:
        landing.land(each)
    return landing, left
