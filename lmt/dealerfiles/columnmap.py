"""Which column of a list of dealers is which field of ours: suggested, corrected, and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lmt.dealerfiles.offers import Brands, folded
from lmt.dealerfiles.vocabulary import SERVICES, field_named, service_within
from lmt.dealerfiles.weekdays import CODES, days_of, weekday_columns
from lmt.mapping.folding import words_of

PLAIN_FIELDS = (
    "code", "name", "group", "kind", "market", "place", "lat", "lon", "street", "postcode", "city",
    "region", "country", "phone", "email", "languages", "timezone", "hours", "closures", "day_cap",
    "month_cap", "open_cap", "weight", "active", "paused", "competences", "brands", "services",
    "models", "postcodes.exclusive", "postcodes.shared",
)  # fmt: skip
"""All but the weekdays' hours ("hours.mo", "hours.mo-fr") and columns of one brand and service
("offer:aurel:sales", "offer::sales" for the row's own brands)."""

DEFAULTABLE = frozenset(PLAIN_FIELDS) - {"code", "name", "place", "lat", "lon"}
"""What may be said once for all rows: never what tells one dealer from another."""
RUNS = (*CODES, "mo-fr", "mo-sa", "mo-su", "sa-su", "su-th", "fr-sa")
_DATES = ("", "dmy", "mdy")


class BadColumnMap(ValueError):
    """What is no table of columns: `code` unknown_field, unknown_column, twice, not_default,
    not_table; `about` names what it is about."""

    def __init__(self, code: str, about: str) -> None:
        super().__init__(f"{code}: {about}")
        self.code = code
        self.about = about


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """`columns`: {column's name: field}; `defaults`: {field: what every row says that doesn't say
    it itself}; `dates`: the order of dates with slashes, "dmy" or "mdy", "" where it must be plain.
    """

    columns: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    dates: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": dict(self.columns),
            "defaults": dict(self.defaults),
            "dates": self.dates,
        }

    @classmethod
    def from_json(cls, data: Any, columns: Sequence[str]) -> ColumnMap:
        """Raises BadColumnMap where it isn't one for a file of these columns."""
        if not isinstance(data, Mapping) or not data.keys() <= {"columns", "defaults", "dates"}:
            raise BadColumnMap("not_table", "")
        named, defaults = data.get("columns", {}), data.get("defaults", {})
        dates = data.get("dates", "")
        for part in (named, defaults):
            if not isinstance(part, Mapping) or not all(
                isinstance(text, str) for pair in part.items() for text in pair
            ):
                raise BadColumnMap("not_table", "")
        if dates not in _DATES:
            raise BadColumnMap("not_table", "dates")
        made = cls(
            {column: name for column, name in named.items() if name},
            {name: text for name, text in defaults.items() if text.strip()},
            dates,
        )
        made._check(columns)
        return made

    def _check(self, columns: Sequence[str]) -> None:
        known = set(columns)
        told: set[str] = set()
        for column, name in self.columns.items():
            if column not in known:
                raise BadColumnMap("unknown_column", column)
            if not is_field(name):
                raise BadColumnMap("unknown_field", name)
            parts = {f"hours.{day}" for day in days_of(name.removeprefix("hours."))} or {name}
            if told & parts:
                raise BadColumnMap("twice", name)
            told |= parts
        for name in self.defaults:
            if not is_field(name):
                raise BadColumnMap("unknown_field", name)
            if name not in DEFAULTABLE and not name.startswith("hours."):
                raise BadColumnMap("not_default", name)


def is_field(name: str) -> bool:
    if name in PLAIN_FIELDS:
        return True
    if name.startswith("hours."):
        return bool(days_of(name.removeprefix("hours.")))
    return name.startswith("offer:") and name.count(":") == 2 and name.split(":")[2] in SERVICES


def suggested(columns: Sequence[str], brands: Brands) -> ColumnMap:
    """A first guess from what the columns are called. Each field once; a column that nobody knows
    is left alone."""
    days = weekday_columns(columns)
    found: dict[str, str] = {}
    taken: set[str] = set()
    for column in columns:
        name = f"hours.{days[column]}" if column in days else field_named(column)
        name = name or _offer(column, brands)
        if name and name not in taken:
            taken.add(name)
            found[column] = name
    if "lat" not in taken or "lon" not in taken:
        # One of two numbers says nothing: "x" or "length" was meant for something else.
        found = {column: name for column, name in found.items() if name not in {"lat", "lon"}}
    return ColumnMap(found)


def _offer(column: str, brands: Brands) -> str:
    service, rest = service_within(words_of(column))
    if not service:
        return ""
    if not rest:
        return f"offer::{service}"
    brand = brands.names.get("".join(rest), "") or brands.code_of(folded("".join(rest)))
    return f"offer:{brand}:{service}" if brand else ""
