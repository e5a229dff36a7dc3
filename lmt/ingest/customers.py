"""Finds the customer behind a lead by phone or mail, or makes a new one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.ingest.leadinput import LeadInput
from lmt.models import Customer, CustomerKey


def customer_of(session: Session, given: LeadInput, at: datetime) -> Customer:
    """The same phone or mail is the same customer; two leads arriving at once agree on one."""
    keys = _keys(given)
    owner = _owner(session, keys)
    if owner is None:
        owner = Customer(
            kind="business" if given.customer.company else "private",
            full_name=given.customer.full_name,
            company=given.customer.company,
            language=given.customer.language,
            created_at=at,
        )
        session.add(owner)
        session.flush()
    if not keys:
        return owner
    # In sorted order, so that two deliveries of one person wait for each other, never deadlock.
    session.execute(
        insert(CustomerKey)
        .values([{"kind": k, "value": v, "customer_id": owner.id} for k, v in keys])
        .on_conflict_do_nothing()
    )
    first = _owner(session, keys)
    if first is not None and first.id != owner.id and owner in session.new | {owner}:
        _give_way(session, owner, first)
        return first
    return owner


def _keys(given: LeadInput) -> list[tuple[str, str]]:
    keys = []
    if given.customer.email:
        keys.append(("email", given.customer.email.casefold()))
    if given.customer.phone.startswith("+"):
        keys.append(("phone", given.customer.phone))
    return sorted(keys)


def _owner(session: Session, keys: list[tuple[str, str]]) -> Customer | None:
    """The customer whom one of the keys names; the oldest where they name several."""
    if not keys:
        return None
    return session.scalars(
        select(Customer)
        .join(CustomerKey, CustomerKey.customer_id == Customer.id)
        .where(tuple_(CustomerKey.kind, CustomerKey.value).in_(keys))
        .order_by(Customer.id)
        .limit(1)
    ).first()


def _give_way(session: Session, ours: Customer, first: Customer) -> None:
    """Another delivery of the same person was faster: our keys and our customer are its own."""
    for key in session.scalars(select(CustomerKey).where(CustomerKey.customer_id == ours.id)):
        key.customer_id = first.id
    session.flush()
    session.delete(ours)
    session.flush()
