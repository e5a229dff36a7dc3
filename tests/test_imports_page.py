"""Headquarters brings a file of leads: columns, preview, check, import, failed rows, taken back."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Callable, Iterator

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lmt import jobs
from lmt.db import SessionFactory
from lmt.lifecycle import Status
from lmt.models import ImportRow, ImportRun, Lead, Source, User
from tests.world import FRIDAY, World

CALLS = (
    "Nazwisko;Telefon;E-mail;Miasto;Wynik;Kolor\r\n"
    "Ewa Lis;512 300 101;ewa.lis@mail.example;Warszawa;zainteresowany;zielony\r\n"
    "Adam Gil;512 300 102;;Warszawa;nie dzwonić;\r\n"
    "Jan Kos;;;Warszawa;zainteresowany;\r\n"
    "Ola Rak;512 300 104;;Warszawa;nie odbiera;\r\n"
    "Iza Mak;512 300 105;;Warszawa;zainteresowana;\r\n"
)
"""Two leads, a do-not-call, a row without contact, a call that nobody took."""


@pytest.fixture(autouse=True)
def friday() -> Iterator[None]:
    with time_machine.travel(FRIDAY, tick=False):
        yield


@pytest.fixture
def calls(session: Session, world: World) -> str:
    """The code of a source of files."""
    source = Source(
        code="calls-pl",
        kind="file",
        name="Kraków calls",
        market_id=world.markets["PL"],
        country="PL",
        language="pl",
        tells_customer=False,
    )
    session.add(source)
    session.commit()
    return source.code


@pytest.fixture
def hana(
    friday: None, client: FlaskClient, cast: dict[str, User], login: Callable[..., FlaskClient]
) -> FlaskClient:
    return login(client, cast["hana"])


def upload(
    client: FlaskClient, source: str, content: bytes, name: str = "list.csv"
) -> TestResponse:
    return client.post(
        "/hq/imports/new",
        data={"source": source, "file": (io.BytesIO(content), name)},
        content_type="multipart/form-data",
    )


def columns_of(page: str) -> dict[str, list[str]]:
    """The fields of the columns' form as the page sends them back."""
    form = page[page.index('id="columns-form"') :]
    data: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value:
            data.setdefault(name[1], []).append(value[1])
    for select_tag in re.findall(r"(?s)<select[^>]*name=\"target\".*?</select>", form):
        chosen = re.search(r'value="([^"]*)" selected', select_tag)
        data.setdefault("target", []).append(chosen[1] if chosen else "")
    return data


def the_run(session: Session) -> ImportRun:
    session.expire_all()
    return session.scalars(select(ImportRun).order_by(ImportRun.id.desc())).first() or ImportRun()


def work(sessions: SessionFactory) -> None:
    """Do all the jobs that wait."""
    while jobs.work(sessions, FRIDAY):
        pass


def test_a_file_is_looked_at_imported_mended_and_taken_back(
    hana: FlaskClient, session: Session, sessions: SessionFactory, calls: str
) -> None:
    answer = upload(hana, calls, CALLS.encode("cp1250"))
    assert answer.status_code == 302, answer.text
    address = answer.location
    page = hana.get(address).text
    assert "Ewa Lis" in page
    assert "+48512300101" in page
    assert "No mail address and no phone that works" in page

    given = columns_of(page)
    assert dict(zip(given["path"], given["target"], strict=True)) == {
        "Nazwisko": "customer.full_name",
        "Telefon": "customer.phone",
        "E-mail": "customer.email",
        "Miasto": "address.city",
        "Wynik": "call.disposition",
        "Kolor": "",
    } | {"Nazwisko": given["target"][given["path"].index("Nazwisko")]}
    given["target"][given["path"].index("Nazwisko")] = "customer.full_name"
    hana.post(f"{address}/columns", data={**given, "do": "check"})
    page = hana.get(address).text
    assert "5 rows were checked" in page
    assert session.scalars(select(Lead).where(Lead.import_id.is_not(None))).all() == []

    hana.post(f"{address}/columns", data={**given, "do": "start"})
    work(sessions)
    run = the_run(session)
    assert (run.state, run.position, run.accepted, run.history, run.suppressed, run.failed) == (
        "finished", 5, 2, 1, 1, 1,
    )  # fmt: skip
    page = hana.get(address).text
    assert "Jan Kos" in page
    its_leads = f"/hq/leads?import={address.split('/')[-1]}"
    assert its_leads in page
    listed = hana.get(its_leads).text
    assert "Ewa Lis" in listed
    assert "Ola Rak" not in listed

    failed = hana.get(f"{address}/failed")
    assert failed.headers["Cache-Control"] == "no-store"
    text = failed.data.decode("cp1250")
    assert text.splitlines()[0].endswith("Nazwisko;Telefon;E-mail;Miasto;Wynik;Kolor")
    mended = text.replace("Jan Kos;;", "Jan Kos;512 300 103;")
    answer = upload(hana, calls, mended.encode("cp1250"), "list.failed.csv")
    hana.post(f"{answer.location}/columns",
              data={**columns_of(hana.get(answer.location).text), "do": "start"})  # fmt: skip
    work(sessions)
    run = the_run(session)
    assert (run.position, run.accepted, run.failed) == (1, 1, 0)

    hana.post(f"{address}/undo")
    work(sessions)
    page = hana.get(address).text
    assert "2 leads were taken back" in page
    leads = session.scalars(select(Lead).where(Lead.import_id == uuid.UUID(address.split("/")[-1])))
    assert {lead.status for lead in leads} == {Status.WITHDRAWN}


def test_an_import_is_paused_and_goes_on(
    hana: FlaskClient, session: Session, sessions: SessionFactory, calls: str
) -> None:
    address = upload(hana, calls, CALLS.encode()).location
    hana.post(f"{address}/columns", data={**columns_of(hana.get(address).text), "do": "start"})
    assert "Waiting for the worker" in hana.get(f"{address}/progress?state=waiting").text
    hana.post(f"{address}/pause")
    work(sessions)
    assert (the_run(session).state, the_run(session).position) == ("paused", 0)
    moved = hana.get(f"{address}/progress?state=running")
    assert moved.headers["HX-Refresh"] == "true"
    hana.post(f"{address}/resume")
    work(sessions)
    assert (the_run(session).state, the_run(session).position) == ("finished", 5)


def test_what_is_no_table_is_refused_with_its_reason(
    hana: FlaskClient, session: Session, calls: str
) -> None:
    refused = upload(hana, calls, b"<html><body><table><tr><td>x</td></tr></table></body></html>",
                     "leads.xlsx")  # fmt: skip
    assert refused.status_code == 422
    assert "This is a web page, whatever its name says." in refused.text
    assert upload(hana, "", b"a;b\n1;2\n").status_code == 422
    assert session.scalars(select(ImportRun)).all() == []


def test_pages_of_an_import_ask_a_bounded_number_of_questions(
    hana: FlaskClient, session: Session, sessions: SessionFactory, calls: str,
    count_queries: list[str],
) -> None:  # fmt: skip
    rows = "".join(f"Nobody {n};;;Warszawa;;\r\n" for n in range(60))
    address = upload(hana, calls, (CALLS + rows).encode()).location
    given = columns_of(hana.get(address).text)
    hana.post(f"{address}/columns", data={**given, "do": "start"})
    work(sessions)
    assert len(session.scalars(select(ImportRow)).all()) == 62
    for number in range(3):
        upload(hana, calls, f"Name;Telefon\nPerson {number};51230020{number}\n".encode())
    count_queries.clear()
    page = hana.get(address).text
    assert "after=" in page
    assert len(count_queries) <= 12
    count_queries.clear()
    hana.get("/hq/imports")
    assert len(count_queries) <= 8


def test_a_file_is_for_who_may_import(
    client: FlaskClient, cast: dict[str, User], login: Callable[..., FlaskClient], calls: str
) -> None:
    for name in ("anna", "bert", "cem"):
        with client.application.test_client() as own:
            assert login(own, cast[name]).get("/hq/imports").status_code == 403
            assert upload(own, calls, b"a;b\n").status_code == 403


def test_an_import_is_found_and_looked_at_while_somebody_works_on_it(
    hana: FlaskClient, session: Session, sessions: SessionFactory, calls: str
) -> None:
    address = upload(hana, calls, CALLS.encode()).location
    given = columns_of(hana.get(address).text)
    # A file larger than this one is checked by the worker.
    the_run(session).state = "checking"
    session.commit()
    assert "The whole file is being checked" in hana.get(address).text
    the_run(session).state = "draft"
    session.commit()
    hana.post(f"{address}/columns", data={**given, "do": "start"})
    work(sessions)
    # What became of the rows moves on with the bar.
    progress = hana.get(f"{address}/progress?state=running").text
    assert 'id="counts" hx-swap-oob="true"' in progress
    # The source tells its imports, and not each of their leads.
    page = hana.get(f"/hq/sources/{calls}").text
    assert f'href="{address}"' in page
    assert "2 leads" in page
    assert f'href="/hq/imports/new?source={calls}"' in page
    assert address in hana.get(f"/hq/imports?source={calls}").text
    assert address not in hana.get("/hq/imports?source=another").text


def test_columns_that_mean_nothing_are_folded_away_where_they_are_many(
    hana: FlaskClient, calls: str
) -> None:
    answers = [f"Answer {number}" for number in range(9)]
    lines = [";".join(["Name", "Phone", *answers]), ";".join(["Ewa Lis", "512 300 101", *"a" * 9])]
    page = hana.get(upload(hana, calls, "\r\n".join(lines).encode()).location).text
    assert "9 more columns, kept beside the lead" in page
    assert sorted(columns_of(page)["path"]) == sorted(["Name", "Phone", *answers])
