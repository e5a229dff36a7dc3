"""What a dealer's own system reports of a lead, by the verbs of the desk: taken, declined, sold."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt import clock, i18n
from lmt.api.leads import blueprint
from lmt.api.statusreport import ReportSchema, StatusReport, report_of
from lmt.api.statusverbs import Refused, carry_out, reported_before
from lmt.i18n import gettext as _
from lmt.ingest.keys import key_hash
from lmt.ingest.machines import Problem, system_session
from lmt.ingest.schemas import errors_as_list
from lmt.lifecycle import WITH_DEALER
from lmt.models import DealerSystem, Lead, Offer, Outcome, PlannedAction
from lmt.notify.recipients import terms_of
from lmt.notify.systems import lead_document
from lmt.web import settings

_LEAD = {
    "name": "lead",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The lead's id, or its reference such as K7QF-2M9D.",
}
_REFUSALS = {
    "401": {"description": "No running system of a dealer has this key"},
    "404": {"description": "This dealer has not been given such a lead"},
}


@blueprint.post("/leads/<lead>/status")
@blueprint.doc(
    summary="Report what became of a lead, as the dealer's own system",
    security=[{"key": []}],
    parameters=[_LEAD],
    requestBody={"required": True, "content": {"application/json": {"schema": ReportSchema}}},
    responses={
        "200": {"description": "Done; `repeated` where it was known already"},
        **_REFUSALS,
        "409": {"description": "Too late, or no step from where the lead stands; says what it is"},
        "422": {"description": "Nothing was changed; `errors` names the fields"},
    },
)
def report_status(lead: str) -> ResponseReturnValue:
    """The same report twice changes nothing."""
    session, system = _authenticated()
    found, offer = _lead_of(session, system, lead)
    now = clock.now()
    report = _report(found, now)
    lead_id, dealer_id = found.id, system.dealer_id
    repeated = reported_before(session, lead_id, dealer_id, report.digest)
    if not repeated:
        try:
            carry_out(session, lead_id, dealer_id, report, now)
        except Refused as refused:
            session = system_session()
            # The same report may have been under way in another request.
            repeated = reported_before(session, lead_id, dealer_id, report.digest)
            if not repeated:
                raise _too_late(lead_id, dealer_id, refused) from refused
        session = system_session()
        found, offer = _lead_of(session, _system(session), lead)
    answer = _as_json(session, found, offer)
    return jsonify(answer | {"repeated": True} if repeated else answer)


@blueprint.get("/leads/<lead>/status")
@blueprint.doc(
    summary="Where a lead stands, for the dealer's own system",
    security=[{"key": []}],
    parameters=[_LEAD],
    responses={"200": {"description": "As it stands now"}, **_REFUSALS},
)
def dealer_lead_status(lead: str) -> ResponseReturnValue:
    session, system = _authenticated()
    return jsonify(_as_json(session, *_lead_of(session, system, lead)))


@blueprint.get("/leads/<lead>/adf")
@blueprint.doc(
    summary="The lead as ADF, for the dealer's own system",
    security=[{"key": []}],
    parameters=[_LEAD],
    responses={
        "200": {"description": "ADF 1.0", "content": {"application/xml": {}}},
        **_REFUSALS,
        "409": {"description": "The lead is with this dealer no more"},
    },
)
def lead_adf(lead: str) -> ResponseReturnValue:
    """Only while the dealer has the lead: what became of it later is no longer its matter."""
    session, system = _authenticated()
    found, offer = _lead_of(session, system, lead)
    now = clock.now()
    if not _holds(found, system.dealer_id):
        raise _too_late(found.id, system.dealer_id, Refused("too_late"))
    terms = terms_of(session, system.dealer_id, now)
    body = lead_document(
        session,
        found,
        system.dealer_id,
        settings(),
        now,
        language=i18n.best_locale([terms.language]),
        timezone=terms.timezone,
        offer=offer,
    )
    answer = Response(body, content_type="application/xml; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _authenticated() -> tuple[Session, DealerSystem]:
    session = system_session()
    return session, _system(session)


def _system(session: Session) -> DealerSystem:
    """The dealer's system whose key the request carries; its dealer's language is the answer's,
    unless it asks."""
    scheme, _blank, key = request.headers.get("Authorization", "").partition(" ")
    system = None
    if scheme.lower() == "bearer" and key.strip():
        system = session.scalars(
            select(DealerSystem).where(
                DealerSystem.key_hash == key_hash(key.strip()), DealerSystem.active
            )
        ).first()
    if system is None:
        detail = _("Send the key of a dealer's own system as a bearer token.")
        raise Problem(401, "unauthorized", detail)
    if not request.accept_languages:
        language = terms_of(session, system.dealer_id, clock.now()).language
        i18n.set_reader(i18n.best_locale([language]), "UTC")
    return system


def _lead_of(session: Session, system: DealerSystem, named: str) -> tuple[Lead, Offer]:
    """A lead that this dealer was given once, with the latest offer; to others it isn't there."""
    try:
        which = Lead.id == uuid.UUID(named)
    except ValueError:
        which = Lead.reference == named.upper()
    found = session.execute(
        select(Lead, Offer)
        .join(Offer, Offer.lead_id == Lead.id)
        .where(which, Offer.dealer_id == system.dealer_id, Lead.test.is_(False))
        .order_by(Offer.offered_at.desc(), Offer.id.desc())
        .limit(1)
    ).first()
    if found is None:
        raise Problem(404, "not_found", _("This dealer has not been given such a lead."))
    return found[0], found[1]


def _report(lead: Lead, at: datetime) -> StatusReport:
    """Raises Problem with the fields to mend."""
    data = request.get_json(silent=True)
    if not isinstance(data, Mapping):
        raise Problem(422, "no_object", _("The body must be one JSON object."))
    key = request.headers.get("Idempotency-Key", "").strip().strip('"')
    try:
        return report_of(data, at=at, currency=lead.market.currency, key=key)
    except ValidationError as problem:
        found = problem.normalized_messages()  # type: ignore[no-untyped-call]
        detail = _("The report could not be read. Nothing was changed.")
        raise Problem(422, "invalid", detail, errors_as_list(found)) from problem


def _too_late(lead_id: uuid.UUID, dealer_id: int, refused: Refused) -> Problem:
    """What became of the lead: of its time with another dealer, that it is gone and no more."""
    session = system_session()
    lead = session.scalars(select(Lead).where(Lead.id == lead_id)).one()
    offer = session.scalars(
        select(Offer)
        .where(Offer.lead_id == lead_id, Offer.dealer_id == dealer_id)
        .order_by(Offer.offered_at.desc(), Offer.id.desc())
        .limit(1)
    ).one()
    if _holds(lead, dealer_id):
        detail = _("The lead's status doesn't allow this.")
    else:
        detail = _("Too late: the lead is with this dealer no more.")
    return Problem(409, refused.code, detail, lead=_as_json(session, lead, offer))


def _as_json(session: Session, lead: Lead, offer: Offer) -> dict[str, Any]:
    """What the dealer may know: of a lead that has gone, how its own offer ended."""
    holds = _holds(lead, offer.dealer_id)
    answer: dict[str, Any] = {
        "id": str(lead.id),
        "reference": lead.reference,
        "status": lead.status if holds else "gone",
        "offer": {
            "state": offer.state,
            "offered_at": offer.offered_at.isoformat(),
            "expires_at": offer.expires_at.isoformat(),
            "closed_at": None if offer.closed_at is None else offer.closed_at.isoformat(),
            "reason": offer.reason or None,
        },
    }
    if not holds:
        return answer
    outcome = session.get(Outcome, lead.id)
    step = session.execute(
        select(PlannedAction.kind, func.min(PlannedAction.due_at))
        .where(PlannedAction.lead_id == lead.id, PlannedAction.done_at.is_(None))
        .group_by(PlannedAction.kind)
        .order_by(func.min(PlannedAction.due_at))
        .limit(1)
    ).first()
    return answer | {
        "outcome": None if outcome is None else {"kind": outcome.kind, "reason": outcome.reason},
        "next": None if step is None else {"kind": step[0], "due_at": step[1].isoformat()},
    }


def _holds(lead: Lead, dealer_id: int) -> bool:
    return lead.dealer_id == dealer_id and lead.status in WITH_DEALER | {"won", "lost"}


__all__ = ["blueprint", "dealer_lead_status", "lead_adf", "report_status"]
