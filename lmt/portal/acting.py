"""How anything is done on a customer's page: a form that the page showed, a verb, and the page
again, which says what became of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lmt import web
from lmt.i18n import gettext as _
from lmt.i18n import reading
from lmt.lifecycle import IllegalStep
from lmt.portal.formtoken import is_form_token
from lmt.portal.leaving import tongue_of
from lmt.portal.opening import holder, opened
from lmt.scope import SYSTEM, act_as

MANY = "30 per hour"
FEW = "10 per hour"

Verb = Callable[[Session, uuid.UUID], str]
"""Does it, and says which code of `done_words` tells the customer."""


@dataclass(eq=False)
class Refused(Exception):
    """Nothing was changed, and why: shown beside the form `form`, which keeps what was `given`."""

    form: str
    words: str
    code: int = 409
    given: Mapping[str, str] = field(default_factory=dict)


Show = Callable[..., Response]
"""Shows the page of a token, with what was refused."""


def carry_out(
    token: str, form: str, verb: Verb, show: Show, *, onward: str = ""
) -> ResponseReturnValue:
    """Do it as the customer behind the link, once the form is known to be ours and of today's
    dealer; what the lead's state forbids is told as such. Then off to the page (or the endpoint
    `onward`), so that to load it again does nothing twice."""
    secret, at = web.settings().secret_key, web.at()
    with act_as(web.installation().sessions(), SYSTEM) as session:
        lead = opened(session, token, at)
        if lead is None:
            return show(token)
        lead_id, dealer_id, tongue = lead.id, holder(lead), tongue_of(lead)
        zone = lead.timezone or lead.market.timezone
    with reading(tongue, zone):
        if not is_form_token(secret, request.form.get("csrf_token", ""), lead_id, dealer_id, at):
            return show(token, Refused(form, outdated()))
        try:
            with act_as(web.installation().sessions(), SYSTEM) as session:
                done = verb(session, lead_id)
        except Refused as refused:
            return show(token, refused)
        except IllegalStep:
            return show(token, Refused(form, not_any_more()))
        except LookupError:
            return show(token)
    if onward:
        return redirect(url_for(onward, lang=tongue), 303)
    return redirect(url_for("portal.status", token=token, lang=tongue, done=done), 303)


def outdated() -> str:
    return _("Something has changed since you opened this page. Please choose again.")


def not_any_more() -> str:
    return _("This can't be done any more. The page shows where your request stands.")


def too_long(most: int) -> str:
    return _("Shorten this to %(most)s characters or fewer.", most=most)


def done_words(code: str) -> str:
    """What was done, in the customer's words; "" for nothing."""
    words: dict[str, Any] = {
        "moved": _("Done. Your request has moved."),
        "booked": _("Done. Your appointment is booked."),
        "rebooked": _("Done. Your appointment has another time now."),
        "cancelled": _("Done. Your appointment is called off."),
        "sent": _("Done. We have passed your message on."),
        "withdrawn": _("Done. Your request is closed, and nobody will call you about it."),
        "consent": _("Done. You have taken your consent back."),
        "feedback": _("Thank you. Your answer helps us and the dealer."),
    }
    return str(words.get(code, ""))
