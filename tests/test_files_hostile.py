"""Files made to harm, or merely broken: a named problem or a row's, and the memory stays flat."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lmt.files import limits
from lmt.files.layout import Layout
from lmt.files.problems import (
    FILE_PROBLEMS,
    ROW_PROBLEMS,
    FileProblem,
    file_problem_words,
    row_problem_words,
)
from lmt.files.table import Row, Table, opened

HEADER = "Name,Phone,Comment\n"
MB = 1_000_000


def table(folder: Path, body: bytes | str, layout: Layout | None = None) -> Table:
    path = folder / "leads.xlsx"
    path.write_bytes(body.encode() if isinstance(body, str) else body)
    return opened(path, folder, layout)


def problem(folder: Path, body: bytes | str) -> str:
    with pytest.raises(FileProblem) as raised:
        table(folder, body)
    assert raised.value.code in FILE_PROBLEMS
    assert "%(" not in file_problem_words(raised.value)
    return raised.value.code


def zipped(files: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return body.getvalue()


def compound(streams: dict[str, bytes]) -> bytes:
    """A small OLE compound file: what Excel 97 wrote, and what holds an encrypted workbook."""
    end, free, fat_sector = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    fat = [fat_sector, end]
    entries = [("Root Entry", 5, free, 1, end, 0)]
    data = b""
    for number, (name, content) in enumerate(streams.items(), 1):
        body = content.ljust(4096, b"\0")
        start, sectors = len(fat), -(-len(body) // 512)
        fat += [*range(start + 1, start + sectors), end]
        next_one = number + 1 if number < len(streams) else free
        entries.append((name, 2, next_one, free, start, len(body)))
        data += body.ljust(sectors * 512, b"\0")
    directory = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBBIII", 2 * len(name) + 2, kind, 1, free, right, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
        for name, kind, right, child, start, size in entries
    )
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 62, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    sectors_of_fat = struct.pack("<128I", *fat, *[free] * (128 - len(fat)))
    return header + sectors_of_fat + directory.ljust(512, b"\0") + data


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def excel_97(rows: Iterable[Iterable[str | float]], *, from_1904: bool = False) -> bytes:
    """A workbook of one sheet in the format before XLSX (BIFF8)."""
    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 6))
    formats = record(0x00E0, struct.pack("<HHH14x", 0, 0, 0))
    formats += record(0x00E0, struct.pack("<HHH14x", 0, 14, 0))
    epoch = record(0x0022, struct.pack("<H", from_1904))
    cells = b""
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            if isinstance(value, str):
                text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
                cells += record(0x0204, struct.pack("<HHH", y, x, 0) + text)
            else:
                looks = 1 if 40_000 < value < 50_000 else 0
                cells += record(0x0203, struct.pack("<HHHd", y, x, looks, value))
    sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 6))
    sheet += cells + record(0x000A, b"")
    name = b"Leads"
    there = len(begin) + len(epoch) + len(formats) + 4 + 8 + len(name) + 4
    bound = record(0x0085, struct.pack("<IBBBB", there, 0, 0, len(name), 0) + name)
    return begin + epoch + formats + bound + record(0x000A, b"") + sheet


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n\r\n", "empty"),
        (b"\n,,,\n,,\n", "empty"),
        (b"<html><body><table><tr><td>Name", "html"),
        (b"\xef\xbb\xbf\r\n<!-- saved --><!DOCTYPE html>\n<html>", "html"),
        ("<table border=1><tr><th>Name</th></tr></table>".encode("utf-16"), "html"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:x"/>', "xml"),
        (b'[{"name": "Anna"}]', "json"),
        (gzip.compress(HEADER.encode()), "archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(100), "archive"),
        (zipped({"leads.csv": HEADER.encode()}), "archive"),
        (zipped({"content.xml": b"<x/>", "mimetype": b"application/vnd.oasis.text"}), "archive"),
        (zipped({"xl/workbook.xml": b"<workbook>"}), "unreadable"),
        (b"PK\x03\x04" + bytes(200), "unreadable"),
        (b"%PDF-1.7\n1 0 obj", "pdf"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "image"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000), "unreadable"),
        (compound({"EncryptionInfo": b"\4", "EncryptedPackage": b"\1" * 999}), "encrypted"),
        (compound({"WordDocument": b"text"}), "unreadable"),
        (bytes(range(256)) * 40, "not_text"),
        (bytes(5_000), "not_text"),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\0>\0\1\0\0\0" * 60, "not_text"),
        (",".join(f"Column {i}" for i in range(10_000)) + "\n1,2,3\n", "too_many_columns"),
        (",".join(["A very long name of a column"] * 10_000), "too_many_columns"),
        (b"\n".join(b"," * 9_999 for _ in range(3)) + b"x", "too_many_columns"),
        (b"x" * 2 * MB, "not_a_table"),
    ],
    # Bytes that tell their time would name a test otherwise in each process.
    ids=lambda value: value if value in FILE_PROBLEMS else "file",
)  # fmt: skip
def test_what_is_no_table_is_told_by_its_content(
    tmp_path: Path, body: bytes | str, code: str
) -> None:
    assert problem(tmp_path, body) == code


def test_every_problem_has_words() -> None:
    assert all(file_problem_words(FileProblem(code, most=500, sheet="A")) for code in FILE_PROBLEMS)
    assert all(row_problem_words(code) not in ("", code) for code in ROW_PROBLEMS)


def test_a_row_that_is_broken_breaks_no_other(tmp_path: Path) -> None:
    body = (
        HEADER.encode()
        + "Ädam,1,fine\n".encode()
        + "Jürgen,2,from another file\n".encode("cp1252")
        + b"Nul\0l,3,odd\n"
        + b"Bert,4,one,two\n"
        + b"Carla,5," + b"x" * (limits.MAX_CELL_CHARS + 1) + b"\n"
        + "Łucja,6,Kraków\n".encode()
    )  # fmt: skip
    rows = list(table(tmp_path, body).rows())
    assert [(row.number, row.cells[:2], row.problem) for row in rows] == [
        (1, ("Ädam", "1"), ""),
        (2, ("J\ufffdrgen", "2"), "encoding"),
        (3, ("Null", "3"), "nul"),
        (4, ("Bert", "4"), "too_many_cells"),
        (5, ("Carla", "5"), "cell_too_long"),
        (6, ("Łucja", "6"), ""),
    ]
    assert len(rows[4].cells[2]) == limits.MAX_CELL_CHARS


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_half_a_character_of_utf_16_is_a_rows_problem(tmp_path: Path, encoding: str) -> None:
    high = b"\x3d\xd8" if encoding.endswith("le") else b"\xd8\x3d"
    lines = ["Name;Phone\n", "Anna;1\n", "Bert", ";2\n", "Carla;3\n"]
    parts = [line.encode(encoding) for line in lines]
    rows = list(table(tmp_path, b"".join([*parts[:3], high, *parts[3:]])).rows())
    assert [row.problem for row in rows] == ["", "encoding", ""]
    assert [row.cells for row in rows] == [("Anna", "1"), ("Bert\ufffd", "2"), ("Carla", "3")]


@pytest.mark.parametrize("lines", [3, 30_000])
def test_a_quote_that_is_never_closed_swallows_no_other_row(tmp_path: Path, lines: int) -> None:
    rest = "".join(f"Cem {i},{i},fine\n" for i in range(lines))
    body = HEADER + 'Anna,1,"fine, yes"\nBert,2,"never closed\n' + rest
    rows = list(table(tmp_path, body).rows())
    assert rows[:2] == [
        Row(1, ("Anna", "1", "fine, yes")),
        Row(2, ("Bert", "2", "never closed\n"), "line_too_long"),
    ]
    assert [row.cells[1] for row in rows[2:]] == [str(i) for i in range(lines)]
    assert not any(row.problem for row in rows[2:])


def test_many_quotes_that_are_never_closed_end_soon(tmp_path: Path) -> None:
    swallowed = "".join(f"Cem,{i},fine\n" for i in range(limits.MAX_RECORD_LINES + 5))
    body = HEADER + 40 * ('Bert,2,"never closed\n' + swallowed)
    layout = Layout("csv", "utf-8", ",", '"', "", 1, ("Name", "Phone", "Comment"))
    rows = list(table(tmp_path, body, layout).rows())
    assert [row.problem for row in rows].count("line_too_long") == 40
    assert len(rows) == 40 * (limits.MAX_RECORD_LINES + 6)


@pytest.mark.parametrize("end", ["", "\nCarla,3,fine\n"])
def test_an_endless_line_is_one_row(tmp_path: Path, end: str) -> None:
    body = HEADER + "Anna,1,fine\nBert,2," + "x" * (3 * MB) + end
    rows = list(table(tmp_path, body).rows())
    assert [(row.cells[:2], row.problem) for row in rows[:2]] == [
        (("Anna", "1"), ""),
        (("Bert", "2"), "line_too_long"),
    ]
    assert [row.cells[0] for row in rows[2:]] == (["Carla"] if end else [])
    assert sum(map(len, rows[1].cells)) < 50_000


def test_an_endless_line_within_an_open_quote(tmp_path: Path) -> None:
    body = HEADER + 'Anna,1,"' + "x" * 300_000 + "\n" + 'Bert,2,"two\nlines"\n'
    rows = list(table(tmp_path, body).rows())
    assert [(row.cells[0], row.problem) for row in rows] == [
        ("Anna", "line_too_long"),
        ("Bert", ""),
    ]


def test_an_old_workbook_is_read(tmp_path: Path) -> None:
    book = excel_97([["Name", "Phone", "Called"], ["Łukasz", 48600100200.0, 46095.0]])
    read = table(tmp_path, compound({"Workbook": book}))
    assert (read.layout.format, read.layout.sheet) == ("xls", "Leads")
    assert [row.cells for row in read.rows()] == [("Łukasz", "48600100200", "2026-03-14")]


def test_an_old_workbook_that_counts_from_1904(tmp_path: Path) -> None:
    book = excel_97([["Name", "Called"], ["Anna", 44633.0]], from_1904=True)
    read = table(tmp_path, compound({"Workbook": book}))
    assert [row.cells for row in read.rows()] == [("Anna", "2026-03-14")]


def test_an_old_workbook_with_a_password(tmp_path: Path) -> None:
    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 6))
    locked = begin + record(0x002F, struct.pack("<H", 1) + bytes(52)) + record(0x000A, b"")
    assert problem(tmp_path, compound({"Workbook": locked})) == "encrypted"


ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
<table:table table:name="Leads"><table:table-row>
<table:table-cell office:value-type="string"><text:p>Name</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>Called</text:p></table:table-cell>
</table:table-row><table:table-row>
<table:table-cell office:value-type="string"><text:p>Łukasz</text:p></table:table-cell>
<table:table-cell office:value-type="date" office:date-value="2026-03-14T09:30:00"/>
</table:table-row>{more}</table:table></office:spreadsheet></office:body>
</office:document-content>"""
ODS_KIND = b"application/vnd.oasis.opendocument.spreadsheet"
MANIFEST = b'<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'


def open_document(more: str = "") -> bytes:
    files = {"mimetype": ODS_KIND, "content.xml": ODS.format(more=more).encode()}
    files["content.xml"] = files["content.xml"].replace(b">\n<", b"><")
    return zipped({**files, "META-INF/manifest.xml": MANIFEST})


def test_an_open_document_is_read(tmp_path: Path) -> None:
    read = table(tmp_path, open_document())
    assert (read.layout.format, read.layout.sheet) == ("ods", "Leads")
    assert [row.cells for row in read.rows()] == [("Łukasz", "2026-03-14T09:30:00")]


def test_an_open_document_that_repeats_a_row_forever(tmp_path: Path) -> None:
    cell = '<table:table-cell table:number-columns-repeated="400"><text:p>x</text:p>'
    cell = cell.replace("><text", ' office:value-type="string"><text') + "</table:table-cell>"
    row = f'<table:table-row table:number-rows-repeated="900000000">{cell}</table:table-row>'
    assert problem(tmp_path, open_document(row)) == "workbook_too_large"


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>%s</sheetData></worksheet>"
)


def spreadsheet(path: Path, sheet: bytes, *, method: int = zipfile.ZIP_DEFLATED) -> None:
    """A workbook whose sheet's XML is replaced."""
    plain = io.BytesIO()
    with xlsxwriter.Workbook(plain) as book:
        book.add_worksheet("Leads")
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else old.read(name))


def test_a_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "leads.xlsx"
    spreadsheet(path, b" " * 60 * MB)
    assert path.stat().st_size < MB
    with pytest.raises(FileProblem) as raised:
        opened(path, tmp_path)
    assert raised.value.code == "archive_bomb"


def test_a_bomb_that_lies_about_its_size_meets_the_limits(tmp_path: Path) -> None:
    path = tmp_path / "leads.xlsx"
    rows = "<row>" + '<c t="str"><v>' + "x" * 60 * MB + "</v></c></row>"
    spreadsheet(path, (SHEET % rows).encode())
    body = bytearray(path.read_bytes())
    size = len(SHEET % rows)
    del rows
    honest, lie = struct.pack("<I", size), struct.pack("<I", 1_000)
    while (at := body.find(honest)) >= 0:
        body[at : at + 4] = lie
    path.write_bytes(body)
    with pytest.raises(FileProblem) as raised:
        opened(path, tmp_path)
    assert raised.value.code in ("unreadable", "workbook_too_large", "archive_bomb")


def test_a_sheet_with_a_cell_at_its_far_corner(tmp_path: Path) -> None:
    path = tmp_path / "leads.xlsx"
    row = '<row r="{0}"><c r="{1}{0}" t="str"><v>x</v></c></row>'
    spreadsheet(path, (SHEET % (row.format(1, "A") + row.format(1048576, "XFD"))).encode())
    with pytest.raises(FileProblem) as raised:
        opened(path, tmp_path)
    assert raised.value.code in ("workbook_too_large", "too_many_columns")


def test_formulas_are_no_more_than_their_values(tmp_path: Path) -> None:
    path = tmp_path / "leads.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Name", "Link"])
        sheet.write_string(1, 0, '=cmd|"/c calc"!A1')
        sheet.write_formula(1, 1, '=HYPERLINK("http://example.com")', None, "example")
    assert [row.cells for row in opened(path, tmp_path).rows()] == [
        ('=cmd|"/c calc"!A1', "example")
    ]


MEASURE = """
import resource, sys
from pathlib import Path
from lmt.files.table import opened

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

folder = Path(sys.argv[1])
opened(folder / "small.csv", folder)
idle = peak()
read = opened(folder / "large.csv", folder)
rows = problems = 0
for row in read.rows():
    rows += 1
    problems += bool(row.problem)
print(rows, problems, peak() - idle)
"""


@pytest.mark.parametrize("kind", ["long line", "long quote", "many rows", "wide", "nuls"])
def test_memory_stays_flat(tmp_path: Path, kind: str) -> None:
    (tmp_path / "small.csv").write_text(HEADER + "Anna,1,fine\n")
    row = b'Anna,+48600100200,"fine"\n'
    with (tmp_path / "large.csv").open("wb") as file:
        file.write(HEADER.encode() + row)
        for i in range(40):
            match kind:
                case "long line":
                    file.write(b"x" * MB)
                case "long quote":
                    file.write((b'"' if i == 1 else b"") + row.replace(b'"', b"") * 5_000)
                case "many rows":
                    file.write(row * 4_000)
                case "wide":
                    file.write(b"," * 9_999 + b"x\n" + row)
                case "nuls":
                    file.write(row * (11_000 if i < 9 else 1) + b"\0" * 100_000 + b"\n")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    rows, problems, grown_mb = map(int, done.stdout.split())
    assert grown_mb < 64
    assert (rows, problems) == {
        "long line": (2, 1),
        "long quote": (200_001, 1),
        "many rows": (160_001, 0),
        "wide": (81, 40),
        "nuls": (9 * 11_000 + 31 + 1 + 40, 40),
    }[kind]


PIECE = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [b'"', b'""', b",", b";", b"\r\n", b"\n", b"\r", b"\0", b"\xff\xfe", b"sep=;\n"]
    ),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")),
    st.text(max_size=20).map(lambda text: text.encode("utf-16-le", "replace")),
)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECE, max_size=40).map(b"".join))
def test_no_bytes_upset_the_reading(tmp_path: Path, body: bytes) -> None:
    try:
        read = table(tmp_path, body)
    except FileProblem:
        return
    rows = list(read.rows())
    names = read.layout.columns
    assert len(set(names)) == len(names) > 0
    assert all(len(row.cells) == len(names) for row in rows)
    assert all(row.problem in ("", *ROW_PROBLEMS) for row in rows)
    assert not any("\0" in cell for row in rows for cell in row.cells)
    assert len(rows) == read.count()
