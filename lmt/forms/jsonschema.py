"""A form's answers as JSON Schema: what a program may send, conditions told as if and then.

JSON Schema can't say all of the rules (lmt/forms/rules.py has the last word): it knows no today,
and compares no number that stands in a text. Fields that hang on such a comparison are described,
but not bounded: `unsaid` names them.
"""

from __future__ import annotations

from typing import Any

from lmt.forms.askedschema import asked_schemas, filled_schema, unsaid
from lmt.forms.definition import FormDefinition
from lmt.forms.fields import FieldDefinition
from lmt.forms.valueschema import needs_answer, shape, value_schema

__all__ = ["json_schema", "unsaid"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(definition: FormDefinition, language: str) -> dict[str, Any]:
    """Draft 2020-12, of the object that answers_schema reads as `answers`; titles in `language`.

    For cleaned answers: no blanks around a text, digits in ASCII. `format` is meant to be
    asserted.
    """
    shown = definition.language(language)
    asked = asked_schemas(definition)
    left_open = unsaid(definition)
    sent = [
        item
        for item in definition.fields
        if item.type != "section" and not (item.type == "hidden" and not item.prefill)
    ]
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "title": definition.words(definition.title, shown),
        "type": "object",
        "properties": {item.key: _described(item, definition, shown) for item in sent},
        "additionalProperties": False,
    }
    rules = [
        _ruled(item, always=asked[item.key] is True) for item in sent if item.key not in left_open
    ]
    if reach := _reached(definition, asked, left_open):
        rules.append(reach)
    if rules:
        schema["allOf"] = rules
    conditions = {_name(key): told for key, told in asked.items() if told is not True}
    if conditions:
        schema["$defs"] = conditions
    return schema


def _described(item: FieldDefinition, definition: FormDefinition, language: str) -> dict[str, Any]:
    told = {
        "title": definition.words(item.label, language),
        "description": definition.words(item.help, language),
    }
    return {name: text for name, text in told.items() if text} | shape(item)


def _ruled(item: FieldDefinition, *, always: bool) -> dict[str, Any]:
    rule: dict[str, Any] = {"properties": {item.key: value_schema(item)}}
    if needs_answer(item):
        rule["required"] = [item.key]
    return rule if always else {"if": _is_asked(item.key), "then": rule}


def _reached(
    definition: FormDefinition, asked: dict[str, Any], left_open: frozenset[str]
) -> dict[str, Any]:
    """A phone or a mail, of those that are asked for; {} where that can't be said."""
    ways = [item for item in definition.fields if item.type in {"phone", "email"}]
    if not ways or left_open & {item.key for item in ways}:
        return {}
    if any(asked[item.key] is True for item in ways):
        nobody_asks: list[dict[str, Any]] = []
    else:
        nobody_asks = [{"not": {"anyOf": [_is_asked(item.key) for item in ways]}}]
    answered = [
        filled_schema(item)
        if asked[item.key] is True
        else {"allOf": [_is_asked(item.key), filled_schema(item)]}
        for item in ways
    ]
    return {"anyOf": [*nobody_asks, *answered]}


def _is_asked(key: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{_name(key)}"}


def _name(key: str) -> str:
    return f"asked-{key}"
