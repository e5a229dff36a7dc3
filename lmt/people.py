"""Accounts, as headquarters keeps them: who may do what, in which part of the world.

Nobody gives away more than they hold: roles beyond one's own are refused, except those of a
dealer's people at dealers, and so is every part of the world that one doesn't look after whole.
Each verb commits.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select, text, true
from sqlalchemy.orm import Session

from lmt.accounts.service import BadAccount, Scope, account_address, create_user, ensure_roles
from lmt.config import LOCALES
from lmt.dealerchanges import BadValues, NotNow
from lmt.i18n import gettext as _
from lmt.models import Brand, Dealer, DealerGroup, Market, Role, User, UserScope, note_change
from lmt.scope import Actor

PERMISSION = "user.edit"
ADMIN = "admin"
AT_DEALERS = frozenset(
    {"lead.read", "lead.work", "lead.export", "report.read", "team.manage", "dealer.manage"}
)
"""What a dealer's people do; whoever keeps accounts may give it, at dealers."""
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Account:
    """What is set of somebody; `roles` by name, `parts` by ids."""

    name: str
    roles: tuple[str, ...]
    parts: tuple[Scope, ...]
    language: str
    timezone: str


def visible_people(actor: Actor) -> ColumnElement[bool]:
    """Whose accounts the actor keeps: all whose parts lie within the actor's markets."""
    markets = actor.whole_markets(PERMISSION)
    if markets is None:
        return true()
    dealers = select(Dealer.id).where(Dealer.market_id.in_(markets))
    within = or_(
        UserScope.market_id.in_(markets),
        UserScope.dealer_id.in_(dealers),
        UserScope.group_id.in_(_groups_within(markets)),
    )
    mine = UserScope.user_id == User.id
    return and_(
        exists().where(mine, within),
        not_(exists().where(mine, func.coalesce(within, False).is_(False))),
    )


def _groups_within(markets: Iterable[int]) -> Any:
    """On the bare table: of a group that has dealers elsewhere, the actor sees their own alone."""
    dealer, own = Dealer.__table__.c, list(markets)
    outside = select(dealer.group_id).where(
        dealer.group_id.is_not(None), dealer.market_id.not_in(own)
    )
    return select(dealer.group_id).where(dealer.market_id.in_(own), dealer.group_id.not_in(outside))


def kept_person(session: Session, user_id: int, actor: Actor) -> User:
    """An account that the actor keeps. Raises LookupError for any other."""
    found = session.scalars(select(User).where(User.id == user_id, visible_people(actor))).first()
    if found is None:
        raise LookupError(f"no account {user_id}")
    return found


def may_give(role: Role, parts: Sequence[Scope], actor: Actor) -> bool:
    """Whether the actor may give this role for these parts, or take it away."""
    if set(role.permissions) <= actor.permissions:
        return True
    at_dealers = all(part.dealer_id or part.group_id for part in parts)
    return at_dealers and set(role.permissions) <= actor.permissions | AT_DEALERS


def roles_to_give(session: Session, actor: Actor) -> list[Role]:
    """By name; those that could be given at dealers at least."""
    ensure_roles(session)
    found = session.scalars(select(Role).order_by(Role.name))
    return [role for role in found if set(role.permissions) <= actor.permissions | AT_DEALERS]


def groups_to_give(session: Session, actor: Actor) -> list[DealerGroup]:
    """By name; those all of whose dealers the actor looks after."""
    wanted = select(DealerGroup).order_by(DealerGroup.name)
    markets = actor.whole_markets(PERMISSION)
    if markets is not None:
        wanted = wanted.where(DealerGroup.id.in_(_groups_within(markets)))
    return list(session.scalars(wanted))


def invite(session: Session, email: str, account: Account, *, at: datetime, actor: Actor) -> User:
    """A new account without a password: its owner sets one by the mail that the caller sends.

    Raises BadValues.
    """
    problems = _problems(session, account, actor)
    try:
        account_address(email)
    except BadAccount:
        problems["email"] = _("Please enter a mail address.")
    if problems:
        raise BadValues(problems)
    try:
        person = create_user(
            session,
            email,
            account.name.strip(),
            None,
            account.roles,
            account.parts,
            account.language,
            account.timezone,
        )
    except BadAccount as taken:
        # Told to all who keep accounts: an address is one person's, whoever made the account.
        raise BadValues({"email": _("There is an account with this address.")}) from taken
    _note(session, person, {}, _told(session, person), at, actor)
    session.commit()
    return person


def change(
    session: Session,
    user_id: int,
    account: Account,
    *,
    seen: str = "",
    at: datetime,
    actor: Actor,
) -> bool:
    """Set what an account is; False where all was so already.

    `seen` is the `mark_of` the account that was edited. Raises BadValues, NotNow where it was
    changed meanwhile, and LookupError for an account that the actor doesn't keep.
    """
    session.execute(select(User.id).where(User.id == user_id).with_for_update())
    session.expire_all()
    person = kept_person(session, user_id, actor)
    _refuse_for(session, person, actor)
    before = _told(session, person)
    if seen and seen != _mark(before):
        raise NotNow(_("Somebody changed this meanwhile. Look at it again."))
    problems = _problems(session, account, actor)
    if person.id == actor.user_id and (
        set(account.roles) != {role.name for role in person.roles}
        or set(account.parts) != set(parts_of(person))
    ):
        problems["roles"] = _("Somebody else has to change your own roles and markets.")
    known = ensure_roles(session)
    if ADMIN in _permissions(person.roles) and not any(
        ADMIN in known[name].permissions for name in account.roles if name in known
    ):
        _refuse_without_administrator(session, person, problems)
    if problems:
        raise BadValues(problems)
    person.name, person.language = account.name.strip(), account.language
    person.timezone = account.timezone
    person.roles = [known[name] for name in dict.fromkeys(account.roles)]
    _set_parts(session, person, account.parts)
    session.flush()
    after = _told(session, person)
    _note(session, person, before, after, at, actor)
    session.commit()
    return before != after


def mark_of(session: Session, person: User) -> str:
    """Tells whether an account is still the one that a form was filled in from."""
    return _mark(_told(session, person))


def _mark(told: dict[str, Any]) -> str:
    return sha256(repr(sorted(told.items())).encode()).hexdigest()[:16]


def set_active(session: Session, user_id: int, active: bool, *, at: datetime, actor: Actor) -> User:
    """Let somebody in, or no more: whoever is shut out is logged out everywhere at once.

    Raises BadValues for oneself and for the last administrator, LookupError.
    """
    person = kept_person(session, user_id, actor)
    _refuse_for(session, person, actor)
    problems: dict[str, str] = {}
    if not active and person.id == actor.user_id:
        problems["active"] = _("You can't shut yourself out.")
    if not active and ADMIN in _permissions(person.roles):
        _refuse_without_administrator(session, person, problems, field="active")
    if problems:
        raise BadValues(problems)
    if person.active != active:
        person.active = active
        if not active:
            person.fs_uniquifier = uuid.uuid4().hex
        _note(session, person, {"active": not active}, {"active": active}, at, actor)
    session.commit()
    return person


def parts_of(person: User) -> tuple[Scope, ...]:
    return tuple(
        Scope(part.market_id, part.dealer_id, part.brand_id, part.group_id)
        for part in person.scopes
    )


def save_role(
    session: Session, name: str, permissions: Iterable[str], *, at: datetime, actor: Actor
) -> bool:
    """Set what a role may do, or make a new one; False where all was so already.

    Raises BadValues where nobody could administrate any more, LookupError for who is no
    administrator.
    """
    if not actor.may(ADMIN) or not actor.everywhere:
        raise LookupError(name)
    _one_at_a_time(session)
    role = session.scalars(select(Role).where(Role.name == name)).first()
    before = {} if role is None else {"permissions": sorted(role.permissions)}
    if role is None:
        role = Role(name=name, description="", permissions=[])
        session.add(role)
    role.permissions = sorted(set(permissions))
    session.flush()
    left = select(User.id).join(User.roles).where(User.active, Role.permissions.contains([ADMIN]))
    if session.scalars(left.limit(1)).first() is None:
        raise BadValues({"permissions": _("Nobody could administrate the installation any more.")})
    after = {"permissions": list(role.permissions)}
    note_change(session, "role", name, at=at, user_id=actor.user_id, before=before, after=after)
    session.commit()
    return before != after


def _set_parts(session: Session, person: User, parts: Iterable[Scope]) -> None:
    wanted = dict.fromkeys(parts)
    present = {
        Scope(row.market_id, row.dealer_id, row.brand_id, row.group_id): row
        for row in person.scopes
    }
    for part, row in present.items():
        if part not in wanted:
            session.delete(row)
    session.flush()
    session.expire(person, ["scopes"])
    for part in wanted:
        if part not in present:
            person.scopes.append(
                UserScope(
                    market_id=part.market_id,
                    dealer_id=part.dealer_id,
                    group_id=part.group_id,
                    brand_id=part.brand_id,
                )
            )


def _problems(session: Session, account: Account, actor: Actor) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not account.name.strip():
        problems["name"] = _("Please enter a name.")
    elif len(account.name) > LONGEST_NAME:
        problems["name"] = _("This is too long.")
    if account.language not in LOCALES:
        problems["language"] = _("Please choose a language.")
    if account.timezone not in available_timezones():
        problems["timezone"] = _("Please choose a time zone from the list.")
    known = ensure_roles(session)
    if not account.roles:
        problems["roles"] = _("Please choose a role.")
    elif not all(
        name in known and may_give(known[name], account.parts, actor) for name in account.roles
    ):
        problems["roles"] = _("You can't give this role there: it may do more than you.")
    if not account.parts:
        problems["parts"] = _("Please say which markets, groups or dealers they look after.")
    elif not _are_there(session, account.parts):
        problems["parts"] = _("Please choose one of the options.")
    elif not _are_within(session, account.parts, actor):
        problems["parts"] = _("You can't give what you don't look after yourself.")
    return problems


def _are_there(session: Session, parts: Sequence[Scope]) -> bool:
    """Does all exist that the parts name, whoever may see it?"""
    named: list[tuple[Any, set[int | None]]] = [
        (Market.__table__.c, {part.market_id for part in parts}),
        (Dealer.__table__.c, {part.dealer_id for part in parts}),
        (DealerGroup.__table__.c, {part.group_id for part in parts}),
        (Brand.__table__.c, {part.brand_id for part in parts}),
    ]
    return all(
        session.scalars(select(func.count()).where(table.id.in_(ids - {None}))).one()
        == len(ids - {None})
        for table, ids in named
        if ids - {None}
    )


def _are_within(session: Session, parts: Sequence[Scope], actor: Actor) -> bool:
    markets = actor.whole_markets(PERMISSION)
    if markets is None:
        return True
    if any(part.market_id not in markets for part in parts if part.market_id is not None):
        return False
    if any(not (part.market_id or part.dealer_id or part.group_id) for part in parts):
        return False
    dealers = {part.dealer_id for part in parts if part.dealer_id is not None}
    groups = {part.group_id for part in parts if part.group_id is not None}
    own = select(func.count()).select_from(Dealer)
    own = own.where(Dealer.id.in_(dealers), Dealer.market_id.in_(markets))
    if dealers and session.scalars(own).one() != len(dealers):
        return False
    inside = select(DealerGroup.id).where(
        DealerGroup.id.in_(groups), DealerGroup.id.in_(_groups_within(markets))
    )
    return groups <= set(session.scalars(inside))


def _refuse_for(session: Session, person: User, actor: Actor) -> None:
    """Whoever may do more than the actor is not the actor's to change. Raises LookupError."""
    ensure_roles(session)
    if not all(may_give(role, parts_of(person), actor) for role in person.roles):
        raise LookupError(f"no account {person.id}")


def _refuse_without_administrator(
    session: Session, person: User, problems: dict[str, str], field: str = "roles"
) -> None:
    _one_at_a_time(session)
    others = (
        select(User.id)
        .join(User.roles)
        .where(User.active, User.id != person.id, Role.permissions.contains([ADMIN]))
    )
    if session.scalars(others.limit(1)).first() is None:
        problems[field] = _("Nobody could administrate the installation any more.")


def _one_at_a_time(session: Session) -> None:
    """Of two administrators who shut each other out at once, the second finds the first gone."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('administrators'))"))


def _permissions(roles: Iterable[Role]) -> set[str]:
    return {permission for role in roles for permission in role.permissions}


def _told(session: Session, person: User) -> dict[str, Any]:
    return {
        "name": person.name,
        "roles": sorted(role.name for role in person.roles),
        "language": person.language,
        "timezone": person.timezone,
        "parts": sorted(_part_words(session, part) for part in parts_of(person)),
    }


def _part_words(session: Session, part: Scope) -> str:
    """By codes, which stay what they are when a name changes."""
    named: list[tuple[type[Any], int | None]] = [
        (Market, part.market_id),
        (Dealer, part.dealer_id),
        (DealerGroup, part.group_id),
        (Brand, part.brand_id),
    ]
    codes = [session.get_one(model, id).code for model, id in named if id is not None]
    return ", ".join(codes) or "*"


def _note(
    session: Session,
    person: User,
    before: dict[str, Any],
    after: dict[str, Any],
    at: datetime,
    actor: Actor,
) -> None:
    note_change(
        session,
        "account",
        person.email,
        at=at,
        user_id=actor.user_id,
        before=before,
        after=after,
    )
