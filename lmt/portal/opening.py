"""What a customer's link opens: the request behind it, without a column that tells whose it is."""

from __future__ import annotations

from datetime import datetime

from flask import request
from flask_limiter.util import get_remote_address
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, load_only

from lmt import web
from lmt.links import lead_of_status_token, opens
from lmt.models import Brand, Lead, Market

NOBODY = 0
"""Instead of a dealer's id in the form's secret: while no dealer has the request."""

_WITHOUT_THE_PERSON = select(Lead).options(
    load_only(
        Lead.reference,
        Lead.market_id,
        Lead.customer_id,
        Lead.status,
        Lead.dealer_id,
        Lead.language,
        Lead.timezone,
        Lead.request_type,
        Lead.model,
        Lead.promise_at,
        Lead.created_at,
        Lead.contacted_at,
        Lead.links_revoked_at,
        raiseload=True,
    ),
    joinedload(Lead.market).load_only(
        Market.default_language,
        Market.languages,
        Market.timezone,
        Market.customer_may_move,
        Market.asks_feedback,
    ),
    joinedload(Lead.brand).load_only(Brand.name),
)


def opened(session: Session, token: str, at: datetime) -> Lead | None:
    """The lead whose page the link opens; None where it is forged, expired or was ended."""
    secret = web.settings().secret_key
    lead_id = lead_of_status_token(secret, token, at)
    if lead_id is None:
        return None
    lead = session.scalar(_WITHOUT_THE_PERSON.where(Lead.id == lead_id))
    return lead if lead is not None and opens(secret, token, lead.links_revoked_at) else None


def holder(lead: Lead) -> int:
    """The id of the dealer that has the lead, as the form's secret tells it."""
    return lead.dealer_id or NOBODY


def per_request() -> str:
    """What a limit counts by: one customer's link, whoever of them presses."""
    token = str((request.view_args or {}).get("token", ""))
    lead_id = lead_of_status_token(web.settings().secret_key, token, web.at())
    return str(lead_id or get_remote_address())
