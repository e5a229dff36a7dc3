"""A form as data: steps of questions, in one definition that every face of it is made from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lmt.forms.conditions import BadCondition, Condition, condition_from
from lmt.forms.fields import (
    CAMPAIGN_KEYS,
    LONGEST,
    RESERVED_KEYS,
    WITH_OPTIONS,
    BadForm,
    FieldDefinition,
    OptionDefinition,
    Words,
    field_from,
    in_words,
    words_from,
)
from lmt.forms.theme import BadTheme, checked_theme

__all__ = [
    "CAMPAIGN_KEYS",
    "LONGEST",
    "RESERVED_KEYS",
    "WITH_OPTIONS",
    "BadForm",
    "FieldDefinition",
    "FormDefinition",
    "OptionDefinition",
    "StepDefinition",
    "Words",
    "in_words",
]

MOST_STEPS = 12
MOST_FIELDS = 100
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """Questions that are shown together; a step whose condition fails is left out."""

    key: str
    fields: tuple[FieldDefinition, ...]
    title: Words = field(default_factory=dict)
    shown_when: Condition | None = None


@dataclass(frozen=True, slots=True)
class FormDefinition:
    """What is asked, in which order and languages, and what happens after it was sent.

    `thanks` is said above what becomes of the request; `redirect` is where a visitor is led
    instead. `brand` and `campaign` are codes for leads that don't name theirs. Raises BadForm for
    two fields or steps of one key, and for a condition that looks at a field which isn't above it.
    """

    code: str
    title: Words
    steps: tuple[StepDefinition, ...]
    languages: tuple[str, ...] = ("en",)
    default_language: str = "en"
    intro: Words = field(default_factory=dict)
    submit: Words = field(default_factory=dict)
    thanks: Words = field(default_factory=dict)
    redirect: str = ""
    brand: str = ""
    campaign: str = ""
    theme: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise BadForm(f"a form has 1 to {MOST_STEPS} steps")
        if len(self.fields) > MOST_FIELDS:
            raise BadForm(f"a form has at most {MOST_FIELDS} fields")
        # Steps and fields are named in one list, where they are edited and where they are shown.
        keys = [step.key for step in self.steps] + [item.key for item in self.fields]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise BadForm(f"{', '.join(sorted(twice))}: two have one key")
        if self.default_language not in self.languages:
            raise BadForm("default_language must be among the languages")
        if self.redirect and not self.redirect.startswith("https://"):
            raise BadForm("redirect must begin with https://")
        try:
            checked_theme(self.theme)
        except BadTheme as problem:
            raise BadForm(f"theme: {problem}") from problem
        known: set[str] = set()
        for step in self.steps:
            _expect_earlier(step.key, step.shown_when, known)
            for item in step.fields:
                _expect_earlier(item.key, item.shown_when, known)
                if item.type != "section":
                    known.add(item.key)

    @property
    def fields(self) -> tuple[FieldDefinition, ...]:
        return tuple(item for step in self.steps for item in step.fields)

    def field(self, key: str) -> FieldDefinition | None:
        return next((item for item in self.fields if item.key == key), None)

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
            "thanks": dict(self.thanks),
            "redirect": self.redirect,
            "brand": self.brand,
            "campaign": self.campaign,
            "theme": dict(self.theme),
            "languages": list(self.languages),
            "default_language": self.default_language,
            "steps": [_step_json(step) for step in self.steps],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FormDefinition:
        """Read what `to_json` wrote, or a form of before there were steps: its `fields` are one.

        Raises BadForm for what can't be a form.
        """
        steps = data.get("steps") or [{"key": "all", "fields": data.get("fields", ())}]
        try:
            return cls(
                code=str(data["code"]),
                title=words_from(data["title"]),
                steps=tuple(_step_from(step) for step in steps),
                languages=_languages(data["languages"]),
                default_language=str(data["default_language"]),
                redirect=str(data.get("redirect", "")),
                brand=str(data.get("brand", "")),
                campaign=str(data.get("campaign", "")),
                theme=dict(data.get("theme", {})),
                **{name: words_from(data.get(name, {})) for name in ("intro", "submit", "thanks")},
            )
        except BadForm:
            raise
        except (KeyError, TypeError, AttributeError, ValueError) as problem:
            raise BadForm(f"the definition lacks {problem}") from problem


def _languages(codes: Any) -> tuple[str, ...]:
    if not isinstance(codes, list | tuple) or not all(map(_LANGUAGE.fullmatch, map(str, codes))):
        raise BadForm("languages are a list of codes")
    return tuple(codes)


def _expect_earlier(key: str, condition: Condition | None, known: set[str]) -> None:
    unknown = set(condition.fields()) - known if condition is not None else set()
    if unknown:
        raise BadForm(f"{key}: is shown by {', '.join(sorted(unknown))}, which isn't above it")


def _step_json(step: StepDefinition) -> dict[str, Any]:
    data: dict[str, Any] = {"key": step.key, "title": dict(step.title)}
    if step.shown_when is not None:
        data["shown_when"] = step.shown_when.to_json()
    data["fields"] = [item.to_json() for item in step.fields]
    return data


def _step_from(data: Mapping[str, Any]) -> StepDefinition:
    key = str(data["key"])
    try:
        shown_when = condition_from(data["shown_when"]) if data.get("shown_when") else None
    except BadCondition as problem:
        raise BadForm(f"{key}: {problem}") from problem
    return StepDefinition(
        key=key,
        fields=tuple(field_from(item) for item in data["fields"]),
        title=words_from(data.get("title", {})),
        shown_when=shown_when,
    )
