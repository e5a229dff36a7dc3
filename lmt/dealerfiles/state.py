"""A dealer as lists and tables both say it, so that the two can be compared field by field."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from lmt.dealerfiles.closurespans import Span
from lmt.dealerfiles.offers import Offer

Areas = tuple[tuple[bool, str], ...]
"""(owned alone, GeoJSON geometry as text with sorted keys), sorted."""


@dataclass(frozen=True, slots=True)
class DealerState:
    """`group` is a name, `closures` are those that are not over, `market` a code. Postcodes are
    prefixes; `exclusive` ones are the dealer's alone."""

    code: str
    market: str
    name: str
    email: str = ""
    group: str = ""
    kind: str = "showroom"
    phone: str = ""
    language: str = ""
    languages: tuple[str, ...] = ()
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    lat: float = 0.0
    lon: float = 0.0
    timezone: str = ""
    hours: str = ""
    day_cap: int | None = None
    month_cap: int | None = None
    open_cap: int | None = None
    weight: float = 1.0
    active: bool = True
    paused: bool = False
    closures: tuple[Span, ...] = ()
    competences: frozenset[Offer] = frozenset()
    exclusive: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    areas: Areas = ()


FIELDS = tuple(field.name for field in fields(DealerState))
OF_TERMS = (
    "name", "email", "phone", "language", "languages", "street", "postcode", "city", "country",
    "lat", "lon", "timezone", "hours", "day_cap", "month_cap", "open_cap", "weight", "active",
    "paused",
)  # fmt: skip
"""Those that a dealer's terms hold."""
OF_HOURS = frozenset({"hours", "timezone", "country", "closures"})
"""Those that move running offers."""


def changed_fields(before: DealerState, after: DealerState) -> tuple[str, ...]:
    """The fields in which two states of one dealer differ."""
    return tuple(
        name
        for name in FIELDS
        if (old := getattr(before, name)) != (new := getattr(after, name))
        and not (name == "phone" and _digits(old) == _digits(new))
    )


def _digits(phone: str) -> str:
    """What is dialled: a number is no other for being written with blanks."""
    return "".join(sign for sign in phone if sign.isdecimal())


def plain_value(value: Any) -> Any:
    """A field's value as JSON keeps it."""
    if isinstance(value, frozenset):
        return [plain_value(each) for each in sorted(value)]
    if isinstance(value, tuple):
        return [plain_value(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
