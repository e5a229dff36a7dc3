"""The whole file is read once without taking anything in, so that its faults are seen before.

It tells what would become of the rows by themselves; whether a person asked before is only known
when they come in.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import structlog
from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from lmt import clock
from lmt.files.problems import FileProblem
from lmt.imports.engine import LEASE, OPENING_LEASE, table_of
from lmt.imports.reading import ReadRow, content_hash, reader_of, row_chunks
from lmt.imports.runs import end_job, is_ending, locked_run, row_values, run_id_of
from lmt.imports.uploads import spool_folder
from lmt.models import ImportRow, Job

log = structlog.get_logger(__name__)

KIND = "check_import"
MOST_KEPT = 10_000
"""Failing rows that are kept to be shown; all of them are counted."""
OUTCOMES = ("routed", "history", "suppressed", "repeated", "failed")
"""What a row would become; `repeated` says the same as an earlier row of the file."""
_BY_ACTION = {"route": "routed", "history": "history", "suppress": "suppressed"}
_CHUNK = 2_000


def run_check_job(session: Session, job: Job) -> None:
    """Work on a job of KIND; its `result` holds `rows`, the counts of OUTCOMES that add up to it,
    `causes` (failing rows by code) and `shown`, how many failing rows were kept."""
    run = locked_run(session, run_id_of(job))
    if run.job_id != job.id or run.state != "checking":
        end_job(session, job, "", {})
        session.commit()
        return
    session.execute(delete(ImportRow).where(ImportRow.import_id == run.id))
    _extend(session, job, 0, OPENING_LEASE)
    reader = reader_of(run, run.source)
    session.commit()
    session.expunge(run)
    try:
        with spool_folder() as folder:
            found = Findings()
            for chunk in row_chunks(table_of(session, run, folder).rows(), _CHUNK):
                rows = [reader.read(row) for row in chunk]
                kept = found.add(rows)
                values = [row_values(run.id, row, "failed") for row in kept]
                if not _go_on(session, job, found.rows, values):
                    return
    except FileProblem as problem:
        session.rollback()
        _end(session, job, "draft", problem.code, {}, None)
        return
    _end(session, job, "checked", "", found.result(), found.rows)


class Findings:
    """Counts of the rows seen, in little memory: of a row that is repeated eight bytes are kept."""

    def __init__(self) -> None:
        self.rows = 0
        self._shown = 0
        self._causes: Counter[str] = Counter()
        self._marks = {outcome: array("q") for outcome in _BY_ACTION.values()}
        self._failed = 0

    def add(self, rows: Sequence[ReadRow]) -> list[ReadRow]:
        """Count the rows; those of the failing ones that are to be kept."""
        kept = []
        for row in rows:
            self.rows += 1
            if row.errors or row.read is None:
                self._failed += 1
                self._causes[row.errors[0]["code"]] += 1
                if self._shown < MOST_KEPT:
                    self._shown += 1
                    kept.append(row)
            else:
                # The sender's own number is in it: with other content that's another delivery.
                mark = content_hash(row.read)
                self._marks[_BY_ACTION[row.action]].append(
                    int.from_bytes(mark[:8], "big", signed=True)
                )
        return kept

    def result(self) -> dict[str, Any]:
        first = {name: len(np.unique(np.asarray(marks))) for name, marks in self._marks.items()}
        all_of_them = sum(len(marks) for marks in self._marks.values())
        return {
            "rows": self.rows,
            **first,
            "repeated": all_of_them - sum(first.values()),
            "failed": self._failed,
            "causes": dict(self._causes.most_common()),
            "shown": self._shown,
        }


def _go_on(session: Session, job: Job, done: int, values: list[dict[str, Any]]) -> bool:
    """Write down how far it is and what failed; False where nobody wants to know any more."""
    run = locked_run(session, run_id_of(job))
    if run.job_id != job.id or run.state != "checking":
        end_job(session, job, "", {})
        session.commit()
        return False
    if values:
        session.execute(insert(ImportRow), values)
    _extend(session, job, done, LEASE)
    ending = is_ending(session)
    if ending:
        session.execute(update(Job).where(Job.id == job.id).values(lease_until=None, attempts=0))
    session.commit()
    session.expunge_all()
    return not ending


def _extend(session: Session, job: Job, done: int, lease: timedelta) -> None:
    values = {"done": done, "lease_until": clock.now() + lease}
    session.execute(update(Job).where(Job.id == job.id).values(values))


def _end(
    session: Session,
    job: Job,
    state: str,
    problem: str,
    result: dict[str, Any],
    total: int | None,
) -> None:
    run = locked_run(session, run_id_of(job))
    if run.job_id == job.id and run.state == "checking":
        run.state, run.problem, run.total = state, problem, total
    values = {"done": total or 0, "total": total or 0}
    session.execute(update(Job).where(Job.id == job.id).values(values))
    end_job(session, job, problem, result)
    session.commit()
