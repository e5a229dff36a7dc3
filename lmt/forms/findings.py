"""What a form lacks before visitors should see it: errors keep it from being published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lmt.forms.contrast import SHAPE_RATIO, TEXT_RATIO, contrast, passing
from lmt.forms.definition import FormDefinition
from lmt.forms.fields import FieldDefinition
from lmt.forms.reachable import never_shown
from lmt.forms.texts import texts_of
from lmt.forms.theme import COLOURS

SEVERITIES = ("error", "warning")
MOST_FIELDS_OF_A_STEP = 12
LONGEST_LABEL = 150
_PLACES = frozenset(
    {"address.city", "address.postcode", "address.region", "address.country"}
    | {"request.preferred_dealer"}
)


@dataclass(frozen=True, slots=True)
class Finding:
    """`where` is the part to open: `field/KEY`, `step/KEY`, `form`, `theme`, `texts`.

    `facts` fill the words for `code`.
    """

    code: str
    severity: str
    where: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def findings(definition: FormDefinition) -> tuple[Finding, ...]:
    """Everything that was found, errors first, then in the form's order."""
    found = [
        *_whole_form(definition),
        *_languages(definition),
        *_steps(definition),
        *_fields(definition),
        *_conditions(definition),
        *_colours(definition),
    ]
    return tuple(sorted(found, key=lambda each: SEVERITIES.index(each.severity)))


def _whole_form(definition: FormDefinition) -> Iterator[Finding]:
    asked = [item for item in definition.fields if item.type != "section"]
    if not asked:
        yield Finding("no_fields", "error", "form")
        return
    places = {item.place for item in asked}
    if not places & {"customer.phone", "customer.email"}:
        yield Finding("reach", "error", "form")
    if not places & _PLACES and not any(item.type in {"address", "dealer"} for item in asked):
        yield Finding("no_place", "warning", "form")


def _languages(definition: FormDefinition) -> Iterator[Finding]:
    """Texts that nobody wrote are named one by one, missing translations by the language."""
    texts = list(texts_of(definition.to_json()))
    kinds = {item.key: item.type for item in definition.fields}
    for text in texts:
        if text.needed and not any(text.words.values()):
            where = _where(text.path)
            # A section without a heading only ends the one above it.
            heading = text.kind == "step" or kinds.get(text.owner) == "section"
            consent = kinds.get(text.owner) == "consent" and text.kind == "label"
            code = "consent_text" if consent else f"no_{text.kind}"
            yield Finding(code, "warning" if heading else "error", where, {"key": text.owner})
    for language in definition.languages:
        missing = [text for text in texts if text.is_missing(language)]
        for text in missing:
            if kinds.get(text.owner) == "consent" and text.kind == "label" and text.words:
                told = {"key": text.owner, "language": language}
                yield Finding("consent_language", "error", _where(text.path), told)
        if missing:
            counted = {"language": language, "count": len(missing)}
            yield Finding("untranslated", "warning", "texts", counted)


def _steps(definition: FormDefinition) -> Iterator[Finding]:
    for step in definition.steps:
        shown = [item for item in step.fields if item.type not in {"hidden", "section"}]
        facts = {"key": step.key, "count": len(shown)}
        if len(shown) > MOST_FIELDS_OF_A_STEP:
            yield Finding("many_fields", "warning", f"step/{step.key}", facts)
        elif not shown and len(definition.steps) > 1:
            yield Finding("empty_step", "warning", f"step/{step.key}", facts)


def _fields(definition: FormDefinition) -> Iterator[Finding]:
    for item in definition.fields:
        where, facts = f"field/{item.key}", {"key": item.key}
        if item.type == "consent" and not item.purpose.strip():
            yield Finding("consent_purpose", "error", where, facts)
        if item.type in {"choice", "choices"} and len(item.options) == 1:
            yield Finding("one_option", "warning", where, facts)
        if item.type == "hidden" and not item.value and not item.prefill:
            yield Finding("hidden_empty", "warning", where, facts)
        if item.type != "consent":
            longest = max(map(len, item.label.values()), default=0)
            if longest > LONGEST_LABEL:
                yield Finding("long_label", "warning", where, {**facts, "most": LONGEST_LABEL})


def _conditions(definition: FormDefinition) -> Iterator[Finding]:
    steps, fields = never_shown(definition)
    for step in definition.steps:
        if step.key in steps:
            severity = _severity(step.fields)
            yield Finding("never_step", severity, f"step/{step.key}", {"key": step.key})
            continue
        for item in step.fields:
            if item.key in fields:
                where = f"field/{item.key}"
                yield Finding("never_field", _severity((item,)), where, {"key": item.key})


def _severity(items: tuple[FieldDefinition, ...]) -> str:
    return "error" if any(item.required for item in items) else "warning"


def _colours(definition: FormDefinition) -> Iterator[Finding]:
    """Each pair that a visitor must tell apart, with a colour that would do.

    What is written on the accent is black or white, whichever is read better (`lmt.forms.look`):
    one of them always passes.
    """
    theme = {**COLOURS, **definition.theme}
    pairs = (
        ("contrast_text", "text", theme["background"], TEXT_RATIO),
        ("contrast_accent", "accent", theme["background"], SHAPE_RATIO),
    )
    for code, token, against, least in pairs:
        ratio = contrast(theme[token], against)
        if ratio < least:
            facts = {
                "token": token,
                # Never rounded up to what would be enough.
                "ratio": int(ratio * 10) / 10,
                "least": least,
                "suggested": passing(theme[token], against, least),
            }
            yield Finding(code, "error", "theme", facts)


def _where(path: str) -> str:
    kind, *rest = path.split("/")
    return "form" if kind == "form" else f"{kind}/{rest[0]}"
