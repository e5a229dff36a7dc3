"""Secrets that a source must compute with (signing keys, tokens), sealed before they are stored.

What is only compared is kept as a hash (`lmt.ingest.keys`); this is for what must be read again.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"lmt: secrets of sources, version 1"


class Broken(Exception):
    """Sealed with another LMT_SECRET_KEY, or altered since."""


def seal(secret_key: str, plain: str) -> str:
    """`plain` as ASCII text that only the holder of `secret_key` can read; never twice the same."""
    return _fernet(secret_key).encrypt(plain.encode()).decode("ascii")


def unseal(secret_key: str, sealed: str) -> str:
    """What was sealed. Raises Broken."""
    try:
        return _fernet(secret_key).decrypt(sealed.encode()).decode()
    except (InvalidToken, UnicodeError) as problem:
        raise Broken from problem


@lru_cache(maxsize=4)
def _fernet(secret_key: str) -> Fernet:
    # Derived, so that the key that signs sessions and links is never itself a cipher's key.
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return Fernet(urlsafe_b64encode(derived.derive(secret_key.encode())))
