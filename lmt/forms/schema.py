"""The answers of a form for programs: read with marshmallow, described by JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from lmt.forms.answerjson import NUMBERS, PARTS, answers_from_json, path_of
from lmt.forms.answers import given_answers
from lmt.forms.definition import FormDefinition
from lmt.forms.fields import FieldDefinition
from lmt.forms.jsonschema import json_schema
from lmt.forms.validate import check
from lmt.i18n import gettext as _
from lmt.i18n import reading

__all__ = ["answers_schema", "json_schema"]


class _Plain(fields.Field[Any]):
    """A value of one of some kinds of JSON, as it is: the rules have the say over it."""

    def __init__(self, *kinds: type, wrong: str) -> None:
        super().__init__(allow_none=True, error_messages={"invalid": wrong})
        self.kinds = kinds

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if type(value) not in self.kinds:
            raise self.make_error("invalid")
        return value


def answers_schema(definition: FormDefinition, *, language: str, today: date) -> type[Schema]:
    """Loads `{"answers": {...}}` to {"answers": Answers}, by the rules of the page.

    Raises ValidationError by key of the field (an address, a dealer, a file: by part below it),
    in `language` where the form speaks it. `today` is the day at the visitor's.
    """
    with reading(definition.language(language)):
        asked = {
            item.key: _field(item)
            for item in definition.fields
            if item.type != "section" and not (item.type == "hidden" and not item.prefill)
        }
        unknown = {"unknown": _("This form has no such field."), "type": _wrong()}
        nested = _nested(asked, unknown, required=_("Please fill this in."))

    class FormAnswers(Schema):
        class Meta:
            # One for each form and request: none is looked up by its name.
            register = False

        answers = nested

        @validates_schema(skip_on_field_errors=True)
        def by_the_rules(self, data: dict[str, Any], **_kwargs: Any) -> None:
            sent = answers_from_json(definition, data["answers"])
            if wrong := check(definition, sent, language, today):
                raise ValidationError({"answers": _by_field(definition, wrong)})

        @post_load
        def as_they_count(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
            sent = answers_from_json(definition, data["answers"])
            return {"answers": given_answers(definition, lambda name: [sent.get(name, "")])}

    return FormAnswers


def _field(item: FieldDefinition) -> fields.Field[Any]:
    if item.type in PARTS:
        parts = {
            part: _Plain(int, float, str, wrong=_("Write a number."))
            if part in NUMBERS
            else _Plain(str, wrong=_wrong())
            for part in PARTS[item.type]
        }
        return _nested(parts, {"unknown": _("This form has no such field."), "type": _wrong()})
    if item.type == "choices":
        options = _Plain(str, wrong=_("Choose one of the options."))
        wrong: dict[str, Any] = {"invalid": _("Choose one of the options.")}
        return fields.List(options, allow_none=True, error_messages=wrong)
    if item.type == "number":
        return _Plain(int, float, str, wrong=_("Write a number."))
    if item.type == "consent":
        return _Plain(bool, str, wrong=_wrong())
    return _Plain(str, wrong=_wrong())


def _nested(
    parts: Mapping[str, fields.Field[Any]], messages: dict[str, str], required: str = ""
) -> fields.Nested:
    class Said(Schema):
        class Meta:
            register = False

        error_messages = messages

    schema = Said.from_dict(dict(parts))
    said: dict[str, Any] = {"required": required, "null": required} if required else {}
    return fields.Nested(
        schema, required=bool(required), allow_none=not required, error_messages=said
    )


def _wrong() -> str:
    return _("This isn't of the kind that was asked for.")


def _by_field(definition: FormDefinition, wrong: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in definition.fields:
        for name in item.inputs:
            if name in wrong:
                place = found
                *above, last = path_of(item, name)
                for key in above:
                    place = place.setdefault(key, {})
                place[last] = [wrong[name]]
    return found
