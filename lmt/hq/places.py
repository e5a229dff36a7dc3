"""The question on a lead's page where its customer is: what could be meant, and the answer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.i18n import gettext as _
from lmt.lifecycle import IllegalStep
from lmt.locating import PlaceQuestion, locate_as, place_question
from lmt.models import Lead


@dataclass(frozen=True, slots=True)
class PlacePanel:
    """`asked` is what was looked for, "" before."""

    question: PlaceQuestion
    asked: str


@blueprint.post("/leads/<uuid:lead_id>/place")
@web.require("lead.assign")
def locate(lead_id: uuid.UUID) -> ResponseReturnValue:
    session = web.db()
    key = request.form.get("place", "")
    try:
        locate_as(session, lead_id, key, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except IllegalStep:
        session.rollback()
        flash(_("The lead has moved on in the meantime. This is how it stands now."), "warning")
    else:
        flash(_("The place is set. The lead is being routed."), "success")
    return redirect(url_for("hq.lead", lead_id=lead_id))


def place_panel(lead: Lead) -> PlacePanel | None:
    """None for a lead whose place is no question."""
    asked = request.args.get("place", "").strip()
    question = place_question(web.db(), lead.id, at=web.at(), asked=asked)
    return None if question is None else PlacePanel(question, asked)


blueprint.context_processor(lambda: {"place_panel": place_panel})
