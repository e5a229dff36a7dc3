"""How headquarters keeps a market's own statuses: what stands for accepted, contacted or resting.

Each verb notes who changed what, and commits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.dealerchanges import BadValues, NotNow
from lmt.i18n import gettext as _
from lmt.i18n import language_name
from lmt.markets import edited_market
from lmt.models import Lead, Market, MarketStatus, note_change
from lmt.scope import Actor, as_system

log = structlog.get_logger(__name__)

KIND = "market_status"
CORE = ("accepted", "contacted", "resting")
LONGEST_NAME = 60
MOST = 50
_CODE = re.compile(r"[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?")
_TOLD = ("status", "names", "position", "active")


def subject_of(market: Market, code: str) -> str:
    """By what the history of a status is found."""
    return f"{market.code}/{code}"


def statuses_of(session: Session, market_id: int) -> Sequence[MarketStatus]:
    """All of a market, by core status and order."""
    order = {code: place for place, code in enumerate(CORE)}
    rows = session.scalars(
        select(MarketStatus)
        .where(MarketStatus.market_id == market_id)
        .order_by(MarketStatus.position, MarketStatus.id)
    ).all()
    return sorted(rows, key=lambda row: order.get(row.status, len(order)))


def is_used(session: Session, market_id: int, code: str) -> bool:
    """Does a lead carry it, whoever sees that lead?"""
    with as_system(session):
        found = session.scalar(
            select(Lead.id).where(Lead.market_id == market_id, Lead.market_status == code).limit(1)
        )
    return found is not None


def add_status(
    session: Session,
    market_code: str,
    code: str,
    status: str,
    names: Mapping[str, str],
    *,
    at: datetime,
    actor: Actor,
) -> MarketStatus:
    """A status at the end of its core status. Raises BadValues, LookupError."""
    market = edited_market(session, market_code, actor)
    problems = _problems(market, names)
    if not _CODE.fullmatch(code):
        problems["code"] = _("Use small letters, digits, hyphens and underscores, 40 at most.")
    if status not in CORE:
        problems["status"] = _("Choose one of these.")
    count, last = session.execute(
        select(func.count(), func.max(MarketStatus.position)).where(
            MarketStatus.market_id == market.id
        )
    ).one()
    if count >= MOST:
        problems["code"] = _("These are too many.")
    if problems:
        raise BadValues(problems)
    values = {
        "market_id": market.id, "code": code, "status": status, "names": _said(names),
        "position": 0 if last is None else last + 1, "active": True,
    }  # fmt: skip
    made = session.scalar(
        insert(MarketStatus).values(values).on_conflict_do_nothing().returning(MarketStatus.id)
    )
    if made is None:
        raise BadValues({"code": _("This code is taken.")})
    row = session.get_one(MarketStatus, made)
    _note(session, market, row, {}, {"code": code, **told(row)}, at, actor)
    session.commit()
    return row


def change_status(
    session: Session,
    market_code: str,
    code: str,
    changes: Mapping[str, Any],
    *,
    at: datetime,
    actor: Actor,
) -> bool:
    """Set some of `names`, `position` and `active`; the core status stays, as leads count by it.

    Raises BadValues, LookupError. False where nothing differs.
    """
    market, row = _locked(session, market_code, code, actor)
    before = told(row)
    if "names" in changes:
        if problems := _problems(market, changes["names"]):
            raise BadValues(problems)
        row.names = _said(changes["names"])
    row.position = int(changes.get("position", row.position))
    row.active = bool(changes.get("active", row.active))
    after = told(row)
    if before == after:
        session.rollback()
        return False
    _note(session, market, row, before, after, at, actor)
    session.commit()
    return True


def move_status(
    session: Session, market_code: str, code: str, step: int, *, at: datetime, actor: Actor
) -> bool:
    """One place up (-1) or down (1) among those of its core status. Raises LookupError."""
    market, row = _locked(session, market_code, code, actor)
    beside = [each for each in statuses_of(session, market.id) if each.status == row.status]
    place = beside.index(row)
    if not 0 <= place + step < len(beside):
        session.rollback()
        return False
    positions = sorted(each.position for each in beside)
    if len(set(positions)) < len(positions):
        positions = list(range(positions[0], positions[0] + len(positions)))
    beside[place], beside[place + step] = beside[place + step], beside[place]
    for each, position in zip(beside, positions, strict=True):
        before = told(each)
        each.position = position
        _note(session, market, each, before, told(each), at, actor)
    session.commit()
    return True


def delete_status(
    session: Session, market_code: str, code: str, *, at: datetime, actor: Actor
) -> None:
    """Raises NotNow where a lead carries it, LookupError."""
    market, row = _locked(session, market_code, code, actor)
    if is_used(session, market.id, code):
        raise NotNow(_("Leads have this status. Switch it off instead."))
    _note(session, market, row, {"code": code, **told(row)}, {}, at, actor)
    session.delete(row)
    session.commit()


def status_of(session: Session, market_code: str, code: str, actor: Actor) -> MarketStatus:
    """Raises LookupError for a status that isn't there, or isn't the actor's to change."""
    market = edited_market(session, market_code, actor)
    row = session.scalars(
        select(MarketStatus).where(MarketStatus.market_id == market.id, MarketStatus.code == code)
    ).first()
    if row is None:
        raise LookupError(f"no status {code} of {market_code}")
    return row


def told(row: MarketStatus) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _TOLD}


def _locked(
    session: Session, market_code: str, code: str, actor: Actor
) -> tuple[Market, MarketStatus]:
    market = edited_market(session, market_code, actor)
    row = session.scalars(
        select(MarketStatus)
        .where(MarketStatus.market_id == market.id, MarketStatus.code == code)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise LookupError(f"no status {code} of {market_code}")
    return market, row


def _note(
    session: Session,
    market: Market,
    row: MarketStatus,
    before: dict[str, Any],
    after: dict[str, Any],
    at: datetime,
    actor: Actor,
) -> None:
    subject = subject_of(market, row.code)
    note_change(session, KIND, subject, at=at, user_id=actor.user_id, before=before, after=after)


def _said(names: Mapping[str, str]) -> dict[str, str]:
    return {language: name for language, name in names.items() if name}


def _problems(market: Market, names: Mapping[str, str]) -> dict[str, str]:
    """By `names.<language>`; the market's own must be there, the others fall back to it."""
    problems = {}
    for language, name in names.items():
        if len(name) > LONGEST_NAME:
            problems[f"names.{language}"] = _(
                "Shorten this to %(most)s characters or fewer.", most=LONGEST_NAME
            )
    if not names.get(market.default_language):
        problems[f"names.{market.default_language}"] = _(
            "Enter what it is called in %(language)s.",
            language=language_name(market.default_language),
        )
    return problems
