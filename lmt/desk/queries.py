"""What the desk shows: one dealer's leads, most urgent first, in a bounded number of queries."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from lmt.attributes import says
from lmt.lifecycle import CLOSED, WITH_DEALER, WORKED, Status
from lmt.models import (
    DealerTerms,
    Lead,
    Offer,
    PlannedAction,
)

PAGE_ROWS = 50
TABS = ("new", "due", "overdue", "mine", "all", "resting", "closed")

_HELD = ("open", "accepted")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the inbox. `until` is what runs next for it, None where nothing does."""

    lead: Lead
    distance_km: float | None
    until: datetime | None
    waits_for: str
    """What happens at `until`: `offer` (it moves on), a kind of plan, `promise`, or `rest`."""
    zone: str
    dealer: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of rows; `after` leads to the next one, None on the last."""

    rows: list[Row]
    counts: dict[str, int]
    after: str | None
    several_dealers: bool


def inbox(
    session: Session,
    *,
    tab: str,
    user_id: int,
    at: datetime,
    timezone: str,
    search: str = "",
    after: str = "",
) -> Inbox:
    """The leads of a tab that `session` may see. `after` is a former page's; nonsense is ignored.

    `timezone` says when today ends. A search looks through open and closed leads alike.
    """
    end_of_day = _end_of_day(at, timezone)
    dealt = Lead.dealer_id.is_not(None)
    conditions = {name: _condition(name, user_id, at, end_of_day) for name in TABS}
    counted = session.execute(
        select(*(func.count().filter(conditions[name]).label(name) for name in TABS))
        .select_from(Lead)
        .where(dealt)
    ).one()
    key, ascending = _order("all" if search else tab)
    listed = (
        select(Lead, Offer.expires_at, Offer.distance_km, key.label("key"))
        .outerjoin(Offer, and_(Offer.lead_id == Lead.id, Offer.state.in_(_HELD)))
        .options(joinedload(Lead.source), joinedload(Lead.owner), joinedload(Lead.brand))
        .where(*inbox_conditions(tab, search, user_id, at, timezone))
    )
    place = _place(after)
    here, there = tuple_(key, Lead.id), tuple_(*place) if place else None
    if there is not None:
        listed = listed.where(here > there if ascending else here < there)
    listed = listed.order_by(*(c if ascending else c.desc() for c in (key, Lead.id)))
    found_rows = session.execute(listed.limit(PAGE_ROWS + 1)).all()
    shown = found_rows[:PAGE_ROWS]
    leads = [lead for lead, *_rest in shown]
    plans = _next_plans(session, [lead.id for lead in leads])
    terms = terms_of_dealers(session, {lead.dealer_id for lead in leads}, at)
    last = shown[-1] if len(found_rows) > PAGE_ROWS else None
    return Inbox(
        rows=[
            _row(lead, expires_at, distance_km, plans.get(lead.id), terms, timezone)
            for lead, expires_at, distance_km, _key in shown
        ],
        counts=dict(zip(TABS, counted, strict=True)),
        after=f"{last[3].isoformat()}~{last[0].id}" if last and last[3] else None,
        several_dealers=len(terms) > 1,
    )


def inbox_conditions(
    tab: str, search: str, user_id: int, at: datetime, timezone: str
) -> list[ColumnElement[bool]]:
    """What the inbox asks of a lead: to be in the tab, or to fit the search where there is one."""
    asked = _matches(search) if search else _condition(tab, user_id, at, _end_of_day(at, timezone))
    return [Lead.dealer_id.is_not(None), asked]


def _row(
    lead: Lead,
    expires_at: datetime | None,
    distance_km: float | None,
    plan: PlannedAction | None,
    terms: dict[int, DealerTerms],
    timezone: str,
) -> Row:
    until, waits_for = _next_for(lead, expires_at, plan)
    dealer = terms.get(lead.dealer_id) if lead.dealer_id else None
    return Row(
        lead=lead,
        distance_km=distance_km,
        until=until,
        waits_for=waits_for,
        zone=dealer.timezone if dealer else timezone,
        dealer=dealer.name if dealer else "",
    )


def _next_for(
    lead: Lead, expires_at: datetime | None, plan: PlannedAction | None
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


def _condition(tab: str, user_id: int, at: datetime, end_of_day: datetime) -> ColumnElement[bool]:
    due = _due()
    worked = Lead.status.in_(sorted(WORKED))
    conditions: dict[str, ColumnElement[bool]] = {
        "new": Lead.status == Status.OFFERED,
        "due": and_(worked, due >= at, due < end_of_day),
        "overdue": and_(worked, due < at),
        "mine": and_(Lead.status.in_(sorted(WITH_DEALER)), Lead.owner_id == user_id),
        "all": Lead.status.in_(sorted(WITH_DEALER)),
        "resting": Lead.status == Status.RESTING,
        "closed": Lead.status.in_(sorted(CLOSED)),
    }
    return conditions.get(tab, false())


def _order(tab: str) -> tuple[ColumnElement[Any], bool]:
    """The instant that orders a tab, and whether the earliest comes first."""
    if tab == "new":
        return func.coalesce(Offer.expires_at, Lead.created_at), True
    if tab in {"due", "overdue"}:
        return _due(), True
    if tab == "resting":
        return func.coalesce(Lead.resting_until, Lead.created_at), True
    if tab == "closed":
        return func.coalesce(Lead.closed_at, Lead.created_at), False
    return func.coalesce(Lead.offered_at, Lead.created_at), False


def _due() -> ColumnElement[Any]:
    """The next planned action or the unkept promise, whichever is earlier."""
    plan = (
        select(func.min(PlannedAction.due_at))
        .where(PlannedAction.lead_id == Lead.id, PlannedAction.done_at.is_(None))
        .correlate(Lead)
        .scalar_subquery()
    )
    return func.least(plan, case((Lead.contacted_at.is_(None), Lead.promise_at)))


def _matches(search: str) -> ColumnElement[bool]:
    text = search.strip()
    columns = (Lead.full_name, Lead.company, Lead.email, Lead.reference, Lead.model)
    found = [column.icontains(text, autoescape=True) for column in columns]
    found.append(says(text))
    digits = "".join(c for c in text if c.isdecimal())
    if len(digits) >= 4 and all(c.isdecimal() or c in " +()-./" for c in text):
        plain = func.regexp_replace(Lead.phone, r"\D", "", "g")
        found.append(plain.contains(str(int(digits)), autoescape=True))
    return or_(*found)


def _next_plans(session: Session, lead_ids: list[uuid.UUID]) -> dict[uuid.UUID, PlannedAction]:
    if not lead_ids:
        return {}
    first: dict[uuid.UUID, PlannedAction] = {}
    for plan in session.scalars(
        select(PlannedAction)
        .where(PlannedAction.lead_id.in_(lead_ids), PlannedAction.done_at.is_(None))
        .order_by(PlannedAction.due_at)
    ):
        first.setdefault(plan.lead_id, plan)
    return first


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


def _end_of_day(at: datetime, timezone: str) -> datetime:
    zone = ZoneInfo(timezone)
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone)


def _place(after: str) -> tuple[datetime, uuid.UUID] | None:
    moment, _separator, lead_id = after.partition("~")
    try:
        return datetime.fromisoformat(moment), uuid.UUID(lead_id)
    except ValueError:
        return None
