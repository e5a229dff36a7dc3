"""An import is taken back: its leads that nobody has worked on are withdrawn.

Calls and do-not-contact entries stay: they happened, and who said no has said so. Inquiries that
joined leads of others stay with them. The rows' delivery keys go, so that a mended file may come.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, any_, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt import clock, pipeline
from lmt.db import uuid7
from lmt.imports.engine import LEASE
from lmt.imports.reading import chunks
from lmt.imports.runs import end_job, is_ending, locked_run, run_id_of
from lmt.lifecycle import QUEUES, Status
from lmt.models import (
    CallRecord,
    DeliveryKey,
    Event,
    ImportRun,
    Inquiry,
    Job,
    Lead,
    PlannedAction,
    locked_lead,
)
from lmt.releases import respace_all
from lmt.scope import Actor

log = structlog.get_logger(__name__)

KIND = "undo_import"
CAUSE = "import_undone"
_STEPS = (
    "received called asked_again qualified located routed offered offer_expired clock_started"
    " mail_sent mail_failed system_told system_failed queued escalated extended recounted postponed"
    " reminded raised promised planned answers_forgotten"
)
OUR_OWN_STEPS = frozenset(_STEPS.split())
"""Events that the road itself writes; any other, or one with an actor, is somebody's work."""
_UNDOABLE = sorted({Status.RECEIVED, Status.OFFERED, *QUEUES})
_CHUNK = 200
_PAGE = 20_000
_KEYS = 5_000
_MOST_TRIES = 5


class _Left(Exception):
    """The undo is not ours to go on with."""


def run_undo_job(session: Session, job: Job) -> None:
    """Work on a job of KIND. Its `result`: leads `withdrawn` and `kept`, `inquiries` that stay with
    leads of others, `calls` and `suppressed` rows that stay as they are."""
    try:
        run = _held(session, job)
        # Whoever died over it looked at those that stay before: they are looked at once more.
        _tell(session, job, done=run.undone)
        session.commit()
        for ids in chunks(_lead_ids(session, run.id), _CHUNK):
            _in_spite_of_others(session, job, ids)
            # Only now: a chunk that is tried again is no more than one.
            _tell(session, job, done=Job.done + len(ids))
            session.commit()
            if is_ending(session):
                _tell(session, job, lease_until=None, attempts=0)
                session.commit()
                return
        _forget_deliveries(session, run, job)
        respace_all(session, clock.now())
        _finish(session, job)
    except _Left:
        session.rollback()


def worked_on() -> ColumnElement[bool]:
    """For a WHERE on leads of an import: somebody has done something with it, or its person has
    asked by another way meanwhile."""
    touched = exists().where(
        Event.lead_id == Lead.id,
        or_(Event.actor_id.is_not(None), Event.kind.not_in(sorted(OUR_OWN_STEPS))),
    )
    asked_elsewhere = exists().where(
        Inquiry.lead_id == Lead.id, Inquiry.intake_id.is_distinct_from(Lead.intake_id)
    )
    return or_(touched, asked_elsewhere)


def _in_spite_of_others(session: Session, job: Job, ids: Sequence[uuid.UUID]) -> None:
    """A dealer or the road may have one of these leads in hand: try again when they are done."""
    for tries in range(1, _MOST_TRIES + 1):
        try:
            _take_back(session, job, ids)
        except OperationalError:
            session.rollback()
            if tries == _MOST_TRIES:
                raise
        else:
            return


def _take_back(session: Session, job: Job, ids: Sequence[uuid.UUID]) -> None:
    now = clock.now()
    run = _held(session, job)
    actor = Actor(user_id=run.undone_by, permissions=frozenset())
    found = _untouched(session, ids)
    waiting = [lead_id for lead_id, status in found if status != Status.OFFERED]
    offered = [lead_id for lead_id, status in found if status == Status.OFFERED]
    _hear(session, waiting, now)
    _withdraw_waiting(session, waiting, now, actor)
    run.undone += len(waiting)
    _tell(session, job, lease_until=now + LEASE, attempts=0)
    session.commit()
    for lead_id in offered:
        # Its dealer has it: taken away as any lead is, each by itself.
        run = _held(session, job)
        _tell(session, job, lease_until=now + LEASE, attempts=0)
        if _untouched(session, [lead_id]):
            run.undone += 1
            locked_lead(session, lead_id)
            _hear(session, [lead_id], now)
            pipeline.withdraw(session, lead_id, reason=CAUSE, at=clock.now(), actor=actor)
        else:
            session.commit()
    session.expunge_all()


def _untouched(session: Session, ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, str]]:
    """Those that can still be taken back, locked, with their status."""
    held = session.scalars(
        select(Lead.id)
        .where(Lead.id.in_(ids), Lead.status.in_(_UNDOABLE))
        .order_by(Lead.id)
        .with_for_update(of=Lead)
    ).all()
    # Asked once they are locked: what was done before we had the locks is seen by this statement.
    rows = session.execute(
        select(Lead.id, Lead.status).where(
            Lead.id.in_(held), Lead.status.in_(_UNDOABLE), ~worked_on()
        )
    )
    return [(row.id, row.status) for row in rows]


def _hear(session: Session, ids: Sequence[uuid.UUID], at: datetime) -> None:
    """What later rows of the file said of these leads goes with them: it begins none anew."""
    session.execute(
        update(Inquiry)
        .where(Inquiry.lead_id.in_(ids), Inquiry.handled_at.is_(None))
        .values(handled_at=at)
        .execution_options(synchronize_session=False)
    )


def _withdraw_waiting(
    session: Session, ids: Sequence[uuid.UUID], at: datetime, actor: Actor
) -> None:
    """No dealer has them: as `pipeline.withdraw`, for all of them at once."""
    if not ids:
        return
    session.execute(
        update(Lead)
        .where(Lead.id.in_(ids))
        .values(
            status=Status.WITHDRAWN,
            cause=CAUSE,
            closed_at=at,
            next_action_at=None,
            resting_until=None,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(PlannedAction)
        .where(PlannedAction.lead_id.in_(ids), PlannedAction.done_at.is_(None))
        .values(done_at=at)
        .execution_options(synchronize_session=False)
    )
    events = [
        {
            "id": uuid7(at),
            "lead_id": lead_id,
            "at": at,
            "kind": "withdrawn",
            "actor_id": actor.user_id,
            "data": {"reason": CAUSE},
        }
        for lead_id in ids
    ]
    session.execute(insert(Event), events)


def _lead_ids(session: Session, run_id: uuid.UUID) -> Iterator[uuid.UUID]:
    """Of all leads of the import that may be taken back, page by page."""
    last = uuid.UUID(int=0)
    while True:
        ids = session.scalars(
            select(Lead.id)
            .where(Lead.import_id == run_id, Lead.status.in_(_UNDOABLE), Lead.id > last)
            .order_by(Lead.id)
            .limit(_PAGE)
        ).all()
        session.rollback()
        yield from ids
        if len(ids) < _PAGE:
            return
        last = ids[-1]


def _forget_deliveries(session: Session, run: ImportRun, job: Job) -> None:
    """The rows of the leads that were taken back count as never sent."""
    gone = exists().where(
        Lead.id == any_(DeliveryKey.lead_ids), Lead.import_id == run.id, Lead.cause == CAUSE
    )
    last = ""
    while True:
        keys = session.scalars(
            select(DeliveryKey.key)
            .where(DeliveryKey.source_id == run.source_id, DeliveryKey.key > last)
            .order_by(DeliveryKey.key)
            .limit(_KEYS)
        ).all()
        if not keys:
            session.rollback()
            return
        session.execute(
            delete(DeliveryKey)
            .where(
                DeliveryKey.source_id == run.source_id,
                DeliveryKey.key.in_(keys),
                DeliveryKey.intake_id == run.intake_id,
                gone,
            )
            .execution_options(synchronize_session=False)
        )
        _tell(session, job, lease_until=clock.now() + LEASE)
        session.commit()
        last = keys[-1]


def _finish(session: Session, job: Job) -> None:
    run = _held(session, job)
    leads = select(func.count()).select_from(Lead).where(Lead.import_id == run.id)
    elsewhere = (
        select(func.count())
        .select_from(Inquiry)
        .join(Lead, Lead.id == Inquiry.lead_id)
        .where(
            Inquiry.source_id == run.source_id,
            Inquiry.intake_id == run.intake_id,
            Lead.import_id.is_distinct_from(run.id),
        )
    )
    calls = select(func.count()).select_from(CallRecord).where(CallRecord.import_id == run.id)
    result: dict[str, Any] = {
        "withdrawn": run.undone,
        "kept": (session.scalar(leads) or 0) - run.undone,
        "inquiries": session.scalar(elsewhere),
        "calls": session.scalar(calls),
        "suppressed": run.suppressed,
    }
    run.state = "undone"
    end_job(session, job, "", result)
    session.commit()
    log.info("import.undone", run=str(run.id), **result)


def _held(session: Session, job: Job) -> ImportRun:
    run = locked_run(session, run_id_of(job))
    if run.job_id == job.id and run.state == "undoing":
        return run
    end_job(session, job, "", {})
    session.commit()
    raise _Left


def _tell(session: Session, job: Job, **values: Any) -> None:
    session.execute(update(Job).where(Job.id == job.id).values(**values))
