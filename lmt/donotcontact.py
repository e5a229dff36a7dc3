"""Who wants to hear nothing: the do-not-call and do-not-mail lists, asked before any solicitation.

They stop what we begin (a bought list, a call after a pause), never the answer to a fresh request.
A list belongs to a market, or to all of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.db import wake
from lmt.lifecycle import OPEN, Status
from lmt.models import (
    CustomerKey,
    Event,
    ImportRun,
    Inquiry,
    Lead,
    PlannedAction,
    Source,
    Suppression,
    record,
)
from lmt.scope import as_system

KINDS = ("phone", "email")
MOST_OF_A_KEY = 100
"""Of how many leads with one phone or mail a no is noted at most, of the latest."""


def stopped(session: Session, *, phone: str, email: str, market_id: int | None) -> frozenset[str]:
    """Which of "phone" and "email" may not be used to approach this person.

    `phone` in E.164, "" for none. Asked for whoever acts, but as the system: a dealer must respect
    a list that it can't read.
    """
    theirs = [
        and_(Suppression.kind == kind, Suppression.value == value)
        for kind, value in (("phone", phone), ("email", canonical_email(email)))
        if value
    ]
    if not theirs:
        return frozenset()
    with as_system(session):
        return frozenset(
            session.scalars(
                select(Suppression.kind).where(
                    or_(false(), *theirs),
                    Suppression.lifted_at.is_(None),
                    or_(Suppression.market_id.is_(None), Suppression.market_id == market_id),
                )
            )
        )


def unapproachable(session: Session, lead: Lead) -> bool:
    """Is every way to reach the lead's customer on a list?"""
    ways = {kind for kind in KINDS if getattr(lead, kind)}
    listed = stopped(session, phone=lead.phone, email=lead.email, market_id=lead.market_id)
    return bool(ways) and ways <= listed


def wants_no_contact(session: Session, lead: Lead) -> bool:
    """Is this a lead by which we approach somebody, who is on the lists by every way there is?

    Where its people did not ask, any entry counts before it sets off. Of those whom an import
    brought after all only what they said since does: they were spoken to before. Never of a
    customer who asked us.
    """
    if not (lead.import_id or (lead.source.solicited and lead.status == Status.RECEIVED)):
        return False
    if not unapproachable(session, lead):
        return False
    with as_system(session):
        if session.scalars(select(Lead.id).where(Lead.id == lead.id, _asked_us())).first():
            return False
        if lead.source.solicited and lead.status == Status.RECEIVED:
            return True
        told = select(Event.id).where(Event.lead_id == lead.id, Event.kind == "do_not_contact")
        if session.scalars(told.limit(1)).first() is not None:
            return True
        # A list names them since, while the lead was in somebody's hands.
        since = select(Suppression.id).where(
            tuple_(Suppression.kind, Suppression.value).in_(
                [("phone", lead.phone), ("email", canonical_email(lead.email))]
            ),
            Suppression.lifted_at.is_(None),
            Suppression.created_at > lead.created_at,
            or_(Suppression.market_id.is_(None), Suppression.market_id == lead.market_id),
        )
        return session.scalars(since.limit(1)).first() is not None


def note_refusals(
    session: Session,
    ways: Iterable[tuple[str, str, int | None]],
    *,
    origin: str,
    at: datetime,
    but: Collection[uuid.UUID] = (),
) -> None:
    """These people said no, by (kind, value, id of the market or None): what an import brought of
    them is called no more, and looked at again by the worker. No commit.

    Leads in `but` are left out, and whatever a customer asked us for. One that somebody holds just
    now is not waited for: its own next step finds the list.
    """
    by_value: dict[tuple[str, str], set[int | None]] = {}
    for kind, value, market_id in ways:
        by_value.setdefault((kind, value), set()).add(market_id)
    if not by_value:
        return
    with as_system(session):
        rows = session.execute(
            select(Lead.id, Lead.market_id, Lead.status, Lead.dealer_id, Lead.phone, Lead.email)
            .join(CustomerKey, CustomerKey.customer_id == Lead.customer_id)
            .where(
                tuple_(CustomerKey.kind, CustomerKey.value).in_(list(by_value)),
                Lead.import_id.is_not(None),
                Lead.status.in_(sorted(OPEN)),
                ~_asked_us(),
            )
            .order_by(Lead.id.desc())
            .limit(MOST_OF_A_KEY * len(by_value))
            .with_for_update(of=Lead, key_share=True, skip_locked=True)
        ).all()
        found = {row.id: row for row in rows if row.id not in but}
        for row in found.values():
            theirs = {"phone": row.phone, "email": canonical_email(row.email)}
            told = [
                kind
                for kind, value in theirs.items()
                if by_value.get((kind, value), set()) & {None, row.market_id}
            ]
            if told:
                _note_refusal(session, row, told, origin, at)
        if found:
            wake(session, "leads")


def _note_refusal(session: Session, row: Any, ways: list[str], origin: str, at: datetime) -> None:
    mine = update(Lead).where(Lead.id == row.id).execution_options(synchronize_session=False)
    if "phone" in ways:
        session.execute(mine.values(call_at=None))
        session.execute(
            update(PlannedAction)
            .where(
                PlannedAction.lead_id == row.id,
                PlannedAction.kind == "call",
                PlannedAction.done_at.is_(None),
            )
            .values(done_at=at)
            .execution_options(synchronize_session=False)
        )
    if row.status != Status.RECEIVED:
        session.execute(mine.values(next_action_at=at))
    record(
        session, row.id, "do_not_contact", at=at, dealer_id=row.dealer_id, origin=origin, ways=ways
    )


def _asked_us() -> ColumnElement[bool]:
    """The condition of a Lead whose customer came to us besides, by no file and no list."""
    return exists().where(
        Inquiry.lead_id == Lead.id,
        exists().where(Source.id == Inquiry.source_id, Source.solicited.is_(False)),
        ~exists().where(
            ImportRun.source_id == Inquiry.source_id, ImportRun.intake_id == Inquiry.intake_id
        ),
    )


def suppress(
    session: Session,
    kind: str,
    value: str,
    *,
    market_id: int | None,
    origin: str,
    at: datetime,
    reason: str = "",
    lead_id: uuid.UUID | None = None,
    actor_id: int | None = None,
) -> bool:
    """Put a phone (E.164) or a mail address on a list; False where it was there. No commit.

    `origin` is list, outcome, unsubscribe or person.
    """
    row = insert(Suppression).values(
        kind=kind,
        value=canonical_email(value) if kind == "email" else value,
        market_id=market_id,
        origin=origin,
        reason=reason,
        lead_id=lead_id,
        created_at=at,
        author_id=actor_id,
    )
    added = session.execute(row.on_conflict_do_nothing().returning(Suppression.id)).first()
    but = () if lead_id is None else (lead_id,)
    note_refusals(session, [(kind, value, market_id)], origin=origin, at=at, but=but)
    return added is not None


def suppress_customer(
    session: Session,
    lead: Lead,
    kinds: Iterable[str],
    *,
    origin: str,
    at: datetime,
    reason: str = "",
    actor_id: int | None = None,
) -> None:
    """The lead's customer wants to hear nothing by these ways, in this market; with an event.

    No commit.
    """
    told = [kind for kind in kinds if getattr(lead, kind)]
    added = [
        suppress(
            session,
            kind,
            getattr(lead, kind),
            market_id=lead.market_id,
            origin=origin,
            at=at,
            reason=reason,
            lead_id=lead.id,
            actor_id=actor_id,
        )
        for kind in told
    ]
    if any(added):
        record(
            session, lead.id, "do_not_contact", at=at, actor_id=actor_id, origin=origin, ways=told
        )


def lift(session: Session, suppression_id: int, *, actor_id: int | None, at: datetime) -> None:
    """Take an entry off its list; the row stays as history. No commit. LookupError for none."""
    entry = session.get(Suppression, suppression_id)
    if entry is None:
        raise LookupError(f"no entry {suppression_id}")
    if entry.lifted_at is None:
        entry.lifted_at, entry.lifted_by = at, actor_id


def take_back(session: Session, lead_id: uuid.UUID, *, actor_id: int | None, at: datetime) -> None:
    """The outcome that put a lead's customer on the lists was a mistake. No commit."""
    with as_system(session):
        session.execute(
            update(Suppression)
            .where(
                Suppression.lead_id == lead_id,
                Suppression.origin == "outcome",
                Suppression.lifted_at.is_(None),
            )
            .values(lifted_at=at, lifted_by=actor_id)
        )


def canonical_email(address: str) -> str:
    """As the lists keep it: what differs only in case is one address."""
    return address.strip().lower()
