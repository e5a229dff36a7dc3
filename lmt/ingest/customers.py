"""Finds the customer behind a lead by phone or mail, or makes a new one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.ingest.leadinput import LeadInput
from lmt.models import Customer, CustomerKey

# All of a delivery at once and in one order, or two deliveries of the same people would wait for
# each other in a ring.
_WAIT_FOR = text(
    "SELECT pg_advisory_xact_lock(7240716, each.hash) FROM"
    " (SELECT DISTINCT hashtext(key) AS hash FROM unnest(CAST(:keys AS text[])) AS key"
    " ORDER BY hash) AS each"
)


def meet(session: Session, people: Iterable[LeadInput]) -> None:
    """Wait until nobody else brings one of these people in; holds until the transaction ends.

    Comes before `customer_of`, so that leads which arrive at once agree on one customer.
    """
    keys = {f"{kind}:{value}" for given in people for kind, value in _keys(given)}
    if keys:
        session.execute(_WAIT_FOR, {"keys": sorted(keys)})


def customer_of(session: Session, given: LeadInput, at: datetime) -> Customer:
    """The same phone or mail is the same customer. The caller has met them."""
    keys = _keys(given)
    owner = _owner(session, keys) or _newcomer(session, given, at)
    if keys:
        session.execute(
            insert(CustomerKey)
            .values([{"kind": k, "value": v, "customer_id": owner.id} for k, v in keys])
            .on_conflict_do_nothing()
        )
    return owner


def _keys(given: LeadInput) -> list[tuple[str, str]]:
    keys = []
    if given.customer.email:
        keys.append(("email", given.customer.email.casefold()))
    if given.customer.phone.startswith("+"):
        keys.append(("phone", given.customer.phone))
    return keys


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


def _kind(given: LeadInput) -> str:
    """What kind of customer this is, as far as its first request tells."""
    if given.request.type == "fleet":
        return "fleet"
    return "business" if given.customer.company else "private"


def _newcomer(session: Session, given: LeadInput, at: datetime) -> Customer:
    newcomer = Customer(
        kind=_kind(given),
        full_name=given.customer.full_name,
        company=given.customer.company,
        language=given.customer.language,
        created_at=at,
    )
    session.add(newcomer)
    session.flush()
    return newcomer
