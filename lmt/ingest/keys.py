"""Keys of sources: random, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Source


def new_key() -> str:
    """A fresh key with 256 bits of chance; nothing but its hash is ever stored."""
    return f"lmt_{secrets.token_urlsafe(32)}"


def key_hash(key: str) -> str:
    """SHA-256 in hex. A key of 256 random bits needs no salt and no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def source_of_key(session: Session, authorization: str, *kinds: str) -> Source | None:
    """The active source whose key an `Authorization: Bearer KEY` header carries."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        return None
    source = session.scalars(
        select(Source).where(Source.key_hash == key_hash(key.strip()), Source.active)
    ).first()
    return source if source is not None and (not kinds or source.kind in kinds) else None
