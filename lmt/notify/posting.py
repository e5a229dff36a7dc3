"""Leads leave for dealers' own systems by HTTP: claimed like mails, in a run of their own.

A crash between the answer and its mark repeats a request under the same `webhook-id`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from sqlalchemy import select

from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.models import DealerSystem, Message, note_change
from lmt.notify.adfout import CONTENT_TYPE
from lmt.notify.backoff import WAITS
from lmt.notify.gather import standing
from lmt.notify.messages import LEASE_SECONDS, Claim, claim
from lmt.notify.outbox import LOOK_AGAIN, as_system, finish, put_off, release
from lmt.notify.postanswer import PostAnswer, Verdict, post_answer
from lmt.notify.recheck import Turn, turn
from lmt.notify.systemmails import tell_system_off
from lmt.notify.systems import system_of, system_post
from lmt.outside import Answer, Outside, OutsideError
from lmt.sealing import Broken, unseal

log = structlog.get_logger(__name__)

RUN_SECONDS = 20.0
TIMEOUT_SECONDS = 15.0
MOST_ANSWERED_BYTES = 64 * 1024
SILENT_FOR = timedelta(minutes=1)
"""How long the other leads of a machine that gave no answer wait for their own try."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request that is ready: its id is the same on every try."""

    url: str
    headers: dict[str, str]
    body: bytes


def post_due(
    sessions: SessionFactory, settings: Settings, at: datetime, outside: Outside | None = None
) -> int:
    """Post what is due at `at`, one by one; returns how many were taken."""
    door = outside or Outside(settings.private_targets)
    taken, silent, started = 0, set[str](), time.monotonic()
    while (passed := time.monotonic() - started) < RUN_SECONDS:
        # Leases run in real time, so a long run must not count them from its beginning.
        now = at + timedelta(seconds=passed)
        with as_system(sessions) as session:
            claims = claim(session, now, LEASE_SECONDS, channel="post")
        if not claims:
            break
        try:
            taken += _post(sessions, settings, door, claims[0], silent, now)
        except Exception as problem:
            log.exception("posts.broken", message_id=str(claims[0].id))
            put_off(sessions, claims[0], now, type(problem).__name__)
    return taken


def posted(door: Outside, request: Prepared, at: datetime) -> tuple[PostAnswer, Answer | None]:
    """Ask once. No answer is one to be had later, but for an address that may not be asked."""
    try:
        answer = door.ask(
            "POST",
            request.url,
            timeout_seconds=TIMEOUT_SECONDS,
            headers=request.headers,
            content=request.body,
            most_bytes=MOST_ANSWERED_BYTES,
        )
    except OutsideError as problem:
        verdict = Verdict.REFUSED if problem.code == "refused" else Verdict.LATER
        return PostAnswer(verdict, problem.code), None
    return post_answer(answer.status, answer.headers, at), answer


def prepared(system: DealerSystem, secret_key: str, id: str, body: bytes) -> Prepared:
    """Raises Broken where the sealed header can't be read."""
    headers = {
        "Content-Type": CONTENT_TYPE,
        "User-Agent": "LMT",
        "webhook-id": id,
    }
    if sealed := system.secrets.get("authorization"):
        headers["Authorization"] = unseal(secret_key, str(sealed))
    return Prepared(system.address, headers, body)


def _post(
    sessions: SessionFactory,
    settings: Settings,
    door: Outside,
    taken: Claim,
    silent: set[str],
    at: datetime,
) -> int:
    if taken.attempts > len(WAITS) + 1:
        # It has taken its senders down with it each time: it must not take another.
        finish(sessions, taken, at, status="failed", problem="never finished")
        return 0
    try:
        request = _prepared(sessions, settings, taken, at)
    except Broken:
        finish(sessions, taken, at, status="failed", problem="authorization can't be read")
        return 0
    if request is None:
        return 0
    host = urlsplit(request.url).hostname or ""
    if host in silent:
        release(sessions, taken, at + SILENT_FOR, attempts=taken.attempts - 1, problem="waits")
        return 0
    began = time.monotonic()
    said, answer = posted(door, request, at)
    now = at + timedelta(seconds=time.monotonic() - began)
    if answer is None and said.verdict is Verdict.LATER:
        silent.add(host)
    match said.verdict:
        case Verdict.TAKEN:
            finish(sessions, taken, now, status="sent", subject=said.problem)
            return 1
        case Verdict.LATER:
            put_off(sessions, taken, now, said.problem, least=said.wait)
        case Verdict.REFUSED:
            finish(sessions, taken, now, status="failed", problem=said.problem)
        case Verdict.GONE:
            _switch_off(sessions, taken, request.url, now)
            finish(sessions, taken, now, status="failed", problem=said.problem)
    return 0


def _prepared(
    sessions: SessionFactory, settings: Settings, taken: Claim, at: datetime
) -> Prepared | None:
    """The request; None where its turn is over or not yet come."""
    with as_system(sessions) as session:
        message = session.scalars(select(Message).where(Message.id == taken.id)).one()
        system = system_of(session, message.dealer_id)
        now = replace(standing(session, message, at), has_system=system is not None)
        verdict = turn(message.kind, now)
        if verdict is Turn.SEND and system is not None:
            body = system_post(session, message, settings, at)
            return prepared(system, settings.secret_key, str(message.id), body)
    if verdict is Turn.WAIT:
        release(sessions, taken, at + LOOK_AGAIN, attempts=taken.attempts - 1)
    else:
        finish(sessions, taken, at, status="dropped")
    return None


def _switch_off(sessions: SessionFactory, taken: Claim, url: str, at: datetime) -> None:
    """What stands at `url` said that it is gone: it is asked no more, and headquarters knows. Not
    where somebody has named another address meanwhile."""
    with as_system(sessions) as session:
        message = session.scalars(select(Message).where(Message.id == taken.id)).one()
        system = session.scalars(
            select(DealerSystem)
            .where(
                DealerSystem.dealer_id == message.dealer_id,
                DealerSystem.active,
                DealerSystem.address == url,
            )
            .with_for_update()
        ).first()
        if system is None or message.dealer is None:
            return
        system.active = False
        note_change(
            session,
            "dealer_system",
            message.dealer.code,
            at=at,
            user_id=None,
            before={"active": True},
            after={"active": False, "cause": "HTTP 410"},
        )
        tell_system_off(session, message, at)
        session.commit()
    log.warning("posts.system_gone", message_id=str(taken.id))
