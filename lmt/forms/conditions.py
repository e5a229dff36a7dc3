"""When a question is asked: conditions on earlier answers, decided alike by browser and server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TESTS = ("is", "is_not", "filled", "at_least", "at_most")
DEEPEST = 3
MOST_PARTS = 20

Answered = Callable[[str], str]
"""From the key of a field to its answer, "" where there is none or where it isn't asked."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadCondition(ValueError):
    """What can't be a condition; the message says why."""


@dataclass(frozen=True, slots=True)
class Test:
    """One question about one answer.

    `is` and `is_not` ask whether one of the options chosen is among `values`; `filled` whether
    there is an answer at all (`values` are ("yes",) or ("no",)); `at_least` and `at_most` compare
    a number, or a date in ISO 8601, with the one value. An answer that can't be compared is
    neither: the test fails.
    """

    field: str
    test: str
    values: tuple[str, ...]

    def holds(self, answered: Answered) -> bool:
        answer = answered(self.field)
        if self.test == "filled":
            return bool(answer) == (self.values == ("yes",))
        if self.test in {"is", "is_not"}:
            chosen = answer.split("\n") if answer else []
            met = any(each in self.values for each in chosen)
            return met == (self.test == "is")
        return _compares(answer, self.test, self.values[0])

    def fields(self) -> Iterator[str]:
        yield self.field

    def to_json(self) -> dict[str, Any]:
        return {"field": self.field, self.test: list(self.values)}


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions, of which `all` or `any` must hold."""

    kind: str
    parts: tuple[Condition, ...]

    def holds(self, answered: Answered) -> bool:
        met = (part.holds(answered) for part in self.parts)
        return all(met) if self.kind == "all" else any(met)

    def fields(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.fields()

    def to_json(self) -> dict[str, Any]:
        return {self.kind: [part.to_json() for part in self.parts]}


Condition = Test | Group


def condition_from(data: Mapping[str, Any], deep: int = 1) -> Condition:
    """Read what `to_json` wrote. Raises BadCondition for anything else."""
    for kind in ("all", "any"):
        if kind in data:
            parts = data[kind]
            if not isinstance(parts, Sequence) or not 1 <= len(parts) <= MOST_PARTS:
                raise BadCondition(f"{kind} must list 1 to {MOST_PARTS} conditions")
            if deep >= DEEPEST:
                raise BadCondition(f"conditions nest at most {DEEPEST} deep")
            return Group(kind, tuple(condition_from(part, deep + 1) for part in parts))
    tests = [test for test in TESTS if test in data]
    if len(tests) != 1 or not isinstance(data.get("field"), str):
        raise BadCondition("a condition names one field and one test")
    (test,) = tests
    given = data[test]
    values = tuple(str(value) for value in given) if isinstance(given, list | tuple) else ()
    if not values or len(values) > 100:
        raise BadCondition(f"{test} needs a list of values")
    if test == "filled" and values not in {("yes",), ("no",)}:
        raise BadCondition("filled is yes or no")
    if test in {"at_least", "at_most"} and (len(values) != 1 or not _comparable(values[0])):
        raise BadCondition(f"{test} needs one number or date")
    return Test(data["field"], test, values)


def _comparable(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text) or _DATE.fullmatch(text))


def _compares(answer: str, test: str, bound: str) -> bool:
    if _DATE.fullmatch(answer) and _DATE.fullmatch(bound):
        return answer >= bound if test == "at_least" else answer <= bound
    if _NUMBER.fullmatch(answer) and _NUMBER.fullmatch(bound):
        given, against = float(answer), float(bound)
        return given >= against if test == "at_least" else given <= against
    return False
