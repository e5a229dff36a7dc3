"""The outbox to take away: what was written to whom, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from lmt.exports.listing import Column, Listing, Record, Wanted, as_they_are
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import label
from lmt.models import Dealer, Lead, Market, Message

_market = aliased(Market)


def messages_listing(conditions: Iterable[ColumnElement[bool]]) -> Listing[Record]:
    """The messages that fit, the latest first."""
    wanted = _MESSAGES.where(*conditions)
    return Listing("messages", _l("Messages"), COLUMNS, wanted, Message.id, as_they_are)


def _audience(row: Record) -> str:
    words = {"dealer": _("Dealer"), "customer": _("Customer"), "headquarters": _("Headquarters")}
    audience: str = row.audience
    return words[audience]


def _next_at(row: Record) -> Any:
    return row.next_attempt_at if row.status == "queued" else None


_MESSAGES: Wanted = (
    select(
        Message.id,
        Message.kind,
        Message.audience,
        Message.recipient,
        Message.language,
        Message.status,
        Message.attempts,
        Message.created_at,
        Message.next_attempt_at,
        Message.sent_at,
        Message.subject,
        Message.problem,
        Lead.reference.label("reference"),
        Dealer.code.label("dealer_code"),
        _market.name.label("market"),
    )
    .join(_market, _market.id == Message.market_id)
    # Neither is known to everybody who may see the message.
    .outerjoin(Lead, Lead.id == Message.lead_id)
    .outerjoin(Dealer, Dealer.id == Message.dealer_id)
)

COLUMNS: tuple[Column[Record], ...] = (
    Column(_l("Written"), lambda row: row.created_at, instant=True),
    Column(_l("Message"), lambda row: label("message_kind", row.kind)),
    Column(_l("To whom"), _audience),
    Column(_l("To"), lambda row: row.recipient),
    Column(_l("Language"), lambda row: row.language),
    Column(_l("Subject"), lambda row: row.subject),
    Column(_l("Lead"), lambda row: row.reference),
    Column(_l("Dealer's code"), lambda row: row.dealer_code),
    Column(_l("Market"), lambda row: row.market),
    Column(_l("Status"), lambda row: label("message_status", row.status)),
    Column(_l("Attempts"), lambda row: row.attempts),
    Column(_l("Next try"), _next_at, instant=True),
    Column(_l("Sent"), lambda row: row.sent_at, instant=True),
    Column(_l("Problem"), lambda row: row.problem),
)
