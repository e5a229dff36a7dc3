"""The words of the form builder: what types are called, what an edit did, why one can't be."""

from __future__ import annotations

from collections.abc import Mapping

from babel.support import LazyProxy

from lmt.hq.formedits import BadEdit
from lmt.i18n import format_number
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l

TYPES: Mapping[str, tuple[LazyProxy, str]] = {
    "section": (_l("Heading"), "layout-list"),
    "text": (_l("Short text"), "pencil"),
    "longtext": (_l("Long text"), "message"),
    "name": (_l("Name"), "user"),
    "email": (_l("Email address"), "mail"),
    "phone": (_l("Phone number"), "phone"),
    "choice": (_l("One of several"), "circle-check"),
    "choices": (_l("Several of several"), "list-check"),
    "date": (_l("Date"), "calendar"),
    "time_window": (_l("Time of day"), "clock"),
    "number": (_l("Number"), "chart-bar"),
    "postcode": (_l("Postcode"), "map-pin"),
    "city": (_l("City"), "map-pin"),
    "country": (_l("Country"), "world"),
    "address": (_l("Address"), "map-2"),
    "model": (_l("Model"), "car"),
    "dealer": (_l("Dealer"), "building-store"),
    "consent": (_l("Consent"), "check"),
    "hidden": (_l("Hidden value"), "lock"),
    "file": (_l("File"), "file-text"),
}
"""What each type of field is called, and its icon."""

TEST_WORDS: Mapping[str, LazyProxy] = {
    "is": _l("is"),
    "is_not": _l("is not"),
    "filled": _l("is answered"),
    "empty": _l("is not answered"),
    "at_least": _l("is at least"),
    "at_most": _l("is at most"),
}
FONT_WORDS: Mapping[str, LazyProxy] = {
    "system": _l("The visitor's system font"),
    "serif": _l("A serif font"),
    "inherit": _l("The font of the page around"),
}
COLOUR_WORDS: Mapping[str, LazyProxy] = {
    "accent": _l("Accent: buttons, links, focus"),
    "background": _l("Background"),
    "text": _l("Text"),
}
TEXT_WORDS: Mapping[str, LazyProxy] = {
    "title": _l("Title of the form"),
    "intro": _l("Introduction"),
    "submit": _l("Button that sends"),
    "thanks": _l("Thank-you text"),
    "step": _l("Title of the step"),
    "label": _l("Label"),
    "help": _l("Help"),
    "error": _l("Error message"),
    "option": _l("Option"),
}
SHOWN_WORDS: Mapping[str, LazyProxy] = {
    "desk": _l("Dealer's desk"),
    "reports": _l("Reports"),
    "exports": _l("Downloads"),
}
PLACE_WORDS: Mapping[str, LazyProxy] = {
    "customer.title": _l("Customer: title"),
    "customer.first_name": _l("Customer: first name"),
    "customer.last_name": _l("Customer: last name"),
    "customer.full_name": _l("Customer: full name"),
    "customer.company": _l("Customer: company"),
    "customer.email": _l("Customer: email"),
    "customer.phone": _l("Customer: phone"),
    "address.street": _l("Address: street"),
    "address.postcode": _l("Address: postcode"),
    "address.city": _l("Address: city"),
    "address.region": _l("Address: region"),
    "address.country": _l("Address: country"),
    "request.type": _l("Request: type"),
    "request.brand": _l("Request: brand"),
    "request.model": _l("Request: model"),
    "request.timeframe": _l("Request: timeframe"),
    "request.comments": _l("Request: comments"),
    "request.contact_time": _l("Request: contact time"),
    "request.preferred_dealer": _l("Request: preferred dealer"),
    "vehicle.condition": _l("Vehicle: condition"),
    "vehicle.year": _l("Vehicle: year"),
    "vehicle.vin": _l("Vehicle: VIN"),
    "campaign.code": _l("Campaign: code"),
}

_REFUSALS: Mapping[str, LazyProxy] = {
    "gone": _l("This part of the form is no longer there."),
    "taken": _l("The form has a field with the key “%(key)s” already."),
    "key": _l("Use small letters, digits and underscores, 40 at most, a letter first."),
    "steps": _l("A form has %(most)s steps at most."),
    "fields": _l("A form has %(most)s fields at most."),
    "last_step": _l("A form has one step at least."),
    "below": _l(
        "“%(part)s” is shown depending on “%(by)s”, so it has to stay below it. Change the "
        "condition first."
    ),
    "not_above": _l("A condition can only look at a field further up."),
    "bounds": _l("The largest must not be less than the smallest."),
    "file_size": _l("Enter a size of 1 to %(most)s MB."),
    "length": _l("Enter a length of 1 to %(most)s characters."),
    "retention": _l("Enter 1 to 36500 days, or leave it empty."),
    "whole_number": _l("Enter a whole number, or leave it empty."),
    "no_country_chosen": _l("Tick one country at least."),
    "no_options": _l("Leave one option at least."),
    "many_options": _l("A field has %(most)s options at most."),
    "option_id": _l("“%(id)s” can't be the id of an option."),
    "option_twice": _l("Two options have the same id."),
    "no_countries": _l("This market has no countries to choose from."),
    "no_models": _l("There are no models to choose from."),
    "languages": _l("Tick one language at least."),
    "default_language": _l("The language to fall back on must be among those ticked."),
    "redirect": _l("The address must begin with https://."),
    "theme": _l("Write colours as #064f8c, and corners as 0 to 24 pixels."),
    "condition_value": _l("Say what the answer is compared with."),
    "condition_option": _l("“%(value)s” is none of the options of this field."),
    "condition": _l("“At least” and “at most” compare with a number, or a date as 2026-05-31."),
    "cannot": _l("This can't be kept: %(why)s."),
    "unreadable": _l("What was sent can't be read. Load the page again."),
}


def refusal_words(problem: BadEdit, names: Mapping[str, str]) -> str:
    """Why an edit can't be made; `names` are what the reader calls steps and fields."""
    facts = {
        name: format_number(value) if isinstance(value, int) else names.get(value, value)
        for name, value in problem.facts.items()
    }
    facts.setdefault("key", problem.field)
    return str(_REFUSALS[problem.code]) % facts


def moved_words(name: str, step: str, position: int, of: int) -> str:
    return _(
        "“%(name)s” is now %(position)s of %(of)s in “%(step)s”.",
        name=name,
        position=format_number(position),
        of=format_number(of),
        step=step,
    )


def removed_words(name: str, shown_by: list[str]) -> str:
    """`shown_by`: what was shown depending on it, and is now always shown."""
    if not shown_by:
        return _("“%(name)s” was removed.", name=name)
    return _(
        "“%(name)s” was removed, and with it the conditions on it: %(parts)s.",
        name=name,
        parts=", ".join(f"“{each}”" for each in shown_by),
    )
