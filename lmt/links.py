"""Signed links and addresses that leave the house: whoever holds one may do one thing."""

from __future__ import annotations

import hmac
import uuid
from base64 import b32decode, b32encode
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from lmt.clock import now
from lmt.config import Settings

STATUS_DAYS = 90
"""How long a customer may follow a request."""
STOP_DAYS = 730
CONFIRM_DAYS = 30
"""How long a customer may confirm what they agreed to."""
_MAILED, _SEEN = "status", "status.seen"
_ID_BYTES = 16
_PROOF_BYTES = 10
"""As short as a guess over the mail allows: what stands before an @ has 64 characters at most."""


def status_link(settings: Settings, lead_id: uuid.UUID, at: datetime) -> str:
    """The address of the customer's page for a lead, good for 90 days from `at`."""
    return f"{settings.base_url}/r/{status_token(settings.secret_key, lead_id, at)}"


def status_token(secret: str, lead_id: uuid.UUID, at: datetime) -> str:
    """The signed lead id and the second it expires; letters, digits, `-`, `_` and `.` only."""
    return _signed(secret, _MAILED, lead_id, at + timedelta(days=STATUS_DAYS))


def seen_token(secret: str, lead_id: uuid.UUID, at: datetime) -> str:
    """As `status_token`, for whoever just sent the form: it proves that they hold no mailbox."""
    return _signed(secret, _SEEN, lead_id, at + timedelta(days=STATUS_DAYS))


def lead_of_status_token(secret: str, token: str, at: datetime | None = None) -> uuid.UUID | None:
    """The lead whose page `token` opens at `at` (None: now); None where forged or expired."""
    at = at or now()
    return _lead_of(secret, _MAILED, token, at) or _lead_of(secret, _SEEN, token, at)


def was_mailed(secret: str, token: str) -> bool:
    """Whether the token of a customer's page went to the mail address of its lead, so that whoever
    has it has been given it by the owner of that address."""
    return _payload_of(secret, _MAILED, token) is not None


def opens(secret: str, token: str, revoked_at: datetime | None) -> bool:
    """Whether the token of a customer's page was issued after the links were ended, if they were.

    Tokens tell the second: one of the very second in which they ended is a fresh one.
    """
    if revoked_at is None:
        return True
    payload = _payload_of(secret, _MAILED, token) or _payload_of(secret, _SEEN, token)
    if payload is None:
        return False
    issued_at = _expiry(payload) - timedelta(days=STATUS_DAYS)
    return issued_at >= revoked_at.replace(microsecond=0)


def stop_token(secret: str, lead_id: uuid.UUID, at: datetime) -> str:
    """Opens the page on which the lead's customer says: no more of this. Good for two years, since
    people look for it in old mails."""
    return _signed(secret, "stop", lead_id, at + timedelta(days=STOP_DAYS))


def lead_of_stop_token(secret: str, token: str, at: datetime) -> uuid.UUID | None:
    """The lead whose customer may stop us by `token`; None where forged or expired."""
    return _lead_of(secret, "stop", token, at)


def confirm_link(settings: Settings, lead_id: uuid.UUID, at: datetime) -> str:
    """The address of the page on which the lead's customer confirms what they agreed to."""
    return f"{settings.base_url}/r/confirm/{confirm_token(settings.secret_key, lead_id, at)}"


def confirm_token(secret: str, lead_id: uuid.UUID, at: datetime) -> str:
    """Opens that page for CONFIRM_DAYS from `at`; known to the owner of the mail address alone."""
    return _signed(secret, "confirm", lead_id, at + timedelta(days=CONFIRM_DAYS))


def lead_of_confirm_token(secret: str, token: str, at: datetime) -> uuid.UUID | None:
    """The lead whose customer may confirm by `token`; None where forged or expired."""
    return _lead_of(secret, "confirm", token, at)


def reply_address(settings: Settings, message_id: uuid.UUID) -> str:
    """Where the reader of a message of ours may answer it; "" where nobody reads answers.

    `<local>+r<token>@<domain>` of LMT_REPLY_ADDRESS. Small letters and digits alone: mail programs
    and servers don't keep the case of an address.
    """
    local, _at, domain = settings.reply_address.rpartition("@")
    if not local:
        return ""
    token = message_id.bytes + _proof(settings.secret_key, message_id)
    return f"{local}+r{b32encode(token).decode().rstrip('=').lower()}@{domain}"


def message_of_reply(settings: Settings, address: str) -> uuid.UUID | None:
    """The message whose answer an address takes; None where it is none of ours, or forged."""
    local, _at, domain = address.rpartition("@")
    ours, _at, our_domain = settings.reply_address.lower().rpartition("@")
    before, mark, token = local.lower().rpartition("+r")
    if not ours or not mark or (before, domain.lower()) != (ours, our_domain):
        return None
    try:
        told = b32decode(token.upper() + "=" * (-len(token) % 8))
    except ValueError:
        return None
    if len(told) != _ID_BYTES + _PROOF_BYTES:
        return None
    message_id = uuid.UUID(bytes=told[:_ID_BYTES])
    good = _proof(settings.secret_key, message_id)
    return message_id if hmac.compare_digest(told[_ID_BYTES:], good) else None


def _proof(secret: str, message_id: uuid.UUID) -> bytes:
    key = _signer(secret, "reply").derive_key()
    return hmac.digest(key, message_id.bytes, "sha256")[:_PROOF_BYTES]


def _signed(secret: str, purpose: str, lead_id: uuid.UUID, expires_at: datetime) -> str:
    expires = int(expires_at.timestamp())
    payload = base64_encode(lead_id.bytes + expires.to_bytes(6, "big")).decode()
    return _signer(secret, purpose).sign(payload).decode()


def _lead_of(secret: str, purpose: str, token: str, at: datetime) -> uuid.UUID | None:
    payload = _payload_of(secret, purpose, token)
    if payload is None or at >= _expiry(payload):
        return None
    return uuid.UUID(bytes=payload[:_ID_BYTES])


def _payload_of(secret: str, purpose: str, token: str) -> bytes | None:
    """What the token signs, expired or not; None where forged."""
    try:
        payload = base64_decode(_signer(secret, purpose).unsign(token))
    except (BadData, ValueError):
        return None
    return payload if len(payload) == _ID_BYTES + 6 else None


def _expiry(payload: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(payload[_ID_BYTES:], "big"), UTC)


def _signer(secret: str, purpose: str) -> Signer:
    return Signer(secret, salt=f"lmt.links.{purpose}")
