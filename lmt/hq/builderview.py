"""What the page of the form builder shows of a draft: its outline, the part being edited, and what
was found in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from lmt.config import LOCALES
from lmt.forms.definition import BadForm, FormDefinition
from lmt.forms.fields import FIELD_TYPES, WITH_OPTIONS, FieldDefinition, in_words
from lmt.forms.findings import findings
from lmt.forms.findingwords import finding_words
from lmt.hq.builderwords import TYPES
from lmt.hq.draftconditions import Row, as_rows
from lmt.hq.formedits import BadEdit, Draft, field_of, step_of
from lmt.i18n import gettext as _
from lmt.i18n import reader

BLANK_ROWS = 2
"""Rows that a list of options or of conditions ends with, to be filled."""


@dataclass(frozen=True, slots=True)
class Part:
    """A field or a step in the outline; `where` opens it (`field/KEY`)."""

    key: str
    where: str
    name: str
    type: str = ""
    icon: str = ""
    required: bool = False
    conditional: bool = False
    first: bool = False
    last: bool = False
    worst: str = ""
    """The severity of the worst that was found in it."""


@dataclass(frozen=True, slots=True)
class StepOutline:
    step: Part
    fields: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Found:
    severity: str
    words: str
    where: str


@dataclass(frozen=True, slots=True)
class Offered:
    """One entry of the menu of fields; `what` is `system/KEY`, `own/KEY` or `blank/TYPE`."""

    what: str
    words: str
    taken: bool = False


@dataclass(frozen=True, slots=True)
class ConditionEditor:
    """`rows` is None for a condition that rows can't show; `above` are (key, name, [(option, its
    words)]) of the fields it may look at."""

    rows: Sequence[Row] | None
    kind: str
    above: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]


def name_of(part: Mapping[str, Any], default_language: str, ordinal: int = 0) -> str:
    """What the reader calls a field or a step: its words in their language, else in the form's."""
    words = part.get("label") if "type" in part else part.get("title")
    said = in_words(words or {}, reader().locale, default_language)
    if said:
        return said if len(said) <= 70 else said[:69].rstrip() + "…"
    if "type" in part:
        return str(part["key"])
    return _("Step %(number)s", number=ordinal)


def names_of(draft: Draft) -> dict[str, str]:
    """The names of all steps and fields by key."""
    default = draft["default_language"]
    names = {step["key"]: name_of(step, default, n) for n, step in enumerate(draft["steps"], 1)}
    return names | {
        item["key"]: name_of(item, default) for step in draft["steps"] for item in step["fields"]
    }


def what_is_wrong(draft: Draft) -> tuple[Found, ...]:
    """All that was found, in words; for a draft that can't be a form, why it can't."""
    try:
        definition = FormDefinition.from_json(draft)
    except (BadForm, ValueError) as problem:
        return (Found("error", _("This can't be a form yet: %(why)s.", why=problem), ""),)
    names = names_of(draft)
    return tuple(
        Found(
            each.severity,
            finding_words(each, names.get(str(each.facts.get("key", "")), "")),
            each.where,
        )
        for each in findings(definition)
    )


def outline(draft: Draft, found: Sequence[Found]) -> tuple[StepOutline, ...]:
    names = names_of(draft)
    worst: dict[str, str] = {}
    for each in found:
        worst.setdefault(each.where, each.severity)
    steps = draft["steps"]
    return tuple(
        StepOutline(
            Part(
                step["key"],
                f"step/{step['key']}",
                names[step["key"]],
                conditional=bool(step.get("shown_when")),
                first=at == 0,
                last=at == len(steps) - 1,
                worst=worst.get(f"step/{step['key']}", ""),
            ),
            tuple(_fields(step, names, worst, at == 0, at == len(steps) - 1)),
        )
        for at, step in enumerate(steps)
    )


def _fields(
    step: Mapping[str, Any],
    names: Mapping[str, str],
    worst: Mapping[str, str],
    first: bool,
    last: bool,
) -> Iterator[Part]:
    fields = step["fields"]
    for at, item in enumerate(fields):
        words, icon = TYPES[item["type"]]
        yield Part(
            item["key"],
            f"field/{item['key']}",
            names[item["key"]],
            type=str(words),
            icon=icon,
            required=bool(item.get("required")),
            conditional=bool(item.get("shown_when")),
            first=first and at == 0,
            last=last and at == len(fields) - 1,
            worst=worst.get(f"field/{item['key']}", ""),
        )


def offered_fields(
    draft: Draft, ready: Sequence[FieldDefinition], own: Sequence[FieldDefinition]
) -> tuple[tuple[str, tuple[Offered, ...]], ...]:
    """The menu in its three groups: (heading, entries)."""
    taken = {item["key"] for step in draft["steps"] for item in step["fields"]}
    default = draft["default_language"]

    def listed(kind: str, fields: Sequence[FieldDefinition]) -> tuple[Offered, ...]:
        return tuple(
            Offered(f"{kind}/{item.key}", name_of(item.to_json(), default), taken=item.key in taken)
            for item in fields
        )

    blank = tuple(Offered(f"blank/{kind}", str(TYPES[kind][0])) for kind in FIELD_TYPES)
    return tuple(
        (words, entries)
        for words, entries in (
            (_("Ready-made questions"), listed("system", ready)),
            (_("The market's own fields"), listed("own", own)),
            (_("A new question"), blank),
        )
        if entries
    )


def editable(draft: Draft, where: str) -> str:
    """`where` if there is such a part, else the form as a whole."""
    kind, _sep, key = where.partition("/")
    try:
        if kind == "field":
            field_of(draft, key)
        elif kind == "step":
            step_of(draft, key)
        elif where not in {"form", "theme", "add"} and kind != "add":
            return "form"
    except BadEdit:
        return "form"
    return where


def condition_editor(draft: Draft, key: str) -> ConditionEditor:
    """The rows of the condition of a field or a step, with blank ones to fill."""
    above: list[tuple[str, str, Sequence[tuple[str, str]]]] = []
    for step in draft["steps"]:
        for part in (step, *step["fields"]):
            if part["key"] == key:
                rows = as_rows(part.get("shown_when"))
                if rows is None:
                    return ConditionEditor(None, "all", above)
                padded = [*rows.rows, *(Row() for _blank in range(BLANK_ROWS))]
                return ConditionEditor(padded, rows.kind, above)
            if part.get("type", "section") != "section":
                above.append(_comparable(part, draft["default_language"]))
    raise BadEdit("gone", key)


def _comparable(
    item: Mapping[str, Any], default: str
) -> tuple[str, str, Sequence[tuple[str, str]]]:
    options: list[tuple[str, str]] = []
    if item["type"] in WITH_OPTIONS:
        options = [
            (option["id"], in_words(option["label"], reader().locale, default) or option["id"])
            for option in item.get("options") or ()
        ]
    elif item["type"] == "consent":
        options = [("yes", _("ticked"))]
    return item["key"], name_of(item, default), options


def shown_test(row: Row) -> str:
    """The test as a person chose it: `filled` with "no" is `empty`."""
    return "empty" if row.test == "filled" and row.values == ("no",) else row.test


def words_rows(draft: Draft) -> tuple[str, ...]:
    """The languages of the form, the one that others fall back on first."""
    default = draft["default_language"]
    return (default, *(each for each in draft["languages"] if each != default))


def all_languages(draft: Draft) -> tuple[str, ...]:
    return (*words_rows(draft), *(each for each in LOCALES if each not in draft["languages"]))


def typed_over(typed: MultiDict[str, str] | None, name: str, kept: Any) -> str:
    """What was typed and couldn't be kept, else what is kept."""
    if typed is not None and name in typed:
        return typed[name]
    return "" if kept is None else str(kept)
