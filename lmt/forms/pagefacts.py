"""What a browser must know to decide as the server does: the form's rules, without its words."""

from __future__ import annotations

from datetime import date
from typing import Any

from lmt.forms.answers import cleaned
from lmt.forms.countryaddresses import address_parts, part_label
from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.fields import FieldDefinition
from lmt.forms.problemwords import day_words, sentences
from lmt.forms.rules import day_bounds, most_mb
from lmt.i18n import reading

_ONLY_OF = {
    "number": {"number"},
    "too_small": {"number"},
    "too_big": {"number"},
    "date": {"date"},
    "too_early": {"date"},
    "too_late": {"date"},
    "too_many": {"choices"},
    "file_type": {"file"},
    "file_size": {"file"},
}
"""Types of the fields that alone can have a problem of this code."""


def page_facts(definition: FormDefinition, language: str, today: date) -> dict[str, Any]:
    """For static/rules.js, as JSON: `steps` (key, keys of `fields`, shown_when), `fields` in the
    form's order, `messages` by code of a Problem that its fields may have, with facts in braces.

    A field has key, type, inputs, and where they hold required, max_length, least, most,
    `options` (ids), shown_when, `value` and `fixed` (hidden; the page can't fill it), `earliest`
    and `latest` (dates counted from `today`), `days` (these in words), `parts` (address, by
    country in the order to ask them: part, label, required, pattern, areas as [value, label]),
    `error` (its own words).
    """
    shown = definition.language(language)
    with reading(shown):
        return {
            "today": today.isoformat(),
            "steps": [_step_facts(step) for step in definition.steps],
            "fields": [
                _present(_field_facts(item, definition, shown, today)) for item in definition.fields
            ],
            "messages": _messages(definition),
        }


def _messages(definition: FormDefinition) -> dict[str, str]:
    types = {item.type for item in definition.fields}
    return {
        code: sentence
        for code, sentence in sentences().items()
        if _ONLY_OF.get(code, types) & types
    }


def _step_facts(step: StepDefinition) -> dict[str, Any]:
    shown_when = step.shown_when.to_json() if step.shown_when else None
    fields = [item.key for item in step.fields]
    return {"key": step.key, "fields": fields} | _present({"shown_when": shown_when})


def _field_facts(
    item: FieldDefinition, definition: FormDefinition, language: str, today: date
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "key": item.key,
        "type": item.type,
        "inputs": list(item.inputs),
        "required": item.required or None,
        "max_length": item.max_length,
        "options": [option.id for option in item.options] or None,
        "shown_when": item.shown_when.to_json() if item.shown_when else None,
        "error": (definition.words(item.error, language) if item.error else "") or None,
    }
    if item.type == "hidden":
        facts |= {"value": cleaned(item.value), "fixed": not item.prefill or None}
    elif item.type == "date":
        facts |= _day_facts(item, today)
    elif item.type == "file":
        facts["most"] = most_mb(item)
    elif item.type in {"number", "choices"}:
        facts |= {"least": item.least, "most": item.most}
    elif item.type == "address":
        facts["parts"] = {country: _part_facts(country, language) for country in item.countries}
    return facts


def _day_facts(item: FieldDefinition, today: date) -> dict[str, Any]:
    earliest, latest = day_bounds(item, today)
    days = {day: day_words(day) for day in (earliest, latest) if day}
    return {"earliest": earliest or None, "latest": latest or None, "days": days or None}


def _part_facts(country: str, language: str) -> list[dict[str, Any]]:
    return [
        _present(
            {
                "part": part.part,
                "label": part_label(part.label, language),
                "required": part.required or None,
                "pattern": part.pattern or None,
                "areas": [
                    [value, words.get(language) or words.get("") or value]
                    for value, words in part.areas
                ]
                or None,
            }
        )
        for part in address_parts(country, language)
    ]


def _present(facts: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing: this travels to every visitor."""
    return {name: fact for name, fact in facts.items() if fact is not None}
