"""The queues where a lead waits for a person: what each cause means and what helps."""

from __future__ import annotations

from collections.abc import Mapping

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l

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
