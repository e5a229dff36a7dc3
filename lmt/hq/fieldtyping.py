"""What is typed of an own field, as the page shows it again and as the library keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from lmt.forms.fields import LONGEST, LONGEST_OTHER, SHOWN_IN, WITH_OPTIONS, in_words
from lmt.hq.sourceform import suggested_code
from lmt.i18n import gettext as _

WORDS = ("label", "help", "error")
NUMBERS = ("max_length", "least", "most", "retention_days")
MOST_ROWS = 200
LONGEST_KEY = 40


@dataclass(frozen=True, slots=True)
class OptionTyping:
    """One line of options. `known`: it was kept before, so its id stays."""

    id: str
    label: dict[str, str]
    known: bool = False


@dataclass(frozen=True, slots=True)
class FieldTyping:
    """The form as it was sent, numbers as text, and what can't be read of it at all."""

    kind: str
    key: str = ""
    words: dict[str, dict[str, str]] = field(default_factory=lambda: {name: {} for name in WORDS})
    options: tuple[OptionTyping, ...] = ()
    required: bool = False
    personal: bool = False
    shows: tuple[str, ...] = SHOWN_IN
    numbers: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def definition(self) -> dict[str, Any]:
        """As JSON of a FieldDefinition, unchecked."""
        data: dict[str, Any] = {
            "key": self.key,
            "type": self.kind,
            **self.words,
            "required": self.required,
            "personal": self.personal,
            "shows": list(self.shows),
        }
        data |= {name: int(text) for name, text in self.numbers.items() if text}
        if self.kind in WITH_OPTIONS:
            data["options"] = [{"id": each.id, "label": each.label} for each in self.options]
        return data


def typing_of(definition: Mapping[str, Any]) -> FieldTyping:
    """A kept field as its form shows it before anybody types."""
    kind = str(definition["type"])
    numbers = {name: definition.get(name) for name in NUMBERS}
    if numbers["max_length"] == LONGEST.get(kind, LONGEST_OTHER):
        numbers["max_length"] = None
    return FieldTyping(
        kind=kind,
        key=str(definition["key"]),
        words={name: dict(definition.get(name, {})) for name in WORDS},
        options=tuple(
            OptionTyping(option["id"], dict(option["label"]), known=True)
            for option in definition.get("options", ())
        ),
        required=bool(definition.get("required")),
        personal=bool(definition.get("personal")),
        shows=tuple(definition.get("shows", SHOWN_IN)),
        numbers={name: "" if value is None else str(value) for name, value in numbers.items()},
    )


def read_typing(
    form: MultiDict[str, str],
    languages: Sequence[str],
    kept: Mapping[str, Any] | None = None,
) -> FieldTyping:
    """What was sent, in the `languages` that the page asks for. Of a `kept` field the key stays."""
    problems = {}
    words = {
        name: {
            language: text
            for language in languages
            if (text := form.get(f"{name}.{language}", "").strip())
        }
        for name in WORDS
    }
    numbers = {name: form.get(name, "").strip() for name in NUMBERS}
    for name, text in numbers.items():
        digits = text.removeprefix("-") if name in {"least", "most"} else text
        if text and not (digits.isascii() and digits.isdecimal() and len(digits) <= 9):
            problems[name] = _("Enter a whole number, or nothing.")
    if not problems.get("max_length") and numbers["max_length"]:
        most = LONGEST["longtext"]
        if not 1 <= int(numbers["max_length"]) <= most:
            problems["max_length"] = _("Enter a number from 1 to %(most)s.", most=most)
    given_key = form.get("key", "").strip()
    return FieldTyping(
        kind=form.get("type", ""),
        key=str(kept["key"]) if kept else given_key or suggested_key(words["label"]),
        words=words,
        options=_options(form, languages, kept),
        required=form.get("required", "") == "yes",
        personal=form.get("personal", "") == "yes",
        shows=tuple(place for place in SHOWN_IN if place in form.getlist("shows")),
        numbers=numbers,
        problems=problems,
    )


def suggested_key(label: Mapping[str, str]) -> str:
    """`Company size` → `company_size`; "" where the label has no Latin letter."""
    words = in_words(label, "en")
    key = suggested_code(words, "-").replace("-", "_").lstrip("0123456789_")
    return key[:LONGEST_KEY].rstrip("_")


def _options(
    form: MultiDict[str, str], languages: Sequence[str], kept: Mapping[str, Any] | None
) -> tuple[OptionTyping, ...]:
    """The lines with anything in them; one whose code is empty gets it from its words."""
    known = {option["id"] for option in (kept or {}).get("options", ())}
    found: list[OptionTyping] = []
    for number in range(MOST_ROWS):
        if f"option.{number}.id" not in form:
            break
        label = {
            language: text
            for language in languages
            if (text := form.get(f"option.{number}.{language}", "").strip())
        }
        id = form.get(f"option.{number}.id", "").strip()
        if form.get(f"option.{number}.remove", "") == "yes" or not (id or label):
            continue
        id = id or suggested_code(in_words(label, "en"), f"option-{number + 1}")
        found.append(OptionTyping(id, label, id in known))
    return tuple(found)
