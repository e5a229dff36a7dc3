"""Mails to people at a desk: of what customers and colleagues did, and of questions and answers."""

from __future__ import annotations

from lmt.i18n import format_day_time
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.notify.dealermails import automatic, in_short
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Letter, Line, Value
from lmt.notify.phrases import desk_address, marked, plan_at, stands_in, wish


def customer_message(facts: MailFacts, base_url: str) -> Letter:
    """The customer wrote on their page."""
    return Letter(
        subject=marked(
            facts, _("Message from a customer, lead %(reference)s: %(wish)s"), wish=wish(facts)
        ),
        heading=_("The customer wrote to you"),
        opening=stands_in(facts),
        facts=in_short(facts),
        quote=facts.said,
        button=(_("Open the lead"), desk_address(facts, base_url)),
        footer=automatic(facts),
    )


def appointment(facts: MailFacts, base_url: str) -> Letter:
    """Booked, moved or called off by the customer, or by headquarters for them."""
    what = label("plan_kind", facts.planned)
    headings = {
        "moved": _("An appointment was moved"),
        "cancelled": _("An appointment was called off"),
    }
    subjects = {
        "moved": _("Appointment moved, lead %(reference)s: %(plan)s"),
        "cancelled": _("Appointment called off, lead %(reference)s: %(plan)s"),
    }
    off = facts.what == "cancelled"
    return Letter(
        subject=marked(
            facts,
            subjects.get(facts.what, _("Appointment, lead %(reference)s: %(plan)s")),
            plan=what,
        ),
        heading=headings.get(facts.what, _("A new appointment")),
        opening=[
            *stands_in(facts),
            Line(
                _("The time is free again. The attached calendar entry takes it out of yours.")
                if off
                else _("It was made from the times that you offer. The calendar entry is attached.")
            ),
        ],
        notice=Line("%(plan)s", {"plan": Value(plan_at(facts))}),
        facts=[*in_short(facts, planned=False), (_("Note"), [Value(facts.plan_note)])],
        button=(_("Open the lead"), desk_address(facts, base_url)),
        footer=automatic(facts),
    )


def withdrawn(facts: MailFacts, base_url: str) -> Letter:
    """The customer no longer wants it; the dealer may no longer see who it was."""
    return Letter(
        subject=marked(facts, _("Lead %(reference)s was withdrawn")),
        heading=_("The customer withdrew the request"),
        opening=[
            Line(_("They no longer want to be contacted about it.")),
            Line(_("There is nothing more for you to do.")),
        ],
        facts=[
            (_("Wish"), [Value(wish(facts))]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        button=(_("Open your leads"), f"{base_url}/desk/"),
        footer=automatic(facts),
    )


def tapped(facts: MailFacts, base_url: str) -> Letter:
    """Somebody used the link of a mail: whoever the mail was sent on to could have."""
    when = "" if facts.what_at is None else format_day_time(facts.what_at)
    return Letter(
        subject=marked(facts, _("Done by a mail's link, lead %(reference)s")),
        heading=_("Somebody used the link of a mail"),
        opening=[
            Line(_("You get this mail so that nobody acts in your name unseen.")),
            Line(_("If it was none of you, open the lead, or write to your headquarters.")),
        ],
        facts=[
            (_("What was done"), [Value(label("tap_purpose", facts.what))]),
            (_("When"), [Value(when)]),
            (_("The mail went to"), [Value(facts.by, ltr=True)]),
            (_("Wish"), [Value(wish(facts))]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        button=(_("Open your leads"), f"{base_url}/desk/"),
        footer=automatic(facts),
    )


def handed(facts: MailFacts, base_url: str) -> Letter:
    """A colleague gave it to the reader."""
    opening = Line(_("%(name)s handed it to you."), {"name": Value(facts.by)})
    return Letter(
        subject=marked(facts, _("Handed to you, lead %(reference)s: %(wish)s"), wish=wish(facts)),
        heading=_("A lead is yours now"),
        opening=[*stands_in(facts), *([opening] if facts.by else [])],
        facts=in_short(facts),
        quote=facts.said,
        quoted_as=_("Their note"),
        button=(_("Open the lead"), desk_address(facts, base_url)),
        footer=automatic(facts),
    )


def mentioned(facts: MailFacts, base_url: str) -> Letter:
    """A note names the reader."""
    opening = Line(_("%(name)s named you in a note."), {"name": Value(facts.by)})
    return Letter(
        subject=marked(facts, _("Named in a note, lead %(reference)s: %(wish)s"), wish=wish(facts)),
        heading=_("You were named in a note"),
        opening=[*stands_in(facts), *([opening] if facts.by else [])],
        facts=in_short(facts),
        quote=facts.said,
        quoted_as=_("The note"),
        button=(_("Open the lead"), desk_address(facts, base_url)),
        footer=automatic(facts),
    )


def help_asked(facts: MailFacts, base_url: str) -> Letter:
    """Who is asked may not see whose lead it is."""
    name, dealer = Value(facts.by), Value(facts.dealer.name if facts.dealer else "")
    return Letter(
        subject=marked(facts, _("A dealer asks for help, lead %(reference)s")),
        heading=_("A dealer asks for help"),
        opening=[
            *stands_in(facts),
            Line(_("%(name)s of %(dealer)s asks:"), {"name": name, "dealer": dealer}),
        ],
        facts=[
            (_("Wish"), [Value(wish(facts))]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        quote=facts.said,
        quoted_as=_("The question"),
        button=(_("Answer"), facts.thread_url),
        footer=_("The dealer keeps the lead. This mail was written automatically."),
    )


def help_answered(facts: MailFacts, base_url: str) -> Letter:
    """To whoever asked."""
    return Letter(
        subject=marked(facts, _("Answer to your question, lead %(reference)s")),
        heading=_("There is an answer to your question"),
        opening=stands_in(facts),
        facts=[
            (_("From"), [Value(facts.by)]),
            (_("Wish"), [Value(wish(facts))]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        quote=facts.said,
        quoted_as=_("The answer"),
        button=(_("Open the lead"), facts.thread_url or desk_address(facts, base_url)),
        footer=automatic(facts),
    )
