"""The question on the customer's page which of several places is theirs, and the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.lifecycle import IllegalStep, Status
from lmt.locating import PlaceQuestion, UnknownPlace, locate_as, place_question
from lmt.models import Lead
from lmt.portal.formtoken import form_token, is_form_token
from lmt.portal.opening import NOBODY, opened
from lmt.scope import SYSTEM, act_as

TRIES = "20 per hour"

Page = Callable[[str], Response]


@dataclass(frozen=True, slots=True)
class PlaceForm:
    """`asked` is what was looked for, "" before; `refused`: what was chosen changed nothing."""

    question: PlaceQuestion
    proof: str
    asked: str
    refused: bool


def ask_for_places(blueprint: Blueprint, page: Page) -> None:
    """Hang the question into the customer's pages; `page` shows that of a link."""

    def locate(token: str) -> ResponseReturnValue:
        return _locate(token, page)

    blueprint.add_url_rule(
        "/<token>/place",
        endpoint="locate",
        view_func=web.limiter.limit(TRIES)(locate),
        methods=["POST"],
    )
    blueprint.context_processor(lambda: {"place_form": place_form})


def place_form(lead: Lead) -> PlaceForm | None:
    """None for a request whose place is no question."""
    if lead.status != Status.UNLOCATED:
        return None
    asked = request.form.get("town", "").strip() if "looked_for" in g else ""
    with web.installation().sessions() as session:
        act_as(session, SYSTEM)
        question = place_question(session, lead.id, at=web.at(), asked=asked)
    if question is None:
        return None
    proof = form_token(web.settings().secret_key, lead.id, NOBODY, web.at())
    return PlaceForm(question, proof, asked, refused="refused" in g)


def _locate(token: str, page: Page) -> ResponseReturnValue:
    """The customer picks a place, or looks for another. What can't be done is said on the page."""
    secret, given = web.settings().secret_key, request.form.get("csrf_token", "")
    with act_as(web.installation().sessions(), SYSTEM) as session:
        lead = opened(session, token, web.at())
    if lead is None:
        return page(token)
    lead_id = lead.id
    if not is_form_token(secret, given, lead_id, NOBODY, web.at()):
        return _refused(token, page)
    if not (key := request.form.get("place", "")):
        g.looked_for = True
        return page(token)
    with web.installation().sessions() as session:
        act_as(session, SYSTEM)
        try:
            locate_as(session, lead_id, key, at=web.at(), actor=None)
        except UnknownPlace:
            return _refused(token, page)
        except IllegalStep:
            # It has moved on without the answer: the page shows where it stands.
            session.rollback()
        except LookupError:
            return page(token)
    return redirect(url_for("portal.status", token=token, lang=request.args.get("lang")), 303)


def _refused(token: str, page: Page) -> Response:
    g.refused = True
    answer = page(token)
    if answer.status_code == 200:
        answer.status_code = 409
    return answer
