"""The outbox as rows: put out in the transaction of a cause, claimed by a lease, put out again."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.db import uuid7, wake
from lmt.models import DealerSystem, Message

LEASE_SECONDS = 60
SLOW = frozenset({"scheduled_report"})
"""Kinds whose mail takes seconds to make: they wait until nothing else is due."""
BELLS = {"mail": "outbox", "post": "posts"}
"""Channel → the worker's bell: a dealer's slow system never holds up a mail."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is ours until its lease ends; `attempts` counts this one."""

    id: uuid.UUID
    token: uuid.UUID
    attempts: int


def enqueue(
    session: Session,
    *,
    cause: str,
    kind: str,
    audience: str,
    recipient: str,
    language: str,
    timezone: str,
    market_id: int,
    channel: str = "mail",
    lead_id: uuid.UUID | None = None,
    dealer_id: int | None = None,
    context: dict[str, Any] | None = None,
    at: datetime,
    due_at: datetime | None = None,
) -> bool:
    """Put a message out as part of the caller's transaction; False, and nothing is changed, for a
    cause that has one.

    `context` holds ids and ISO instants. It leaves at `due_at` (None: `at`), once the caller has
    committed.
    """
    added = session.execute(
        insert(Message)
        .values(
            id=uuid7(at),
            cause=cause,
            kind=kind,
            audience=audience,
            channel=channel,
            recipient=recipient,
            language=language,
            timezone=timezone,
            market_id=market_id,
            lead_id=lead_id,
            dealer_id=dealer_id,
            context=context or {},
            next_attempt_at=due_at or at,
            created_at=at,
        )
        .on_conflict_do_nothing(index_elements=["cause"])
        .returning(Message.id)
    ).first()
    wake(session, BELLS[channel])
    return added is not None


def claim(
    session: Session,
    at: datetime,
    lease_seconds: float = LEASE_SECONDS,
    limit: int = 1,
    channel: str = "mail",
    *,
    slow: bool = False,
) -> list[Claim]:
    """Take due messages of the channel that nobody else holds, and commit. An unfinished claim is
    due again when its lease ends. `slow`: those of SLOW, which are left alone else."""
    due = session.scalars(
        select(Message)
        .where(
            Message.status == "queued",
            Message.next_attempt_at <= at,
            Message.channel == channel,
            Message.kind.in_(SLOW) if slow else Message.kind.not_in(SLOW),
        )
        .order_by(Message.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Message)
        .execution_options(populate_existing=True)
    ).all()
    lease_until = at + timedelta(seconds=lease_seconds)
    for message in due:
        message.lease_token = uuid.uuid4()
        message.lease_until = message.next_attempt_at = lease_until
        message.attempts += 1
    claims = [Claim(m.id, m.lease_token, m.attempts) for m in due if m.lease_token]
    session.commit()
    return claims


def next_due(session: Session, at: datetime) -> datetime | None:
    """When the next message wants to leave, `at` at the earliest; None while none waits."""
    earliest = session.scalars(
        select(func.min(Message.next_attempt_at)).where(Message.status == "queued")
    ).one()
    return None if earliest is None else max(earliest, at)


def resend(session: Session, message_id: uuid.UUID, at: datetime) -> None:
    """Put a message out once more, from its first attempt, under its old Message-ID; commits.

    One that is being sent right now is left alone. Raises LookupError where none is visible.
    """
    message = session.scalars(
        select(Message)
        .where(Message.id == message_id)
        .with_for_update(of=Message)
        .execution_options(populate_existing=True)
    ).first()
    if message is None:
        raise LookupError(f"no message {message_id}")
    in_flight = message.lease_until is not None and message.lease_until > at
    if not (message.status == "queued" and in_flight):
        message.status, message.attempts, message.next_attempt_at = "queued", 0, at
        message.lease_token = message.lease_until = message.sent_at = None
        message.problem = ""
        _to_the_system_of_now(session, message)
        wake(session, BELLS[message.channel])
    session.commit()


def _to_the_system_of_now(session: Session, message: Message) -> None:
    """A dealer may have named another system since the message failed at the old one."""
    if message.kind == "adf" and message.dealer_id is not None:
        system = session.get(DealerSystem, message.dealer_id)
        if system is not None:
            message.channel, message.recipient = system.transport, system.address
