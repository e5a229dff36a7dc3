"""The words for codes: what the database stores as a code, a person reads in their language."""

from __future__ import annotations

from collections.abc import Mapping

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l

LABELS: Mapping[str, Mapping[str, LazyProxy]] = {
    "status": {
        "received": _l("Received"),
        "incomplete": _l("No way to reach"),
        "unlocated": _l("Place unclear"),
        "unrouted": _l("No dealer found"),
        "offered": _l("New"),
        "accepted": _l("Accepted"),
        "contacted": _l("Contacted"),
        "won": _l("Sold"),
        "lost": _l("Lost"),
        "withdrawn": _l("Withdrawn"),
    },
    "band": {"hot": _l("Hot"), "warm": _l("Warm"), "cold": _l("Cold")},
    "request_type": {
        "information": _l("Information"),
        "test_drive": _l("Test drive"),
        "quote": _l("Quote"),
        "brochure": _l("Brochure"),
        "trade_in": _l("Trade-in"),
        "used_car": _l("Used car"),
        "after_sales": _l("After-sales"),
        "parts": _l("Parts"),
        "finance": _l("Finance"),
        "fleet": _l("Fleet"),
        "complaint": _l("Complaint"),
        "callback": _l("Call back"),
        "other": _l("Other"),
    },
    "service": {
        "sales": _l("New-car sales"),
        "used": _l("Used cars"),
        "after_sales": _l("After-sales"),
        "parts": _l("Parts"),
        "fleet": _l("Fleet"),
        "finance": _l("Finance"),
        "care": _l("Customer care"),
    },
    "channel": {
        "api": _l("Partner system"),
        "adf": _l("ADF"),
        "form": _l("Web form"),
        "call_centre": _l("Call centre"),
        "campaign": _l("Campaign"),
        "file": _l("File"),
    },
    "role": {
        "agent": _l("Salesperson"),
        "manager": _l("Dealer manager"),
        "headquarters": _l("Headquarters, market"),
        "central": _l("Headquarters, central"),
        "call_centre": _l("Call centre"),
        "administrator": _l("Administrator"),
    },
    "cause": {
        "no_contact": _l("No phone or mail was given"),
        "unlocated": _l("The place could not be found closely enough"),
        "no_competence": _l("No dealer offers this brand and service"),
        "out_of_range": _l("No dealer within reach"),
        "all_capped": _l("All dealers nearby have reached their cap"),
        "all_refused": _l("Every dealer nearby was ruled out"),
        "all_tried": _l("Every dealer nearby declined or let it pass"),
        "no_opening": _l("No dealer opens soon enough"),
        "failed": _l("A step failed and is tried again"),
    },
    "how": {
        "preferred": _l("The customer chose this dealer"),
        "serving": _l("This dealer already serves the customer"),
        "territory": _l("The place lies in this dealer's territory"),
        "nearest": _l("The closest eligible dealer"),
        "fallback": _l("The market's fallback team"),
        "by_hand": _l("Assigned by hand"),
    },
    "refusal": {
        "inactive": _l("Not active"),
        "no_competence": _l("Does not offer this brand and service"),
        "not_reachable": _l("Can't be reached"),
        "paused": _l("Paused"),
        "on_closure": _l("Closed for these days"),
        "day_cap": _l("Daily cap reached"),
        "month_cap": _l("Monthly cap reached"),
        "open_cap": _l("Too many open leads"),
        "tried": _l("Declined it or let it pass"),
        "territory_of_other": _l("Lies in another dealer's territory"),
        "out_of_range": _l("Too far away"),
        "unknown_dealer": _l("No such dealer in this market"),
        "no_location": _l("Its own place is not known"),
        "no_opening": _l("Does not open soon enough"),
        "country": _l("In another country"),
        "language": _l("Does not speak the customer's language"),
    },
    "why": {
        "first": _l("Chosen"),
        "farther": _l("Farther away"),
        "closed": _l("Closed at that hour"),
        "fair_share": _l("Has received more than its share"),
        "quality": _l("Lower quality figure"),
        "code": _l("Equal in all; the code decided"),
        "rank": _l("Ranked behind"),
    },
    "decline_reason": {
        "no_capacity": _l("No capacity right now"),
        "not_our_area": _l("Not our area"),
        "not_our_product": _l("We don't offer this"),
        "conflict": _l("Conflict with this customer"),
        "other": _l("Another reason"),
    },
    "lost_reason": {
        "bought_elsewhere": _l("Bought elsewhere"),
        "no_interest": _l("No longer interested"),
        "price": _l("Price"),
        "not_reached": _l("Could not be reached"),
        "delivery_time": _l("Delivery time"),
        "bad_data": _l("Wrong data"),
        "other": _l("Another reason"),
    },
    "withdraw_reason": {
        "customer": _l("The customer asked"),
        "no_lead": _l("Not a request at all"),
        "duplicate": _l("Entered twice"),
        "test": _l("A test: decided, but given to nobody"),
    },
    "contact_how": {
        "phone": _l("Phone"),
        "email": _l("Mail"),
        "messenger": _l("Messenger"),
        "in_person": _l("In person"),
    },
    "contact_result": {
        "reached": _l("Reached"),
        "no_answer": _l("No answer"),
        "left_message": _l("Left a message"),
        "wrong_number": _l("Wrong number"),
    },
    "plan_kind": {
        "call": _l("Call"),
        "test_drive": _l("Test drive"),
        "visit": _l("Visit"),
    },
    "location_method": {
        "given": _l("Coordinates given"),
        "postcode": _l("By postcode"),
        "city": _l("By city name"),
        "dealer": _l("By the chosen dealer"),
    },
    "location_problem": {
        "nothing_given": _l("No place was given"),
        "unknown": _l("The place is not known"),
        "ambiguous": _l("Several places have this name"),
        "conflict": _l("Postcode and city lie far apart"),
    },
    "event": {
        "received": _l("Received"),
        "asked_again": _l("Asked again"),
        "qualified": _l("Qualified"),
        "located": _l("Located"),
        "routed": _l("Dealer chosen"),
        "offered": _l("Offered"),
        "offer_expired": _l("Time ran out"),
        "offer_declined": _l("Declined"),
        "accepted": _l("Accepted"),
        "contacted": _l("Customer contacted"),
        "planned": _l("Next step planned"),
        "plan_done": _l("Step done"),
        "note": _l("Note"),
        "won": _l("Sold"),
        "lost": _l("Lost"),
        "reopened": _l("Reopened"),
        "reassigned": _l("Reassigned"),
        "withdrawn": _l("Withdrawn"),
        "queued": _l("Put in a queue"),
        "promised": _l("Promise to the customer"),
        "mail_sent": _l("Mail sent"),
        "mail_failed": _l("Mail failed"),
        "postponed": _l("Postponed"),
    },
    "message_kind": {
        "dealer_new_lead": _l("New lead"),
        "dealer_lead_taken_away": _l("Lead taken away"),
        "dealer_asked_again": _l("Customer asked again"),
        "customer_received": _l("Confirmation to the customer"),
        "customer_transferred": _l("Change of dealer"),
        "headquarters_unrouted": _l("Lead without a dealer"),
    },
    "message_status": {
        "queued": _l("Waiting"),
        "sent": _l("Sent"),
        "failed": _l("Failed"),
        "dropped": _l("No longer needed"),
    },
}

GIVEN_BY_LMT: Mapping[str, frozenset[str]] = {"withdraw_reason": frozenset({"test"})}
"""Codes by kind that no person chooses."""


def label(kind: str, code: str) -> str:
    """The reader's words for `code`; a code nobody named is shown as it is."""
    known = LABELS[kind].get(code)
    return code if known is None else str(known)


def choices(kind: str) -> list[tuple[str, str]]:
    """Codes with their words, in the order in which they are offered."""
    hidden = GIVEN_BY_LMT.get(kind, frozenset())
    return [(code, str(words)) for code, words in LABELS[kind].items() if code not in hidden]
