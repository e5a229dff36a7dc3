"""What the pages of the quarantine ask of the database: in scope, bounded, without the bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload, load_only

from lmt.db import uuid7_floor
from lmt.models import Intake, Source

PAGE_ROWS = 50
STATUSES = ("quarantined", "dismissed")
DISMISSED_WITHIN = timedelta(weeks=4)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of the list; "" for all. `since` is a day of the reader's."""

    source: str = ""
    cause: str = ""
    since: date | None = None
    status: str = "quarantined"

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Wanted:
        """As an address asks; what can't be is dropped, never an error."""
        source, cause, status = (
            args.get(name, "").strip()[:100] for name in ("source", "cause", "status")
        )
        wanted = cls(source, cause, status=status if status in STATUSES else "quarantined")
        try:
            return replace(wanted, since=date.fromisoformat(args.get("since", "")))
        except ValueError:
            return wanted

    def address(self) -> dict[str, Any]:
        """What to put in a link to the same list."""
        named = {
            "source": self.source,
            "cause": self.cause,
            "since": self.since.isoformat() if self.since else "",
            "status": self.status if self.status != "quarantined" else "",
        }
        return {name: value for name, value in named.items() if value}

    def since_at(self, timezone: str) -> datetime | None:
        """The beginning of the day on the reader's wall clock."""
        if self.since is None:
            return None
        return datetime.combine(self.since, time(), ZoneInfo(timezone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Group:
    """Deliveries of one source that wait for one cause."""

    code: str
    name: str
    kind: str
    cause: str
    number: int
    last_at: datetime


MOST_GROUPS = 50


def groups(session: Session) -> list[Group]:
    """What waits, by source and cause, the largest first."""
    cause = func.coalesce(Intake.problem["code"].as_string(), "")
    number = func.count()
    found = session.execute(
        select(Source.code, Source.name, Source.kind, cause, number, func.max(Intake.received_at))
        .join(Source, Source.id == Intake.source_id)
        .where(Intake.status == "quarantined")
        .group_by(Source.code, Source.name, Source.kind, cause)
        .order_by(number.desc(), Source.name, cause)
        .limit(MOST_GROUPS)
    )
    return [Group(*row) for row in found]


def deliveries(
    session: Session,
    at: datetime,
    *,
    source: str = "",
    cause: str = "",
    since: datetime | None = None,
    status: str = "quarantined",
    after: Any = None,
    rows: int = PAGE_ROWS,
) -> list[Intake]:
    """Deliveries that could not be read, newest first, without their bytes; one more than a page
    where there are more. Dismissed ones of the last `DISMISSED_WITHIN`."""
    statement = (
        select(Intake)
        .options(
            load_only(
                Intake.received_at,
                Intake.content_type,
                Intake.problem,
                Intake.source_id,
                Intake.status,
                Intake.times,
            ),
            joinedload(Intake.source),
        )
        .where(*conditions(at, source=source, cause=cause, since=since, status=status))
        .order_by(Intake.id.desc())
        .limit(rows + 1)
    )
    if after is not None:
        statement = statement.where(Intake.id < after)
    return list(session.scalars(statement))


def conditions(
    at: datetime,
    *,
    source: str = "",
    cause: str = "",
    since: datetime | None = None,
    status: str = "quarantined",
) -> list[ColumnElement[bool]]:
    """What the filters of the list ask of a delivery."""
    if status != "quarantined":
        # No index knows them: a day's hundred thousand must not be read through for a few.
        since = max(since or at - DISMISSED_WITHIN, at - DISMISSED_WITHIN)
    asked = [Intake.status == status]
    if source:
        asked.append(Intake.source_id.in_(select(Source.id).where(Source.code == source)))
    if cause:
        asked.append(Intake.problem["code"].as_string() == cause)
    if since is not None:
        asked.append(Intake.id >= uuid7_floor(since))
    return asked
