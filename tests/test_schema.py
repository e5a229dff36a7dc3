"""The database by its migrations: up, down, equal to the models, and strict by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import errors
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lmt import schema
from lmt.db import Base, engine_for, uuid7
from lmt.install import install
from lmt.models import (
    Closure,
    Customer,
    Dealer,
    DealerLoad,
    DealerTerms,
    Event,
    Intake,
    Lead,
    Market,
    Offer,
    Outcome,
    PlannedAction,
    RoutingPolicy,
    Territory,
    UserScope,
)
from lmt.models.partitions import MONTHS_AHEAD, PARTITIONED, ensure_partitions
from lmt.models.validity import since
from tests.world import FRIDAY, World, send, warsaw_lead


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    engine = engine_for(empty_url)
    yield engine
    engine.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def test_up_down_and_up_again_on_an_empty_database(empty: Engine) -> None:
    assert schema.current(empty) is None
    for _ in range(2):
        schema.upgrade(empty)
        assert schema.current(empty) == schema.head()
        assert set(Base.metadata.tables) <= tables(empty)
        schema.downgrade(empty)
        assert (schema.current(empty), tables(empty)) == (None, {"alembic_version"})


def test_installing_again_changes_nothing_and_down_works_with_rows_and_partitions(
    empty: Engine,
) -> None:
    install(empty, FRIDAY)
    before = tables(empty)
    install(empty, FRIDAY)
    assert tables(empty) == before
    schema.downgrade(empty)
    assert tables(empty) == {"alembic_version"}


def test_there_is_one_head() -> None:
    script = ScriptDirectory(str(schema.MIGRATIONS))
    assert script.get_heads() == [schema.head()]
    assert len(script.get_bases()) == 1


def test_the_models_are_what_the_migrations_build(engine: Engine) -> None:
    partitions = {name for table in PARTITIONED for name in tables(engine) if f"{table}_" in name}

    def ours(_thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        return not (kind == "table" and name in partitions)

    with engine.connect() as connection:
        options = {"compare_type": True, "include_object": ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        for table in Base.metadata.sorted_tables:
            reflected = inspect(connection).get_check_constraints(table.name)
            named = {c.name for c in table.constraints if "CheckConstraint" in type(c).__name__}
            assert {check["name"] for check in reflected} == named, table.name


def test_partitions_are_made_ahead_once(engine: Engine) -> None:
    months = ["2026_03", "2026_04", "2026_05", "2026_06"]
    assert len(months) == MONTHS_AHEAD + 1
    for table in PARTITIONED:
        assert {f"{table}_{m}" for m in (*months, "default")} <= tables(engine)
    with engine.begin() as connection:
        assert ensure_partitions(connection, FRIDAY) == []
        later = ensure_partitions(connection, datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
        assert later[0] == "intake_2026_10"
        assert later[-1] == "event_2027_01"
        assert ensure_partitions(connection, FRIDAY, months_back=1) == [
            "intake_2026_02", "event_2026_02",
        ]  # fmt: skip


def partition_of(session: Session, table: str, id: Any) -> str:
    found = text(f"SELECT tableoid::regclass::text FROM {table} WHERE id = :id")
    return str(session.scalar(found, {"id": id}))


STRAYS = [
    (datetime(2026, 3, 1, tzinfo=UTC), "event_2026_03"),
    (datetime(2026, 3, 31, 23, 59, 59, 999_000, tzinfo=UTC), "event_2026_03"),
    (datetime(2026, 4, 1, tzinfo=UTC), "event_2026_04"),
    (datetime(2019, 1, 1, tzinfo=UTC), "event_default"),
    (datetime(2031, 1, 1, tzinfo=UTC), "event_default"),
]


def test_a_row_lies_in_its_month_and_a_stray_is_kept(session: Session) -> None:
    lead = send(session, "api-pl", warsaw_lead(), FRIDAY)
    rows = [(Event(id=uuid7(at), lead_id=lead.id, at=at, kind="note"), name) for at, name in STRAYS]
    session.add_all(row for row, _name in rows)
    session.commit()
    assert [partition_of(session, "event", row.id) for row, _name in rows] == [
        name for _row, name in rows
    ]


def test_a_month_whose_rows_already_strayed_stays_where_it_is(
    engine: Engine, session: Session, world: World
) -> None:
    later = datetime(2026, 9, 15, tzinfo=UTC)
    intake = Intake(
        id=uuid7(later), source_id=world.sources["api-pl"], received_at=later,
        body=b"x", body_hash=b"x", status="accepted",
    )  # fmt: skip
    session.add(intake)
    session.commit()
    with engine.begin() as connection:
        made = ensure_partitions(connection, later)
    assert "event_2026_09" in made
    assert "intake_2026_09" not in made
    assert "intake_2026_10" in made
    assert partition_of(session, "intake", intake.id) == "intake_default"


def test_two_terms_of_a_dealer_never_hold_at_once(session: Session, world: World) -> None:
    terms = session.query(DealerTerms).filter_by(dealer_id=world.dealers["PL-WAW-1"]).one()
    values = {
        c.key: getattr(terms, c.key) for c in DealerTerms.__mapper__.column_attrs if c.key != "id"
    }
    with refused(errors.ExclusionViolation):
        session.add(DealerTerms(**values | {"valid": since(FRIDAY)}))
        session.flush()
    session.rollback()
    terms.replace(session, FRIDAY, name="Aurel Nowe Centrum")
    session.commit()
    for at, name in (
        (FRIDAY - timedelta(seconds=1), "Aurel Centrum"),
        (FRIDAY, "Aurel Nowe Centrum"),
    ):
        held = session.query(DealerTerms).filter(
            DealerTerms.dealer_id == terms.dealer_id, DealerTerms.holds_at(at)
        )
        assert held.one().name == name


def test_two_policies_of_a_market_never_hold_at_once(session: Session, world: World) -> None:
    policy = RoutingPolicy(
        market_id=world.markets["PL"], version=2, settings={}, valid=since(FRIDAY)
    )
    with refused(errors.ExclusionViolation):
        session.add(policy)
        session.flush()


def refused(problem: type[Exception] = errors.CheckViolation) -> Any:
    return pytest.raises(DBAPIError, match=problem.__name__)


CHANGES: list[tuple[type[Any], str, dict[str, Any]]] = [
    (Market, "a week begins on one of seven days", {"week_start": 7}),
    (Market, "the default is one of the market's languages", {"default_language": "fr"}),
    (Dealer, "a kind of dealer", {"kind": "garage"}),
    (DealerTerms, "a cap is no debt", {"day_cap": -1}),
    (DealerTerms, "a cap is no debt", {"month_cap": -1}),
    (DealerTerms, "a cap is no debt", {"open_cap": -1}),
    (DealerTerms, "a place on earth", {"lat": 91.0}),
    (DealerTerms, "a place on earth", {"lon": -181.0}),
    (DealerTerms, "a weight", {"weight": 0.0}),
    (DealerLoad, "nobody has less than nothing", {"open_used": -1}),
    (Lead, "a status of the life of a lead", {"status": "sold"}),
    (Lead, "a band", {"band": "boiling"}),
    (Lead, "an offered lead has its dealer", {"status": "offered", "dealer_id": None}),
    (Customer, "a kind of customer", {"kind": "alien"}),
    (Intake, "accepted or quarantined", {"status": "lost"}),
    (Offer, "a state of an offer", {"state": "forgotten"}),
]  # fmt: skip


def test_the_database_refuses_what_cannot_be(session: Session, offered: Lead) -> None:
    session.commit()
    for model, why, changes in CHANGES:
        row = session.query(model).order_by(model.__mapper__.primary_key[0]).first()
        for name, value in changes.items():
            setattr(row, name, value)
        with refused():
            session.flush()
            pytest.fail(f"{model.__tablename__}: {why}")
        session.rollback()


@pytest.fixture
def offered(offered_lead: Any) -> Lead:
    lead = offered_lead()
    assert lead.status == "offered"
    return lead  # type: ignore[no-any-return]


def test_the_database_refuses_rows_that_cannot_be(
    session: Session, offered: Lead, world: World
) -> None:
    dealer = world.dealers["PL-WAW-1"]
    rows = [
        Closure(dealer_id=dealer, starts_on=date(2026, 5, 2), ends_on=date(2026, 5, 1),
                valid=since(None)),
        Territory(dealer_id=dealer, postcodes=[], valid=since(None)),
        Outcome(lead_id=offered.id, kind="lost", at=FRIDAY, dealer_id=dealer, reason=""),
        Outcome(lead_id=offered.id, kind="won", at=FRIDAY, dealer_id=dealer, value=-1),
        PlannedAction(lead_id=offered.id, dealer_id=dealer, kind="dinner", due_at=FRIDAY,
                      created_at=FRIDAY),
        UserScope(user_id=world.users["anna"], market_id=world.markets["PL"], dealer_id=dealer),
    ]  # fmt: skip
    session.commit()
    for row in rows:
        session.add(row)
        with refused():
            session.flush()
        session.rollback()


def test_a_lead_has_one_holder(session: Session, offered: Lead, world: World) -> None:
    session.add(
        Offer(
            lead_id=offered.id, dealer_id=world.dealers["PL-WAW-2"],
            offered_at=FRIDAY, expires_at=FRIDAY,
        )
    )  # fmt: skip
    with refused(errors.UniqueViolation):
        session.flush()
