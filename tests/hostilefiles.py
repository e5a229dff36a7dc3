"""Files that nobody should send, made up on the spot: bombs, disguises, broken rows."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from tests.test_files_hostile import SHEET, compound, zipped

MB = 1_000_000
LARGE_MB = int(os.environ.get("LMT_HOSTILE_MB", "16"))
"""The size of the large ones; 300 in the soak."""

HEADER = b"Name,Phone,Email,City,Result,Remarks\n"
PEOPLE = b"Ewa Lis,512300101,ewa@mail.example,Warszawa,interested,\n" * 2


@dataclass(frozen=True)
class Refused:
    """A file that is no table, and the sentence that its sender reads instead."""

    what: str
    name: str
    make: Callable[[], bytes]
    words: str


SHEET_NAME = "xl/worksheets/sheet1.xml"
STRINGS_NAME = "xl/sharedStrings.xml"


def parts_of_a_workbook() -> dict[str, bytes]:
    """A sound workbook of one lead, by the files inside."""
    body = io.BytesIO()
    with xlsxwriter.Workbook(body) as book:
        sheet = book.add_worksheet("Leads")
        sheet.write_row(0, 0, ["Name", "Phone", "Email"])
        sheet.write_row(1, 0, ["Ewa Lis", "512300101", "ewa@mail.example"])
    with zipfile.ZipFile(body) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def workbook(**changed: bytes) -> bytes:
    """A workbook with its `sheet`, `strings` or any other part changed."""
    names = {"sheet": SHEET_NAME, "strings": STRINGS_NAME}
    files = parts_of_a_workbook()
    files.update({names.get(name, name): content for name, content in changed.items()})
    return zipped(files)


def bomb() -> bytes:
    """Some kilobytes that unpack to sixty megabytes."""
    return workbook(sheet=b" " * 60 * MB)


def nested() -> bytes:
    """A workbook in an archive in an archive, each called a workbook."""
    inner = workbook()
    for _ in range(3):
        inner = zipped({f"{n}.xlsx": inner for n in range(4)})
    return inner


def lying(told: int = 1_000) -> bytes:
    """The archive's directory says a kilobyte where sixty megabytes are."""
    row = b'<row><c t="str"><v>' + b"x" * 60 * MB + b"</v></c></row>"
    sheet = SHEET.encode().replace(b"%s", row)
    body = bytearray(workbook(sheet=sheet))
    honest, lie = struct.pack("<I", len(sheet)), struct.pack("<I", told)
    at = 0
    while (at := body.find(honest, at)) >= 0:
        body[at : at + 4] = lie
    return bytes(body)


def many_entries() -> bytes:
    return zipped({**parts_of_a_workbook(), **{f"a/{n}": b"" for n in range(21_000)}})


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a "ha">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10)
        for letter in range(ord("b"), ord("l"))
    )
    + b'<!ENTITY file SYSTEM "file:///etc/passwd">]>'
    b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="1">'
    + b"<si><t>&k;&file;</t></si>" * 12
    + b"</sst>"
)


def far_corner() -> bytes:
    """16,384 × 1,048,576 cells, two of them filled."""
    row = '<row r="{0}"><c r="{1}{0}" t="str"><v>x</v></c></row>'
    return workbook(sheet=(SHEET % (row.format(1, "A") + row.format(1048576, "XFD"))).encode())


def deep() -> bytes:
    """XML within XML, as deep as it goes."""
    return workbook(sheet=b"<a>" * MB)


def macros() -> bytes:
    """A sound workbook that also brings macros and links to files of others."""
    link = (
        b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<externalBook r:id="rId1" xmlns:r="http://schemas.openxmlformats.org/officeDocument'
        b'/2006/relationships"/></externalLink>'
    )
    target = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        b'<Relationship Id="rId1" TargetMode="External" Target="http://evil.example/book.xlsx"'
        b' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships'
        b'/externalLinkPath"/></Relationships>'
    )
    return workbook(
        **{
            "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4_000),
            "xl/externalLinks/externalLink1.xml": link,
            "xl/externalLinks/_rels/externalLink1.xml.rels": target,
        }
    )


def formulas() -> bytes:
    """Cells that are computed, and texts that would be where somebody wrote them back as such."""
    body = io.BytesIO()
    with xlsxwriter.Workbook(body) as book:
        sheet = book.add_worksheet("Leads")
        sheet.write_row(0, 0, ["Name", "Phone", "Remarks"])
        sheet.write_formula(1, 0, '=HYPERLINK("http://evil.example","Ewa")', None, "Ewa Computed")
        sheet.write_formula(1, 1, "=512300000+101", None, 512300101)
        sheet.write_string(1, 2, "fine")
        sheet.write_string(2, 0, "=1+1")
        sheet.write_string(2, 2, '=cmd|"/c calc"!A1')
        sheet.write_formula(3, 0, '=WEBSERVICE("http://evil.example")', None, "@SUM(1)")
        sheet.write_string(3, 2, "\t=1+1")
    return body.getvalue()


def encrypted() -> bytes:
    return compound({"EncryptionInfo": b"\4", "EncryptedPackage": b"\1" * 999})


BOMB = "This workbook unpacks to far more than a workbook holds"
TOO_LARGE = "This workbook is too large to be opened."
DAMAGED = "This workbook is damaged or of an unknown kind."
ARCHIVE = "This is a packed archive."
WIDE = "The file has more columns than the 500 that can be read."
NO_TEXT = "This file is neither a workbook nor text."

REFUSED = (
    Refused("bomb", "leads.xlsx", bomb, BOMB),
    Refused("bomb that lies", "leads.xlsx", lying, DAMAGED),
    Refused("archives in archives", "leads.xlsx", nested, ARCHIVE),
    Refused("too many files inside", "leads.xlsx", many_entries, BOMB),
    Refused("a billion laughs", "leads.xlsx", lambda: workbook(strings=LAUGHS), DAMAGED),
    Refused("a far corner", "leads.xlsx", far_corner, TOO_LARGE),
    Refused("depth", "leads.xlsx", deep, "The file is empty."),
    Refused("half a workbook", "leads.xlsx", lambda: workbook()[:3_000], DAMAGED),
    Refused("a password", "leads.xlsx", encrypted, "This workbook has a password."),
    Refused("an archive", "leads.csv", lambda: zipped({"leads.csv": HEADER}), ARCHIVE),
    Refused("gzip", "leads.csv", lambda: gzip.compress(HEADER * 9), ARCHIVE),
    Refused("a web page", "leads.xlsx", lambda: b"<html><table><tr><td>x</table>", "web page"),
    Refused("XML", "leads.csv", lambda: b'<?xml version="1.0"?><leads/>', "This is an XML file."),
    Refused("a laugh of XML", "leads.xlsx", lambda: LAUGHS, "This is an XML file."),
    Refused("PDF", "leads.csv", lambda: b"%PDF-1.7\n1 0 obj", "This is a PDF document."),
    Refused("a picture", "leads.xlsx", lambda: b"\x89PNG\r\n\x1a\n" + bytes(99), "a picture"),
    Refused("a program", "leads.csv", lambda: b"\x7fELF" + bytes(3_000), NO_TEXT),
    Refused("nothing", "leads.csv", lambda: b"", "The file is empty."),
    Refused("blank lines", "leads.csv", lambda: b"\r\n" * MB, "The file is empty."),
    Refused("columns", "leads.csv", lambda: b",".join([b"Name"] * 10_000) + b"\n1,2\n", WIDE),
    Refused("cells", "leads.csv", lambda: b"," * 9_999 + b"x\n" + b"," * 9_999 + b"y\n", WIDE),
    Refused("one line", "leads.csv", lambda: b"x" * 3 * MB, "No table was found in this file."),
)  # fmt: skip


def write_one_line(path: Path, size: int) -> None:
    """A sound file but for one line of some `size` bytes."""
    with path.open("wb") as file:
        file.write(HEADER + PEOPLE + b"Jan Kos,512300102,,")
        for piece in pieces(b"x", size - 1_000):
            file.write(piece)
        file.write(b"\nIza Mak,512300103,,Warszawa,interested,\n")


def write_wide_rows(path: Path, size: int) -> None:
    """As many rows as fit, each as long as a row may be; nobody can be reached by any of them."""
    row = "Łukasz,,," + ",".join(["Ż" * 32_000] * 3) + "\n"
    with path.open("wb") as file:
        file.write(HEADER + PEOPLE)
        for piece in pieces(row.encode(), size - len(HEADER) - len(PEOPLE)):
            file.write(piece)


def pieces(unit: bytes, size: int) -> Iterator[bytes]:
    """`size` bytes of `unit` again and again, some at a time; whole units only."""
    at_once = max(1, MB // len(unit))
    left = size // len(unit)
    while left > 0:
        yield unit * min(at_once, left)
        left -= at_once


SCRIPT = "<script>alert(1)</script>"
NAMES = (
    ("../../../etc/passwd", "passwd"),
    ("C:\\Users\\eve\\leads.csv", "leads.csv"),
    ("leads.csv\r\nX-Evil: 1", "leads.csv X-Evil: 1"),
    ("leads\u202evsc.exe", "leadsvsc.exe"),
    (f"{SCRIPT}.csv", "script>.csv"),
    ("<img src=x onerror=alert(1)>.csv", "<img src=x onerror=alert(1)>.csv"),
    ("\0\x07leads.csv", "leads.csv"),
    ("..", ".."),
    ("x" * 5_000 + ".csv", "x" * 196 + ".csv"),
    ("بيانات.csv", "بيانات.csv"),
)
"""What a file is called, and what is shown of that."""


def broken_rows() -> bytes:
    """Rows that are each broken in their own way, beside sound ones, whatever they say."""
    return b"".join(
        (
            b"Name,Phone,Email,City,Remarks,Password\r\n",
            b"Ewa Lis,512300101,ewa@mail.example,Warszawa,fine,hunter2\r\n",
            "Łucja Gil,512300102,,Łódź,in UTF-8,hunter2\r\n".encode(),
            "Łukasz Rak,512300103,,Łódź,in another,hunter2\r\n".encode("cp1250"),
            b"Nul\0 Kos,512300104,,Warszawa,with a NUL,hunter2\r\n",
            b"Iza Mak,512300105\r\n",
            b"Too Many,512300106,,Warszawa,a,hunter2,b,c,d\r\n",
            b"Long Line,512300107,," + b"x" * 200_000 + b"\r\n",
            b"Long Cell,512300108,,Warszawa," + b"y" * 33_000 + b",hunter2\r\n",
            f"{SCRIPT},,,{SCRIPT},{SCRIPT},hunter2\r\n".encode(),
            f"Eve {SCRIPT},512300109,,<b onclick=x>Warszawa,{SCRIPT},hunter2\r\n".encode(),
            b'"=HYPERLINK(""http://evil.example"")",,@SUM(1),+1+1|cmd,-2+3,hunter2\r\n',
            b'"=1+1",512300110,,Warszawa,"=cmd|\'/c calc\'!A1",hunter2\r\n',
            b"\r\n" * 50_000,
            b'Open Quote,512300111,,Warszawa,"never closed\r\n',
            b"Jan Gut,512300112,,Warszawa,the last,hunter2\r\n",
        )
    )
