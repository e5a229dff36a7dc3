"""Keys of sources: random, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy.orm import Session

from lmt.ingest.books import books, remembered_books
from lmt.models import Source


def new_key() -> str:
    """A fresh key with 256 bits of chance; nothing but its hash is ever stored."""
    return f"lmt_{secrets.token_urlsafe(32)}"


def key_hash(key: str) -> str:
    """SHA-256 in hex. A key of 256 random bits needs no salt and no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def source_of_key(
    session: Session, authorization: str, *kinds: str, remembered: bool = False
) -> Source | None:
    """The active source whose key an `Authorization: Bearer KEY` header carries.

    A row without a session: read it, never change it. `remembered`: as this process last saw it,
    for whoever hands it to `door.receive` next, which notices where that is no longer true.
    """
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        return None
    hashed = key_hash(key.strip())
    source = remembered_books(session).sources_by_key.get(hashed) if remembered else None
    if source is None or not source.active:
        source = books(session).sources_by_key.get(hashed)
    if source is None or not source.active:
        return None
    return source if not kinds or source.kind in kinds else None
