"""Stage 1: a delivery becomes durable. Raw intake, leads and history in one transaction.

The same delivery twice is one lead: whoever inserts the delivery's key first makes the leads,
everybody else waits for that transaction and answers with what it made.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.db import uuid7, wake
from lmt.ingest.customers import meet
from lmt.ingest.leadinput import LeadInput
from lmt.ingest.leadrow import lead_of
from lmt.ingest.normalise import understand
from lmt.lifecycle import WITH_DEALER
from lmt.models import DeliveryKey, Intake, Lead, Source, record
from lmt.notify.recipients import terms_of
from lmt.notify.service import tell_dealer_asked_again

SAME_BODY_FOR = timedelta(days=7)
"""A delivery without any id of its sender is known by its bytes, for this long."""


class KeyReused(Exception):
    """An Idempotency-Key came again with another body."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrived: raw bytes, and the key its sender named (None: known by its bytes)."""

    body: bytes
    content_type: str = ""
    key: str | None = None
    strict: bool = False
    """True for an Idempotency-Key: the same key with other bytes is an error of the caller's."""

    @property
    def body_hash(self) -> bytes:
        return hashlib.sha256(self.body).digest()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The leads of a delivery; `repeated` when an earlier delivery made them."""

    lead_ids: tuple[uuid.UUID, ...]
    repeated: bool = False


def accept(
    session: Session,
    source: Source,
    delivery: Delivery,
    leads: Sequence[Mapping[str, Any]],
    at: datetime,
) -> Receipt:
    """Commit the delivery and its leads (each in the shape of the API), and wake the worker.

    Raises KeyReused. When this returns, nothing of the delivery can be lost any more.
    """
    if earlier := _earlier(session, source, delivery, at):
        session.commit()
        return earlier
    intake = _intake(source, delivery, at, "accepted", {})
    session.add(intake)
    session.flush()
    people = [understand(d, country=source.country, language=source.language) for d in leads]
    meet(session, people)
    rows = [_lead(session, source, intake, given, at) for given in people]
    key = session.get_one(DeliveryKey, (source.id, _key(delivery)))
    key.intake_id, key.lead_ids = intake.id, [row.id for row in rows]
    wake(session, "leads")
    session.commit()
    return Receipt(tuple(row.id for row in rows))


def quarantine(
    session: Session,
    source: Source,
    delivery: Delivery,
    problem: Mapping[str, Any],
    at: datetime,
) -> uuid.UUID:
    """Keep what could not be read, with why, where headquarters sees it; commits.

    `problem` is {"code": …, "errors": [{"field", "message"}]}.
    """
    intake = _intake(source, delivery, at, "quarantined", dict(problem))
    session.add(intake)
    session.commit()
    return intake.id


def _earlier(session: Session, source: Source, delivery: Delivery, at: datetime) -> Receipt | None:
    """Claim the delivery's key, or answer with what its first delivery made."""
    key = _key(delivery)
    claim = insert(DeliveryKey).values(
        source_id=source.id,
        key=key,
        body_hash=delivery.body_hash,
        intake_id=uuid.UUID(int=0),
        lead_ids=[],
        created_at=at,
    )
    if delivery.key is None:
        claim = claim.on_conflict_do_update(
            index_elements=["source_id", "key"],
            set_={"created_at": at},
            where=DeliveryKey.created_at < at - SAME_BODY_FOR,
        )
    else:
        claim = claim.on_conflict_do_nothing()
    if session.execute(claim.returning(DeliveryKey.key)).first() is not None:
        return None
    first = session.get_one(DeliveryKey, (source.id, key))
    if first.body_hash != delivery.body_hash:
        if delivery.strict:
            raise KeyReused
        _keep_other_version(session, source, delivery, first, at)
    return Receipt(tuple(first.lead_ids), repeated=True)


def _keep_other_version(
    session: Session, source: Source, delivery: Delivery, first: DeliveryKey, at: datetime
) -> None:
    """The sender's id came again with other content: one lead, but nothing said is lost."""
    intake = _intake(source, delivery, at, "accepted", {"code": "resent"})
    session.add(intake)
    for lead in session.scalars(select(Lead).where(Lead.id.in_(first.lead_ids))):
        record(session, lead.id, "asked_again", at=at, intake_id=str(intake.id))
        if lead.dealer_id is not None and lead.status in WITH_DEALER:
            tell_dealer_asked_again(session, lead, terms_of(session, lead.dealer_id, at), at)


def _lead(session: Session, source: Source, intake: Intake, given: LeadInput, at: datetime) -> Lead:
    lead = lead_of(session, source, given, at)
    lead.intake_id = intake.id
    session.add(lead)
    session.flush()
    record(
        session,
        lead.id,
        "received",
        at=at,
        channel=source.kind,
        source=source.code,
        problems=[{"field": p.field, "code": p.code} for p in given.problems],
    )
    return lead


def _intake(
    source: Source, delivery: Delivery, at: datetime, status: str, problem: dict[str, Any]
) -> Intake:
    return Intake(
        id=uuid7(at),
        source_id=source.id,
        received_at=at,
        content_type=delivery.content_type[:200],
        body=delivery.body,
        body_hash=delivery.body_hash,
        status=status,
        problem=problem,
    )


def _key(delivery: Delivery) -> str:
    if delivery.key is None:
        return f"body:{delivery.body_hash.hex()}"
    # A sender's key of any length or script, in a column that stays small.
    return f"id:{hashlib.sha256(delivery.key.encode('utf-8', 'replace')).hexdigest()}"


def leads_of(session: Session, receipt: Receipt) -> list[Lead]:
    """The rows of a receipt, in the order of the delivery."""
    found = session.scalars(select(Lead).where(Lead.id.in_(receipt.lead_ids)))
    rows = {row.id: row for row in found}
    return [rows[lead_id] for lead_id in receipt.lead_ids if lead_id in rows]
