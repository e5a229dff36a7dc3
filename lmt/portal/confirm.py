"""The customer confirms, from a mail to their own address, what they agreed to in a form.

Looking at the page confirms nothing, since machines that check mails follow every link; a person's
press on its button does."""

from __future__ import annotations

import uuid

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address

from lmt import confirming, web
from lmt.i18n import direction, reading
from lmt.links import lead_of_confirm_token
from lmt.models import Lead
from lmt.portal.blueprint import blueprint
from lmt.portal.leaving import private, tongue_of
from lmt.scope import SYSTEM, act_as


@blueprint.get("/confirm/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """Shows the very words; an expired and a forged link look alike."""
    return _page(token, done=False)


@blueprint.post("/confirm/<token>")
@web.limiter.limit("60 per hour", key_func=get_remote_address)
def confirm_now(token: str) -> ResponseReturnValue:
    """From now on the consents count; again changes nothing."""
    lead_id = _lead_id(token)
    if lead_id is not None:
        with act_as(web.installation().sessions(), SYSTEM) as session:
            try:
                confirming.confirm(session, lead_id, _latest(), web.at())
            except LookupError:
                return _page("", done=False)
    return _page(token, done=True)


def _page(token: str, *, done: bool) -> Response:
    lead_id = _lead_id(token)
    with act_as(web.installation().sessions(), SYSTEM) as session:
        lead = session.get(Lead, lead_id) if lead_id is not None else None
        agreed = confirming.agreements(session, lead) if lead is not None else []
        if lead is None or not agreed:
            return private(render_template("portal/confirm_gone.html"), 404)
        tongue = tongue_of(lead)
        with reading(tongue, lead.timezone or lead.market.timezone):
            page = render_template(
                "portal/confirm.html",
                token=token,
                tongue=tongue,
                agreed=agreed,
                latest=max(each.id for each in agreed),
                direction_of=direction,
                confirmed=all(each.confirmed_at is not None for each in agreed),
                done=done,
            )
    return private(page, 200)


def _latest() -> int:
    """The last of the agreements on the page that was sent; 0 for a page of nobody's."""
    return request.form.get("latest", 0, type=int)


def _lead_id(token: str) -> uuid.UUID | None:
    return lead_of_confirm_token(web.settings().secret_key, token, web.at())
