"""The records of delimited text, one by one: the same memory for any file, and none lost."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from io import IncrementalNewlineDecoder, StringIO
from pathlib import Path
from typing import BinaryIO

from lmt.files.limits import (
    BLOCK_BYTES,
    MAX_CELL_CHARS,
    MAX_RECORD_CHARS,
    MAX_RECORD_LINES,
)
from lmt.files.problems import CELL_TOO_LONG, ENCODING, LINE_TOO_LONG, NUL

# Stands for bytes that don't decode until the row is made. No codec gives a lone surrogate, so a
# replacement character that the sender wrote is told from one of ours.
_UNDECODED = "\udcff"
_REPLACED = "\ufffd"
_MARKS = {
    "utf-8": (codecs.BOM_UTF8,),
    "utf-16-le": (codecs.BOM_UTF16_LE,),
    "utf-16-be": (codecs.BOM_UTF16_BE,),
    "utf-32-le": (codecs.BOM_UTF32_LE,),
    "utf-32-be": (codecs.BOM_UTF32_BE,),
}

Record = tuple[list[str], str]


def _marked(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _UNDECODED, error.end


codecs.register_error("lmt.undecoded", _marked)


class _Cut(Exception):
    """The record under way goes on for longer than a record does."""


def records(path: Path, encoding: str, delimiter: str, quote: str) -> Iterator[Record]:
    """Every record of the file: its cells, and one of ROW_PROBLEMS or "".

    Blank lines are records without cells. Line ends are "\\n", inside cells too. A record that is
    longer than the limits, or whose quote is never closed, is its first line with LINE_TOO_LONG,
    and reading goes on at the next line.
    """
    with path.open("rb") as file:
        yield from _records(_Lines(_blocks(file, encoding)), delimiter, quote)


def text_records(text: str, delimiter: str, quote: str) -> Iterator[Record]:
    """The records of a piece of text whose line ends are "\\n"."""
    return _records(_Lines(iter([(text, False)])), delimiter, quote)


def _records(lines: _Lines, delimiter: str, quote: str) -> Iterator[Record]:
    reader = _reader(lines, delimiter, quote)
    kept = lines.record
    while True:
        try:
            for cells in reader:
                if lines.suspect or lines.record_chars > MAX_CELL_CHARS:
                    yield _mended(cells)
                else:
                    yield cells, ""
                kept.clear()
                lines.record_chars = 0
            return
        except _Cut:
            yield _begun(lines.given_back(), delimiter, quote), LINE_TOO_LONG


def _reader(lines: Iterator[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    if quote:
        return csv.reader(lines, delimiter=delimiter, quotechar=quote)
    return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)


class _Lines:
    """The file's lines for a csv reader, which asks for another while a quote is open."""

    def __init__(self, blocks: Iterator[tuple[str, bool]]) -> None:
        self._blocks = blocks
        self._block: Iterator[str] = iter(())
        # Lines to be read a second time, the next one last.
        self._again: list[str] = []
        self.record: list[str] = []
        self.record_chars = 0
        # Whether the lines at hand may hold characters that make a problem.
        self.suspect = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._block, "")
        while not line:
            text, suspect = next(self._blocks, ("", False))
            if not text:
                if self.record:
                    raise _Cut
                raise StopIteration
            # A record begun in the block before keeps that block's doubts.
            self.suspect = suspect or (self.suspect and bool(self.record))
            self._block = iter(StringIO(text, newline="\n"))
            line = next(self._block, "")
        record = self.record
        record.append(line)
        self.record_chars += len(line)
        if self.record_chars > MAX_RECORD_CHARS or len(record) > MAX_RECORD_LINES:
            raise _Cut
        return line

    def given_back(self) -> str:
        """The first line of the record under way; the others will be read again as records."""
        first, *others = self.record
        self._again.extend(reversed(others))
        self.record.clear()
        self.record_chars = 0
        return first


def _blocks(file: BinaryIO, encoding: str) -> Iterator[tuple[str, bool]]:
    """Text of whole lines, and whether it holds marks or NULs; of an endless line its beginning."""
    begin = file.read(4)
    file.seek(next((len(mark) for mark in _MARKS.get(encoding, ()) if begin.startswith(mark)), 0))
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines = IncrementalNewlineDecoder(decoder, translate=True)
    rest, rest_suspect, endless = "", False, False
    ended = False
    while not ended:
        block = file.read(BLOCK_BYTES)
        ended = not block
        text, suspect = _decoded(decoder, lines, block, ended)
        if endless:
            _, end, text = text.partition("\n")
            if not end:
                continue
            endless = False
        text, suspect = rest + text, rest_suspect or suspect
        cut = len(text) if ended else text.rfind("\n") + 1
        rest, rest_suspect = text[cut:], suspect
        if len(rest) > MAX_RECORD_CHARS:
            cut, rest, endless = cut + MAX_RECORD_CHARS + 1, "", True
        if cut:
            yield text[:cut] + "\n" * endless, suspect


def _decoded(
    decoder: codecs.IncrementalDecoder,
    lines: IncrementalNewlineDecoder,
    block: bytes,
    ended: bool,
) -> tuple[str, bool]:
    try:
        text = lines.decode(block, final=ended)
    except UnicodeDecodeError:
        decoder.errors = "lmt.undecoded"
        text = lines.decode(block, final=ended)
        decoder.errors = "strict"
        return text, True
    return text, "\0" in text


def _mended(cells: list[str]) -> Record:
    """The cells without what can't be kept, and the first problem they have."""
    problem = ""
    for i, cell in enumerate(cells):
        if "\0" in cell:
            cells[i] = cell = cell.replace("\0", "")
            problem = problem or NUL
        if _UNDECODED in cell:
            cells[i] = cell = cell.replace(_UNDECODED, _REPLACED)
            problem = problem or ENCODING
        if len(cell) > MAX_CELL_CHARS:
            cells[i] = cell[:MAX_CELL_CHARS]
            problem = problem or CELL_TOO_LONG
    return cells, problem


def _begun(line: str, delimiter: str, quote: str) -> list[str]:
    """The cells of a line that is no record, as far as they can be told."""
    reader = _reader(iter([line[:MAX_CELL_CHARS]]), delimiter, quote)
    cells, _problem = _mended(next(reader, []))
    return cells
