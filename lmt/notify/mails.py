"""Every mail of a lead's life: from plain facts to subject, text and HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from lmt.i18n import (
    country_name,
    format_day_time,
    format_km,
    language_name,
    ngettext,
    reader,
    reading,
)
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Letter, Line, Rendered, Value, written
from lmt.notify.suggestion import next_step

LONGEST_GREETED = 60
"""Characters of a name in a greeting."""


def render(kind: str, facts: MailFacts, *, language: str, timezone: str, base_url: str) -> Rendered:
    """The mail of this kind for a reader of `language` in `timezone`. Raises KeyError."""
    compose = _COMPOSERS[kind]
    with reading(language, timezone):
        return written(compose(facts, base_url))


def _dealer_new_lead(facts: MailFacts, base_url: str) -> Letter:
    notice = None
    if facts.take_by_at is not None and facts.take_by_at > facts.written_at:
        notice = Line(
            _("Take it by %(deadline)s, else it goes to another dealer."),
            {"deadline": _moment(facts.take_by_at)},
        )
    return Letter(
        subject=_marked(facts, _("New lead %(reference)s: %(wish)s"), wish=_wish(facts)),
        heading=_("A new lead for you"),
        opening=_test_note(facts),
        notice=notice,
        facts=[
            (_("Customer"), [Value(facts.full_name), Value(facts.company)]),
            *_contact(facts),
            (_("Reach them"), [Value(facts.contact_time)]),
            (_("Language"), [Value(language_name(facts.language) if facts.language else "")]),
            (_("Wish"), [Value(_wish(facts))]),
            (_("When"), [Value(facts.timeframe)]),
            (_("Place"), _place(facts)),
            (_("Distance"), [Value(_distance(facts))]),
            (_("Next step"), [Value(_next_step(facts))]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        quote=facts.comments,
        button=(_("Open the lead"), _desk_address(facts, base_url)),
        footer=_("This mail was written automatically. Answers to it are not read."),
    )


def _dealer_asked_again(facts: MailFacts, base_url: str) -> Letter:
    return Letter(
        subject=_marked(facts, _("Asked again, lead %(reference)s: %(wish)s"), wish=_wish(facts)),
        heading=_("The customer asked again"),
        opening=[
            *_test_note(facts),
            Line(_("A customer whose lead you have has sent another request.")),
            Line(_("Whoever asks twice is waiting for an answer.")),
        ],
        facts=[
            (_("Customer"), [Value(facts.full_name), Value(facts.company)]),
            *_contact(facts),
            (_("Wish"), [Value(_wish(facts))]),
            (_("Next step"), [Value(_next_step(facts))]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        button=(_("Open the lead"), _desk_address(facts, base_url)),
        footer=_("This mail was written automatically. Answers to it are not read."),
    )


def _dealer_lead_taken_away(facts: MailFacts, base_url: str) -> Letter:
    # The dealer may no longer see this lead, so neither the customer nor a link is in the mail.
    reasons = {
        "expired": _("The time to take it ran out."),
        "lead_withdrawn": _("The request was withdrawn."),
    }
    return Letter(
        subject=_marked(facts, _("Lead %(reference)s is no longer yours")),
        heading=_("A lead is no longer yours"),
        opening=[
            *_test_note(facts),
            Line(reasons.get(facts.ended, _("It was given to another dealer."))),
            Line(_("There is nothing more for you to do.")),
        ],
        facts=[
            (_("Wish"), [Value(_wish(facts))]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        button=(_("Open your leads"), f"{base_url}/desk/"),
        footer=_("This mail was written automatically. Answers to it are not read."),
    )


def _customer_received(facts: MailFacts, base_url: str) -> Letter:
    if facts.dealer is None:
        opening = [
            Line(_("We have received your request.")),
            Line(_("Our team is finding the right dealer for you.")),
        ]
    else:
        opening = [
            Line(
                _("We have received your request. %(dealer)s looks after it."),
                {"dealer": Value(facts.dealer.name)},
            )
        ]
        if facts.choice_refused:
            opening.append(
                Line(_("The dealer you chose can't take it now, so we asked the next one."))
            )
    return Letter(
        subject=_("We have received your request (%(reference)s)", reference=facts.reference),
        heading=_("Thank you for your request"),
        opening=[*_greeting(facts), *opening],
        notice=_promise(facts),
        facts=_request(facts),
        closing=_opening_hour(facts),
        button=_status_button(facts),
        footer=_("You get this mail because you sent us a request. It was written automatically."),
    )


def _customer_transferred(facts: MailFacts, base_url: str) -> Letter:
    opening = [Line(_("We are finding another dealer for you."))]
    if facts.dealer is not None:
        opening = [
            Line(_("Your request is now with %(dealer)s."), {"dealer": Value(facts.dealer.name)}),
            Line(_("They have everything you told us: you need not do anything.")),
        ]
    return Letter(
        subject=_("Who looks after your request now (%(reference)s)", reference=facts.reference),
        heading=_("Who looks after your request now"),
        opening=[*_greeting(facts), *opening],
        notice=_promise(facts),
        facts=_request(facts),
        closing=_opening_hour(facts),
        button=_status_button(facts),
        footer=_("You get this mail because you sent us a request. It was written automatically."),
    )


def _headquarters_unrouted(facts: MailFacts, base_url: str) -> Letter:
    waiting = ngettext(
        "%(num)s lead waits without a dealer", "%(num)s leads wait without a dealer", facts.waiting
    )
    received = "" if facts.received_at is None else format_day_time(facts.received_at)
    return Letter(
        subject=waiting,
        heading=waiting,
        opening=[Line(_("The lead that made us write:"))],
        facts=[
            (_("Cause"), [Value(label("cause", facts.cause) if facts.cause else "")]),
            (_("Wish"), [Value(_wish(facts))]),
            (_("Place"), _place(facts)),
            (_("Received"), [Value(received)]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        button=(_("Open the queue"), f"{base_url}/hq/queues/{facts.queue}"),
        footer=_("While leads wait, you get this mail once an hour at most."),
    )


def _greeting(facts: MailFacts) -> list[Line]:
    if not _is_greetable(facts.full_name):
        return []
    return [Line(_("Hello %(name)s,"), {"name": Value(facts.full_name)})]


def _is_greetable(name: str) -> bool:
    """Whoever fills the public form names the person we write to: an address of the web, or a
    message in place of a name, must not go out under our own."""
    shown = name.strip().casefold()
    return 0 < len(shown) <= LONGEST_GREETED and "://" not in shown and "www." not in shown


def _promise(facts: MailFacts) -> Line | None:
    if facts.promise_at is None or facts.promise_at <= facts.written_at:
        return None
    sentence = _("You will hear from us by %(promise)s.")
    if facts.dealer is not None:
        sentence = _("You will hear from them by %(promise)s.")
    return Line(sentence, {"promise": _moment(facts.promise_at)})


def _opening_hour(facts: MailFacts) -> list[Line]:
    """The day it opens, on the clock on its own wall: that is where the customer would go."""
    opens_at, dealer = facts.opens_at, facts.dealer
    if dealer is None or opens_at is None or opens_at <= facts.written_at:
        return []
    opening = {"opening": _moment(opens_at, dealer.timezone)}
    sentence = _("The team is not at work now. It is back on %(opening)s.")
    if dealer.kind == "showroom":
        sentence = _("The showroom is closed now. It opens on %(opening)s.")
    lines = [Line(sentence, opening)]
    if _offset(opens_at, dealer.timezone) != _offset(opens_at, reader().timezone):
        lines.append(Line(_("This time is the dealer's local time.")))
    return lines


def _offset(at: datetime, timezone: str) -> object:
    return at.astimezone(ZoneInfo(timezone)).utcoffset()


def _request(facts: MailFacts) -> list[tuple[str, list[Value]]]:
    rows = [
        (_("Your reference"), [Value(facts.reference, ltr=True)]),
        (_("Your request"), [Value(_wish(facts))]),
    ]
    if (dealer := facts.dealer) is not None:
        town = " ".join(part for part in (dealer.postcode, dealer.city) if part)
        phone = Value(dealer.phone, ltr=True, href=_tel(dealer.phone))
        rows += [
            (_("Dealer"), [Value(dealer.name)]),
            (_("Phone"), [phone]),
            (_("Address"), [Value(dealer.street), Value(town)]),
        ]
    return rows


def _contact(facts: MailFacts) -> list[tuple[str, list[Value]]]:
    href = "mailto:" + quote(facts.email, safe="@+") if "@" in facts.email else ""
    shown = facts.phone_shown or facts.phone
    return [
        (_("Phone"), [Value(shown, ltr=True, href=_tel(facts.phone))]),
        (_("Mail"), [Value(facts.email, ltr=True, href=href)]),
    ]


def _tel(phone: str) -> str:
    digits = re.sub(r"[\s().\-/]", "", phone)
    return f"tel:{digits}" if re.fullmatch(r"\+[0-9]{5,15}", digits) else ""


def _wish(facts: MailFacts) -> str:
    asked = label("request_type", facts.request_type) if facts.request_type else ""
    car = " ".join(part for part in (facts.brand, facts.model) if part)
    if asked and car:
        return _("%(request)s, %(car)s", request=asked, car=car)
    return asked or car or _("Information")


def _place(facts: MailFacts) -> list[Value]:
    town = " ".join(part for part in (facts.postcode, facts.city) if part)
    return [Value(town), Value(country_name(facts.country) if facts.country else "")]


def _distance(facts: MailFacts) -> str:
    return "" if facts.distance_km is None else format_km(facts.distance_km)


def _next_step(facts: MailFacts) -> str:
    if facts.planned and facts.planned_at is not None:
        return _(
            "%(plan)s: %(time)s",
            plan=label("plan_kind", facts.planned),
            time=format_day_time(facts.planned_at),
        )
    return next_step(facts.request_type, has_phone=bool(facts.phone))


def _desk_address(facts: MailFacts, base_url: str) -> str:
    return f"{base_url}/desk/leads/{facts.lead_id}"


def _status_button(facts: MailFacts) -> tuple[str, str] | None:
    return (_("Follow your request"), facts.status_url) if facts.status_url else None


def _moment(at: datetime, timezone: str | None = None) -> Value:
    return Value(format_day_time(at, timezone))


def _test_note(facts: MailFacts) -> list[Line]:
    return [Line(_("This is a test: no customer is waiting."))] if facts.test else []


def _marked(facts: MailFacts, sentence: str, **variables: str) -> str:
    """A subject: codes and wishes only, since it shows on locked screens and in the outbox."""
    subject = sentence % {"reference": facts.reference, **variables}
    return _("Test: %(subject)s", subject=subject) if facts.test else subject


_COMPOSERS: Mapping[str, Callable[[MailFacts, str], Letter]] = {
    "dealer_new_lead": _dealer_new_lead,
    "dealer_lead_taken_away": _dealer_lead_taken_away,
    "dealer_asked_again": _dealer_asked_again,
    "customer_received": _customer_received,
    "customer_transferred": _customer_transferred,
    "headquarters_unrouted": _headquarters_unrouted,
}
KINDS = tuple(_COMPOSERS)
