"""The end of a dealer, or of one of its competences: planned with a date, then its open leads go to
a successor as they are, or are routed anew.

The worker carries it out, one lead in a transaction: killed midway, it goes on where it was.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from lmt.db import SessionFactory, wake
from lmt.lifecycle import WITH_DEALER
from lmt.models import (
    Brand,
    Competence,
    Dealer,
    DealerTerms,
    Handover,
    Lead,
    PlannedAction,
    Territory,
)
from lmt.passing import pass_on
from lmt.routing.directory import dealers_changed
from lmt.scope import SYSTEM, Actor, act_as

log = structlog.get_logger(__name__)

BATCH = 200


class EndRefused(ValueError):
    """An end that can't be planned so; `reason` is a code: past, no_way_on, unknown_dealer,
    unknown_brand, no_such_competence, unknown_successor, inactive_successor, same_dealer,
    successor_not_competent, planned_already."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class EndPreview:
    """What would move: open leads by status, their open plans; and why the successor named won't
    do, as a code of EndRefused ("" where it will, or none was named)."""

    leads: dict[str, int]
    plans: int
    problem: str

    @property
    def total(self) -> int:
        return sum(self.leads.values())


@dataclass(frozen=True, slots=True)
class _End:
    """What ends; without a brand the dealer itself, with all of its competences."""

    dealer: Dealer
    brand_id: int | None
    service: str
    competences: Sequence[Competence]


def preview_end(
    session: Session,
    dealer_code: str,
    at: datetime,
    brand: str | None = None,
    service: str = "",
    successor: str | None = None,
) -> EndPreview:
    """The open leads that the end would move, as they are now; nothing is written. `at` is the
    instant of the end, `brand` a brand's code.

    Raises EndRefused for a dealer, a brand or a competence that is not there.
    """
    end = _end(session, dealer_code, at, brand, service)
    problem = ""
    if successor is not None:
        try:
            _successor(session, end, successor, at)
        except EndRefused as refused:
            problem = refused.reason
    concerned = _concerned(end.dealer.id, end.brand_id, end.service)
    counts = session.execute(
        select(Lead.status, func.count(Lead.id).label("number"))
        .where(*concerned)
        .group_by(Lead.status)
    )
    leads = {row.status: row.number for row in counts}
    plans = session.scalars(
        select(func.count(PlannedAction.id)).where(
            PlannedAction.done_at.is_(None),
            PlannedAction.lead_id.in_(select(Lead.id).where(*concerned)),
        )
    ).one()
    return EndPreview(leads, plans, problem)


def plan_end(
    session: Session,
    dealer_code: str,
    *,
    ends_at: datetime,
    reason: str,
    at: datetime,
    actor: Actor,
    brand: str | None = None,
    service: str = "",
    successor: str | None = None,
    reroute: bool = False,
) -> Handover:
    """End the dealer, or its competence of `brand` and `service` ("" for all of the brand), at
    `ends_at`, and commit. From then on it gets no such lead, and its open ones move.

    Needs a successor, or `reroute` for routing each lead anew. Raises EndRefused.
    """
    if ends_at < at:
        raise EndRefused("past")
    if (successor is None) is not reroute:
        raise EndRefused("no_way_on")
    end = _end(session, dealer_code, ends_at, brand, service)
    to = None if successor is None else _successor(session, end, successor, ends_at)
    # Two who plan the same end at once: the second sees what the first planned.
    session.execute(
        select(Dealer.id).where(Dealer.id == end.dealer.id).with_for_update(key_share=True)
    )
    if _planned_already(session, end):
        raise EndRefused("planned_already")
    if end.brand_id is None:
        for model in (DealerTerms, Territory):
            _close(session, _reaching(session, model, end.dealer.id, ends_at), ends_at)
    _close(session, end.competences, ends_at)
    handover = Handover(
        dealer_id=end.dealer.id,
        brand_id=end.brand_id,
        service=service,
        at=ends_at,
        successor_id=None if to is None else to.id,
        reason=reason,
        author_id=actor.user_id,
        created_at=at,
    )
    session.add(handover)
    dealers_changed(session, at, [end.dealer.id])
    wake(session, "handovers")
    session.commit()
    return handover


def carry_out(sessions: SessionFactory, at: datetime) -> int:
    """Move the leads of ends whose time has come; returns how many leads were moved.

    A lead that can't be moved now is left for the next time, and holds up no other.
    """
    with act_as(sessions(), SYSTEM) as session:
        due = session.scalars(
            select(Handover)
            .where(Handover.done_at.is_(None), Handover.at <= at)
            .order_by(Handover.at, Handover.id)
        ).all()
    return sum(_carry_out(sessions, handover, at) for handover in due)


def _carry_out(sessions: SessionFactory, handover: Handover, at: datetime) -> int:
    concerned = _concerned(handover.dealer_id, handover.brand_id, handover.service)
    moved, last = 0, uuid.UUID(int=0)
    while True:
        with act_as(sessions(), SYSTEM) as session:
            batch = session.scalars(
                select(Lead.id).where(*concerned, Lead.id > last).order_by(Lead.id).limit(BATCH)
            ).all()
        if not batch:
            break
        moved += sum(_move(sessions, handover.id, lead_id, at) for lead_id in batch)
        last = batch[-1]
    with act_as(sessions(), SYSTEM) as session:
        if session.scalars(select(Lead.id).where(*concerned).limit(1)).first() is None:
            session.get_one(Handover, handover.id).done_at = at
            session.commit()
    return moved


def _move(sessions: SessionFactory, handover_id: int, lead_id: uuid.UUID, at: datetime) -> bool:
    try:
        with act_as(sessions(), SYSTEM) as session:
            handover = session.get_one(Handover, handover_id)
            concerned = _concerned(handover.dealer_id, handover.brand_id, handover.service)
            lead = session.scalars(
                select(Lead).where(Lead.id == lead_id, *concerned).with_for_update(of=Lead)
            ).first()
            if lead is None:
                return False  # answered, or moved by another worker, a moment ago
            pass_on(session, lead, handover, at)
            session.commit()
    except Exception:
        log.exception("handover.lead_failed", lead=str(lead_id))
        return False
    return True


def _end(
    session: Session, dealer_code: str, ends_at: datetime, brand_code: str | None, service: str
) -> _End:
    dealer = _dealer(session, dealer_code)
    if dealer is None:
        raise EndRefused("unknown_dealer")
    held: Sequence[Competence] = _reaching(session, Competence, dealer.id, ends_at)
    if brand_code is None:
        if service:
            raise EndRefused("unknown_brand")
        return _End(dealer, None, "", held)
    brand = session.scalars(select(Brand).where(Brand.code == brand_code)).first()
    if brand is None:
        raise EndRefused("unknown_brand")
    ending = [c for c in held if c.brand_id == brand.id and service in {"", c.service}]
    if not ending:
        raise EndRefused("no_such_competence")
    return _End(dealer, brand.id, service, ending)


def _successor(session: Session, end: _End, code: str, ends_at: datetime) -> Dealer:
    """The dealer that takes the leads over. Raises EndRefused where it can't."""
    successor = _dealer(session, code)
    if successor is None or successor.market_id != end.dealer.market_id:
        raise EndRefused("unknown_successor")
    if successor.id == end.dealer.id:
        raise EndRefused("same_dealer")
    terms = session.scalars(
        select(DealerTerms).where(
            DealerTerms.dealer_id == successor.id, DealerTerms.holds_at(ends_at)
        )
    ).first()
    if terms is None or not terms.active:
        raise EndRefused("inactive_successor")
    if end.brand_id is not None:
        offered = select(Competence.service).where(
            Competence.dealer_id == successor.id,
            Competence.brand_id == end.brand_id,
            Competence.holds_at(ends_at),
        )
        services = set(session.scalars(offered))
        if not {c.service for c in end.competences} <= services:
            raise EndRefused("successor_not_competent")
    return successor


def _concerned(dealer_id: int, brand_id: int | None, service: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        Lead.dealer_id == dealer_id,
        Lead.status.in_(sorted(WITH_DEALER)),
    ]
    if brand_id is not None:
        conditions.append(Lead.brand_id == brand_id)
        if service:
            conditions.append(Lead.service == service)
    return conditions


def _reaching(session: Session, model: Any, dealer_id: int, at: datetime) -> Sequence[Any]:
    """The rows of the dealer that hold at `at` or later."""
    later = or_(func.upper(model.valid).is_(None), func.upper(model.valid) > at)
    return session.scalars(select(model).where(model.dealer_id == dealer_id, later)).all()


def _close(session: Session, rows: Sequence[Any], at: datetime) -> None:
    for row in rows:
        if row.valid.lower is not None and row.valid.lower >= at:
            session.delete(row)  # it would only have begun
        else:
            row.end(at)


def _planned_already(session: Session, end: _End) -> bool:
    planned = session.scalars(
        select(Handover).where(Handover.dealer_id == end.dealer.id, Handover.done_at.is_(None))
    )
    return any(
        other.brand_id is None
        or end.brand_id is None
        or (
            other.brand_id == end.brand_id
            and ("" in {other.service, end.service} or other.service == end.service)
        )
        for other in planned
    )


def _dealer(session: Session, code: str) -> Dealer | None:
    return session.scalars(select(Dealer).where(Dealer.code == code)).first()
