"""Signed links that leave the house: whoever holds one sees one thing, for a while."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from lmt.clock import now
from lmt.config import Settings

STATUS_DAYS = 90
"""How long a customer may follow a request."""
_ID_BYTES = 16


def status_link(settings: Settings, lead_id: uuid.UUID, at: datetime) -> str:
    """The address of the customer's page for a lead, good for 90 days from `at`."""
    return f"{settings.base_url}/r/{status_token(settings.secret_key, lead_id, at)}"


def status_token(secret: str, lead_id: uuid.UUID, at: datetime) -> str:
    """The signed lead id and the second it expires; letters, digits, `-`, `_` and `.` only."""
    expires = int((at + timedelta(days=STATUS_DAYS)).timestamp())
    payload = base64_encode(lead_id.bytes + expires.to_bytes(6, "big")).decode()
    return _signer(secret).sign(payload).decode()


def lead_of_status_token(secret: str, token: str, at: datetime | None = None) -> uuid.UUID | None:
    """The lead whose page `token` opens at `at` (None: now); None where forged or expired."""
    try:
        payload = base64_decode(_signer(secret).unsign(token))
    except (BadData, ValueError):
        return None
    if len(payload) != _ID_BYTES + 6:
        return None
    expires_at = datetime.fromtimestamp(int.from_bytes(payload[_ID_BYTES:], "big"), UTC)
    if (at or now()) >= expires_at:
        return None
    return uuid.UUID(bytes=payload[:_ID_BYTES])


def _signer(secret: str) -> Signer:
    return Signer(secret, salt="lmt.links.status")
