"""How the sources fare: counted from deliveries, shown to headquarters, and watched by the worker.

A source that falls silent or fails is an alert until it brings leads again; its market's
headquarters gets one mail at the beginning and one at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Exists, Integer, Uuid, column, func, or_, select, text, true, values
from sqlalchemy.orm import Session, joinedload

from lmt.db import SessionFactory, uuid7_floor
from lmt.ingest.health import (
    ALARMING,
    FAILURES_WITHIN,
    LONGEST_LOOK,
    USUAL,
    Failure,
    Health,
    Past,
    health,
)
from lmt.ingest.replaying import ask_for_left_behind
from lmt.models import (
    Campaign,
    Intake,
    Lead,
    Market,
    Outage,
    Retrieval,
    Source,
    SourceAlert,
    SourceRefusal,
)
from lmt.notify.sourcealerts import tell_source_alert, tell_source_back
from lmt.publicholidays import holidays_of
from lmt.scope import SYSTEM, act_as

log = structlog.get_logger(__name__)

CALM = timedelta(hours=6)
"""A source that failed is well again once nothing failed for so long."""
_MILLISECOND = timedelta(milliseconds=1)
_ONE_WATCHES = text("SELECT pg_try_advisory_xact_lock(7240721)")


def health_of(session: Session, sources: Iterable[Source], at: datetime) -> dict[int, Health]:
    """How each of the sources fares, by its id, in a fixed number of queries."""
    pasts = pasts_of(session, sources, at)
    return {source_id: health(past, at) for source_id, past in pasts.items()}


def pasts_of(session: Session, sources: Iterable[Source], at: datetime) -> dict[int, Past]:
    """What `health` judges by."""
    rows = {source.id: source for source in sources}
    if not rows:
        return {}
    last = _last_accepted(session, rows)
    accepted = _accepted(session, last)
    failures = _failures(session, rows, at)
    terms = _terms(session, rows)
    away = _away(session, at)
    return {
        source_id: Past(
            zone=terms[source_id].timezone,
            active=source.active,
            paused_at=source.paused_at,
            ends_on=terms[source_id].ends_on,
            last_at=last.get(source_id),
            accepted=accepted[source_id],
            failures=failures[source_id],
            days_off=_days_off(terms[source_id].desk_country, last.get(source_id), at),
            away=away,
        )
        for source_id, source in rows.items()
    }


def open_alerts(session: Session, source_ids: Collection[int]) -> dict[int, list[SourceAlert]]:
    """The alerts that go on, by source."""
    found: dict[int, list[SourceAlert]] = defaultdict(list)
    alerts = select(SourceAlert).where(
        SourceAlert.source_id.in_(source_ids), SourceAlert.ended_at.is_(None)
    )
    for alert in session.scalars(alerts.order_by(SourceAlert.began_at, SourceAlert.id)):
        found[alert.source_id].append(alert)
    return found


def watch(sessions: SessionFactory, at: datetime) -> int:
    """Look at every source: begin and end alerts, and tell headquarters; how many changed. What
    was left behind while one was paused is asked for.

    Where another worker looks just now, nothing.
    """
    with act_as(sessions(), SYSTEM) as session:
        if not session.scalar(_ONE_WATCHES):
            return 0
        sources = session.scalars(
            select(Source)
            .where(or_(Source.active, Source.id.in_(_with_alert())))
            .options(joinedload(Source.market))
            .order_by(Source.id)
        ).all()
        pasts = pasts_of(session, sources, at)
        alerts = open_alerts(session, pasts.keys())
        changed = sum(
            _look_at(session, source, pasts[source.id], alerts[source.id], at) for source in sources
        )
        ask_for_left_behind(session, at)
        session.commit()
    if changed:
        log.info("sources.watched", changed=changed)
    return changed


def _look_at(
    session: Session, source: Source, past: Past, alerts: Sequence[SourceAlert], at: datetime
) -> int:
    now = health(past, at)
    changed = 0
    for alert in alerts:
        if alert.kind == now.state or (alert.kind == "failing" and not _is_calm(past, now, at)):
            continue
        alert.ended_at = at
        changed += 1
        session.flush()
        if now.state not in ALARMING and past.last_at and past.last_at > _heard_before(alert):
            tell_source_back(session, alert, source.market, at)
    if now.state in ALARMING and not any(alert.kind == now.state for alert in alerts):
        alert = SourceAlert(
            source_id=source.id, kind=now.state, began_at=at, facts=_facts_of(past, now)
        )
        session.add(alert)
        session.flush()
        tell_source_alert(session, alert, source.market, at)
        changed += 1
    return changed


def _is_calm(past: Past, now: Health, at: datetime) -> bool:
    """A source that takes one lead and refuses the next would else come and go all day."""
    if now.state in {"paused", "retired"}:
        return True
    lately = [each.last_at for each in past.failures]
    return not lately or max(lately) <= at - CALM


def _heard_before(alert: SourceAlert) -> datetime:
    """The last delivery of which the alert knew; its beginning, where there was none."""
    told = alert.facts.get("last_at")
    return datetime.fromisoformat(told) if told else alert.began_at


def _facts_of(past: Past, now: Health) -> dict[str, Any]:
    return {
        "since": now.since.isoformat() if now.since else None,
        "last_at": past.last_at.isoformat() if past.last_at else None,
        "per_day": now.per_day,
        "failures": dict(now.failures),
    }


def _with_alert() -> Any:
    return select(SourceAlert.source_id).where(SourceAlert.ended_at.is_(None)).scalar_subquery()


def _is_test() -> Exists:
    """What somebody sent to try the source tells nothing of what it brings."""
    return select(Lead.id).where(Lead.intake_id == Intake.id, Lead.test).exists()


def _last_accepted(session: Session, source_ids: Collection[int]) -> dict[int, datetime]:
    latest = (
        select(Intake.received_at)
        .where(Intake.source_id == Source.id, Intake.status == "accepted", ~_is_test())
        .order_by(Intake.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = session.execute(select(Source.id, latest).where(Source.id.in_(source_ids)))
    return {source_id: last_at for source_id, last_at in found if last_at is not None}


def _accepted(
    session: Session, last: Mapping[int, datetime]
) -> defaultdict[int, dict[datetime, int]]:
    """Deliveries by source and hour, over `USUAL` up to each source's last."""
    counts: defaultdict[int, dict[datetime, int]] = defaultdict(dict)
    if not last:
        return counts
    span = values(
        column("source_id", Integer), column("since", Uuid), column("until", Uuid), name="span"
    ).data(
        [
            (source_id, uuid7_floor(last_at - USUAL), uuid7_floor(last_at + _MILLISECOND))
            for source_id, last_at in last.items()
        ]
    )
    hour = func.date_trunc("hour", Intake.received_at, "UTC").label("hour")
    # What announced leads is no lead: those came in deliveries of their own.
    announced = select(Retrieval.id).where(
        Retrieval.source_id == Intake.source_id, Retrieval.intake_id == Intake.id
    )
    # Source by source, so that each is read by its own index and weeks, however long others rest.
    counted = (
        select(hour, func.count().label("number"))
        .where(
            Intake.source_id == span.c.source_id,
            Intake.id >= span.c.since,
            Intake.id < span.c.until,
            Intake.status == "accepted",
            ~announced.exists(),
            ~_is_test(),
        )
        .group_by(hour)
        .correlate(span)
        .lateral("counted")
    )
    found = session.execute(
        select(span.c.source_id, counted.c.hour, counted.c.number).join(counted, true())
    )
    for source_id, began_at, number in found:
        counts[source_id][began_at] = number
    return counts


def _failures(
    session: Session, source_ids: Collection[int], at: datetime
) -> defaultdict[int, list[Failure]]:
    """What was kept unread or turned away, by source; what only waits for a paused one is none."""
    since = at - FAILURES_WITHIN
    found: defaultdict[int, list[Failure]] = defaultdict(list)
    code = Intake.problem["code"].as_string()
    hour = func.date_trunc("hour", Intake.received_at, "UTC")
    kept = session.execute(
        select(
            Intake.source_id,
            func.coalesce(code, ""),
            func.sum(Intake.times),
            func.min(Intake.received_at),
            func.max(Intake.received_at),
        )
        .where(
            Intake.source_id.in_(source_ids),
            Intake.id >= uuid7_floor(since),
            Intake.status == "quarantined",
            code.is_distinct_from("paused"),
        )
        .group_by(Intake.source_id, code, hour)
    )
    for source_id, code_, times, first_at, last_at in kept:
        found[source_id].append(Failure(code_, int(times), first_at, last_at))
    refused = session.scalars(
        select(SourceRefusal).where(
            SourceRefusal.source_id.in_(source_ids), SourceRefusal.last_at > since
        )
    )
    for row in refused:
        found[row.source_id].append(Failure(row.code, row.times, row.hour, row.last_at))
    return found


def _terms(session: Session, source_ids: Collection[int]) -> dict[int, Any]:
    """(timezone, desk_country, ends_on) by source."""
    rows = session.execute(
        select(Source.id, Market.timezone, Market.desk_country, Campaign.ends_on)
        .join(Market, Market.id == Source.market_id)
        .outerjoin(Campaign, Campaign.id == Source.campaign_id)
        .where(Source.id.in_(source_ids))
    )
    return {row.id: row for row in rows}


def _away(session: Session, at: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """While our own service was down nobody could deliver."""
    outages = session.execute(
        select(Outage.began_at, Outage.ended_at).where(
            Outage.kind == "service", Outage.ended_at > at - LONGEST_LOOK
        )
    )
    return tuple((began_at, ended_at) for began_at, ended_at in outages)


def _days_off(country: str, last_at: datetime | None, at: datetime) -> frozenset[date]:
    if not country or last_at is None:
        return frozenset()
    first = max(last_at - USUAL, at - LONGEST_LOOK - USUAL)
    years = range(first.year, at.year + 1)
    return frozenset(day for year in years for day in holidays_of(country.upper(), year))
