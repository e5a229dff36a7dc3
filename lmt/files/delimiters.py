"""What stands between the cells of a text, and what quotes them."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

from lmt.files.layout import DELIMITERS, ONE_COLUMN
from lmt.files.limits import HEADER_WITHIN_RECORDS, MAX_COLUMNS, SAMPLE_RECORDS
from lmt.files.textrows import text_records

# Excel writes it to tell itself.
SAID = re.compile(r"""["']?sep=(.)["']?\s*(?:\n|\Z)""", re.IGNORECASE)


def delimiter_of(sample: str, quote: str = '"') -> str:
    """The delimiter that cuts most records of the sample into as many cells, or ONE_COLUMN.

    Of several that do: the one whose count the header shares, that leaves no other delimiter
    within cells, that makes more columns, in the order of DELIMITERS (a comma is also a decimal
    comma and stands in every address).
    """
    if said := SAID.match(sample):
        return said[1] if said[1] in DELIMITERS else ONE_COLUMN
    scores = [(_score(sample, each, quote), each) for each in DELIMITERS]
    best, delimiter = max(scores, key=lambda scored: scored[0])
    return delimiter if best > 0 else ONE_COLUMN


def _score(sample: str, delimiter: str, quote: str) -> float:
    first = islice(text_records(sample, delimiter, quote), SAMPLE_RECORDS)
    rows = [cells[: MAX_COLUMNS + 1] for cells, _problem in first if any(cells)]
    if not rows:
        return 0.0
    widths = Counter(len(row) for row in rows)
    width, often = max(widths.items(), key=lambda item: (item[1], item[0]))
    if width < 2:
        # A header with names for columns that its rows leave out is still one of several.
        if len(rows) > 3 or len(rows[0]) < 2:
            return 0.0
        width, often = len(rows[0]), 1
    share = often / len(rows)
    if share < 0.4:
        return 0.0
    begins = next(i for i, row in enumerate(rows) if len(row) == width)
    cells = [cell for row in rows for cell in row if cell]
    others = [each for each in DELIMITERS[:3] if each != delimiter]
    torn = sum(any(each in cell for each in others) for cell in cells) / max(1, len(cells))
    late = 0.08 * min(begins, 1) + 0.01 * min(begins, HEADER_WITHIN_RECORDS)
    return share**2 * (0.8 + 0.02 * min(width, 10)) - late - 0.5 * torn


def quote_of(sample: str, delimiter: str) -> str:
    """The quote character; "" where quotes stand in the text but close nothing."""
    for quote in ('"', "'"):
        between = re.escape(delimiter)
        opened = len(re.findall(rf"(?:^|{between}){quote}", sample, re.M))
        whole = rf"(?:^|{between}){quote}(?:[^{quote}]|{quote}{quote})*{quote}(?={between}|$)"
        closed = sum(1 for _ in re.finditer(whole, sample, re.M))
        if quote == '"' and opened:
            return '"' if closed * 2 >= opened else ""
        # An apostrophe also marks a phone as text, or is a name's: believed when most cells close.
        if quote == "'" and closed > 3 and closed * 10 >= opened * 9:
            return "'"
    return '"'
