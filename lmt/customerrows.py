"""The rows of a customer, locked and moved: what merging and splitting are made of.

Nothing here commits, and nothing looks at who acts: the verbs do.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.ingest.identity import Person, keys_of
from lmt.ingest.statements import connection_of, hold_people
from lmt.models import Customer, CustomerKey, Lead

LONGEST_REASON = 300

Key = tuple[str, str]


class NotNow(ValueError):
    """It can't be done as things stand; `code` says why: gone, same, all, undone, later, worked."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def locked_customers(session: Session, *customer_ids: int) -> list[Customer]:
    """The customers in the order asked for, locked in the order of their ids.

    No delivery comes in under one of their keys until we commit: it would still take them for who
    they were, and leave its lead with a customer who is gone. The session acts for the
    installation.
    """
    _hold_keys(session, customer_ids)
    rows = {
        row.id: row
        for row in session.scalars(
            select(Customer)
            .where(Customer.id.in_(customer_ids))
            .order_by(Customer.id)
            .with_for_update(of=Customer)
            .execution_options(populate_existing=True)
        )
    }
    return [rows[id] for id in customer_ids]


def _hold_keys(session: Session, customer_ids: Iterable[int]) -> None:
    connection = connection_of(session)
    held: set[Key] = set()
    # What came in while we waited may have brought them new keys.
    while new := set[Key]().union(*(known_keys(session, id) for id in customer_ids)) - held:
        hold_people(connection, new)
        held |= new


def locked_leads(session: Session, condition: Any) -> Sequence[Lead]:
    """The leads that meet the condition, oldest first, locked in that order."""
    return session.scalars(
        select(Lead)
        .where(condition)
        .order_by(Lead.id)
        .with_for_update(of=Lead)
        .execution_options(populate_existing=True)
    ).all()


def give_leads(session: Session, lead_ids: Iterable[uuid.UUID], customer_id: int) -> None:
    session.execute(update(Lead).where(Lead.id.in_(list(lead_ids))).values(customer_id=customer_id))


def keys_of_leads(leads: Iterable[Lead]) -> set[Key]:
    """The keys by which these leads' people would be found."""
    return {
        key
        for lead in leads
        for key in keys_of(
            Person(
                full_name=lead.full_name,
                company=lead.company,
                email=lead.email,
                phone=lead.phone,
                country=lead.country,
                postcode=lead.postcode,
                city=lead.city,
                street=lead.street,
            )
        )
    }


def known_keys(session: Session, customer_id: int) -> set[Key]:
    """The keys by which the customer is found now."""
    rows = session.execute(
        select(CustomerKey.kind, CustomerKey.value).where(CustomerKey.customer_id == customer_id)
    )
    return {(kind, value) for kind, value in rows}


def take_keys(session: Session, customer_id: int, keys: set[Key]) -> None:
    """The customer is no longer found by these keys."""
    if keys:
        session.execute(
            delete(CustomerKey).where(
                CustomerKey.customer_id == customer_id,
                tuple_(CustomerKey.kind, CustomerKey.value).in_(sorted(keys)),
            )
        )


def give_keys(session: Session, customer_id: int, keys: set[Key]) -> None:
    """The customer is found by these keys, too."""
    if keys:
        rows = [{"kind": k, "value": v, "customer_id": customer_id} for k, v in sorted(keys)]
        session.execute(insert(CustomerKey).values(rows).on_conflict_do_nothing())
