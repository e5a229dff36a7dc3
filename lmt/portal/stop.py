"""The customer says: no more offers, please. By the link of their page or a mail, without logging
in; looking at the page changes nothing, a person's press on its button does (RFC 8058 for mail
programs, which press it by themselves when asked to)."""

from __future__ import annotations

import uuid

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address

from lmt import donotcontact, web
from lmt.i18n import reading
from lmt.links import lead_of_stop_token
from lmt.models import Lead
from lmt.portal.blueprint import blueprint
from lmt.portal.leaving import private, tongue_of
from lmt.scope import SYSTEM, act_as


def _presser() -> str:
    """One customer's link. Its caller may be a mail service, which presses for many."""
    token = str((request.view_args or {}).get("token", ""))
    lead_id = lead_of_stop_token(web.settings().secret_key, token, web.at())
    return str(lead_id or get_remote_address())


@blueprint.get("/stop/<token>")
def stop(token: str) -> ResponseReturnValue:
    """Asks by which ways we shall stop; an unknown and an expired link look alike."""
    return _page(token, done=False)


@blueprint.post("/stop/<token>")
@web.limiter.limit("20 per hour", key_func=_presser)
def stop_now(token: str) -> ResponseReturnValue:
    """Puts the customer's phone, address or both on the lists; again changes nothing."""
    lead_id = lead_of_stop_token(web.settings().secret_key, token, web.at())
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    ways = ["email"] if one_click else [k for k in donotcontact.KINDS if k in request.form]
    if lead_id is not None and ways:
        with act_as(web.installation().sessions(), SYSTEM) as session:
            lead = session.get(Lead, lead_id)
            if lead is not None:
                donotcontact.suppress_customer(
                    session, lead, ways, origin="unsubscribe", at=web.at()
                )
                session.commit()
    return _page(token, done=bool(ways), problem=not ways)


def _page(token: str, *, done: bool, problem: bool = False) -> Response:
    lead_id = lead_of_stop_token(web.settings().secret_key, token, web.at())
    lead = _lead(lead_id) if lead_id is not None else None
    if lead is None:
        return private(render_template("portal/gone.html"), 404)
    with reading(tongue_of(lead), lead.timezone or lead.market.timezone):
        page = render_template(
            "portal/stop.html", token=token, tongue=tongue_of(lead), done=done, problem=problem
        )
    return private(page, 422 if problem else 200)


def _lead(lead_id: uuid.UUID) -> Lead | None:
    with act_as(web.installation().sessions(), SYSTEM) as session:
        lead = session.get(Lead, lead_id)
        if lead is not None:
            _ = lead.market
        return lead
