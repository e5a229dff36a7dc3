"""Where a mapping may lead to: every field that a lead can have, by its path in the lead JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l

_PURPOSE = re.compile(r"consents\.([a-z][a-z0-9_]{0,39})(?:\.(text_version|at))?")
_FREE = re.compile(r"(attributes|vehicle\.trade_in)\.([^\x00-\x1f\x7f]{1,100})")


@dataclass(frozen=True, slots=True)
class Target:
    """A field of the lead: its path, what a person calls it, and what it holds.

    `kind` is text, lines (several lines of text), number, instant, flag, consent, free, or tokens:
    blank-separated marks to which several lines of a mapping may add.
    """

    path: str
    words: LazyProxy
    kind: str = "text"


def target_of(path: str) -> Target | None:
    """The target with this path; None when a lead has no such field.

    Besides TARGETS and FILE_TARGETS: `attributes.<name>` and `vehicle.trade_in.<name>` with any
    name; `consents.<purpose>`, `.text_version` and `.at` of it, the purpose in small letters.
    """
    if known := TARGETS.get(path) or FILE_TARGETS.get(path):
        return known
    if purpose := _PURPOSE.fullmatch(path):
        return Target(path, *_CONSENT_PARTS[purpose[2] or ""])
    if (free := _FREE.fullmatch(path)) and free[2].strip():
        words = _l("Custom field") if free[1] == "attributes" else _l("Trade-in: more")
        return Target(path, words, "free")
    return None


_CONSENT_PARTS: Mapping[str, tuple[LazyProxy, str]] = {
    "": (_l("Consent"), "consent"),
    "text_version": (_l("Consent: version of its text"), "text"),
    "at": (_l("Consent: when it was given"), "instant"),
}

_ALL = (
    Target("id", _l("The sender's own number")),
    Target("sent_at", _l("When it was sent"), "instant"),
    Target("test", _l("Only a test"), "flag"),
    Target("customer.title", _l("Title")),
    Target("customer.first_name", _l("First name")),
    Target("customer.last_name", _l("Last name")),
    Target("customer.full_name", _l("Full name")),
    Target("customer.company", _l("Company")),
    Target("customer.email", _l("Email")),
    Target("customer.phone", _l("Phone")),
    Target("customer.language", _l("Language")),
    Target("address.street", _l("Street"), "lines"),
    Target("address.postcode", _l("Postcode")),
    Target("address.city", _l("City")),
    Target("address.region", _l("Region")),
    Target("address.country", _l("Country")),
    Target("address.lat", _l("Latitude"), "number"),
    Target("address.lon", _l("Longitude"), "number"),
    Target("request.type", _l("Kind of request")),
    Target("request.brand", _l("Brand")),
    Target("request.model", _l("Model")),
    Target("request.timeframe", _l("When they want to buy"), "lines"),
    Target("request.comments", _l("Comments"), "lines"),
    Target("request.preferred_dealer", _l("Dealer they picked")),
    Target("request.contact_time", _l("When to call them")),
    Target("vehicle.condition", _l("New or used")),
    Target("vehicle.year", _l("Year of the vehicle")),
    Target("vehicle.vin", _l("Vehicle identification number")),
    Target("vehicle.trade_in.description", _l("Trade-in: description"), "lines"),
    Target("vehicle.trade_in.make", _l("Trade-in: brand")),
    Target("vehicle.trade_in.model", _l("Trade-in: model")),
    Target("vehicle.trade_in.year", _l("Trade-in: year")),
    Target("vehicle.trade_in.odometer", _l("Trade-in: mileage")),
    Target("vehicle.trade_in.vin", _l("Trade-in: vehicle identification number")),
    Target("campaign.code", _l("Campaign")),
    Target("campaign.platform_ids", _l("Campaign: numbers at the platform"), "tokens"),
    Target("campaign.utm_source", _l("Campaign: source")),
    Target("campaign.utm_medium", _l("Campaign: medium")),
    Target("campaign.utm_campaign", _l("Campaign: name in its links")),
    Target("campaign.gclid", _l("Campaign: Google click")),
    Target("campaign.referrer", _l("Page they came from")),
    Target("campaign.landing_page", _l("Page of the form")),
    Target("consents.contact", _l("Consent to be contacted"), "consent"),
    Target("consents.marketing", _l("Consent to advertising"), "consent"),
)
#: Every target with a fixed path, in the order in which a person is shown them.
TARGETS: Mapping[str, Target] = MappingProxyType({target.path: target for target in _ALL})

_OF_CALLS = (
    Target("call.disposition", _l("How the call ended")),
    Target("call.at", _l("When they were called"), "instant"),
    Target("call.back_at", _l("When to call them back"), "instant"),
    Target("call.agent", _l("Who called")),
    Target("call.note", _l("Note of the call"), "lines"),
)
#: What files of call centres tell besides: of a call that was made already, and no part of a lead.
FILE_TARGETS: Mapping[str, Target] = MappingProxyType({target.path: target for target in _OF_CALLS})
