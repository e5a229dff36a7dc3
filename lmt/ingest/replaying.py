"""Many quarantined deliveries are taken in again: after a mapping was mended, or a source goes on.

A job of the worker, oldest first, each delivery in transactions of its own: a worker that dies
leaves the rest to the next one.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from lmt import clock
from lmt.db import uuid7_floor
from lmt.ingest.kinds import SUSPICIOUS
from lmt.ingest.quarantine import (
    PAUSED,
    Answered,
    StillUnreadable,
    ask_replay_all,
    take_again,
    waiting_of,
)
from lmt.models import Intake, Job, Source
from lmt.scope import SYSTEM, Actor

CHUNK = 100
TELL_EVERY = 20
OUTCOMES = ("accepted", "repeated", "fetching", "unreadable", "answered", "leads")
"""What is counted: deliveries by what became of them, and the new `leads` that they made."""

LEFT_AFTER = timedelta(minutes=10)
"""Nothing is under way for so long."""

Outcome = tuple[str, int]
"""What became of a delivery, and how many new leads it made."""
_LEASE = timedelta(minutes=5)
_FIRST = uuid.UUID(int=0)


def run_replay_intake_job(session: Session, job: Job) -> None:
    """Work on a job of `quarantine.KIND`; its row says how far it is and what came of it.

    `result` holds the counts of `OUTCOMES`, and `last`, the delivery after which to go on.
    """
    begun = job.result or {}
    counts = Counter({name: int(begun.get(name, 0)) for name in OUTCOMES})
    done, stopped = job.done, ""
    actor = Actor(user_id=job.requested_by, permissions=frozenset())
    last = uuid.UUID(begun["last"]) if "last" in begun else _FIRST
    which = waiting_of(job.arguments["source_id"], job.arguments.get("code", ""))
    asked_at = datetime.fromisoformat(job.arguments["until"])
    for intake_id in _ids(session, which, asked_at, last):
        outcome, leads = once_more(session, intake_id, clock.now(), actor)
        if outcome == PAUSED:
            stopped = PAUSED
            break
        counts[outcome] += 1
        counts["leads"] += leads
        done, last = done + 1, intake_id
        if done % TELL_EVERY == 0:
            _tell(session, job, done, {**counts, "last": str(last)})
    _tell(session, job, done, dict(counts), stopped=stopped, finished=True)


def ask_for_left_behind(session: Session, at: datetime) -> int:
    """Ask for a replay of what waits for a source that runs again; how many sources. No commit.

    A delivery may have been under way while the source went on, and was kept after the replay had
    passed; or nobody came to ask for one.
    """
    left = select(Intake.source_id).where(
        Intake.status == "quarantined",
        Intake.problem["code"].as_string() == PAUSED,
        Intake.id < uuid7_floor(at - LEFT_AFTER),
    )
    running = select(Source).where(Source.active, Source.paused_at.is_(None), Source.id.in_(left))
    sources = session.scalars(running.order_by(Source.id)).all()
    for source in sources:
        ask_replay_all(session, source, at, SYSTEM, code=PAUSED)
    return len(sources)


def waiting_deliveries(session: Session, code: str, at: datetime) -> Iterator[uuid.UUID]:
    """What waits at `at` of the source with this code, of all where it is "", oldest first.

    Raises LookupError.
    """
    which: list[ColumnElement[bool]] = []
    if code:
        source_id = session.scalar(select(Source.id).where(Source.code == code))
        if source_id is None:
            raise LookupError(code)
        which = [Intake.source_id == source_id]
    # What looks like a machine's is for a person to look at, one by one.
    read = Intake.problem["code"].as_string().is_distinct_from(SUSPICIOUS)
    return _ids(session, [*which, Intake.status == "quarantined", read], at, _FIRST)


def once_more(session: Session, intake_id: uuid.UUID, at: datetime, actor: Actor) -> Outcome:
    """Take one delivery in again, whatever comes of it."""
    try:
        receipt = take_again(session, intake_id, at=at, actor=actor)
    except StillUnreadable as problem:
        return (PAUSED if problem.code == PAUSED else "unreadable"), 0
    except Answered:
        return "answered", 0
    except LookupError:
        return "unknown", 0
    finally:
        # Thousands of them would else be kept until all is done.
        session.expunge_all()
    if receipt.repeated:
        return "repeated", 0
    new = len(set(receipt.lead_ids) - receipt.joined)
    return ("accepted" if receipt.lead_ids else "fetching"), new


def _ids(
    session: Session, which: Sequence[ColumnElement[bool]], at: datetime, last: uuid.UUID
) -> Iterator[uuid.UUID]:
    """Chunk by chunk; what comes after `at` is read by today's mapping."""
    until = uuid7_floor(at + timedelta(milliseconds=1))
    while True:
        ids = session.scalars(
            select(Intake.id)
            .where(*which, Intake.id > last, Intake.id < until)
            .order_by(Intake.id)
            .limit(CHUNK)
        ).all()
        session.rollback()
        yield from ids
        if len(ids) < CHUNK:
            return
        last = ids[-1]


def _tell(
    session: Session,
    job: Job,
    done: int,
    result: dict[str, Any],
    *,
    stopped: str = "",
    finished: bool = False,
) -> None:
    session.execute(
        update(Job)
        .where(Job.id == job.id)
        .values(
            done=done,
            result=result,
            problem=stopped,
            lease_until=None if finished else func.now() + _LEASE,
            finished_at=func.now() if finished else None,
        )
    )
    session.commit()
