"""The customer's page as a whole: what is known of the request, and what may be done with it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, render_template, request
from sqlalchemy.orm import Session

from lmt import feedback, web
from lmt.config import LOCALES
from lmt.customeracts import Agreed, agreed
from lmt.i18n import language_name, reading
from lmt.lifecycle import CLOSED, WITH_DEALER, Status, may_step
from lmt.links import stop_token, was_mailed
from lmt.models import Feedback, Lead
from lmt.portal.acting import Refused, done_words
from lmt.portal.appointed import Appointment, appointments, bookable_kinds
from lmt.portal.dealercard import DealerCard, dealer_card
from lmt.portal.earlier import EarlierRequest, earlier_requests
from lmt.portal.formtoken import form_token
from lmt.portal.leaving import private, tongue_of
from lmt.portal.moving import move_reasons
from lmt.portal.opening import holder, opened
from lmt.portal.others import OtherDealer, other_dealers
from lmt.portal.standing import reached, sentence, step_words
from lmt.scope import SYSTEM, act_as

NOTHING = Refused("", "", 200)


@dataclass(slots=True)
class Known:
    """All that the page tells of a request beside the request itself."""

    dealer: DealerCard | None = None
    appointments: list[Appointment] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    others: list[OtherDealer] = field(default_factory=list)
    earlier: list[EarlierRequest] = field(default_factory=list)
    agreed: list[Agreed] = field(default_factory=list)
    asks: bool = False
    score: int = 0


def status_page(token: str, refused: Refused = NOTHING) -> Response:
    """The page of the link; an unknown, an expired and an ended link look alike."""
    at = web.at()
    with act_as(web.installation().sessions(), SYSTEM) as session:
        lead = opened(session, token, at)
        mailed = was_mailed(web.settings().secret_key, token)
        known = _known(session, lead, at, mailed=mailed) if lead is not None else Known()
    if lead is None:
        return private(render_template("portal/gone.html"), 404)
    if lead.status in WITH_DEALER and lead.market.customer_may_move:
        with act_as(web.installation().sessions(), SYSTEM) as session:
            # Apart, since routing reads of the lead what this page must never hold.
            known.others = other_dealers(session, lead.id, at)
    secret, language = web.settings().secret_key, tongue_of(lead)
    with reading(language, lead.timezone or lead.market.timezone):
        page = render_template(
            "portal/status.html",
            token=token,
            stop=stop_token(secret, lead.id, at),
            proof=form_token(secret, lead.id, holder(lead), at),
            once=uuid.uuid4().hex,
            known=known,
            reasons=move_reasons(),
            refused=refused,
            done=done_words(_done(lead)),
            scores=tuple(reversed(feedback.SCORES)),
            may_write=lead.status not in CLOSED,
            may_withdraw=may_step(Status(lead.status), Status.WITHDRAWN),
            **told(lead, known, at),
            **tongues(lead, language),
        )
    return private(page, refused.code)


def _done(lead: Lead) -> str:
    """What the address says was done, unless the request has gone on since."""
    code = request.args.get("done", "")
    stale = {"moved": lead.status != Status.OFFERED, "withdrawn": lead.status != Status.WITHDRAWN}
    return "" if stale.get(code) else code


def _known(session: Session, lead: Lead, at: datetime, *, mailed: bool) -> Known:
    known = Known(
        earlier=earlier_requests(session, lead) if mailed else [],
        agreed=agreed(session, lead, everywhere=mailed),
    )
    if lead.dealer_id is None:
        return known
    known.dealer = dealer_card(session, lead.dealer_id, at)
    known.asks = feedback.may_answer(session, lead, at)
    given = session.get(Feedback, lead.id) if known.asks else None
    known.score = given.score if given is not None else 0
    if lead.status in WITH_DEALER:
        known.appointments = appointments(session, lead, at)
        known.kinds = bookable_kinds(session, lead, known.appointments)
    return known


def told(lead: Lead, known: Known, at: datetime) -> dict[str, Any]:
    """Where the request stands, as the templates ask for it."""
    status = Status(lead.status)
    contacted = status in {Status.CONTACTED, Status.RESTING}
    # Whoever chose a time, or came at one, waits for no other call.
    meets = known.asks or any(each.ends or each.kind != "call" for each in known.appointments)
    waiting = status not in CLOSED and not (contacted or meets)
    late = waiting and lead.promise_at is not None and lead.promise_at < at
    named = known.dealer if status is not Status.WITHDRAWN else None
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


def tongues(lead: Lead, language: str) -> dict[str, Any]:
    """The language of the page, and the others it can be read in."""
    offered = list(dict.fromkeys([lead.language, *lead.market.languages, "en"]))
    others = []
    for code in offered:
        if code in LOCALES and code != language:
            with reading(code):
                others.append((code, language_name(code).capitalize()))
    return {"tongue": language, "others": others}
