"""Mails to customers on the way to a visit and after it: when, how it ended, how it was."""

from __future__ import annotations

from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.notify.customermails import greeting, request_rows, status_button
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Letter, Line, Value
from lmt.notify.phrases import moment, wish


def appointment(facts: MailFacts, base_url: str) -> Letter:
    """When to come or be called; an entry for their calendar goes with it."""
    what = label("plan_kind", facts.planned)
    return Letter(
        subject=_(
            "Your appointment: %(plan)s (%(reference)s)", plan=what, reference=facts.reference
        ),
        heading=_("Your appointment"),
        opening=[
            *greeting(facts),
            Line(_("The dealer expects you."))
            if facts.planned != "call"
            else Line(_("The dealer calls you at this time.")),
        ],
        notice=_when(facts),
        facts=request_rows(facts),
        closing=[
            Line(_("The attached entry puts it into your calendar, in place of an earlier one.")),
            Line(_("On your page you can choose another time, or call it off.")),
        ],
        button=(_("Change the time"), facts.status_url) if facts.status_url else None,
        footer=_automatic(),
    )


def cancelled(facts: MailFacts, base_url: str) -> Letter:
    """It was called off, by whomever."""
    what = label("plan_kind", facts.planned)
    return Letter(
        subject=_(
            "Appointment called off: %(plan)s (%(reference)s)", plan=what, reference=facts.reference
        ),
        heading=_("Your appointment was called off"),
        opening=[*greeting(facts), Line(_("This appointment no longer stands."))],
        notice=_when(facts),
        facts=request_rows(facts),
        closing=[
            Line(_("The attached entry takes it out of your calendar.")),
            Line(_("Your page says where your request stands, and offers other times.")),
        ],
        button=status_button(facts),
        footer=_automatic(),
    )


def closed(facts: MailFacts, base_url: str) -> Letter:
    """The request is over: bought, not bought, or withdrawn."""
    heading = {
        "won": _("Thank you for your trust"),
        "withdrawn": _("Your request was withdrawn"),
    }.get(facts.closed_as, _("Your request is closed"))
    said = {
        "won": [
            Line(_("We are glad that you found what you were looking for.")),
            Line(_("Your dealer stays there for you.")),
        ],
        "withdrawn": [
            Line(_("As you asked, nobody will contact you about it any more.")),
            Line(_("If you change your mind, just send us a new request.")),
        ],
    }.get(
        facts.closed_as,
        [
            Line(_("Thank you for your interest, and for the time that you gave us.")),
            Line(_("We have closed your request. You are welcome whenever you like to come back.")),
        ],
    )
    rows = [
        (_("Your reference"), [Value(facts.reference, ltr=True)]),
        (_("Your request"), [Value(wish(facts))]),
    ]
    return Letter(
        subject=_("%(what)s (%(reference)s)", what=heading, reference=facts.reference),
        heading=heading,
        opening=[*greeting(facts), *said],
        facts=request_rows(facts) if facts.closed_as == "won" else rows,
        button=status_button(facts),
        footer=_automatic(),
    )


def feedback(facts: MailFacts, base_url: str) -> Letter:
    """One question, answered by one press on their page."""
    dealer = Value(facts.dealer.name if facts.dealer else "")
    asked = Line(_("How did it go?"))
    if dealer.text:
        asked = Line(_("How did it go at %(dealer)s?"), {"dealer": dealer})
    return Letter(
        subject=_("How did it go? (%(reference)s)", reference=facts.reference),
        heading=_("One question"),
        opening=[*greeting(facts), asked],
        facts=[
            (_("Your reference"), [Value(facts.reference, ltr=True)]),
            (_("Your request"), [Value(wish(facts))]),
        ],
        closing=[Line(_("It is one question, and answered with one press."))],
        button=(_("Answer"), facts.status_url),
        footer=_("We ask once. You get this mail because you sent us a request."),
    )


def reply(facts: MailFacts, base_url: str) -> Letter:
    """A person's letter: their words, their name, their dealer."""
    return Letter(
        subject=facts.title,
        heading=facts.title,
        opening=[],
        words=facts.said,
        closing=[
            Line("%(name)s", {"name": Value(name)})
            for name in (facts.by, facts.dealer.name if facts.dealer else "")
            if name
        ],
        facts=[],
        button=status_button(facts),
        footer=_reply_footer(facts),
    )


def _reply_footer(facts: MailFacts) -> str:
    if facts.answerable:
        return _(
            "Simply answer this mail. Your reference: %(reference)s", reference=facts.reference
        )
    return _(
        "To answer, use your page or the dealer's phone. Your reference: %(reference)s",
        reference=facts.reference,
    )


def _when(facts: MailFacts) -> Line | None:
    """On the dealer's clock where somebody has to go there."""
    if facts.planned_at is None:
        return None
    zone = facts.dealer.timezone if facts.dealer and facts.planned != "call" else None
    values = {
        "plan": Value(label("plan_kind", facts.planned)),
        "time": moment(facts.planned_at, zone),
    }
    return Line(_("%(plan)s: %(time)s"), values)


def _automatic() -> str:
    return _("You get this mail because you sent us a request. It was written automatically.")
