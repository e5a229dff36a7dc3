"""What the answers to a form say, in the shape of a lead."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from lmt.forms.answers import Answers, shown_fields
from lmt.forms.definition import FormDefinition
from lmt.forms.fields import ADDRESS_PARTS, CAMPAIGN_KEYS, CLICK_KEYS, FieldDefinition
from lmt.forms.typedplace import postcode_and_city

IN_WORDS = frozenset({"request.timeframe", "request.comments", "request.contact_time"})
"""Places of a lead that people read as they are: an option is put there in the form's words."""

Value = str | int | float | list[str]


def lead_of(definition: FormDefinition, answers: Answers, *, language: str = "") -> dict[str, Any]:
    """The answers (as the rules let them pass) in the shape of the lead JSON.

    `language` is the one the form was shown in. Campaign inputs among the answers (CAMPAIGN_KEYS)
    go to `campaign`, CLICK_KEYS and what has no place in a lead to `attributes`. What a condition
    left out is left out.
    """
    asked = shown_fields(definition, answers)
    lead: dict[str, Any] = {
        "customer": {"language": language},
        "address": {},
        "request": {},
        "vehicle": {},
        "campaign": {key: answers[key] for key in CAMPAIGN_KEYS if answers.get(key)},
        "consents": [],
        "attributes": {key: answers[key] for key in CLICK_KEYS if answers.get(key)},
    }
    for item in definition.fields:
        if item.key in asked:
            _put(definition, item, answers, lead, language)
    if definition.brand:
        lead["request"].setdefault("brand", definition.brand)
    if definition.campaign:
        lead["campaign"].setdefault("code", definition.campaign)
    return lead


def consent_text_version(definition: FormDefinition, item: FieldDefinition, language: str) -> str:
    """Names the very words that were shown: a language, and a digest of the text."""
    return f"{language}:{_digest(definition.words(item.label, language))[:12]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _put(
    definition: FormDefinition,
    item: FieldDefinition,
    answers: Answers,
    lead: dict[str, Any],
    language: str,
) -> None:
    answer = answers.get(item.key, "")
    if item.type == "hidden":
        # Whatever was sent: a page may fill it only where the form says so.
        answer = (answer if item.prefill else "") or item.value
    if item.type == "consent":
        version = consent_text_version(definition, item, language or definition.default_language)
        lead["consents"].append(
            {"purpose": item.purpose, "given": bool(answer), "text_version": version}
        )
    elif item.type == "address":
        parts = {part: answers.get(f"{item.key}-{part}", "") for part in ADDRESS_PARTS}
        lead["address"] |= {part: text for part, text in parts.items() if text}
    elif item.type == "model" and answer:
        lead["request"].update(_model(definition, item, answer))
    elif item.type == "dealer":
        _put_dealer(item, answers, lead)
    elif item.type not in {"section", "file"} and answer:
        _put_answer(definition, item, answer, lead)


def _put_answer(
    definition: FormDefinition, item: FieldDefinition, answer: str, lead: dict[str, Any]
) -> None:
    section, _, name = item.place.partition(".")
    if item.place in IN_WORDS and item.options:
        chosen = [option for id in answer.split("\n") if (option := item.option(id))]
        language = definition.default_language
        answer = ", ".join(definition.words(option.label, language) for option in chosen)
    if section:
        lead[section][name] = answer.replace("\n", ", ") if item.type == "choices" else answer
    else:
        lead["attributes"][item.key] = _value(item, answer)


def _put_dealer(item: FieldDefinition, answers: Answers, lead: dict[str, Any]) -> None:
    """The dealer picked; where the visitor is, unless they gave their address."""
    if answer := answers.get(item.key, ""):
        lead["request"]["preferred_dealer"] = answer
    lat, lon = answers.get(f"{item.key}-lat", ""), answers.get(f"{item.key}-lon", "")
    if lat and lon:
        lead["address"].setdefault("lat", float(lat))
        lead["address"].setdefault("lon", float(lon))
    elif "city" not in lead["address"]:
        postcode, city = postcode_and_city(answers.get(f"{item.key}-place", ""))
        lead["address"] |= {"city": city} if city else {}
        if postcode:
            lead["address"].setdefault("postcode", postcode)


def _value(item: FieldDefinition, answer: str) -> Value:
    """An attribute as a report can count it: a number is one, several options are a list."""
    if item.type == "choices":
        return answer.split("\n")
    if item.type == "number":
        number = float(answer)
        return int(number) if number.is_integer() else number
    return answer


def _model(definition: FormDefinition, item: FieldDefinition, answer: str) -> Mapping[str, str]:
    brand, _, model = answer.partition("/")
    option = item.option(answer)
    if not model or option is None:
        return {"brand": brand}
    return {"brand": brand, "model": definition.words(option.label, definition.default_language)}
