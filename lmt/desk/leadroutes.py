"""The page of one lead at the desk, and what a dealer does on it; every action is a plain form."""

from __future__ import annotations

import uuid
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask.typing import ResponseReturnValue

from lmt import closing, contests, handing, pipeline, web
from lmt.convert import service as converting
from lmt.desk import forms, leadpage
from lmt.desk.acting import calendar_here, do, lead_here, show
from lmt.desk.blueprint import blueprint
from lmt.desk.steps import step_of_accepting
from lmt.followup import service as following
from lmt.i18n import gettext as _
from lmt.offerclock import start_clock
from lmt.workhours import next_opening


@blueprint.get("/leads/<uuid:lead_id>")
@web.require("lead.work")
def lead(lead_id: uuid.UUID) -> ResponseReturnValue:
    if request.method == "GET" and not _is_prefetched():
        _start_clock(lead_id)
    return show(lead_id)


@blueprint.post("/leads/<uuid:lead_id>/accept")
@web.require("lead.work")
def accept(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        step = step_of_accepting(request.form, calendar=calendar_here(lead_id), at=web.at())
        plan = pipeline.PlanInput(step.kind, step.due_at, step.note) if step else None
        pipeline.accept(web.db(), lead_id, plan=plan, **who)
        if lead_here(lead_id).owner_id != web.user().id:
            raise pipeline.TooLate  # a colleague was quicker, and nothing has changed

    return do(lead_id, "accept", act, _("The lead is yours. Good luck!"))


@blueprint.post("/leads/<uuid:lead_id>/decline")
@web.require("lead.work")
def decline(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        given = forms.refusal(request.form)
        pipeline.decline(web.db(), lead_id, reason=given.reason, note=given.note, **who)

    told = _("Declined. The lead goes to another dealer.")
    return do(lead_id, "decline", act, told, then=url_for("desk.inbox"))


@blueprint.post("/leads/<uuid:lead_id>/contacted")
@web.require("lead.work")
def contacted(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        given = forms.contact(request.form)
        following.contacted(
            web.db(), lead_id, how=given.how, result=given.result, note=given.note, **who
        )

    return do(lead_id, "contacted", act, _("Noted."))


@blueprint.post("/leads/<uuid:lead_id>/note")
@web.require("lead.work")
def note(lead_id: uuid.UUID) -> ResponseReturnValue:
    names: list[str] = []

    def act(**who: Any) -> None:
        tell = {int(id) for id in request.form.getlist("tell") if id.isdecimal() and len(id) < 10}
        text = forms.note(request.form)
        names.extend(handing.add_note(web.db(), lead_id, text=text, tell=tell, **who))

    def told() -> str:
        if not names:
            return _("Noted.")
        return _("Noted. %(names)s will be told by mail.", names=", ".join(names))

    return do(lead_id, "note", act, told)


@blueprint.post("/leads/<uuid:lead_id>/rest")
@web.require("lead.work")
def rest(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        calendar = calendar_here(lead_id)
        given = forms.rest(request.form, zone=calendar.timezone, at=web.at())
        day = datetime.combine(given.until, time(), ZoneInfo(calendar.timezone))
        # Midnight, where the dealer never opens.
        until = next_opening(calendar, day) or day
        pipeline.rest(web.db(), lead_id, until=until, note=given.note, **who)

    told = _("The lead rests, and comes back to you on that day.")
    return do(lead_id, "rest", act, told, undo=url_for("desk.wake", lead_id=lead_id))


@blueprint.post("/leads/<uuid:lead_id>/wake")
@web.require("lead.work")
def wake(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        pipeline.wake_now(web.db(), lead_id, **who)

    return do(lead_id, "wake", act, _("The lead is back."))


@blueprint.post("/leads/<uuid:lead_id>/contest")
@web.require("lead.work")
def contest(lead_id: uuid.UUID) -> ResponseReturnValue:
    """The dealer doubts the decision that its page shows."""

    def act(**who: Any) -> None:
        decision = leadpage.shown_decision(web.db(), lead_here(lead_id))
        if decision is None:
            raise LookupError(lead_id)
        note = forms.doubt(request.form)
        contests.contest(web.db(), lead_id, decision.id, note=note, **who)

    return do(lead_id, "contest", act, _("Contested. Headquarters answers in the history below."))


@blueprint.post("/leads/<uuid:lead_id>/won")
@web.require("lead.work")
def won(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        zone = ZoneInfo(leadpage.zone_of(web.db(), lead_here(lead_id), web.at()))
        sold = forms.sale(request.form, today=web.at().astimezone(zone).date())
        closing.won(
            web.db(),
            lead_id,
            model=sold.model,
            order_number=sold.order_number,
            value=sold.value,
            sold_at=datetime.combine(sold.sold_on, time(12), zone) if sold.sold_on else None,
            **who,
        )

    undo = url_for("desk.reopen", lead_id=lead_id)
    return do(lead_id, "won", act, _("Sold. Congratulations!"), undo=undo)


@blueprint.post("/leads/<uuid:lead_id>/lost")
@web.require("lead.work")
def lost(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        given = forms.loss(request.form)
        closing.lost(web.db(), lead_id, reason=given.reason, note=given.note, **who)

    undo = url_for("desk.reopen", lead_id=lead_id)
    return do(lead_id, "lost", act, _("Closed as lost."), undo=undo)


@blueprint.post("/leads/<uuid:lead_id>/reopen")
@web.require("lead.work")
def reopen(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        converting.reopen(web.db(), lead_id, **who)

    return do(lead_id, "reopen", act, _("The lead is open again."))


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
