"""Sales find their leads: in a world of known truth, broken off and gone on, taken back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt import jobs
from lmt.cli import main
from lmt.db import SessionFactory
from lmt.ingest.identity import Person
from lmt.models import Event, FactQueue, Lead, Sale, SalesFile
from lmt.sales import deciding, engine, finding, service
from lmt.sales.matching import Sold
from lmt.sales.refusals import NotNow
from lmt.scope import SYSTEM, Actor
from tests.conftest import ENVIRONMENT
from tests.salesfiles import Truth, brought, market_with_sales, put_lead
from tests.world import FRIDAY, World

HEADER = "Sale date;Order;VIN;Customer;Phone;Mail;City;Model;Dealer;Price\n"


@pytest.fixture(autouse=True)
def friday() -> Iterator[None]:
    with time_machine.travel(FRIDAY, tick=False):
        yield


def work(sessions: SessionFactory) -> None:
    while jobs.work(sessions, FRIDAY):
        pass


def taken_in(
    session: Session, sessions: SessionFactory, world: World, content: bytes | str
) -> SalesFile:
    data = content.encode() if isinstance(content, str) else content
    file = brought(session, world, data)
    service.start(session, file, FRIDAY, SYSTEM)
    work(sessions)
    session.expire_all()
    return file


def sales(session: Session) -> list[Sale]:
    session.expire_all()
    return list(session.scalars(select(Sale).order_by(Sale.file_id, Sale.row)))


def test_of_two_thousand_sales_nearly_all_find_their_lead_and_hardly_one_a_wrong_one(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    truth = market_with_sales(session, world, leads=3_000, sales=2_000)
    file = taken_in(session, sessions, world, truth.csv())
    assert (file.state, file.read, file.failed) == ("finished", 2_000, 0)
    precision, recall, seen = _quality(truth, sales(session))
    print(f"precision {precision:.4f} recall {recall:.4f} with review {seen:.4f}")
    assert precision >= 0.995
    assert recall >= 0.85
    # With those that a person is asked about.
    assert seen >= 0.97


def _quality(truth: Truth, rows: list[Sale]) -> tuple[float, float, float]:
    right = wrong = asked = 0
    for sale in rows:
        meant = truth.lead_of[sale.row]
        if sale.state == "matched":
            right += sale.lead_id == meant
            wrong += sale.lead_id != meant
        elif sale.state == "proposed" and meant is not None:
            asked += str(meant) in {each["lead_id"] for each in sale.candidates}
    told = sum(meant is not None for meant in truth.lead_of.values())
    return right / (right + wrong), right / told, (right + asked) / told


@pytest.mark.parametrize("after", [0, 1], ids=["at once", "after a chunk"])
def test_a_worker_that_dies_leaves_what_another_goes_on_from(
    session: Session,
    sessions: SessionFactory,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    truth = market_with_sales(session, world, leads=60, sales=50)
    monkeypatch.setattr(engine, "CHUNK", 20)
    whole = taken_in(session, sessions, world, truth.csv())
    at_once = _told(session)
    service.undo(session, whole, FRIDAY, SYSTEM)

    file = brought(session, world, truth.csv())
    service.start(session, file, FRIDAY, SYSTEM)
    chunks, bring = [], engine.bring

    def dies(*args: Any) -> None:
        bring(*args)
        chunks.append(args)
        if len(chunks) > after:
            # All that the transaction did goes with it.
            raise OperationalError("the worker", None, Exception("is killed"))

    with monkeypatch.context() as patch:
        patch.setattr(engine, "bring", dies)
        assert jobs.work(sessions, FRIDAY)
    session.expire_all()
    assert (file.state, file.read) == ("running", after * 20)
    while jobs.work(sessions, FRIDAY + timedelta(hours=1)):
        pass
    session.expire_all()
    assert (file.state, file.read, file.kept) == ("finished", 50, whole.read)
    assert _told(session) == at_once


def _told(session: Session) -> list[tuple[Any, ...]]:
    return [
        (
            sale.row,
            sale.key,
            sale.state,
            sale.lead_id,
            sale.confidence,
            sale.reasons,
            sale.candidates,
        )
        for sale in sales(session)
    ]


def test_one_lead_is_one_sales_and_the_better_claim_wins_whatever_came_first(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    lead = put_lead(session, world, phone="+48512000001", city="Warszawa", postcode="00-100")
    rows = (
        "2026-02-20;B-2;;Ewa Lis;512000001;;Warszawa;Mira;PL-WAW-2;1\n",
        "2026-01-20;B-1;;Ewa Lis;512000001;;Warszawa;Mira;PL-WAW-1;1\n",
    )
    for order in (rows, rows[::-1]):
        files = [taken_in(session, sessions, world, HEADER + row) for row in order]
        told = {sale.order_number: sale for sale in sales(session)}
        assert (told["B-1"].state, told["B-1"].lead_id) == ("matched", lead)
        assert (told["B-2"].state, told["B-2"].reasons[-1]["code"]) == ("proposed", "contested")
        for file in files:
            service.undo(session, file, FRIDAY, SYSTEM)


def test_what_a_person_said_stands_against_a_better_claim(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    lead = put_lead(session, world, phone="+48512000001", city="Warszawa")
    taken_in(session, sessions, world, HEADER + "2026-03-01;C-1;;Ewa Lis;;;Warszawa;Orvo;;1\n")
    hana = Actor(world.users["hana"], frozenset({"*"}))
    first = sales(session)[0]
    assert first.state == "proposed"
    deciding.confirm(session, first.id, lead, at=FRIDAY, actor=hana)
    taken_in(
        session, sessions, world, HEADER + "2026-01-20;C-2;;Ewa Lis;512000001;;;Mira;PL-WAW-1;1\n"
    )
    told = {sale.order_number: sale for sale in sales(session)}
    assert (told["C-1"].state, told["C-1"].decided_by) == ("matched", hana.user_id)
    assert told["C-2"].state == "proposed"
    with pytest.raises(NotNow, match="taken"):
        deciding.confirm(session, told["C-2"].id, lead, at=FRIDAY, actor=hana)


def test_a_lead_that_came_late_is_found_when_the_file_is_matched_again(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    file = taken_in(
        session, sessions, world, HEADER + "2026-01-20;D-1;;Ewa Lis;512000001;;;Mira;PL-WAW-1;1\n"
    )
    assert [sale.state for sale in sales(session)] == ["none"]
    lead = put_lead(session, world, phone="+48512000001")
    service.match_again(session, file, FRIDAY, SYSTEM)
    work(sessions)
    assert [(sale.state, sale.lead_id) for sale in sales(session)] == [("matched", lead)]
    session.refresh(file)
    assert (file.state, file.read) == ("finished", 1)


def test_neither_a_test_nor_another_markets_lead_nor_one_out_of_time_is_sold(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    put_lead(session, world, phone="+48512000001", test=True)
    put_lead(session, world, phone="+48512000002", arrived_on=date(2026, 1, 23))
    put_lead(session, world, phone="+48512000003", arrived_on=date(2025, 1, 20))
    foreign = put_lead(session, world, phone="+48512000004")
    session.execute(update(Lead).where(Lead.id == foreign).values(market_id=world.markets["GULF"]))
    session.commit()
    rows = [f"2026-01-21;E-{n};;Ewa Lis;51200000{n};;;Mira;PL-WAW-1;1\n" for n in range(1, 5)]
    taken_in(session, sessions, world, HEADER + "".join(rows))
    assert [sale.state for sale in sales(session)] == ["none"] * 4


def test_a_vin_or_an_order_number_finds_a_lead_whose_buyer_has_another_name(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    by_vin = put_lead(session, world, name="Ewa Lis", vin="WVWZZZ1KZAW000123")
    by_order = put_lead(session, world, name="Adam Gil", order="Z/77/26")
    taken_in(
        session, sessions, world,
        HEADER + "2026-01-20;;wvw zzz1kz aw000123;Lis Leasing sp. z o.o.;;;;Mira;PL-WAW-1;1\n"
        "2026-01-20;z 77-26;;Gil Transport;;;;;PL-WAW-1;1\n",
    )  # fmt: skip
    told = [(sale.state, sale.lead_id or _first_lead(sale)) for sale in sales(session)]
    assert told == [("matched", by_vin), ("matched", by_order)]


def _first_lead(sale: Sale) -> uuid.UUID | None:
    return uuid.UUID(sale.candidates[0]["lead_id"]) if sale.candidates else None


def test_of_one_customers_two_leads_the_nearer_one_was_sold_without_asking(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    put_lead(session, world, phone="+48512000001", arrived_on=date(2025, 6, 1))
    near = put_lead(session, world, phone="+48512000001", arrived_on=date(2026, 1, 10))
    session.execute(
        update(Lead).values(customer_id=select(Lead.customer_id).limit(1).scalar_subquery())
    )
    session.commit()
    taken_in(session, sessions, world, HEADER + "2026-01-20;F-1;;Ewa Lis;512000001;;;Mira;;1\n")
    assert [(sale.state, sale.lead_id) for sale in sales(session)] == [("matched", near)]


def test_the_facts_of_a_lead_are_made_anew_when_its_sale_comes_and_goes(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    lead = put_lead(session, world, phone="+48512000001")
    session.execute(delete(FactQueue))
    session.commit()
    row = "2026-01-20;G-1;;Ewa Lis;512000001;;;Mira;PL-WAW-2;1\n"
    file = taken_in(session, sessions, world, HEADER + row)
    assert lead in session.scalars(select(FactQueue.lead_id)).all()
    session.execute(delete(FactQueue))
    session.commit()
    service.undo(session, file, FRIDAY, SYSTEM)
    assert lead in session.scalars(select(FactQueue.lead_id)).all()
    told = session.scalars(select(Event).where(Event.lead_id == lead).order_by(Event.id)).all()
    assert [(event.kind, event.dealer_id) for event in told] == [
        ("sale_matched", world.dealers["PL-WAW-2"]),
        ("sale_unmatched", world.dealers["PL-WAW-2"]),
    ]


def test_a_chunk_asks_the_database_no_more_often_for_more_sales(
    session: Session, world: World, count_queries: list[str]
) -> None:
    market_with_sales(session, world, leads=80, sales=1)
    grounds = finding.grounds_of(session, world.markets["PL"], FRIDAY)
    person = Person(full_name="Ewa Lis", phone="+48512000001", city="Warszawa")
    sold = [
        Sold(person, date(2026, 1, 20), f"Z/{n:05}/26", f"WVWZZZ1KZAW{n:06}", "Mira")
        for n in range(300)
    ]
    count_queries.clear()
    finding.found(session, grounds, sold[:3])
    few = len(count_queries)
    count_queries.clear()
    finding.found(session, grounds, sold)
    assert len(count_queries) == few <= 5


def test_the_command_reads_a_file_and_tells_what_became_of_it(
    session: Session, world: World, database_url: str, tmp_path: Path
) -> None:
    put_lead(session, world, phone="+48512000001")
    path = tmp_path / "sales.csv"
    path.write_text(
        HEADER + "2026-01-20;H-1;;Ewa Lis;512000001;;;Mira;PL-WAW-1;1\nnever;H-2;;;;;;;;\n"
    )
    environment = {**ENVIRONMENT, "DATABASE_URL": database_url, "LMT_INSTANCE": str(tmp_path)}
    runner = CliRunner()
    dry = runner.invoke(
        main, ["import", "sales", str(path), "--market", "PL", "--dry-run"], env=environment
    )
    assert dry.exit_code == 1, dry.output
    assert "2 rows, 1 would fail; nothing was kept" in dry.output
    assert sales(session) == []
    done = runner.invoke(main, ["import", "sales", str(path), "--market", "PL"], env=environment)
    assert isinstance(done.exception, SystemExit), done.exc_info
    assert "2 rows: 1 sales, 0 repeated, 1 failed" in done.output
    assert "row 2: Day of the sale: this is no date that can be read. never" in done.output
    assert [sale.state for sale in sales(session)] == ["matched"]
    lost = runner.invoke(main, ["import", "sales", str(path), "--market", "XX"], env=environment)
    assert (lost.exit_code, "there is no market XX" in lost.output) == (3, True)
