"""The queues where a lead waits for a person: what each cause means and what helps."""

from __future__ import annotations

from collections.abc import Mapping

from babel.support import LazyProxy
from flask import current_app, url_for

from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.models import Lead

LONGEST_REASON = 300

QUEUE_NAMES = ("unrouted", "unlocated", "incomplete")

TITLES: Mapping[str, LazyProxy] = {
    "unrouted": _l("No dealer found"),
    "unlocated": _l("Place unclear"),
    "incomplete": _l("No way to reach"),
}
ABOUT: Mapping[str, LazyProxy] = {
    "unrouted": _l("Nobody eligible could be found for these leads. Each waits for a person."),
    "unlocated": _l("It is not clear enough where these customers live to choose a dealer."),
    "incomplete": _l("These leads name nobody who could be called or written to."),
}
NOTHING: Mapping[str, LazyProxy] = {
    "unrouted": _l("Every lead has found a dealer."),
    "unlocated": _l("Every lead has a place."),
    "incomplete": _l("Everybody can be reached."),
}

_BY_HAND = _l("Assign a dealer by hand.")
REMEDIES: Mapping[str, LazyProxy] = {
    "no_contact": _l("Look for a number or address in the comments; withdraw it if there is none."),
    "unlocated": _l("Pick the place that is meant on the lead's page, or assign a dealer by hand."),
    "no_competence": _l(
        "Give a dealer this brand and service, or assign the lead by hand to a team that can help."
    ),
    "out_of_range": _l("Assign the nearest dealer by hand, or widen the rings of the policy."),
    "all_capped": _l("Raise a cap, or assign by hand: that goes above the caps."),
    "all_refused": _l("See on the lead's page why each was ruled out, then assign by hand."),
    "all_tried": _l("Call one of the dealers that let it pass, then assign it by hand."),
    "no_opening": _l("Check the dealers' hours and closures, or assign by hand."),
    "failed": _l("It is tried again by itself. Tell your administrator if it stays here."),
}


def remedy(cause: str) -> str:
    """What helps against `cause`."""
    return str(REMEDIES.get(cause, _BY_HAND))


_MENDED_AT: Mapping[str, tuple[str, LazyProxy]] = {
    "no_contact": ("hq.lead", _l("Open the lead")),
    "unlocated": ("hq.lead", _l("Pick the place")),
    "no_competence": ("hq.dealers", _l("Choose a dealer to give it to")),
    "out_of_range": ("hq.policies", _l("Open the policies")),
    "all_capped": ("hq.dealers", _l("Open the dealers")),
    "all_refused": ("hq.lead", _l("See why")),
    "all_tried": ("hq.lead", _l("See who was asked")),
    "no_opening": ("hq.dealers", _l("Open the dealers")),
    "failed": ("hq.lead", _l("Open the lead")),
}
"""The page on which a cause is mended, by its endpoint."""


def remedy_address(lead: Lead) -> tuple[str, str]:
    """Where the cause of a waiting lead is mended, and what to call the link."""
    endpoint, words = _MENDED_AT.get(lead.cause, ("hq.lead", _l("Open the lead")))
    if endpoint == "hq.lead" or endpoint not in current_app.view_functions:
        here = "place" if lead.cause == "unlocated" else None
        return url_for("hq.lead", lead_id=lead.id, _anchor=here), str(words)
    return url_for(endpoint, market=lead.market.code), str(words)


def reason_problem(reason: str) -> str:
    """What is wrong with a reason that was given, in words; "" for one that will do."""
    if not reason:
        return _("Say why, for those who read this later.")
    if len(reason) > LONGEST_REASON:
        return _("Shorten this to %(most)s characters or fewer.", most=LONGEST_REASON)
    return ""
