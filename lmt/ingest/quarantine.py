"""What could not be read is mended and taken in again, or dismissed by a person; never lost.

A delivery is taken in under the key it came with, so that replaying it twice, or its sender trying
again meanwhile, is one lead. Its bytes never change: what a person corrects is kept beside them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt.db import wake
from lmt.ingest import kinds
from lmt.ingest.accept import Delivery, Receipt, accept, earlier
from lmt.ingest.characters import storable
from lmt.ingest.door import MOST_ERRORS, Leads, Unreadable
from lmt.ingest.fetching import FETCH_FAILED
from lmt.ingest.notices import settle
from lmt.models import Intake, Job, Lead, Retrieval, Source
from lmt.scope import Actor

log = structlog.get_logger(__name__)

KIND = "replay_intake"
"""Of the job that takes many in again."""
MOST_MENDED = 65_536
"""Bytes of a delivery that a person may mend by hand."""
LONGEST_REASON = 300
PAUSED = "paused"
"""The code of a delivery that came while its source was paused."""


class StillUnreadable(Exception):
    """No lead could be found in the delivery this time either, and why; it stays in quarantine."""

    def __init__(self, code: str, errors: Sequence[Mapping[str, str]] = ()):
        super().__init__(code)
        self.code, self.errors = code, [dict(error) for error in errors]


class Answered(Exception):
    """Somebody was faster: the delivery is no longer in quarantine."""


def read_again(source: Source, content_type: str, body: bytes, *, test: bool = False) -> Leads:
    """The leads that the source would find in these bytes as it is set up now; writes nothing.

    `test`: it was tried from our own pages, and is nobody's request. Raises StillUnreadable.
    """
    try:
        return kinds.reader_of(source, content_type, test=test)(body)
    except Unreadable as problem:
        raise StillUnreadable(problem.code, problem.errors) from problem


def take_again(
    session: Session,
    intake_id: uuid.UUID,
    *,
    at: datetime,
    actor: Actor,
    mended: bytes | None = None,
) -> Receipt:
    """Take a delivery in as its source reads it now, or as a person mended it; commits.

    One that was taken in before answers with the leads it made. A notice whose lead could not be
    fetched is asked for once more: the receipt is empty. Raises LookupError for one that the
    session may not see, Answered for a dismissed one, StillUnreadable.
    """
    row = _locked(session, intake_id)
    if row.status in {"accepted", "fetching"}:
        session.rollback()
        return Receipt(leads_made(session, row), repeated=True)
    if row.status != "quarantined":
        session.rollback()
        raise Answered
    if row.source.paused_at is not None:
        session.rollback()
        raise StillUnreadable(PAUSED)
    if row.problem.get("code") == FETCH_FAILED:
        return _fetch_again(session, row, at, actor)
    body = row.body if row.mended is None else row.mended
    try:
        body = body if mended is None else mended
        test = str(row.problem.get("key") or "").startswith(kinds.TEST_KEY)
        leads = read_again(row.source, row.content_type, body, test=test)
        return _take(session, row, leads, at, actor, mended)
    except StillUnreadable as problem:
        session.rollback()
        if mended is None:
            _note_cause(session, intake_id, problem)
        raise


def dismiss(
    session: Session, intake_id: uuid.UUID, reason: str, *, at: datetime, actor: Actor
) -> None:
    """A person says that the delivery is no lead; it is kept all the same. Commits.

    Raises LookupError, Answered, and ValueError without a reason.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise ValueError("a reason is needed")
    row = _locked(session, intake_id)
    _expect(session, row, "quarantined")
    row.status, row.note = "dismissed", reason
    row.answered_at, row.answered_by = at, actor.user_id
    session.commit()


def put_back(session: Session, intake_id: uuid.UUID) -> None:
    """Undo `dismiss`; commits. Raises LookupError, Answered."""
    row = _locked(session, intake_id)
    _expect(session, row, "dismissed")
    row.status, row.note = "quarantined", ""
    row.answered_at = row.answered_by = None
    session.commit()


def leads_made(session: Session, row: Intake) -> tuple[uuid.UUID, ...]:
    """Ids of the leads that a delivery became when it was taken in again."""
    if "leads" in row.problem:
        return tuple(uuid.UUID(each) for each in row.problem["leads"])
    if row.answered_at is None:
        return ()
    made = select(Lead.id).where(Lead.created_at == row.answered_at, Lead.intake_id == row.id)
    return tuple(session.scalars(made.order_by(Lead.id)))


def waiting_of(source_id: int, code: str = "") -> list[ColumnElement[bool]]:
    """The deliveries of a source in quarantine, for a WHERE; `code` names one cause.

    Without one, those that look like a machine's are left out: whoever mends a source wants what
    it couldn't read, and each of these was kept for somebody to look at.
    """
    cause = Intake.problem["code"].as_string()
    chosen = cause == code if code else cause.is_distinct_from(kinds.SUSPICIOUS)
    return [Intake.source_id == source_id, Intake.status == "quarantined", chosen]


def ask_replay_all(
    session: Session, source: Source, at: datetime, actor: Actor, *, code: str = ""
) -> Job:
    """Ask the worker to take in again what waits of a source, oldest first; no commit.

    Where a replay of the same deliveries was asked for and not begun, it is that one.
    """
    arguments = {"source_id": source.id, "code": code}
    waiting = session.scalars(
        select(Job)
        .where(
            Job.kind == KIND,
            Job.market_id == source.market_id,
            Job.finished_at.is_(None),
            Job.lease_until.is_(None),
            Job.arguments.contains(arguments),
        )
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    number = session.scalar(
        select(func.count()).select_from(Intake).where(*waiting_of(source.id, code))
    )
    if waiting is not None:
        # It takes in what came since it was asked for, too.
        waiting.arguments = {**waiting.arguments, "until": at.isoformat()}
        waiting.total = number or 0
        return waiting
    job = Job(
        kind=KIND,
        market_id=source.market_id,
        arguments=arguments | {"until": at.isoformat()},
        requested_by=actor.user_id,
        created_at=at,
        total=number or 0,
    )
    session.add(job)
    session.flush()
    wake(session, "jobs")
    return job


def _take(
    session: Session,
    row: Intake,
    leads: Leads,
    at: datetime,
    actor: Actor,
    mended: bytes | None,
) -> Receipt:
    source, intake_id = row.source, row.id
    given = row.problem.get("key") or kinds.delivery_key(source, leads)
    # Known by the bytes it came with: its sender, who knows no others, may send them once more.
    delivery = Delivery(body=row.body, content_type=row.content_type, key=given)
    row.mended = row.mended if mended is None else mended
    row.answered_at, row.answered_by, row.note = at, actor.user_id, ""
    try:
        # What its sender said better meanwhile stands: to replay this is to ask for nothing new.
        receipt = earlier(session, source, delivery, row.received_at)
        if receipt is None:
            receipt = accept(session, source, delivery, leads, at, intake=row)
    except OperationalError:
        # A database that is away or busy says nothing about the delivery.
        session.rollback()
        raise
    except Exception as problem:
        log.exception("delivery.failed_again", source=source.code, intake=str(intake_id))
        raise StillUnreadable("failed") from problem
    taken = _locked(session, intake_id)
    taken.status = "accepted"
    taken.problem = {**taken.problem, "leads": [str(lead_id) for lead_id in receipt.lead_ids]}
    session.commit()
    return receipt


def _fetch_again(session: Session, row: Intake, at: datetime, actor: Actor) -> Receipt:
    """Put what the notice announced back among what the worker fetches."""
    failed = session.scalars(
        select(Retrieval)
        .where(
            Retrieval.source_id == row.source_id,
            Retrieval.intake_id == row.id,
            Retrieval.status == "failed",
        )
        # Whose platform deletes it just now is nothing to ask for any more.
        .with_for_update(of=Retrieval, skip_locked=True)
    ).all()
    for each in failed:
        each.status, each.attempts, each.next_attempt_at, each.problem = "queued", 0, at, ""
        each.lease_token = each.lease_until = each.done_at = None
    row.status = "fetching"
    row.answered_at, row.answered_by = at, actor.user_id
    session.flush()
    settle(session, row.id)
    wake(session, "retrievals")
    session.commit()
    return Receipt(())


def _note_cause(session: Session, intake_id: uuid.UUID, problem: StillUnreadable) -> None:
    row = _locked(session, intake_id)
    if row.status == "quarantined":
        named = storable(problem.errors[:MOST_ERRORS])
        row.problem = {**row.problem, "code": problem.code, "errors": named}
    session.commit()


def _expect(session: Session, row: Intake, status: str) -> None:
    if row.status != status:
        session.rollback()
        raise Answered


def _locked(session: Session, intake_id: uuid.UUID) -> Intake:
    row: Any = session.scalars(
        select(Intake)
        .where(Intake.id == intake_id)
        .with_for_update(of=Intake)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        session.rollback()
        raise LookupError(f"no delivery {intake_id}")
    found: Intake = row
    return found
