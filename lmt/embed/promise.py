"""What a visitor is told after sending: the dealer, and the time promised in their own zone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import web
from lmt.embed.origins import redirect_target
from lmt.embed.shown import ShownForm
from lmt.lifecycle import Status
from lmt.links import lead_of_status_token, opens, seen_token
from lmt.models import Consent, Lead
from lmt.notify.recipients import terms_of


@dataclass(frozen=True, slots=True)
class Promise:
    """In the parameters of `lmt.forms.thanks`; `routed` once there is nothing more to wait for."""

    reference: str = ""
    status_url: str = ""
    dealer: str = ""
    respond_by: datetime | None = None
    timezone: str = "UTC"
    known: bool = False
    to_confirm: bool = False
    routed: bool = True

    def words(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "status_url": self.status_url,
            "dealer": self.dealer,
            "respond_by": self.respond_by,
            "timezone": self.timezone,
            "known": self.known,
            "to_confirm": self.to_confirm,
        }


def status_token_of(lead_id: uuid.UUID, at: datetime) -> str:
    """Opens the customer's page of the lead, for whoever sent the form: anybody may type a phone
    or a mail address, so what else its owner asked for is not on it."""
    return seen_token(web.settings().secret_key, lead_id, at)


def promise_of(session: Session, shown: ShownForm, token: str, zone: str, at: datetime) -> Promise:
    """What the lead's visitor may know of it by now; `zone` is theirs, "" where it isn't known.

    404 for a token that opens nothing, or the lead of another form's source.
    """
    secret = web.settings().secret_key
    lead_id = lead_of_status_token(secret, token, at)
    lead = session.get(Lead, lead_id, populate_existing=True) if lead_id is not None else None
    if lead is None or lead.source_id != shown.form.source_id:
        abort(404)
    if not opens(secret, token, lead.links_revoked_at):
        abort(404)
    dealer = "" if lead.dealer_id is None else terms_of(session, lead.dealer_id, at).name
    return Promise(
        reference=lead.reference,
        status_url=f"{web.settings().base_url}/r/{token}",
        dealer=dealer,
        respond_by=lead.promise_at,
        timezone=zone or lead.timezone or lead.market.timezone,
        to_confirm=_waits_for_confirmation(session, lead),
        routed=lead.status != Status.RECEIVED,
    )


def _waits_for_confirmation(session: Session, lead: Lead) -> bool:
    """Was a mail sent in which the customer confirms a consent, and hasn't yet?"""
    open_ones = select(Consent.id).where(
        Consent.lead_id == lead.id,
        Consent.given,
        Consent.to_confirm,
        Consent.confirmed_at.is_(None),
    )
    return bool(lead.email) and session.scalar(open_ones.limit(1)) is not None


def redirect_of(shown: ShownForm) -> str:
    """Where the form leads its visitors after sending, where it may; else ""."""
    return redirect_target(shown.form, shown.definition.redirect, web.settings().base_url)
