"""What a dealer said a source's lead was worth, and the source's doubt of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lmt import clock, verdicts
from lmt.api.leads import blueprint, by_form
from lmt.i18n import gettext as _
from lmt.ingest import machines
from lmt.labels import label
from lmt.models import Lead, Verdict
from lmt.scope import SYSTEM


class ContestSchema(Schema):
    """Why a source doubts a verdict."""

    note = fields.String(
        validate=validate.Length(max=verdicts.LONGEST_TEXT),
        metadata={"description": "Why: headquarters and the dealer read it"},
    )


_REFUSALS = {
    "401": {"description": "No active source has this key"},
    "404": {"description": "This source sent no such lead, or nobody judged it yet"},
}


@blueprint.get("/leads/<uuid:lead_id>/verdict")
@blueprint.doc(
    summary="What the dealer said the lead was worth",
    security=[{"key": []}],
    responses={
        "200": {"description": "The latest verdict, and what became of a doubt"},
        **_REFUSALS,
    },
)
def lead_verdict(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Only the source that sent the lead may ask."""
    return jsonify(_as_json(_verdict_on(machines.system_session(), lead_id)))


@blueprint.post("/leads/<uuid:lead_id>/verdict/contest")
@blueprint.doc(
    summary="Contest the verdict on a lead, as its source",
    security=[{"key": []}],
    requestBody={"required": False, "content": {"application/json": {"schema": ContestSchema}}},
    responses={
        "200": {"description": "Contested, now or before; headquarters decides"},
        **_REFUSALS,
        "422": {"description": "Nothing was changed: the body is not such an object"},
    },
)
def contest_verdict(lead_id: uuid.UUID) -> ResponseReturnValue:
    """The same twice changes nothing."""
    session = machines.system_session()
    found = _verdict_on(session, lead_id)
    verdict = verdicts.contest(
        session,
        lead_id,
        found.dealer_id,
        note=_note(),
        by=verdicts.BY_SOURCE,
        at=clock.now(),
        actor=SYSTEM,
    )
    return jsonify(_as_json(verdict))


def _verdict_on(session: Session, lead_id: uuid.UUID) -> Verdict:
    source = machines.authenticate(session)
    own = select(Lead.id).where(
        Lead.id == lead_id, or_(Lead.source_id == source.id, by_form(Lead, source))
    )
    if session.scalar(own) is None:
        raise machines.Problem(404, "not_found", _("This source has sent no such lead."))
    found = verdicts.latest_verdict(session, lead_id)
    if found is None:
        raise machines.Problem(404, "no_verdict", _("Nobody has judged this lead yet."))
    return found


def _note() -> str:
    """Raises Problem."""
    if not request.get_data(cache=True).strip():
        return ""
    data = request.get_json(silent=True)
    note = data.get("note", "") if isinstance(data, Mapping) else None
    if not isinstance(note, str):
        raise machines.Problem(422, "no_object", _("The body must be one JSON object."))
    if len(note) > verdicts.LONGEST_TEXT or "\0" in note:
        detail = _("Shorten this to %(most)s characters or fewer.", most=verdicts.LONGEST_TEXT)
        raise machines.Problem(422, "invalid", detail)
    return note


def _as_json(verdict: Verdict) -> dict[str, Any]:
    """What the source may know: never who judged, nor the dealer's own remark."""
    contested = None
    if verdict.contested_at is not None:
        contested = {
            "at": verdict.contested_at.isoformat(),
            "note": verdict.contest_note,
            "answer": verdict.answer or None,
            "answered_at": verdict.answered_at.isoformat() if verdict.answered_at else None,
        }
    return {
        "lead": str(verdict.lead_id),
        "verdict": verdict.verdict,
        "words": label("verdict", verdict.verdict),
        "at": verdict.at.isoformat(),
        "contested": contested,
    }


__all__ = ["blueprint", "contest_verdict", "lead_verdict"]
