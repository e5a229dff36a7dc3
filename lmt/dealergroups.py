"""Groups of dealers, such as a company with several showrooms: who belongs, and who sees them.

Each verb notes who changed what, and commits. A group is whoever's who looks after all its dealers;
an empty one is the market's whose people edited it last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, Row, and_, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.dealerchanges import BadValues, NotNow
from lmt.dealers import PERMISSION
from lmt.i18n import gettext as _
from lmt.models import Dealer, DealerGroup, SettingChange, User, UserScope, note_change
from lmt.routing.directory import dealers_changed
from lmt.scope import Actor

log = structlog.get_logger(__name__)

KIND = "dealer_group"
LONGEST_NAME = 100
MOST_DEALERS = 2_000
_CODE = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def edited_by(actor: Actor) -> ColumnElement[bool]:
    """The groups that the actor may change, for a WHERE: those without a dealer of others, and of
    the empty ones those that somebody of the actor's markets edited last."""
    own = actor.whole_markets(PERMISSION)
    if own is None:
        return true()
    dealer = Dealer.__table__.c
    members = select(dealer.id).where(dealer.group_id == DealerGroup.id).correlate(DealerGroup)
    foreign = members.where(dealer.market_id.not_in(own))
    editor = (
        select(SettingChange.user_id)
        .where(SettingChange.kind == KIND, SettingChange.subject == DealerGroup.code)
        .order_by(SettingChange.id.desc())
        .limit(1)
        .correlate(DealerGroup)
        .scalar_subquery()
    )
    ours = select(UserScope.user_id).where(UserScope.market_id.in_(own))
    return and_(~foreign.exists(), or_(members.exists(), editor.in_(ours)))


def edited_group(session: Session, code: str, actor: Actor) -> DealerGroup:
    """Raises LookupError for a group that isn't there, or isn't the actor's to change."""
    found = session.scalars(
        select(DealerGroup)
        .where(DealerGroup.code == code, edited_by(actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if found is None or not actor.may(PERMISSION):
        raise LookupError(f"no group {code}")
    return found


def members_of(session: Session, group_ids: Sequence[int], most: int) -> dict[int, list[str]]:
    """Codes of the dealers of each group, `most` of each at most, by group id."""
    dealer = Dealer.__table__.c
    place = func.row_number().over(partition_by=dealer.group_id, order_by=dealer.code)
    rows = (
        select(dealer.group_id, dealer.code, place.label("place"))
        .where(dealer.group_id.in_(group_ids))
        .subquery()
    )
    found: dict[int, list[str]] = {}
    chosen = select(rows.c.group_id, rows.c.code).where(rows.c.place <= most).order_by(rows.c.code)
    for group_id, code in session.execute(chosen):
        found.setdefault(group_id, []).append(code)
    return found


def people_of(session: Session, group_ids: Sequence[int]) -> Sequence[Row[int | None, str, str]]:
    """(group id, name, mail address) of the people who see a group."""
    return session.execute(
        select(UserScope.group_id, User.name, User.email)
        .join(User, User.id == UserScope.user_id)
        .where(UserScope.group_id.in_(group_ids))
        .order_by(User.name)
        .limit(500)
    ).all()


def create_group(
    session: Session, code: str, name: str, dealers: Sequence[str], *, at: datetime, actor: Actor
) -> DealerGroup:
    """Raises BadValues naming the fields."""
    problems = _problems(name, dealers)
    if not _CODE.fullmatch(code):
        problems["code"] = _("Use small letters, digits and hyphens, 40 at most.")
    if problems:
        raise BadValues(problems)
    made = session.scalar(
        insert(DealerGroup)
        .values(code=code, name=name)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(DealerGroup.id)
    )
    if made is None:
        raise BadValues({"code": _("This code is taken.")})
    group = session.get_one(DealerGroup, made)
    _set_members(session, group, dealers, at, actor)
    after = {"code": code, "name": name, "dealers": sorted(set(dealers))}
    note_change(session, KIND, code, at=at, user_id=actor.user_id, before={}, after=after)
    session.commit()
    log.info("dealer_group.created", group=code, by=actor.user_id)
    return group


def change_group(
    session: Session, code: str, name: str, dealers: Sequence[str], *, at: datetime, actor: Actor
) -> bool:
    """Its name and all its dealers; False where nothing differs. A dealer is in one group, and
    leaves it there before it joins another. Raises BadValues, LookupError."""
    group = edited_group(session, code, actor)
    if problems := _problems(name, dealers):
        raise BadValues(problems)
    before = told(session, group)
    after = {"name": name, "dealers": sorted(set(dealers))}
    if before == after:
        session.rollback()
        return False
    group.name = name
    _set_members(session, group, dealers, at, actor)
    note_change(session, KIND, code, at=at, user_id=actor.user_id, before=before, after=after)
    session.commit()
    log.info("dealer_group.changed", group=code, by=actor.user_id)
    return True


def delete_group(session: Session, code: str, *, at: datetime, actor: Actor) -> None:
    """Raises NotNow where it has dealers or people, LookupError."""
    group = edited_group(session, code, actor)
    before = told(session, group)
    if before["dealers"]:
        raise NotNow(_("This group has dealers. Take them out first."))
    if people_of(session, [group.id]):
        raise NotNow(_("People see this group. Change what they see first."))
    session.delete(group)
    told_before = {"code": code, **before}
    note_change(session, KIND, code, at=at, user_id=actor.user_id, before=told_before, after={})
    session.commit()


def told(session: Session, group: DealerGroup) -> dict[str, object]:
    dealer = Dealer.__table__.c
    codes = session.scalars(select(dealer.code).where(dealer.group_id == group.id))
    return {"name": group.name, "dealers": sorted(codes)}


def _set_members(
    session: Session, group: DealerGroup, codes: Sequence[str], at: datetime, actor: Actor
) -> None:
    own = actor.whole_markets(PERMISSION)
    wanted = select(Dealer).where(Dealer.code.in_(codes)).with_for_update(of=Dealer)
    if own is not None:
        wanted = wanted.where(Dealer.market_id.in_(own))
    found = {each.code: each for each in session.scalars(wanted)}
    unknown = next((code for code in codes if code not in found), None)
    if unknown is not None:
        raise BadValues({"dealers": _("There is no dealer %(code)s.", code=unknown)})
    for each in found.values():
        if each.group is not None and each.group_id != group.id:
            words = _("%(code)s is in the group %(group)s.", code=each.code, group=each.group.name)
            raise BadValues({"dealers": words})
    old = set(group.dealer_ids)
    new = {each.id for each in found.values()}
    gone, come = sorted(old - new), sorted(new - old)
    session.execute(update(Dealer).where(Dealer.id.in_(gone)).values(group_id=None))
    session.execute(update(Dealer).where(Dealer.id.in_(come)).values(group_id=group.id))
    if gone or come:
        dealers_changed(session, at, [*gone, *come])


def _problems(name: str, dealers: Sequence[str]) -> dict[str, str]:
    problems = {}
    if not name:
        problems["name"] = _("Enter a name.")
    elif len(name) > LONGEST_NAME:
        problems["name"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_NAME)
    if len(dealers) > MOST_DEALERS:
        problems["dealers"] = _("These are too many.")
    return problems
