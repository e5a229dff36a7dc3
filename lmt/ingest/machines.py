"""What machines that deliver leads meet: keys, idempotency, answers, and errors as problem+json."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Response, current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from lmt import clock, i18n, pipeline, web
from lmt.errors import words
from lmt.i18n import gettext as _
from lmt.ingest.accept import Delivery, KeyReused, Receipt, SourceChanged
from lmt.ingest.arrival import Told
from lmt.ingest.door import Leads, Paused, Quarantined, receive
from lmt.ingest.keys import source_of_key
from lmt.lifecycle import Status
from lmt.lookahead import look_ahead_all
from lmt.models import Lead, RoutingDecision, Source
from lmt.notify.recipients import terms_of
from lmt.scope import SYSTEM, act_as

Reads = Callable[[bytes], Leads]

LONGEST_WAIT_SECONDS = 30
POLL_SECONDS = 0.02


class Problem(Exception):
    """An error as RFC 9457 wants it: a code for programs, words for people, fields to mend."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[Mapping[str, str]] = (),
        **extra: Any,
    ):
        super().__init__(code)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.extra = [dict(error) for error in errors], extra


class Kept(Problem):
    """No error of anybody's: the source rests, and what it sent is taken in when it goes on."""

    def __init__(self, intake_id: uuid.UUID):
        super().__init__(202, "kept", _("The lead was kept; its source is paused."))
        self.intake_id = intake_id


def answer_problem(problem: Problem) -> Response:
    """`application/problem+json`, the detail in the caller's language."""
    if isinstance(problem, Kept):
        kept = jsonify({"status": "kept", "intake": str(problem.intake_id)})
        kept.status_code = problem.status
        return kept
    body = {
        "type": f"urn:lmt:problem:{problem.code}",
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "errors": problem.errors,
        **problem.extra,
    }
    answer = jsonify(body)
    answer.status_code, answer.mimetype = problem.status, "application/problem+json"
    if problem.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if problem.status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def answer_anew(_changed: SourceChanged) -> ResponseReturnValue:
    """The source was changed a moment ago: the same request once more, from its beginning."""
    try:
        return current_app.dispatch_request()
    except Exception as problem:
        return current_app.handle_user_exception(problem)


def answer_http_error(problem: HTTPException) -> Response:
    """Werkzeug's own errors (404, 405, 413 …) in the same shape."""
    code = (problem.name or "error").lower().replace(" ", "_")
    title, _what_to_do = words(problem)
    answer = answer_problem(Problem(problem.code or 500, code, title))
    for name, value in problem.get_headers():
        if name in {"Allow", "Retry-After"}:
            answer.headers[name] = value
    return answer


def system_session() -> Session:
    """The request's session, acting for the installation: machines have no account."""
    return act_as(web.open_session(), SYSTEM)


def authenticate(session: Session, *kinds: str, remembered: bool = False) -> Source:
    """The source whose key the request carries; its language is the answer's, unless it asks.

    `remembered`: without asking the database, for a delivery that `take_in` takes in next.
    """
    header = request.headers.get("Authorization", "")
    source = source_of_key(session, header, *kinds, remembered=remembered)
    if source is None:
        raise Problem(401, "unauthorized", _("Send the key of an active source as a bearer token."))
    if not request.accept_languages and source.language:
        i18n.set_reader(source.language, "UTC")
    return source


def take_in(
    session: Session, source: Source, delivery: Delivery, read: Reads
) -> tuple[Receipt, Sequence[Told]]:
    """Receive a delivery and answer its errors; what couldn't be read is kept all the same.

    Raises Problem, and Kept where the source is paused.
    """
    try:
        receipt = receive(session, source, delivery, read, clock.now())
    except KeyReused as problem:
        detail = _("This Idempotency-Key was used for another body.")
        raise Problem(422, "key_reused", detail) from problem
    except Paused as problem:
        raise Kept(problem.intake_id) from problem
    except Quarantined as problem:
        if problem.code == "failed":
            detail = _("The lead was kept, but could not be taken in; a person will look at it.")
        else:
            detail = _("The lead could not be read. It was kept, and can be mended.")
        status = 500 if problem.code == "failed" else 422
        raise Problem(
            status, problem.code, detail, problem.errors, intake=str(problem.intake_id)
        ) from problem
    return receipt, receipt.leads


def once(read: Reads) -> Reads:
    """The same reader for one request: asked for the same body again, it says the same again."""
    said: dict[bytes, Leads | Exception] = {}

    def read_once(body: bytes) -> Leads:
        if body not in said:
            try:
                said[body] = read(body)
            except Exception as problem:
                said[body] = problem
        answer = said[body]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return read_once


def delivery_of_request(sender_id: str = "") -> Delivery:
    """The body as it came; known by its Idempotency-Key, else by its sender's own id."""
    body = request.get_data(cache=True)
    key = request.headers.get("Idempotency-Key", "").strip().strip('"')
    return Delivery(
        body=body,
        content_type=request.content_type or "",
        key=f"key:{key}" if key else (f"own:{sender_id}" if sender_id else None),
        strict=bool(key),
    )


def sender_id(read: Reads, body: bytes) -> str:
    """The sender's own id, where the body names exactly one lead; "" where it can't be read."""
    try:
        leads = read(body)
    except Exception:
        return ""
    return str(leads[0].get("id") or "") if len(leads) == 1 else ""


def wait_seconds() -> float:
    """How long the caller wants to wait for the result: `Prefer: wait=5` (RFC 7240)."""
    for preference in request.headers.get("Prefer", "").split(","):
        name, _separator, value = preference.strip().partition("=")
        if name.lower() == "wait" and value.strip().isdecimal():
            return min(int(value.strip()[:9]), LONGEST_WAIT_SECONDS)
    return 0


def wait_for(session: Session, leads: Sequence[Told], seconds: float) -> bool:
    """Route the leads now, or wait while somebody else does; False where time or room ran out."""
    received = [lead.id for lead in leads if lead.status == Status.RECEIVED]
    if not received:
        return True
    waiting = web.installation().waiting
    if not seconds or not waiting.acquire(blocking=False):
        return False
    try:
        until = time.monotonic() + seconds
        session.commit()
        look_ahead_all(web.installation().sessions, web.settings(), received, clock.now())
        return all(_routed(session, lead_id, until) for lead_id in received)
    finally:
        waiting.release()


def _routed(session: Session, lead_id: uuid.UUID, until: float) -> bool:
    while True:
        pipeline.advance(web.installation().sessions, lead_id, clock.now())
        status = session.scalars(select(Lead.status).where(Lead.id == lead_id)).one()
        session.commit()
        if status != Status.RECEIVED:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)


def as_json(lead: Told, *, repeated: bool = False) -> dict[str, Any]:
    """What a sender may know of its lead at once."""
    answer: dict[str, Any] = {
        "id": str(lead.id),
        "reference": lead.reference,
        "status": lead.status,
        "status_url": web.settings().base_url + url_for("api.lead_status", lead_id=lead.id),
    }
    if repeated:
        answer["repeated"] = True
    if lead.joined:
        answer["asked_again"] = True
    return answer


def with_result(session: Session, lead: Told, *, repeated: bool = False) -> dict[str, Any]:
    """The same as it stands now, and what routing made of it."""
    status = session.scalars(select(Lead.status).where(Lead.id == lead.id)).one()
    decision = session.scalars(
        select(RoutingDecision)
        .where(RoutingDecision.lead_id == lead.id)
        .order_by(RoutingDecision.at.desc(), RoutingDecision.id.desc())
        .limit(1)
    ).first()
    dealer = None
    if decision is not None and decision.dealer is not None:
        terms = terms_of(session, decision.dealer.id, decision.at)
        dealer = {
            "code": decision.dealer.code,
            "name": terms.name,
            "distance_km": decision.result.get("distance_km"),
        }
    respond_by = decision.result.get("respond_by") if decision is not None else None
    return as_json(replace(lead, status=status), repeated=repeated) | {
        "dealer": dealer,
        "respond_by": respond_by,
        "decision": None
        if decision is None
        else {
            "at": decision.at.isoformat(),
            "how": decision.result.get("how") or None,
            "cause": decision.cause or None,
            "policy_version": decision.result.get("policy_version"),
        },
    }
