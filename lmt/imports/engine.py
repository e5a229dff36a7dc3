"""An import in the background: the rows of a file become leads, some hundred a transaction.

That transaction also moves the counts, the position and the job's lease, under the lock of the
run's row: a worker that is killed at any instant leaves exactly the rows from `position` on, two
workers never write the same rows, and a pause takes hold between two chunks.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy import insert, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt import clock
from lmt.collector import collecting_later
from lmt.files.layout import Layout
from lmt.files.problems import FileProblem
from lmt.files.table import Table, opened
from lmt.imports.reading import (
    CHUNK,
    Basis,
    LeadReader,
    ReadRow,
    reader_of,
    row_chunks,
    taken_in,
)
from lmt.imports.runs import (
    COUNTS,
    end_job,
    is_ending,
    locked_run,
    row_values,
    run_id_of,
    source_problem,
    stop,
)
from lmt.imports.uploads import spool_folder, spooled
from lmt.ingest.accept import SourceChanged
from lmt.ingest.books import books
from lmt.ingest.bulk import BulkRow, accept_rows
from lmt.models import ImportRow, ImportRun, Job, Source

log = structlog.get_logger(__name__)

KIND = "import_leads"
LEASE = timedelta(minutes=2)
"""Moved on by every chunk; reading a large workbook at the beginning has the job's own."""
OPENING_LEASE = timedelta(minutes=10)
MOST_TRIES = 5
_FIRST_WAIT_SECONDS = 0.2


class _Left(Exception):
    """The run is no longer ours to go on with."""


def run_import_job(session: Session, job: Job) -> None:
    """Work on a job of KIND until the file's end, a pause, or the worker's own end.

    Raises OperationalError where the database stays away: the lease then hands the job on.
    """
    run = _begin(session, job)
    if run is None:
        return
    try:
        with spool_folder() as folder:
            table = table_of(session, run, folder)
            _Import(session, job, run, table).go_through()
    except FileProblem as problem:
        session.rollback()
        stop(session, job, "failed", problem.code)
    except _Left:
        session.rollback()


def table_of(session: Session, run: ImportRun, folder: Path) -> Table:
    """The file of a run, ready to be read; the transaction is over. Raises FileProblem."""
    path = spooled(session, run.upload_id, folder)
    session.rollback()
    return opened(path, folder, Layout.from_json(run.layout))


def _begin(session: Session, job: Job) -> ImportRun | None:
    """The run as it is when this worker takes it up; None where there is nothing to do."""
    run = locked_run(session, run_id_of(job))
    if run.job_id != job.id or run.state not in {"waiting", "running"}:
        end_job(session, job, "", {name: getattr(run, name) for name in COUNTS})
        session.commit()
        return None
    now = clock.now()
    run.state, run.started_at = "running", run.started_at or now
    session.execute(update(Job).where(Job.id == job.id).values(lease_until=now + OPENING_LEASE))
    session.commit()
    session.expunge(run)
    return run


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Rows in their order, those that can be taken in, and what they were understood by."""

    rows: list[ReadRow]
    good: list[BulkRow]
    basis: Basis


class _Import:
    """One worker's going through the file of one run, from where the last one stopped."""

    def __init__(self, session: Session, job: Job, run: ImportRun, table: Table) -> None:
        self._session, self._job, self._run_id = session, job, run.id
        self._source_id, self._total = run.source_id, run.total
        self._position = run.position
        self._table = table
        self._since = time.monotonic()
        self._basis = self._look_up()
        self._reader: LeadReader = reader_of(run, self._basis.source)

    def go_through(self) -> None:
        if self._total is None:
            self._count()
        for rows in row_chunks(self._table.rows(after=self._position), CHUNK):
            with collecting_later():
                self._bring(self._understood([self._reader.read(row) for row in rows]))
            if is_ending(self._session):
                self._hand_back()
                raise _Left
        stop(self._session, self._job, "finished")

    def _understood(self, read: Sequence[ReadRow]) -> _Chunk:
        basis = self._basis
        return _Chunk(*taken_in(read, basis, clock.now()), basis)

    def _bring(self, chunk: _Chunk) -> None:
        """Take the chunk in; raises, OperationalError or whatever it was, where nothing helps."""
        tries = 0
        one_by_one = False
        while True:
            rows = [row for row in chunk.rows if row.number > self._position]
            if not rows:
                return
            try:
                if one_by_one:
                    self._bring_each(chunk, rows)
                else:
                    self._write(chunk, rows)
            except SourceChanged:
                self._session.rollback()
                self._basis = self._look_up()
                chunk = self._understood(chunk.rows)
            except OperationalError:
                # In somebody's way, or the database is away: neither is the rows' fault.
                tries += 1
                if tries >= MOST_TRIES:
                    raise
                log.warning("import.tried_again", run=str(self._run_id), tries=tries)
                self._session.rollback()
                time.sleep(_FIRST_WAIT_SECONDS * 2**tries)
            except _Left:
                raise
            except Exception:
                if one_by_one:
                    # Not even that the row failed can be written down: no row's fault.
                    raise
                log.exception("import.chunk_failed", run=str(self._run_id), after=self._position)
                self._session.rollback()
                one_by_one = True

    def _bring_each(self, chunk: _Chunk, rows: Sequence[ReadRow]) -> None:
        """A row at which we break fails by itself, and the others go on."""
        for row in rows:
            try:
                self._write(chunk, [row])
            except (SourceChanged, OperationalError, _Left):
                raise
            except Exception:
                log.exception("import.row_failed", run=str(self._run_id), row=row.number)
                self._session.rollback()
                self._write(chunk, [row.broken()])

    def _write(self, chunk: _Chunk, rows: Sequence[ReadRow]) -> None:
        """One transaction: the rows, what is told of them, the counts, the position, the lease."""
        session = self._session
        run = self._held()
        source = self._checked(chunk.basis)
        wanted = {row.number for row in rows if not row.errors}
        good = [row for row in chunk.good if row.number in wanted]
        now = clock.now()
        results = accept_rows(session, run, source, good, now) if good else []
        for result in results:
            setattr(run, result.outcome, getattr(run, result.outcome) + 1)
        suppressed = {result.number for result in results if result.outcome == "suppressed"}
        run.failed += len(rows) - len(results)
        run.position = rows[-1].number
        self._keep(rows, suppressed)
        run.worked_seconds += self._worked_seconds()
        session.execute(
            update(Job)
            .where(Job.id == self._job.id)
            .values(done=run.position, total=run.total or 0, attempts=0, lease_until=now + LEASE)
        )
        session.commit()
        self._position = run.position
        session.expunge_all()

    def _held(self) -> ImportRun:
        """The run, locked, where it is still ours to go on with; raises _Left."""
        run = locked_run(self._session, self._run_id)
        if run.job_id == self._job.id and run.state == "running":
            if run.position != self._position:
                # Our lease ran out, and another worker is faster: it is that one's now.
                raise _Left
            return run
        end_job(self._session, self._job, "", {name: getattr(run, name) for name in COUNTS})
        self._session.commit()
        raise _Left

    def _checked(self, basis: Basis) -> Source:
        """The source, still as the rows were understood by it; an import rests with its source."""
        known = books(self._session)
        if not known.holds(basis.source):
            raise SourceChanged
        problem = source_problem(basis.source)
        if problem:
            self._session.rollback()
            stop(self._session, self._job, "paused", problem)
            raise _Left
        return basis.source

    def _keep(self, rows: Sequence[ReadRow], suppressed: set[int]) -> None:
        told = [
            row_values(self._run_id, row, "failed" if row.errors else "suppressed")
            for row in rows
            if row.errors or row.number in suppressed
        ]
        if told:
            self._session.execute(insert(ImportRow), told)

    def _count(self) -> None:
        total = self._table.count()
        run = self._held()
        run.total = total
        self._session.commit()

    def _look_up(self) -> Basis:
        known = books(self._session)
        source = known.sources[self._source_id]
        self._session.rollback()
        return Basis(source, known.markets[source.market_id])

    def _hand_back(self) -> None:
        """The worker leaves: the next one needn't wait for the lease to end."""
        self._session.execute(
            update(Job).where(Job.id == self._job.id).values(lease_until=None, attempts=0)
        )
        self._session.commit()

    def _worked_seconds(self) -> float:
        now = time.monotonic()
        spent, self._since = now - self._since, now
        return spent
