"""The lines of the desk's lists: a lead with what runs for it, whatever list it stands in."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, joinedload

from lmt.desk.inboxconditions import HELD
from lmt.lifecycle import WORKED, Status
from lmt.models import DealerTerms, Lead, Offer, PlannedAction

_plan, _offer = PlannedAction.__table__.c, Offer.__table__.c


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a list. `until` is what runs next for it, None where nothing does."""

    lead: Lead
    distance_km: float | None
    until: datetime | None
    waits_for: str
    """What happens at `until`: `offer` (it moves on), a kind of plan, `promise`, or `rest`."""
    zone: str
    dealer: str


@dataclass(frozen=True, slots=True)
class _Step:
    due_at: datetime
    kind: str


def rows_of(
    session: Session, lead_ids: Sequence[uuid.UUID], at: datetime, timezone: str
) -> list[Row]:
    """The lines of these leads, in this order; those that went meanwhile are left out.

    Three statements, however many there are. `timezone` is the reader's, for leads whose dealer
    has ended.
    """
    if not lead_ids:
        return []
    found = {
        lead.id: (lead, expires_at, distance_km)
        for lead, expires_at, distance_km in session.execute(
            select(Lead, _offer.expires_at, _offer.distance_km)
            .outerjoin(
                Offer.__table__,
                and_(
                    _offer.lead_id == Lead.id,
                    _offer.dealer_id == Lead.dealer_id,
                    _offer.state.in_(HELD),
                ),
            )
            .where(Lead.id.in_(lead_ids))
            .options(joinedload(Lead.source), joinedload(Lead.owner), joinedload(Lead.brand))
        )
    }
    plans = _next_plans(session, {id: lead.dealer_id for id, (lead, *_rest) in found.items()})
    terms = terms_of_dealers(session, {lead.dealer_id for lead, *_rest in found.values()}, at)
    rows = []
    for lead, expires_at, distance_km in (found[id] for id in lead_ids if id in found):
        until, waits_for = _next_for(lead, expires_at, plans.get(lead.id))
        dealer = terms.get(lead.dealer_id or 0)
        rows.append(
            Row(
                lead=lead,
                distance_km=distance_km,
                until=until,
                waits_for=waits_for,
                zone=dealer.timezone if dealer else timezone,
                dealer=dealer.name if dealer else "",
            )
        )
    return rows


def terms_of_dealers(
    session: Session, dealer_ids: Iterable[int | None], at: datetime
) -> dict[int, DealerTerms]:
    """What these dealers are at `at`, by their id."""
    wanted = [dealer_id for dealer_id in dealer_ids if dealer_id is not None]
    if not wanted:
        return {}
    rows = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id.in_(wanted), DealerTerms.holds_at(at))
    )
    return {row.dealer_id: row for row in rows}


def _next_plans(session: Session, dealer_of: dict[uuid.UUID, int | None]) -> dict[uuid.UUID, _Step]:
    first: dict[uuid.UUID, _Step] = {}
    for lead_id, dealer_id, due_at, kind in session.execute(
        select(_plan.lead_id, _plan.dealer_id, _plan.due_at, _plan.kind)
        .where(_plan.lead_id.in_(dealer_of), _plan.done_at.is_(None))
        .order_by(_plan.due_at, _plan.id)
    ):
        if dealer_of[lead_id] == dealer_id:
            first.setdefault(lead_id, _Step(due_at, kind))
    return first


def _next_for(
    lead: Lead, expires_at: datetime | None, plan: _Step | None
) -> tuple[datetime | None, str]:
    """What runs for a lead, the earliest of what there is."""
    if lead.status == Status.OFFERED:
        return expires_at, "offer"
    if lead.status == Status.RESTING:
        return lead.resting_until, "rest"
    if lead.status not in WORKED:
        return None, ""
    waiting: list[tuple[datetime, str]] = []
    if plan is not None:
        waiting.append((plan.due_at, plan.kind))
    if lead.contacted_at is None and lead.promise_at is not None:
        waiting.append((lead.promise_at, "promise"))
    return min(waiting, default=(None, ""))
