"""A dealer system's report is carried out by the verbs that people use, acting as that system."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from lmt import closing, pipeline
from lmt.api.statusreport import StatusReport
from lmt.followup import service as following
from lmt.lifecycle import WORKED, IllegalStep, Status
from lmt.models import Event, Lead
from lmt.scope import SYSTEM, Actor, Part, act_as

BY = "dealer_system"
_ITS_OWN = frozenset(
    {"accepted", "offer_declined", "contacted", "planned", "plan_done", "note", "won", "lost"}
)
"""Kinds of events that tell of what the system did itself, not of what followed."""


class Refused(Exception):
    """The lead's life has gone on: `too_late` or `not_now`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def reported_before(session: Session, lead_id: uuid.UUID, dealer_id: int, digest: str) -> bool:
    """Whether this dealer's system has sent the same report before, and it was carried out."""
    reports = select(Event.id).where(
        Event.lead_id == lead_id,
        Event.dealer_id == dealer_id,
        Event.data["report"].astext == digest,
    )
    return session.scalars(reports.limit(1)).first() is not None


def carry_out(
    session: Session, lead_id: uuid.UUID, dealer_id: int, report: StatusReport, at: datetime
) -> None:
    """Do what the report says, and commit. Raises Refused.

    Who reports work on a lead, or its end, has taken it: that step is made first.
    """
    permissions = frozenset({"lead.work"})
    actor = Actor(user_id=None, permissions=permissions, parts=(Part(dealer_id=dealer_id),))
    act_as(session, actor)
    try:
        with _told_of(session, report):
            _do(session, lead_id, report, at, actor)
    except (pipeline.TooLate, LookupError) as problem:
        raise Refused("too_late") from problem
    except IllegalStep as problem:
        raise Refused("not_now") from problem
    finally:
        session.rollback()
        act_as(session, SYSTEM)


def _do(
    session: Session, lead_id: uuid.UUID, report: StatusReport, at: datetime, actor: Actor
) -> None:
    who: dict[str, Any] = {"at": at, "actor": actor}
    if report.status == "declined":
        pipeline.decline(session, lead_id, reason=report.reason, note=report.note, **who)
        return
    _taken(session, lead_id, **who)
    if report.note and report.status in ("accepted", "won"):
        following.add_note(session, lead_id, text=report.note, **who)
    if report.status == "contacted":
        following.contacted(
            session, lead_id, how=report.how, result=report.result, note=report.note, **who
        )
    elif report.status == "won":
        closing.won(
            session,
            lead_id,
            model=report.model,
            order_number=report.order_number,
            value=report.value,
            **who,
        )
    elif report.status == "lost":
        closing.lost(session, lead_id, reason=report.reason, note=report.note, **who)
    if report.next is not None:
        following.plan(
            session,
            lead_id,
            kind=report.next.kind,
            due_at=report.next.due_at,
            note=report.next.note,
            **who,
        )


def _taken(session: Session, lead_id: uuid.UUID, *, at: datetime, actor: Actor) -> None:
    """Accept the lead where it is still offered; its colleague stays its colleague."""
    lead = session.scalars(select(Lead).where(Lead.id == lead_id)).first()
    if lead is None:
        raise LookupError(lead_id)
    if lead.status != Status.OFFERED:
        if lead.status not in WORKED | {Status.RESTING, Status.WON, Status.LOST}:
            raise pipeline.TooLate
        return
    owner_id = lead.owner_id
    pipeline.accept(session, lead_id, at=at, actor=actor)
    if owner_id is not None:
        lead = session.scalars(select(Lead).where(Lead.id == lead_id)).one()
        lead.owner_id = owner_id
        session.commit()


def _last_event(report: StatusReport) -> str:
    """What is recorded when all of the report is done; each step before may be made again."""
    if report.next is not None:
        return "planned"
    if report.status == "accepted" and report.note:
        return "note"
    return "offer_declined" if report.status == "declined" else report.status


@contextmanager
def _told_of(session: Session, report: StatusReport) -> Iterator[None]:
    """Every step made here says in the lead's history who made it, and by which report."""
    told: dict[str, Any] = {"by": BY}
    if report.happened_at is not None:
        told["happened_at"] = report.happened_at.isoformat()

    def mark(current: Session, _context: Any, _instances: Any) -> None:
        for row in current.new:
            if isinstance(row, Event) and row.kind in _ITS_OWN and row.actor_id is None:
                last = {"report": report.digest} if row.kind == _last_event(report) else {}
                row.data = {**row.data, **told, **last}

    event.listen(session, "before_flush", mark)
    try:
        yield
    finally:
        event.remove(session, "before_flush", mark)
