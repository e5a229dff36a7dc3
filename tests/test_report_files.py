"""Reports taken away: the same numbers as on screen, raw; and the leads behind them, any number."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.i18n import reading
from lmt.models import Lead, SettingChange, User
from lmt.reports import export
from lmt.reports.figures import BY_CODE
from lmt.reports.refresh import refresh
from tests.reportanswers import answer
from tests.world import somebody

ROWS = int(os.environ.get("LMT_REPORT_ROWS", "8000"))
"""Of the export whose memory is measured; 1,000,000 in the soak."""
MOST_MB_MORE = 60
DEALERS = ("=1+1", "Łódź Motors", "مركز دبي")
CHANNELS = ("Web form", "Phone")


def names(_dimension: str, key: str) -> str:
    return key


def csv_of(made: Any) -> list[list[str]]:
    whole = "".join(export.csv_lines(made))
    assert whole.startswith(export.BYTE_ORDER_MARK)
    return list(csv.reader(io.StringIO(whole.removeprefix(export.BYTE_ORDER_MARK))))


def sheets_of(made: Any, **more: str) -> dict[str, list[list[Any]]]:
    out = io.BytesIO()
    export.xlsx(made, out, names, **more)
    book = CalamineWorkbook.from_filelike(io.BytesIO(out.getvalue()))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_a_csv_has_codes_names_and_raw_numbers() -> None:
    made = answer(DEALERS, figures=("leads", "conversion", "response"))
    head, first, *_rest = csv_of(made)
    assert head == ["dealer", "dealer_name", "leads", "conversion", "response"]
    # What a spreadsheet would compute is text.
    assert first == ["r0", "'=1+1", "100", "0.1", "31.5"]


def test_two_dimensions_are_told_one_line_a_cell() -> None:
    made = answer(DEALERS, CHANNELS, by=("dealer", "channel"), figures=("leads",))
    head, *lines = csv_of(made)
    assert head == ["dealer", "dealer_name", "channel", "channel_name", "leads"]
    assert len(lines) == 6
    assert sum(int(line[-1]) for line in lines) == made.value("leads")


def test_what_it_is_compared_with_stands_beside_it() -> None:
    head, first, *_rest = csv_of(
        answer(("1", "2"), by=("day", ""), figures=("leads",), compare="before")
    )
    assert head == ["day", "day_name", "leads", "leads_before"]
    assert first == ["r0", "1", "100", "75"]


def test_amounts_of_several_currencies_stay_empty() -> None:
    [_head, first, *_rest] = csv_of(answer(DEALERS, figures=("value",), currency=""))
    assert first[-1] == ""


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_workbook_has_numbers_definitions_and_the_question(locale: str) -> None:
    made = answer(DEALERS, figures=("leads", "conversion", "response", "value"), compare="year")
    with reading(locale):
        numbers, definitions, question = sheets_of(
            made, title="Conversion", asked_by="Omar"
        ).values()
        formulas = [str(BY_CODE[code].formula) for code in made.question.figures]
        assert numbers[0][2:4] == [str(BY_CODE["leads"].name), str(BY_CODE["conversion"].name)]
    assert numbers[1] == ["r0", "=1+1", 100, 0.1, 31.5, 10000, 75, 7 / 75, 25, 7500] or numbers[1][
        :6
    ] == ["r0", "=1+1", 100, 0.1, 31.5, 10000]
    assert [line[2] for line in definitions[1:]] == formulas
    told = {line[1] for line in question}
    assert {"Conversion", "Omar", "2026-07-01", "2026-09-30", made.value("leads")} <= told


@pytest.fixture
def counted(
    sessions: SessionFactory, offered_lead: Callable[..., Lead], cast: dict[str, User]
) -> datetime:
    """Three leads at PL-WAW-1, counted."""
    for _each in range(3):
        lead = offered_lead(**somebody())
    at = lead.created_at + timedelta(hours=1)
    refresh(sessions, at)
    return at


def week_of(at: datetime) -> str:
    day = at.date()
    first, last = day - timedelta(days=3), day + timedelta(days=3)
    return f"from={first}&to={last}&rows=dealer&figures=leads,conversion"


FORMS = {"csv": b"\xef\xbb\xbf", "xlsx": b"PK", "png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF-"}


def test_every_form_of_a_report_comes_as_a_file_of_its_name(
    client: FlaskClient, login: Any, cast: dict[str, User], counted: datetime
) -> None:
    login(client, cast["omar"])
    for form, begin in FORMS.items():
        got = client.get(f"/reports/file.{form}?{week_of(counted)}")
        assert got.status_code == 200, got.text
        assert got.data.startswith(begin)
        assert got.headers["Cache-Control"] == "no-store"
        assert got.headers["Content-Disposition"].startswith('attachment; filename="report-2026-')
        assert got.headers["Content-Disposition"].endswith(f'.{form}"')
    assert b"PL-WAW-1" in client.get(f"/reports/file.csv?{week_of(counted)}").data


def test_what_cant_be_asked_or_made_is_refused(
    client: FlaskClient, login: Any, cast: dict[str, User]
) -> None:
    assert client.get("/reports/file.csv").status_code == 302
    login(client, cast["omar"])
    assert client.get("/reports/file.docx").status_code == 404
    assert client.get("/reports/file.csv?rows=nonsense").status_code == 422
    assert client.get("/reports/leads.pdf").status_code == 404
    assert client.get("/reports/leads.csv?figure=nonsense").status_code == 404


def lines_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def test_the_leads_behind_a_number_are_as_many_with_their_customers_for_who_may(
    client: FlaskClient, login: Any, cast: dict[str, User], counted: datetime, session: Session
) -> None:
    address = f"{week_of(counted)}&row=PL-WAW-1&figure=leads"
    login(client, cast["hana"])
    lines = lines_of(client.get(f"/reports/leads.csv?{address}").data)
    assert len(lines) == 3
    assert {line["Dealer's code"] for line in lines} == {"PL-WAW-1"}
    assert {line["Name"] for line in lines} == {"Jan Kowal"}
    taken = session.scalars(select(SettingChange).where(SettingChange.kind == "export")).all()
    assert [(each.subject, each.after["rows"]) for each in taken] == [("report-leads", 3)]
    book = client.get(f"/reports/leads.xlsx?{address}")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).get_sheet_by_index(0)
    assert len(sheet.to_python()) == 4


def test_who_may_take_no_customers_gets_the_leads_without(
    client: FlaskClient,
    login: Any,
    cast: dict[str, User],
    counted: datetime,
    session: Session,
) -> None:
    role = cast["bert"].roles[0]
    role.permissions = [code for code in role.permissions if code != "lead.export"]
    session.commit()
    login(client, cast["bert"])
    got = client.get(f"/reports/leads.csv?{week_of(counted)}&figure=leads")
    lines = lines_of(got.data)
    assert len(lines) == 3
    assert "Name" not in lines[0]
    assert b"Kowal" not in got.data


_CHILD = """
import sys, time
from datetime import UTC, date, datetime
from pathlib import Path
import psutil
from lmt.db import engine_for, reading_sessions_for
from lmt.i18n import Reader
from lmt.reportpages import leadfile
from lmt.reports import drill
from lmt.reports.question import Question
from lmt.scope import SYSTEM, act_as
folder = Path(sys.argv[2])
sessions = reading_sessions_for(engine_for(sys.argv[1]))
at = datetime(2026, 10, 1, tzinfo=UTC)
def take(last, form):
    question = Question(date(2026, 1, 1), last, rows="market")
    with act_as(sessions(), SYSTEM) as session, open(folder / form, "wb") as out:
        told = session, drill.each(session, question, drill.Cell(), at=at), at, Reader()
        if form == "csv":
            out.writelines(leadfile.csv(*told, persons=True))
        else:
            leadfile.write_workbook(out, *told, persons=True, folder=folder)
for form in ("csv", "xlsx"):
    take(date(2026, 1, 1), form)
little = psutil.Process().memory_info().rss
for form in ("csv", "xlsx"):
    began = time.monotonic()
    take(date(2026, 12, 31), form)
    most = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
    print(form, most, most - little, round(time.monotonic() - began, 1))
"""


def test_an_export_of_any_size_needs_the_same_memory(
    session: Session,
    settings: Settings,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    tmp_path: Path,
) -> None:
    lead = offered_lead()
    refresh(sessions, lead.created_at)
    multiply(session, lead, ROWS)
    run = [sys.executable, "-c", _CHILD, settings.database_url, str(tmp_path)]
    told = subprocess.run(run, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    for line in told.stdout.splitlines():
        form, most, more, seconds = line.split()
        size = (tmp_path / form).stat().st_size / 1e6
        print(
            f"{ROWS} leads as {form}: {size:.0f} MB in {seconds} s,"
            f" {int(most) / 1e6:.0f} MB resident, {int(more) / 1e6:.0f} MB more than for none"
        )
        assert int(more) < MOST_MB_MORE * 1e6
    with (tmp_path / "csv").open("rb") as file:
        assert sum(1 for _line in file) == ROWS + 2


def multiply(session: Session, lead: Lead, many: int) -> None:
    """As many more leads like this one, with their facts."""
    session.execute(text("ALTER TABLE lead DISABLE TRIGGER USER"))
    for table, id, also in (
        ("lead", "id", {"reference": "'R' || n"}),
        ("lead_fact", "lead_id", {}),
    ):
        columns = list(
            session.scalars(
                text(
                    "SELECT quote_ident(column_name) FROM information_schema.columns WHERE"
                    " table_schema = 'public' AND table_name = :table AND is_generated = 'NEVER'"
                    " AND is_identity = 'NO'"
                ),
                {"table": table},
            )
        )
        new = {id: "md5(n::text)::uuid", **also}
        chosen = ", ".join(new.get(name, name) for name in columns)
        session.execute(
            text(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table},"
                f" generate_series(1, :many) AS n WHERE {id} = :lead"
            ),
            {"many": many, "lead": lead.id},
        )
    session.execute(text("ALTER TABLE lead ENABLE TRIGGER USER"))
    session.commit()
    session.execute(text("ANALYZE lead, lead_fact"))
    session.commit()
