"""Stage 1: a delivery becomes durable. Raw intake, leads and history in one transaction.

The same delivery twice is one lead: whoever inserts the delivery's key first makes the leads,
everybody else waits for that transaction and answers with what it made. The same person with the
same need is one lead too: while it is open, what they say again is joined to it.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from lmt.db import uuid7
from lmt.ingest import statements
from lmt.ingest.arrival import Arrival, Hall, Told, arrival, once_more, take
from lmt.ingest.books import Books, books, home_of
from lmt.models import Intake, Source
from lmt.scope import as_system

SAME_BODY_FOR = timedelta(days=7)
"""A delivery without any id of its sender is known by its bytes, for this long."""
_EVER = "-infinity"


class KeyReused(Exception):
    """An Idempotency-Key came again with another body."""


class SourceChanged(Exception):
    """The source is no longer what its delivery was read by; read it anew, and try again."""


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
    """The leads of a delivery; `repeated` when an earlier delivery made them.

    Those in `joined` were there before: the same customer had asked for the same. Who asked first
    may have been somebody else, so a stranger is told nothing of them.
    """

    lead_ids: tuple[uuid.UUID, ...]
    repeated: bool = False
    joined: frozenset[uuid.UUID] = frozenset()
    leads: tuple[Told, ...] = field(default=(), compare=False, repr=False)


def accept(
    session: Session,
    source: Source,
    delivery: Delivery,
    leads: Sequence[Mapping[str, Any]],
    at: datetime,
    *,
    intake: Intake | None = None,
) -> Receipt:
    """Commit the delivery and its leads (each in the shape of the API), and wake the worker.

    `intake` is the row of a delivery that is kept already: that one becomes accepted. Raises
    KeyReused, and SourceChanged with nothing kept. When this returns, nothing of the delivery can
    be lost any more.
    """
    # Whoever replays a delivery sees a part of the world; its customer is looked for in all of it.
    with as_system(session):
        home = home_of(session, source)
        arrivals = [arrival(source, home, data, at) for data in leads]
        hall = _hall(session, source, intake, at)
        claim = _claim(hall, delivery, _key(delivery), arrivals, kept=intake is not None)
        known = books(session, claim.stamp)
        if not known.holds(source):
            session.rollback()
            raise SourceChanged
        if claim.made:
            receipt = _receipt(take(hall, known, each) for each in arrivals)
            if receipt.joined:
                ids = receipt.lead_ids
                statements.point_key(hall.connection, source.id, _key(delivery), ids)
        else:
            receipt = _repeat(hall, known, delivery, arrivals, kept=intake is not None)
        if intake is not None:
            intake.status = "accepted"
        session.commit()
    return receipt


def quarantine(
    session: Session,
    source: Source,
    delivery: Delivery,
    problem: Mapping[str, Any],
    at: datetime,
) -> uuid.UUID:
    """Keep what could not be read, with why, where headquarters sees it; commits.

    `problem` is {"code": …, "errors": [{"field", "message"}]}; how the delivery is known is kept
    with it, so that it can be replayed as the same one. The same bytes again, while they wait, are
    counted and not kept twice.
    """
    kept = Jsonb({**problem, "key": delivery.key, "strict": delivery.strict})
    body_hash = delivery.body_hash
    with as_system(session):
        hall = _hall(session, source, None, at)
        intake_id = statements.count_unread(hall.connection, source.id, body_hash, kept)
        if intake_id is None:
            intake_id = hall.intake_id
            statements.keep_unread(
                hall.connection,
                id=intake_id,
                source_id=source.id,
                at=at,
                content_type=delivery.content_type[:200],
                body=delivery.body,
                body_hash=body_hash,
                problem=kept,
            )
        session.commit()
    return intake_id


def earlier(session: Session, source: Source, delivery: Delivery, at: datetime) -> Receipt | None:
    """What an earlier delivery made that was this one; None where there was none."""
    since = str(at - SAME_BODY_FOR) if delivery.key is None else _EVER
    with as_system(session):
        connection = statements.connection_of(session)
        first = statements.earlier(connection, source.id, _key(delivery), since)
    return None if first is None else _receipt_of(first)


def _hall(session: Session, source: Source, intake: Intake | None, at: datetime) -> Hall:
    connection = statements.connection_of(session)
    return Hall(session, connection, source, uuid7(at) if intake is None else intake.id, at)


def _claim(
    hall: Hall,
    delivery: Delivery,
    key: str,
    arrivals: Sequence[Arrival],
    *,
    kept: bool,
) -> statements.Claim:
    return statements.claim(
        hall.connection,
        people=[key for each in arrivals for key in each.keys],
        source_id=hall.source.id,
        key=key,
        body_hash=delivery.body_hash,
        intake_id=hall.intake_id,
        is_new=not kept,
        lead_ids=[each.id for each in arrivals],
        content_type=delivery.content_type[:200],
        body=delivery.body,
        at=hall.at,
        forgotten_before=hall.at - SAME_BODY_FOR if delivery.key is None else _EVER,
    )


def _repeat(
    hall: Hall, known: Books, delivery: Delivery, arrivals: Sequence[Arrival], *, kept: bool
) -> Receipt:
    """What the first delivery with this key made.

    Where the sender's id came again with other content, that is kept with the lead, once: one
    lead, but nothing said is lost. A sender whose numbers begin anew names somebody else by an old
    one, and that is a lead of its own.
    """
    first = statements.earlier(hall.connection, hall.source.id, _key(delivery), _EVER)
    assert first is not None
    receipt = _receipt_of(first)
    if first.body_hash == delivery.body_hash:
        return receipt
    if delivery.strict:
        raise KeyReused
    key = changed_key(_key(delivery), delivery.body_hash)
    if not _claim(hall, delivery, key, arrivals, kept=kept).made:
        again = statements.earlier(hall.connection, hall.source.id, key, _EVER)
        assert again is not None
        same = [row.id for row in again.leads] == list(receipt.lead_ids)
        return receipt if same else _receipt_of(again)
    told = [
        once_more(hall, known, lead, more)
        for lead, more in zip(first.leads, arrivals, strict=False)
    ]
    told += [take(hall, known, more) for more in arrivals[len(told) :]]
    ids = [lead.id for lead in told]
    statements.point_key(hall.connection, hall.source.id, key, ids)
    return _receipt(told, repeated=set(ids) <= set(receipt.lead_ids))


def _receipt(leads: Iterable[Told], *, repeated: bool = False) -> Receipt:
    told = tuple(leads)
    joined = frozenset(lead.id for lead in told if lead.joined)
    return Receipt(tuple(lead.id for lead in told), repeated, joined, told)


def _receipt_of(first: statements.Earlier) -> Receipt:
    leads = (Told(row.id, row.reference, row.status, joined=not row.made) for row in first.leads)
    return _receipt(leads, repeated=True)


def _key(delivery: Delivery) -> str:
    return delivery_key(delivery.key, delivery.body_hash)


def delivery_key(key: str | None, body_hash: bytes) -> str:
    """By what a delivery is known again: the key its sender named, else its bytes."""
    if key is None:
        return f"body:{body_hash.hex()}"
    # A sender's key of any length or script, in a column that stays small.
    return f"id:{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}"


def changed_key(key: str, body_hash: bytes) -> str:
    """By what the sender's id with another body is known, so that its own retries are the same
    delivery again."""
    return f"{key}:{body_hash.hex()}"
