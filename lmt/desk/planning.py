"""The planned steps of a lead: made, moved, called off, done, and taken to one's own calendar."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from flask import Response, abort, request, url_for
from flask.typing import ResponseReturnValue

from lmt import appointments, web
from lmt.desk import forms, leadpage
from lmt.desk.acting import calendar_here, do, lead_here
from lmt.desk.blueprint import blueprint
from lmt.desk.steps import step_of_planning
from lmt.followup import service as following
from lmt.i18n import gettext as _
from lmt.lifecycle import IllegalStep, Status
from lmt.models import Lead, PlannedAction
from lmt.notify.icsfile import plan_as_ics

BY = "dealer"


@blueprint.post("/leads/<uuid:lead_id>/plan")
@web.require("lead.work")
def plan(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        step = step_of_planning(request.form, calendar=calendar_here(lead_id), at=web.at())
        if step.booked:
            _book(lead_id, step.kind, starts_at=step.due_at, note=step.note, **who)
            return
        following.plan(web.db(), lead_id, kind=step.kind, due_at=step.due_at, note=step.note, **who)

    return do(lead_id, "plan", act, _("Planned."))


@blueprint.post("/plans/<int:plan_id>/done")
@web.require("lead.work")
def finish_plan(plan_id: int) -> ResponseReturnValue:
    _step, lead = _found(plan_id)
    return do(lead.id, "done", _on(plan_id, following.finish_plan), _("Done."))


@blueprint.post("/plans/<int:plan_id>/move")
@web.require("lead.work")
def move_plan(plan_id: int) -> ResponseReturnValue:
    """To a typed time, or to another of those that can be booked."""
    step, lead = _found(plan_id)

    def act(**who: Any) -> None:
        given = {"kind": step.kind, **request.form.to_dict(), "note": ""}
        to = step_of_planning(given, calendar=calendar_here(lead.id), at=web.at())
        if not to.booked:
            following.move_plan(web.db(), plan_id, due_at=to.due_at, **who)
            return
        try:
            appointments.rebook(web.db(), plan_id, starts_at=to.due_at, by=BY, **who)
        except appointments.Taken as taken:
            raise _taken() from taken

    return do(lead.id, f"move-{plan_id}", act, _("Moved."))


@blueprint.post("/plans/<int:plan_id>/cancel")
@web.require("lead.work")
def cancel_plan(plan_id: int) -> ResponseReturnValue:
    _step, lead = _found(plan_id)

    def act(**who: Any) -> None:
        appointments.cancel(web.db(), plan_id, by=BY, **who)

    return do(lead.id, "cancel", act, _("Called off."))


@blueprint.get("/plans/<int:plan_id>.ics")
@web.require("lead.work")
def plan_ics(plan_id: int) -> ResponseReturnValue:
    """The planned action for a calendar."""
    step, lead = _found(plan_id)
    address = web.settings().base_url + url_for("desk.lead", lead_id=lead.id)
    zone = leadpage.zone_of(web.db(), lead, web.at())
    body = plan_as_ics(step, lead, zone=zone, address=address, at=web.at())
    response = Response(body, mimetype="text/calendar")
    response.headers["Content-Disposition"] = f"attachment; filename={lead.reference}.ics"
    response.headers["Cache-Control"] = "no-store"
    return response


def _book(lead_id: uuid.UUID, kind: str, **booked: Any) -> None:
    try:
        appointments.book(web.db(), lead_id, kind=kind, by=BY, **booked)
    except appointments.Taken as taken:
        raise _taken() from taken
    except appointments.NotBookable as refused:
        web.db().rollback()
        raise IllegalStep(Status(lead_here(lead_id).status), Status.CONTACTED) from refused


def _taken() -> forms.Unclear:
    return forms.Unclear({"when": _("This time was just taken. Please choose another one.")})


def _found(plan_id: int) -> tuple[PlannedAction, Lead]:
    found = leadpage.planned(web.db(), plan_id)
    if found is None:
        abort(404)
    return found


def _on(plan_id: int, verb: Callable[..., object]) -> Callable[..., None]:
    def act(**who: Any) -> None:
        verb(web.db(), plan_id, **who)

    return act
