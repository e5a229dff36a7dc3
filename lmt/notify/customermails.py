"""Mails to customers: who looks after the request, and until when they will hear."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from lmt.i18n import gettext as _
from lmt.i18n import reader
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Letter, Line, Value
from lmt.notify.phrases import Row, moment, tel, wish

LONGEST_GREETED = 60
"""Characters of a name in a greeting."""


def received(facts: MailFacts, base_url: str) -> Letter:
    """The request is here: the first mail of a lead's life."""
    if facts.dealer is None:
        opening = [
            Line(_("We have received your request.")),
            Line(_("Our team is finding the right dealer for you.")),
            *_why_it_takes_longer(facts),
        ]
    else:
        opening = [
            Line(
                _("We have received your request. %(dealer)s looks after it."),
                {"dealer": Value(facts.dealer.name)},
            )
        ]
        if facts.model_not_sold:
            opening.append(
                Line(
                    _("This model is not sold in your country. Our team will contact you about it.")
                )
            )
        elif facts.choice_refused:
            opening.append(
                Line(_("The dealer you chose can't take it now, so we asked the next one."))
            )
    return Letter(
        subject=_("We have received your request (%(reference)s)", reference=facts.reference),
        heading=_("Thank you for your request"),
        opening=[*greeting(facts), *opening],
        notice=_promise(facts),
        facts=request_rows(facts),
        closing=_opening_hour(facts),
        button=status_button(facts),
        footer=_("You get this mail because you sent us a request. It was written automatically."),
    )


def transferred(facts: MailFacts, base_url: str) -> Letter:
    """Another dealer has it, or the first one."""
    opening = [Line(_("We are finding another dealer for you."))]
    if facts.dealer is not None:
        opening = [
            Line(_("Your request is now with %(dealer)s."), {"dealer": Value(facts.dealer.name)}),
            Line(_("They have everything you told us: you need not do anything.")),
        ]
    return Letter(
        subject=_("Who looks after your request now (%(reference)s)", reference=facts.reference),
        heading=_("Who looks after your request now"),
        opening=[*greeting(facts), *opening],
        notice=_promise(facts),
        facts=request_rows(facts),
        closing=_opening_hour(facts),
        button=status_button(facts),
        footer=_("You get this mail because you sent us a request. It was written automatically."),
    )


def confirm(facts: MailFacts, base_url: str) -> Letter:
    """What they agreed to counts only once they say so from their own mailbox."""
    return Letter(
        subject=_("Please confirm (%(reference)s)", reference=facts.reference),
        heading=_("Please confirm"),
        opening=[
            *greeting(facts),
            Line(_("With your request you agreed to more than its answer.")),
            Line(_("That counts only once you confirm it. The page shows what you agreed to.")),
        ],
        facts=[(_("Your reference"), [Value(facts.reference, ltr=True)])],
        closing=[
            Line(_("Your request itself is being answered already.")),
            Line(_("If it wasn't you, or you no longer agree, you need not do anything.")),
        ],
        button=(_("See and confirm"), facts.confirm_url),
        footer=_("You get this mail because you sent us a request. It was written automatically."),
    )


def fresh_link(facts: MailFacts, base_url: str) -> Letter:
    """They ended the links to their page, and get the only one that opens it now."""
    return Letter(
        subject=_("New link to your page (%(reference)s)", reference=facts.reference),
        heading=_("New link to your page"),
        opening=[
            *greeting(facts),
            Line(_("The links to your page that you had before open nothing any more.")),
            Line(_("This is the new one. Whoever has it sees where your request stands.")),
        ],
        facts=[(_("Your reference"), [Value(facts.reference, ltr=True)])],
        button=status_button(facts),
        footer=_("You get this mail because you sent us a request. It was written automatically."),
    )


def greeting(facts: MailFacts) -> list[Line]:
    """By name, where it is one."""
    if not is_greetable(facts.full_name):
        return []
    return [Line(_("Hello %(name)s,"), {"name": Value(facts.full_name)})]


def is_greetable(name: str) -> bool:
    """Whoever fills the public form names the person we write to: an address of the web, or a
    message in place of a name, must not go out under our own."""
    shown = name.strip().casefold()
    return 0 < len(shown) <= LONGEST_GREETED and "://" not in shown and "www." not in shown


def _why_it_takes_longer(facts: MailFacts) -> list[Line]:
    """While no dealer has the request: what is known, and nothing that isn't."""
    if facts.cause == "all_capped":
        return [Line(_("Many requests come in just now, so it may take longer than usual."))]
    if facts.opens_at is not None and facts.opens_at > facts.written_at:
        opening = {"opening": moment(facts.opens_at)}
        return [Line(_("The dealers near you are closed now. One opens on %(opening)s."), opening)]
    return []


def _promise(facts: MailFacts) -> Line | None:
    if facts.promise_at is None or facts.promise_at <= facts.written_at:
        return None
    sentence = _("You will hear from us by %(promise)s.")
    if facts.dealer is not None:
        sentence = _("You will hear from them by %(promise)s.")
    return Line(sentence, {"promise": moment(facts.promise_at)})


def _opening_hour(facts: MailFacts) -> list[Line]:
    """The day it opens, on the clock on its own wall: that is where the customer would go."""
    opens_at, dealer = facts.opens_at, facts.dealer
    if dealer is None or opens_at is None or opens_at <= facts.written_at:
        return []
    opening = {"opening": moment(opens_at, dealer.timezone)}
    sentence = _("The team is not at work now. It is back on %(opening)s.")
    if dealer.kind == "showroom":
        sentence = _("The showroom is closed now. It opens on %(opening)s.")
    lines = [Line(sentence, opening)]
    if _offset(opens_at, dealer.timezone) != _offset(opens_at, reader().timezone):
        lines.append(Line(_("This time is the dealer's local time.")))
    return lines


def _offset(at: datetime, timezone: str) -> object:
    return at.astimezone(ZoneInfo(timezone)).utcoffset()


def request_rows(facts: MailFacts) -> list[Row]:
    """What was asked for, and who looks after it."""
    rows = [
        (_("Your reference"), [Value(facts.reference, ltr=True)]),
        (_("Your request"), [Value(wish(facts))]),
    ]
    if (dealer := facts.dealer) is not None:
        town = " ".join(part for part in (dealer.postcode, dealer.city) if part)
        phone = Value(dealer.phone, ltr=True, href=tel(dealer.phone))
        rows += [
            (_("Dealer"), [Value(dealer.name)]),
            (_("Phone"), [phone]),
            (_("Address"), [Value(dealer.street), Value(town)]),
        ]
    return rows


def status_button(facts: MailFacts) -> tuple[str, str] | None:
    """To their page."""
    return (_("Follow your request"), facts.status_url) if facts.status_url else None
