"""A platform announces leads: the notice becomes durable, with one retrieval for each lead."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.db import uuid7, wake
from lmt.i18n import gettext as _
from lmt.ingest.accept import Delivery, quarantine
from lmt.ingest.fetching import FETCH_FAILED, Announced, Notice
from lmt.models import Intake, Retrieval, Source, record

DELETED = "deleted"
"""The problem of a retrieval whose lead its platform deleted before it was fetched."""


def keep_notice(
    session: Session, source: Source, delivery: Delivery, notice: Notice, at: datetime
) -> uuid.UUID | None:
    """Make the notice durable and its leads due to be fetched; commits. The id of what was kept.

    None where nothing in it is new: a platform repeats itself, and tells of much that is no lead.
    Where an id is missing, the notice says so; with no other lead in it, it is quarantined.
    """
    intake_id = uuid7(at)
    _cancel(session, source, notice.deleted, intake_id, at)
    new = _queue(session, source, notice.announced, intake_id, at)
    message = _("The id of the lead is missing.")
    errors = [{"field": path, "message": message} for path in notice.missing]
    if not new:
        session.commit()
        problem = {"code": "no_lead_id", "errors": errors, "key": None, "strict": False}
        return quarantine(session, source, delivery, problem, at) if errors else None
    session.add(
        Intake(
            id=intake_id,
            source_id=source.id,
            received_at=at,
            content_type=delivery.content_type[:200],
            body=delivery.body,
            body_hash=delivery.body_hash,
            status="fetching",
            problem={"code": "no_lead_id", "errors": errors} if errors else {},
        )
    )
    wake(session, "retrievals")
    session.commit()
    return intake_id


def _queue(
    session: Session,
    source: Source,
    announced: Sequence[Announced],
    intake_id: uuid.UUID,
    at: datetime,
) -> int:
    """How many of them nobody had announced before."""
    if not announced:
        return 0
    # In one order always, so that two deliveries of the same leads don't wait for each other.
    rows = [
        _row(source, each.remote_id, intake_id, at, context=dict(each.context))
        for each in sorted(announced, key=lambda each: each.remote_id)
    ]
    made = insert(Retrieval).values(rows).on_conflict_do_nothing().returning(Retrieval.id)
    return len(session.execute(made).all())


def _cancel(
    session: Session, source: Source, deleted: Sequence[str], intake_id: uuid.UUID, at: datetime
) -> None:
    """What is still to be fetched isn't any more, also where its announcement comes later; what
    is a lead by now stays one, and its history tells."""
    if not deleted:
        return
    gone = {"status": "done", "done_at": at, "problem": DELETED}
    rows = [
        _row(source, remote_id, intake_id, at, context={}, **gone)
        for remote_id in sorted(set(deleted))
    ]
    session.execute(insert(Retrieval).values(rows).on_conflict_do_nothing())
    known = session.scalars(
        select(Retrieval)
        .where(Retrieval.source_id == source.id, Retrieval.remote_id.in_(deleted))
        .order_by(Retrieval.remote_id)
        .with_for_update(of=Retrieval)
    ).all()
    for each in known:
        if each.problem == DELETED:
            continue
        tell_deleted(session, source, each, at)
        if each.status != "done":
            each.status, each.done_at, each.lease_token, each.lease_until = "done", at, None, None
        each.problem = DELETED
        session.flush()
        settle(session, each.intake_id)


def tell_deleted(session: Session, source: Source, retrieval: Retrieval, at: datetime) -> None:
    """In the history of the leads that the retrieval became: the platform no longer has them."""
    for lead_id in retrieval.context.get("leads", ()):
        record(session, uuid.UUID(lead_id), "sender_deleted", at=at, source=source.code)


def settle(session: Session, intake_id: uuid.UUID) -> None:
    """A notice of which nothing is left to fetch is done, also where it could not be fetched."""
    # Of two who finish its last leads at once the second must see what the first did.
    session.execute(select(Intake.id).where(Intake.id == intake_id).with_for_update(of=Intake))
    failed = and_(
        Intake.status == "quarantined", Intake.problem["code"].as_string() == FETCH_FAILED
    )
    left = select(Retrieval.id).where(
        Retrieval.intake_id == intake_id, Retrieval.status.in_(("queued", "failed"))
    )
    session.execute(
        update(Intake)
        .where(Intake.id == intake_id, or_(Intake.status == "fetching", failed), ~left.exists())
        .values(status="accepted")
        .execution_options(synchronize_session=False)
    )


def _row(
    source: Source, remote_id: str, intake_id: uuid.UUID, at: datetime, **values: Any
) -> dict[str, Any]:
    return {
        "id": uuid7(at),
        "source_id": source.id,
        "intake_id": intake_id,
        "remote_id": remote_id,
        "status": "queued",
        "attempts": 0,
        "next_attempt_at": at,
        "created_at": at,
        "done_at": None,
        "problem": "",
        **values,
    }
