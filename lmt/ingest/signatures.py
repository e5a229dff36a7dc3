"""Who vouches for a delivery: signatures over its raw bytes, as each platform makes them."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lmt.ingest.instants import epoch_instant

TOLERANCE = timedelta(minutes=5)
"""How far a signed instant may lie from ours; an older delivery may be somebody's copy."""
META_HEADER = "X-Hub-Signature-256"
LINKEDIN_HEADER = "X-LI-Signature"
_LINKEDIN_PREFIX = "hmacsha256="
_CHALLENGE = re.compile(r"[A-Za-z0-9-]{1,200}")

MISSING = "signature_missing"
WRONG = "signature_wrong"
OLD = "signature_old"


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a sender signs: HMAC-SHA256 in `encoding` hex or base64, behind `prefix`, in `header`.

    `scheme` body signs the raw body; timestamp signs "t:body", where t is what `timestamp_header`
    carries, in seconds or milliseconds since 1970.
    """

    header: str
    encoding: str = "hex"
    prefix: str = ""
    scheme: str = "body"
    timestamp_header: str = ""


def signature_problem(
    scheme: Scheme, secret: str, headers: Mapping[str, str], body: bytes, at: datetime
) -> str:
    """ "" for a good signature, else MISSING, WRONG or OLD. Takes the same time for any guess."""
    given = headers.get(scheme.header, "").strip()
    if not given:
        return MISSING
    message, old = body, False
    if scheme.scheme == "timestamp":
        stamp = headers.get(scheme.timestamp_header, "").strip()
        if not stamp:
            return MISSING
        message, old = stamp.encode() + b":" + body, _is_old(stamp, at)
    if not same(given, scheme.prefix + _digest(secret, message, scheme.encoding)):
        return WRONG
    return OLD if old else ""


def meta_problem(secret: str, header: str, body: bytes) -> str:
    """As `signature_problem`, for X-Hub-Signature-256: `sha256=` and lower-case hex.

    The signature covers the bytes as sent, in which Meta escapes what is not ASCII: they must not
    be read and written anew before they are checked. The older sha1 is not accepted.
    """
    return signature_problem(
        Scheme(META_HEADER, prefix="sha256="), secret, {META_HEADER: header}, body, _NEVER
    )


def linkedin_problem(secret: str, header: str, body: bytes) -> str:
    """As `signature_problem`, for X-LI-Signature: hex over "hmacsha256=" and the raw body."""
    given = header.strip().removeprefix(_LINKEDIN_PREFIX)
    if not given:
        return MISSING
    signed = _digest(secret, _LINKEDIN_PREFIX.encode() + body, "hex")
    return "" if same(given, signed) else WRONG


def linkedin_response(secret: str, challenge: str) -> str:
    """What LinkedIn wants to hear before it believes an address: hex HMAC of its challenge, a
    UUID; "" for anything else.

    Anybody may ask, and the same secret signs deliveries: text that could be the beginning of one
    must never be signed here.
    """
    return _digest(secret, challenge.encode(), "hex") if _CHALLENGE.fullmatch(challenge) else ""


def appsecret_proof(app_secret: str, access_token: str) -> str:
    """Shows Meta that whoever holds the token also knows the app's secret."""
    return _digest(app_secret, access_token.encode(), "hex")


def same(given: str, expected: str) -> bool:
    """Equality that takes as long for a near miss as for a far one."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _digest(secret: str, message: bytes, encoding: str) -> str:
    made = hmac.new(secret.encode(), message, hashlib.sha256)
    return b64encode(made.digest()).decode("ascii") if encoding == "base64" else made.hexdigest()


def _is_old(stamp: str, at: datetime) -> bool:
    if not stamp.isdecimal() or len(stamp) > 16:
        return True
    signed_at = epoch_instant(int(stamp))
    return signed_at is None or abs(at - signed_at) > TOLERANCE


_NEVER = datetime.min
