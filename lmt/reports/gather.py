"""Reads all that is stored of many leads and that reports count, in a bounded number of statements.

Plain columns, no objects of the ORM: a million leads pass through here one batch after another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, any_, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lmt.models import (
    Customer,
    Feedback,
    Lead,
    Market,
    Offer,
    Outcome,
    PlannedAction,
    Reply,
    RoutingDecision,
    Sale,
    Source,
    Verdict,
)
from lmt.reports.histories import (
    History,
    LeadRow,
    OfferRow,
    OutcomeRow,
    PlanRow,
    SaleRow,
    VerdictRow,
    holding_offer,
)
from lmt.reports.pasthours import PastHours
from lmt.reports.shares import DecisionRow

_OTHERS: dict[str, Any] = {
    "timezone": Market.timezone,
    "currency": Market.currency,
    "channel": Source.kind,
    "customer_kind": Customer.kind,
}
_TURNS = ("nearest", "territory")
"""How decisions come about that are a turn of the fair-share ledger."""


@dataclass(slots=True)
class Gathered:
    """Histories of the leads that are still stored, and their decisions that led to offers."""

    histories: list[History] = field(default_factory=list)
    decisions: dict[UUID, list[DecisionRow]] = field(default_factory=dict)


def gathered(session: Session, lead_ids: Sequence[UUID], hours: PastHours) -> Gathered:
    """All of these leads, in at most thirteen statements; `hours` learns the dealers in them."""
    if not lead_ids:
        return Gathered()
    columns: list[ColumnElement[Any]] = [
        _OTHERS[name] if name in _OTHERS else getattr(Lead, name) for name in LeadRow._fields
    ]
    found = session.execute(
        select(*columns)
        .join(Market, Market.id == Lead.market_id)
        .join(Source, Source.id == Lead.source_id)
        .join(Customer, Customer.id == Lead.customer_id)
        .where(_among(Lead.id, lead_ids))
    )
    histories = {row[0]: History(LeadRow._make(row)) for row in found}
    for lead_id, rows in _rows(session, OfferRow, Offer, lead_ids, Offer.offered_at, Offer.id):
        histories[lead_id].offers = rows
    for lead_id, rows in _rows(session, PlanRow, PlannedAction, lead_ids, PlannedAction.id):
        histories[lead_id].plans = rows
    for lead_id, rows in _rows(session, VerdictRow, Verdict, lead_ids, Verdict.at, Verdict.id):
        histories[lead_id].verdicts = rows
    for lead_id, rows in _rows(session, OutcomeRow, Outcome, lead_ids):
        histories[lead_id].outcome = rows[0]
    for lead_id, rows in _rows(session, SaleRow, Sale, lead_ids):
        histories[lead_id].sale = rows[0]
    told = select(Feedback.lead_id, Feedback.score).where(_among(Feedback.lead_id, lead_ids))
    for lead_id, score in session.execute(told):
        histories[lead_id].score = score
    wrote = select(Reply.lead_id).where(_among(Reply.lead_id, lead_ids)).distinct()
    for lead_id in session.scalars(wrote):
        histories[lead_id].replied = True
    decisions = _decisions(session, lead_ids)
    _learn_hours(session, histories.values(), decisions, hours)
    return Gathered(list(histories.values()), decisions)


def _among(column: Any, ids: Sequence[UUID]) -> ColumnElement[bool]:
    """As `in_`, by one parameter: a thousand would take longer to write down than to answer."""
    found: ColumnElement[bool] = column == any_(literal(list(ids), ARRAY(Uuid)))
    return found


def _rows(
    session: Session,
    shape: Any,
    model: Any,
    lead_ids: Sequence[UUID],
    *order: InstrumentedAttribute[Any],
) -> Iterable[tuple[UUID, tuple[Any, ...]]]:
    """The rows of `model` by lead, each as a `shape`, whose fields are its columns."""
    columns: list[ColumnElement[Any]] = [getattr(model, name) for name in shape._fields]
    wanted: Select[Any] = select(model.lead_id, *columns).where(_among(model.lead_id, lead_ids))
    found: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in session.execute(wanted.order_by(*order)):
        found[row[0]].append(shape._make(row[1:]))
    return [(lead_id, tuple(rows)) for lead_id, rows in found.items()]


def _decisions(session: Session, lead_ids: Sequence[UUID]) -> dict[UUID, list[DecisionRow]]:
    decision = RoutingDecision
    wanted = (
        select(decision.id, decision.lead_id, decision.at, decision.result, Offer.state)
        .join(Offer, Offer.decision_id == decision.id)
        .where(_among(decision.lead_id, lead_ids), decision.result["how"].astext.in_(_TURNS))
        .order_by(decision.at, decision.id)
    )
    found: defaultdict[UUID, list[DecisionRow]] = defaultdict(list)
    for row in session.execute(wanted):
        found[row[1]].append(DecisionRow._make(row))
    return found


def _learn_hours(
    session: Session,
    histories: Iterable[History],
    decisions: dict[UUID, list[DecisionRow]],
    hours: PastHours,
) -> None:
    holding = {}
    for history in histories:
        offer = holding_offer(history.lead, history.offers)
        if offer is not None:
            holding[history.lead.id] = history, offer
    refused = {
        refusal["id"]
        for each in decisions.values()
        for decision in each
        for refusal in decision.result.get("refused", ())
        if refusal.get("id") is not None
    }
    hours.read(session, refused | {offer.dealer_id for _history, offer in holding.values()})
    for history, offer in holding.values():
        history.calendar = hours.calendar(offer.dealer_id, offer.offered_at)
