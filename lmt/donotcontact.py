"""Who wants to hear nothing: the do-not-call and do-not-mail lists, asked before any solicitation.

They stop what we begin (a bought list, a call after a pause), never the answer to a fresh request.
A list belongs to a market, or to all of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, false, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.models import Lead, Suppression, record
from lmt.scope import as_system

KINDS = ("phone", "email")


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
