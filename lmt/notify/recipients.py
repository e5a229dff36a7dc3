"""Whom a message is for: who has the lead, who leads their team, who keeps the market's queues.

Whoever is off duty is stood in for; a deputy who may not see the lead is no deputy for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from lmt.models import Absence, Dealer, DealerTerms, Inquiry, Lead, Role, Source, User, UserScope

QUEUE_PERMISSION = "lead.assign"
TEAM_PERMISSION = "team.manage"
DEPUTIES = 2
"""A deputy's deputy still stands in; theirs doesn't."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Where a mail goes, and for whom: `stands_in_for` is the id of the person who is away."""

    email: str
    language: str
    timezone: str
    stands_in_for: int | None = None
    user_id: int | None = None


def terms_of(session: Session, dealer_id: int, at: datetime) -> DealerTerms:
    """The dealer's mail address, language and zone at `at`; the last known of one that ended."""
    return session.scalars(
        select(DealerTerms)
        .where(DealerTerms.dealer_id == dealer_id)
        .order_by(DealerTerms.holds_at(at).desc(), func.lower(DealerTerms.valid).desc())
        .limit(1)
    ).one()


def queue_keepers(session: Session, lead: Lead) -> Sequence[User]:
    """Who may assign the lead by hand: its market's own staff, central staff where it has none."""
    of_brand = or_(UserScope.brand_id.is_(None), UserScope.brand_id == lead.brand_id)
    return _keepers(session, lead.market_id, of_brand)


def market_keepers(
    session: Session, market_id: int, permission: str = QUEUE_PERMISSION
) -> Sequence[User]:
    """Who holds the permission (to assign leads by hand) in the market, whatever the brand; central
    staff where nobody does."""
    return _keepers(session, market_id, permission=permission)


def managers_of(session: Session, dealer_id: int, brand_id: int | None) -> Sequence[User]:
    """Who leads the dealer's people, or those of its group, for leads of this brand."""
    dealer = Dealer.__table__.c
    group = select(dealer.group_id).where(dealer.id == dealer_id).scalar_subquery()
    return (
        session.scalars(
            select(User)
            .join(User.roles)
            .join(User.scopes)
            .where(
                User.active,
                Role.permissions.contains([TEAM_PERMISSION]),
                or_(UserScope.dealer_id == dealer_id, UserScope.group_id == group),
                or_(UserScope.brand_id.is_(None), UserScope.brand_id == brand_id),
            )
            .order_by(User.id)
        )
        .unique()
        .all()
    )


def standing_in(session: Session, user: User, at: datetime) -> User | None:
    """The person, or who stands in while they are off duty; None where nobody does.

    A deputy who is off duty, too, is stood in for once. An account that was closed reads nothing.
    """
    person: User | None = user
    for _ in range(DEPUTIES + 1):
        if person is None or not person.active:
            return None
        absence = session.scalars(
            select(Absence)
            .where(Absence.user_id == person.id, Absence.starts_at <= at, Absence.ends_at > at)
            .order_by(Absence.deputy_id.is_(None), Absence.id)
            .limit(1)
        ).first()
        if absence is None:
            return person
        person = absence.deputy
    return None


def present(
    session: Session, users: Iterable[User], lead: Lead | None, at: datetime
) -> list[Addressee]:
    """Each of these people, or their deputy, once; who may not see the lead is left out."""
    found: dict[int, Addressee] = {}
    for user in users:
        person = standing_in(session, user, at)
        if person is None or not person.email or not _may_see(person, lead):
            continue
        addressee = _addressee(person, stands_in_for=None if person is user else user.id)
        if person.id not in found or person is user:
            found[person.id] = addressee
    return list(found.values())


def present_keepers(
    session: Session, users: Sequence[User], lead: Lead | None, at: datetime
) -> list[Addressee]:
    """As `present`, for people of headquarters; all of them where everybody is away: a queue is
    never without a reader."""
    return present(session, users, lead, at) or [_addressee(each) for each in users if each.email]


def owner_of(session: Session, lead: Lead) -> User | None:
    """The colleague who has the lead."""
    return None if lead.owner_id is None else session.get(User, lead.owner_id)


def colleague_or_dealer(
    session: Session, user: User | None, lead: Lead, terms: DealerTerms, at: datetime
) -> Addressee | None:
    """Whoever works on the lead, or their deputy; the dealer's mailbox where that is nobody.

    None for a dealer without a mail address: it finds the lead on its desk.
    """
    people = [] if user is None else present(session, [user], lead, at)
    if people:
        return people[0]
    return Addressee(terms.email, terms.language, terms.timezone) if terms.email else None


def deputy_context(reader: Addressee) -> dict[str, int]:
    """What a message to somebody's deputy remembers of it."""
    return {} if reader.stands_in_for is None else {"stands_in_for": reader.stands_in_for}


def may_be_told(session: Session, lead: Lead) -> bool:
    """Whether its source tells its people, or they asked again through one that does."""
    if lead.source.tells_customer or not lead.asked_again:
        return lead.source.tells_customer
    # The bare table: what joined the lead counts, whoever of its dealers acts.
    inquiry = Inquiry.__table__.c
    again = select(inquiry.source_id).where(inquiry.lead_id == lead.id)
    found = select(Source.id).where(Source.tells_customer, Source.id.in_(again)).limit(1)
    return session.scalars(found).first() is not None


def _keepers(
    session: Session,
    market_id: int,
    narrowed: ColumnElement[bool] | None = None,
    *,
    permission: str = QUEUE_PERMISSION,
) -> Sequence[User]:
    keepers = (
        select(User)
        .join(User.roles)
        .join(User.scopes)
        .where(User.active, Role.permissions.contains([permission]))
        .order_by(User.id)
    )
    if narrowed is not None:
        keepers = keepers.where(narrowed)
    own = session.scalars(keepers.where(UserScope.market_id == market_id)).unique().all()
    if own:
        return own
    part = (UserScope.market_id, UserScope.dealer_id, UserScope.group_id)
    everywhere = (each.is_(None) for each in part)
    return session.scalars(keepers.where(*everywhere)).unique().all()


def _addressee(user: User, *, stands_in_for: int | None = None) -> Addressee:
    return Addressee(user.email, user.language, user.timezone, stands_in_for, user.id)


def _may_see(user: User, lead: Lead | None) -> bool:
    """Whether the lead lies in the person's part of the world; without a lead, everybody may."""
    return lead is None or any(
        scope.dealer_id in {None, lead.dealer_id}
        and (scope.group is None or lead.dealer_id in scope.group.dealer_ids)
        and scope.market_id in {None, lead.market_id}
        and scope.brand_id in {None, lead.brand_id}
        for scope in user.scopes
    )
