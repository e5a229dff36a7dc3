"""The mail to headquarters when a dealer's own system takes no more leads."""

from __future__ import annotations

from lmt.i18n import gettext as _
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Letter, Line, Value
from lmt.notify.phrases import stands_in


def system_off(facts: MailFacts, base_url: str) -> Letter:
    """The system answered that it is gone for good."""
    name = facts.dealer.name if facts.dealer else ""
    return Letter(
        subject=_("%(dealer)s: its own system takes no more leads", dealer=name),
        heading=_("A dealer's own system takes no more leads"),
        opening=[
            *stands_in(facts),
            Line(_("It answered that it is gone. We send it nothing more until you start it.")),
            Line(_("The dealer still finds its leads in its mails and on its desk.")),
        ],
        facts=[
            (_("Dealer"), [Value(name)]),
            (_("Lead that was refused"), [Value(facts.reference, ltr=True)]),
        ],
        button=(_("Open the dealers"), f"{base_url}/hq/dealers"),
        footer=_("You get one mail each time a system is switched off by its answer."),
    )
