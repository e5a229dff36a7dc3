"""The conditions of a draft as JSON: which fields they look at, and as rows a person can edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lmt.forms.conditions import TESTS, BadCondition, condition_from

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the editor: a field, a test, and what it is compared with."""

    field: str = ""
    test: str = "is"
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """`kind`: `all` of the rows must hold, or `any`."""

    kind: str = "all"
    rows: Sequence[Row] = ()


def looked_at(condition: Json | None) -> frozenset[str]:
    """The keys of the fields that it looks at."""
    if not condition:
        return frozenset()
    parts = _parts(condition)
    if parts is None:
        return frozenset({str(condition.get("field", ""))})
    return frozenset().union(*(looked_at(part) for part in parts))


def without(condition: Json, keys: Iterable[str]) -> dict[str, Any] | None:
    """The condition without the tests of these fields; None where nothing is left."""
    parts = _parts(condition)
    gone = set(keys)
    if parts is None:
        return None if condition.get("field") in gone else dict(condition)
    left = [kept for part in parts if (kept := without(part, gone)) is not None]
    return {_kind(condition): left} if left else None


def renamed(condition: Json, key: str, new: str) -> dict[str, Any]:
    parts = _parts(condition)
    if parts is None:
        return {**condition, "field": new if condition.get("field") == key else condition["field"]}
    return {_kind(condition): [renamed(part, key, new) for part in parts]}


def as_rows(condition: Json | None) -> Rows | None:
    """None for a condition with groups in groups, which rows can't show."""
    if not condition:
        return Rows()
    parts = _parts(condition)
    if parts is None:
        return Rows("all", (_row(condition),))
    if any(_parts(part) is not None for part in parts):
        return None
    return Rows(_kind(condition), tuple(_row(part) for part in parts))


def from_rows(rows: Rows) -> dict[str, Any] | None:
    """The condition that the rows say; rows without a field count for nothing.

    Raises BadCondition for a value that can't be compared, or none at all.
    """
    tests = [{"field": row.field, row.test: list(row.values)} for row in rows.rows if row.field]
    if not tests:
        return None
    return condition_from(tests[0] if len(tests) == 1 else {rows.kind: tests}).to_json()


def _kind(condition: Json) -> str:
    return "all" if "all" in condition else "any"


def _parts(condition: Json) -> Sequence[Json] | None:
    if "all" in condition or "any" in condition:
        parts: Sequence[Json] = condition[_kind(condition)]
        return parts
    return None


def _row(condition: Json) -> Row:
    test = next((test for test in TESTS if test in condition), "")
    if not test:
        raise BadCondition("a condition names one field and one test")
    return Row(str(condition["field"]), test, tuple(str(value) for value in condition[test]))
