"""POST /api/v1/leads, and the status of a lead for the source that sent it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from lmt import web
from lmt.i18n import gettext as _
from lmt.ingest import machines
from lmt.ingest.accept import Receipt, SourceChanged
from lmt.ingest.arrival import Told
from lmt.ingest.readers import read_json
from lmt.ingest.schemas import LeadSchema
from lmt.models import Inquiry, Lead, Source
from lmt.patience import AskedTooMuch, was_given_up

KINDS = ("api", "call_centre", "campaign")

blueprint = Blueprint("api", __name__, url_prefix="/api/v1", description="Leads of partner systems")
web.public(blueprint)
blueprint.register_error_handler(machines.Problem, machines.answer_problem)
blueprint.register_error_handler(SourceChanged, machines.answer_anew)
blueprint.register_error_handler(HTTPException, machines.answer_http_error)


@blueprint.errorhandler(SQLAlchemyError)
def _database_error(problem: SQLAlchemyError) -> ResponseReturnValue:
    """Nothing was kept: the sender tries again, unless it asked for more than can be told."""
    if was_given_up(problem):
        return machines.answer_http_error(AskedTooMuch())
    return machines.answer_http_error(ServiceUnavailable())


@blueprint.post("/leads")
@blueprint.doc(
    summary="Send a lead",
    security=[{"key": []}],
    parameters=[
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string"},
            "description": "The same key with the same body is the same lead.",
        },
        {
            "name": "Prefer",
            "in": "header",
            "schema": {"type": "string", "examples": ["wait=5"]},
            "description": "Wait up to so many seconds for the routed result.",
        },
    ],
    requestBody={"required": True, "content": {"application/json": {"schema": LeadSchema}}},
    responses={
        "200": {"description": "Routed within the time the caller waited"},
        "202": {"description": "Durable; routing goes on"},
        "401": {"description": "No active source has this key"},
        "422": {"description": "Kept, but not readable; `errors` names the fields"},
    },
)
def send_lead() -> ResponseReturnValue:
    """The lead is durable before the answer leaves."""
    session = machines.system_session()
    source = machines.authenticate(session, *KINDS, remembered=True)
    read = machines.once(read_json)
    own_id = machines.sender_id(read, request.get_data(cache=True))
    delivery = machines.delivery_of_request(own_id)
    return answer_of(session, *machines.take_in(session, source, delivery, read))


def answer_of(session: Session, receipt: Receipt, leads: Sequence[Told]) -> ResponseReturnValue:
    """What the sender of a lead is told: the routed result, where it wants to wait for it."""
    seconds = machines.wait_seconds()
    if seconds and machines.wait_for(session, leads, seconds):
        return jsonify(machines.with_result(session, leads[0], repeated=receipt.repeated))
    answer = jsonify(machines.as_json(leads[0], repeated=receipt.repeated))
    answer.status_code = 202
    return answer


@blueprint.get("/leads/<uuid:lead_id>")
@blueprint.doc(summary="Where a lead stands", security=[{"key": []}])
def lead_status(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Only a source that sent a lead, by a form as well, or brought more of it, may ask; to others
    it isn't there."""
    session = machines.system_session()
    source = machines.authenticate(session)
    brought = select(Inquiry.id).where(
        Inquiry.lead_id == Lead.id, or_(Inquiry.source_id == source.id, by_form(Inquiry, source))
    )
    lead = session.execute(
        select(Lead.id, Lead.reference, Lead.status, Lead.source_id).where(
            Lead.id == lead_id,
            or_(Lead.source_id == source.id, by_form(Lead, source), brought.exists()),
        )
    ).first()
    if lead is None:
        raise machines.Problem(404, "not_found", _("This source has sent no such lead."))
    told = Told(lead.id, lead.reference, lead.status, joined=lead.source_id != source.id)
    return jsonify(machines.with_result(session, told))


def by_form(model: type[Lead] | type[Inquiry], source: Source) -> ColumnElement[bool]:
    """Sent by this source as the answers to a form. Only what came by a form has its version, so
    nobody else can say so of a lead."""
    sender = model.given["form"]["sent_by"].astext
    return and_(model.form_version_id.is_not(None), sender == source.code)
