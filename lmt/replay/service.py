"""The shell of a replay: reads the past, runs it through both rules, and says what came of it.

Only reads; `run_replay_job` writes nothing but its own row.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from lmt.i18n import gettext as _
from lmt.models import Job, Market, PolicyDraft
from lmt.replay.cases import Replayed
from lmt.replay.figures import Figures, figures_of
from lmt.replay.history import cases_of, loads_at
from lmt.replay.past import Past
from lmt.replay.question import BadQuestion, Question, question_from
from lmt.replay.simulate import replayed
from lmt.replay.whatif import BadChange
from lmt.routing.candidate import Candidate
from lmt.routing.policy import PolicyError
from lmt.scope import act_as

KIND = "replay"
"""Of a job."""

_LEASE = timedelta(minutes=5)

Progress = Callable[[int, int], None]
"""Told (cases done, cases in all)."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Every counted lead under both rules, the dealers they speak of by id, and the figures."""

    results: list[Replayed]
    dealers: dict[int, Candidate]
    figures: Figures

    def moves(self) -> Iterator[Replayed]:
        """The leads that another dealer would have got."""
        return (result for result in self.results if result.moved)


def replay(
    session: Session, question: Question, at: datetime, progress: Progress | None = None
) -> Replay:
    """Route the past leads once more. `at` is now: deadlines after it are not judged.

    Raises BadChange, BadQuestion and PolicyError for rules that can't be tried.
    """
    with _few_collections():
        cases = cases_of(session, question)
        began_at = cases[0].at if cases else question.from_at
        past = Past.of(session, question, began_at)
        loads = loads_at(session, question.market_id, began_at, past.first)
        if progress is not None:
            progress(0, len(cases))
        results = list(
            replayed(
                past.stretches(cases),
                loads,
                began_at,
                None if progress is None else lambda done: progress(done, len(cases)),
            )
        )
        return Replay(results, past.known, figures_of(results, past.known, at))


def run_replay_job(session: Session, job: Job) -> None:
    """Work on a job of KIND: its arguments are a question as JSON, with `draft` a draft's id in
    the place of `settings`. Its row says how far it is, and in the end the figures or the problem.

    `session` must hold no lock on the job; progress is told in transactions of its own.
    """

    def tell(**values: Any) -> None:
        with Session(session.get_bind()) as own:
            act_as(own, session.info["actor"])
            own.execute(update(Job).where(Job.id == job.id).values(**values))
            own.commit()

    def progress(done: int, total: int) -> None:
        tell(done=done, total=total, lease_until=func.now() + _LEASE)

    try:
        # Not even by mistake: the database refuses to write in this transaction.
        session.execute(text("SET TRANSACTION READ ONLY"))
        figures = replay(session, _question(session, job), job.created_at, progress).figures
    except (BadChange, BadQuestion, PolicyError) as problem:
        tell(problem=str(problem), finished_at=func.now(), lease_until=None)
    else:
        tell(result=figures.to_json(), finished_at=func.now(), lease_until=None)
    finally:
        # Reading is over: let the snapshot go, and see the row as it is now.
        session.rollback()


def settings_of_draft(session: Session, draft_id: int) -> tuple[int, dict[str, Any]]:
    """The draft's market and its settings. Raises BadQuestion where there is no such draft."""
    draft = session.get(PolicyDraft, draft_id)
    if draft is None:
        raise BadQuestion(_("There is no draft %(id)s.", id=draft_id))
    return draft.market_id, draft.settings


def market_named(session: Session, code: str) -> int:
    """The id of the market with this code; without one, of the only market there is."""
    which = [Market.code == code] if code else []
    ids = session.scalars(select(Market.id).where(*which)).all()
    if len(ids) != 1:
        raise BadQuestion(
            _("There is no market %(code)s.", code=code) if code else _("Name a market.")
        )
    return ids[0]


def _question(session: Session, job: Job) -> Question:
    arguments = dict(job.arguments)
    market_id = job.market_id
    if "draft" in arguments:
        market_id, arguments["settings"] = settings_of_draft(session, arguments.pop("draft"))
    if market_id is None:
        raise BadQuestion(_("Name a market."))
    return question_from(arguments, market_id, job.created_at)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Hundreds of thousands of small values are made and kept: looking through all of them for
    cycles again and again would take as long as the replay itself."""
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
