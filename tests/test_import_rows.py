"""Rows of files: what files did to them is undone, and each becomes a lead, a call or a fault."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmt.files.columns import ColumnStyle, column_styles
from lmt.i18n import reading
from lmt.imports.rows import Call, RowError, RowRead, RowReader, call_instant
from lmt.imports.suggesting import suggested
from lmt.imports.words import row_error_words
from lmt.ingest.phones import e164
from lmt.mapping.apply import mapped
from lmt.mapping.bycolumn import ByColumn
from lmt.mapping.model import Line, Mapping, MappingError
from lmt.mapping.targets import FILE_TARGETS, TARGETS

DMY, MDY = ColumnStyle("dmy"), ColumnStyle("mdy")


def read(mapping: dict[str, str], cells: dict[str, str], **styles: ColumnStyle) -> RowRead:
    """One row; `mapping` is {target: column, or columns joined by "+"}."""
    lines = (
        Line(target, tuple(paths.split("+")), how="join" if "+" in paths else "first")
        for target, paths in mapping.items()
    )
    columns = list(cells)
    style = [styles.get(column, ColumnStyle()) for column in columns]
    return RowReader(Mapping(tuple(lines)), columns, style).read(list(cells.values()))


MAIL = {"customer.email": "Mail"}
JAN = {"Mail": "jan@example.com"}

_CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "a", "Yes", "no", "1700000000", "x@example.com", "a\nb", "é", "\x00"]
    ),
    st.text(max_size=30),
)
_COLUMNS = ["Name", "name", "Tel", "password", "x.label", "x", "a.b", "_wpcf7", "utf8", "Jahr"]
_LINE = st.builds(
    Line,
    st.sampled_from(
        [*TARGETS, *FILE_TARGETS, "attributes.Hair", "consents.post", "vehicle.trade_in.colour"]
    ),
    st.lists(st.sampled_from([*_COLUMNS, "TEL", "gone"]), max_size=3).map(tuple),
    st.sampled_from(["first", "join"]),
    st.sampled_from([{}, {"a": "b", "YES": "", "é": "e"}]),
    st.sampled_from(["", "fixed"]),
    st.sampled_from(["", "+", "google:"]),
)


@given(
    st.lists(_LINE, max_size=8),
    st.lists(st.sampled_from(_COLUMNS), unique=True, max_size=8),
    st.data(),
)
def test_a_row_by_columns_is_the_row_by_names(
    lines: list[Line], columns: list[str], data: st.DataObject
) -> None:
    mapping = Mapping(tuple(lines))
    cells = data.draw(st.lists(_CELLS, min_size=len(columns), max_size=len(columns)))
    by_name = mapped(mapping, dict(zip(columns, cells, strict=True))).lead
    assert ByColumn(mapping, columns).lead(cells) == by_name


def test_a_long_row_is_bounded_as_any_other_delivery() -> None:
    columns = [f"c{number}" for number in range(300)]
    cells = ["x" * 500] * 300
    mapping = Mapping((Line("customer.email", ("c0",)),))
    lead = ByColumn(mapping, columns).lead(cells)
    assert lead == mapped(mapping, dict(zip(columns, cells, strict=True))).lead
    assert 30 < len(lead["attributes"]) <= 100


@pytest.mark.parametrize(
    ("target", "cell", "style", "kept"),
    [
        ("sent_at", "24.12.2025 13:05", DMY, "2025-12-24T13:05:00"),
        ("sent_at", "24-12-2025", DMY, "2025-12-24T12:00:00"),
        ("sent_at", "03/04/2026 9:30 PM", MDY, "2026-03-04T21:30:00"),
        ("sent_at", "03/04/2026 09:30", DMY, "2026-04-03T09:30:00"),
        ("sent_at", "2026-03-04T09:30:00+01:00", ColumnStyle("ymd"), "2026-03-04T09:30:00+01:00"),
        ("sent_at", "46079.5", ColumnStyle("excel"), "2026-02-26T12:00:00"),
        ("sent_at", "44617.5", ColumnStyle("excel1904"), "2026-02-26T12:00:00"),
        ("sent_at", "1770000000", ColumnStyle(), "2026-02-02T02:40:00+00:00"),
        ("sent_at", "soon", DMY, "soon"),
        ("customer.phone", "4.9151212345678E+13", ColumnStyle(), "49151212345678"),
        ("customer.phone", "491521234567.0", ColumnStyle(), "491521234567"),
        ("customer.phone", "4915 212 345,0", ColumnStyle(), "4915212345"),
        ("customer.phone", "+49 (0)152 / 123-4567", ColumnStyle(), "+49 (0)152 / 123-4567"),
        ("customer.phone", "'+48512345678", ColumnStyle(), "+48512345678"),
        ("address.lat", "52,2298", ColumnStyle(decimal=","), "52.2298"),
        ("address.lon", "21.0118", ColumnStyle(), "21.0118"),
        ("customer.city", "", ColumnStyle(), None),
    ],
)
def test_what_a_file_did_to_a_value_is_undone(
    target: str, cell: str, style: ColumnStyle, kept: Any
) -> None:
    lead = read({target: "X", **MAIL}, {"X": cell, **JAN}, X=style).lead
    found: Any = lead
    for part in target.split("."):
        found = found.get(part, {}) if isinstance(found, dict) else found
    assert (found or None) == kept


@pytest.mark.parametrize(
    "word",
    ["Select", " select ", "-", "--", "n/a", "N/A", "#N/A", "NULL", "Bitte auswählen", "اختر"],
)
def test_a_forms_own_words_are_no_answer(word: str) -> None:
    row = read({"request.model": "Model", **MAIL}, {"Model": word, "More": word, **JAN})
    assert row.lead == {"customer": {"email": "jan@example.com"}}


def test_what_the_mapping_gives_a_meaning_is_an_answer() -> None:
    mapping = Mapping(
        (
            Line("customer.email", ("Mail",)),
            Line("call.disposition", ("Result",), values={"-": "no_answer", "OK": "appointment"}),
        )
    )
    reader = RowReader(mapping, ["Mail", "Result"])
    told = [reader.read(["jan@example.com", result]).call for result in ("-", "ok", "--")]
    assert told == [Call(disposition="no_answer"), Call(disposition="appointment"), None]


def test_a_source_has_words_of_its_own_for_no_answer() -> None:
    mapping = Mapping((Line("customer.email", ("Mail",)),))
    reader = RowReader(mapping, ["Mail", "Model"], settings={"unanswered": ["Egal"]})
    assert reader.read(["jan@example.com", " egal "]).lead == {
        "customer": {"email": "jan@example.com"}
    }


@pytest.mark.parametrize(
    ("mail", "phone", "is_reachable"),
    [
        ("jan@example.com", "", True),
        ("", "0512 345 678", True),
        ("jan at home", "512345", True),
        ("jan at home", "12345", False),
        ("", "", False),
        ("Select", "-", False),
        # A spreadsheet kept seven of twelve digits: nobody can dial that.
        ("", "4.915212E+11", False),
        ("jan@example.com", "4.915212E+11", True),
    ],
)
def test_whoever_can_not_be_reached_fails_by_the_columns(
    mail: str, phone: str, is_reachable: bool
) -> None:
    row = read(
        {"customer.email": "Mail", "customer.phone": "Tel"}, {"Mail": mail, "Tel": phone, "X": "1"}
    )
    assert [(each.field, each.code) for each in row.errors] == (
        [] if is_reachable else [("Mail, Tel", "no_contact")]
    )
    is_cut = phone.endswith("E+11")
    assert [each.code for each in row.notes] == (["phone_cut"] if is_cut else [])


def test_what_the_files_reader_refused_stays_refused() -> None:
    reader = RowReader(Mapping(), ["Mail"])
    assert reader.read(["x"], "nul") == RowRead({}, None, (RowError("", "nul"),))


@pytest.mark.parametrize(
    ("cells", "call", "action"),
    [
        ({}, None, "route"),
        ({"Result": "Not interested"}, Call(disposition="not_interested"), "history"),
        ({"Result": "DNC", "Who": "kb"}, Call(disposition="do_not_call", agent="kb"), "suppress"),
        # Here "NA" is a dialler's no answer, not an empty cell.
        ({"Result": "NA"}, Call(disposition="no_answer"), "history"),
        (
            {"Result": "Call back", "Back": "24.12.2026 10:00", "At": "1.12.2026 9:00"},
            Call("2026-12-01T09:00:00", "call_back", "2026-12-24T10:00:00"),
            "route",
        ),
        (
            {"Result": "Call back", "Back": "24.12.2026"},
            Call(disposition="call_back", back_at="2026-12-24T09:00:00"),
            "route",
        ),
        (
            {"Result": "call back at 24.12.2026 15:30"},
            Call(disposition="call_back", back_at="2026-12-24T15:30:00"),
            "route",
        ),
        ({"Result": "Logistics", "Note": "x"}, Call(note="Logistics\nx"), "route"),
        ({"Note": "friendly"}, Call(note="friendly"), "route"),
    ],
)
def test_a_call_is_told_beside_the_lead(
    cells: dict[str, str], call: Call | None, action: str
) -> None:
    columns = {"Result": "", "Back": "", "At": "", "Who": "", "Note": "", **JAN}
    targets = {
        "call.disposition": "Result",
        "call.back_at": "Back",
        "call.at": "At",
        "call.agent": "Who",
        "call.note": "Note",
    }
    row = read({**targets, **MAIL}, {**columns, **cells}, Back=DMY, At=DMY)
    assert (row.call, row.action) == (call, action)
    assert row.lead == {"customer": {"email": "jan@example.com"}}
    unknown = cells.get("Result") == "Logistics"
    assert row.notes == (
        (RowError("Result", "disposition_not_known", "Logistics"),) if unknown else ()
    )


def test_a_time_that_nobody_understands_is_noted() -> None:
    row = read({"call.back_at": "Back", **MAIL}, {"Back": "after lunch", **JAN})
    assert row.notes == (RowError("Back", "call_time_not_known", "after lunch"),)


def test_a_date_and_a_time_in_two_columns_are_one_instant() -> None:
    row = read(
        {"call.at": "Date+Time", **MAIL}, {"Date": "03/04/2026", "Time": "14:05", **JAN}, Date=MDY
    )
    assert row.call == Call(at="2026-03-04T14:05:00")


@pytest.mark.parametrize(
    ("text", "country", "instant"),
    [
        ("2026-12-01T10:00:00", "", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-12-01T10:00:00-05:00", "", datetime(2026, 12, 1, 15, tzinfo=UTC)),
        ("3/4/2026 10:00", "PL", datetime(2026, 4, 3, 8, tzinfo=UTC)),
        ("3/4/2026 10:00", "US", datetime(2026, 3, 4, 9, tzinfo=UTC)),
        ("1764579600", "", datetime(2025, 12, 1, 9, tzinfo=UTC)),
        ("after lunch", "PL", None),
        ("", "PL", None),
    ],
)
def test_a_calls_time_is_one_of_the_market(
    text: str, country: str, instant: datetime | None
) -> None:
    assert call_instant(text, ZoneInfo("Europe/Warsaw"), country) == instant


@pytest.mark.parametrize(
    ("code", "number", "dialled"),
    [
        ("1", "312 555 0123", "+13125550123"),
        ("49", "01512 3456789", "+4915123456789"),
        ("44", "07912345678", "+447912345678"),
        ("0048", "512345678", "+48512345678"),
        ("48", "+48 512 345 678", "+48512345678"),
        ("48", "0048512345678", "+48512345678"),
        ("", "512345678", "+48512345678"),
        ("48.0", "512345678.0", "+48512345678"),
    ],
)
def test_a_diallers_number_gets_its_countrys_code(code: str, number: str, dialled: str) -> None:
    line = Line("customer.phone", ("phone_code", "phone_number"), how="join", prefix="+")
    row = RowReader(Mapping((line,)), ["phone_code", "phone_number"]).read([code, number])
    assert not row.errors
    assert e164(row.lead["customer"]["phone"], ["PL"])[0] == dialled


HEADER = (
    "lead_id,entry_date,modify_date,status,user,vendor_lead_code,source_id,list_id,phone_code"
    ",phone_number,title,first_name,middle_initial,last_name,address1,address2,address3,city,state"
    ",province,postal_code,country_code,gender,date_of_birth,alt_phone,email,comments,called_count"
    ",last_local_call_time,rank,owner"
)
DIALLER = HEADER.split(",")


def test_a_diallers_export_maps_itself() -> None:
    rows = [
        "7,2026-01-02 10:00:00,,CALLBK,6666,,web,101,49,15112345678,Mr,Max,,Muster,Ring 5,EG,,"
        "Berlin,BE,,10115,DEU,M,,,max@example.com,calls late,3,2026-01-03 09:12:00,0,",
        "8,2026-01-02 10:00:00,,NI,6667,,web,101,49,15112345679,Ms,Mia,,Muster,Ring 6,,,"
        "Berlin,BE,,10115,DEU,F,,,mia@example.com,,1,2026-01-03 09:15:00,0,",
    ]
    cells = [row.split(",") for row in rows]
    reader = RowReader(suggested(DIALLER, cells), DIALLER, column_styles(cells))
    row = reader.read(cells[0])
    assert row.lead["customer"] == {
        "title": "Mr", "first_name": "Max", "last_name": "Muster", "email": "max@example.com",
        "phone": "+4915112345678",
    }  # fmt: skip
    assert row.lead["address"] == {
        "street": "Ring 5\nEG", "postcode": "10115", "city": "Berlin", "region": "BE",
        "country": "DEU",
    }  # fmt: skip
    assert (row.lead["id"], row.lead["request"]) == ("7", {"comments": "calls late"})
    assert row.call == Call("2026-01-03T09:12:00", "call_back", "", "6666")
    assert reader.read(cells[1]).action == "history"


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        (
            "Vorname;Name;Telefon;Ergebnis;Wiedervorlage;Agent",
            ["Max;Muster;030123456;Rückruf;24.12.2026 10:00;kb"],
            {
                "customer.first_name": "Vorname",
                "customer.last_name": "Name",
                "customer.phone": "Telefon",
                "call.disposition": "Ergebnis",
                "call.back_at": "Wiedervorlage",
                "call.agent": "Agent",
            },
        ),
        (
            "الاسم;الهاتف;نتيجة المكالمة",
            ["محمد;0501234567;لا يرد"],
            {
                "customer.full_name": "الاسم",
                "customer.phone": "الهاتف",
                "call.disposition": "نتيجة المكالمة",
            },
        ),
        # By its values alone.
        (
            "Name;Phone;Q7",
            ["A B;030123456;Busy", "C D;030123457;Interested", "E F;030123458;Wrong number"],
            {"customer.full_name": "Name", "customer.phone": "Phone", "call.disposition": "Q7"},
        ),
        # A status that is none of a call, and an agent without one.
        (
            "Name;Phone;Status;Agent",
            ["A B;030123456;Leased;kb", "C D;030123457;Used;kb"],
            {"customer.full_name": "Name", "customer.phone": "Phone"},
        ),
    ],
)
def test_a_strangers_header_is_understood(
    header: str, rows: list[str], expected: dict[str, str]
) -> None:
    found = suggested(header.split(";"), [row.split(";") for row in rows])
    assert {line.target: line.paths[0] for line in found.lines} == expected


def test_an_empty_file_still_has_a_header() -> None:
    found = suggested(["Email", "Callback date"], [])
    assert {line.target for line in found.lines} == {"customer.email", "call.back_at"}


def test_a_mapping_keeps_what_files_tell_of_calls_and_knows_no_more() -> None:
    mapping = Mapping(tuple(Line(target, ("X",)) for target in FILE_TARGETS))
    assert Mapping.from_json(mapping.to_json()) == mapping
    assert not FILE_TARGETS.keys() & TARGETS.keys()
    with pytest.raises(MappingError):
        Mapping.from_json({"lines": [{"target": "call.mood", "paths": ["X"]}]})


@pytest.mark.parametrize(
    ("code", "field", "words"),
    [
        ("no_contact", "Mail, Tel", "Mail, Tel"),
        ("no_contact", "", "mapped"),
        ("disposition_not_known", "Result", "Result"),
        ("call_time_not_known", "Back", "Back"),
        ("phone_cut", "Tel", "Tel"),
        ("nul", "", ""),
        ("not_accepted", "", "taken in"),
    ],
)
def test_a_fault_has_words(code: str, field: str, words: str) -> None:
    with reading("en"):
        told = row_error_words(code, field)
    assert words in told
    assert told.endswith(".")
    assert code not in told


@given(st.lists(st.text(max_size=60), min_size=6, max_size=6), st.sampled_from([DMY, MDY]))
def test_no_row_breaks_the_reader(cells: list[str], style: ColumnStyle) -> None:
    targets = ["customer.phone", "customer.email", "sent_at", "address.lat", "call.back_at"]
    lines = [Line(target, (f"c{i}",)) for i, target in enumerate([*targets, "call.disposition"])]
    reader = RowReader(Mapping(tuple(lines)), [f"c{i}" for i in range(6)], [style] * 6)
    assert isinstance(reader.read(cells), RowRead)
