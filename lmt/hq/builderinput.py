"""What the builder's page posts, as changes to a draft: one form holds the editor and every button,
so that what was typed is kept whichever button is pressed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from lmt.forms.conditions import BadCondition
from lmt.forms.definition import WITH_OPTIONS
from lmt.forms.theme import COLOURS
from lmt.hq import formedits as edits
from lmt.hq.draftconditions import Row, Rows, from_rows
from lmt.hq.formedits import BadEdit, Draft

Typed = MultiDict[str, str]

TESTS = ("is", "is_not", "filled", "empty", "at_least", "at_most")
"""As a person chooses them: `filled` and `empty` are one test with two values."""
_WHOLE = re.compile(r"-?[0-9]{1,9}")


def with_typed(draft: Draft, where: str, typed: Typed, do: str = "") -> tuple[Draft, str]:
    """The draft with what was typed into the editor of `where` (`field/KEY`, `step/KEY`, `form`,
    `theme`; "" for none), and where that part is now, as a field may be renamed.

    `do` may move or drop one of the options. Raises BadEdit naming the input.
    """
    kind, _, key = where.partition("/")
    if kind == "field":
        item = edits.field_of(draft, key)
        changes = _field_changes(draft, item, typed, do)
        return edits.set_field(draft, key, changes), f"field/{changes['key']}"
    if kind == "step":
        changes = {"title": words_typed(typed, "title", draft["languages"])}
        changes |= condition_typed(draft, typed)
        return edits.set_step(draft, key, changes), where
    if kind == "form":
        return edits.set_form(draft, _form_changes(draft, typed)), where
    if kind == "theme":
        return edits.set_form(draft, {"theme": _theme(typed)}), where
    return draft, where


def words_typed(typed: Typed, name: str, languages: Sequence[str]) -> dict[str, str]:
    """The text of each language that was asked for."""
    given = {each: typed.get(f"{name}.{each}") for each in languages}
    return {language: text for language, text in given.items() if text is not None}


def condition_typed(draft: Draft, typed: Typed) -> dict[str, Any]:
    """`shown_when` as the rows say; nothing where the page showed no rows. Raises BadEdit."""
    if "when" not in typed:
        return {}
    rows = []
    for number in typed.getlist("when"):
        field, test = typed.get(f"when.{number}.field", ""), typed.get(f"when.{number}.test", "is")
        value = typed.get(f"when.{number}.value", "")
        if field:
            rows.append(_row(edits.field_of(draft, field), test, value, number))
    try:
        condition = from_rows(Rows("any" if typed.get("when.kind") == "any" else "all", rows))
    except BadCondition as problem:
        raise BadEdit("condition", "when.0.value", why=str(problem)) from problem
    return {"shown_when": condition}


def _row(item: Mapping[str, Any], test: str, value: str, number: str) -> Row:
    if test in {"filled", "empty"}:
        return Row(item["key"], "filled", ("yes" if test == "filled" else "no",))
    values = [each.strip() for each in value.split(",") if each.strip()]
    if item["type"] == "consent":
        # A box is ticked or it isn't; whatever one calls it.
        values = ["yes"]
    if not values:
        raise BadEdit("condition_value", f"when.{number}.value")
    if item["type"] in WITH_OPTIONS:
        values = [_option_id(item, each, number) for each in values]
    return Row(item["key"], test if test in TESTS else "is", tuple(values))


def _option_id(item: Mapping[str, Any], text: str, number: str) -> str:
    """An option is named by its id, or as it is called in any language."""
    wanted = text.casefold()
    for option in item.get("options") or ():
        if text == option["id"] or wanted in map(str.casefold, option["label"].values()):
            return str(option["id"])
    raise BadEdit("condition_option", f"when.{number}.value", value=text)


def _field_changes(draft: Draft, item: Mapping[str, Any], typed: Typed, do: str) -> dict[str, Any]:
    changes: dict[str, Any] = {
        name: words_typed(typed, name, draft["languages"]) for name in ("label", "help", "error")
    }
    changes["key"] = typed.get("key", "").strip() or item["key"]
    for name in ("least", "most", "max_length", "retention_days"):
        if name in typed:
            changes[name] = _whole(typed, name)
    for name in ("required", "prefill", "personal"):
        if f"{name}.asked" in typed:
            changes[name] = name in typed
    for name in ("to", "value", "purpose"):
        if name in typed:
            changes[name] = typed[name]
    for name in ("shows", "countries"):
        if f"{name}.asked" in typed:
            changes[name] = typed.getlist(name)
    if "option" in typed:
        changes["options"] = _options(typed, draft["languages"], do)
    return changes | condition_typed(draft, typed)


def _options(typed: Typed, languages: Sequence[str], do: str) -> list[dict[str, Any]]:
    """Rows without an id are new; those of them without words are the blank ones of the page."""
    rows = []
    for number in typed.getlist("option"):
        label = words_typed(typed, f"option.{number}", languages)
        id = typed.get(f"option.{number}.id", "")
        if id or any(text.strip() for text in label.values()):
            rows.append((number, {"id": id, "label": label}))
    act, _, wanted = do.partition(":")
    at = next((i for i, (number, _row) in enumerate(rows) if number == wanted), None)
    if at is not None and act == "option-drop":
        del rows[at]
    elif at is not None and act in {"option-up", "option-down"}:
        row = rows.pop(at)
        rows.insert(max(0, at - 1) if act == "option-up" else at + 1, row)
    return [row for _number, row in rows]


def _form_changes(draft: Draft, typed: Typed) -> dict[str, Any]:
    languages = typed.getlist("languages")
    default = typed.get("default_language", "")
    changes: dict[str, Any] = {
        name: words_typed(typed, name, draft["languages"]) for name in edits.FORM_WORDS
    }
    # The order in which visitors are offered them begins with the default.
    changes["languages"] = [default] * (default in languages) + languages
    changes["default_language"] = default
    changes |= {name: typed.get(name, "") for name in ("redirect", "brand", "campaign")}
    return changes


def _theme(typed: Typed) -> dict[str, str]:
    tokens = {name: typed.get(f"theme.{name}", "").strip().lower() for name in COLOURS}
    # An input for colours always has one: what is as before was not chosen.
    tokens = {name: "" if value == COLOURS[name] else value for name, value in tokens.items()}
    return tokens | {name: typed.get(f"theme.{name}", "").strip() for name in ("font", "radius")}


def _whole(typed: Typed, name: str) -> int | None:
    text = typed[name].strip()
    if not text:
        return None
    if not _WHOLE.fullmatch(text):
        raise BadEdit("whole_number", name)
    return int(text)
