"""What is added up by market and month equals its parts, however the leads went on."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, event, func, select, text, update
from sqlalchemy.orm import Session

from lmt.cli import main
from lmt.config import Settings
from lmt.db import SessionFactory, reading_sessions_for
from lmt.models import FactMonth, FactSlice, Feedback, Lead, LeadFact, Outcome, PlannedAction, User
from lmt.models.facts import COUNTERS, KEPT, TIMES
from lmt.reports.checking import Checked, check
from lmt.reports.dimensions import CUTS, KEEPING
from lmt.reports.refresh import mark_changed, refresh
from lmt.reports.rollups import RESTING, rebuild, roll
from lmt.reports.tally import PACKED, packed
from lmt.scope import SYSTEM, act_as
from tests.two_markets import TwoMarkets

AT = datetime(2026, 4, 3, 12, tzinfo=UTC)
NO_REST = timedelta(0)


@pytest.fixture
def house(session: Session, cast: dict[str, User]) -> TwoMarkets:
    return TwoMarkets(session, cast["hana"].password or "")


def some_leads(house: TwoMarkets, many: int, seed: int = 1) -> list[Lead]:
    """Of both markets, from February's end to the beginning of April, as they may stand."""
    rng, leads = random.Random(seed), []
    for _each in range(many):
        status = rng.choice(["unrouted", "offered", "accepted", "contacted", "won", "lost"])
        dealer = rng.choice([house.riyadh, house.jeddah, house.lodz])
        created_at = datetime(2026, 2, 25, tzinfo=UTC) + timedelta(minutes=rng.randrange(53_000))
        reached = status in ("contacted", "won", "lost")
        at = created_at + timedelta(seconds=rng.randrange(400_000))
        lead = house.lead(
            None if status == "unrouted" else dealer,
            market=house.poland if dealer is house.lodz else house.gulf,
            status=status,
            created_at=created_at,
            source=rng.choice(["api", "form"]),
            language=rng.choice(["ar", "pl"]),
            offered_at=created_at,
            accepted_at=None if status in ("unrouted", "offered") else at,
            contacted_at=at if reached else None,
            closed_at=at if status in ("won", "lost") else None,
            cause="price" if status == "lost" else "",
        )
        if status != "unrouted":
            house.offer(
                lead, expires_at=created_at + timedelta(hours=2), decision=dealer is house.riyadh
            )
        if status == "won":
            house.session.add(
                Outcome(lead_id=lead.id, kind="won", at=at, dealer_id=dealer.id,
                        value=Decimal(rng.randrange(9_000_000)) / 100,
                        currency="PLN" if dealer is house.lodz else "SAR")
            )  # fmt: skip
        leads.append(lead)
    house.session.commit()
    return leads


def checked(engine: Engine, at: datetime = AT) -> Checked:
    with act_as(reading_sessions_for(engine)(), SYSTEM) as session:
        return check(session, at)


def naive(session: Session, cut: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Every fact read, and added up here."""
    columns, keeping = CUTS[cut], KEEPING.get(cut, ())
    found: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    spans: dict[tuple[Any, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    pieces: dict[tuple[Any, ...], dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for row in session.execute(select(LeadFact.__table__)).mappings():
        key = (row["market_id"], row["month"], *(row[name] for name in columns))
        for name in (*COUNTERS, "value"):
            found[key][name] += row[name]
        for name in TIMES:
            if row[name] is not None:
                spans[key][name].append(row[name])
        for name in keeping:
            numbers = [(row[column], size) for column, size in KEPT[name].items()]
            if row["leads"] and all(number is not None for number, _size in numbers):
                piece = b"".join(n.to_bytes(size, "big", signed=True) for n, size in numbers)
                pieces[key][name].append(piece)
    return {
        key: {
            **sums,
            **{name: packed(sorted(spans[key][name])) for name in TIMES},
            **{name: sorted(pieces[key][name]) for name in keeping},
        }
        for key, sums in found.items()
    }


def added_up(session: Session, cut: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    import numpy as np

    def in_order(spans: bytes) -> bytes:
        return np.sort(np.frombuffer(spans, dtype=PACKED)).tobytes()

    def apart(pieces: bytes, size: int) -> list[bytes]:
        return sorted(pieces[at : at + size] for at in range(0, len(pieces), size))

    rows = session.execute(select(FactMonth.__table__).where(FactMonth.cut == cut)).mappings()
    return {
        (row["market_id"], row["month"], *(row[name] for name in CUTS[cut])): {
            **{name: row[name] for name in (*COUNTERS, "value")},
            **{name: in_order(row[name]) for name in TIMES},
            **{name: apart(row[name], sum(KEPT[name].values())) for name in KEEPING.get(cut, ())},
        }
        for row in rows
    }


def test_every_cut_equals_the_facts_also_after_late_events(
    house: TwoMarkets, session: Session, sessions: SessionFactory, engine: Engine
) -> None:
    leads = some_leads(house, 60)
    refresh(sessions, AT)
    assert roll(sessions, AT, resting=NO_REST) >= 4
    for cut in CUTS:
        assert added_up(session, cut) == naive(session, cut), cut
    found = checked(engine)
    assert (found.differences, found.late, found.leads) == ([], 0, 60)
    assert found.months >= 4

    # Long after: one was sold after all, one was reached, one is another customer's wish.
    late = [lead for lead in leads if lead.status in ("accepted", "contacted", "lost")][:3]
    for lead in late:
        lead.status, lead.closed_at, lead.cause = "won", AT, ""
        session.add(Feedback(lead_id=lead.id, dealer_id=lead.dealer_id, at=AT, score=5))
        session.add(
            PlannedAction(lead_id=lead.id, dealer_id=lead.dealer_id, kind="visit", due_at=AT,
                          created_at=AT, done_at=AT)
        )  # fmt: skip
    session.commit()
    refresh(sessions, AT)
    left = session.scalar(
        select(func.count()).select_from(FactSlice).where(FactSlice.rolled_at.is_(None))
    )
    session.rollback()
    assert left == roll(sessions, AT, resting=NO_REST)
    assert 1 <= left <= 3
    for cut in CUTS:
        assert added_up(session, cut) == naive(session, cut), cut
    assert checked(engine).differences == []
    assert roll(sessions, AT, resting=NO_REST) == 0


def test_a_month_that_still_moves_is_left_until_it_rests(
    house: TwoMarkets, sessions: SessionFactory
) -> None:
    some_leads(house, 3)
    refresh(sessions, AT)
    assert roll(sessions, AT + RESTING - timedelta(seconds=1)) == 0
    assert roll(sessions, AT + RESTING) >= 1


def test_what_changes_while_it_is_added_up_is_added_up_once_more(
    house: TwoMarkets, session: Session, sessions: SessionFactory, engine: Engine
) -> None:
    (lead,) = some_leads(house, 1)
    refresh(sessions, AT)
    month = session.scalars(select(FactSlice.month)).one()
    session.rollback()
    meddled: list[str] = []

    def meddle(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO share_month") and not meddled:
            meddled.append(statement)
            with act_as(sessions(), SYSTEM) as other:
                mark_changed(other, [(lead.market_id, month)], AT)
                other.commit()

    event.listen(engine, "before_cursor_execute", meddle)
    try:
        assert roll(sessions, AT, resting=NO_REST) == 0
    finally:
        event.remove(engine, "before_cursor_execute", meddle)
    assert meddled
    assert session.scalar(select(func.count()).select_from(FactMonth)) == 0
    session.rollback()
    assert roll(sessions, AT, resting=NO_REST) == 1
    assert checked(engine).differences == []


def test_a_check_finds_what_differs_and_a_rebuild_mends_it(
    house: TwoMarkets, session: Session, sessions: SessionFactory, engine: Engine
) -> None:
    first, second, *_others = some_leads(house, 12)
    refresh(sessions, AT)
    roll(sessions, AT, resting=NO_REST)
    session.execute(update(LeadFact).where(LeadFact.lead_id == first.id).values(score=4))
    session.execute(text("UPDATE lead_fact SET lead_id = gen_random_uuid() WHERE lead_id = :id"),
                    {"id": second.id})  # fmt: skip
    session.execute(text("UPDATE fact_month SET won = won + 1 WHERE cut = 'hour'"))
    session.execute(text("UPDATE fact_month SET holders = substr(holders, 9) WHERE cut = 'source'"))
    session.execute(text("UPDATE share_month SET received = received + 1"))
    session.commit()
    told = "\n".join(f"{each.what}: {each.says}" for each in checked(engine).differences)
    assert f"lead_fact of lead {first.id}: score is 4 instead of 0" in told
    assert f"lead_fact of lead {second.id}: 0 rows instead of 1" in told
    assert "the lead is no longer stored" in told
    assert "cut hour of market" in told
    assert "cut source of market" in told
    assert "fair share of market" in told
    told_of: list[int] = []
    # The second's facts stand under a lead that never was, which goes too.
    leads, months = rebuild(sessions, AT, batch=5, progress=told_of.append)
    assert (leads, told_of[-1]) == (13, 13)
    assert months >= 1
    assert checked(engine).differences == []


def test_the_operator_rebuilds_and_checks(
    house: TwoMarkets, session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_leads(house, 5)
    for name, value in (
        ("DATABASE_URL", settings.database_url),
        ("LMT_INSTANCE", str(settings.instance)),
        ("LMT_SECRET_KEY", settings.secret_key),
    ):
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(main, ["report", "rebuild"], catch_exceptions=False)
    assert "5 leads made anew" in done.output
    good = CliRunner().invoke(main, ["report", "check"], catch_exceptions=False)
    assert (good.exit_code, "5 leads and" in good.output) == (0, True)
    session.execute(text("UPDATE fact_month SET leads = leads + 1"))
    session.commit()
    bad = CliRunner().invoke(main, ["report", "check"], catch_exceptions=False)
    assert (bad.exit_code, "rows differ" in bad.output) == (1, True)


def test_days_of_a_month_begin_on_the_markets_wall(
    house: TwoMarkets, session: Session, sessions: SessionFactory
) -> None:
    house.lead(house.lodz, created_at=datetime(2026, 3, 31, 21, 59, tzinfo=UTC))
    house.lead(house.lodz, created_at=datetime(2026, 3, 31, 22, 0, tzinfo=UTC))
    refresh(sessions, AT)
    roll(sessions, AT, resting=NO_REST)
    found = session.execute(
        select(FactMonth.month, FactMonth.__table__.c.leads).where(FactMonth.cut == "total")
    )
    assert set(found) == {(date(2026, 3, 1), 1), (date(2026, 4, 1), 1)}
