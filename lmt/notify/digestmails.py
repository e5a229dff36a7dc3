"""A dealer's morning, and a manager's week, in one mail each."""

from __future__ import annotations

from lmt.i18n import format_date, format_day_time, format_number, format_percent, ngettext
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.notify.facts import Digest, DigestLead, DigestPart, MailFacts, WeekFigures
from lmt.notify.letter import Entry, Letter, Line, Section, Value
from lmt.notify.phrases import Row, asked_for, stands_in, tel, working_time


def digest(facts: MailFacts, base_url: str) -> Letter:
    """What waits, what is late, what is planned today, who comes back."""
    told = facts.digest or Digest()
    sections = [
        _section(_("New leads"), told.new, base_url),
        _section(_("Overdue"), told.overdue, base_url),
        _section(_("Planned today"), told.today, base_url),
        _section(_("Coming back this week"), told.back, base_url),
    ]
    return Letter(
        subject=ngettext(
            "Your morning: %(num)s thing to do", "Your morning: %(num)s things to do", told.count
        ),
        heading=_("Your morning"),
        opening=stands_in(facts),
        facts=[(_("Dealer"), [Value(facts.colleague)])],
        sections=[section for section in sections if section.entries],
        button=(_("Open your leads"), f"{base_url}/desk/"),
        footer=_("You get this mail when your day begins and something waits for you."),
    )


def weekly(facts: MailFacts, base_url: str) -> Letter:
    """The figures of last week, against the market's middle; no other dealer is named."""
    week = facts.week or WeekFigures(first=facts.written_at.date())
    answered = week.taken + week.declined + week.expired
    rows: list[Row] = [
        (_("Dealer"), [Value(facts.colleague)]),
        (_("Leads offered"), [Value(format_number(week.offered))]),
        _share(_("Taken"), week.taken, answered, week.market_taken),
        _share(_("Declined"), week.declined, answered, week.market_declined),
        _share(_("Not taken in time"), week.expired, answered, week.market_expired),
        _response(week.minutes, week.market_minutes),
        (_("Sold"), [Value(format_number(week.sold))]),
        (_("Open now"), [Value(format_number(week.open))]),
    ]
    return Letter(
        subject=_("Your week from %(day)s", day=format_date(week.first, "long")),
        heading=_("Your week in figures"),
        opening=[
            *stands_in(facts),
            Line(_("The week from %(day)s."), {"day": Value(format_date(week.first, "long"))}),
        ],
        facts=rows,
        closing=[Line(_("The market is the middle of its dealers: half of them are above it."))],
        button=(_("Open your leads"), f"{base_url}/desk/"),
        footer=_("You get this mail once a week, because you lead the team."),
    )


def _section(heading: str, part: DigestPart, base_url: str) -> Section:
    more = part.count - len(part.leads)
    return Section(
        heading=heading,
        entries=[_entry(lead, base_url) for lead in part.leads],
        more=ngettext("And %(num)s more.", "And %(num)s more.", more) if more > 0 else "",
    )


def _entry(lead: DigestLead, base_url: str) -> Entry:
    when = format_day_time(lead.at)
    if lead.plan:
        what = _("%(plan)s: %(time)s", plan=label("plan_kind", lead.plan), time=when)
    elif lead.offer_id:
        what = _("Take it by %(deadline)s", deadline=when)
    else:
        what = when
    links = [(_("Accept"), lead.accept_url)] if lead.accept_url else []
    return Entry(
        lines=[
            Value(lead.who or lead.reference),
            Value(what),
            Value(asked_for(lead.request_type, lead.car)),
            Value(lead.phone_shown or lead.phone, ltr=True, href=tel(lead.phone)),
            Value(lead.note),
        ],
        links=[*links, (_("Open the lead"), f"{base_url}/desk/leads/{lead.lead_id}")],
    )


def _share(name: str, number: int, of: int, market: float | None) -> Row:
    own = format_number(number)
    if of:
        own = _("%(number)s (%(share)s)", number=own, share=format_percent(number / of))
    return name, [Value(own), *_market("" if market is None else format_percent(market))]


def _response(minutes: float | None, market: float | None) -> Row:
    own = "" if minutes is None else working_time(max(1, round(minutes)))
    others = "" if market is None else working_time(max(1, round(market)))
    return _("Working time until taken"), [Value(own or "–"), *_market(others)]


def _market(told: str) -> list[Value]:
    return [Value(_("Market: %(figure)s", figure=told))] if told else []
