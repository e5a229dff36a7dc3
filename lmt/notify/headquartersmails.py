"""Mails to headquarters: what waits, counted and listed, in one mail rather than a thousand."""

from __future__ import annotations

from lmt.i18n import format_day_time, format_number, ngettext
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.notify.facts import MailFacts, SourceTrouble, WaitingLead
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


def source_trouble(facts: MailFacts, base_url: str) -> Letter:
    """Sources that bring no leads, or none that can be read."""
    counted = ngettext(
        "%(num)s source of leads needs a look",
        "%(num)s sources of leads need a look",
        facts.waiting,
    )
    return Letter(
        subject=counted,
        heading=counted,
        opening=[
            *stands_in(facts),
            Line(_("Leads may be missing until somebody looks into it.")),
        ],
        facts=[_in_trouble(each) for each in facts.sources],
        closing=_more_sources(facts),
        button=_sources_button(facts, base_url),
        footer=_("You get one mail when a source stops, and one when it is back."),
    )


def source_back(facts: MailFacts, base_url: str) -> Letter:
    """They bring leads again."""
    counted = ngettext(
        "%(num)s source brings leads again", "%(num)s sources bring leads again", facts.waiting
    )
    return Letter(
        subject=counted,
        heading=counted,
        opening=stands_in(facts),
        facts=[_was_in_trouble(each) for each in facts.sources],
        closing=_more_sources(facts),
        button=_sources_button(facts, base_url),
        footer=_("You get one mail when a source stops, and one when it is back."),
    )


def _in_trouble(source: SourceTrouble) -> Row:
    name, since = Value(source.name), format_day_time(source.since)
    if source.kind == "silent":
        told = _("Nothing has come since %(when)s.", when=since)
        return _("Silent"), [name, Value(told), Value(_usual(source))]
    told = _("Deliveries could not be taken in since %(when)s.", when=since)
    causes = [
        _("%(cause)s: %(times)s", cause=label("intake_problem", code), times=format_number(times))
        for code, times in source.failures
    ]
    return _("Failing"), [name, Value(told), *(Value(cause) for cause in causes)]


def _was_in_trouble(source: SourceTrouble) -> Row:
    if source.ended_at is None:
        return _("Source"), [Value(source.name)]
    first, last = format_day_time(source.since), format_day_time(source.ended_at)
    span = _("From %(first)s to %(last)s", first=first, last=last)
    return _("Source"), [Value(source.name), Value(span)]


def _usual(source: SourceTrouble) -> str:
    """Its pace in whole leads, of a day or of a week."""
    if source.per_day >= 1:
        number = round(source.per_day)
        return ngettext("Usually %(num)s lead a day", "Usually %(num)s leads a day", number)
    number = max(1, round(source.per_day * 7))
    return ngettext("Usually %(num)s lead a week", "Usually %(num)s leads a week", number)


def _more_sources(facts: MailFacts) -> list[Line]:
    more = facts.waiting - len(facts.sources)
    if more <= 0:
        return []
    return [Line(ngettext("And %(num)s more source.", "And %(num)s more sources.", more))]


def _sources_button(facts: MailFacts, base_url: str) -> tuple[str, str]:
    if len(facts.sources) == 1:
        return _("Open the source"), f"{base_url}/hq/sources/{facts.sources[0].code}"
    return _("Open the sources"), f"{base_url}/hq/sources"


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
