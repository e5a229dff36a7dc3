"""Reads past leads as they were known at their first decision, and what their dealers had received
by then. Rows, never objects; nothing is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.orm import Session

from lmt.models import Dealer, Lead, Offer, RoutingDecision, Source
from lmt.replay.cases import Case
from lmt.replay.question import Question
from lmt.routing.candidate import LeadFacts, Load
from lmt.routing.decision import Decision
from lmt.routing.network import Network

_READ_AT_ONCE = 5_000
_DAYS_COUNTED = timedelta(days=32)
"""A month, wherever the dealer is."""


def cases_of(session: Session, question: Question) -> list[Case]:
    """All leads of the market and period that routing decided, in the order of the decisions.

    Test leads are left out, and leads that a person gave away before any rule did.
    """
    decision = (
        select(RoutingDecision.id, RoutingDecision.at, RoutingDecision.inputs)
        .where(
            RoutingDecision.lead_id == Lead.id,
            RoutingDecision.result["how"].astext.is_distinct_from("by_hand"),
        )
        .order_by(RoutingDecision.at, RoutingDecision.id)
        .limit(1)
        .lateral()
    )
    rows = session.execute(
        select(
            Lead.reference,
            decision.c.at,
            decision.c.inputs,
            Offer.dealer_id,
            Dealer.code,
            Offer.state,
            Offer.offered_at,
            Offer.closed_at,
            Lead.contacted_at,
            Lead.closed_at.label("lead_closed_at"),
            Lead.request_type,
            Source.code.label("source"),
        )
        .select_from(Lead)
        .join(decision, true())
        .join(Source, Source.id == Lead.source_id)
        .outerjoin(Offer, and_(Offer.lead_id == Lead.id, Offer.decision_id == decision.c.id))
        .outerjoin(Dealer, Dealer.id == Offer.dealer_id)
        .where(
            Lead.market_id == question.market_id,
            Lead.created_at >= question.from_at,
            Lead.created_at < question.to_at,
            Lead.test.is_(False),
        )
        .execution_options(yield_per=_READ_AT_ONCE)
    )
    cases = [_case(row, question) for row in rows]
    cases.sort(key=lambda case: (case.at, case.reference))
    return cases


def _case(row: Any, question: Question) -> Case:
    lead = _facts(row.inputs)
    return Case(
        reference=row.reference,
        at=row.at,
        lead=lead,
        dealer_id=row.dealer_id,
        answered_at=_answered_at(row),
        closed_at=row.lead_closed_at,
        counted=(
            _is_wanted(question.request_types, row.request_type)
            and _is_wanted(question.brands, lead.brand)
            and _is_wanted(question.bands, lead.band)
            and _is_wanted(question.sources, row.source)
            and _is_wanted(question.dealers, row.code)
        ),
    )


def _facts(inputs: dict[str, Any]) -> LeadFacts:
    plain = {"at": inputs["asked_at"], "policy_version": 0, "lead": inputs}
    return Decision.from_json(plain).lead


def _answered_at(row: Any) -> datetime | None:
    """When the dealer took the lead; where it was assigned at once, when it was in touch."""
    if row.state != "accepted":
        return None
    assigned = row.closed_at == row.offered_at
    answered_at: datetime | None = row.contacted_at if assigned else row.closed_at
    return answered_at


def _is_wanted(wanted: Sequence[str], value: str | None) -> bool:
    return not wanted or value in wanted


def loads_at(session: Session, market_id: int, at: datetime, network: Network) -> dict[int, Load]:
    """What each dealer had received just before `at`, counted from its offers."""
    held = or_(
        and_(Offer.state == "accepted", or_(Lead.closed_at.is_(None), Lead.closed_at > at)),
        and_(Offer.state != "accepted", or_(Offer.closed_at.is_(None), Offer.closed_at > at)),
    )
    before = (Dealer.market_id == market_id, Offer.offered_at < at, Lead.test.is_(False))
    totals = session.execute(
        select(Offer.dealer_id, func.count(), func.count().filter(held))
        .join(Lead, Lead.id == Offer.lead_id)
        .join(Dealer, Dealer.id == Offer.dealer_id)
        .where(*before)
        .group_by(Offer.dealer_id)
    ).all()
    lately = session.execute(
        select(Offer.dealer_id, Offer.offered_at)
        .join(Lead, Lead.id == Offer.lead_id)
        .join(Dealer, Dealer.id == Offer.dealer_id)
        .where(*before, Offer.offered_at >= at - _DAYS_COUNTED)
        .execution_options(yield_per=_READ_AT_ONCE)
    )
    days: defaultdict[int, int] = defaultdict(int)
    months: defaultdict[int, int] = defaultdict(int)
    zones: dict[str, tuple[ZoneInfo, date]] = {}
    for dealer_id, offered_at in lately:
        dealer = network.by_id(dealer_id)
        if dealer is None:
            continue
        timezone = dealer.calendar.timezone
        if timezone not in zones:
            zone = ZoneInfo(timezone)
            zones[timezone] = zone, at.astimezone(zone).date()
        zone, today = zones[timezone]
        day = offered_at.astimezone(zone).date()
        days[dealer_id] += day == today
        months[dealer_id] += (day.year, day.month) == (today.year, today.month)
    return {
        dealer_id: Load(days[dealer_id], months[dealer_id], still_open, received)
        for dealer_id, received, still_open in totals
    }
