"""How every form on a lead's page ends: on the page again, with what was done or refused said."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import pipeline, web
from lmt.calendars import dealer_calendar
from lmt.desk import forms, leadpage, stubpage
from lmt.desk.reach import whatsapp
from lmt.desk.steps import CALLS, TIMES
from lmt.desk.timeline import story
from lmt.desk.why import dealer_map, why
from lmt.i18n import gettext as _
from lmt.i18n import reader
from lmt.labels import label
from lmt.lifecycle import IllegalStep, Status
from lmt.models import Lead
from lmt.workhours import Calendar


def do(
    lead_id: uuid.UUID,
    form: str,
    act: Callable[..., object],
    told: str | Callable[[], str],
    *,
    then: str | None = None,
    undo: str | Callable[[], str] = "",
) -> ResponseReturnValue:
    """Run `act(at=…, actor=…)`; whatever it refuses is said in words, on the page or on the way
    back. `undo` is where a plain post takes it back."""
    try:
        act(at=web.at(), actor=web.actor())
    except forms.Unclear as unclear:
        web.db().rollback()
        return show(lead_id, form=form, problems=unclear.problems, status=422)
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
        return stubpage.gone(lead_id, status=404)
    words = told() if callable(told) else told
    address = undo() if callable(undo) else undo
    if address:
        flash((words, address), "undo")  # type: ignore[arg-type]
    else:
        flash(words, "success")
    return redirect(then or url_for("desk.lead", lead_id=lead_id))


def show(
    lead_id: uuid.UUID,
    *,
    form: str = "",
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """The page of the lead; `form` was sent with `problems`. What is left where it has gone."""
    everything = request.args.get("history") == "all"
    page = leadpage.lead_page(
        web.db(), lead_id, web.at(), language=reader().locale, everything=everything
    )
    if page is None:
        # To read what is left is one thing, to act on it another.
        return stubpage.gone(lead_id, status=404 if form else 200)
    dealer_id = page.lead.dealer_id
    decision = page.decision
    reasons = why(decision.result, dealer_id) if decision and dealer_id else None
    today = web.at().astimezone(ZoneInfo(page.zone)).date()
    body = render_template(
        "desk/lead.html",
        page=page,
        lead=page.lead,
        zone=page.zone,
        moments=story(page.events, page.messages, page.replies, page.zone),
        reasons=reasons,
        map=dealer_map(decision.inputs, page.place, reasons.distance_km)
        if decision and reasons
        else None,
        today=today,
        tomorrow=today + timedelta(days=1),
        whatsapp=whatsapp(page.lead.phone),
        quick_calls=CALLS,
        quick_times=TIMES,
        me=web.user().id,
        team=forms.TEAM,
        open_form=form,
        problems=problems or {},
        given=request.form if form else {},
    )
    return body, status


def lead_here(lead_id: uuid.UUID) -> Lead:
    """The lead; LookupError where the reader sees none."""
    found = web.db().get(Lead, lead_id)
    if found is None:
        raise LookupError(lead_id)
    return found


def calendar_here(lead_id: uuid.UUID) -> Calendar:
    """The hours of the dealer that has the lead. Raises LookupError."""
    lead = lead_here(lead_id)
    if lead.dealer_id is None:
        raise LookupError(lead_id)
    return dealer_calendar(web.db(), lead.dealer_id, web.at())


def _too_late(lead_id: uuid.UUID) -> ResponseReturnValue:
    web.db().rollback()
    here = web.db().get(Lead, lead_id, populate_existing=True)
    if here is not None and here.owner_id == web.user().id and here.status != Status.OFFERED:
        # Pressed twice: the first press did it.
        return redirect(url_for("desk.lead", lead_id=lead_id))
    if here is not None and here.status != Status.OFFERED:
        flash(_("A colleague has answered this lead already."), "info")
        return redirect(url_for("desk.lead", lead_id=lead_id))
    flash(_("The time is over: this lead goes to another dealer."), "warning")
    return redirect(url_for("desk.inbox"))
