"""The customer's page of one request: opened by a signed link, it says where the request stands,
which dealer has it and until when they will hear. Whoever the link is forwarded to learns
nothing of the person."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, load_only

from lmt import web
from lmt.config import LOCALES
from lmt.i18n import language_name, reading
from lmt.lifecycle import CLOSED, Status
from lmt.links import lead_of_status_token
from lmt.models import Brand, Closure, DealerTerms, Lead, Market
from lmt.portal.standing import reached, sentence, step_words
from lmt.portal.week import Day, coming_week
from lmt.scope import SYSTEM, act_as
from lmt.workhours import Calendar

blueprint = web.public(
    Blueprint(
        "portal",
        __name__,
        url_prefix="/r",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
)


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
    lead_id = lead_of_status_token(web.settings().secret_key, token, web.at())
    lead = dealer = None
    if lead_id is not None:
        with web.installation().sessions() as session:
            act_as(session, SYSTEM)
            lead = _lead(session, lead_id)
            if lead is not None and lead.dealer_id is not None:
                dealer = _dealer(session, lead.dealer_id, web.at())
    if lead is None:
        return _private(render_template("portal/gone.html"), 404)
    wanted = request.args.get("lang", "")
    language = wanted if wanted in LOCALES else lead.language or lead.market.default_language
    zone = lead.timezone or lead.market.timezone
    with reading(language, zone):
        page = render_template(
            "portal/status.html", **_told(lead, dealer, web.at()), **_tongues(lead, language)
        )
    return _private(page, 200)


def _told(lead: Lead, dealer: DealerCard | None, at: datetime) -> dict[str, object]:
    status = Status(lead.status)
    contacted = status is Status.CONTACTED
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
    closures = session.scalars(
        select(Closure).where(Closure.dealer_id == dealer_id, Closure.holds_at(at))
    )
    calendar = Calendar(
        terms.hours,
        terms.timezone,
        terms.country,
        tuple((closure.starts_on, closure.ends_on) for closure in closures),
    )
    return DealerCard(
        name=terms.name,
        street=terms.street,
        city=terms.city,
        phone=terms.phone,
        timezone=terms.timezone,
        week=coming_week(calendar, at),
    )


def _private(page: str, code: int) -> Response:
    response = make_response(page, code)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
