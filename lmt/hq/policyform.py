"""The policy editor's form: settings to what is typed, and back with a message beside each field.

A name such as `case.1.open_bonus_km.hot` says where a value belongs; in a case an empty field
means: as in the base. Rows are added and taken away by buttons, so that no script is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from lmt.escalation import Step
from lmt.hq.policywords import CONDITIONS, GROUPS, SETTINGS, Setting, step_words
from lmt.i18n import gettext as _
from lmt.models.lead import BANDS
from lmt.routing.policy import PolicyError
from lmt.routing.policybook import PolicyBook

Typed = MultiDict[str, str]

MOST_ROWS = 60
_NUMBERS = {"km", "share", "hours", "minutes", "whole"}
_WHOLE = {"minutes", "whole", "bands_minutes"}


def typed_from(settings: Mapping[str, Any], name: str) -> Typed:
    """The form that stands for these settings; the usual steps are listed to start from."""
    typed: Typed = MultiDict({"name": name})
    try:
        base = PolicyBook.from_settings(settings).base
    except PolicyError:
        _write(typed, "", settings)
    else:
        _write(typed, "", base.to_settings())
        if base.steps_are_usual:
            typed["usual_steps"] = "yes"
    for number, case in enumerate(settings.get("cases", ())):
        prefix = f"case.{number}."
        typed.add("case-row", str(number))
        typed[f"{prefix}name"] = case["name"]
        for condition, values in case.get("when", {}).items():
            typed.setlist(f"{prefix}when.{condition}", list(values))
        _write(typed, prefix, case.get("settings", {}))
    return typed


def settings_from(typed: Typed) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings as JSON values, and a message for each field that can't be read as one."""
    problems: dict[str, str] = {}
    settings = _read(typed, "", {}, problems)
    cases = []
    for row in rows(typed, "case-row"):
        prefix = f"case.{row}."
        when = {
            condition: values
            for condition in CONDITIONS
            if (values := typed.getlist(f"{prefix}when.{condition}"))
        }
        name = typed.get(f"{prefix}name", "").strip()
        overrides = _read(typed, prefix, settings, problems)
        if not name:
            problems[f"{prefix}name"] = _("Give the case a name.")
        elif not when:
            problems[f"{prefix}name"] = _("Choose at least one condition for this case.")
        elif not overrides:
            problems[f"{prefix}name"] = _("This case changes nothing. Set something, or remove it.")
        cases.append({"name": name, "when": when, "settings": overrides})
    if cases:
        settings["cases"] = cases
    return settings, problems


def place_of(problem: PolicyError, typed: Typed) -> str:
    """The field beside which a contradiction is told."""
    prefix = ""
    for row in rows(typed, "case-row"):
        if problem.case and typed.get(f"case.{row}.name", "").strip() == problem.case:
            prefix = f"case.{row}."
    if problem.field in SETTINGS:
        return prefix + problem.field
    return f"{prefix}name" if prefix else "cases"


def problem_words(problem: PolicyError) -> str:
    """The reason in the reader's language."""
    values = {
        name: step_words(value) if isinstance(value, Step) else value
        for name, value in problem.values.items()
    }
    return _(problem.message, **values)


def change_rows(typed: Typed, wanted: str) -> str:
    """Add, remove or raise a row as a button asked; returns the name of the field to go to."""
    verb, _colon, where = wanted.partition(":")
    if verb == "add-step":
        row = _added(typed, f"{where}step-row")
        return f"{where}step.{row}.state" if row else f"{where}escalation"
    if verb == "add-case":
        row = _added(typed, "case-row")
        return f"case.{row}.name" if row else "cases"
    if verb in {"drop-step", "drop-case", "raise-case"}:
        prefix, _dot, row = where.rpartition("/")
        key = f"{prefix}step-row" if verb == "drop-step" else "case-row"
        kept = rows(typed, key)
        if row in kept:
            at = kept.index(row)
            kept.remove(row)
            if verb == "raise-case":
                kept.insert(max(0, at - 1), row)
            typed.setlist(key, kept)
        if verb == "raise-case":
            return f"case.{row}.name"
        return f"{prefix}escalation" if verb == "drop-step" else "cases"
    return ""


def rows(typed: Typed, key: str) -> list[str]:
    """The rows' numbers in the order of the page; what isn't a number is passed over."""
    given = [row for row in typed.getlist(key) if row.isdecimal() and row.isascii()]
    return list(dict.fromkeys(given))[:MOST_ROWS]


def _added(typed: Typed, key: str) -> str:
    known = rows(typed, key)
    if len(known) >= MOST_ROWS:
        return ""
    row = str(max((int(each) for each in known), default=-1) + 1)
    typed.setlist(key, [*known, row])
    return row


def _write(typed: Typed, prefix: str, settings: Mapping[str, Any]) -> None:
    for name, value in settings.items():
        setting = SETTINGS.get(name)
        if setting is None or value is None:
            continue
        key = prefix + name
        match setting.kind:
            case "share":
                typed[key] = f"{value * 100:g}"
            case kind if kind in _NUMBERS:
                typed[key] = f"{value:.12g}"
            case "list_km":
                typed[key] = ", ".join(f"{km:g}" for km in value)
            case "bands_km" | "bands_minutes":
                for band, number in value.items():
                    typed[f"{key}.{band}"] = f"{number:g}"
            case "pairs":
                typed[key] = "\n".join(" ".join(pair) for pair in value)
            case "yes":
                typed[key] = "yes" if value else "no"
            case "customer_kinds":
                typed[f"{key}.own"] = "yes"
                typed.setlist(key, list(value))
            case "steps":
                typed[f"{key}.own"] = "yes"
                _write_steps(typed, prefix, value)
            case _:
                typed[key] = str(value)


def _write_steps(typed: Typed, prefix: str, steps: list[dict[str, Any]]) -> None:
    for number, step in enumerate(steps):
        row = f"{prefix}step.{number}."
        typed.add(f"{prefix}step-row", str(number))
        typed[f"{row}state"], typed[f"{row}action"] = step["state"], step["action"]
        typed[f"{row}after_minutes"] = str(step["after_minutes"])
        typed.setlist(f"{row}band", list(step.get("band") or ()))
        typed[f"{row}hop"] = "" if step.get("hop") is None else str(step["hop"])


def _read(
    typed: Typed, prefix: str, base: Mapping[str, Any], problems: dict[str, str]
) -> dict[str, Any]:
    settings = {}
    for group in GROUPS:
        for setting in group.settings:
            if prefix and setting.own:
                continue
            value = _value(typed, prefix, setting, base, problems)
            if value is not None:
                settings[setting.name] = value
    return settings


def _value(
    typed: Typed, prefix: str, setting: Setting, base: Mapping[str, Any], problems: dict[str, str]
) -> Any:
    """None where nothing was typed: the default, or the base's."""
    key = prefix + setting.name
    text = typed.get(key, "").strip()
    match setting.kind:
        case kind if kind in _NUMBERS:
            number = _number(key, text, setting.kind, problems)
            return number / 100 if setting.kind == "share" and number is not None else number
        case "bands_km" | "bands_minutes":
            given = {
                band: _number(f"{key}.{band}", text, setting.kind, problems)
                for band in BANDS
                if (text := typed.get(f"{key}.{band}", "").strip())
            }
            return dict(base.get(setting.name, {})) | given if given else None
        case "list_km":
            parts = [part for part in text.replace(";", ",").split(",") if part.strip()]
            numbers = [_number(key, part.strip(), "km", problems) for part in parts]
            return numbers if numbers or not prefix else None
        case "pairs":
            pairs = [line.upper().replace(",", " ").split() for line in text.splitlines()]
            pairs = [pair for pair in pairs if pair]
            if any(len(pair) != 2 or {len(code) for code in pair} != {2} for pair in pairs):
                problems[key] = _("Write two countries a line, such as AE SA.")
            return pairs if pairs or not prefix else None
        case "yes":
            return text == "yes" if text or not prefix else None
        case "customer_kinds":
            return typed.getlist(key) if not prefix or typed.get(f"{key}.own") else None
        case "steps":
            owned = typed.get(f"{key}.own") if prefix else not typed.get("usual_steps")
            return _steps(typed, prefix, problems) if owned else None
    return text or (None if prefix or setting.kind == "mode" else "")


def _steps(typed: Typed, prefix: str, problems: dict[str, str]) -> list[dict[str, Any]]:
    steps = []
    for row in rows(typed, f"{prefix}step-row"):
        key = f"{prefix}step.{row}."
        after = typed.get(f"{key}after_minutes", "").strip()
        minutes = _number(f"{key}after_minutes", after, "minutes", problems)
        if minutes is None and f"{key}after_minutes" not in problems:
            problems[f"{key}after_minutes"] = _("Say after how many minutes.")
        hop = _number(f"{key}hop", typed.get(f"{key}hop", "").strip(), "whole", problems)
        steps.append(
            {
                "state": typed.get(f"{key}state", ""),
                "band": [band for band in BANDS if band in typed.getlist(f"{key}band")],
                "hop": hop,
                "after_minutes": minutes,
                "action": typed.get(f"{key}action", ""),
            }
        )
    return steps


def _number(key: str, text: str, kind: str, problems: dict[str, str]) -> float | None:
    if not text:
        return None
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        problems[key] = _("Enter a number.")
        return None
    if not -1e9 < number < 1e9:
        problems[key] = _("Enter a smaller number.")
        return None
    if kind in _WHOLE:
        if number.is_integer():
            return int(number)
        problems[key] = _("Enter a whole number.")
        return None
    return number
