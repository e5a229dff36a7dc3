"""The outbox: one row per cause, claimed by a lease, sent outside any transaction, retried.

A crash between sending and marking repeats a mail, under the same Message-ID.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory, uuid7, wake
from lmt.models import Event, Message
from lmt.notify.backoff import WAITS, wait_after
from lmt.notify.envelope import BadAddress, envelope
from lmt.notify.gather import gather, standing
from lmt.notify.letter import Rendered
from lmt.notify.mails import render
from lmt.notify.recheck import Turn, turn
from lmt.notify.transport import Deferred, Refused, Transport, Unavailable
from lmt.scope import SYSTEM, act_as

log = structlog.get_logger(__name__)

LEASE_SECONDS = 60
RUN_SECONDS = 20.0
"""How long one run of `send_due` goes on; the rest is for the next ring."""
LOOK_AGAIN = timedelta(seconds=30)


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
    lead_id: uuid.UUID | None = None,
    dealer_id: int | None = None,
    context: dict[str, Any] | None = None,
    at: datetime,
) -> None:
    """Put a message out as part of the caller's transaction; a cause that has one changes nothing.

    `context` holds ids and ISO instants. It leaves when due at `at` and the caller has committed.
    """
    session.execute(
        insert(Message)
        .values(
            id=uuid7(at),
            cause=cause,
            kind=kind,
            audience=audience,
            recipient=recipient,
            language=language,
            timezone=timezone,
            market_id=market_id,
            lead_id=lead_id,
            dealer_id=dealer_id,
            context=context or {},
            next_attempt_at=at,
            created_at=at,
        )
        .on_conflict_do_nothing(index_elements=["cause"])
    )
    wake(session, "outbox")


def claim(
    session: Session, at: datetime, lease_seconds: float = LEASE_SECONDS, limit: int = 1
) -> list[Claim]:
    """Take due messages that nobody else holds, and commit. An unfinished claim is due again
    when its lease ends."""
    due = session.scalars(
        select(Message)
        .where(Message.status == "queued", Message.next_attempt_at <= at)
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


def send_due(sessions: SessionFactory, settings: Settings, at: datetime) -> int:
    """Send what is due at `at`, one by one; returns how many left.

    A server that takes nothing ends the run: what it hasn't been offered keeps its turn.
    """
    sent, started = 0, time.monotonic()
    with Transport(settings) as transport:
        while (passed := time.monotonic() - started) < RUN_SECONDS:
            # Leases run in real time, so a long run must not count them from its beginning.
            now = at + timedelta(seconds=passed)
            with _as_system(sessions) as session:
                claims = claim(session, now)
            if not claims:
                break
            try:
                sent += _send(sessions, settings, transport, claims[0], now)
            except Unavailable as problem:
                _put_off(sessions, claims[0], now, str(problem))
                log.warning("outbox.unavailable", problem=str(problem))
                break
    return sent


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
        wake(session, "outbox")
    session.commit()


def _send(
    sessions: SessionFactory, settings: Settings, transport: Transport, taken: Claim, at: datetime
) -> int:
    """One message, whatever becomes of it; only Unavailable goes further."""
    if taken.attempts > len(WAITS) + 1:
        # It has taken its senders down with it each time: it must not take another.
        _finish(sessions, taken, at, status="failed", problem="never finished")
        return 0
    try:
        mail = _prepared(sessions, settings, taken, at)
        if mail is None:
            return 0
        rendered, recipient, language = mail
        transport.deliver(
            envelope(
                rendered,
                message_id=taken.id,
                sender=settings.mail_from,
                recipient=recipient,
                language=language,
                at=at,
            )
        )
    except (Refused, BadAddress) as problem:
        _finish(sessions, taken, at, status="failed", problem=str(problem))
        return 0
    except Deferred as problem:
        _put_off(sessions, taken, at, str(problem))
        return 0
    except Unavailable:
        raise
    except Exception as problem:
        log.exception("outbox.broken", message_id=str(taken.id))
        _put_off(sessions, taken, at, f"{type(problem).__name__}: {problem}")
        return 0
    _finish(sessions, taken, at, status="sent", subject=rendered.subject)
    return 1


def _prepared(
    sessions: SessionFactory, settings: Settings, taken: Claim, at: datetime
) -> tuple[Rendered, str, str] | None:
    """Mail, recipient, language; None where its turn is over or not yet come."""
    with _as_system(sessions) as session:
        message = session.scalars(select(Message).where(Message.id == taken.id)).one()
        verdict = turn(message.kind, standing(session, message, at))
        if verdict is Turn.SEND:
            facts = gather(session, message, settings, at)
            kind, recipient = message.kind, message.recipient
            language, timezone = message.language, message.timezone
    if verdict is Turn.DROP:
        _finish(sessions, taken, at, status="dropped")
        return None
    if verdict is Turn.WAIT:
        _release(sessions, taken, at + LOOK_AGAIN, attempts=taken.attempts - 1)
        return None
    mail = render(kind, facts, language=language, timezone=timezone, base_url=settings.base_url)
    return mail, recipient, language


def _put_off(sessions: SessionFactory, taken: Claim, at: datetime, problem: str) -> None:
    wait = wait_after(taken.attempts, taken.id)
    if wait is None:
        _finish(sessions, taken, at, status="failed", problem=problem)
    else:
        _release(sessions, taken, at + wait, attempts=taken.attempts, problem=problem)


def _release(
    sessions: SessionFactory, taken: Claim, next_at: datetime, *, attempts: int, problem: str = ""
) -> None:
    """Back into the queue until `next_at`, where the claim still holds."""
    with _as_system(sessions) as session:
        session.execute(
            update(Message)
            .where(Message.id == taken.id, Message.lease_token == taken.token)
            .values(
                next_attempt_at=next_at,
                attempts=attempts,
                problem=problem,
                lease_token=None,
                lease_until=None,
            )
        )
        session.commit()


def _finish(
    sessions: SessionFactory,
    taken: Claim,
    at: datetime,
    *,
    status: str,
    subject: str = "",
    problem: str = "",
) -> None:
    """The message's last state with its event, where the claim still holds; else nothing."""
    with _as_system(sessions) as session:
        message = session.scalars(select(Message).where(Message.id == taken.id)).one()
        if message.lead_id is not None and status in {"sent", "failed"}:
            session.add(
                Event(
                    id=uuid7(at),
                    lead_id=message.lead_id,
                    at=at,
                    kind="mail_sent" if status == "sent" else "mail_failed",
                    dealer_id=message.dealer_id,
                    data={"kind": message.kind, "audience": message.audience},
                )
            )
            # Before the message is touched: everybody locks the lead first.
            session.flush()
        marked = session.execute(
            update(Message)
            .where(Message.id == taken.id, Message.lease_token == taken.token)
            .values(
                status=status,
                sent_at=at if status == "sent" else None,
                subject=subject,
                problem=problem,
                lease_token=None,
                lease_until=None,
            )
            .returning(Message.id)
            .execution_options(synchronize_session=False)
        ).first()
        if marked is None:
            log.warning("outbox.lease_lost", message_id=str(taken.id))
            session.rollback()
            return
        session.commit()


@contextmanager
def _as_system(sessions: SessionFactory) -> Iterator[Session]:
    with sessions() as session:
        act_as(session, SYSTEM)
        yield session
