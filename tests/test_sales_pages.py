"""Headquarters brings a file of sales: columns, start, failed rows, review, hand, taken back."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import jobs
from lmt.db import SessionFactory
from lmt.models import Event, Lead, Sale, SalesFile, User
from tests.salesfiles import put_lead
from tests.world import FRIDAY, World

SALES = (
    "Data sprzedaży;Nr zamówienia;Klient;Telefon;Miasto;Model;Salon;Cena;Uwagi\r\n"
    "03.02.2026;A-1;Ewa Lis;512 300 101;Warszawa;Mira;PL-WAW-2;149 900,00 zł;\r\n"
    "04.02.2026;A-2;Adam Gil;;Warszawa;Mira;Aurel Centrum;99.900,50;\r\n"
    "31.13.2026;A-3;Jan Kos;512 300 103;Warszawa;Mira;;100;\r\n"
    ";A-4;Ola Rak;512 300 104;Warszawa;Mira;;sto;\r\n"
    "03.02.2026;A-1;Ewa Lis;512 300 101;Warszawa;Mira;PL-WAW-2;150 000,00 zł;\r\n"
)
"""One sold elsewhere, one of whom only name and city agree, two that fail, one told twice."""


@pytest.fixture(autouse=True)
def friday() -> Iterator[None]:
    with time_machine.travel(FRIDAY, tick=False):
        yield


@pytest.fixture
def hana(
    friday: None, client: FlaskClient, cast: dict[str, User], login: Callable[..., FlaskClient]
) -> FlaskClient:
    return login(client, cast["hana"])


@pytest.fixture
def leads(session: Session, world: World) -> dict[str, str]:
    """References of Poland's leads by name."""
    ids = [
        put_lead(session, world, name="Ewa Lis", phone="+48512300101", city="Warszawa"),
        put_lead(session, world, name="Adam Gil", email="gil@mail.example", city="Warszawa"),
        put_lead(session, world, name="Iza Mak", email="mak@mail.example", city="Łódź"),
    ]
    rows = session.scalars(select(Lead).where(Lead.id.in_(ids)))
    return {lead.full_name: lead.reference for lead in rows}


def upload(client: FlaskClient, content: str, market: str = "PL") -> str:
    answer = client.post(
        "/hq/sales",
        data={"market": market, "file": (io.BytesIO(content.encode("cp1250")), "luty.csv")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 302, answer.text
    return answer.location


def columns_of(page: str) -> dict[str, str]:
    found = {}
    for name, body in re.findall(r'(?s)<select[^>]*name="(column\.\d+)".*?>(.*?)</select>', page):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = chosen[1] if chosen else ""
    return found


def begun(client: FlaskClient, sessions: SessionFactory, content: str = SALES) -> str:
    """A file brought and read to its end; its address."""
    address = upload(client, content)
    columns = columns_of(client.get(address).text)
    client.post(f"{address}/columns", data={**columns, "do": "start"})
    while jobs.work(sessions, FRIDAY):
        pass
    return address


def test_a_file_is_read_matched_reviewed_and_taken_back(
    hana: FlaskClient, session: Session, sessions: SessionFactory, leads: dict[str, str]
) -> None:
    address = upload(hana, SALES)
    page = hana.get(address).text
    assert list(columns_of(page).values()) == [
        "sold_on", "order_number", "full_name", "phone", "city", "model", "dealer", "value", "",
    ]  # fmt: skip
    assert "Aurel Wola" in page
    assert "149,900 PLN" in page
    assert "Day of the sale: this is no date that can be read." in page

    hana.post(f"{address}/columns", data={**columns_of(page), "do": "start"})
    assert "Waiting for the worker." in hana.get(address).text
    assert "every 1s" in hana.get(f"{address}/progress").text
    while jobs.work(sessions, FRIDAY):
        pass

    page = hana.get(address).text
    assert leads["Ewa Lis"] in page
    assert "Day of the sale: nothing is there." in page
    assert [sale.value for sale in session.scalars(select(Sale).order_by(Sale.row))] == [
        150_000, 99_900.50,
    ]  # fmt: skip
    failed = hana.get(f"{address}/failed")
    assert failed.mimetype == "text/csv"
    lines = failed.get_data(as_text=True).splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["3", "4"]
    assert "Jan Kos" in lines[1]
    assert "Value: this is no number." in lines[2]

    told = hana.get("/hq/sales").text
    assert "luty.csv" in told
    assert "Decide on sales" in told
    queue = hana.get("/hq/sales/queue").text
    assert "Adam Gil" in queue
    assert leads["Adam Gil"] in queue
    assert "Nothing but a name and a city" in queue
    answer = hana.post(_form_of(queue), data={"do": "confirm", "lead": _lead_of(queue)})
    assert "Nothing to decide" in hana.get(answer.location).text
    session.expire_all()
    states = session.execute(select(Sale.order_number, Sale.state).order_by(Sale.row)).all()
    assert [tuple(each) for each in states] == [("A-1", "matched"), ("A-2", "matched")]

    timeline = hana.get(f"/hq/leads/{session.scalars(select(Sale.lead_id)).first()}").text
    assert "Sold, as a sales file says" in timeline

    hana.post(f"{address}/undo")
    assert "Taken back" in hana.get(address).text
    session.expire_all()
    assert session.scalars(select(Sale)).all() == []
    kinds = session.scalars(select(Event.kind).where(Event.kind.like("sale%"))).all()
    assert sorted(kinds) == ["sale_matched"] * 2 + ["sale_unmatched"] * 2


def _form_of(page: str) -> str:
    found = re.search(r'action="(/hq/sales/queue/\d+[^"]*)"', page)
    assert found
    return found[1]


def _lead_of(page: str) -> str:
    found = re.search(r'name="lead" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_sale_is_given_to_a_lead_by_its_reference_and_taken_off_again(
    hana: FlaskClient, session: Session, sessions: SessionFactory, leads: dict[str, str]
) -> None:
    begun(hana, sessions)
    sale = session.scalars(select(Sale).where(Sale.order_number == "A-2")).one()
    address = f"/hq/sales/queue/{sale.id}"
    wrong = hana.post(address, data={"do": "hand", "reference": "XXXX-9999"})
    assert wrong.status_code == 422
    assert "No lead of this market has that reference." in wrong.text
    hana.post(address, data={"do": "hand", "reference": leads["Iza Mak"].replace("-", " ").lower()})
    session.expire_all()
    assert (sale.state, sale.lead.reference if sale.lead else "") == ("matched", leads["Iza Mak"])
    page = hana.get(f"/hq/sales/queue?sale={sale.id}").text
    assert "Named by a person" in page
    assert "Decided by Hana." in page
    hana.post(address, data={"do": "take_back"})
    session.expire_all()
    assert (sale.state, sale.decided_by) == ("proposed", None)
    hana.post(address, data={"do": "reject"})
    session.expire_all()
    assert sale.state == "rejected"
    again = hana.post(address, data={"do": "reject"}, follow_redirects=True)
    assert "Somebody has decided about this sale in the meantime." in again.text


def test_columns_that_no_sale_could_be_read_by_are_refused_with_a_reason(
    hana: FlaskClient,
) -> None:
    address = upload(hana, SALES)
    columns = columns_of(hana.get(address).text)
    twice = hana.post(f"{address}/columns", data={**columns, "column.8": "model", "do": "start"})
    assert twice.status_code == 422
    assert "Each column can be one field only" in twice.text
    undated = hana.post(f"{address}/columns", data={**columns, "column.0": "", "do": "start"})
    assert "Say which column holds the day of the sale." in undated.text
    bare = {"column.0": "sold_on", "column.7": "value", "do": "start"}
    assert "by which a lead can be found" in hana.post(f"{address}/columns", data=bare).text
    assert "draft" in {file.state for file in _files(hana)}


def _files(client: FlaskClient) -> list[SalesFile]:
    from lmt.scope import SYSTEM, act_as

    with act_as(client.application.extensions["lmt"].sessions(), SYSTEM) as session:
        return list(session.scalars(select(SalesFile)))


def test_another_markets_sales_are_nobodys_business(
    hana: FlaskClient,
    session: Session,
    sessions: SessionFactory,
    leads: dict[str, str],
    world: World,
    cast: dict[str, User],
    login: Callable[..., FlaskClient],
) -> None:
    address = begun(hana, sessions)
    sale = session.scalars(select(Sale.id).order_by(Sale.row)).first()
    # The same sales, but of the Gulf.
    session.query(SalesFile).update({"market_id": world.markets["GULF"]})
    session.query(Sale).update({"market_id": world.markets["GULF"]})
    session.commit()
    assert hana.get(address).status_code == 404
    assert hana.get(f"{address}/failed").status_code == 404
    assert hana.post(f"{address}/undo").status_code == 404
    assert hana.get(f"/hq/sales/queue?sale={sale}").status_code == 404
    assert hana.post(f"/hq/sales/queue/{sale}", data={"do": "reject"}).status_code == 404
    assert "luty.csv" not in hana.get("/hq/sales").text
    refused = hana.post(
        "/hq/sales",
        data={"market": "GULF", "file": (io.BytesIO(b"a,b\r\n1,2\r\n"), "x.csv")},
        content_type="multipart/form-data",
    )
    assert refused.status_code == 422
    anna = login(hana, cast["anna"])
    assert anna.get("/hq/sales").status_code == 403


def test_what_is_no_table_is_refused_with_a_reason(hana: FlaskClient) -> None:
    answer = hana.post(
        "/hq/sales",
        data={"market": "PL", "file": (io.BytesIO(b"%PDF-1.7 ..."), "sales.csv")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 422
    assert "This is a PDF document." in answer.text
