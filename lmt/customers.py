"""Two customers turn out to be one person, or one to be two: a person says so, and may undo it.

Leads change their customer, never their dealer. Each verb commits. The actor has to see both
customers; what is moved is moved whole, also where it lies outside the actor's part. Locks are
taken in the order keys, customer, lead.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.customerrows import (
    LONGEST_REASON,
    NotNow,
    give_keys,
    give_leads,
    keys_of_leads,
    known_keys,
    locked_customers,
    locked_leads,
    take_keys,
)
from lmt.inquiries import join_inquiry, split_inquiry
from lmt.models import Customer, CustomerMove, DuplicateSuggestion, Lead, record
from lmt.scope import Actor, as_system

__all__ = [
    "PERMISSION",
    "NotNow",
    "answer_suggestion",
    "merge",
    "split",
    "split_inquiry",
    "undo",
]

PERMISSION = "lead.assign"


def merge(
    session: Session, kept_id: int, merged_id: int, *, at: datetime, actor: Actor, reason: str = ""
) -> int:
    """All leads and keys of one customer go to the other; returns the move's id.

    Raises LookupError where the actor doesn't see both, NotNow (same, gone).
    """
    _check_visible(session, {kept_id, merged_id})
    if kept_id == merged_id:
        raise NotNow("same")
    with as_system(session):
        move_id = _merge(session, kept_id, merged_id, at, actor, reason)
        session.commit()
    return move_id


def split(
    session: Session,
    lead_ids: Collection[uuid.UUID],
    *,
    at: datetime,
    actor: Actor,
    reason: str = "",
) -> int:
    """These leads of one customer become a customer of their own; returns the move's id.

    The keys that only they have go along; what both have leads to both. Raises LookupError where
    the actor doesn't see all of them, NotNow where they are not some of one customer's (all, same).
    """
    seen = session.scalars(select(Lead).where(Lead.id.in_(lead_ids))).all()
    if not lead_ids or len(seen) != len(set(lead_ids)):
        raise LookupError("not all of these leads")
    owners = {lead.customer_id for lead in seen}
    if len(owners) != 1:
        raise NotNow("same")
    with as_system(session):
        move_id = _split(session, owners.pop(), set(lead_ids), at, actor, reason)
        session.commit()
    return move_id


def undo(session: Session, move_id: int, *, at: datetime, actor: Actor) -> None:
    """Take a merge, a split, or an inquiry that was made a lead, back.

    Raises LookupError where the actor sees no such move, NotNow (undone; later: a later move has to
    be taken back first; worked: the lead is won or lost).
    """
    move = session.scalars(
        select(CustomerMove).where(CustomerMove.id == move_id).with_for_update(of=CustomerMove)
    ).first()
    if move is None:
        raise LookupError(f"no move {move_id}")
    if move.undone_at is not None:
        raise NotNow("undone")
    if move.from_id == move.to_id:
        join_inquiry(session, move, at, actor)
        return
    _check_visible(session, {move.to_id})
    moved = select(Lead.id).where(Lead.id.in_(move.lead_ids)).limit(1)
    if move.lead_ids and session.scalars(moved).first() is None:
        # All of it concerns markets that the actor doesn't look after.
        raise LookupError(f"no move {move_id}")
    with as_system(session):
        move.undone_at, move.undone_by = at, actor.user_id
        if move.kind == "merge":
            _undo_merge(session, move, at, actor)
        else:
            _undo_split(session, move, at, actor)
        session.commit()


def answer_suggestion(
    session: Session, customer_id: int, other_id: int, answer: str, *, at: datetime, actor: Actor
) -> None:
    """A person says of two customers whether they are `same` or `different`.

    `same` merges them into the one who was there first. Raises LookupError where the actor has no
    such question before them, NotNow (gone, undone: answered already), ValueError for other words.
    """
    if answer not in ("same", "different"):
        raise ValueError("same or different")
    newer, older = max(customer_id, other_id), min(customer_id, other_id)
    asked = _question(session, newer, older)
    if asked is None:
        raise LookupError("nobody asked")
    if asked.answered_at is not None:
        raise NotNow("undone")
    with as_system(session):
        if answer == "same":
            _merge(session, older, newer, at, actor, "")
        else:
            _answered(session, newer, older, "different", at, actor)
        session.commit()


def _merge(
    session: Session, kept_id: int, merged_id: int, at: datetime, actor: Actor, reason: str
) -> int:
    kept, merged = locked_customers(session, kept_id, merged_id)
    if kept.merged_into_id is not None or merged.merged_into_id is not None:
        raise NotNow("gone")
    leads = locked_leads(session, Lead.customer_id == merged_id)
    others = locked_leads(session, Lead.customer_id == kept_id)
    theirs, ours = known_keys(session, merged_id), known_keys(session, kept_id)
    give_leads(session, [lead.id for lead in leads], kept_id)
    take_keys(session, merged_id, theirs)
    give_keys(session, kept_id, theirs)
    merged.merged_into_id = kept_id
    _answered(session, max(kept_id, merged_id), min(kept_id, merged_id), "same", at, actor)
    move = CustomerMove(
        kind="merge",
        from_id=merged_id,
        to_id=kept_id,
        lead_ids=[lead.id for lead in leads],
        keys=[{"kind": k, "value": v, "shared": (k, v) in ours} for k, v in sorted(theirs)],
        at=at,
        actor_id=actor.user_id,
        reason=reason[:LONGEST_REASON],
    )
    _note(session, move, [*leads, *others], "customer_merged", at, actor)
    return move.id


def _split(
    session: Session,
    customer_id: int,
    lead_ids: set[uuid.UUID],
    at: datetime,
    actor: Actor,
    reason: str,
) -> int:
    (old,) = locked_customers(session, customer_id)
    leads = locked_leads(session, Lead.customer_id == customer_id)
    going = [lead for lead in leads if lead.id in lead_ids]
    staying = [lead for lead in leads if lead.id not in lead_ids]
    if len(going) != len(lead_ids):
        raise NotNow("gone")
    if not staying:
        raise NotNow("all")
    last = going[-1]
    own = Customer(
        kind="business" if last.company else "private",
        full_name=last.full_name,
        company=last.company,
        language=last.language,
        country=last.country,
        postcode=last.postcode,
        city=last.city,
        street=last.street,
        created_at=at,
    )
    session.add(own)
    session.flush()
    theirs, kept = keys_of_leads(going), keys_of_leads(staying)
    only = (theirs - kept) & known_keys(session, old.id)
    give_leads(session, lead_ids, own.id)
    take_keys(session, old.id, only)
    give_keys(session, own.id, theirs)
    _answered(session, max(own.id, old.id), min(own.id, old.id), "different", at, actor)
    move = CustomerMove(
        kind="split",
        from_id=old.id,
        to_id=own.id,
        lead_ids=sorted(lead_ids),
        keys=[{"kind": k, "value": v, "shared": (k, v) not in only} for k, v in sorted(theirs)],
        at=at,
        actor_id=actor.user_id,
        reason=reason[:LONGEST_REASON],
    )
    _note(session, move, leads, "customer_split", at, actor)
    return move.id


def _undo_merge(session: Session, move: CustomerMove, at: datetime, actor: Actor) -> None:
    """Everybody gets back what was theirs; what came meanwhile stays with the one who was kept."""
    kept, merged = locked_customers(session, move.to_id, move.from_id)
    if kept.merged_into_id is not None or merged.merged_into_id != kept.id:
        raise NotNow("later")
    leads = locked_leads(session, Lead.customer_id == kept.id)
    back = [lead for lead in leads if lead.id in set(move.lead_ids)]
    staying = [lead for lead in leads if lead.id not in set(move.lead_ids)]
    theirs = {(key["kind"], key["value"]) for key in move.keys}
    shared = {(key["kind"], key["value"]) for key in move.keys if key.get("shared")}
    merged.merged_into_id = None
    give_leads(session, [lead.id for lead in back], merged.id)
    take_keys(session, kept.id, theirs - shared - keys_of_leads(staying))
    give_keys(session, merged.id, theirs)
    _answered(session, max(kept.id, merged.id), min(kept.id, merged.id), "different", at, actor)
    _tell(session, leads, "customer_move_undone", move, at, actor)


def _undo_split(session: Session, move: CustomerMove, at: datetime, actor: Actor) -> None:
    """The customer that was split off goes, with all that came to it meanwhile."""
    old, own = locked_customers(session, move.from_id, move.to_id)
    if old.merged_into_id is not None or own.merged_into_id is not None:
        raise NotNow("later")
    leads = locked_leads(session, Lead.customer_id.in_((old.id, own.id)))
    going = [lead.id for lead in leads if lead.customer_id == own.id]
    theirs = known_keys(session, own.id)
    give_leads(session, going, old.id)
    take_keys(session, own.id, theirs)
    give_keys(session, old.id, theirs)
    own.merged_into_id = old.id
    _tell(session, leads, "customer_move_undone", move, at, actor)


def _check_visible(session: Session, customer_ids: set[int]) -> None:
    seen = session.scalars(select(Customer.id).where(Customer.id.in_(customer_ids))).all()
    if customer_ids - set(seen):
        raise LookupError("no such customer")


def _question(session: Session, newer: int, older: int) -> DuplicateSuggestion | None:
    return session.scalars(
        select(DuplicateSuggestion)
        .where(DuplicateSuggestion.customer_id == newer, DuplicateSuggestion.other_id == older)
        .with_for_update(of=DuplicateSuggestion)
    ).first()


def _answered(
    session: Session, newer: int, older: int, answer: str, at: datetime, actor: Actor
) -> None:
    """What a person said of the two, so that nobody asks again."""
    said = {"answer": answer, "answered_at": at, "answered_by": actor.user_id}
    row = insert(DuplicateSuggestion).values(
        customer_id=newer, other_id=older, score=0, reasons=[], at=at, **said
    )
    session.execute(
        row.on_conflict_do_update(index_elements=["customer_id", "other_id"], set_=said)
    )


def _note(
    session: Session,
    move: CustomerMove,
    leads: Iterable[Lead],
    kind: str,
    at: datetime,
    actor: Actor,
) -> None:
    session.add(move)
    session.flush()
    _tell(session, leads, kind, move, at, actor)


def _tell(
    session: Session,
    leads: Iterable[Lead],
    kind: str,
    move: CustomerMove,
    at: datetime,
    actor: Actor,
) -> None:
    for lead in leads:
        record(
            session, lead.id, kind, at=at, actor_id=actor.user_id, move_id=move.id,
            reason=move.reason,
        )  # fmt: skip
