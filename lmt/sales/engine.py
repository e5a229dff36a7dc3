"""A file of sales in the background: rows become sales and find their leads, some hundred a time.

A chunk is one transaction: its sales, their leads, the counts and the job's lease. The counts are
the position: a worker that is killed at any instant leaves exactly the rows after them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt import clock
from lmt.files.problems import FileProblem
from lmt.imports.reading import chunks
from lmt.imports.runs import end_job, is_ending
from lmt.imports.uploads import spool_folder
from lmt.models import Job, Sale, SalesFile
from lmt.sales.claims import hold_market, match
from lmt.sales.finding import Grounds, grounds_of
from lmt.sales.reading import did_come_back, read_row, reader_of, table_of
from lmt.sales.rows import ReadRow, SaleRow

log = structlog.get_logger(__name__)

KIND = "import_sales"
CHUNK = 500
MOST_FAILURES = 1_000
"""Failures that are kept to be shown; all of them are counted, and read again for the download."""
LEASE = timedelta(minutes=2)
OPENING_LEASE = timedelta(minutes=10)
AT_WORK = frozenset({"waiting", "running"})
COUNTS = ("read", "kept", "repeated", "failed")
_FIELDS = (
    "sold_on", "key", "order_number", "vin", "full_name", "company", "email", "phone", "postcode",
    "city", "model", "dealer_text", "value", "currency", "row",
)  # fmt: skip


class _Left(Exception):
    """The file is no longer ours to go on with."""


def run_sales_job(session: Session, job: Job) -> None:
    """Work on a job of KIND until the file's end or the worker's own; `again` in its arguments
    tries the sales without a lead once more instead."""
    file = _begin(session, job)
    if file is None:
        return
    try:
        if job.arguments.get("again"):
            _match_again(session, job, file.id)
        else:
            with spool_folder() as folder:
                _read_on(session, job, file, folder)
        _stop(session, job, "finished")
    except FileProblem as problem:
        session.rollback()
        _stop(session, job, "failed", problem.code)
    except _Left:
        session.rollback()


def bring(
    session: Session, file: SalesFile, rows: Sequence[ReadRow], grounds: Grounds, at: datetime
) -> None:
    """Take rows in: new sales find their leads, repeats may change what a sale was worth.

    No commit. The market is held until the transaction ends.
    """
    hold_market(session, file.market_id)
    wanted = [row.sale.key for row in rows if row.sale is not None]
    known = {
        sale.key: sale
        for sale in session.scalars(
            select(Sale).where(Sale.market_id == file.market_id, Sale.key.in_(wanted))
        )
    }
    new: list[Sale] = []
    failures = list(file.failures)
    for row in rows:
        if row.sale is None:
            file.failed += 1
            room = max(MOST_FAILURES - len(failures), 0)
            failures += [error.to_json(row.row) for error in row.errors][:room]
        elif row.sale.key in known:
            file.repeated += 1
            _correct(known[row.sale.key], row.sale)
        else:
            file.kept += 1
            sale = _sale(file, row.sale, grounds)
            known[sale.key] = sale
            new.append(sale)
    file.read += len(rows)
    file.failures = failures
    session.add_all(new)
    session.flush()
    match(session, grounds, new, at)
    session.flush()


def give_up(session: Session, job: Job, problem: str) -> None:
    """The job ended by a failure of ours: so did the file. No commit."""
    file = locked_file(session, file_id_of(job))
    if file.job_id == job.id and file.state in AT_WORK:
        file.state, file.problem = "failed", problem


def locked_file(session: Session, file_id: uuid.UUID) -> SalesFile:
    """The file's row, locked until the transaction ends and read anew. Raises LookupError."""
    file = session.scalars(
        select(SalesFile)
        .where(SalesFile.id == file_id)
        .with_for_update(of=SalesFile)
        .execution_options(populate_existing=True)
    ).first()
    if file is None:
        raise LookupError(f"no file of sales {file_id}")
    return file


def file_id_of(job: Job) -> uuid.UUID:
    return uuid.UUID(job.arguments["file_id"])


def _sale(file: SalesFile, row: SaleRow, grounds: Grounds) -> Sale:
    values = {name: getattr(row, name) for name in _FIELDS}
    return Sale(
        file_id=file.id,
        market_id=file.market_id,
        dealer_id=grounds.dealers.named(row.dealer_text),
        **values,
    )


def _correct(sale: Sale, row: SaleRow) -> None:
    """A later row knows better what the car cost, and nothing else."""
    if row.value is not None and (row.value, row.currency) != (sale.value, sale.currency):
        sale.value, sale.currency = row.value, row.currency


def _begin(session: Session, job: Job) -> SalesFile | None:
    """The file as it is when this worker takes it up; None where there is nothing to do."""
    file = locked_file(session, file_id_of(job))
    if file.job_id != job.id or file.state not in AT_WORK:
        end_job(session, job, "", {})
        session.commit()
        return None
    file.state = "running"
    _extend(session, job, OPENING_LEASE)
    session.commit()
    session.refresh(file)
    session.expunge(file)
    session.rollback()
    return file


def _read_on(session: Session, job: Job, file: SalesFile, folder: Path) -> None:
    now = clock.now()
    grounds = grounds_of(session, file.market_id, now)
    table = table_of(session, file, folder)
    session.rollback()
    if not job.total:
        job.total = table.count()
        session.execute(update(Job).where(Job.id == job.id).values(total=job.total))
        session.commit()
    reader, came_back = reader_of(file, grounds), did_come_back(table.layout.columns)
    position = file.read
    for rows in chunks(table.rows(after=position), CHUNK):
        held = _held(session, job)
        if held.read != position:
            # Our lease ran out, and another worker is faster: it is that one's now.
            raise _Left
        bring(
            session, held, [read_row(reader, row, came_back) for row in rows], grounds, clock.now()
        )
        position = held.read
        _extend(session, job, LEASE, done=position)
        session.commit()
        session.expunge_all()
        _make_way(session, job)


def _match_again(session: Session, job: Job, file_id: uuid.UUID) -> None:
    last = 0
    while True:
        file = _held(session, job)
        hold_market(session, file.market_id)
        now = clock.now()
        sales = session.scalars(
            select(Sale)
            .where(Sale.file_id == file_id, Sale.state == "none", Sale.id > last)
            .order_by(Sale.id)
            .limit(CHUNK)
        ).all()
        if not sales:
            session.rollback()
            return
        last = sales[-1].id
        match(session, grounds_of(session, file.market_id, now), sales, now)
        _extend(session, job, LEASE)
        session.commit()
        session.expunge_all()
        _make_way(session, job)


def _make_way(session: Session, job: Job) -> None:
    if is_ending(session):
        values = {"lease_until": None, "attempts": 0}
        session.execute(update(Job).where(Job.id == job.id).values(values))
        session.commit()
        raise _Left


def _held(session: Session, job: Job) -> SalesFile:
    """The file, locked, where it is still ours to go on with; raises _Left."""
    file = locked_file(session, file_id_of(job))
    if file.job_id == job.id and file.state == "running":
        return file
    end_job(session, job, "", {})
    session.commit()
    raise _Left


def _extend(session: Session, job: Job, lease: timedelta, done: int | None = None) -> None:
    values: dict[str, object] = {"lease_until": clock.now() + lease, "attempts": 0}
    if done is not None:
        values["done"] = done
    session.execute(update(Job).where(Job.id == job.id).values(values))


def _stop(session: Session, job: Job, state: str, problem: str = "") -> None:
    """The file comes to rest in `state`, and its job is over; commits."""
    file = locked_file(session, file_id_of(job))
    if file.job_id == job.id:
        file.state, file.problem = state, problem
        if state == "finished":
            file.finished_at = clock.now()
    end_job(session, job, problem, {name: getattr(file, name) for name in COUNTS})
    session.commit()
    log.info("sales.stopped", file=str(file.id), state=state, problem=problem)
