"""The customer's page of one request: opened by a signed link, it says where the request stands,
which dealer has it and until when they will hear. Whoever the link is forwarded to learns
nothing of the person."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, load_only

from lmt import web
from lmt.calendars import dealer_calendar
from lmt.config import LOCALES
from lmt.i18n import language_name, reading
from lmt.lifecycle import CLOSED, IllegalStep, Status
from lmt.links import lead_of_status_token, stop_token
from lmt.models import Brand, DealerTerms, Lead, Market
from lmt.moving import NotEligible
from lmt.pipeline import move_for_customer
from lmt.portal import confirm, stop
from lmt.portal.blueprint import blueprint
from lmt.portal.formtoken import form_token, is_form_token
from lmt.portal.leaving import private, tongue_of
from lmt.portal.moving import MOVE_REASONS, move_problem, move_reasons
from lmt.portal.others import OtherDealer, other_dealers
from lmt.portal.places import ask_for_places
from lmt.portal.standing import reached, sentence, step_words
from lmt.portal.week import Day, coming_week
from lmt.scope import SYSTEM, act_as

__all__ = ["blueprint", "confirm", "stop"]


@dataclass(frozen=True, slots=True)
class DealerCard:
    """What a customer may know of the dealer who has the request."""

    name: str
    street: str
    city: str
    phone: str
    timezone: str
    week: list[Day]


@blueprint.get("/<token>")
def status(token: str) -> ResponseReturnValue:
    """The page; an unknown and an expired link look alike."""
    return _page(token)


@blueprint.post("/<token>/dealer")
@web.limiter.limit("20 per hour")
def move(token: str) -> ResponseReturnValue:
    """The customer picks another dealer. What can't be done is said on the page itself."""
    secret, given = web.settings().secret_key, request.form.get("csrf_token", "")
    lead_id = lead_of_status_token(secret, token, web.at())
    lead = None
    if lead_id is not None:
        with web.installation().sessions() as session:
            act_as(session, SYSTEM)
            lead = _lead(session, lead_id)
    if lead is None:
        return _page(token)
    if not is_form_token(secret, given, lead.id, lead.dealer_id, web.at()):
        return _page(token, problem="outdated")
    reason, dealer_code = request.form.get("reason", ""), request.form.get("dealer", "")
    if reason not in MOVE_REASONS or not dealer_code:
        return _page(token, problem="incomplete", chosen=(dealer_code, reason))
    with web.installation().sessions() as session:
        act_as(session, SYSTEM)
        try:
            move_for_customer(session, lead.id, dealer_code=dealer_code, reason=reason, at=web.at())
        except (NotEligible, IllegalStep):
            session.rollback()
            return _page(token, problem="not_now", chosen=("", reason))
    return redirect(url_for(".status", token=token, lang=tongue_of(lead), moved=1), 303)


def _page(token: str, *, problem: str = "", chosen: tuple[str, str] = ("", "")) -> Response:
    """The page of the link; `problem` says why the dealer and the reason chosen changed nothing."""
    lead_id = lead_of_status_token(web.settings().secret_key, token, web.at())
    lead, dealer, others = (None, None, []) if lead_id is None else _opened(lead_id)
    if lead is None:
        return private(render_template("portal/gone.html"), 404)
    secret, holder = web.settings().secret_key, lead.dealer_id
    proof = form_token(secret, lead.id, holder, web.at()) if others and holder else ""
    language = tongue_of(lead)
    with reading(language, lead.timezone or lead.market.timezone):
        page = render_template(
            "portal/status.html",
            token=token,
            stop=stop_token(secret, lead.id, web.at()),
            proof=proof,
            other_dealers=others,
            reasons=move_reasons(),
            problem=move_problem(problem),
            chosen=chosen,
            moved="moved" in request.args and lead.status == Status.OFFERED,
            **_told(lead, dealer, web.at()),
            **_tongues(lead, language),
        )
    return private(page, 409 if problem else 200)


def _opened(lead_id: uuid.UUID) -> tuple[Lead | None, DealerCard | None, list[OtherDealer]]:
    """The lead, the dealer that has it, and those that could have it instead."""
    with web.installation().sessions() as session:
        act_as(session, SYSTEM)
        lead = _lead(session, lead_id)
        if lead is None or lead.dealer_id is None:
            return lead, None, []
        dealer = _dealer(session, lead.dealer_id, web.at())
    with web.installation().sessions() as session:
        # Apart, since routing reads of the lead what this page must never hold.
        act_as(session, SYSTEM)
        return lead, dealer, other_dealers(session, lead_id, web.at())


def _told(lead: Lead, dealer: DealerCard | None, at: datetime) -> dict[str, object]:
    status = Status(lead.status)
    contacted = status in {Status.CONTACTED, Status.RESTING}
    waiting = status not in CLOSED and not contacted
    late = waiting and lead.promise_at is not None and lead.promise_at < at
    named = dealer if status not in {Status.WITHDRAWN} else None
    return {
        "lead": lead,
        "dealer": named,
        "sentence": sentence(
            status, contacted=contacted, dealer=named.name if named else "", late=late
        ),
        "promise_at": lead.promise_at if waiting and not late and named else None,
        "steps": step_words() if status is not Status.WITHDRAWN else [],
        "reached": reached(status),
    }


def _tongues(lead: Lead, language: str) -> dict[str, object]:
    offered = list(dict.fromkeys([lead.language, *lead.market.languages, "en"]))
    others = []
    for code in offered:
        if code in LOCALES and code != language:
            with reading(code):
                others.append((code, language_name(code).capitalize()))
    return {"tongue": language, "others": others}


def _lead(session: Session, lead_id: uuid.UUID) -> Lead | None:
    """That lead, without the columns that tell who the customer is."""
    return session.scalar(
        select(Lead)
        .options(
            load_only(
                Lead.reference,
                Lead.status,
                Lead.dealer_id,
                Lead.language,
                Lead.timezone,
                Lead.request_type,
                Lead.model,
                Lead.promise_at,
                Lead.created_at,
                raiseload=True,
            ),
            joinedload(Lead.market).load_only(
                Market.default_language, Market.languages, Market.timezone
            ),
            joinedload(Lead.brand).load_only(Brand.name),
        )
        .where(Lead.id == lead_id)
    )


def _dealer(session: Session, dealer_id: int, at: datetime) -> DealerCard | None:
    terms = session.scalar(
        select(DealerTerms).where(DealerTerms.dealer_id == dealer_id, DealerTerms.holds_at(at))
    )
    if terms is None:
        return None
    return DealerCard(
        name=terms.name,
        street=terms.street,
        city=terms.city,
        phone=terms.phone,
        timezone=terms.timezone,
        week=coming_week(dealer_calendar(session, dealer_id, at), at),
    )


ask_for_places(blueprint, _page)
