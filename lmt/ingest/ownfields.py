"""Does an answer fit the market's own field that it is for? What doesn't is kept, and noted."""

from __future__ import annotations

from datetime import date
from typing import Any

from lmt.forms.digits import NUMBER, number_text
from lmt.forms.fields import FieldDefinition


def misfit(item: FieldDefinition, value: Any) -> str:
    """The code of the problem with `value`, as JSON has it; "" for none, and for no answer."""
    if value is None or value == "" or value == []:
        return ""
    if item.type in {"choice", "choices"}:
        chosen = value if isinstance(value, list) and item.type == "choices" else [value]
        known = all(isinstance(each, str) and item.option(each) for each in chosen)
        return "" if known else "option_not_known"
    if item.type == "number":
        return "" if _is_number(value) else "not_a_number"
    if item.type == "date":
        return "" if _is_day(value) else "date_not_known"
    return ""


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return NUMBER.fullmatch(number_text(value)) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_day(value: Any) -> bool:
    try:
        return len(date.fromisoformat(value).isoformat()) == len(value)
    except (TypeError, ValueError):
        return False
