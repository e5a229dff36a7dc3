"""What mails of several kinds say in the same words, in the reader's language and zone."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

from lmt.i18n import country_name, format_day_time, format_km, format_working_time
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Line, Value
from lmt.notify.suggestion import next_step

Row = tuple[str, list[Value]]


def contact(facts: MailFacts) -> list[Row]:
    """How to reach the customer, one tap away."""
    href = "mailto:" + quote(facts.email, safe="@+") if "@" in facts.email else ""
    shown = facts.phone_shown or facts.phone
    return [
        (_("Phone"), [Value(shown, ltr=True, href=tel(facts.phone))]),
        (_("Mail"), [Value(facts.email, ltr=True, href=href)]),
    ]


def tel(phone: str) -> str:
    """An address to call; "" for what is no number."""
    digits = re.sub(r"[\s().\-/]", "", phone)
    return f"tel:{digits}" if re.fullmatch(r"\+[0-9]{5,15}", digits) else ""


def wish(facts: MailFacts) -> str:
    """What was asked for, of which car."""
    car = " ".join(part for part in (facts.brand, facts.model) if part)
    return asked_for(facts.request_type, car)


def asked_for(request_type: str, car: str) -> str:
    """As `wish`, of a code and a car's name."""
    asked = label("request_type", request_type) if request_type else ""
    if asked and car:
        return _("%(request)s, %(car)s", request=asked, car=car)
    return asked or car or _("Information")


def place(facts: MailFacts) -> list[Value]:
    town = " ".join(part for part in (facts.postcode, facts.city) if part)
    return [Value(town), Value(country_name(facts.country) if facts.country else "")]


def distance(facts: MailFacts) -> str:
    return "" if facts.distance_km is None else format_km(facts.distance_km)


def planned_or_next(facts: MailFacts) -> str:
    """The step that is planned, else the one that is best taken now."""
    if facts.planned and facts.planned_at is not None:
        return plan_at(facts)
    return next_step(facts.request_type, has_phone=bool(facts.phone))


def plan_at(facts: MailFacts) -> str:
    """`Call: Sunday 8 March, 10:20`"""
    if facts.planned_at is None:
        return ""
    return _(
        "%(plan)s: %(time)s",
        plan=label("plan_kind", facts.planned),
        time=format_day_time(facts.planned_at),
    )


def desk_address(facts: MailFacts, base_url: str) -> str:
    return f"{base_url}/desk/leads/{facts.lead_id}"


def moment(at: datetime, timezone: str | None = None) -> Value:
    return Value(format_day_time(at, timezone))


def test_note(facts: MailFacts) -> list[Line]:
    return [Line(_("This is a test: no customer is waiting."))] if facts.test else []


def marked(facts: MailFacts, sentence: str, **variables: str) -> str:
    """A subject: codes and wishes only, since it shows on locked screens and in the outbox."""
    subject = sentence % {"reference": facts.reference, **variables}
    return _("Test: %(subject)s", subject=subject) if facts.test else subject


def stands_in(facts: MailFacts) -> list[Line]:
    """Why a deputy reads this."""
    if not facts.stands_in_for:
        return []
    away = {"name": Value(facts.stands_in_for)}
    return [Line(_("You get this mail in place of %(name)s, who is away."), away)]


def how_it_waits(state: str) -> str:
    """What has not happened, by the state of an escalation step."""
    return {
        "offered": _("Nobody has taken it yet."),
        "accepted": _("The customer has not been contacted yet."),
        "plan_overdue": _("A planned step was not done in time."),
    }.get(state, _("Nothing has been done with it for some time."))


def working_time(minutes: int) -> str:
    return format_working_time(minutes) if minutes else ""
