"""What a person does with an import: begin, map, check, start, pause, go on, take back.

Each verb commits, under the lock of the run's row; the work itself is a job of the worker.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lmt.db import uuid7, wake
from lmt.files.layout import Layout
from lmt.imports import checking, engine, undoing
from lmt.imports.opening import look_at, mapping_for, reaches_people
from lmt.imports.progress import Progress, progress
from lmt.imports.refusals import NotNow
from lmt.imports.runs import locked_run, source_problem
from lmt.mapping.model import Mapping as FieldMapping
from lmt.models import ImportRow, ImportRun, Intake, Job, Source, Upload, note_change
from lmt.scope import SYSTEM, Actor, act_as
from lmt.sources import MAPPED

__all__ = [
    "CONTENT_TYPE",
    "NotNow",
    "Progress",
    "ask_check",
    "begin_import",
    "pause",
    "progress",
    "resume",
    "set_mapping",
    "start",
    "undo",
]

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/vnd.lmt.import+json"
"""Of the delivery that stands for an import: it names the file, whose rows are not in it."""
AT_ONCE_BYTES = 300_000
"""A file of no more is checked while its owner waits: some 2,000 rows."""
_UNBEGUN = frozenset({"draft", "checking", "checked"})
_LEASE = timedelta(minutes=5)


def begin_import(
    session: Session, source: Source, upload: Upload, *, at: datetime, actor: Actor, mail: str = ""
) -> ImportRun:
    """A draft: how the file is laid out and what its columns probably mean.

    `mail` identifies the mail that brought it, so that it is begun once for that mail.
    Raises FileProblem for a file that is no table, with nothing kept.
    """
    run = ImportRun(
        source_id=source.id,
        upload_id=upload.id,
        created_at=at,
        created_by=actor.user_id,
        options={"mail": mail} if mail else {},
    )
    session.add(run)
    session.flush()
    look_at(session, run)
    run.mapping = mapping_for(session, run).to_json()
    _note(session, run, at, actor, {}, {"state": "draft", "source": source.code,
                                        "file": upload.name})  # fmt: skip
    session.commit()
    log.info("import.begun", run=str(run.id), source=source.code, by=actor.user_id)
    return run


def set_mapping(
    session: Session,
    run: ImportRun,
    mapping: FieldMapping,
    *,
    layout: Layout | None = None,
    at: datetime,
    actor: Actor,
) -> None:
    """Say which column is which field, and with `layout` how the file is read; it is a draft again.

    The source keeps the mapping for its next file, unless its deliveries are mapped by its own.
    Raises NotNow once rows were taken in, FileProblem where the layout reads nothing.
    """
    run = _locked(session, run)
    if run.state not in _UNBEGUN:
        raise _refused(session, "begun")
    if layout is not None and layout.to_json() != run.layout:
        look_at(session, run, layout)
    run.mapping, run.state, run.problem = mapping.to_json(), "draft", ""
    _save_mapping(session, run, at, actor)
    session.commit()


def ask_check(
    session: Session, run: ImportRun, at: datetime, actor: Actor, *, here: bool = False
) -> Job:
    """Have the whole file read without taking anything in; a small one, or any with `here`, is
    read before this returns.

    The job's result has the counts (`lmt.imports.checking`). Raises NotNow.
    """
    run = _locked(session, run)
    if run.state not in _UNBEGUN:
        raise _refused(session, "begun")
    _expect_contact(session, run)
    job = _ask(session, run, checking.KIND, at, actor)
    run.state, run.problem = "checking", ""
    at_once = here or run.upload.size <= AT_ONCE_BYTES
    if at_once:
        _take_up(job, at)
    session.commit()
    if at_once:
        with act_as(Session(session.get_bind(), expire_on_commit=False), SYSTEM) as own:
            checking.run_check_job(own, job)
        session.refresh(job)
        session.refresh(run)
    return job


def start(
    session: Session, run: ImportRun, at: datetime, actor: Actor, *, here: bool = False
) -> Job:
    """From now on its rows become leads; `here`: the caller works on the job itself, at once.

    Raises NotNow.
    """
    run = _locked(session, run)
    if run.state not in _UNBEGUN:
        raise _refused(session, "begun")
    _expect_contact(session, run)
    _expect_source(session, run)
    # What the check found is told by the import itself from now on.
    session.execute(delete(ImportRow).where(ImportRow.import_id == run.id))
    intake = _delivery(run, at)
    session.add(intake)
    run.intake_id = intake.id
    return _go(session, run, at, actor, here=here)


def pause(session: Session, run: ImportRun, at: datetime, actor: Actor) -> None:
    """It stops after the rows that are being taken in just now. Raises NotNow."""
    run = _locked(session, run)
    if run.state not in {"waiting", "running"}:
        raise _refused(session, "not_running")
    _note(session, run, at, actor, {"state": run.state}, {"state": "paused"})
    run.state, run.problem = "paused", ""
    session.commit()


def resume(
    session: Session, run: ImportRun, at: datetime, actor: Actor, *, here: bool = False
) -> Job:
    """It goes on from where it stopped, whether a person or a problem stopped it.

    `here` as for `start`. Raises NotNow.
    """
    run = _locked(session, run)
    if run.undone_at is not None:
        raise _refused(session, "undone")
    if run.state not in {"paused", "failed"}:
        raise _refused(session, "over" if run.state == "finished" else "running")
    _expect_source(session, run)
    return _go(session, run, at, actor, here=here)


def undo(session: Session, run: ImportRun, at: datetime, actor: Actor) -> Job:
    """Take back the leads that nobody has worked on. Raises NotNow."""
    run = _locked(session, run)
    if run.state in {"waiting", "running", "undoing"}:
        raise _refused(session, "running")
    if run.state == "undone":
        raise _refused(session, "undone")
    if run.state in _UNBEGUN or not (run.accepted or run.asked_again):
        raise _refused(session, "nothing")
    _note(session, run, at, actor, {"state": run.state}, {"state": "undoing"})
    job = _ask(session, run, undoing.KIND, at, actor)
    job.total = run.accepted
    run.state, run.problem, run.undone_at, run.undone_by = "undoing", "", at, actor.user_id
    session.commit()
    return job


def _go(session: Session, run: ImportRun, at: datetime, actor: Actor, *, here: bool) -> Job:
    _note(session, run, at, actor, {"state": run.state}, {"state": "waiting"})
    job = _ask(session, run, engine.KIND, at, actor)
    job.done, job.total = run.position, run.total or 0
    if here:
        _take_up(job, at)
    run.state, run.problem = "waiting", ""
    session.commit()
    log.info("import.started", run=str(run.id), by=actor.user_id)
    return job


def _ask(session: Session, run: ImportRun, kind: str, at: datetime, actor: Actor) -> Job:
    """A job that works on the run from now on, in the place of any other."""
    job = Job(
        kind=kind,
        market_id=run.source.market_id,
        arguments={"import_id": str(run.id)},
        requested_by=actor.user_id,
        created_at=at,
    )
    session.add(job)
    session.flush()
    run.job_id = job.id
    wake(session, "jobs")
    return job


def _take_up(job: Job, at: datetime) -> None:
    """Nobody else works on it meanwhile; where we are killed, a worker does."""
    job.lease_until, job.attempts = at + _LEASE, 1


def _delivery(run: ImportRun, at: datetime) -> Intake:
    told = {
        "import": str(run.id),
        "file": run.upload.name,
        "bytes": run.upload.size,
        "sha256": run.upload.sha256.hex(),
    }
    body = json.dumps(told, ensure_ascii=False, indent=2).encode()
    return Intake(
        id=uuid7(at),
        source_id=run.source_id,
        received_at=at,
        content_type=CONTENT_TYPE,
        body=body,
        body_hash=hashlib.sha256(body).digest(),
        status="accepted",
    )


def _save_mapping(session: Session, run: ImportRun, at: datetime, actor: Actor) -> None:
    source = session.scalars(
        select(Source)
        .where(Source.id == run.source_id)
        .with_for_update(of=Source)
        .execution_options(populate_existing=True)
    ).one()
    if source.kind in MAPPED or source.mapping == run.mapping:
        return
    before, source.mapping = source.mapping, run.mapping
    source.version += 1
    note_change(
        session,
        "source",
        source.code,
        at=at,
        user_id=actor.user_id,
        before={"mapping": before},
        after={"mapping": run.mapping},
    )


def _locked(session: Session, run: ImportRun) -> ImportRun:
    return locked_run(session, run.id)


def _refused(session: Session, code: str) -> NotNow:
    session.rollback()
    return NotNow(code)


def _expect_contact(session: Session, run: ImportRun) -> None:
    mapping = FieldMapping.from_json(run.mapping)
    if not mapping.lines:
        raise _refused(session, "no_columns")
    if not reaches_people(mapping):
        raise _refused(session, "no_contact")


def _expect_source(session: Session, run: ImportRun) -> None:
    source = session.get_one(Source, run.source_id, populate_existing=True)
    if problem := source_problem(source):
        raise _refused(session, problem)


def _note(
    session: Session,
    run: ImportRun,
    at: datetime,
    actor: Actor,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    note_change(
        session,
        "import",
        str(run.id),
        at=at,
        user_id=actor.user_id,
        before=dict(before),
        after=dict(after),
    )
