"""What sources delivered, whether or not it could be read, and when they last did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, false, func, or_, select
from sqlalchemy.orm import Session

from lmt.db import uuid7_floor
from lmt.models import Intake, Market, Source
from lmt.reports.enrich.spread import NOT_TOLD, Cells, can_tell, spread
from lmt.reports.keys import markets_in_sight
from lmt.reports.question import Question

EXTRAS = frozenset({"deliveries", "quarantined", "delivery_days", "delivery_sources"})
COLUMNS = ("market_id", "source_id", "channel")


def fill_deliveries(
    session: Session,
    question: Question,
    cells: Cells,
    at: datetime,
    currency: str,
    week_start: int,
) -> tuple[str, ...]:
    """By source, channel and market: who could not be read has no car and no region."""
    if not can_tell(question, COLUMNS):
        return (NOT_TOLD,)
    spread(session, question, cells, _rows(session, question, at), week_start=week_start)
    return ()


def bounds(first: date, last: date, timezone: str) -> tuple[datetime, datetime]:
    """From the midnight of the first day until that after the last, on the wall of `timezone`."""
    zone = ZoneInfo(timezone)
    since = datetime.combine(first, time(), zone)
    until = datetime.combine(last + timedelta(days=1), time(), zone)
    return since.astimezone(UTC), until.astimezone(UTC)


def _rows(
    session: Session, question: Question, at: datetime
) -> Iterator[tuple[Mapping[str, Any], dict[str, float]]]:
    """Of each source in sight that delivered in the period, or is active and did not."""
    sources = session.execute(
        select(Source.id, Source.market_id, Source.kind, Source.active, Market.timezone)
        .join(Market, Market.id == Source.market_id)
        .where(Market.id.in_(markets_in_sight(session)))
    ).all()
    zones = defaultdict(list)
    for source in sources:
        zones[source.timezone].append(source.id)
    in_period = []
    for timezone, ids in zones.items():
        since_at, until_at = bounds(question.first, question.last, timezone)
        # Ids begin with their instant, so the index on (source, id) has the period in one piece.
        in_period.append(
            and_(
                Intake.source_id.in_(ids),
                Intake.id >= uuid7_floor(since_at),
                Intake.id < uuid7_floor(until_at),
            )
        )
    counted = session.execute(
        select(
            Intake.source_id,
            func.count().label("deliveries"),
            func.count().filter(Intake.status == "quarantined").label("quarantined"),
            func.max(Intake.received_at).label("last_at"),
        )
        .where(or_(false(), *in_period))
        .group_by(Intake.source_id)
    )
    delivered = {row.source_id: row for row in counted}
    for source in sources:
        found = delivered.get(source.id)
        values = {
            "market_id": source.market_id,
            "source_id": source.id,
            "channel": source.kind,
        }
        if found is not None:
            yield (
                values,
                {
                    "deliveries": float(found.deliveries),
                    "quarantined": float(found.quarantined),
                    "delivery_days": (at - found.last_at) / timedelta(days=1),
                    "delivery_sources": 1.0,
                },
            )
        elif source.active:
            yield values, {"deliveries": 0.0, "quarantined": 0.0}
