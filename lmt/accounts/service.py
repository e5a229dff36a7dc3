"""Makes the accounts of people who work on leads. The caller commits."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.accounts.roles import ROLES
from lmt.config import LOCALES
from lmt.models import Role, User, UserScope

SHORTEST_PASSWORD = 10

_hasher = PasswordHasher()


class BadAccount(ValueError):
    """An account can't be made like this; the message says why."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the world, by ids: without a market, a group and a dealer, everything.

    A brand narrows it to that brand's leads.
    """

    market_id: int | None = None
    dealer_id: int | None = None
    brand_id: int | None = None
    group_id: int | None = None


EVERYWHERE = Scope()


def ensure_roles(session: Session) -> dict[str, Role]:
    """Every role of `ROLES` as a row, by name; one that exists keeps its edited permissions."""
    known = {role.name: role for role in session.scalars(select(Role))}
    for name, terms in ROLES.items():
        if name not in known:
            known[name] = Role(
                name=name, description=terms.description, permissions=list(terms.permissions)
            )
            session.add(known[name])
    session.flush()
    return known


def create_user(
    session: Session,
    email: str,
    name: str,
    password: str | None,
    roles: Iterable[str],
    scopes: Iterable[Scope],
    language: str = "en",
    timezone: str = "UTC",
    *,
    demo: bool = False,
) -> User:
    """A new account, flushed. Without a password its owner sets one by the reset mail.

    Raises BadAccount for an address in use or malformed, a short password, an unknown role or
    language; ZoneInfoNotFoundError for an unknown zone.
    """
    address = account_address(email)
    if session.scalar(select(User.id).where(func.lower(User.email) == address)) is not None:
        raise BadAccount(f"{address} has an account already")
    if language not in LOCALES:
        raise BadAccount(f"no such language: {language}")
    ZoneInfo(timezone)
    known = ensure_roles(session)
    wanted = list(dict.fromkeys(roles))
    if unknown := [role for role in wanted if role not in known]:
        raise BadAccount(f"no such role: {', '.join(unknown)}")
    user = User(
        email=address,
        name=name,
        password=None if password is None else hashed(password),
        fs_uniquifier=uuid.uuid4().hex,
        language=language,
        timezone=timezone,
        demo=demo,
        active=True,
        roles=[known[role] for role in wanted],
        scopes=[
            UserScope(
                market_id=s.market_id,
                dealer_id=s.dealer_id,
                group_id=s.group_id,
                brand_id=s.brand_id,
            )
            for s in scopes
        ],
    )
    session.add(user)
    session.flush()
    return user


def account_address(email: str) -> str:
    """The address as accounts keep it: checked, in lower case. Raises BadAccount."""
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as problem:
        raise BadAccount(str(problem)) from problem


def hashed(password: str) -> str:
    """argon2id, with its salt and costs in the text. Raises BadAccount when it is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise BadAccount(f"a password needs at least {SHORTEST_PASSWORD} characters")
    return _hasher.hash(password)
