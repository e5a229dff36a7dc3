"""Answers as a program sends them: JSON by key of the field, each in the shape of its type."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lmt.forms.definition import FormDefinition
from lmt.forms.fields import ADDRESS_PARTS, FieldDefinition
from lmt.forms.rules import CONSENTED

PARTS = {
    "address": ADDRESS_PARTS,
    "dealer": ("code", "place", "lat", "lon"),
    "file": ("name", "size"),
}
"""Types whose answer is an object. Of a file its name and size; its bytes are sent apart."""
NUMBERS = frozenset({"lat", "lon", "size"})
_FIRST = {"dealer": "code", "file": "name"}


def answers_from_json(definition: FormDefinition, data: Mapping[str, Any]) -> dict[str, str]:
    """By name of the input. Options are a list, a consent is true or false, a number is one;
    keys that the form doesn't know are left out."""
    found: dict[str, str] = {}
    for item in definition.fields:
        value = data.get(item.key)
        if isinstance(value, Mapping):
            for part in PARTS.get(item.type, ()):
                found[input_name(item, part)] = _text(value.get(part))
        elif isinstance(value, list):
            found[item.key] = "\n".join(_text(each) for each in value)
        else:
            found[item.key] = _text(value)
    return found


def input_name(item: FieldDefinition, part: str) -> str:
    return item.key if part == _FIRST.get(item.type) else f"{item.key}-{part}"


def path_of(item: FieldDefinition, name: str) -> tuple[str, ...]:
    """Where the answer of one input stands in the JSON."""
    if item.type not in PARTS:
        return (item.key,)
    part = name.removeprefix(f"{item.key}-") if name != item.key else _FIRST[item.type]
    return item.key, part


def _text(value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return CONSENTED
    return number_as_text(value) if isinstance(value, int | float) else str(value)


def number_as_text(value: int | float) -> str:
    """Without an exponent, a whole number without a fraction: 10.0 is "10"."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # An integer of more digits than any answer may have is slow to write out, and no number.
    if isinstance(value, int) and value.bit_length() > 1_000:
        return "too big"
    return format(Decimal(repr(value)), "f")
