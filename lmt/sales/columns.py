"""Which column of a file of sales is which field: guessed by name and values, then checked.

Pure. What customers' columns are called is known from the lead's own fields (`lmt.mapping.names`);
only what a sale has besides is listed here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from lmt.files.columns import ColumnStyle, iso_date
from lmt.files.unanswered import unanswered
from lmt.mapping.folding import words_of
from lmt.mapping.names import named_targets

FIELDS = (
    "sold_on", "order_number", "vin", "full_name", "first_name", "last_name", "company", "phone",
    "email", "postcode", "city", "model", "dealer", "value", "currency",
)  # fmt: skip
REQUIRED = "sold_on"
TELLING = frozenset({"order_number", "vin", "full_name", "last_name", "company", "phone", "email"})
"""Fields by which a lead is found: one of them must be there."""
_TARGETS: Mapping[str, str] = {
    "customer.full_name": "full_name",
    "customer.first_name": "first_name",
    "customer.last_name": "last_name",
    "customer.company": "company",
    "customer.phone": "phone",
    "customer.email": "email",
    "address.postcode": "postcode",
    "address.city": "city",
    "vehicle.vin": "vin",
    "request.model": "model",
}
_SURE_ENOUGH = 0.8
_FEWEST_DATES = 0.5
_MAIL_SHARE = 0.8


def guessed(
    columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[ColumnStyle]
) -> dict[str, int]:
    """A first guess: {field: the column's place, from 0}, each column once.

    `rows` are the first of the file, `styles` as many as columns. A date's column must hold dates;
    of several the one that is named the most surely counts, then the first.
    """
    found: dict[str, int] = {}
    wanted: list[tuple[int, float, int, str]] = []
    for place, column in enumerate(columns):
        for rank, (field, score) in enumerate(_named(column)):
            wanted.append((rank, -score, place, field))
    for _rank, _score, place, field in sorted(wanted):
        if field in found or place in found.values():
            continue
        values = _values(rows, place)
        if field == REQUIRED and not _are_dates(values, styles[place]):
            continue
        found[field] = place
    if "email" not in found:
        found |= _mail_by_values(columns, rows, frozenset(found.values()))
    if "full_name" in found and {"first_name", "last_name"} <= found.keys():
        del found["full_name"]
    if "full_name" in found and "first_name" in found and "last_name" not in found:
        # "Name" beside a first name is the family's.
        found["last_name"] = found.pop("full_name")
    return {field: found[field] for field in FIELDS if field in found}


def problem_of(columns: Mapping[str, object], width: int) -> str:
    """Why no sale could be read by these columns: not_table, no_date, nothing_telling, or ""."""
    places = list(columns.values())
    are_places = all(isinstance(each, int) and 0 <= each < width for each in places)
    if not are_places or not columns.keys() <= {*FIELDS} or len(set(places)) < len(places):
        return "not_table"
    if REQUIRED not in columns:
        return "no_date"
    return "" if TELLING & columns.keys() else "nothing_telling"


def _named(column: str) -> Iterable[tuple[str, float]]:
    """The fields that a header may name, the surest first."""
    own = _names().get("".join(words_of(column)), ())
    known = named_targets(column)
    others = sorted(
        ((field, score) for target, score in known.items() if (field := _TARGETS.get(target, ""))),
        key=lambda pair: -pair[1],
    )
    told = dict.fromkeys(own, 1.0)
    for field, score in others:
        if score >= _SURE_ENOUGH:
            told.setdefault(field, score)
    return told.items()


def _values(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    return [row[place].strip() for row in rows if place < len(row) and not unanswered(row[place])]


def _are_dates(values: Sequence[str], style: ColumnStyle) -> bool:
    """Whether they can be read as days in one order or the other; an empty column may be one."""
    orders = (style.dates,) if style.dates else ("dmy", "mdy")
    read = max(
        sum(bool(iso_date(value, ColumnStyle(order, style.decimal))) for value in values)
        for order in orders
    )
    return read >= _FEWEST_DATES * len(values)


def _mail_by_values(
    columns: Sequence[str], rows: Sequence[Sequence[str]], taken: frozenset[int]
) -> dict[str, int]:
    """A mail address shows itself, whatever its column is called."""
    for place in range(len(columns)):
        values = _values(rows, place)
        mails = sum("@" in value and "." in value.rpartition("@")[2] for value in values)
        if place not in taken and values and mails >= _MAIL_SHARE * len(values):
            return {"email": place}
    return {}


@lru_cache(maxsize=1)
def _names() -> Mapping[str, tuple[str, ...]]:
    """{a header's letters: fields that are called so}."""
    data = json.loads(files(__package__).joinpath("synonyms.json").read_text(encoding="utf-8"))
    names: dict[str, dict[str, None]] = {}
    for field, languages in data.items():
        for synonyms in ("|".join((field, *languages.values()))).split("|"):
            names.setdefault("".join(words_of(synonyms)), {})[field] = None
    return {name: tuple(fields) for name, fields in names.items()}
