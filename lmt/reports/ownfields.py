"""Which custom fields reports can be grouped by."""

from __future__ import annotations

from collections.abc import Iterable

from lmt.forms.fields import FieldDefinition

COUNTED = frozenset({"choice", "choices", "text", "hidden"})
"""Types whose answers come again, so that leads can be grouped by them."""


def grouping_fields(fields: Iterable[FieldDefinition]) -> list[FieldDefinition]:
    """Those whose answers come again, as far as their owner shows them in reports."""
    return [item for item in fields if item.type in COUNTED and "reports" in item.shows]
