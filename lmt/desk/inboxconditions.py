"""What the desk's lists ask of a lead, and by what they are in order, as SQL.

Plans and offers are read from their bare tables, tied to the lead's own dealer: the lead is what
the actor's part of the world is applied to, and asking it of each of them again costs most of the
time of a list.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, false, func, literal, select, union_all
from sqlalchemy.orm import Session

from lmt.attributes import says
from lmt.desk.inboxfilter import NOBODY, InboxFilter
from lmt.lifecycle import CLOSED, WITH_DEALER, WORKED, Status
from lmt.models import Dealer, Lead, Offer, PlannedAction, Source
from lmt.search import found_by

HELD = ("open", "accepted")
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
_FARTHEST_KM = 1e9
_plan, _offer = PlannedAction.__table__.c, Offer.__table__.c


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the list and when; `timezone` says when their day ends."""

    user_id: int
    at: datetime
    timezone: str

    @property
    def end_of_day(self) -> datetime:
        zone = ZoneInfo(self.timezone)
        tomorrow = self.at.astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), zone)


def conditions(wanted: InboxFilter, reader: Reader) -> list[ColumnElement[bool]]:
    """To fit the search, else to be in the tab; and every filter."""
    place = _found(wanted.search) if wanted.search else tab_condition(wanted.tab, reader)
    return [Lead.dealer_id.is_not(None), place, *_filtered(wanted, reader.timezone)]


def tab_condition(tab: str, reader: Reader) -> ColumnElement[bool]:
    worked = Lead.status.in_(sorted(WORKED))
    by_tab: Mapping[str, ColumnElement[bool]] = {
        "new": Lead.status == Status.OFFERED,
        "due": and_(worked, due() >= reader.at, due() < reader.end_of_day),
        "overdue": and_(worked, due() < reader.at),
        "mine": and_(Lead.status.in_(sorted(WITH_DEALER)), Lead.owner_id == reader.user_id),
        "all": Lead.status.in_(sorted(WITH_DEALER)),
        "resting": Lead.status == Status.RESTING,
        "closed": Lead.status.in_(sorted(CLOSED)),
    }
    return by_tab.get(tab, false())


def due() -> ColumnElement[Any]:
    """The next planned action or the unkept promise, whichever is earlier."""
    plan = (
        select(func.min(_plan.due_at))
        .where(_plan.lead_id == Lead.id, _plan.dealer_id == Lead.dealer_id, _plan.done_at.is_(None))
        .correlate(Lead)
        .scalar_subquery()
    )
    return func.least(plan, case((Lead.contacted_at.is_(None), Lead.promise_at)))


def order(wanted: InboxFilter) -> tuple[ColumnElement[Any], bool]:
    """What orders the list, never NULL, and whether the least comes first; the id decides then."""
    if wanted.sort == "oldest":
        return Lead.created_at.expression, True
    if wanted.sort == "name":
        named = func.nullif(func.concat(Lead.full_name, Lead.company), "")
        return func.lower(func.coalesce(named, Lead.phone, Lead.email)), True
    if wanted.sort == "distance":
        return func.coalesce(_of_offer(_offer.distance_km), literal(_FARTHEST_KM)), True
    if wanted.sort == "newest" or wanted.search:
        return Lead.created_at.expression, False
    return _urgency(wanted.tab)


def _urgency(tab: str) -> tuple[ColumnElement[Any], bool]:
    expires_at = _of_offer(_offer.expires_at)
    if tab == "new":
        return func.coalesce(expires_at, Lead.created_at), True
    if tab in {"due", "overdue"}:
        return due(), True
    if tab == "resting":
        return func.coalesce(Lead.resting_until, Lead.created_at), True
    if tab == "closed":
        return func.coalesce(Lead.closed_at, Lead.created_at), False
    next_at = case(
        (Lead.status == Status.OFFERED, expires_at),
        (Lead.status == Status.RESTING, Lead.resting_until),
        else_=due(),
    )
    return func.coalesce(next_at, literal(_END_OF_TIME)), True


def _of_offer(column: Any) -> ColumnElement[Any]:
    """Of the offer by which the lead's dealer holds it; there is one at most."""
    return (
        select(column)
        .where(
            _offer.lead_id == Lead.id,
            _offer.dealer_id == Lead.dealer_id,
            _offer.state.in_(HELD),
        )
        .correlate(Lead)
        .scalar_subquery()
    )


def _found(search: str) -> ColumnElement[bool]:
    """By a union, not an OR: each way has an index of its own."""
    ways = (found_by(search), says(search))
    return Lead.id.in_(union_all(*(select(Lead.id).where(way).correlate(None) for way in ways)))


def _filtered(wanted: InboxFilter, timezone: str) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    if wanted.request_type:
        asked.append(Lead.request_type == wanted.request_type)
    if wanted.model:
        asked.append(Lead.model.icontains(wanted.model, autoescape=True))
    if wanted.dealer:
        asked.append(Lead.dealer_id.in_(select(Dealer.id).where(Dealer.code == wanted.dealer)))
    if wanted.source:
        asked.append(Lead.source_id.in_(select(Source.id).where(Source.code == wanted.source)))
    if wanted.status:
        asked.append(Lead.status == wanted.status)
    if wanted.market_status:
        asked.append(Lead.market_status == wanted.market_status)
    if wanted.assignee:
        nobody = wanted.assignee == NOBODY
        asked.append(Lead.owner_id.is_(None) if nobody else Lead.owner_id == int(wanted.assignee))
    if wanted.band:
        asked.append(Lead.band == wanted.band)
    since, before = wanted.received(timezone)
    if since is not None:
        asked.append(Lead.created_at >= since)
    if before is not None:
        asked.append(Lead.created_at < before)
    return asked


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the next one begins after it."""

    key: datetime | float | str
    lead_id: uuid.UUID

    def __str__(self) -> str:
        key = self.key.isoformat() if isinstance(self.key, datetime) else str(self.key)
        return f"{self.lead_id}~{key}"


def place(text: str, sort: str) -> Place | None:
    """What `str(Place)` wrote in a list of that sort; None for anything else."""
    lead_id, _separator, key = text.partition("~")
    try:
        return Place(_key(key, sort), uuid.UUID(lead_id))
    except ValueError:
        return None


def _key(text: str, sort: str) -> datetime | float | str:
    if sort == "name":
        return text
    if sort == "distance":
        return float(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant has a zone")
    return moment


def open_counts(session: Session, reader: Reader, tabs: tuple[str, ...]) -> dict[str, int]:
    """How many leads each of these tabs of open leads holds, in one walk over the open ones."""
    counted = session.execute(
        select(*(func.count().filter(tab_condition(tab, reader)) for tab in tabs))
        .select_from(Lead)
        .where(Lead.dealer_id.is_not(None), Lead.status.in_(sorted(WITH_DEALER)))
    ).one()
    return dict(zip(tabs, counted, strict=True))
