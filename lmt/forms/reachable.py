"""Which questions no visitor can ever reach, because their conditions can't hold."""

from __future__ import annotations

from collections.abc import Mapping

from lmt.forms.conditions import Condition, Test
from lmt.forms.definition import FormDefinition
from lmt.forms.fields import FieldDefinition

_COMPARABLE = frozenset({"number", "date", "hidden"})
_OWN_OPTIONS = frozenset({"choice", "choices", "time_window", "country", "model"})


def never_shown(definition: FormDefinition) -> tuple[frozenset[str], frozenset[str]]:
    """The keys of the steps and of the fields that are never shown, those of such steps and
    sections included. What may hold for some answers counts as reachable."""
    steps: set[str] = set()
    fields: set[str] = set()
    by_key = {item.key: item for item in definition.fields}
    for step in definition.steps:
        if not _can_hold(step.shown_when, by_key, fields):
            steps.add(step.key)
            fields |= {item.key for item in step.fields}
            continue
        section_reached = True
        for item in step.fields:
            reached = _can_hold(item.shown_when, by_key, fields)
            if item.type == "section":
                section_reached = reached
            if not (reached and section_reached):
                fields.add(item.key)
    return frozenset(steps), frozenset(fields)


def _can_hold(
    condition: Condition | None, by_key: Mapping[str, FieldDefinition], never: set[str]
) -> bool:
    if condition is None:
        return True
    if isinstance(condition, Test):
        return _test_can_hold(condition, by_key[condition.field], condition.field in never)
    parts = [_can_hold(part, by_key, never) for part in condition.parts]
    if condition.kind == "any":
        return any(parts)
    return all(parts) and not _contradicts(condition.parts, by_key)


def _test_can_hold(test: Test, item: FieldDefinition, never: bool) -> bool:
    if test.test == "filled":
        wanted = test.values == ("yes",)
        return not never and item.type != "section" if wanted else not _always_filled(item)
    if test.test == "is_not":
        return True
    if never:
        return False
    if test.test == "is":
        possible = _answers(item)
        return possible is None or not possible.isdisjoint(test.values)
    if item.type not in _COMPARABLE:
        return False
    return item.type != "number" or _within(test, item)


def _within(test: Test, item: FieldDefinition) -> bool:
    try:
        bound = float(test.values[0])
    except ValueError:
        return False
    if test.test == "at_least":
        return item.most is None or bound <= item.most
    return item.least is None or bound >= item.least


def _answers(item: FieldDefinition) -> frozenset[str] | None:
    """All that can be answered; None where that is open."""
    if item.type in _OWN_OPTIONS:
        return frozenset(option.id for option in item.options)
    if item.type == "consent":
        return frozenset({"yes"})
    if item.type == "hidden" and not item.prefill:
        return frozenset({item.value})
    return frozenset() if item.type == "section" else None


def _always_filled(item: FieldDefinition) -> bool:
    return item.type == "hidden" and not item.prefill and bool(item.value)


def _contradicts(parts: tuple[Condition, ...], by_key: Mapping[str, FieldDefinition]) -> bool:
    """Does `all` ask one answer that is a single one to be two different ones?"""
    wanted: dict[str, frozenset[str]] = {}
    for part in parts:
        if isinstance(part, Test) and part.test == "is" and by_key[part.field].type != "choices":
            values = frozenset(part.values)
            wanted[part.field] = wanted.get(part.field, values) & values
            if not wanted[part.field]:
                return True
    return False
