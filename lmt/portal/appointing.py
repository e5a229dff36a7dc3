"""The customer books an appointment with the dealer that has their request, moves it or calls it
off; and takes it along as a calendar entry."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from flask import Response, abort, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lmt import appointments, web
from lmt.i18n import gettext as _
from lmt.i18n import reading
from lmt.links import status_link
from lmt.models import Lead
from lmt.portal.acting import MANY, Refused, carry_out, not_any_more
from lmt.portal.appointed import Appointment, bookable_kinds, kind_words
from lmt.portal.appointed import appointments as appointed
from lmt.portal.blueprint import blueprint
from lmt.portal.calendarfile import appointment_file
from lmt.portal.dealercard import dealer_card
from lmt.portal.formtoken import form_token
from lmt.portal.leaving import private, tongue_of
from lmt.portal.opening import holder, opened, per_request
from lmt.portal.page import NOTHING, tongues
from lmt.scope import SYSTEM, act_as
from lmt.slotgrid import Slot

DAYS_SHOWN = 35
MOST_TIMES = 300
"""On one page, the next ones first."""


@dataclass(frozen=True, slots=True)
class BookableDay:
    """A date at the dealer's, and its free times."""

    day: date
    times: tuple[Slot, ...]


@blueprint.get("/<token>/times")
def times(token: str) -> ResponseReturnValue:
    """The free times of a kind to book, or of an appointment to move."""
    return _times_page(token)


@blueprint.post("/<token>/book")
@web.limiter.limit(MANY, key_func=per_request)
def book(token: str) -> ResponseReturnValue:
    def verb(session: Session, lead_id: uuid.UUID) -> str:
        starts_at = _chosen()
        kind = request.form.get("kind", "")
        try:
            appointments.book(
                session,
                lead_id,
                kind=kind,
                starts_at=starts_at,
                by="customer",
                at=web.at(),
                actor=SYSTEM,
            )
        except appointments.Taken:
            raise Refused("time", _taken()) from None
        except appointments.NotBookable:
            session.rollback()
            raise Refused("time", not_any_more()) from None
        return "booked"

    return carry_out(token, "time", verb, _times_page)


@blueprint.post("/<token>/appointments/<int:plan_id>/move")
@web.limiter.limit(MANY, key_func=per_request)
def move_appointment(token: str, plan_id: int) -> ResponseReturnValue:
    def verb(session: Session, lead_id: uuid.UUID) -> str:
        _own(session, token, plan_id)
        try:
            appointments.rebook(
                session, plan_id, starts_at=_chosen(), by="customer", at=web.at(), actor=SYSTEM
            )
        except appointments.Taken:
            raise Refused("time", _taken()) from None
        return "rebooked"

    def show(token: str, refused: Refused = NOTHING) -> Response:
        return _times_page(token, refused, plan_id)

    return carry_out(token, "time", verb, show)


@blueprint.post("/<token>/appointments/<int:plan_id>/cancel")
@web.limiter.limit(MANY, key_func=per_request)
def cancel_appointment(token: str, plan_id: int) -> ResponseReturnValue:
    def verb(session: Session, lead_id: uuid.UUID) -> str:
        lead = opened(session, token, web.at())
        planned = appointed(session, lead, web.at()) if lead is not None else []
        # One that is gone already was called off before, perhaps by this very form.
        if any(each.id == plan_id and each.ends for each in planned):
            appointments.cancel(session, plan_id, by="customer", at=web.at(), actor=SYSTEM)
        return "cancelled"

    return carry_out(token, "time", verb, _times_page)


@blueprint.get("/<token>/appointment.ics")
def appointment_entry(token: str) -> ResponseReturnValue:
    """The next appointment, or the one asked for, for the customer's own calendar."""
    at, plan_id = web.at(), request.args.get("plan", 0, type=int)
    with act_as(web.installation().sessions(), SYSTEM) as session:
        lead = opened(session, token, at)
        planned = appointed(session, lead, at) if lead is not None else []
        chosen = next((each for each in planned if plan_id in {0, each.id}), None)
        if lead is None or chosen is None or lead.dealer_id is None:
            abort(404)
        dealer = dealer_card(session, lead.dealer_id, at)
    if dealer is None:
        abort(404)
    with reading(tongue_of(lead), chosen.timezone):
        address = status_link(web.settings(), lead.id, at).rsplit("/", 1)[0] + f"/{token}"
        body = appointment_file(chosen, dealer, lead.id, address=address, at=at)
    answer = make_response(body)
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="appointment.ics"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _times_page(token: str, refused: Refused = NOTHING, plan_id: int = 0) -> Response:
    at = web.at()
    plan_id = plan_id or request.args.get("plan", 0, type=int)
    with act_as(web.installation().sessions(), SYSTEM) as session:
        lead = opened(session, token, at)
        if lead is None or lead.dealer_id is None:
            return private(render_template("portal/gone.html"), 404)
        planned = appointed(session, lead, at)
        moved = next((each for each in planned if each.id == plan_id and each.moves), None)
        kind = moved.kind if moved else request.values.get("kind", "")
        if moved is None and kind not in bookable_kinds(session, lead, planned):
            kind = ""
        days = _days(session, lead, kind, at) if kind else []
        dealer = dealer_card(session, lead.dealer_id, at)
    tongue = tongue_of(lead)
    proof = form_token(web.settings().secret_key, lead.id, holder(lead), at)
    with reading(tongue, lead.timezone or lead.market.timezone):
        page = render_template(
            "portal/times.html",
            token=token,
            proof=proof,
            kind=kind,
            words=kind_words(kind),
            moved=moved,
            days=days,
            dealer=dealer,
            action=_action(token, moved, tongue),
            refused=refused,
            **tongues(lead, tongue),
        )
    return private(page, refused.code)


def _action(token: str, moved: Appointment | None, tongue: str) -> str:
    if moved is None:
        return url_for("portal.book", token=token, lang=tongue)
    return url_for("portal.move_appointment", token=token, plan_id=moved.id, lang=tongue)


def _days(session: Session, lead: Lead, kind: str, at: datetime) -> list[BookableDay]:
    assert lead.dealer_id is not None
    zone = ZoneInfo(appointments.zone_of(session, lead.dealer_id, at))
    found = appointments.bookable(session, lead.dealer_id, kind, at, DAYS_SHOWN)
    by_day = groupby(islice(found, MOST_TIMES), lambda slot: slot.starts_at.astimezone(zone).date())
    return [BookableDay(day, tuple(slots)) for day, slots in by_day]


def _own(session: Session, token: str, plan_id: int) -> None:
    """LookupError for a plan of somebody else's, or one that is not the customer's to move."""
    lead = opened(session, token, web.at())
    planned = appointed(session, lead, web.at()) if lead is not None else []
    if not any(each.id == plan_id and each.moves for each in planned):
        raise Refused("time", not_any_more())


def _chosen() -> datetime:
    try:
        starts_at = datetime.fromisoformat(request.form.get("starts_at", ""))
    except ValueError:
        raise Refused("time", _("Please choose a time."), 422) from None
    if starts_at.tzinfo is None:
        raise Refused("time", _("Please choose a time."), 422)
    return starts_at


def _taken() -> str:
    return _("Somebody was quicker: this time is taken. Please choose another one.")
