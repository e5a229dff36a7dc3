"""What a dealer keeps of leads it once had: what they were and how they left, nothing of a person.

Whoever loses a lead sees it no more, yet their figures count it. So that they can be drilled down
to, the offer stays readable: through bare tables, narrowed here by the actor's own dealers.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, exists, false, or_, select, tuple_
from sqlalchemy.orm import Session

from lmt.models import Brand, Lead, Offer
from lmt.scope import Actor

WAYS = ("declined", "expired", "withdrawn")
"""How a lead leaves a dealer: the state of its last offer there."""

_lead, _offer = Lead.__table__.c, Offer.__table__.c
_later = Offer.__table__.alias("later")
_brand = Brand.__table__.c


@dataclass(frozen=True, slots=True)
class Stub:
    """A lead that went elsewhere. `how` is one of WAYS, `reason` a code or ""."""

    lead_id: uuid.UUID
    reference: str
    request_type: str
    brand: str
    model: str
    dealer_id: int
    received_at: datetime
    offered_at: datetime
    ended_at: datetime | None
    how: str
    reason: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which stubs: "" and None ask for all. The instants are of the lead's arrival."""

    how: str = ""
    request_type: str = ""
    model: str = ""
    since: datetime | None = None
    until: datetime | None = None


def stubs(
    session: Session,
    actor: Actor,
    wanted: Wanted | None = None,
    *,
    after: tuple[datetime, uuid.UUID] | None = None,
    rows: int = 50,
) -> list[Stub]:
    """Those that the actor's dealers had and have no more, the latest offer first.

    `after` is the offer's instant and the lead's id of the last one known.
    """
    statement = _stubs(actor).where(*_asked(wanted or Wanted()))
    here = tuple_(_offer.offered_at, _offer.lead_id)
    if after is not None:
        statement = statement.where(here < tuple_(*after))
    statement = statement.order_by(_offer.offered_at.desc(), _offer.lead_id.desc()).limit(rows)
    return [_stub(row) for row in session.execute(statement).mappings()]


def stub_of(session: Session, lead_id: uuid.UUID, actor: Actor) -> Stub | None:
    """What is left of this one; None where the actor's dealers never had it, or have it now."""
    row = session.execute(_stubs(actor).where(_offer.lead_id == lead_id)).mappings().first()
    return None if row is None else _stub(row)


def _stubs(actor: Actor) -> Select[Any]:
    """One row for each lead: the last offer of it to a dealer of the actor."""
    return (
        select(
            _lead.id.label("lead_id"),
            _lead.reference,
            _lead.request_type,
            _brand.name.label("brand"),
            _lead.model,
            _offer.dealer_id,
            _lead.created_at.label("received_at"),
            _offer.offered_at,
            _offer.closed_at.label("ended_at"),
            _offer.state.label("how"),
            _offer.reason,
        )
        .select_from(Offer.__table__)
        .join(Lead.__table__, _lead.id == _offer.lead_id)
        .outerjoin(Brand.__table__, _brand.id == _lead.brand_id)
        .where(
            _own(actor),
            _offer.state.in_(WAYS),
            or_(_lead.dealer_id.is_(None), _lead.dealer_id.not_in(actor.dealers)),
            ~exists(
                select(_later.c.id).where(
                    _later.c.lead_id == _offer.lead_id,
                    _later.c.dealer_id.in_(actor.dealers),
                    tuple_(_later.c.offered_at, _later.c.id) > tuple_(_offer.offered_at, _offer.id),
                )
            ),
        )
    )


def _own(actor: Actor) -> ColumnElement[bool]:
    """Offers to the actor's dealers; a part of one brand had the leads of that brand."""
    whole = {p.dealer_id for p in actor.parts if p.dealer_id is not None and p.brand_id is None}
    of_brands = [
        and_(_offer.dealer_id == p.dealer_id, _lead.brand_id == p.brand_id)
        for p in actor.parts
        if p.dealer_id is not None and p.brand_id is not None
    ]
    return or_(_offer.dealer_id.in_(whole) if whole else false(), *of_brands)


def _asked(wanted: Wanted) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    if wanted.how:
        asked.append(_offer.state == wanted.how)
    if wanted.request_type:
        asked.append(_lead.request_type == wanted.request_type)
    if wanted.model:
        asked.append(_lead.model.icontains(wanted.model, autoescape=True))
    if wanted.since is not None:
        asked.append(_lead.created_at >= wanted.since)
    if wanted.until is not None:
        asked.append(_lead.created_at < wanted.until)
    return asked


def _stub(row: RowMapping) -> Stub:
    told: dict[str, Any] = {**row}
    return Stub(**{**told, "brand": told["brand"] or ""})
