"""Keys by which programs read reports as their owner sees them: random, shown once, kept as a hash,
ended by a day or by hand. Each verb commits."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.ingest.characters import clean_line
from lmt.models import ReportKey
from lmt.scope import Actor

PERMISSION = "report.read"
PREFIX = "lmtr_"
DAYS = (30, 90, 365)
"""How long a key may live; the longest is what it can live."""
MOST_KEYS = 20
LONGEST_NAME = 60
NOTED_EVERY = timedelta(minutes=5)
"""How often at most its use is written down."""


class BadKey(ValueError):
    """`cause` is one of: unnamed, long, many, days."""

    def __init__(self, cause: str):
        super().__init__(cause)
        self.cause = cause


def keys_of(session: Session, user_id: int, at: datetime) -> Sequence[ReportKey]:
    """Those that still open something, the latest first."""
    return session.scalars(
        select(ReportKey)
        .where(
            ReportKey.user_id == user_id,
            ReportKey.revoked_at.is_(None),
            ReportKey.expires_at > at,
        )
        .order_by(ReportKey.id.desc())
        .limit(MOST_KEYS)
    ).all()


def make_key(session: Session, name: str, days: int, *, at: datetime, actor: Actor) -> str:
    """A new key, which nobody can be shown again. Raises BadKey."""
    assert actor.user_id is not None
    name = clean_line(name)
    if not name:
        raise BadKey("unnamed")
    if len(name) > LONGEST_NAME:
        raise BadKey("long")
    if days not in DAYS:
        raise BadKey("days")
    if len(keys_of(session, actor.user_id, at)) >= MOST_KEYS:
        raise BadKey("many")
    key = f"{PREFIX}{secrets.token_urlsafe(32)}"
    session.add(
        ReportKey(
            user_id=actor.user_id,
            name=name,
            key_hash=_hash(key),
            created_at=at,
            expires_at=at + timedelta(days=days),
        )
    )
    session.commit()
    return key


def revoke_key(session: Session, key_id: int, *, at: datetime, actor: Actor) -> str:
    """Its name; once more changes nothing. Raises LookupError for a key of somebody else."""
    key = session.scalars(
        select(ReportKey).where(ReportKey.id == key_id, ReportKey.user_id == actor.user_id)
    ).first()
    if key is None:
        raise LookupError(f"no key {key_id}")
    if key.revoked_at is None:
        key.revoked_at = at
    session.commit()
    return key.name


def owner_of_key(session: Session, key: str, at: datetime) -> int | None:
    """Whose key this is, on a session that acts for the installation; None for one that opens
    nothing. Notes now and then that it was used."""
    if not key.startswith(PREFIX):
        return None
    found = session.scalars(
        select(ReportKey).where(
            ReportKey.key_hash == _hash(key),
            ReportKey.revoked_at.is_(None),
            ReportKey.expires_at > at,
        )
    ).first()
    if found is None:
        return None
    if found.last_used_at is None or found.last_used_at < at - NOTED_EVERY:
        found.last_used_at = at
    user_id = found.user_id
    session.commit()
    return user_id


def _hash(key: str) -> str:
    """SHA-256 in hex. A key of 256 random bits needs no salt and no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()
