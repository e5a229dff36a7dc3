"""Every mail of a lead's life: from plain facts to subject, text and HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lmt.i18n import reading
from lmt.notify import (
    appointmentmails,
    customermails,
    dealermails,
    deskmails,
    digestmails,
    headquartersmails,
    reportmails,
    systemletters,
)
from lmt.notify.facts import MailFacts
from lmt.notify.letter import Letter, Rendered, written
from lmt.notify.words import applied


def render(
    kind: str,
    facts: MailFacts,
    *,
    language: str,
    timezone: str,
    base_url: str,
    words: Mapping[str, str] | None = None,
) -> Rendered:
    """The mail of this kind for a reader of `language` in `timezone`. Raises KeyError.

    `words`: the parts that a market says in its own.
    """
    with reading(language, timezone):
        mail = letter(kind, facts, base_url)
        return written(applied(kind, mail, words, facts) if words else mail)


def letter(kind: str, facts: MailFacts, base_url: str) -> Letter:
    """In LMT's own words, for the reader that `lmt.i18n` knows of. Raises KeyError."""
    return _COMPOSERS[kind](facts, base_url)


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
    "dealer_customer_message": deskmails.customer_message,
    "dealer_appointment": deskmails.appointment,
    "dealer_withdrawn": deskmails.withdrawn,
    "dealer_tapped": deskmails.tapped,
    "dealer_digest": digestmails.digest,
    "manager_weekly": digestmails.weekly,
    "colleague_handed": deskmails.handed,
    "colleague_mentioned": deskmails.mentioned,
    "help_asked": deskmails.help_asked,
    "help_answered": deskmails.help_answered,
    "customer_reply": appointmentmails.reply,
    "customer_appointment": appointmentmails.appointment,
    "customer_appointment_cancelled": appointmentmails.cancelled,
    "customer_closed": appointmentmails.closed,
    "customer_feedback": appointmentmails.feedback,
    "customer_link": customermails.fresh_link,
    "scheduled_report": reportmails.scheduled,
}
KINDS = tuple(_COMPOSERS)
