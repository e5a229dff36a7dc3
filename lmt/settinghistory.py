"""What people changed in the settings, newest first, to whom it may be told, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, String, and_, cast, event, func, or_, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased as another

from lmt.dealergroups import edited_by as groups_edited_by
from lmt.i18n import gettext as _
from lmt.models import (
    Campaign,
    Dealer,
    DealerGroup,
    Form,
    ImportRun,
    Market,
    ReplyTemplate,
    SalesFile,
    SettingChange,
    Source,
    User,
)
from lmt.scope import Actor
from lmt.settingundo import HOW, WHY_NOT, CantUndo, Values

log = structlog.get_logger(__name__)

PERMISSION = "market.edit"
PAGE_ROWS = 40
_UNDOES = "undoes"
Whose = Callable[[Collection[int], Actor], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """`days_from`, `until`: instants; `user_id` of who did it."""

    kind: str = ""
    subject: str = ""
    user_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A change with who did it ("" for nobody of ours), and by which change it was undone."""

    change: SettingChange
    who: str
    undone_by: int | None


def _by_code(model: Any, market: Any) -> Whose:
    return lambda own, _actor: SettingChange.subject.in_(select(model.code).where(market.in_(own)))


def _by_part(place: int) -> Whose:
    """The market's code is a part of the subject, between slashes."""
    return lambda own, _actor: func.split_part(SettingChange.subject, "/", place).in_(
        select(Market.code).where(Market.id.in_(own))
    )


def _of_forms(own: Collection[int], _actor: Actor) -> ColumnElement[bool]:
    homes = select(Source.id).where(Source.market_id.in_(own))
    return SettingChange.subject.in_(select(Form.code).where(Form.source_id.in_(homes)))


def _of_imports(own: Collection[int], _actor: Actor) -> ColumnElement[bool]:
    homes = select(Source.id).where(Source.market_id.in_(own))
    runs = select(cast(ImportRun.id, String)).where(ImportRun.source_id.in_(homes))
    return SettingChange.subject.in_(runs)


def _of_sales(own: Collection[int], _actor: Actor) -> ColumnElement[bool]:
    files = select(cast(SalesFile.id, String)).where(SalesFile.market_id.in_(own))
    return SettingChange.subject.in_(files)


def _of_slots(own: Collection[int], _actor: Actor) -> ColumnElement[bool]:
    code = func.split_part(SettingChange.subject, "/", 1)
    return code.in_(select(Dealer.code).where(Dealer.market_id.in_(own)))


def _of_templates(own: Collection[int], _actor: Actor) -> ColumnElement[bool]:
    kept = select(cast(ReplyTemplate.id, String)).where(ReplyTemplate.market_id.in_(own))
    return SettingChange.subject.in_(kept)


def _of_fields(own: Collection[int], _actor: Actor) -> ColumnElement[bool]:
    home = func.split_part(SettingChange.subject, "/", 1)
    return home.in_([str(id) for id in own])


def _of_groups(_own: Collection[int], actor: Actor) -> ColumnElement[bool]:
    return SettingChange.subject.in_(select(DealerGroup.code).where(groups_edited_by(actor)))


WHOSE: Mapping[str, Whose] = {
    "market": _by_code(Market, Market.id),
    "rules": _by_code(Market, Market.id),
    "market_status": _by_part(1),
    "target": _by_part(1),
    "exchange_rate": _by_part(1),
    "market_aliases": _by_part(1),
    "consent_text": _by_part(1),
    "mail_text": _by_part(2),
    "source": _by_code(Source, Source.market_id),
    "campaign": _by_code(Campaign, Campaign.market_id),
    "dealer": _by_code(Dealer, Dealer.market_id),
    "dealer_system": _by_code(Dealer, Dealer.market_id),
    "dealer_group": _of_groups,
    "slot_terms": _of_slots,
    "reply_template": _of_templates,
    "form": _of_forms,
    "form_draft": _of_forms,
    "import": _of_imports,
    "sales_file": _of_sales,
    "custom_field": _of_fields,
}
"""The changes of a kind that concern these markets alone. Kinds that aren't here concern all."""


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """The changes of the markets that the actor looks after whole, for a WHERE."""
    own = actor.whole_markets(PERMISSION)
    if own is None:
        return true()
    return or_(
        *(and_(SettingChange.kind == kind, whose(own, actor)) for kind, whose in WHOSE.items())
    )


def changes(
    session: Session, wanted: ChangeFilter, actor: Actor, *, before: int | None = None
) -> Sequence[Kept]:
    """The newest first, one more than a page where there are more; `before` an id."""
    later = another(SettingChange)
    query = (
        select(SettingChange, User.name, later.id)
        .outerjoin(User, User.id == SettingChange.user_id)
        .outerjoin(later, later.undoes_id == SettingChange.id)
        .where(seen_by(actor))
        .order_by(SettingChange.id.desc())
        .limit(PAGE_ROWS + 1)
    )
    if before is not None:
        query = query.where(SettingChange.id < before)
    if wanted.kind:
        query = query.where(SettingChange.kind == wanted.kind)
    if wanted.subject:
        query = query.where(SettingChange.subject == wanted.subject)
    if wanted.user_id is not None:
        query = query.where(SettingChange.user_id == wanted.user_id)
    if wanted.since is not None:
        query = query.where(SettingChange.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(SettingChange.at < wanted.until)
    return [Kept(row, who or "", undone) for row, who, undone in session.execute(query)]


def authors(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """Whoever changed something that the actor sees, by name."""
    ids = select(SettingChange.user_id).where(seen_by(actor)).distinct()
    rows = session.execute(
        select(User.id, User.name).where(User.id.in_(ids)).order_by(User.name).limit(300)
    )
    return [(id, name) for id, name in rows]


def latest_of(session: Session, kind: str, subject: str, actor: Actor) -> SettingChange | None:
    """The last change of a thing, for whoever has just made it."""
    return session.scalar(
        select(SettingChange)
        .where(SettingChange.kind == kind, SettingChange.subject == subject, seen_by(actor))
        .order_by(SettingChange.id.desc())
        .limit(1)
    )


def why_not(change: SettingChange) -> str:
    """Why a change can't be taken back, in the reader's words; "" where that may be tried."""
    how = HOW.get(change.kind)
    if how is None:
        return str(WHY_NOT.get(change.kind) or _("Changes of this kind can't be undone here."))
    if how.mark in change.after and how.mark not in change.before:
        return _("This made something new. Switch it off or delete it on its own page.")
    if how.mark in change.before and how.mark not in change.after:
        return _("What was deleted is set up anew on its own page.")
    if refused := how.refusal(change.before, change.after):
        return refused
    if how.names is not None and not {*change.before, *change.after} <= how.names:
        return _("Not all of it is kept here, such as secrets. Set it on its own page.")
    return ""


def undo(session: Session, change_id: int, *, at: datetime, actor: Actor) -> int:
    """Set what a change had changed as it was before; the number of the change that says so.

    Goes through the verb of that setting, which commits. Raises CantUndo with the reason,
    LookupError for a change that isn't the actor's to see.
    """
    change = session.scalars(
        select(SettingChange)
        .where(SettingChange.id == change_id, seen_by(actor))
        .with_for_update(of=SettingChange)
    ).first()
    if change is None:
        raise LookupError(f"no change {change_id}")
    if reason := why_not(change):
        raise CantUndo(reason)
    if session.scalar(select(SettingChange.id).where(SettingChange.undoes_id == change_id)):
        raise CantUndo(_("This was undone already."))
    how, kind, subject = HOW[change.kind], change.kind, change.subject
    before, after = dict(change.before), dict(change.after)
    session.info[_UNDOES] = change_id, kind, subject
    try:
        present = how.present(session, subject, at, actor)
        if not _still_so(present, before, after):
            raise CantUndo(_("It was changed again since. Undo the later change first."))
        how.write(session, subject, _restored(present, before, after), at, actor)
    except LookupError:
        session.rollback()
        raise CantUndo(_("It isn't there any more, or isn't yours to change.")) from None
    except IntegrityError:
        session.rollback()
        raise CantUndo(_("This was undone already.")) from None
    except ValueError as refused:
        session.rollback()
        told = getattr(refused, "problems", None)
        words = " ".join(told.values()) if told else str(refused)
        raise CantUndo(words) from refused
    finally:
        session.info.pop(_UNDOES, None)
    made = session.scalar(select(SettingChange.id).where(SettingChange.undoes_id == change_id))
    if made is None:
        raise CantUndo(_("Nothing was changed."))
    log.info("setting.undone", kind=kind, subject=subject, change=change_id, by=actor.user_id)
    return made


def _still_so(present: Values, before: Values, after: Values) -> bool:
    """Does what the change set still stand?"""
    return all(_is_same(present.get(name), after.get(name)) for name in {**before, **after})


def _is_same(one: Any, other: Any) -> bool:
    """What isn't there and what is empty are told alike."""
    return one == other or (_is_empty(one) and _is_empty(other))


def _is_empty(value: Any) -> bool:
    """Not so zero: a cap of none and no cap are two things."""
    return value is None or value is False or value in ("", [], {})


def _restored(present: Values, before: Values, after: Values) -> Values:
    kept = {name: value for name, value in present.items() if name not in after}
    emptied = {
        name: type(present[name])() if present[name] is not None else None
        for name in after
        if name not in before and name in present
    }
    return {**kept, **emptied, **before}


@event.listens_for(Session, "before_flush")
def _mark(session: Session, _context: Any, _instances: Any) -> None:
    """The change that an undoing verb notes says what it took back, in its transaction; one of
    another thing that it brings with it doesn't."""
    if _UNDOES not in session.info:
        return
    change_id, kind, subject = session.info[_UNDOES]
    noted = [row for row in session.new if isinstance(row, SettingChange) and row.kind == kind]
    # The subject is another where the code itself is taken back.
    for row in noted:
        if row.subject == subject or "code" in row.after:
            row.undoes_id = change_id
            del session.info[_UNDOES]
            return
