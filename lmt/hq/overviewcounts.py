"""What needs a look, in numbers: each is as many as its list shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from lmt.hq.leadconditions import is_open
from lmt.hq.queries import is_failing
from lmt.lifecycle import Status
from lmt.models import Contest, HelpThread, Intake, Lead, Message, Offer, SourceAlert, Verdict


@dataclass(frozen=True, slots=True)
class Overview:
    """How many of each need a look; None where the actor may not see them."""

    open: int
    unrouted: int
    unlocated: int
    incomplete: int
    overdue: int
    contested: int
    """Routing decisions that a dealer doubts."""
    verdicts: int
    """Of dealers on leads, which their source contests."""
    failing: int | None = None
    quarantined: int | None = None
    silent_sources: int | None = None
    failing_sources: int | None = None
    questions: int | None = None
    """Of dealers, to headquarters or an expert."""


def overview(
    session: Session,
    *,
    at: datetime,
    with_messages: bool,
    with_intake: bool,
    with_help: bool = False,
) -> Overview:
    """At most eight small queries, each along an index of what is open."""
    counts = queue_counts(session)
    overdue = session.scalars(
        select(func.count())
        .select_from(Offer)
        .join(Lead, Lead.id == Offer.lead_id)
        .where(Offer.state == "open", Offer.expires_at <= at, Lead.status == Status.OFFERED)
    ).one()
    failing = quarantined = silent_sources = failing_sources = questions = None
    if with_messages:
        failing = session.scalar(select(func.count()).select_from(Message).where(is_failing()))
    if with_intake:
        quarantined = session.scalar(
            select(func.count()).select_from(Intake).where(Intake.status == "quarantined")
        )
        silent_sources, failing_sources = session.execute(
            select(
                func.count().filter(SourceAlert.kind == "silent"),
                func.count().filter(SourceAlert.kind == "failing"),
            )
            .select_from(SourceAlert)
            .where(SourceAlert.ended_at.is_(None))
        ).one()
    if with_help:
        questions = session.scalar(
            select(func.count())
            .select_from(HelpThread)
            .where(HelpThread.closed_at.is_(None), HelpThread.answered_at.is_(None))
        )
    return Overview(
        open=sum(counts.values()),
        unrouted=counts.get(Status.UNROUTED, 0),
        unlocated=counts.get(Status.UNLOCATED, 0),
        incomplete=counts.get(Status.INCOMPLETE, 0),
        overdue=overdue,
        contested=session.scalars(
            select(func.count()).select_from(Contest).where(Contest.answered_at.is_(None))
        ).one(),
        failing=failing,
        quarantined=quarantined,
        silent_sources=silent_sources,
        failing_sources=failing_sources,
        questions=questions,
        verdicts=session.scalars(
            select(func.count()).select_from(Verdict).where(is_contested())
        ).one(),
    )


def queue_counts(session: Session) -> dict[str, int]:
    """How many open leads there are, by status."""
    counted = select(Lead.status, func.count()).where(is_open()).group_by(Lead.status)
    return dict(session.execute(counted).all())


def is_contested() -> ColumnElement[bool]:
    """Verdicts that their source contests, and nobody has answered for yet."""
    return and_(Verdict.contested_at.is_not(None), Verdict.answered_at.is_(None))
