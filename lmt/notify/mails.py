"""Every mail of a lead's life: from plain facts to subject, text and HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lmt.i18n import reading
from lmt.notify import customermails, dealermails, headquartersmails, systemletters
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Letter, Rendered, written


def render(kind: str, facts: MailFacts, *, language: str, timezone: str, base_url: str) -> Rendered:
    """The mail of this kind for a reader of `language` in `timezone`. Raises KeyError."""
    compose = _COMPOSERS[kind]
    with reading(language, timezone):
        return written(compose(facts, base_url))


_COMPOSERS: Mapping[str, Callable[[MailFacts, str], Letter]] = {
    "dealer_new_lead": dealermails.new_lead,
    "dealer_lead_taken_away": dealermails.lead_taken_away,
    "dealer_asked_again": dealermails.asked_again,
    "dealer_handed_over": dealermails.handed_over,
    "dealer_lead_back": dealermails.lead_back,
    "dealer_reminder": dealermails.reminder,
    "manager_escalation": dealermails.manager_escalation,
    "plan_reminder": dealermails.plan_reminder,
    "customer_received": customermails.received,
    "customer_transferred": customermails.transferred,
    "customer_confirm": customermails.confirm,
    "headquarters_unrouted": headquartersmails.unrouted,
    "headquarters_escalation": headquartersmails.escalation,
    "headquarters_queue": headquartersmails.queue,
    "headquarters_system_off": systemletters.system_off,
    "headquarters_source": headquartersmails.source_trouble,
    "headquarters_source_back": headquartersmails.source_back,
}
KINDS = tuple(_COMPOSERS)
