"""How far an import, its check or its undoing is, how fast, and how long it still takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lmt.models import ImportRun, Job

_SURE_AFTER_SECONDS = 1.0
"""Of work: what is told earlier would be a guess."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Rows (of an undo: leads). `total`, rate and time left are None while nobody can know."""

    done: int
    total: int | None
    rows_per_second: float | None
    seconds_left: float | None

    @property
    def share(self) -> float | None:
        """From 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else None


def progress(run: ImportRun, job: Job | None, at: datetime) -> Progress:
    """Of what is being done with the import now, or was done last."""
    if run.state in {"checking", "undoing"} and job is not None:
        return _progress(job.done, job.total or None, (at - job.created_at).total_seconds())
    return _progress(run.position, run.total, run.worked_seconds)


def _progress(done: int, total: int | None, seconds: float) -> Progress:
    rate = done / seconds if done and seconds >= _SURE_AFTER_SECONDS else None
    left = None if rate is None or total is None else max(total - done, 0) / rate
    return Progress(done, total, rate, left)
