"""What a customer is asked: a form is data, and the answers to it become a lead."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FIELD_TYPES = (
    "text",
    "longtext",
    "name",
    "email",
    "phone",
    "choice",
    "postcode",
    "city",
    "country",
    "model",
    "consent",
    "hidden",
)
WITH_OPTIONS = frozenset({"choice", "country", "model"})
CAMPAIGN_KEYS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "gclid",
    "referrer",
    "landing_page",
)
#: Names of inputs that the page adds by itself; no field may be called so.
RESERVED_KEYS = frozenset({*CAMPAIGN_KEYS, "lang", "form_token", "idempotency_key", "website"})
LONGEST = {"longtext": 5_000, "email": 254, "phone": 40, "postcode": 20}
LONGEST_OTHER = 200

Words = Mapping[str, str]
"""One text by language; the key "" holds for every language, as a proper name does."""

_PLACES = {
    "name": "customer.full_name",
    "email": "customer.email",
    "phone": "customer.phone",
    "postcode": "address.postcode",
    "city": "address.city",
    "country": "address.country",
}
_SECTIONS = {
    "customer": frozenset({"title", "first_name", "last_name", "full_name", "company", "email"}
                          | {"phone", "language"}),
    "address": frozenset({"street", "postcode", "city", "region", "country"}),
    "request": frozenset({"type", "brand", "model", "timeframe", "comments", "preferred_dealer"}
                         | {"contact_time"}),
    "vehicle": frozenset({"condition", "year", "vin"}),
    "campaign": frozenset({"code", *CAMPAIGN_KEYS}),
}  # fmt: skip


class BadForm(ValueError):
    """A definition that can't be a form; the message names the field."""


def in_words(words: Words, language: str, default: str = "en") -> str:
    """The text in `language`, else for all languages, else in `default`, English, or any."""
    for key in (language, language.split("-")[0], "", default, "en"):
        if words.get(key):
            return words[key]
    return next((text for text in words.values() if text), "")


@dataclass(frozen=True, slots=True)
class OptionDefinition:
    """One choice. The id is what is sent and stored and stays; the label may change.

    A model's id is `brand/model` in codes, or `brand` alone for any model of it.
    """

    id: str
    label: Words
    group: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One question. `to` is where its answer goes in the lead (`request.comments`); "" for what
    the type says, or else the lead's attributes. `value` is a hidden field's default. `purpose`
    is what a consent agrees to; its label is the text agreed to.
    """

    key: str
    type: str
    label: Words = field(default_factory=dict)
    help: Words = field(default_factory=dict)
    required: bool = False
    max_length: int = LONGEST_OTHER
    options: tuple[OptionDefinition, ...] = ()
    to: str = ""
    value: str = ""
    purpose: str = "contact"

    def __post_init__(self) -> None:
        if not self.key.isidentifier() or self.key in RESERVED_KEYS:
            raise BadForm(f"{self.key!r} can't be the key of a field")
        if self.type not in FIELD_TYPES:
            raise BadForm(f"{self.key}: {self.type!r} is no type of field")
        if (self.type in WITH_OPTIONS) != bool(self.options):
            raise BadForm(f"{self.key}: {self.type} and its options don't go together")
        if len({option.id for option in self.options}) != len(self.options):
            raise BadForm(f"{self.key}: two options have one id")
        if not 1 <= self.max_length <= LONGEST["longtext"]:
            raise BadForm(f"{self.key}: max_length must lie within 1 and {LONGEST['longtext']}")
        section, _, name = self.to.partition(".")
        if self.to and name not in _SECTIONS.get(section, ()):
            raise BadForm(f"{self.key}: {self.to!r} is no place in a lead")

    def option(self, id: str) -> OptionDefinition | None:
        return next((option for option in self.options if option.id == id), None)


@dataclass(frozen=True, slots=True)
class FormDefinition:
    """An ordered list of questions, and the languages they are asked in."""

    code: str
    title: Words
    fields: tuple[FieldDefinition, ...]
    languages: tuple[str, ...] = ("en",)
    default_language: str = "en"
    intro: Words = field(default_factory=dict)
    submit: Words = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = [item.key for item in self.fields]
        if len(set(keys)) != len(keys):
            raise BadForm("two fields have one key")
        if self.default_language not in self.languages:
            raise BadForm("default_language must be among the languages")

    def language(self, wanted: str) -> str:
        """`wanted` (`ar-SA` counts as `ar`) where the form speaks it, else its default."""
        language = wanted.replace("_", "-").split("-")[0].lower()
        return language if language in self.languages else self.default_language

    def words(self, words: Words, language: str) -> str:
        return in_words(words, language, self.default_language)

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "title": dict(self.title),
            "intro": dict(self.intro),
            "submit": dict(self.submit),
            "languages": list(self.languages),
            "default_language": self.default_language,
            "fields": [_field_json(item) for item in self.fields],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FormDefinition:
        """Read what `to_json` wrote. Raises BadForm for what can't be a form."""
        try:
            return cls(
                code=str(data["code"]),
                title=dict(data["title"]),
                intro=dict(data.get("intro", {})),
                submit=dict(data.get("submit", {})),
                languages=tuple(data["languages"]),
                default_language=str(data["default_language"]),
                fields=tuple(_field_from(item) for item in data["fields"]),
            )
        except (KeyError, TypeError) as problem:
            raise BadForm(f"the definition lacks {problem}") from problem

    def to_lead(self, answers: Mapping[str, str], *, language: str = "") -> dict[str, Any]:
        """The answers (as `check` let them pass) in the shape of a lead.

        `language` is the one the form was shown in. Campaign inputs among the answers
        (CAMPAIGN_KEYS) go to `campaign`. What has no place in a lead goes to `attributes`.
        """
        lead: dict[str, Any] = {
            "customer": {"language": language},
            "address": {},
            "request": {},
            "vehicle": {},
            "campaign": {key: answers[key] for key in CAMPAIGN_KEYS if answers.get(key)},
            "consents": [],
            "attributes": {},
        }
        for item in self.fields:
            answer = (answers.get(item.key) or "").strip()
            if item.type == "consent":
                lead["consents"].append(self._consent(item, bool(answer), language))
            elif item.type == "model" and answer:
                lead["request"].update(self._model(item, answer))
            else:
                answer = answer or item.value
                section, _, name = (item.to or _PLACES.get(item.type, "")).partition(".")
                if answer:
                    lead[section or "attributes"][name or item.key] = answer
        return lead

    def consent_text_version(self, item: FieldDefinition, language: str) -> str:
        """Names the very words that were shown: a language, and a digest of the text."""
        text = self.words(item.label, language)
        return f"{language}:{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def _consent(self, item: FieldDefinition, given: bool, language: str) -> dict[str, Any]:
        return {
            "purpose": item.purpose,
            "given": given,
            "text_version": self.consent_text_version(item, language or self.default_language),
        }

    def _model(self, item: FieldDefinition, answer: str) -> dict[str, str]:
        brand, _, model = answer.partition("/")
        option = item.option(answer)
        if not model or option is None:
            return {"brand": brand}
        return {
            "brand": brand,
            "model": self.words(option.label, self.default_language),
        }


def _field_json(item: FieldDefinition) -> dict[str, Any]:
    data: dict[str, Any] = {
        "key": item.key,
        "type": item.type,
        "label": dict(item.label),
    }
    if item.help:
        data["help"] = dict(item.help)
    if item.required:
        data["required"] = True
    data["max_length"] = item.max_length
    if item.options:
        data["options"] = [
            {"id": option.id, "label": dict(option.label), "group": dict(option.group)}
            for option in item.options
        ]
    for name in ("to", "value"):
        if getattr(item, name):
            data[name] = getattr(item, name)
    if item.type == "consent":
        data["purpose"] = item.purpose
    return data


def _field_from(data: Mapping[str, Any]) -> FieldDefinition:
    kind = str(data["type"])
    return FieldDefinition(
        key=str(data["key"]),
        type=kind,
        label=dict(data.get("label", {})),
        help=dict(data.get("help", {})),
        required=bool(data.get("required", False)),
        max_length=int(data.get("max_length") or LONGEST.get(kind, LONGEST_OTHER)),
        options=tuple(
            OptionDefinition(str(o["id"]), dict(o["label"]), dict(o.get("group", {})))
            for o in data.get("options", ())
        ),
        to=str(data.get("to", "")),
        value=str(data.get("value", "")),
        purpose=str(data.get("purpose", "contact")),
    )
