"""Files of call centres and dealers are read as one table, whatever program wrote them."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lmt.files.columns import (
    ColumnStyle,
    column_styles,
    is_cut_phone,
    iso_date,
    iso_instant,
    plain_number,
    unanswered,
    whole_phone,
)
from lmt.files.layout import ONE_COLUMN, Layout
from lmt.files.problems import FileProblem, file_problem_words
from lmt.files.table import Table, opened

HEADER = ("Name", "Phone", "Mail", "Town")
PEOPLE = {
    "pl": [
        ("Łukasz Żółkiewski", "+48 600 100 200", "lukasz@example.com", "Gdańsk"),
        ("Zofia Gęślicka", "+48 600 100 201", "zofia@example.com", "Łódź"),
        ("Święta Dąbrowska", "+48 600 100 202", "swieta@example.com", "Święty Krzyż"),
    ],
    "de": [
        ("Jürgen Größer", "+49 171 5550101", "jg@example.com", "München"),
        ("Käthe Müller", "+49 171 5550102", "km@example.com", "Düsseldorf"),
        ("Jörg Weiß", "+49 171 5550103", "jw@example.com", "Würzburg"),
    ],
    "fr": [
        ("Hélène Lefèvre", "+33 6 55 50 10 01", "hl@example.com", "Besançon"),
        ("Gaëlle Forêt", "+33 6 55 50 10 02", "gf@example.com", "Nîmes"),
        ("Zoé Garçon", "+33 6 55 50 10 03", "zg@example.com", "Sète, côté plage"),
    ],
    "es": [
        ("Íñigo Muñoz", "+34 655 501 001", "im@example.com", "León"),
        ("Begoña Peña", "+34 655 501 002", "bp@example.com", "Cádiz"),
    ],
    "ru": [
        ("Иван Кузнецов", "+7 495 555-01-01", "ik@example.com", "Москва"),
        ("Ольга Щукина", "+7 495 555-01-02", "os@example.com", "Тверь"),
    ],
    "tr": [
        ("Ayşe Yıldız", "+90 532 555 0101", "ay@example.com", "İstanbul"),
        ("Çağlar Güneş", "+90 532 555 0102", "cg@example.com", "Muğla"),
    ],
    "ar": [
        ("محمد العلوي", "+212 655 501001", "ma@example.com", "الدار البيضاء"),
        ("فاطمة الزهراء", "+212 655 501002", "fz@example.com", "مراكش"),
    ],
    "cs": [
        ("Jiří Dvořák", "+420 601 555 101", "jd@example.com", "Plzeň"),
        ("Žofie Růžičková", "+420 601 555 102", "zr@example.com", "Děčín"),
    ],
    "el": [
        ("Γιώργος Παπαδόπουλος", "+30 694 555 0101", "gp@example.com", "Θεσσαλονίκη"),
        ("Ελένη Οικονόμου", "+30 694 555 0102", "eo@example.com", "Αθήνα"),
    ],
    "ja": [
        ("山田 太郎", "+81 90 5550 0101", "yt@example.com", "東京都新宿区西新宿"),
        ("佐藤 花子", "+81 90 5550 0102", "sh@example.com", "大阪市北区梅田の近く"),
    ],
}


def table(folder: Path, body: bytes | str, layout: Layout | None = None) -> Table:
    path = folder / "anything.bin"
    path.write_bytes(body.encode() if isinstance(body, str) else body)
    return opened(path, folder, layout)


def cells(read: Table) -> list[tuple[str, ...]]:
    return [row.cells for row in read.rows()]


def written(
    rows: list[tuple[str, ...]], *, delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL
) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize(
    ("language", "encoding", "told"),
    [
        ("pl", "utf-8", "utf-8"),
        ("pl", "utf-8-sig", "utf-8"),
        ("ar", "utf-16", "utf-16-le"),
        ("pl", "utf-16-le", "utf-16-le"),
        ("ru", "utf-16-be", "utf-16-be"),
        ("de", "utf-32", "utf-32-le"),
        ("pl", "cp1250", "cp1250"),
        ("pl", "iso8859-2", "iso8859-2"),
        ("cs", "cp1250", "cp1250"),
        ("cs", "iso8859-2", "iso8859-2"),
        ("ru", "cp1251", "cp1251"),
        ("ru", "koi8-r", "koi8-u"),
        ("ru", "iso8859-5", "iso8859-5"),
        ("ru", "cp866", "cp866"),
        ("de", "cp1252", "cp1252"),
        ("fr", "cp1252", "cp1252"),
        ("es", "cp1252", "cp1252"),
        ("de", "mac-roman", "mac-roman"),
        ("fr", "mac-roman", "mac-roman"),
        ("de", "cp850", "cp850"),
        ("tr", "cp1254", "cp1254"),
        ("tr", "iso8859-9", "cp1254"),
        ("ar", "cp1256", "cp1256"),
        ("ar", "iso8859-6", "iso8859-6"),
        ("el", "cp1253", "cp1253"),
        ("ja", "shift_jis", None),
        ("ja", "gb18030", None),
    ],
)
def test_names_are_read_in_the_encoding_they_were_written_in(
    tmp_path: Path, language: str, encoding: str, told: str | None
) -> None:
    people = PEOPLE[language]
    read = table(tmp_path, written([HEADER, *people], delimiter=";").encode(encoding))
    assert cells(read) == people
    assert read.layout.columns == HEADER
    if told:
        assert read.layout.encoding == told


def test_the_encoding_is_told_by_a_name_far_down(tmp_path: Path) -> None:
    plain = [
        ("Anna Nowak", f"+48 600 {i:06}", f"a{i}@example.com", "Kielce") for i in range(20_000)
    ]
    body = written([HEADER, *plain, *PEOPLE["pl"]]).encode("cp1250")
    assert len(body) > 1_000_000
    read = table(tmp_path, body)
    assert [row.cells for row in read.rows(after=20_000)] == PEOPLE["pl"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_delimiters_and_line_ends(tmp_path: Path, end: str, delimiter: str, quoting: int) -> None:
    rows = [
        ("Anna", "52,2297", "21,0122", "Aleje Jerozolimskie 1; 2. piętro, biuro"),
        ("Bert", "50,0647", "19,945", 'Called "the | one", \t again'),
        ("Carla", "51,1079", "17,0385", "first line\nsecond line"),
    ]
    header = ("Name", "Latitude", "Longitude", "Address")
    text = written([header, *rows], delimiter=delimiter, quoting=quoting)
    read = table(tmp_path, text.replace("\r\n", "\n").replace("\n", end))
    assert read.layout.delimiter == delimiter
    assert read.layout.columns == header
    assert cells(read) == rows


LINES = "+48600100200,anna@example.com\n+48600100201,bert@example.com\n"


@pytest.mark.parametrize(
    ("body", "columns", "rows"),
    [
        pytest.param("Phone,Mail\n" + LINES, ("Phone", "Mail"), 2, id="plain"),
        pytest.param(LINES, ("Column 1", "Column 2"), 2, id="no header"),
        pytest.param("Phone,Mail\n" + LINES[:-1], ("Phone", "Mail"), 2, id="no final newline"),
        pytest.param("Phone,Mail\n", ("Phone", "Mail"), 0, id="header only"),
        pytest.param("Phone,Mail\n\n,\n" + LINES + "\n\n , \n", ("Phone", "Mail"), 2, id="blanks"),
        pytest.param(
            "Prospects of May\n\n# from the call centre\nPhone,Mail\n" + LINES,
            ("Phone", "Mail"),
            2,
            id="titles",
        ),
        pytest.param(
            "sep=;\nPhone;Mail\n" + LINES.replace(",", ";"), ("Phone", "Mail"), 2, id="Excel's sep"
        ),
        pytest.param(
            "sep=,\n" + LINES, ("Column 1", "Column 2"), 2, id="Excel's sep without header"
        ),
        pytest.param("Phone,Mail,\n" + LINES.replace("\n", ",\n"), ("Phone", "Mail"), 2, id="tail"),
        pytest.param("Phone,Mail\n" + LINES.replace("\n", ",\n"), ("Phone", "Mail"), 2, id="tails"),
        pytest.param(
            "Phone,Phone,,phone (2),Phone (2)\n1,2,3,4,5\n",
            ("Phone", "Phone (3)", "Column 3", "phone (2)", "Phone (2)"),
            1,
            id="repeated and blank names",
        ),
        pytest.param(
            '"Phone\nof the customer",  Mail  address \n' + LINES,
            ("Phone of the customer", "Mail address"),
            2,
            id="header of two lines",
        ),
        pytest.param("Phone\n+48600100200\n+48600100201\n", ("Phone",), 2, id="one column"),
        pytest.param(
            "Name\nNowak, Anna\nKowal\nZych; Jan\n", ("Name",), 3, id="one column with commas"
        ),
        pytest.param(
            "'Phone','Mail'\n'+48600100200','a, b@example.com'\n'+48600100201','c@example.com'\n"
            "'+48600100203','d@example.com'\n",
            ("Phone", "Mail"),
            3,
            id="single quotes",
        ),
        pytest.param(
            'Name\tScreen\n"Bob\t27"\n5" Anna\t24"\n"Cem\t30"\n', ("Name", "Screen"), 3, id="inches"
        ),
        pytest.param(
            "lead_id\tstatus\tphone_number\tcomments\n7\tCALLBK\t600100200\tNew, \"maybe\"\n"
            "8\tNI\t600100201\t\n",
            ("lead_id", "status", "phone_number", "comments"),
            2,
            id="dialler",
        ),
        pytest.param(
            "Name,Phone\nAnna,+48600100200,extra\nBert,+48600100201,more\n",
            ("Name", "Phone", "Column 3"),
            2,
            id="columns without a name",
        ),
        pytest.param(
            "Imię;Nazwisko;Miasto\nAnna;Nowak;Kielce\nJan;Zych;Radom\n",
            ("Imię", "Nazwisko", "Miasto"),
            2,
            id="words only",
        ),
        pytest.param("PL\t00-001\tWarszawa\t\nPL\t00-002\tWarszawa\t\n",
            ("Column 1", "Column 2", "Column 3", "Column 4"), 2, id="places"),
    ],
)  # fmt: skip
def test_the_header_is_found(
    tmp_path: Path, body: str, columns: tuple[str, ...], rows: int
) -> None:
    read = table(tmp_path, body)
    assert read.layout.columns == columns
    assert [row.number for row in read.rows()] == list(range(1, rows + 1))
    assert all(len(row.cells) == len(columns) and not row.problem for row in read.rows())
    assert read.count() == rows


def test_rows_can_be_taken_up_where_they_were_left(tmp_path: Path) -> None:
    body = "Phone,Name\n" + "".join(f"+48{600_000_000 + i},Anna {i}\n" for i in range(3_000))
    read = table(tmp_path, body)
    every = list(read.rows())
    assert list(read.rows(after=1_234)) == every[1_234:]
    assert list(read.rows(after=3_000)) == list(read.rows(after=5_000)) == []
    assert read.count() == 3_000
    assert read.count(most=10) == 10


def test_a_layout_is_kept_and_reads_the_same(tmp_path: Path) -> None:
    first = table(tmp_path, written([HEADER, *PEOPLE["pl"]], delimiter=";").encode("cp1250"))
    again = Layout.from_json(first.layout.to_json())
    assert again == first.layout
    assert cells(opened(tmp_path / "anything.bin", tmp_path, again)) == PEOPLE["pl"]


def test_what_the_reader_says_of_a_layout_is_kept_and_the_rest_told(tmp_path: Path) -> None:
    body = "a;b,c\n1;2,3\n"
    assert table(tmp_path, body, Layout(delimiter=",")).layout.columns == ("a;b", "c")
    assert table(tmp_path, body, Layout(delimiter=";", header_line=0)).layout.columns == (
        "Column 1",
        "Column 2",
    )
    assert table(tmp_path, body, Layout(delimiter=ONE_COLUMN)).layout.columns == ("a;b,c",)
    assert table(tmp_path, "x\ny\nName\nAnna\n", Layout(header_line=3)).layout.columns == ("Name",)


ALPHABET = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r\x1f\ufeff")
CELL = st.text(ALPHABET, max_size=12)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.integers(1, 5).flatmap(
        lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=8)
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-16-le", "cp1250", "cp1251", "cp1252", "cp1256"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@example(rows=[["\n\n", '"'], ["", "\x0b\x85\u2028"]], delimiter=";", encoding="utf-8", quoting=0)
def test_any_table_is_read_back_as_it_was_written(
    tmp_path: Path, rows: list[list[str]], delimiter: str, encoding: str, quoting: int
) -> None:
    held = [tuple(cell.encode(encoding, "ignore").decode(encoding) for cell in row) for row in rows]
    columns = tuple(f"c{i}" for i in range(len(rows[0]) if rows else 1))
    body = written([columns, *held], delimiter=delimiter, quoting=quoting)
    layout = Layout("csv", encoding, delimiter, '"', "", 1, columns)
    read = table(tmp_path, body.replace("\r\n", "\n").encode(encoding), layout)
    assert cells(read) == [row for row in held if any(cell.strip() for cell in row)]


WORD = st.sampled_from(
    [
        "Anna",
        "Zażółć gęślą",
        "Łódź, ul. Długa 1",
        'the "old" one',
        "two\nlines",
        "a; b",
        "",
        "x | y",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.tuples(WORD, WORD, WORD), min_size=1, max_size=30),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1250"]),
)
def test_any_list_of_people_is_understood(
    tmp_path: Path, rows: list[tuple[str, str, str]], delimiter: str, encoding: str
) -> None:
    people = [(f"+48 600 100 {i:03}", f"p{i}@example.com", *row) for i, row in enumerate(rows)]
    header = ("Phone", "Mail", "Imię żony", "Address", "Comment")
    body = written([header, *people], delimiter=delimiter).encode(encoding)
    read = table(tmp_path, body)
    assert (read.layout.columns, read.layout.delimiter) == (header, delimiter)
    assert cells(read) == people


def workbook(path: Path, *, epoch_1904: bool = False) -> None:
    with xlsxwriter.Workbook(path, {"date_1904": epoch_1904}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        minute = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        clock = book.add_format({"num_format": "hh:mm"})
        book.add_worksheet("Nothing")
        book.add_worksheet("Read me").write(0, 0, "Leads of May")
        secret = book.add_worksheet("Hidden")
        secret.hide()
        secret.write_row(0, 0, ["a", "b"])
        secret.write_row(1, 0, [1, 2])
        sheet = book.add_worksheet("Leads")
        sheet.write_row(0, 0, ["Name", "Phone", "Postcode", "Called", "At", "Total", "Score", "OK"])
        sheet.write_row(1, 0, ["Łukasz\nNowak", 491521234567, 1945])
        sheet.write_datetime(1, 3, datetime(2026, 3, 14, 9, 30), minute)
        sheet.write_datetime(1, 4, time(17, 5), clock)
        sheet.write_formula(1, 5, "=1+1", None, 2)
        sheet.write_number(1, 6, 52.229676)
        sheet.write_boolean(1, 7, True)
        sheet.write_string(3, 0, "=1+1")
        sheet.write_row(3, 1, [1e21, "01945"])
        sheet.write_datetime(3, 3, date(2026, 3, 14), day)
        sheet.write_formula(3, 5, "=NA()", None, "#N/A")
        sheet.write_number(3, 6, 0.0000004)
        other = book.add_worksheet("Other")
        other.write_row(0, 0, ["Dealer", "Mail"])
        other.write_row(1, 0, ["PL-WAW-1", "waw@example.com"])


@pytest.mark.parametrize("epoch_1904", [False, True])
def test_a_workbook_is_read_as_its_reader_sees_it(tmp_path: Path, epoch_1904: bool) -> None:
    path = tmp_path / "leads.csv"
    workbook(path, epoch_1904=epoch_1904)
    read = opened(path, tmp_path)
    assert (read.layout.format, read.layout.sheet) == ("xlsx", "Leads")
    assert read.sheets == ("Nothing", "Read me", "Hidden", "Leads", "Other")
    assert read.layout.columns[:3] == ("Name", "Phone", "Postcode")
    assert cells(read) == [
        ("Łukasz\nNowak", "491521234567", "1945", "2026-03-14T09:30:00", "17:05:00", "2",
         "52.229676", "true"),
        ("=1+1", "1000000000000000000000", "01945", "2026-03-14", "", "", "0.0000004", ""),
    ]  # fmt: skip


def test_another_sheet_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "leads"
    workbook(path)
    read = opened(path, tmp_path, Layout(sheet="Other"))
    assert read.layout.columns == ("Dealer", "Mail")
    assert cells(read) == [("PL-WAW-1", "waw@example.com")]
    again = opened(path, tmp_path, read.layout)
    assert cells(again) == cells(read)
    with pytest.raises(FileProblem) as raised:
        opened(path, tmp_path, Layout(sheet="Leeds"))
    assert "“Leeds”" in file_problem_words(raised.value)


DMY, MDY = ColumnStyle("dmy"), ColumnStyle("mdy")
UNTOLD, COMMA = ColumnStyle(), ColumnStyle(decimal=",")
EXCEL, EXCEL_1904 = ColumnStyle("excel"), ColumnStyle("excel1904")


@pytest.mark.parametrize(
    ("columns", "styles"),
    [
        (["14-03-2026", "01-02-2026"], DMY),
        (["03/14/2026 9:12", "01/02/2026 9:12"], MDY),
        (["01/02/2026", "03/04/2026"], UNTOLD),
        (["01.02.2026", "03.04.2026"], DMY),
        (["2026-03-14", "2026-03-15 10:00"], ColumnStyle("ymd")),
        (["٠١/٠٢/٢٠٢٦", "١٤/٠٣/٢٠٢٦"], DMY),
        (["14/03/2026", "03/14/2026"], UNTOLD),
        (["46095", "46096.5", "n/a", "46100,25"], ColumnStyle("excel")),
        (["46095", "12", "99999"], UNTOLD),
        (["52,2297", "21,0122"], COMMA),
        (["52.2297", "21.0122"], UNTOLD),
        (["1.234,50", "17"], COMMA),
        (["1,234.50", "17,000"], UNTOLD),
        (["0,125", "13,783"], COMMA),
        (["12,50 zł", "-"], COMMA),
        (["Select", "-", ""], UNTOLD),
        ([], UNTOLD),
    ],
)
def test_a_columns_style_is_told_by_all_its_values(columns: list[str], styles: ColumnStyle) -> None:
    assert column_styles([[value] for value in columns] or [[""]]) == (styles,)


def test_an_open_column_follows_the_others_of_its_file() -> None:
    rows = [["14/03/2026", "01/02/2026", "1,5", "13,783"], ["01/03/2026", "03/04/2026", "2,5", "9"]]
    assert column_styles(rows) == (
        ColumnStyle("dmy", ","),
        ColumnStyle("dmy", ","),
        ColumnStyle("", ","),
        ColumnStyle("", ","),
    )
    assert column_styles([["a"], ["b", "2,5"]])[1] == ColumnStyle("", ",")


@pytest.mark.parametrize(
    ("text", "style", "instant"),
    [
        ("2026-03-14T09:30:00+01:00", UNTOLD, "2026-03-14T09:30:00+01:00"),
        ("2026-03-14T09:30:00.123Z", UNTOLD, "2026-03-14T09:30:00+00:00"),
        ("2026-03-14 09:30", UNTOLD, "2026-03-14T09:30:00"),
        ("2026-3-4 8:05:07", UNTOLD, "2026-03-04T08:05:07"),
        ("14-03-2026", UNTOLD, "2026-03-14T00:00:00"),
        ("03/04/2026 9:12 PM", DMY, "2026-04-03T21:12:00"),
        ("03/04/2026 12:00 am", MDY, "2026-03-04T00:00:00"),
        ("03/04/2026 9:12", UNTOLD, ""),
        ("04/04/2026", UNTOLD, "2026-04-04T00:00:00"),
        ("13/14/2026", DMY, ""),
        ("31.02.2026", DMY, ""),
        ("14.3.26 14.30", UNTOLD, "2026-03-14T14:30:00"),
        ("14.03.2026, 9:30 Uhr", UNTOLD, "2026-03-14T09:30:00"),
        ("14/03/2026 14h30", UNTOLD, "2026-03-14T14:30:00"),
        ("14. März 2026 um 14:30 Uhr", UNTOLD, "2026-03-14T14:30:00"),
        ("14 mars 2026", UNTOLD, "2026-03-14T00:00:00"),
        ("14 de marzo de 2026 09:30", UNTOLD, "2026-03-14T09:30:00"),
        ("14 marca 2026", UNTOLD, "2026-03-14T00:00:00"),
        ("14 maart 2026", UNTOLD, "2026-03-14T00:00:00"),
        ("14 Mart 2026", UNTOLD, "2026-03-14T00:00:00"),
        ("١٤ مارس ٢٠٢٦", UNTOLD, "2026-03-14T00:00:00"),
        ("٠٣/٠٤/٢٠٢٦ ٩:٣٠ م", DMY, "2026-04-03T21:30:00"),
        ("March 14, 2026 2 pm", UNTOLD, "2026-03-14T14:00:00"),
        ("Sat, 14 Mar 2026 09:30:00 +0100", UNTOLD, "2026-03-14T09:30:00+01:00"),
        ("20260314", UNTOLD, "2026-03-14T00:00:00"),
        ("20260314093000", UNTOLD, "2026-03-14T09:30:00"),
        ("1773480000", UNTOLD, "2026-03-14T09:20:00+00:00"),
        ("1773480000123", UNTOLD, "2026-03-14T09:20:00+00:00"),
        ("46095", EXCEL, "2026-03-14T00:00:00"),
        ("46095.395833333", EXCEL, "2026-03-14T09:30:00"),
        ("44633,5", EXCEL_1904, "2026-03-14T12:00:00"),
        ("46095", UNTOLD, ""),
        ("2026-03-14", EXCEL, "2026-03-14T00:00:00"),
        ("tomorrow", DMY, ""),
        ("12:30", DMY, ""),
        ("2026-03-14 25:00", UNTOLD, ""),
        ("", DMY, ""),
        ("9" * 500, EXCEL, ""),
    ],
)
def test_instants_as_people_write_them(text: str, style: ColumnStyle, instant: str) -> None:
    assert iso_instant(text, style) == instant
    assert iso_date(text, style) == instant[:10]


@pytest.mark.parametrize(
    ("text", "style", "number"),
    [
        ("52.229676", UNTOLD, "52.229676"),
        ("52,229676", COMMA, "52.229676"),
        ("52,229676", UNTOLD, "52.229676"),
        ("-3,9372", COMMA, "-3.9372"),
        ("−3.5", UNTOLD, "-3.5"),
        ("1.234,56", COMMA, "1234.56"),
        ("1.234,56", UNTOLD, "1234.56"),
        ("1,234", UNTOLD, "1234"),
        ("1,234", COMMA, "1.234"),
        ("1.234", COMMA, "1234"),
        ("1 234 567,5", COMMA, "1234567.5"),
        ("12'345.60", UNTOLD, "12345.60"),
        ("45.000,- €", COMMA, "45000"),
        ("€ 45,000", UNTOLD, "45000"),
        ("١٢٫٥", UNTOLD, "12.5"),
        ("4.9E+3", UNTOLD, "4900"),
        ("+7", UNTOLD, "7"),
        (".5", UNTOLD, "0.5"),
        ("1.2.3", UNTOLD, ""),
        ("abc", UNTOLD, ""),
        ("-", UNTOLD, ""),
        ("", UNTOLD, ""),
    ],
)
def test_numbers_by_the_style_of_their_column(text: str, style: ColumnStyle, number: str) -> None:
    assert plain_number(text, style) == number


@pytest.mark.parametrize(
    ("text", "phone", "is_cut"),
    [
        ("4.91521234567E+11", "491521234567", False),
        ("4,91521234567e+11", "491521234567", False),
        ("4.915212E+11", "491521200000", True),
        ("491521234567.0", "491521234567", False),
        ("4915 212 345,0", "4915212345", False),
        ("+49 (0)171 / 555-01", "+49 (0)171 / 555-01", False),
        ("'+48600100200", "+48600100200", False),
        ("٠٦٠٠١٠٠٢٠٠", "0600100200", False),
        ("0600.100.200", "0600.100.200", False),
        (" 600100200 ", "600100200", False),
        ("", "", False),
    ],
)
def test_phones_that_a_spreadsheet_took_for_numbers(text: str, phone: str, is_cut: bool) -> None:
    assert whole_phone(text) == phone
    assert is_cut_phone(text) == is_cut


@given(st.text(max_size=80), st.sampled_from([UNTOLD, DMY, MDY, EXCEL, EXCEL_1904, COMMA]))
@settings(max_examples=150, deadline=None)
def test_no_text_upsets_a_reading(text: str, style: ColumnStyle) -> None:
    instant = iso_instant(text, style)
    assert not instant or datetime.fromisoformat(instant)
    number = plain_number(text, style)
    assert not number or float(number) is not None
    assert isinstance(whole_phone(text), str)
    assert isinstance(unanswered(text), bool)
    assert len(column_styles([[text]])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", "--", "?", "...", "n/a", "N/A", "#N/A", "null", "NULL", "None", "Select",
        "-- Select --", "Please select...", "Sélectionnez", "Keine Angabe", "Bitte wählen",
        "Seleccione", "Wybierz", "brak danych", "Maak een keuze", "Seçiniz", "اختر", "غير محدد",
    ],
)  # fmt: skip
def test_no_answer_is_one_in_every_language(text: str) -> None:
    assert unanswered(text)


@pytest.mark.parametrize("text", ["Anna", "0", "no", "Select Motors", "N", "+48 600", "Nadia"])
def test_answers_are_kept(text: str) -> None:
    assert not unanswered(text)
