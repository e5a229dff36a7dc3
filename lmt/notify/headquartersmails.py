"""Mails to headquarters: what waits, counted and listed, in one mail rather than a thousand."""

from __future__ import annotations

from lmt.i18n import format_day_time, ngettext
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.notify.facts import MailFacts, WaitingLead
from lmt.notify.letter import Letter, Line, Value
from lmt.notify.phrases import Row, how_it_waits, place, stands_in, wish, working_time


def unrouted(facts: MailFacts, base_url: str) -> Letter:
    """A lead came into a queue."""
    waiting = ngettext(
        "%(num)s lead waits without a dealer", "%(num)s leads wait without a dealer", facts.waiting
    )
    received = "" if facts.received_at is None else format_day_time(facts.received_at)
    return Letter(
        subject=waiting,
        heading=waiting,
        opening=[*stands_in(facts), Line(_("The lead that made us write:"))],
        facts=[
            (_("Cause"), [Value(label("cause", facts.cause) if facts.cause else "")]),
            (_("Wish"), [Value(wish(facts))]),
            (_("Place"), place(facts)),
            (_("Received"), [Value(received)]),
            (_("Reference"), [Value(facts.reference, ltr=True)]),
        ],
        button=(_("Open the queue"), f"{base_url}/hq/queues/{facts.queue}"),
        footer=_("While leads wait, you get this mail once an hour at most."),
    )


def escalation(facts: MailFacts, base_url: str) -> Letter:
    """Leads that their dealers leave waiting."""
    waiting = ngettext(
        "%(num)s lead waits at its dealer", "%(num)s leads wait at their dealers", facts.waiting
    )
    return Letter(
        subject=waiting,
        heading=waiting,
        opening=stands_in(facts),
        facts=[_at_dealer(lead) for lead in facts.listed],
        closing=_more(facts),
        button=(_("Open the leads"), f"{base_url}/hq/leads"),
        footer=_("While leads wait, you get this mail once an hour at most."),
    )


def queue(facts: MailFacts, base_url: str) -> Letter:
    """What the day begins with: the leads that need a person."""
    waiting = ngettext(
        "%(num)s lead waits: %(queue)s",
        "%(num)s leads wait: %(queue)s",
        facts.waiting,
        queue=label("status", facts.queue),
    )
    return Letter(
        subject=waiting,
        heading=waiting,
        opening=stands_in(facts),
        facts=[_in_queue(lead) for lead in facts.listed],
        closing=_more(facts),
        button=(_("Open the queue"), f"{base_url}/hq/queues/{facts.queue}"),
        footer=_("While leads wait, you get this mail every working morning."),
    )


def _at_dealer(lead: WaitingLead) -> Row:
    values = [
        Value(lead.dealer),
        Value(how_it_waits(lead.state)),
        Value(working_time(lead.minutes)),
    ]
    return lead.reference, values


def _in_queue(lead: WaitingLead) -> Row:
    received = "" if lead.received_at is None else format_day_time(lead.received_at)
    cause = label("cause", lead.cause) if lead.cause else ""
    return lead.reference, [Value(received), Value(cause)]


def _more(facts: MailFacts) -> list[Line]:
    more = facts.waiting - len(facts.listed)
    if more <= 0:
        return []
    return [Line(ngettext("And %(num)s more.", "And %(num)s more.", more))]
