"""What kind of file came, told from its content and never from its name."""

from __future__ import annotations

import codecs
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

from lmt.files.delimiters import SAID, delimiter_of, quote_of
from lmt.files.encodings import encoding_of
from lmt.files.header import columns, header_line
from lmt.files.layout import DELIMITERS, TO_BE_TOLD, Layout
from lmt.files.limits import (
    HEADER_WITHIN_RECORDS,
    MAX_COLUMNS,
    SAMPLE_BYTES,
    SAMPLE_CELL_CHARS,
    SAMPLE_CHARS,
    SAMPLE_RECORDS,
)
from lmt.files.problems import LINE_TOO_LONG, FileProblem
from lmt.files.textrows import records

WORKBOOK = "workbook"
TEXT = "text"

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!\x1a\x07", "archive"),
    (b"\xfd7zXZ\0", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"PK\x05\x06", "archive"),
    (b"{\\rtf", "not_text"),
    (b"SQLite format 3\0", "not_text"),
)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|div|style)\b",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(r"\s*<(?:\?xml|!doctype|\w+[\s>])", re.IGNORECASE)
_JSON = re.compile(r'\s*(?:\[\s*)?\{\s*"|\s*\[\s*[\["{]')


def kind_of(path: Path) -> str:
    """WORKBOOK or TEXT. Raises FileProblem for what is neither."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise FileProblem("empty")
    if head.startswith((_ZIP, _OLE)):
        return WORKBOOK
    for magic, code in _OTHERS:
        if head.startswith(magic):
            raise FileProblem(code)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        raise FileProblem("image")
    return TEXT


def text_layout(path: Path, wish: Layout) -> Layout:
    """How a text is to be read; what `wish` names is kept. Raises FileProblem."""
    encoding = wish.encoding or encoding_of(path)
    sample = _sample(path, encoding)
    if not sample.strip(" \n\0\"'" + "".join(DELIMITERS)):
        raise FileProblem("empty")
    _refuse_markup(sample)
    delimiter = wish.delimiter or delimiter_of(sample)
    quote = wish.quote or quote_of(sample, delimiter)
    first: list[list[str]] = []
    letters = 0
    for cells, problem in islice(records(path, encoding, delimiter, quote), SAMPLE_RECORDS):
        if problem != LINE_TOO_LONG:
            # What lies beyond is one cell: enough to see that it is too much.
            beyond = "".join(cells[MAX_COLUMNS:])[:100]
            seen = [cell[:SAMPLE_CELL_CHARS] for cell in cells[:MAX_COLUMNS]]
            first.append([*seen, beyond] if beyond else seen)
            letters += sum(map(len, seen))
        elif len(cells) > MAX_COLUMNS:
            raise FileProblem("too_many_columns", most=MAX_COLUMNS)
        elif any(map(any, first)):
            # The columns are told from sound records only.
            first.append([])
        else:
            raise FileProblem("not_a_table")
        if letters > SAMPLE_CHARS and len(first) > HEADER_WITHIN_RECORDS:
            break
    if SAID.match(sample):
        first[0] = []
    line = header_line(first) if wish.header_line == TO_BE_TOLD else wish.header_line
    if line > len(first):
        raise FileProblem("not_a_table")
    names = columns(first, line)
    if not names:
        raise FileProblem("empty")
    if len(names) > MAX_COLUMNS:
        raise FileProblem("too_many_columns", most=MAX_COLUMNS)
    return replace(
        wish,
        format=wish.format or "csv",
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        header_line=line,
        columns=names,
    )


def _sample(path: Path, encoding: str) -> str:
    """The beginning of the file, of whole lines where it has any."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
        more = bool(file.read(1))
    try:
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        text = decoder.decode(head)
    except LookupError:
        raise FileProblem("not_text") from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    cut = text.rfind("\n") + 1
    return text[:cut] if more and cut else text


def _refuse_markup(sample: str) -> None:
    begin = sample[:4096].lstrip("\ufeff")
    if _HTML.match(begin):
        raise FileProblem("html")
    if _XML.match(begin):
        raise FileProblem("xml")
    if _JSON.match(begin):
        raise FileProblem("json")
