"""Headquarters books, moves and calls off a customer's appointment with the dealer that has the
lead, from the calendar that the dealer and the customer book from; and ends the links to the
customer's page."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import appointments as verbs
from lmt import customeracts, web
from lmt.hq.blueprint import blueprint
from lmt.i18n import gettext as _
from lmt.lifecycle import WITH_DEALER, IllegalStep
from lmt.models import Lead, PlannedAction, SlotTerms
from lmt.models.appointment import BOOKABLE
from lmt.slotgrid import Slot

DAYS_SHOWN = 14
MOST_TIMES = 150


@dataclass(frozen=True, slots=True)
class FreeDay:
    day: date
    times: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class AppointmentPanel:
    """What is planned with the dealer, the next first, and what could be; times on its wall."""

    plans: Sequence[PlannedAction]
    free: dict[str, list[FreeDay]]
    zone: str


@blueprint.post("/leads/<uuid:lead_id>/book")
@web.require("lead.assign")
def book_appointment(lead_id: uuid.UUID) -> ResponseReturnValue:
    kind, starts_at = request.form.get("kind", ""), _instant()
    if starts_at is None or kind not in BOOKABLE:
        flash(_("Choose a time."), "error")
        return _back(lead_id)
    try:
        verbs.book(
            web.db(),
            lead_id,
            kind=kind,
            starts_at=starts_at,
            by="agent",
            note=request.form.get("note", "").strip()[:300],
            at=web.at(),
            actor=web.actor(),
        )
    except verbs.Taken:
        flash(_("This time was just taken. Please choose another one."), "error")
    except verbs.NotBookable:
        _moved_on()
    except LookupError:
        abort(404)
    else:
        flash(_("Booked. The dealer and the customer are told."), "success")
    return _back(lead_id)


@blueprint.post("/leads/<uuid:lead_id>/appointments/<int:plan_id>/move")
@web.require("lead.assign")
def move_appointment(lead_id: uuid.UUID, plan_id: int) -> ResponseReturnValue:
    _of(lead_id, plan_id)
    starts_at = _instant()
    if starts_at is None:
        flash(_("Choose a time."), "error")
        return _back(lead_id)
    try:
        verbs.rebook(
            web.db(), plan_id, starts_at=starts_at, by="agent", at=web.at(), actor=web.actor()
        )
    except verbs.Taken:
        flash(_("This time was just taken. Please choose another one."), "error")
    except IllegalStep:
        _moved_on()
    else:
        flash(_("Moved. The dealer and the customer are told."), "success")
    return _back(lead_id)


@blueprint.post("/leads/<uuid:lead_id>/appointments/<int:plan_id>/cancel")
@web.require("lead.assign")
def cancel_appointment(lead_id: uuid.UUID, plan_id: int) -> ResponseReturnValue:
    _of(lead_id, plan_id)
    verbs.cancel(web.db(), plan_id, by="agent", at=web.at(), actor=web.actor())
    flash(_("Called off. The dealer and the customer are told."), "success")
    return _back(lead_id)


@blueprint.post("/leads/<uuid:lead_id>/links")
@web.require("lead.assign")
def revoke_links(lead_id: uuid.UUID) -> ResponseReturnValue:
    """No link to the customer's page opens it any more; the customer gets a fresh one."""
    try:
        customeracts.end_links(web.db(), lead_id, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    flash(_("The links are ended. The customer gets a fresh one by mail."), "success")
    return _back(lead_id)


def appointment_panel(lead: Lead) -> AppointmentPanel | None:
    """None for a lead that no dealer has."""
    if lead.dealer_id is None or lead.status not in WITH_DEALER:
        return None
    session, at = web.db(), web.at()
    zone = verbs.zone_of(session, lead.dealer_id, at)
    plans = session.scalars(
        select(PlannedAction)
        .where(
            PlannedAction.lead_id == lead.id,
            PlannedAction.dealer_id == lead.dealer_id,
            PlannedAction.done_at.is_(None),
        )
        .order_by(PlannedAction.due_at)
    ).all()
    offered = session.scalars(
        select(SlotTerms.kind).where(SlotTerms.dealer_id == lead.dealer_id, SlotTerms.capacity > 0)
    ).all()
    free = {
        kind: _by_day(verbs.bookable(session, lead.dealer_id, kind, at, DAYS_SHOWN), zone)
        for kind in BOOKABLE
        if kind in offered
    }
    return AppointmentPanel(plans, free, zone)


def _by_day(slots: Sequence[Slot], zone: str) -> list[FreeDay]:
    wall = ZoneInfo(zone)
    by_day = groupby(slots[:MOST_TIMES], lambda slot: slot.starts_at.astimezone(wall).date())
    return [FreeDay(day, tuple(times)) for day, times in by_day]


def _of(lead_id: uuid.UUID, plan_id: int) -> None:
    """404 for a plan that isn't this lead's, or a lead that the actor does not see."""
    plan = web.db().get(PlannedAction, plan_id)
    if plan is None or plan.lead_id != lead_id:
        abort(404)


def _instant() -> datetime | None:
    try:
        starts_at = datetime.fromisoformat(request.form.get("starts_at", ""))
    except ValueError:
        return None
    return starts_at if starts_at.tzinfo is not None else None


def _moved_on() -> None:
    web.db().rollback()
    flash(_("The lead has moved on in the meantime. This is how it stands now."), "warning")


def _back(lead_id: uuid.UUID) -> ResponseReturnValue:
    return redirect(url_for("hq.lead", lead_id=lead_id) + "#appointments")


blueprint.context_processor(lambda: {"appointment_panel": appointment_panel})
