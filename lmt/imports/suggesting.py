"""A first guess at the table of a stranger's file: which column holds what, by header and rows."""

from __future__ import annotations

import json
from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

from lmt.files.columns import column_styles, iso_instant
from lmt.files.unanswered import unanswered
from lmt.ingest.dispositions import disposition
from lmt.mapping.folding import words_of
from lmt.mapping.model import Line, Mapping
from lmt.mapping.suggest import suggestions
from lmt.mapping.targets import FILE_TARGETS, TARGETS

MAX_SAMPLES = 50
_FEWEST_UNDERSTOOD = 0.6
"""Of a column's values that must be dispositions for its header to be believed."""
_FEWEST_UNNAMED = 0.9
_FEWEST_DATES = 0.8
_PHONE_CODE = "phone code"
_LONGEST_CODE = 6
# Parts of one street, in the order in which they are written.
_STREET_PARTS = 5


def suggested(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Mapping:
    """The mapping for a header and its first rows; columns that nothing tells of fill no line.

    Of calls it knows a disposition by its values, too. A number and the country's code before it,
    which diallers keep apart, are joined.
    """
    rows = rows[:MAX_SAMPLES]
    values = {
        name: [row[i].strip() for row in rows if i < len(row) and not unanswered(row[i])]
        for i, name in enumerate(columns)
    }
    calls = _calls(columns, rows, values)
    code = _phone_code(columns, values)
    taken = [*calls.values(), *([code] if code else [])]
    samples = [dict(zip(columns, row, strict=False)) for row in rows] or [
        dict.fromkeys(columns, "")
    ]
    for sample in samples:
        for name in [name for name, text in sample.items() if unanswered(text)]:
            sample[name] = ""
    found = {each.target: each.path for each in suggestions(samples, taken)}
    if "id" not in found and (own := _named("id", columns, {*taken, *found.values()})):
        found["id"] = own
    if "id" in found and _is_counted(values[found["id"]]):
        del found["id"]
    lines = [_line(target, path, columns, code) for target, path in found.items()]
    lines += [Line(target, (path,)) for target, path in calls.items()]
    order = [*TARGETS, *FILE_TARGETS]
    return Mapping(tuple(sorted(lines, key=lambda line: order.index(line.target))))


def _line(target: str, path: str, columns: Sequence[str], code: str) -> Line:
    line = Line(target, (path,))
    if target == "customer.phone" and code:
        return replace(line, paths=(code, path), how="join", prefix="+")
    if target == "address.street" and len(parts := _street_parts(path, columns)) > 1:
        return replace(line, paths=parts, how="join")
    return line


def _calls(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    values: ReadOnly[str, Sequence[str]],
) -> dict[str, str]:
    """{target: column} of what the file tells of calls, where it tells of any."""
    found: dict[str, str] = {}
    said = _said(columns, values)
    if said:
        found["call.disposition"] = said
    styles = dict(zip(columns, column_styles(rows), strict=False))
    for target in ("call.back_at", "call.at", "call.agent", "call.note"):
        for name in columns:
            if name in found.values() or target not in _names().get(_folded(name), ()):
                continue
            if target.endswith("at"):
                dates = [bool(iso_instant(text, styles[name])) for text in values[name]]
                if sum(dates) < _FEWEST_DATES * len(dates):
                    continue
            found[target] = name
            break
    # An agent or a note alone says nothing of a call: a file of showroom visits has both.
    if not {"call.disposition", "call.at", "call.back_at"} & found.keys():
        return {}
    return found


def _said(columns: Sequence[str], values: ReadOnly[str, Sequence[str]]) -> str:
    """The column that says how calls ended: by its name where its values agree, or by them."""
    best = ("", 0.0)
    for name in columns:
        texts = values[name]
        is_named = "call.disposition" in _names().get(_folded(name), ())
        if not texts:
            continue
        known = [found.code for text in texts if (found := disposition(text))]
        share = len(known) / len(texts)
        if is_named and share >= _FEWEST_UNDERSTOOD:
            share += 1
        elif share < _FEWEST_UNNAMED or len(set(known)) < 3:
            continue
        if share > best[1]:
            best = (name, share)
    return best[0]


def _phone_code(columns: Sequence[str], values: ReadOnly[str, Sequence[str]]) -> str:
    for name in columns:
        texts = values[name]
        if _PHONE_CODE in _names().get(_folded(name), ()) and all(
            text.lstrip("+").isdecimal() and len(text) <= _LONGEST_CODE for text in texts
        ):
            return name
    return ""


def _named(target: str, columns: Sequence[str], taken: set[str]) -> str:
    free = (name for name in columns if name not in taken)
    return next((name for name in free if target in _names().get(_folded(name), ())), "")


def _is_counted(texts: Sequence[str]) -> bool:
    """Whether the rows are only numbered: the next file's row 7 is somebody else."""
    counted = ([str(n) for n in range(first, first + len(texts))] for first in (0, 1))
    return len(texts) > 1 and any(list(texts) == each for each in counted)


def _street_parts(path: str, columns: Sequence[str]) -> tuple[str, ...]:
    """`address1`, `address2`, `address3`: what is told on several lines."""
    head = path.rstrip("1")
    if head == path or head.endswith(tuple("0123456789")):
        return (path,)
    others = (f"{head}{number}" for number in range(2, _STREET_PARTS + 1))
    return (path, *(name for name in others if name in columns))


def _folded(name: str) -> str:
    return " ".join(words_of(name))


@lru_cache(maxsize=1)
def _names() -> ReadOnly[str, tuple[str, ...]]:
    """{folded header: what it may name}."""
    data = json.loads(files(__package__).joinpath("callcolumns.json").read_text(encoding="utf-8"))
    names: dict[str, dict[str, None]] = {}
    for target, languages in data.items():
        for synonyms in languages.values():
            for synonym in synonyms.split("|"):
                names.setdefault(_folded(synonym), {})[target] = None
    return {name: tuple(targets) for name, targets in names.items()}
