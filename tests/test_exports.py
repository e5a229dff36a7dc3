"""Lists as files: every row that the reader may see, in their words, and nothing that runs."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.db import SessionFactory
from lmt.exports import answers, listing, service
from lmt.exports.leads import leads_listing
from lmt.files import writing
from lmt.files.layout import Layout
from lmt.files.neutral import neutral, restored
from lmt.files.table import opened
from lmt.i18n import Reader, gettext, reading
from lmt.labels import label
from lmt.models import Lead, Message, SettingChange, Suppression, User
from lmt.scope import actor_of
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

WAW = "Europe/Warsaw"
LISTS = ("leads", "dealers", "intake", "outbox", "sources", "campaigns", "do-not-contact")
FORMULAS = ("=1+1", "@SUM(A1)", "+1+2", "-2+3", "\t=1", "\r=1", "＝1", " =1", "\ufeff=1", "'=1")

Login = Callable[[FlaskClient, User], FlaskClient]


@pytest.fixture
def as_(app: Flask, cast: dict[str, User], login: Login) -> Callable[[str], FlaskClient]:
    return lambda name: login(app.test_client(), cast[name])


def lines(answer: Any) -> list[dict[str, str]]:
    """The rows of a CSV by their header, as a program reads them."""
    assert answer.status_code == 200, answer.text[:300]
    text = answer.get_data().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sheet(answer: Any) -> list[dict[str, Any]]:
    """The rows of a workbook's only sheet by their header."""
    assert answer.status_code == 200, answer.text[:300]
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.get_data()))
    header, *rows = book.get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


# What is written


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert neutral(text) == f"'{text}"
    assert restored(neutral(text)) == text


@pytest.mark.parametrize("text", ["-5", "+3.5", "1,234.50", "+48512345678", "a=1", "", "O'Neill"])
def test_what_runs_nothing_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text
    assert restored(text) == text


SIGNS = st.sampled_from("=+-@\t\r\n＝＋－＠'\";, a1.\u200b\ufeff")
TEXTS = st.one_of(st.text(SIGNS, max_size=8), st.text(max_size=8))


@given(TEXTS)
def test_neutral_text_can_always_be_taken_back(text: str) -> None:
    assert restored(neutral(text)) == text
    assert neutral(text)[:1] not in set("=@\t\r\n＝＋－＠")


CELLS = st.text(
    st.one_of(SIGNS, st.characters(codec="utf-8", exclude_characters="\0")), max_size=12
)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_every_text_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    file = folder / "given.csv"
    kept = [["row", *row] for row in rows]
    file.write_bytes(b"".join(writing.csv_bytes(["Row", "A", "B", "C"], kept)))
    # A header of such words could as well be a row: here it is known.
    table = opened(file, folder, Layout(delimiter=",", header_line=1))
    read = [[restored(cell) for cell in row.cells] for row in table.rows()]
    assert read == [[_with_lf(cell) for cell in row] for row in kept]


def _with_lf(text: str) -> str:
    """Line ends within a cell are read as one sign, whoever wrote them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_encodings_and_delimiters() -> None:
    written = b"".join(
        writing.csv_bytes(["Größe", "Id"], [["5;6", 1]], encoding="cp1252", delimiter=";")
    )
    assert written == 'Größe;Id\r\n"5;6";1\r\n'.encode("cp1252")
    wide = b"".join(writing.csv_bytes(["a"], [["é"], ["b"]], encoding="utf-16"))
    assert wide.decode("utf-16") == "a\r\né\r\nb\r\n"
    lacking = b"".join(writing.csv_bytes(["a"], [["سيارة"]], encoding="cp1252"))
    assert lacking == b"a\r\n?????\r\n"


def test_a_workbook_has_cells_of_their_kind(tmp_path: Path) -> None:
    instant = datetime(2026, 3, 6, 9, 12, tzinfo=UTC)
    row: list[writing.Cell] = [
        "=1+1",
        3,
        2.5,
        Decimal("9.90"),
        instant,
        date(2026, 3, 6),
        None,
        "x" * 40_000,
    ]
    file = io.BytesIO()
    writing.write_xlsx(
        file, list("abcdefgh"), [row], title="A [list]: of all/any?", folder=tmp_path
    )
    file.seek(0)
    book = CalamineWorkbook.from_filelike(file)
    assert book.sheet_names == ["A  list   of all any"]
    _header, cells = book.get_sheet_by_index(0).to_python()
    assert cells[:4] == ["=1+1", 3, 2.5, 9.9]
    assert cells[4:7] == [datetime(2026, 3, 6, 9, 12), date(2026, 3, 6), ""]
    assert len(str(cells[7])) == writing.MOST_SHEET_LETTERS
    assert b"<f>" not in zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml")
    assert not list(tmp_path.iterdir())


# Who gets what


def test_each_sees_their_own_part(
    session: Session, sessions: SessionFactory, as_: Callable[[str], FlaskClient]
) -> None:
    for source, name in (("api-pl", "Jan Kowal"), ("api-gulf", "Sara Nasser")):
        place = {"city": "Warszawa", "country": "PL"} if name == "Jan Kowal" else {
            "city": "الرياض", "country": "SA"
        }  # fmt: skip
        data = warsaw_lead(full_name=name, **somebody()) | {"address": place}
        pipeline.advance(sessions, send(session, source, data, FRIDAY).id, FRIDAY)
    seen = {
        name: [row["Name"] for row in lines(as_(name).get("/hq/leads.csv"))]
        for name in ("hana", "omar")
    }
    assert seen == {"hana": ["Jan Kowal"], "omar": ["Sara Nasser", "Jan Kowal"]}
    noted = session.scalars(select(SettingChange).order_by(SettingChange.id)).all()
    assert [each.after["rows"] for each in noted] == [1, 2]
    (own,) = lines(as_("bert").get("/desk/leads.csv?tab=new"))
    assert (own["Name"], own["Dealer's code"], own["Dealer"]) == (
        "Jan Kowal", "PL-WAW-1", "Aurel Centrum",
    )  # fmt: skip
    assert float(own["Distance in km"]) < 5


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("anna", "/desk/leads.csv"),
        ("cem", "/hq/leads.csv"),
        ("cem", "/hq/dealers.xlsx"),
        ("bert", "/hq/leads.csv"),
    ],
)
def test_others_are_refused(
    as_: Callable[[str], FlaskClient], session: Session, name: str, address: str
) -> None:
    assert as_(name).get(address).status_code == 403
    assert session.scalar(select(SettingChange).where(SettingChange.kind == "export")) is None


def test_the_control_is_for_those_who_may(
    as_: Callable[[str], FlaskClient], offered_lead: Callable[..., Lead]
) -> None:
    offered_lead()
    assert "/hq/leads.csv?status=open" in as_("hana").get("/hq/leads?status=open").text
    assert "/desk/leads.xlsx?tab=new" in as_("bert").get("/desk/").text
    assert "/desk/leads.xlsx" not in as_("anna").get("/desk/").text
    assert "/hq/leads.csv" not in as_("cem").get("/hq/leads").text


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_every_list_of_headquarters_can_be_taken(
    as_: Callable[[str], FlaskClient],
    offered_lead: Callable[..., Lead],
    session: Session,
    world: World,
    form: str,
) -> None:
    lead = offered_lead()
    session.add(
        Suppression(
            kind="phone", value="+48600000000", origin="list", created_at=FRIDAY,
            market_id=world.markets["PL"],
        )
    )  # fmt: skip
    session.commit()
    read = lines if form == "csv" else sheet
    hana = as_("hana")
    found = {name: read(hana.get(f"/hq/{name}.{form}")) for name in LISTS}
    assert [row["Reference"] for row in found["leads"]] == [lead.reference]
    assert [row["Dealer's code"] for row in found["dealers"]] == [
        "PL-CARE", "PL-WAW-1", "PL-WAW-2",
    ]  # fmt: skip
    assert found["dealers"][1]["Leads today"] in {"0", 0}  # That Friday is long past.
    assert str(found["dealers"][1]["Open leads"]) in {"1", "1.0"}
    assert {row["Source's code"] for row in found["sources"]} == {"api-pl", "adf-pl", "form-pl"}
    assert {row["Lead"] for row in found["outbox"]} == {lead.reference}
    assert [row["Phone or mail address"] for row in found["do-not-contact"]] == ["+48600000000"]
    only = read(hana.get(f"/hq/do-not-contact.{form}?search=700000000"))
    assert (found["intake"], found["campaigns"], only) == ([], [], [])


# The file


def test_filters_are_those_of_the_page(
    as_: Callable[[str], FlaskClient], sent_lead: Callable[..., Lead]
) -> None:
    for name in ("Ada One", "Ada Two", "Ben Three"):
        sent_lead(full_name=name, **somebody())
    hana = as_("hana")
    ada = lines(hana.get("/hq/leads.csv?search=ada&status=received"))
    assert [row["Name"] for row in ada] == ["Ada Two", "Ada One"]
    assert lines(hana.get("/hq/leads.csv?search=ada&status=won")) == []


def test_rows_are_in_the_readers_words_and_on_their_clock(
    as_: Callable[[str], FlaskClient], session: Session, offered_lead: Callable[..., Lead]
) -> None:
    comments = '=HYPERLINK("http://x.example")\nsecond line'
    lead = offered_lead()
    lead.comments, lead.postcode = comments, "01-067"
    lead.given = {**lead.given, "attributes": {"colour": "أحمر"}}
    session.commit()
    hana = as_("hana")
    answer = hana.get("/hq/leads.csv")
    assert answer.headers["Cache-Control"] == "no-store"
    disposition = answer.headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="leads-\d{4}-\d\d-\d\d\.csv"', disposition)
    (row,) = lines(answer)
    assert row[f"Received ({WAW})"] == "2026-03-06 08:00"
    assert row["Comments"] == f"'{comments}"
    assert row["Further details"] == '{"colour": "أحمر"}'
    assert (row["Status"], row["Request"], row["Phone"]) == ("New", "Test drive", "+48512345678")

    answer = hana.get("/hq/leads.xlsx?lang=ar")
    with reading("ar"):
        received, status = f"{gettext('Received')} ({WAW})", gettext("Status")
        new = label("status", "offered")
    (row,) = sheet(answer)
    assert new != "New"
    assert row[received] == datetime(2026, 3, 6, 8, 0)
    assert row[status] == new
    assert comments in row.values()
    assert "01-067" in row.values()
    inside = zipfile.ZipFile(io.BytesIO(answer.get_data())).read("xl/worksheets/sheet1.xml")
    assert b'rightToLeft="1"' in inside
    assert b"<f>" not in inside


def test_all_rows_come_in_few_statements_and_no_transaction_stays_open(
    sessions: SessionFactory,
    session: Session,
    engine: Engine,
    cast: dict[str, User],
    sent_lead: Callable[..., Lead],
    count_queries: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "PAGE_ROWS", 3)
    made = [sent_lead(**somebody()).reference for _each in range(7)]
    session.commit()
    session.close()
    count_queries.clear()
    actor, reader = actor_of(cast["hana"]), Reader("en", WAW)
    counts = []
    taken = []
    for row in listing.rows_of(leads_listing([], FRIDAY), sessions, actor, reader):
        taken.append(row[0])
        counts.append(len(count_queries))
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert taken == made[::-1]
    # A page is read when its first row is asked for: as many statements for 3 rows as for 1.
    assert counts[0] <= 5
    assert counts == [counts[0]] * 3 + [2 * counts[0]] * 3 + [3 * counts[0]]


def test_a_list_that_breaks_off_says_so_at_its_end(
    as_: Callable[[str], FlaskClient],
    sent_lead: Callable[..., Lead],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "PAGE_ROWS", 1)
    names = [sent_lead(**somebody()).reference for _each in range(2)]
    whole, asked = listing.Listing.page, []

    def page(self: Any, *rest: Any) -> Any:
        asked.append(rest)
        if len(asked) > 1:
            raise OSError("the database is gone")
        return whole(self, *rest)

    monkeypatch.setattr(listing.Listing, "page", page)
    first, last = lines(as_("hana").get("/hq/leads.csv"))
    assert first["Reference"] == names[1]
    assert last["Reference"].startswith("The download broke off here")


def test_a_list_too_long_for_a_workbook_is_refused_before_it_begins(
    as_: Callable[[str], FlaskClient],
    session: Session,
    sent_lead: Callable[..., Lead],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _each in range(3):
        sent_lead(**somebody())
    for module in (service, answers):
        monkeypatch.setattr(module, "MOST_SHEET_ROWS", 2)
    hana = as_("hana")
    answer = hana.get("/hq/leads.xlsx?status=received", follow_redirects=True)
    assert answer.request.path == "/hq/leads"
    assert "These are 3 rows, and a workbook holds 2." in answer.text
    assert session.scalar(select(SettingChange).where(SettingChange.kind == "export")) is None
    assert len(lines(hana.get("/hq/leads.csv?status=received"))) == 3


def test_who_took_what_is_written_down_without_names(
    as_: Callable[[str], FlaskClient],
    session: Session,
    world: World,
    sent_lead: Callable[..., Lead],
) -> None:
    sent_lead(full_name="Ada Kowal")
    as_("hana").get("/hq/leads.csv?search=Ada&status=received")
    (noted,) = session.scalars(select(SettingChange).where(SettingChange.kind == "export"))
    assert (noted.user_id, noted.subject) == (world.users["hana"], "leads")
    filters = {"search": True, "status": "received"}
    assert noted.after == {"format": "csv", "rows": 1, "filters": filters}


def test_slow_downloads_never_hold_every_thread(
    as_: Callable[[str], FlaskClient], sent_lead: Callable[..., Lead]
) -> None:
    sent_lead()
    hana = as_("hana")
    begun = [hana.get("/hq/leads.csv") for _each in range(4)]
    refused = hana.get("/hq/leads.csv", follow_redirects=True)
    assert "Several lists are being downloaded." in refused.text
    begun[0].close()  # One has gone away, another one reads to the end.
    assert len(lines(begun[1])) == 1
    assert len(lines(hana.get("/hq/leads.csv"))) == 1


def test_messages_are_filtered_like_the_outbox(
    as_: Callable[[str], FlaskClient], session: Session, offered_lead: Callable[..., Lead]
) -> None:
    offered_lead()
    message = session.scalars(select(Message)).first()
    assert message is not None
    message.status, message.problem = "failed", "=cmd"
    session.commit()
    (row,) = lines(as_("hana").get("/hq/outbox.csv?status=failed"))
    assert (row["Status"], row["Problem"]) == ("Failed", "'=cmd")
