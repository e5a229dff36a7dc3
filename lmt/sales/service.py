"""What a person does with a file of sales: begin, say its columns, start, match again, take back.

Each verb commits, under the lock of the file's row; the work itself is a job of the worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lmt.db import wake
from lmt.imports.uploads import spool_folder
from lmt.models import Job, Sale, SalesFile, Upload, note_change
from lmt.sales.claims import hold_market, leave
from lmt.sales.columns import problem_of
from lmt.sales.engine import AT_WORK, KIND, locked_file
from lmt.sales.reading import columns_of, look_at
from lmt.sales.refusals import NotNow
from lmt.scope import Actor

log = structlog.get_logger(__name__)

AT_ONCE = timedelta(minutes=5)
"""How long nobody else takes a job up that its caller works on himself."""
_PAGE = 1_000


def begin(session: Session, upload: Upload, *, at: datetime, actor: Actor) -> SalesFile:
    """A draft: how the file is laid out and what its columns probably mean. Commits.

    Raises FileProblem for a file that is no table, with nothing kept.
    """
    file = draft_of(session, upload, at=at, actor=actor)
    session.commit()
    log.info("sales.begun", file=str(file.id), by=actor.user_id)
    return file


def draft_of(session: Session, upload: Upload, *, at: datetime, actor: Actor) -> SalesFile:
    """The same without the commit."""
    file = SalesFile(
        market_id=upload.market_id,
        upload_id=upload.id,
        created_at=at,
        created_by=actor.user_id,
    )
    with spool_folder() as folder:
        look_at(session, file, folder)
    session.add(file)
    session.flush()
    _note(session, file, at, actor, {}, {"state": "draft", "file": upload.name})
    return file


def set_columns(
    session: Session, file: SalesFile, columns: Mapping[str, int], at: datetime, actor: Actor
) -> None:
    """Say which column is which field. Raises NotNow, also for what `columns.problem_of` says."""
    file = locked_file(session, file.id)
    if file.state != "draft":
        raise _refused(session, "begun")
    if problem := problem_of(columns, len(columns_of(file))):
        raise _refused(session, problem)
    _note(session, file, at, actor, {"columns": file.columns}, {"columns": dict(columns)})
    file.columns = dict(columns)
    session.commit()


def start(
    session: Session, file: SalesFile, at: datetime, actor: Actor, *, here: bool = False
) -> Job:
    """From now on its rows become sales; also from where a failure of ours stopped it. `here`: the
    caller works on the job himself. Raises NotNow."""
    file = locked_file(session, file.id)
    if file.state not in {"draft", "failed"}:
        raise _refused(session, "begun")
    if problem := problem_of(file.columns, len(columns_of(file))):
        raise _refused(session, problem)
    return _go(session, file, at, actor, here=here, again=False)


def match_again(
    session: Session, file: SalesFile, at: datetime, actor: Actor, *, here: bool = False
) -> Job:
    """Its sales without a lead are tried once more: leads may have come since. Raises NotNow."""
    file = locked_file(session, file.id)
    if file.state != "finished":
        raise _refused(session, "running" if file.state in AT_WORK else "not_finished")
    return _go(session, file, at, actor, here=here, again=True)


def undo(session: Session, file: SalesFile, at: datetime, actor: Actor) -> int:
    """Its sales are deleted and their leads let go; how many there were.

    What it corrected in sales of other files stays. Raises NotNow.
    """
    file = locked_file(session, file.id)
    if file.state in AT_WORK:
        raise _refused(session, "running")
    if file.state in {"draft", "undone"}:
        raise _refused(session, "nothing" if file.state == "draft" else "undone")
    hold_market(session, file.market_id)
    matched = (
        select(Sale)
        .where(Sale.file_id == file.id, Sale.lead_id.is_not(None))
        .order_by(Sale.id)
        .limit(_PAGE)
    )
    while sales := session.scalars(matched).all():
        for sale in sales:
            leave(session, sale, at, actor.user_id)
        session.flush()
        for sale in sales:
            session.expunge(sale)
    gone = session.execute(delete(Sale).where(Sale.file_id == file.id)).rowcount  # type: ignore[attr-defined]
    file = locked_file(session, file.id)
    _note(session, file, at, actor, {"state": file.state}, {"state": "undone"})
    file.state, file.problem = "undone", ""
    session.commit()
    log.info("sales.undone", file=str(file.id), by=actor.user_id, sales=gone)
    return int(gone)


def _go(
    session: Session, file: SalesFile, at: datetime, actor: Actor, *, here: bool, again: bool
) -> Job:
    before, after = {"state": file.state}, {"state": "matching" if again else "waiting"}
    _note(session, file, at, actor, before, after)
    job = Job(
        kind=KIND,
        market_id=file.market_id,
        arguments={"file_id": str(file.id), "again": again},
        requested_by=actor.user_id,
        created_at=at,
        done=0 if again else file.read,
    )
    if here:
        job.lease_until, job.attempts = at + AT_ONCE, 1
    session.add(job)
    session.flush()
    file.job_id, file.state, file.problem = job.id, "waiting", ""
    wake(session, "jobs")
    session.commit()
    log.info("sales.started", file=str(file.id), by=actor.user_id, again=again)
    return job


def _refused(session: Session, code: str) -> NotNow:
    session.rollback()
    return NotNow(code)


def _note(
    session: Session,
    file: SalesFile,
    at: datetime,
    actor: Actor,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    note_change(
        session,
        "sales_file",
        str(file.id),
        at=at,
        user_id=actor.user_id,
        before=dict(before),
        after=dict(after),
    )
