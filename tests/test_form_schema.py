"""A form's answers for programs: read with marshmallow, described by JSON Schema, by one rule."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from marshmallow import ValidationError

from lmt.forms.answerjson import PARTS, answers_from_json, input_name
from lmt.forms.answers import given_answers
from lmt.forms.conditions import condition_from
from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.digits import NUMBER
from lmt.forms.fields import FieldDefinition, OptionDefinition
from lmt.forms.jsonschema import json_schema, unsaid
from lmt.forms.rules import DEGREES, problems
from lmt.forms.schema import answers_schema
from lmt.forms.validate import check
from tests.generatedforms import TODAY, answered_forms

CASES = int(os.environ.get("LMT_FORM_CASES", "1000")) // 5
FORM = FormDefinition(
    code="drive",
    title={"en": "A test drive", "pl": "Jazda próbna"},
    languages=("en", "pl", "ar"),
    steps=(
        StepDefinition(
            "what",
            (
                FieldDefinition(
                    "wishes",
                    "choices",
                    {"en": "Wishes", "pl": "Życzenia"},
                    required=True,
                    options=(OptionDefinition("drive", {}), OptionDefinition("quote", {})),
                ),
                FieldDefinition("cars", "number", {"en": "Cars"}, least=1, most=50),
                FieldDefinition(
                    "fleet",
                    "text",
                    {"en": "Fleet"},
                    required=True,
                    max_length=20,
                    shown_when=condition_from({"field": "cars", "at_least": ["10"]}),
                ),
                FieldDefinition(
                    "day",
                    "date",
                    {"en": "Day"},
                    least=1,
                    shown_when=condition_from({"field": "wishes", "is": ["drive"]}),
                ),
            ),
        ),
        StepDefinition(
            "who",
            (
                FieldDefinition("phone", "phone", {"en": "Phone"}),
                FieldDefinition("email", "email", {"en": "E-mail"}, max_length=254),
                FieldDefinition("home", "address", {"en": "Home"}, countries=("PL", "AE")),
                FieldDefinition("dealer", "dealer", {"en": "Dealer"}),
                FieldDefinition("papers", "file", {"en": "Papers"}),
                FieldDefinition("code", "hidden", value="spring", prefill=False),
                FieldDefinition("consent", "consent", {"en": "I agree."}, required=True),
            ),
        ),
    ),
)
GOOD: dict[str, Any] = {"wishes": ["quote"], "phone": "+48 22 555 01 00", "consent": True}


def loaded(answers: Any, language: str = "en") -> dict[str, str]:
    schema = answers_schema(FORM, language=language, today=TODAY)
    return schema().load({"answers": answers})["answers"]


def refused(answers: Any, language: str = "en") -> Any:
    with pytest.raises(ValidationError) as caught:
        loaded(answers, language)
    return caught.value.messages["answers"]


def is_valid(form: FormDefinition, answers: Any) -> bool:
    schema = json_schema(form, "en")
    return jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(answers)


def test_json_becomes_the_answers_of_the_page() -> None:
    answers = loaded(
        GOOD
        | {"wishes": ["drive", "quote"], "cars": 12.0, "fleet": " Acme ", "day": "2026-03-09"}
        | {"home": {"country": "AE", "region": "Dubai"}}
        | {"dealer": {"code": "PL-001", "lat": 52.25, "lon": 21}}
        | {"papers": {"name": "papers.pdf", "size": 1000}, "email": None}
    )
    assert {name: text for name, text in answers.items() if text} == {
        "wishes": "drive\nquote",
        "cars": "12",
        "fleet": "Acme",
        "day": "2026-03-09",
        "phone": "+48 22 555 01 00",
        "home-country": "AE",
        "home-region": "Dubai",
        "dealer": "PL-001",
        "dealer-lat": "52.25",
        "dealer-lon": "21",
        "papers": "papers.pdf",
        "papers-size": "1000",
        "code": "spring",
        "consent": "yes",
    }


CHANGES: list[tuple[dict[str, Any], Any]] = [
    ({"wishes": []}, {"wishes": ["Choose one of the options."]}),
    ({"wishes": ["bus"]}, {"wishes": ["Choose one of the options."]}),
    ({"wishes": "quote!"}, {"wishes": ["Choose one of the options."]}),
    ({"wishes": [1]}, {"wishes": {0: ["Choose one of the options."]}}),
    ({"cars": "many"}, {"cars": ["Write a number."]}),
    ({"cars": True}, {"cars": ["Write a number."]}),
    ({"cars": 51, "fleet": "x"}, {"cars": ["Write 50 or a lower number."]}),
    ({"cars": 10}, {"fleet": ["Please fill this in."]}),
    ({"cars": 10, "fleet": 7}, {"fleet": ["This isn't of the kind that was asked for."]}),
    ({"consent": False}, {"consent": ["We need your consent to answer you."]}),
    ({"consent": "no"}, {"consent": ["Choose one of the options."]}),
    ({"code": "autumn"}, {"code": ["This form has no such field."]}),
    ({"nonsense": 1}, {"nonsense": ["This form has no such field."]}),
    (
        {"phone": ""},
        {"phone": ["Give a phone number or a mail address, so that we can answer you."]},
    ),
    (
        {"home": {"country": "PL", "postcode": "x", "city": "a\nb"}},
        {
            "home": {
                "postcode": ["Write the postcode as it is written in this country."],
                "city": ["Write this in one line."],
            }
        },
    ),
    ({"home": "Warsaw"}, {"home": {"_schema": ["This isn't of the kind that was asked for."]}}),
    ({"home": {"planet": "Mars"}}, {"home": {"planet": ["This form has no such field."]}}),
    ({"dealer": {"code": "../x"}}, {"dealer": {"code": ["Choose one of the options."]}}),
    (
        {"dealer": {"code": "a", "lat": 91, "lon": 0}},
        {"dealer": {"place": ["Write a town or a postcode."]}},
    ),
    ({"papers": {"name": "x.exe"}}, {"papers": {"name": [
        "Choose a picture (JPG, PNG, WebP, HEIC) or a PDF."
    ]}}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), CHANGES, ids=[f"{at}" for at in range(len(CHANGES))])
def test_what_is_refused_is_told_by_field(change: dict[str, Any], told: Any) -> None:
    assert refused(GOOD | change) == told
    assert not is_valid(FORM, GOOD | change)


def test_errors_are_told_in_the_language_asked_for() -> None:
    assert refused({}, "pl") == {
        "wishes": [check(FORM, {}, "pl", TODAY)["wishes"]],
        "phone": [check(FORM, {}, "pl", TODAY)["phone"]],
        "consent": [check(FORM, {}, "pl", TODAY)["consent"]],
    }


@pytest.mark.parametrize("sent", [None, [], "text", 5], ids=["null", "list", "text", "number"])
def test_answers_are_an_object(sent: Any) -> None:
    assert refused(sent)


def test_a_number_of_any_length_is_answered() -> None:
    assert refused(GOOD | {"cars": 10**5000}) == {"cars": ["Write a number."]}
    assert refused(GOOD | {"cars": float("inf")}) == {"cars": ["Write a number."]}


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, True),
        ({"cars": 9}, True),
        ({"cars": 10}, False),
        ({"cars": 10, "fleet": "Acme"}, True),
        ({"cars": 9, "fleet": "x" * 21}, True),
        ({"cars": 10, "fleet": "x" * 21}, False),
        ({"wishes": ["quote"], "day": "31 March"}, True),
        ({"wishes": ["drive"], "day": "31 March"}, False),
        ({"wishes": ["drive"], "day": "2026-02-29"}, False),
        ({"phone": "", "email": "nora@example.com"}, True),
        ({"home": {"country": "PL", "postcode": "00-950"}}, True),
        ({"home": {"country": "AE", "region": "Texas"}}, False),
    ],
)
def test_json_schema_tells_conditions(change: dict[str, Any], taken: bool) -> None:
    assert is_valid(FORM, GOOD | change) == taken


def test_json_schema_carries_the_words_of_the_form() -> None:
    schema = json_schema(FORM, "pl")
    jsonschema_rs.meta.validate(schema)
    assert (schema["title"], schema["properties"]["wishes"]["title"]) == (
        "Jazda próbna",
        "Życzenia",
    )


def as_json(form: FormDefinition, answers: dict[str, str]) -> dict[str, Any]:
    """What a program would send for these answers; what can't be is sent as the text it is."""
    sent: dict[str, Any] = {}
    for item in form.fields:
        if item.type == "section" or (item.type == "hidden" and not item.prefill):
            continue
        if item.type in PARTS:
            parts = {part: answers.get(input_name(item, part), "") for part in PARTS[item.type]}
            value: Any = {part: _number(part, text) for part, text in parts.items() if text}
            if item.type == "file" and "name" not in value:
                continue
        elif item.type == "choices":
            value = [each for each in answers[item.key].split("\n") if each]
        elif item.type == "consent" and answers[item.key] == "yes":
            value = True
        elif item.type == "number" and NUMBER.fullmatch(answers[item.key]):
            value = json.loads(str(float(answers[item.key])))
        else:
            value = answers[item.key]
        if value:
            sent[item.key] = value
    return sent


def _number(part: str, text: str) -> Any:
    if part in {"lat", "lon"} and re.fullmatch(DEGREES, text):
        return float(text)
    return int(text) if part == "size" and text.isascii() and text.isdecimal() else text


@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(answered=answered_forms())
def test_both_schemas_agree_with_the_rules(
    answered: tuple[FormDefinition, dict[str, str]],
) -> None:
    form, raw = answered
    sent = as_json(form, given_answers(form, lambda name: [raw.get(name, "")]))
    answers = answers_from_json(form, sent)
    wrong = problems(form, answers, TODAY)

    schema = answers_schema(form, language="en", today=TODAY)()
    told: Any = schema.validate({"answers": sent}).get("answers", {})
    assert flat(told) == list(check(form, answers, "en", TODAY).values())

    if not wrong or any(_can_be_said(form, name, wrong[name].code) for name in wrong):
        assert is_valid(form, sent) == (not wrong), json_schema(form, "en")


def _can_be_said(form: FormDefinition, name: str, code: str) -> bool:
    left_open = unsaid(form)
    open_fields = [item for item in form.fields if item.key in left_open]
    if any(item.type in {"phone", "email"} for item in open_fields) and name in {
        item.key for item in form.fields if item.type in {"phone", "email"}
    }:
        return code not in {"reach", "missing"} and name not in left_open
    inputs = {each for item in open_fields for each in item.inputs}
    return name not in inputs and code not in {"too_early", "too_late"}


def flat(told: Any) -> list[str]:
    if isinstance(told, dict):
        return [sentence for below in told.values() for sentence in flat(below)]
    return list(told)
