"""The page of one lead at the desk, and what a dealer does on it; every action is a plain form."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import contests, pipeline, web
from lmt.calendars import dealer_calendar
from lmt.convert import service as converting
from lmt.desk import forms, leadpage
from lmt.desk.blueprint import blueprint
from lmt.desk.reach import whatsapp
from lmt.desk.timeline import moment
from lmt.desk.why import dealer_map, why
from lmt.followup import service as following
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.lifecycle import IllegalStep, Status
from lmt.models import Lead
from lmt.notify.icsfile import plan_as_ics
from lmt.offerclock import start_clock
from lmt.workhours import next_opening


@blueprint.get("/leads/<uuid:lead_id>")
@web.require("lead.work")
def lead(lead_id: uuid.UUID) -> ResponseReturnValue:
    if request.method == "GET" and not _is_prefetched():
        _start_clock(lead_id)
    return _lead_page(lead_id)


@blueprint.post("/leads/<uuid:lead_id>/accept")
@web.require("lead.work")
def accept(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        zone = leadpage.zone_of(web.db(), _lead(lead_id), web.at())
        step = forms.plan_or_none(request.form, zone=zone, at=web.at())
        plan = pipeline.PlanInput(step.kind, step.due_at, step.note) if step else None
        pipeline.accept(web.db(), lead_id, plan=plan, **who)
        if _lead(lead_id).owner_id != web.user().id:
            raise pipeline.TooLate  # a colleague was quicker, and nothing has changed

    return _do(lead_id, "accept", act, _("The lead is yours. Good luck!"))


@blueprint.post("/leads/<uuid:lead_id>/decline")
@web.require("lead.work")
def decline(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        given = forms.refusal(request.form)
        pipeline.decline(web.db(), lead_id, reason=given.reason, note=given.note, **who)

    told = _("Declined. The lead goes to another dealer.")
    return _do(lead_id, "decline", act, told, then=url_for("desk.inbox"))


@blueprint.post("/leads/<uuid:lead_id>/contacted")
@web.require("lead.work")
def contacted(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        given = forms.contact(request.form)
        following.contacted(
            web.db(), lead_id, how=given.how, result=given.result, note=given.note, **who
        )

    return _do(lead_id, "contacted", act, _("Noted."))


@blueprint.post("/leads/<uuid:lead_id>/plan")
@web.require("lead.work")
def plan(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        zone = leadpage.zone_of(web.db(), _lead(lead_id), web.at())
        step = forms.plan(request.form, zone=zone, at=web.at())
        following.plan(web.db(), lead_id, kind=step.kind, due_at=step.due_at, note=step.note, **who)

    return _do(lead_id, "plan", act, _("Planned."))


@blueprint.post("/leads/<uuid:lead_id>/note")
@web.require("lead.work")
def note(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        following.add_note(web.db(), lead_id, text=forms.note(request.form), **who)

    return _do(lead_id, "note", act, _("Noted."))


@blueprint.post("/leads/<uuid:lead_id>/rest")
@web.require("lead.work")
def rest(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        of_lead = _lead(lead_id)
        zone = leadpage.zone_of(web.db(), of_lead, web.at())
        given = forms.rest(request.form, zone=zone, at=web.at())
        until = _opening(of_lead, datetime.combine(given.until, time(), ZoneInfo(zone)))
        pipeline.rest(web.db(), lead_id, until=until, note=given.note, **who)

    return _do(lead_id, "rest", act, _("The lead rests, and comes back to you on that day."))


@blueprint.post("/leads/<uuid:lead_id>/wake")
@web.require("lead.work")
def wake(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        pipeline.wake_now(web.db(), lead_id, **who)

    return _do(lead_id, "wake", act, _("The lead is back."))


@blueprint.post("/leads/<uuid:lead_id>/contest")
@web.require("lead.work")
def contest(lead_id: uuid.UUID) -> ResponseReturnValue:
    """The dealer doubts the decision that its page shows."""

    def act(**who: Any) -> None:
        page = leadpage.lead_page(web.db(), lead_id, web.at())
        if page is None or page.decision is None:
            raise LookupError(lead_id)
        note = forms.doubt(request.form)
        contests.contest(web.db(), lead_id, page.decision.id, note=note, **who)

    return _do(lead_id, "contest", act, _("Contested. Headquarters answers in the history below."))


@blueprint.post("/leads/<uuid:lead_id>/won")
@web.require("lead.work")
def won(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        sold = forms.sale(request.form)
        converting.won(
            web.db(),
            lead_id,
            model=sold.model,
            order_number=sold.order_number,
            value=sold.value,
            **who,
        )

    return _do(lead_id, "won", act, _("Sold. Congratulations!"))


@blueprint.post("/leads/<uuid:lead_id>/lost")
@web.require("lead.work")
def lost(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        given = forms.loss(request.form)
        converting.lost(web.db(), lead_id, reason=given.reason, note=given.note, **who)

    return _do(lead_id, "lost", act, _("Closed as lost."))


@blueprint.post("/leads/<uuid:lead_id>/reopen")
@web.require("lead.work")
def reopen(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        converting.reopen(web.db(), lead_id, **who)

    return _do(lead_id, "reopen", act, _("The lead is open again."))


@blueprint.post("/plans/<int:plan_id>/done")
@web.require("lead.work")
def finish_plan(plan_id: int) -> ResponseReturnValue:
    found = leadpage.planned(web.db(), plan_id)
    if found is None:
        abort(404)
    _step, of_lead = found

    def act(**who: Any) -> None:
        following.finish_plan(web.db(), plan_id, **who)

    return _do(of_lead.id, "done", act, _("Done."))


@blueprint.get("/plans/<int:plan_id>.ics")
@web.require("lead.work")
def plan_ics(plan_id: int) -> ResponseReturnValue:
    """The planned action for a calendar."""
    found = leadpage.planned(web.db(), plan_id)
    if found is None:
        abort(404)
    step, of_lead = found
    address = web.settings().base_url + url_for("desk.lead", lead_id=of_lead.id)
    zone = leadpage.zone_of(web.db(), of_lead, web.at())
    body = plan_as_ics(step, of_lead, zone=zone, address=address, at=web.at())
    response = Response(body, mimetype="text/calendar")
    response.headers["Content-Disposition"] = f"attachment; filename={of_lead.reference}.ics"
    response.headers["Cache-Control"] = "no-store"
    return response


def _do(
    lead_id: uuid.UUID,
    form: str,
    act: Callable[..., None],
    told: str,
    then: str | None = None,
) -> ResponseReturnValue:
    """Run a verb; whatever it refuses is said in words, on the page or on the way back."""
    try:
        act(at=web.at(), actor=web.actor())
    except forms.Unclear as unclear:
        web.db().rollback()
        return _lead_page(lead_id, form=form, problems=unclear.problems, status=422)
    except pipeline.TooLate:
        return _too_late(lead_id)
    except IllegalStep as refused:
        words = _(
            "This can't be done any more: the lead's status is “%(status)s”.",
            status=label("status", refused.status),
        )
        flash(words, "warning")
        return redirect(url_for("desk.lead", lead_id=lead_id))
    except LookupError:
        return render_template("desk/gone.html"), 404
    flash(told, "success")
    return redirect(then or url_for("desk.lead", lead_id=lead_id))


def _too_late(lead_id: uuid.UUID) -> ResponseReturnValue:
    web.db().rollback()
    here = web.db().get(Lead, lead_id, populate_existing=True)
    if here is not None and here.status != Status.OFFERED:
        flash(_("A colleague has answered this lead already."), "info")
        return redirect(url_for("desk.lead", lead_id=lead_id))
    flash(_("The time is over: this lead goes to another dealer."), "warning")
    return redirect(url_for("desk.inbox"))


def _lead(lead_id: uuid.UUID) -> Lead:
    found = web.db().get(Lead, lead_id)
    if found is None:
        raise LookupError(lead_id)
    return found


def _is_prefetched() -> bool:
    """Fetched by a browser that guesses where its person goes next, who may never see it."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" in purpose or "prerender" in purpose


def _start_clock(lead_id: uuid.UUID) -> None:
    """A person of the dealer sees the offer: from now on its time runs, if no mail began it."""
    session = web.db()
    offer_id = leadpage.unseen_offer(session, lead_id, web.actor().dealers)
    if offer_id is not None:
        start_clock(session, offer_id, web.at())
        session.commit()


def _opening(of_lead: Lead, day: datetime) -> datetime:
    """When the dealer opens on that day or after it; midnight where it never opens."""
    assert of_lead.dealer_id is not None
    calendar = dealer_calendar(web.db(), of_lead.dealer_id, web.at())
    return next_opening(calendar, day) or day


def _lead_page(
    lead_id: uuid.UUID,
    *,
    form: str = "",
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    page = leadpage.lead_page(web.db(), lead_id, web.at())
    if page is None:
        return render_template("desk/gone.html"), 404
    dealer_id = page.lead.dealer_id
    decision = page.decision
    reasons = why(decision.result, dealer_id) if decision and dealer_id else None
    body = render_template(
        "desk/lead.html",
        page=page,
        lead=page.lead,
        zone=page.zone,
        moments=[moment(event, page.zone) for event in page.events],
        reasons=reasons,
        map=dealer_map(decision.inputs, page.place, reasons.distance_km)
        if decision and reasons
        else None,
        tomorrow=(web.at().astimezone(ZoneInfo(page.zone)) + timedelta(days=1)).date(),
        whatsapp=whatsapp(page.lead.phone),
        open_form=form,
        problems=problems or {},
        given=request.form if form else {},
    )
    return body, status
