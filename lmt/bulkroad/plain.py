"""Which newcomers may take the road of many: the plain ones, in which nothing is out of turn.

Every other lead is left to `pipeline.advance`, which knows all there is to know.
"""

from __future__ import annotations

from lmt.bulkroad.chunk import Newcomer
from lmt.routing.locate import Located, Unlocated
from lmt.routing.policy import Policy


def is_plain(newcomer: Newcomer) -> bool:
    """Whether the lead is new in every respect, can be reached, and its customer hears nothing.

    Of several leads of one customer only the first is: what becomes of it may decide who gets the
    others.
    """
    lead = newcomer.lead
    has_contact = bool(lead.email or lead.phone)
    has_history = bool(
        newcomer.was_offered
        or lead.asked_again
        or lead.postponed
        or lead.location_method
        or lead.cause
        or lead.waiting_since
        or lead.promise_at
    )
    is_told = bool(lead.source.tells_customer and lead.email)
    return (
        has_contact
        and newcomer.is_first
        and not has_history
        and not is_told
        and not lead.test
        and not newcomer.is_listed
        and not newcomer.is_geocoded
    )


def goes_plainly(policy: Policy) -> bool:
    """Whether a lead that goes by this policy asks no routing engine."""
    return not policy.use_road


def is_worth_asking(newcomer: Newcomer, found: Located | Unlocated) -> bool:
    """Whether a geocoder, where there is one, might know more of the place than was found."""
    lead = newcomer.lead
    if isinstance(found, Unlocated) or lead.street.strip():
        return True
    if found.method == "given":
        return False
    return found.method == "region" or bool(lead.postcode.strip() and found.method != "postcode")
