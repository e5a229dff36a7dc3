"""A draft that can't be read as a form, as far as the builder can show it: what isn't of its shape
is left out, so that somebody can mend the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lmt.config import LOCALES
from lmt.forms.conditions import BadCondition, condition_from
from lmt.forms.fields import FIELD_TYPES, SHOWN_IN
from lmt.forms.theme import BadTheme, checked_theme

_WORDS = ("title", "intro", "submit", "thanks")
_TEXTS = ("redirect", "brand", "campaign", "default_language")
_NUMBERS = ("least", "most", "max_length", "retention_days")
_FLAGS = ("required", "personal", "prefill")


def shaped(draft: Any) -> dict[str, Any]:
    """The parts of `draft` that have the shape of a FormDefinition's JSON, whatever they say."""
    given = draft if isinstance(draft, Mapping) else {}
    steps = list(_steps(given))
    languages = [each for each in _list(given.get("languages")) if each in LOCALES]
    return {
        **{name: _words(given.get(name)) for name in _WORDS},
        **{name: text for name in _TEXTS if isinstance(text := given.get(name), str)},
        "theme": _theme(given.get("theme")),
        "languages": list(dict.fromkeys(languages)),
        **({"steps": steps} if steps else {}),
    }


def _steps(draft: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    known: set[str] = set()
    bare = [{"key": "all", "fields": draft.get("fields")}] if draft.get("fields") else []
    for step in _list(draft.get("steps")) or bare:
        if isinstance(step, Mapping) and _is_new(step.get("key"), known):
            fields = [_field(item) for item in _list(step.get("fields")) if _is_field(item, known)]
            title = _words(step.get("title"))
            yield {"key": step["key"], "title": title, "fields": fields, **_condition(step)}


def _is_field(item: Any, known: set[str]) -> bool:
    if not isinstance(item, Mapping) or item.get("type") not in FIELD_TYPES:
        return False
    return _is_new(item.get("key"), known)


def _is_new(key: Any, known: set[str]) -> bool:
    """A key that no part above has; remembered."""
    new = isinstance(key, str) and bool(key) and key not in known
    if new:
        known.add(key)
    return new


def _field(item: Mapping[str, Any]) -> dict[str, Any]:
    new: dict[str, Any] = {"key": item["key"], "type": item["type"]}
    new |= {name: _words(item.get(name)) for name in ("label", "help", "error")}
    new |= {name: bool(item[name]) for name in _FLAGS if name in item}
    new |= {
        name: item[name]
        for name in _NUMBERS
        if isinstance(item.get(name), int) and abs(item[name]) <= 1_000_000_000
    }
    new |= {name: item[name] for name in ("to", "value", "purpose") if _is_text(item.get(name))}
    if "options" in item:
        new["options"] = [
            {
                "id": each["id"],
                "label": _words(each.get("label")),
                "group": _words(each.get("group")),
            }
            for each in _list(item["options"])
            if isinstance(each, Mapping) and _is_text(each.get("id"))
        ]
    if "countries" in item:
        new["countries"] = [each for each in _list(item["countries"]) if _is_text(each)]
    if "shows" in item:
        new["shows"] = [place for place in SHOWN_IN if place in _list(item["shows"])]
    return new | _condition(item)


def _condition(part: Mapping[str, Any]) -> dict[str, Any]:
    given = part.get("shown_when")
    try:
        return {"shown_when": condition_from(given).to_json()} if given else {}
    except (BadCondition, TypeError, AttributeError):
        return {}


def _theme(given: Any) -> dict[str, str]:
    theme: dict[str, str] = {}
    for name, value in given.items() if isinstance(given, Mapping) else ():
        try:
            theme |= checked_theme({name: value})
        except BadTheme:
            continue
    return theme


def _words(given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping):
        return {}
    return {language: text for language, text in given.items() if _is_text(text)}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
