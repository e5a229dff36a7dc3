"""Who can be turned to about a lead: its dealer's people, and those who give advice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from lmt.models import Absence, Dealer, Lead, Role, User, UserScope

PERMISSION = "lead.work"
MOST = 200


@dataclass(frozen=True, slots=True)
class Colleague:
    """`away_until`: off duty now, and until when; None for whoever is there."""

    id: int
    name: str
    away_until: datetime | None


def people_with(session: Session, lead: Lead) -> dict[int, str]:
    """Who of the lead's dealer works on such leads, by id, ordered by name; empty where no dealer
    has it."""
    if lead.dealer_id is None:
        return {}
    # The bare table: a scope of a group is its dealers of today, whoever asks.
    dealer = Dealer.__table__.c
    group = select(dealer.group_id).where(dealer.id == lead.dealer_id).scalar_subquery()
    part = or_(UserScope.dealer_id == lead.dealer_id, UserScope.group_id == group)
    return _people(session, PERMISSION, lead, part)


def experts_for(session: Session, lead: Lead, permission: str) -> dict[int, str]:
    """Who holds the permission for leads of this market and brand, beyond any dealer; as above."""
    nowhere_else = and_(UserScope.dealer_id.is_(None), UserScope.group_id.is_(None))
    of_market = or_(UserScope.market_id.is_(None), UserScope.market_id == lead.market_id)
    return _people(session, permission, lead, and_(nowhere_else, of_market))


def _people(
    session: Session, permission: str, lead: Lead, part: ColumnElement[bool]
) -> dict[int, str]:
    of_brand = or_(UserScope.brand_id.is_(None), UserScope.brand_id == lead.brand_id)
    found = session.execute(
        select(User.id, User.name)
        .where(
            User.active,
            User.roles.any(Role.permissions.contains([permission])),
            User.scopes.any(and_(part, of_brand)),
        )
        .order_by(User.name, User.id)
        .limit(MOST)
    )
    return {row.id: row.name for row in found}


def colleagues(session: Session, lead: Lead, at: datetime) -> list[Colleague]:
    """The lead's dealer's people, with who of them is away at `at`."""
    people = people_with(session, lead)
    absences = session.scalars(
        select(Absence)
        .where(Absence.user_id.in_(people), Absence.starts_at <= at, Absence.ends_at > at)
        .order_by(Absence.ends_at)
    )
    away = {each.user_id: each.ends_at for each in absences}
    return [Colleague(id, name, away.get(id)) for id, name in people.items()]


def named_in(text: str, names: Mapping[int, str]) -> frozenset[int]:
    """Whom a note names with `@`: by their whole name, or a first one that only they have.

    Case doesn't matter; `@annabel` doesn't name Anna.
    """
    calls = _calls(names.items())
    longest_first = sorted(calls, key=len, reverse=True)
    if not longest_first:
        return frozenset()
    pattern = rf"(?<!\w)@({'|'.join(re.escape(call) for call in longest_first)})(?!\w)"
    return frozenset(calls[found.casefold()] for found in re.findall(pattern, text.casefold()))


def _calls(names: Iterable[tuple[int, str]]) -> dict[str, int]:
    """What each may be called, folded; what two share names neither."""
    found: dict[str, set[int]] = {}
    for id, name in names:
        whole = name.casefold().strip()
        for call in {whole, whole.partition(" ")[0]} - {""}:
            found.setdefault(call, set()).add(id)
    return {call: ids.pop() for call, ids in found.items() if len(ids) == 1}
