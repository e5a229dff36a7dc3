"""Old histories and deliveries go by whole months, what is still needed stays, figures stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from lmt import closing, pipeline
from lmt.config import BadSetting, Settings, from_environment
from lmt.db import SessionFactory
from lmt.doctor import examine
from lmt.ingest.accept import Delivery, quarantine
from lmt.ingest.quarantine import dismiss
from lmt.keeping import drop_old_partitions, months_kept
from lmt.models import Event, Lead, LeadFact, Source, User
from lmt.models.partitions import ensure_partitions, partitions
from lmt.reports.refresh import refresh
from lmt.scope import SYSTEM, Actor, actor_of
from tests.world import FRIDAY, somebody

HOUR = timedelta(hours=1)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
BOTH = {"event": 3, "intake": 3}
"""At the beginning of July, March has ended three months ago."""


def months(engine: Engine, table: str) -> list[str]:
    with engine.connect() as connection:
        return [each.name for each in partitions(connection) if each.table == table]


def closed_lead(session: Session, offered_lead: Callable[..., Lead], actor: Actor) -> Lead:
    lead = offered_lead(**somebody())
    pipeline.accept(session, lead.id, at=FRIDAY + HOUR, actor=actor)
    closing.won(session, lead.id, at=FRIDAY + 5 * HOUR, actor=actor)
    return lead


@pytest.fixture
def anna(cast: dict[str, User]) -> Actor:
    return actor_of(cast["anna"])


def test_a_month_is_dropped_once_all_of_it_is_older(
    engine: Engine, session: Session, offered_lead: Callable[..., Lead], anna: Actor
) -> None:
    closed_lead(session, offered_lead, anna)
    assert drop_old_partitions(engine, JULY - HOUR, BOTH) == []
    assert drop_old_partitions(engine, JULY, {"event": 0, "intake": 0}) == []
    assert drop_old_partitions(engine, JULY, BOTH) == ["event_2026_03", "intake_2026_03"]
    assert months(engine, "event")[0] == "event_2026_04"
    assert drop_old_partitions(engine, JULY, BOTH) == []


def test_what_is_made_ahead_is_not_made_again_behind(engine: Engine) -> None:
    drop_old_partitions(engine, JULY, BOTH)
    with engine.begin() as connection:
        made = ensure_partitions(connection, JULY)
    assert "event_2026_03" not in made
    assert "event_2026_10" in made
    with engine.begin() as connection:
        assert ensure_partitions(connection, JULY) == []


def test_a_month_with_an_open_lead_stays(
    engine: Engine, session: Session, offered_lead: Callable[..., Lead], anna: Actor
) -> None:
    closed_lead(session, offered_lead, anna)
    lead = offered_lead(**somebody())
    assert drop_old_partitions(engine, JULY, BOTH) == ["intake_2026_03"]
    pipeline.withdraw(session, lead.id, reason="customer", at=FRIDAY + HOUR, actor=SYSTEM)
    assert drop_old_partitions(engine, JULY, BOTH) == ["event_2026_03"]


def test_a_month_with_a_delivery_that_waits_stays(engine: Engine, session: Session) -> None:
    source = session.scalars(select(Source).where(Source.code == "api-pl")).one()
    waiting = quarantine(session, source, Delivery(b"{"), {"code": "json"}, FRIDAY)
    assert drop_old_partitions(engine, JULY, BOTH) == ["event_2026_03"]
    dismiss(session, waiting, "A test of theirs", at=FRIDAY + HOUR, actor=SYSTEM)
    assert drop_old_partitions(engine, JULY, BOTH) == ["intake_2026_03"]


def test_a_busy_table_is_left_for_the_next_night(
    engine: Engine, session: Session, offered_lead: Callable[..., Lead], anna: Actor
) -> None:
    closed_lead(session, offered_lead, anna)
    with engine.begin() as reading:
        reading.execute(text("SELECT count(*) FROM event"))
        assert drop_old_partitions(engine, JULY, BOTH) == ["intake_2026_03"]
    assert drop_old_partitions(engine, JULY, BOTH) == ["event_2026_03"]


def test_one_process_drops_at_a_time(engine: Engine) -> None:
    with engine.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(7240729)"))
        assert drop_old_partitions(engine, JULY, BOTH) == []


def test_figures_of_old_leads_stay_the_same(
    engine: Engine,
    session: Session,
    sessions: SessionFactory,
    offered_lead: Callable[..., Lead],
    anna: Actor,
) -> None:
    closed_lead(session, offered_lead, anna)
    facts = select(LeadFact.__table__).order_by(LeadFact.lead_id, LeadFact.dealer_id)
    refresh(sessions, JULY)
    before = session.execute(facts).mappings().all()
    assert [(row["day"], row["leads"], row["won"]) for row in before] == [(date(2026, 3, 6), 1, 1)]
    session.rollback()
    assert drop_old_partitions(engine, JULY, BOTH)
    session.execute(text("INSERT INTO fact_queue (lead_id) SELECT id FROM lead"))
    session.commit()
    refresh(sessions, JULY)
    assert session.execute(facts).mappings().all() == before


def test_the_page_of_an_old_lead_opens_and_says_that_its_beginning_is_gone(
    engine: Engine,
    session: Session,
    client: FlaskClient,
    cast: dict[str, User],
    login: Callable[[FlaskClient, User], FlaskClient],
    offered_lead: Callable[..., Lead],
    anna: Actor,
) -> None:
    lead = closed_lead(session, offered_lead, anna)
    at_desk = login(client, cast["anna"])
    at_hq = login(client.application.test_client(), cast["hana"])
    gone = "What happened before is no longer kept."
    pages = [(at_desk, f"/desk/leads/{lead.id}"), (at_hq, f"/hq/leads/{lead.id}")]
    for browser, address in pages:
        assert gone not in browser.get(address).text
    session.rollback()
    assert drop_old_partitions(engine, JULY, BOTH)
    session.add(Event(lead_id=lead.id, at=JULY, kind="note", data={"text": "They called again."}))
    session.commit()
    for browser, address in pages:
        page = browser.get(address).text
        assert gone in page
        assert "They called again." in page
        assert lead.full_name in page


def test_the_doctor_tells_since_when_and_how_long(settings: Settings) -> None:
    findings = {each.what: each for each in examine(settings, FRIDAY)}
    assert "since 2026-03; all are kept" in findings["histories"].says
    findings = {each.what: each for each in examine(replace(settings, keep_intake_months=13), JULY)}
    assert "13 months are kept (LMT_KEEP_INTAKE_MONTHS)" in findings["deliveries"].says


def test_how_long_is_a_setting() -> None:
    key = {"LMT_SECRET_KEY": "x" * 40}
    assert months_kept(from_environment(key)) == {"event": 0, "intake": 0}
    given = {**key, "LMT_KEEP_EVENT_MONTHS": "36", "LMT_KEEP_INTAKE_MONTHS": "13"}
    assert months_kept(from_environment(given)) == {"event": 36, "intake": 13}
    with pytest.raises(BadSetting, match="LMT_KEEP_EVENT_MONTHS"):
        from_environment({**key, "LMT_KEEP_EVENT_MONTHS": "-1"})
