"""The customer's page of one request: opened by a signed link, it says where the request stands,
which dealer has it and until when they will hear. Whoever the link is forwarded to learns
nothing of the person."""

from __future__ import annotations

import uuid

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lmt import customeracts, feedback, pipeline, web
from lmt.i18n import gettext as _
from lmt.lifecycle import IllegalStep
from lmt.links import was_mailed
from lmt.moving import NotEligible
from lmt.pipeline import move_for_customer
from lmt.portal import appointing, confirm, stop
from lmt.portal.acting import FEW, MANY, Refused, carry_out, too_long
from lmt.portal.blueprint import blueprint
from lmt.portal.leaving import private
from lmt.portal.moving import MOVE_REASONS, move_problem
from lmt.portal.opening import opened, per_request
from lmt.portal.page import status_page
from lmt.portal.places import ask_for_places
from lmt.scope import SYSTEM

__all__ = ["appointing", "blueprint", "confirm", "stop"]


@blueprint.get("/<token>")
def status(token: str) -> ResponseReturnValue:
    """The page; an unknown and an expired link look alike."""
    return status_page(token)


@blueprint.post("/<token>/dealer")
@web.limiter.limit("20 per hour")
def move(token: str) -> ResponseReturnValue:
    """The customer picks another dealer. What can't be done is said on the page itself."""

    def verb(session: Session, lead_id: uuid.UUID) -> str:
        reason, code = request.form.get("reason", ""), request.form.get("dealer", "")
        given = {"reason": reason, "dealer": code}
        if reason not in MOVE_REASONS or not code:
            raise Refused("dealer", move_problem("incomplete"), given=given)
        lead = opened(session, token, web.at())
        if lead is None or not lead.market.customer_may_move:
            raise Refused("dealer", move_problem("not_now"))
        try:
            move_for_customer(session, lead_id, dealer_code=code, reason=reason, at=web.at())
        except (NotEligible, IllegalStep):
            session.rollback()
            raise Refused("dealer", move_problem("not_now"), given={"reason": reason}) from None
        return "moved"

    return carry_out(token, "dealer", verb, status_page)


@blueprint.post("/<token>/message")
@web.limiter.limit(FEW, key_func=per_request)
def message(token: str) -> ResponseReturnValue:
    """More words to the dealer, or when the customer would have time."""

    def verb(session: Session, lead_id: uuid.UUID) -> str:
        text = request.form.get("text", "")
        once = request.form.get("once", "")[:64]
        try:
            customeracts.add_message(session, lead_id, text=text, once=once, at=web.at())
        except ValueError:
            words = too_long(customeracts.LONGEST_MESSAGE)
            if not text.strip():
                words = _("Please write a message.")
            raise Refused("message", words, 422, {"text": text}) from None
        return "sent"

    return carry_out(token, "message", verb, status_page)


@blueprint.post("/<token>/withdraw")
@web.limiter.limit(MANY, key_func=per_request)
def withdraw(token: str) -> ResponseReturnValue:
    """The customer no longer wants it. It can't be undone, so they say it twice."""

    def verb(session: Session, lead_id: uuid.UUID) -> str:
        if request.form.get("sure") != "yes":
            raise Refused("withdraw", _("Please tick the box first."), 422)
        pipeline.withdraw(session, lead_id, reason="customer", at=web.at(), actor=SYSTEM)
        return "withdrawn"

    return carry_out(token, "withdraw", verb, status_page)


@blueprint.post("/<token>/consent")
@web.limiter.limit(MANY, key_func=per_request)
def take_consent_back(token: str) -> ResponseReturnValue:
    """From now on nothing is done by a consent of that purpose."""

    def verb(session: Session, lead_id: uuid.UUID) -> str:
        purpose = request.form.get("purpose", "")
        customeracts.take_consent_back(
            session,
            lead_id,
            purpose=purpose,
            everywhere=was_mailed(web.settings().secret_key, token),
            at=web.at(),
        )
        return "consent"

    return carry_out(token, "consent", verb, status_page)


@blueprint.post("/<token>/feedback")
@web.limiter.limit(MANY, key_func=per_request)
def give_feedback(token: str) -> ResponseReturnValue:
    """The one question after the visit."""

    def verb(session: Session, lead_id: uuid.UUID) -> str:
        score = request.form.get("score", 0, type=int)
        comment = request.form.get("comment", "").strip()
        given = {"score": str(score), "comment": comment}
        if score not in feedback.SCORES:
            raise Refused("feedback", _("Please choose one of these."), 422, given)
        if len(comment) > feedback.LONGEST_COMMENT:
            raise Refused("comment", too_long(feedback.LONGEST_COMMENT), 422, given)
        feedback.answer(session, lead_id, score=score, comment=comment, at=web.at())
        return "feedback"

    return carry_out(token, "feedback", verb, status_page)


@blueprint.post("/<token>/links")
@web.limiter.limit(FEW, key_func=per_request)
def end_links(token: str) -> ResponseReturnValue:
    """The link went to somebody it was not meant for: none opens the page, but a fresh one."""

    def verb(session: Session, lead_id: uuid.UUID) -> str:
        customeracts.end_links(session, lead_id, at=web.at())
        return "links"

    return carry_out(token, "links", verb, status_page, onward="portal.links_ended")


@blueprint.get("/links/ended")
def links_ended() -> ResponseReturnValue:
    """What a customer reads who has ended their links: this one is gone, too."""
    return private(render_template("portal/ended.html"), 200)


ask_for_places(blueprint, status_page)
