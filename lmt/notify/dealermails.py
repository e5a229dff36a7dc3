"""Mails to dealers: a lead comes, waits, is back, or goes."""

from __future__ import annotations

from lmt.i18n import format_day_time, language_name
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Letter, Line, Value
from lmt.notify.phrases import (
    Row,
    contact,
    desk_address,
    distance,
    how_it_waits,
    marked,
    moment,
    place,
    plan_at,
    planned_or_next,
    stands_in,
    test_note,
    wish,
    working_time,
)


def new_lead(facts: MailFacts, base_url: str) -> Letter:
    """A lead was offered."""
    return Letter(
        subject=marked(facts, _("New lead %(reference)s: %(wish)s"), wish=wish(facts)),
        heading=_("A new lead for you"),
        opening=[*test_note(facts), *stands_in(facts)],
        notice=_take_by(facts),
        facts=_all_of_it(facts),
        quote=facts.comments,
        button=_first_button(facts, base_url),
        others=_other_buttons(facts, base_url),
        footer=automatic(facts),
    )


def asked_again(facts: MailFacts, base_url: str) -> Letter:
    """The customer of a lead sent another request."""
    return Letter(
        subject=marked(facts, _("Asked again, lead %(reference)s: %(wish)s"), wish=wish(facts)),
        heading=_("The customer asked again"),
        opening=[
            *test_note(facts),
            Line(_("A customer whose lead you have has sent another request.")),
            Line(_("Whoever asks twice is waiting for an answer.")),
        ],
        facts=in_short(facts),
        quote=facts.comments,
        button=(_("Open the lead"), desk_address(facts, base_url)),
        footer=automatic(facts),
    )


def lead_taken_away(facts: MailFacts, base_url: str) -> Letter:
    """The offer ended."""
    # The dealer may no longer see this lead, so neither the customer nor a link is in the mail.
    reasons = {
        "expired": _("The time to take it ran out."),
        "lead_withdrawn": _("The request was withdrawn."),
    }
    return Letter(
        subject=marked(facts, _("Lead %(reference)s is no longer yours")),
        heading=_("A lead is no longer yours"),
        opening=[
            *test_note(facts),
            Line(reasons.get(facts.ended, _("It was given to another dealer."))),
            Line(_("There is nothing more for you to do.")),
        ],
        facts=[
            (_("Wish"), [Value(wish(facts))]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        button=(_("Open your leads"), f"{base_url}/desk/"),
        footer=automatic(facts),
    )


def handed_over(facts: MailFacts, base_url: str) -> Letter:
    """The lead comes from a dealer that ended, with all that happened there."""
    return Letter(
        subject=marked(facts, _("A lead to go on with, %(reference)s: %(wish)s"), wish=wish(facts)),
        heading=_("A lead to go on with"),
        opening=[
            *test_note(facts),
            *stands_in(facts),
            Line(
                _("It comes from %(dealer)s, with all that was noted and planned there."),
                {"dealer": Value(facts.from_dealer)},
            ),
        ],
        notice=_take_by(facts),
        facts=_all_of_it(facts),
        quote=facts.comments,
        button=(_("Open the lead"), desk_address(facts, base_url)),
        footer=automatic(facts),
    )


def lead_back(facts: MailFacts, base_url: str) -> Letter:
    """The customer had asked to wait, and that time is over."""
    return Letter(
        subject=marked(facts, _("Back again, lead %(reference)s: %(wish)s"), wish=wish(facts)),
        heading=_("A lead is back"),
        opening=[*stands_in(facts), Line(_("The customer wanted to wait until now."))],
        facts=in_short(facts),
        button=(_("Open the lead"), desk_address(facts, base_url)),
        footer=automatic(facts),
    )


def reminder(facts: MailFacts, base_url: str) -> Letter:
    """The lead waits: to whoever has it."""
    return Letter(
        subject=marked(facts, _("Reminder, lead %(reference)s: %(wish)s"), wish=wish(facts)),
        heading=_("A lead is waiting for you"),
        opening=[*stands_in(facts), Line(how_it_waits(facts.state))],
        notice=_take_by(facts) if facts.state == "offered" else _promised(facts),
        facts=in_short(facts),
        button=_first_button(facts, base_url),
        others=_other_buttons(facts, base_url),
        footer=automatic(facts),
    )


def manager_escalation(facts: MailFacts, base_url: str) -> Letter:
    """The lead waits: to who leads those who have it. They open it to learn whose it is."""
    received = "" if facts.received_at is None else format_day_time(facts.received_at)
    return Letter(
        subject=marked(facts, _("A lead waits, %(reference)s: %(wish)s"), wish=wish(facts)),
        heading=_("A lead of your team is waiting"),
        opening=[*stands_in(facts), Line(how_it_waits(facts.state))],
        notice=_take_by(facts) if facts.state == "offered" else _promised(facts),
        facts=[
            (_("Dealer"), [Value(facts.dealer.name if facts.dealer else "")]),
            (_("Colleague"), [Value(facts.colleague)]),
            (_("Working time passed"), [Value(working_time(facts.minutes))]),
            (_("Received"), [Value(received)]),
            (_("Wish"), [Value(wish(facts))]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        button=(_("Open the lead"), desk_address(facts, base_url)),
        footer=automatic(facts),
    )


def plan_reminder(facts: MailFacts, base_url: str) -> Letter:
    """A planned step comes near."""
    what = label("plan_kind", facts.planned)
    return Letter(
        subject=marked(facts, _("Planned, lead %(reference)s: %(plan)s"), plan=what),
        heading=_("Your next step"),
        opening=stands_in(facts),
        notice=Line("%(plan)s", {"plan": Value(plan_at(facts))}),
        facts=[
            (_("Customer"), [Value(facts.full_name), Value(facts.company)]),
            *contact(facts),
            (_("Wish"), [Value(wish(facts))]),
            (_("Note"), [Value(facts.plan_note)]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        button=(_("Open the lead"), desk_address(facts, base_url)),
        others=[
            (str(label("tap_purpose", purpose)), facts.taps[purpose])
            for purpose in ("reached", "no_answer", "done")
            if purpose in facts.taps
        ],
        footer=automatic(facts),
    )


def _first_button(facts: MailFacts, base_url: str) -> tuple[str, str]:
    if "accept" in facts.taps:
        return _("Accept"), facts.taps["accept"]
    return _("Open the lead"), desk_address(facts, base_url)


def _other_buttons(facts: MailFacts, base_url: str) -> list[tuple[str, str]]:
    """Beside an answer by one tap, the lead itself."""
    if "accept" not in facts.taps:
        return []
    decline = [(_("Decline"), facts.taps["decline"])] if "decline" in facts.taps else []
    return [*decline, (_("Open the lead"), desk_address(facts, base_url))]


def _all_of_it(facts: MailFacts) -> list[Row]:
    return [
        (_("Customer"), [Value(facts.full_name), Value(facts.company)]),
        *contact(facts),
        (_("Reach them"), [Value(facts.contact_time)]),
        (_("Language"), [Value(language_name(facts.language) if facts.language else "")]),
        (_("Wish"), [Value(wish(facts))]),
        (_("When"), [Value(facts.timeframe)]),
        (_("Place"), place(facts)),
        (_("Distance"), [Value(distance(facts))]),
        (_("Next step"), [Value(planned_or_next(facts))]),
        (_("Reference"), [Value(facts.reference, ltr=True)]),
    ]


def in_short(facts: MailFacts, *, planned: bool = True) -> list[Row]:
    """Who, how to reach them, what they want, and what is best done next."""
    return [
        (_("Customer"), [Value(facts.full_name), Value(facts.company)]),
        *contact(facts),
        (_("Wish"), [Value(wish(facts))]),
        *([(_("Next step"), [Value(planned_or_next(facts))])] if planned else []),
        (_("Reference"), [Value(facts.reference, ltr=True)]),
    ]


def _take_by(facts: MailFacts) -> Line | None:
    if facts.take_by_at is None or facts.take_by_at <= facts.written_at:
        return None
    return Line(
        _("Take it by %(deadline)s, else it goes to another dealer."),
        {"deadline": moment(facts.take_by_at)},
    )


def _promised(facts: MailFacts) -> Line | None:
    if facts.promise_at is None or facts.promise_at <= facts.written_at:
        return None
    return Line(
        _("The customer was promised an answer by %(promise)s."),
        {"promise": moment(facts.promise_at)},
    )


def automatic(facts: MailFacts) -> str:
    """What becomes of an answer to the mail."""
    if facts.answerable:
        return _(
            "This mail was written automatically. What you answer is kept with the lead, and read"
            " by people: to accept or decline it, open it."
        )
    return _("This mail was written automatically. Answers to it are not read.")
