"""Whether a field of a form is asked, as JSON Schema over all the answers that were sent."""

from __future__ import annotations

import re
from typing import Any

from lmt.forms.answerjson import number_as_text, path_of
from lmt.forms.answers import cleaned
from lmt.forms.conditions import Condition, Group, Test
from lmt.forms.definition import FormDefinition
from lmt.forms.digits import NUMBER
from lmt.forms.fields import WITH_OPTIONS, FieldDefinition
from lmt.forms.valueschema import FILLED

Told = dict[str, Any] | bool

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def asked_schemas(definition: FormDefinition) -> dict[str, Told]:
    """By key, for each field but sections: a schema that holds where the field is asked; True for
    one that always is. Those among `unsaid` are True as well."""
    left_open = unsaid(definition)
    by_key = {item.key: item for item in definition.fields}
    asked: dict[str, Told] = {}
    for key, conditions in _conditions(definition).items():
        said = [] if key in left_open else conditions
        asked[key] = all_of([_told(condition, by_key, asked) for condition in said])
    return asked


def unsaid(definition: FormDefinition) -> frozenset[str]:
    """The keys of fields of which JSON Schema can't say whether they are asked."""
    by_key = {item.key: item for item in definition.fields}
    found: set[str] = set()
    for key, conditions in _conditions(definition).items():
        tests = [test for condition in conditions for test in _tests(condition)]
        if any(test.field in found or not _can_be_said(test, by_key) for test in tests):
            found.add(key)
    return frozenset(found)


def filled_schema(item: FieldDefinition) -> dict[str, Any]:
    """Holds where a field of text was answered."""
    return _at(item, FILLED)


def all_of(parts: list[Told]) -> Told:
    parts = [part for part in parts if part is not True]
    if not parts:
        return True
    return {"allOf": parts} if len(parts) > 1 else parts[0]


def _conditions(definition: FormDefinition) -> dict[str, list[Condition]]:
    """All that must hold for a field: its step's, its section's, its own."""
    found: dict[str, list[Condition]] = {}
    for step in definition.steps:
        section: Condition | None = None
        for item in step.fields:
            if item.type == "section":
                section = item.shown_when
            else:
                above = (step.shown_when, section, item.shown_when)
                found[item.key] = [each for each in above if each is not None]
    return found


def _tests(condition: Condition) -> list[Test]:
    if isinstance(condition, Test):
        return [condition]
    return [test for part in condition.parts for test in _tests(part)]


def _can_be_said(test: Test, by_key: dict[str, FieldDefinition]) -> bool:
    """A number that stands in a text can't be compared."""
    item = by_key[test.field]
    if test.test not in {"at_least", "at_most"} or _DATE.fullmatch(test.values[0]):
        return True
    known = item.type in WITH_OPTIONS | {"number", "date", "consent", "address"}
    return known or (item.type == "hidden" and not item.prefill)


def _told(condition: Condition, by_key: dict[str, FieldDefinition], asked: dict[str, Told]) -> Told:
    if isinstance(condition, Group):
        parts = [_told(part, by_key, asked) for part in condition.parts]
        if condition.kind == "all":
            return all_of(parts)
        return True if True in parts else {"anyOf": parts}
    item, test, values = by_key[condition.field], condition.test, condition.values
    if test == "is_not":
        return _negated(_met(Test(item.key, "is", values), item, asked))
    if test == "filled" and values == ("no",):
        return _negated(_met(Test(item.key, "filled", ("yes",)), item, asked))
    return _met(condition, item, asked)


def _negated(told: Told) -> Told:
    return not told if isinstance(told, bool) else {"not": told}


def _met(test: Test, item: FieldDefinition, asked: dict[str, Told]) -> Told:
    """An answer that isn't asked for is none: so the field must be asked, and the test hold."""
    is_asked: Told = asked[item.key] is True or {"$ref": f"#/$defs/asked-{item.key}"}
    answered = _answered(test, item)
    return answered and all_of([is_asked, answered])


def _answered(test: Test, item: FieldDefinition) -> Told:
    if item.type == "hidden" and not item.prefill:
        return test.holds(lambda _key: cleaned(item.value))
    if item.type == "address" and len(item.countries) == 1:
        return test.holds(lambda _key: item.countries[0])
    value = _value(test, item)
    told: Told = value if isinstance(value, bool) else _at(item, value)
    if item.type == "hidden" and test.holds(lambda _key: cleaned(item.value)):
        absent = {"not": _at(item, FILLED)}
        return {"anyOf": [absent] if told is False else [absent, told]}
    return told


def _at(item: FieldDefinition, value: dict[str, Any]) -> dict[str, Any]:
    """An answer that is there and is `value`; of several inputs the first, as conditions look."""
    schema = value
    for name in reversed(path_of(item, item.inputs[0])):
        schema = {"type": "object", "required": [name], "properties": {name: schema}}
    return schema


def _value(test: Test, item: FieldDefinition) -> Told:
    if item.type == "choices":
        return _chosen(test, item)
    if item.type == "consent":
        return {"const": True} if test.holds(lambda _key: "yes") else False
    if item.type == "number":
        return _number(test)
    if test.test == "filled":
        return FILLED
    if test.test == "is":
        return _is_among(test.values, item)
    if not _DATE.fullmatch(test.values[0]):
        return _options_that(test, item)
    return {"type": "string", "pattern": f"^(?:{'|'.join(_days(test))})$"}


def _chosen(test: Test, item: FieldDefinition) -> Told:
    if test.test == "filled":
        return {"type": "array", "minItems": 1}
    if test.test == "is":
        return {"type": "array", "contains": {"enum": list(test.values)}}
    options = _options_that(test, item)
    return options and {"type": "array", "minItems": 1, "maxItems": 1, "items": options}


def _options_that(test: Test, item: FieldDefinition) -> Told:
    """As an unknown option is refused anyhow, those known are all that need to be compared."""
    ids = [option.id for option in item.options if test.holds(lambda _key, o=option: o.id)]  # type: ignore[misc]
    return {"enum": ids} if ids else False


def _number(test: Test) -> Told:
    if test.test == "filled":
        return {"type": "number"}
    if test.test == "is":
        numbers = [float(value) for value in test.values if NUMBER.fullmatch(value)]
        same = [number for number in numbers if number_as_text(number) in test.values]
        return {"enum": same} if same else False
    if _DATE.fullmatch(test.values[0]):
        return False
    bound = "minimum" if test.test == "at_least" else "maximum"
    return {"type": "number", bound: float(test.values[0])}


def _is_among(values: tuple[str, ...], item: FieldDefinition) -> Told:
    possible = [value for value in values if value and cleaned(value) == value]
    if item.type == "longtext" and possible:
        lines = "|".join(re.sub(r"([$()*+./?\[\\\]^{|}])", r"\\\1", value) for value in possible)
        return {"type": "string", "pattern": rf"(?:^|\n)(?:{lines})(?:\n|$)"}
    return {"enum": possible} if possible else False


def _days(test: Test) -> list[str]:
    """Patterns that together are all days (or what looks like one) on one side of a day."""
    bound = test.values[0]
    found = [bound]
    for at, digit in enumerate(bound):
        if digit == "-":
            continue
        first, last = (
            (chr(ord(digit) + 1), "9") if test.test == "at_least" else ("0", chr(ord(digit) - 1))
        )
        if first <= last and first <= "9" and last >= "0":
            rest = re.sub("[0-9]", "[0-9]", bound[at + 1 :])
            found.append(f"{bound[:at]}[{first}-{last}]{rest}")
    return found
