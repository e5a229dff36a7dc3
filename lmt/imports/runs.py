"""The row of an import and its job: taken hold of, brought to rest, given up."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt import clock
from lmt.imports.reading import ReadRow
from lmt.ingest.characters import storable
from lmt.models import ImportRun, Job, Source

log = structlog.get_logger(__name__)

COUNTS = ("accepted", "asked_again", "repeated", "history", "suppressed", "failed")
"""What can become of a row; together they are the rows that were read."""


def locked_run(session: Session, run_id: uuid.UUID) -> ImportRun:
    """The run, locked until the transaction ends and read anew. Raises LookupError."""
    run = session.scalars(
        select(ImportRun)
        .where(ImportRun.id == run_id)
        .with_for_update(of=ImportRun)
        .execution_options(populate_existing=True)
    ).first()
    if run is None:
        raise LookupError(f"no import {run_id}")
    return run


def stop(session: Session, job: Job, state: str, problem: str = "") -> None:
    """The run comes to rest in `state`, and its job is over; commits."""
    now = clock.now()
    run = locked_run(session, run_id_of(job))
    if run.job_id == job.id:
        run.state, run.problem = state, problem
        if state == "finished":
            run.finished_at, run.total = now, run.position
    end_job(session, job, problem, {name: getattr(run, name) for name in COUNTS})
    session.commit()
    log.info("import.stopped", run=str(run.id), state=state, problem=problem)


def end_job(session: Session, job: Job, problem: str, result: dict[str, Any]) -> None:
    """No commit."""
    session.execute(
        update(Job)
        .where(Job.id == job.id)
        .values(finished_at=clock.now(), lease_until=None, problem=problem, result=result)
    )


def give_up(session: Session, job: Job, problem: str) -> None:
    """The job of an import ended by a failure of ours: so did what it did. No commit."""
    run = locked_run(session, run_id_of(job))
    if run.job_id == job.id and run.state in {"checking", "waiting", "running", "undoing"}:
        run.state = "draft" if run.state == "checking" else "failed"
        run.problem = problem


def run_id_of(job: Job) -> uuid.UUID:
    return uuid.UUID(job.arguments["import_id"])


def is_ending(session: Session) -> bool:
    """Whether the worker that runs this job wants to leave."""
    asked: Callable[[], bool] = session.info.get("is_ending", bool)
    return asked()


def source_problem(source: Source) -> str:
    """Why nothing can be taken in from the source now: a code, or ""."""
    if not source.active:
        return "source_retired"
    return "" if source.paused_at is None else "source_paused"


def row_values(run_id: uuid.UUID, row: ReadRow, outcome: str) -> dict[str, Any]:
    """A row of ImportRow for a row that became no lead."""
    errors = list(row.errors)
    if outcome == "suppressed":
        code = row.call.disposition if row.call is not None and row.action == "suppress" else ""
        errors = [{"field": "", "code": code or "suppressed", "given": ""}]
    return {
        "import_id": run_id,
        "number": row.number,
        "outcome": outcome,
        "errors": errors,
        "cells": [str(storable(cell)) for cell in row.cells],
    }
