"""Where a table's header stands among its first records, and what its columns are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from lmt.files.limits import HEADER_WITHIN_RECORDS, MAX_COLUMN_NAME_CHARS
from lmt.files.unanswered import unanswered

# What a person's or a dealer's data looks like, and a column's name does not.
_DATA = re.compile(
    r"[^\s@]+@[^\s@]+\.\w+"
    r"|https?://\S+|www\.\S+"
    r"|[+(]?[\d\u0660-\u0669][\d\u0660-\u0669+().,:/\\\-\s'%]*"
    r"|[-+]?[\d.,]+(?:[eE][+-]?\d+)?"
    r"|\d{4}-\d\d-\d\d[T ].*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b.*"
)
_UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2069"))

Records = Sequence[Sequence[str]]


def header_line(records: Records) -> int:
    """Which record, from 1, is the header; 0 where the data begins at once.

    Titles and comments before it are records with fewer cells than the table's.
    """
    width = _width(records)
    for number, record in enumerate(records[:HEADER_WITHIN_RECORDS], 1):
        if _is_full(record, width):
            data = [each for each in records[number:] if _is_full(each, width)]
            return number if _is_header(record, data) else 0
    return 0


def columns(records: Records, line: int) -> tuple[str, ...]:
    """Unique names for the columns: the header's, "Column 3" for a blank, "Phone (2)" for a second.

    Trailing columns without a name and without a value in any of these records are none; values
    beyond the header in most records are columns without a name.
    """
    rows = [row for row in records[line:] if any(row)]
    header = [_name(cell) for cell in records[line - 1]] if line else []
    used = Counter(_used(row) for row in rows)
    beyond = sum(times for width, times in used.items() if width > len(header))
    width = len(header)
    if line and rows and beyond * 2 > len(rows):
        width = max(used)
    elif not line:
        # Known by their place alone: one that is blank so far keeps it.
        width = Counter(len(row) for row in rows).most_common(1)[0][0] if rows else 0
    else:
        most = max(used, default=0)
        while width > 1 and not header[width - 1] and width > most:
            width -= 1
    header += [""] * (width - len(header))
    return _unique(header[:width])


def _width(records: Records) -> int:
    """How many cells most records have; the widest of equally frequent ones."""
    widths = Counter(_used(record) for record in records if any(record))
    return max(widths, key=lambda width: (widths[width], width), default=0)


def _used(record: Sequence[str]) -> int:
    """The cells up to the last that holds something."""
    return next((i for i in range(len(record), 0, -1) if record[i - 1].strip()), 0)


def _is_full(record: Sequence[str], width: int) -> bool:
    filled = sum(1 for cell in record if cell.strip())
    return filled >= 1 if width < 2 else filled >= 2 and filled * 2 >= width


def _is_header(record: Sequence[str], rows: Records) -> bool:
    """Names are no data and stand over it: more of them do than look like data themselves."""
    names = data = 0
    for i, cell in enumerate(record):
        below = [row[i].strip() for row in rows if i < len(row) and not unanswered(row[i])]
        if unanswered(cell):
            continue
        if _is_data(cell) or cell.strip() in below:
            data += 1
        elif below and sum(map(_is_data, below)) * 10 >= len(below) * 7:
            names += 1
    return data == 0 or names > data


def _is_data(cell: str) -> bool:
    cell = cell.strip()
    if _DATA.fullmatch(cell):
        return True
    digits = sum(map(str.isdecimal, cell))
    return digits >= 4 and digits * 5 >= len(cell) * 2


def _name(cell: str) -> str:
    return " ".join(cell.translate(_UNSEEN).split())[:MAX_COLUMN_NAME_CHARS].strip()


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    taken = {name for name in names if name}
    given: list[str] = []
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        wanted, again = name or f"Column {number}", 2
        unique = wanted
        while unique in seen or (unique != name and unique in taken):
            unique, again = f"{wanted} ({again})", again + 1
        seen.add(unique)
        given.append(unique)
    return tuple(given)
