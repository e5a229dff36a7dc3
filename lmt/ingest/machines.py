"""What machines that deliver leads meet: keys, idempotency, answers, and errors as problem+json."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from lmt import clock, i18n, pipeline, web
from lmt.errors import words
from lmt.i18n import gettext as _
from lmt.ingest.accept import Delivery, KeyReused, Receipt, leads_of
from lmt.ingest.door import Leads, Quarantined, receive
from lmt.ingest.keys import source_of_key
from lmt.lifecycle import Status
from lmt.lookahead import look_ahead_all
from lmt.models import Lead, RoutingDecision, Source
from lmt.notify.recipients import terms_of
from lmt.scope import SYSTEM, act_as

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


def answer_problem(problem: Problem) -> Response:
    """`application/problem+json`, the detail in the caller's language."""
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


def authenticate(session: Session, *kinds: str) -> Source:
    """The source whose key the request carries; its language is the answer's, unless it asks."""
    source = source_of_key(session, request.headers.get("Authorization", ""), *kinds)
    if source is None:
        raise Problem(401, "unauthorized", _("Send the key of an active source as a bearer token."))
    if not request.accept_languages and source.language:
        i18n.set_reader(source.language, "UTC")
    return source


def take_in(
    session: Session, source: Source, delivery: Delivery, read: Any
) -> tuple[Receipt, list[Lead]]:
    """Receive a delivery and answer its errors; what couldn't be read is kept all the same."""
    try:
        receipt = receive(session, source, delivery, read, clock.now())
    except KeyReused as problem:
        detail = _("This Idempotency-Key was used for another body.")
        raise Problem(422, "key_reused", detail) from problem
    except Quarantined as problem:
        if problem.code == "failed":
            detail = _("The lead was kept, but could not be taken in; a person will look at it.")
        else:
            detail = _("The lead could not be read. It was kept, and can be mended.")
        status = 500 if problem.code == "failed" else 422
        raise Problem(
            status, problem.code, detail, problem.errors, intake=str(problem.intake_id)
        ) from problem
    return receipt, leads_of(session, receipt)


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


def sender_id(read: Any, body: bytes) -> str:
    """The sender's own id, where the body names exactly one lead; "" where it can't be read."""
    try:
        leads: Leads = read(body)
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


def wait_for(session: Session, leads: Sequence[Lead], seconds: float) -> bool:
    """Route the leads now, or wait while somebody else does; False where time or room ran out."""
    if all(lead.status != Status.RECEIVED for lead in leads):
        return True
    waiting = web.installation().waiting
    if not seconds or not waiting.acquire(blocking=False):
        return False
    try:
        until = time.monotonic() + seconds
        received = [lead.id for lead in leads if lead.status == Status.RECEIVED]
        session.commit()
        look_ahead_all(web.installation().sessions, web.settings(), received, clock.now())
        return all(_routed(session, lead, until) for lead in leads)
    finally:
        waiting.release()


def _routed(session: Session, lead: Lead, until: float) -> bool:
    while True:
        pipeline.advance(web.installation().sessions, lead.id, clock.now())
        session.refresh(lead)
        session.commit()
        if lead.status != Status.RECEIVED:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)


def as_json(lead: Lead, *, repeated: bool = False) -> dict[str, Any]:
    """What a sender may know of its lead at once."""
    answer: dict[str, Any] = {
        "id": str(lead.id),
        "reference": lead.reference,
        "status": lead.status,
        "status_url": web.settings().base_url + url_for("api.lead_status", lead_id=lead.id),
    }
    return answer | {"repeated": True} if repeated else answer


def with_result(session: Session, lead: Lead, *, repeated: bool = False) -> dict[str, Any]:
    """The same, and what routing made of it."""
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
    return as_json(lead, repeated=repeated) | {
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
