"""Long work in the background: a row asks for it, one worker claims it by a lease and does it.

A worker that dies leaves the job to another when its lease ends.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt.db import SessionFactory
from lmt.imports import checking, engine, undoing
from lmt.imports.runs import give_up
from lmt.ingest.replaying import run_replay_intake_job
from lmt.models import Job
from lmt.sales import engine as sales
from lmt.scope import SYSTEM, act_as

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
"""A handler that takes longer moves `lease_until` on as it goes."""

Handler = Callable[[Session, Job], None]


def _replay(session: Session, job: Job) -> None:
    # What a replay needs is large, and most workers never do one.
    from lmt.replay.service import run_replay_job

    run_replay_job(session, job)


MOST_ATTEMPTS = 3

HANDLERS: Mapping[str, Handler] = {
    "replay": _replay,
    "replay_intake": run_replay_intake_job,
    checking.KIND: checking.run_check_job,
    engine.KIND: engine.run_import_job,
    undoing.KIND: undoing.run_undo_job,
    sales.KIND: sales.run_sales_job,
}
"""Kind of job → what does it. It writes result, problem and `finished_at` to the row itself."""

IMPORTS = frozenset({checking.KIND, engine.KIND, undoing.KIND})
"""Kinds whose import is to be told when its job is given up."""


def work(
    sessions: SessionFactory,
    at: datetime,
    handlers: Mapping[str, Handler] = HANDLERS,
    *,
    is_ending: Callable[[], bool] = bool,
) -> bool:
    """Do the job that has waited longest; False where none waits.

    `is_ending` tells a handler that asks `session.info` for it whether the worker wants to leave.
    """
    job_id = _claim(sessions, at)
    if job_id is None:
        return False
    try:
        with act_as(sessions(), SYSTEM) as session:
            job = session.get_one(Job, job_id)
            handler = handlers[job.kind]
            session.expunge(job)
            session.rollback()
            session.info["is_ending"] = is_ending
            handler(session, job)
    except OperationalError:
        # A database that is away or busy says nothing about the job: its lease hands it on.
        log.warning("job.interrupted", job=str(job_id), exc_info=True)
    except Exception as problem:
        log.exception("job.failed", job=str(job_id))
        _fail(sessions, job_id, at, type(problem).__name__)
    return True


def _claim(sessions: SessionFactory, at: datetime) -> uuid.UUID | None:
    with act_as(sessions(), SYSTEM) as session:
        job = session.scalars(
            select(Job)
            .where(Job.finished_at.is_(None), or_(Job.lease_until.is_(None), Job.lease_until < at))
            .order_by(Job.created_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if job is None:
            return None
        job.lease_until, job.attempts = at + LEASE, job.attempts + 1
        given_up = job.attempts > MOST_ATTEMPTS
        session.commit()
        job_id = job.id
    if given_up:
        # It took its worker with it so often that it would take the next one, too.
        _fail(sessions, job_id, at, "never_finished")
        return None
    return job_id


def _fail(sessions: SessionFactory, job_id: uuid.UUID, at: datetime, problem: str) -> None:
    with act_as(sessions(), SYSTEM) as session:
        job = session.get_one(Job, job_id)
        job.problem, job.finished_at, job.lease_until = problem, at, None
        if job.kind in IMPORTS:
            give_up(session, job, problem)
        elif job.kind == sales.KIND:
            sales.give_up(session, job, problem)
        session.commit()
