"""The secret in the customer's form. Their page sets no cookie, so the form itself carries what
shows that it came from that page, and which dealer had the request when it was opened."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

GOOD_FOR = timedelta(hours=12)
_LEAD_BYTES, _NUMBER_BYTES = 16, 8


def form_token(secret: str, lead_id: uuid.UUID, dealer_id: int, at: datetime) -> str:
    """For a form shown at `at`, while this dealer has the lead."""
    expires = int((at + GOOD_FOR).timestamp())
    parts = (
        lead_id.bytes,
        dealer_id.to_bytes(_NUMBER_BYTES, "big"),
        expires.to_bytes(_NUMBER_BYTES, "big"),
    )
    return _signer(secret).sign(base64_encode(b"".join(parts)).decode()).decode()


def is_form_token(
    secret: str, token: str, lead_id: uuid.UUID, dealer_id: int | None, at: datetime
) -> bool:
    """Whether the form was ours, is not too old, and the dealer is still the one it told of."""
    try:
        payload = base64_decode(_signer(secret).unsign(token))
    except (BadData, ValueError):
        return False
    if dealer_id is None or len(payload) != _LEAD_BYTES + 2 * _NUMBER_BYTES:
        return False
    lead, dealer = payload[:_LEAD_BYTES], payload[_LEAD_BYTES:-_NUMBER_BYTES]
    expires = int.from_bytes(payload[-_NUMBER_BYTES:], "big")
    return (
        lead == lead_id.bytes
        and int.from_bytes(dealer, "big") == dealer_id
        and at.timestamp() < expires
    )


def _signer(secret: str) -> Signer:
    return Signer(secret, salt="lmt.portal.form")
