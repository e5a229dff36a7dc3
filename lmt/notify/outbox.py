"""The outbox: one row per cause, claimed by a lease, sent outside any transaction, retried.

A crash between sending and marking repeats a mail, under the same Message-ID.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory, uuid7
from lmt.links import reply_address
from lmt.models import Event, Message, Outage
from lmt.notify.backoff import WAITS, wait_after
from lmt.notify.envelope import BadAddress, File, envelope
from lmt.notify.facts import MailFacts
from lmt.notify.gather import attachments, gather, standing
from lmt.notify.mails import render
from lmt.notify.messages import LEASE_SECONDS, SLOW, Claim, claim, enqueue, next_due, resend
from lmt.notify.mutes import unsubscribe_link
from lmt.notify.proofs import PROOF_KIND, proof
from lmt.notify.recheck import Turn, turn
from lmt.notify.systems import SYSTEM_KIND, system_mail, system_of
from lmt.notify.taps import with_taps
from lmt.notify.texts import text_in_force
from lmt.notify.transport import Deferred, Refused, Transport, Unavailable
from lmt.notify.words import chosen
from lmt.offerclock import start_clock
from lmt.outages import mail_fails, mail_works
from lmt.scope import SYSTEM, act_as

__all__ = [
    "LEASE_SECONDS",
    "Claim",
    "as_system",
    "claim",
    "enqueue",
    "finish",
    "mail_outage",
    "next_due",
    "put_off",
    "release",
    "resend",
    "send_due",
]

log = structlog.get_logger(__name__)

RUN_SECONDS = 20.0
"""How long one run of `send_due` goes on; the rest is for the next ring."""
SLOW_LEASE_SECONDS = 600
"""How long whoever makes a slow mail may take."""
LOOK_AGAIN = timedelta(seconds=30)
STARTS_CLOCK = frozenset({"dealer_new_lead", "dealer_handed_over"})
"""Kinds whose sending begins the clock of the offer that they tell of."""
OF_A_PERSON = frozenset({"customer_reply"})
"""Letters that somebody wrote: not marked as automatic, or programs would file them as such."""
_EVENTS = {
    (False, "sent"): "mail_sent",
    (False, "failed"): "mail_failed",
    (True, "sent"): "system_told",
    (True, "failed"): "system_failed",
}
"""(to a dealer's own system?, how it ended) → what the lead's history says."""

Made = tuple[MailFacts, list[File]]
Makers = Mapping[str, Callable[[Session, Message, Settings, datetime], Made | None]]
"""Kind of SLOW → what its mail tells and what goes with it; None where it is no longer true."""


def send_due(
    sessions: SessionFactory, settings: Settings, at: datetime, makers: Makers | None = None
) -> int:
    """Send what is due at `at`, one by one; returns how many left.

    A server that takes nothing ends the run: what it hasn't been offered keeps its turn. What is
    made by `makers` waits for a run that has them, and there until nothing else is due.
    """
    sent, started = 0, time.monotonic()
    with Transport(settings) as transport:
        while (passed := time.monotonic() - started) < RUN_SECONDS:
            # Leases run in real time, so a long run must not count them from its beginning.
            now = at + timedelta(seconds=passed)
            with as_system(sessions) as session:
                claims = claim(session, now)
                if not claims and makers:
                    claims = claim(session, now, SLOW_LEASE_SECONDS, slow=True)
            if not claims:
                break
            try:
                left = _send(sessions, settings, transport, claims[0], now, makers or {})
            except Unavailable as problem:
                put_off(sessions, claims[0], now, str(problem))
                with as_system(sessions) as session:
                    mail_fails(session, now)
                    session.commit()
                log.warning("outbox.unavailable", problem=str(problem))
                break
            if left and not sent:
                _server_takes_mail(sessions, now)
            sent += left
    return sent


def mail_outage(session: Session, at: datetime) -> tuple[datetime, datetime | None] | None:
    """Since when the server has taken nobody's mail, and until when; None for the end while it
    goes on at `at`. The latest outage; None where there was none yet."""
    outage = session.scalars(
        select(Outage)
        .where(Outage.kind == "mail", Outage.began_at <= at)
        .order_by(Outage.began_at.desc(), Outage.id.desc())
        .limit(1)
    ).first()
    if outage is None:
        return None
    goes_on = outage.ended_at == outage.began_at or outage.ended_at > at
    return outage.began_at, None if goes_on else outage.ended_at


def _server_takes_mail(sessions: SessionFactory, at: datetime) -> None:
    """Where it took none before: offers get their time back, and what was put off for the server
    alone is tried at once."""
    with as_system(sessions) as session:
        outage = mail_works(session, at)
        if outage is not None:
            waiting = (
                select(Message.id)
                .where(
                    Message.status == "queued",
                    Message.lease_until.is_(None),
                    Message.channel == "mail",
                    Message.problem != "",
                    Message.next_attempt_at > at,
                )
                .with_for_update(skip_locked=True, of=Message)
            )
            session.execute(
                update(Message)
                .where(Message.id.in_(waiting.scalar_subquery()))
                .values(next_attempt_at=at)
                .execution_options(synchronize_session=False)
            )
            log.info("outbox.available", since=outage.began_at.isoformat())
        session.commit()


def _send(
    sessions: SessionFactory,
    settings: Settings,
    transport: Transport,
    taken: Claim,
    at: datetime,
    makers: Makers,
) -> int:
    """One message, whatever becomes of it; only Unavailable goes further."""
    if taken.attempts > len(WAITS) + 1:
        # It has taken its senders down with it each time: it must not take another.
        finish(sessions, taken, at, status="failed", problem="never finished")
        return 0
    try:
        mail = _prepared(sessions, settings, taken, at, makers)
        if mail is None:
            return 0
        transport.deliver(mail)
    except (Refused, BadAddress) as problem:
        finish(sessions, taken, at, status="failed", problem=str(problem))
        return 0
    except Deferred as problem:
        put_off(sessions, taken, at, str(problem))
        return 0
    except Unavailable:
        raise
    except Exception as problem:
        log.exception("outbox.broken", message_id=str(taken.id))
        put_off(sessions, taken, at, f"{type(problem).__name__}: {problem}")
        return 0
    finish(sessions, taken, at, status="sent", subject=str(mail["Subject"]))
    return 1


def _prepared(
    sessions: SessionFactory, settings: Settings, taken: Claim, at: datetime, makers: Makers
) -> EmailMessage | None:
    """The mail; None where its turn is over or not yet come. Raises BadAddress."""
    with as_system(sessions) as session:
        message = session.scalars(select(Message).where(Message.id == taken.id)).one()
        now = standing(session, message, at)
        language, unsubscribe, made = message.language, "", None
        if message.kind == SYSTEM_KIND:
            now = replace(now, has_system=system_of(session, message.dealer_id) is not None)
        verdict = turn(message.kind, now)
        if message.kind in SLOW:
            made = makers[message.kind](session, message, settings, at)
            verdict = Turn.DROP if made is None else Turn.SEND
        if verdict is Turn.SEND:
            if message.kind == SYSTEM_KIND:
                mail, files = system_mail(session, message, settings, at)
            elif message.kind == PROOF_KIND:
                mail, files = proof(session, message, settings, at), []
            else:
                in_force = text_in_force(session, message.kind, message.market_id)
                language, words = chosen(in_force, message.language)
                if made is None:
                    facts = gather(session, message, settings, at)
                    facts = with_taps(session, message, facts, settings, at)
                    files = attachments(session, message, settings, at)
                else:
                    facts, files = made
                unsubscribe = unsubscribe_link(settings, message, at)
                session.commit()
    if verdict is Turn.DROP:
        finish(sessions, taken, at, status="dropped")
        return None
    if verdict is Turn.WAIT:
        next_at = now.at_work_at or at + LOOK_AGAIN
        release(sessions, taken, next_at, attempts=taken.attempts - 1)
        return None
    # Programs answer nothing, and headquarters' mails are of no single lead.
    told = message.kind != SYSTEM_KIND and message.audience in {"customer", "dealer"}
    reply_to = reply_address(settings, taken.id) if told and message.lead_id else ""
    if message.kind not in {SYSTEM_KIND, PROOF_KIND}:
        mail = render(
            message.kind,
            replace(facts, answerable=bool(reply_to)),
            words=words,
            language=language,
            timezone=message.timezone,
            base_url=settings.base_url,
        )
    return envelope(
        mail,
        message_id=taken.id,
        sender=settings.mail_from,
        recipient=message.recipient,
        language=language,
        at=at,
        files=files,
        reply_to=reply_to,
        by_a_person=message.kind in OF_A_PERSON,
        unsubscribe=unsubscribe,
    )


def put_off(
    sessions: SessionFactory,
    taken: Claim,
    at: datetime,
    problem: str,
    *,
    least: timedelta = timedelta(0),
) -> None:
    """Try again later, at the soonest after `least`; where it was tried often enough, it failed."""
    wait = wait_after(taken.attempts, taken.id)
    if wait is None:
        finish(sessions, taken, at, status="failed", problem=problem)
    else:
        release(sessions, taken, at + max(wait, least), attempts=taken.attempts, problem=problem)


def release(
    sessions: SessionFactory, taken: Claim, next_at: datetime, *, attempts: int, problem: str = ""
) -> None:
    """Back into the queue until `next_at`, where the claim still holds."""
    with as_system(sessions) as session:
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


def finish(
    sessions: SessionFactory,
    taken: Claim,
    at: datetime,
    *,
    status: str,
    subject: str = "",
    problem: str = "",
) -> None:
    """The message's last state with its event, where the claim still holds; else nothing."""
    with as_system(sessions) as session:
        message = session.scalars(select(Message).where(Message.id == taken.id)).one()
        if status == "sent" and message.kind in STARTS_CLOCK:
            # Its offer runs from the instant at which the dealer could know of it.
            start_clock(session, uuid.UUID(message.context["offer_id"]), at)
        if message.lead_id is not None and status in {"sent", "failed"}:
            session.add(
                Event(
                    id=uuid7(at),
                    lead_id=message.lead_id,
                    at=at,
                    kind=_EVENTS[message.kind == SYSTEM_KIND, status],
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
def as_system(sessions: SessionFactory) -> Iterator[Session]:
    with sessions() as session:
        act_as(session, SYSTEM)
        yield session
