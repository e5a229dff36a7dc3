"""Changes to the draft of a form, one at a time: each gives a new draft or says why it can't.

A draft is `FormDefinition` as JSON. One that loads still loads after every edit, so that it can
always be seen; what it lacks before it may be published is told by `lmt.forms.findings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from lmt.forms.definition import MOST_FIELDS, MOST_STEPS, FormDefinition
from lmt.forms.fields import WITH_OPTIONS, BadForm
from lmt.hq.draftconditions import looked_at, renamed, without
from lmt.hq.draftfields import BadEdit, checked_key, free_name, merged_words, with_changes

__all__ = ["BadEdit", "Draft"]

Draft = dict[str, Any]
FORM_WORDS = ("title", "intro", "submit", "thanks")


def begun(
    draft: Mapping[str, Any], *, code: str, languages: Sequence[str], default_language: str
) -> Draft:
    """A draft with all that a form needs to be shown: one step at least, and its languages."""
    new: Draft = deepcopy(dict(draft))
    new["code"] = code
    new.setdefault("title", {})
    steps = new.get("steps") or [{"key": "step-1", "fields": new.pop("fields", None) or []}]
    new["steps"] = steps
    if not new.get("languages"):
        new["languages"] = list(languages) or ["en"]
    if new.get("default_language") not in new["languages"]:
        wanted = default_language
        new["default_language"] = wanted if wanted in new["languages"] else new["languages"][0]
    return new


def step_of(draft: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The step of that key. Raises BadEdit `gone`."""
    return _found(draft["steps"], key)


def field_of(draft: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The field of that key. Raises BadEdit `gone`."""
    return _found(_fields(draft), key)


def place_of(draft: Mapping[str, Any], key: str) -> tuple[str, int]:
    """The key of the field's step, and its position there from 0. Raises BadEdit `gone`."""
    for step in draft["steps"]:
        for position, item in enumerate(step["fields"]):
            if item["key"] == key:
                return step["key"], position
    raise BadEdit("gone", key)


def shown_by(draft: Mapping[str, Any], keys: Sequence[str]) -> tuple[str, ...]:
    """The keys of steps and fields whose conditions look at one of these fields."""
    return tuple(
        part["key"]
        for part in _parts(draft)
        if part["key"] not in keys and not looked_at(part.get("shown_when")).isdisjoint(keys)
    )


def add_step(draft: Draft, title: Mapping[str, str], after: str = "") -> Draft:
    """A step without fields, last or after another. Raises BadEdit `steps`, `gone`."""
    new = deepcopy(draft)
    if len(new["steps"]) >= MOST_STEPS:
        raise BadEdit("steps", most=MOST_STEPS)
    key = free_name("step-{}", {step["key"] for step in new["steps"]})
    at = new["steps"].index(step_of(new, after)) + 1 if after else len(new["steps"])
    new["steps"].insert(at, {"key": key, "title": merged_words({}, title), "fields": []})
    return _checked(draft, new, key)


def move_step(draft: Draft, key: str, position: int) -> Draft:
    """Puts it at that position from 0. Raises BadEdit `gone`, `below`."""
    new = deepcopy(draft)
    step = step_of(new, key)
    new["steps"].remove(step)
    new["steps"].insert(max(0, position), step)
    return _checked(draft, new, key)


def remove_step(draft: Draft, key: str) -> Draft:
    """Takes its fields along, and the conditions that look at them (`shown_by` names those).

    Raises BadEdit `gone`, `last_step`.
    """
    new = deepcopy(draft)
    step = step_of(new, key)
    if len(new["steps"]) == 1:
        raise BadEdit("last_step", key)
    new["steps"].remove(step)
    return _checked(draft, _without(new, {item["key"] for item in step["fields"]}), key)


def set_step(draft: Draft, key: str, changes: Mapping[str, Any]) -> Draft:
    """Its `title` (the languages given) and `shown_when` (None: always). Raises BadEdit."""
    new = deepcopy(draft)
    step = step_of(new, key)
    if "title" in changes:
        step["title"] = merged_words(step.get("title") or {}, changes["title"])
    if "shown_when" in changes:
        step["shown_when"] = changes["shown_when"]
    return _checked(draft, new, key)


def add_field(
    draft: Draft, step: str, item: Mapping[str, Any], position: int | None = None
) -> Draft:
    """`item` is a field as JSON. Raises BadEdit `taken`, `fields`, `gone`, `cannot`."""
    new = deepcopy(draft)
    if any(field["key"] == item["key"] for field in _fields(new)):
        raise BadEdit("taken", str(item["key"]))
    if sum(1 for _ in _fields(new)) >= MOST_FIELDS:
        raise BadEdit("fields", most=MOST_FIELDS)
    fields = step_of(new, step)["fields"]
    fields.insert(len(fields) if position is None else max(0, position), deepcopy(dict(item)))
    return _checked(draft, new, str(item["key"]))


def move_field(draft: Draft, key: str, step: str, position: int) -> Draft:
    """Puts it into that step, at that position from 0. Raises BadEdit `gone`, `below`."""
    new = deepcopy(draft)
    item, (former, _position) = field_of(new, key), place_of(new, key)
    step_of(new, former)["fields"].remove(item)
    step_of(new, step)["fields"].insert(max(0, position), item)
    return _checked(draft, new, key)


def nudged(draft: Mapping[str, Any], key: str, down: bool) -> tuple[str, int] | None:
    """Where a field goes by one place up or down: into the step beside at a step's edge.

    None at the form's ends, and for a field that is the only way there.
    """
    step, position = place_of(draft, key)
    steps = draft["steps"]
    at = next(i for i, each in enumerate(steps) if each["key"] == step)
    if down and position + 1 < len(steps[at]["fields"]):
        return step, position + 1
    if not down and position > 0:
        return step, position - 1
    beside = at + (1 if down else -1)
    if not 0 <= beside < len(steps):
        return None
    return steps[beside]["key"], 0 if down else len(steps[beside]["fields"])


def remove_field(draft: Draft, key: str) -> Draft:
    """Takes along the conditions that look at it (`shown_by` names those). Raises BadEdit."""
    new = deepcopy(draft)
    step, _position = place_of(new, key)
    step_of(new, step)["fields"].remove(field_of(new, key))
    return _checked(draft, _without(new, {key}), key)


def set_field(draft: Draft, key: str, changes: Mapping[str, Any]) -> Draft:
    """What `draftfields.with_changes` takes; `key` renames it, in conditions as well.

    Raises BadEdit naming the input that can't be kept.
    """
    new = deepcopy(draft)
    item = field_of(new, key)
    wanted = str(changes.get("key") or key)
    if wanted != key:
        if any(each["key"] == wanted for each in _fields(new)):
            raise BadEdit("taken", "key")
        checked_key(wanted)
        for part in _parts(new):
            if part.get("shown_when"):
                part["shown_when"] = renamed(part["shown_when"], key, wanted)
    item.update(with_changes(item, changes) | {"key": wanted})
    if item["type"] not in WITH_OPTIONS:
        item.pop("options", None)
    return _checked(draft, new, wanted)


def set_form(draft: Draft, changes: Mapping[str, Any]) -> Draft:
    """Words by language (title, intro, submit, thanks), `languages` with `default_language`,
    `redirect`, `brand`, `campaign`, `theme`. Texts of a language that is taken away are kept, as
    it may come back. Raises BadEdit `languages`, `default_language`, `redirect`, `theme`.
    """
    new = deepcopy(draft)
    for name in FORM_WORDS:
        if name in changes:
            new[name] = merged_words(new.get(name) or {}, changes[name])
    for name in ("redirect", "brand", "campaign", "default_language"):
        if name in changes:
            new[name] = str(changes[name]).strip()
    if "languages" in changes:
        new["languages"] = list(dict.fromkeys(changes["languages"]))
    if "theme" in changes:
        new["theme"] = {name: value for name, value in changes["theme"].items() if value}
    if not new["languages"]:
        raise BadEdit("languages", "languages")
    if new["default_language"] not in new["languages"]:
        raise BadEdit("default_language", "default_language")
    if new.get("redirect") and not new["redirect"].startswith("https://"):
        raise BadEdit("redirect", "redirect")
    return _checked(draft, new, "", "theme" if "theme" in changes else "cannot")


def set_texts(draft: Draft, texts: Mapping[tuple[str, str], str]) -> Draft:
    """Texts by (path of `lmt.forms.texts`, language); those whose place is gone are left out."""
    new = deepcopy(draft)
    places = {
        f"form/{name}": (new, name) for name in FORM_WORDS
    } | {f"step/{step['key']}/title": (step, "title") for step in new["steps"]}  # fmt: skip
    for item in _fields(new):
        for name in ("label", "help", "error"):
            places[f"field/{item['key']}/{name}"] = (item, name)
        for option in item.get("options") or ():
            places[f"field/{item['key']}/option/{option['id']}"] = (option, "label")
    for (path, language), text in texts.items():
        if path in places:
            owner, name = places[path]
            owner[name] = merged_words(owner.get(name) or {}, {language: text})
    return new


def _fields(draft: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for step in draft["steps"]:
        yield from step["fields"]


def _parts(draft: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Steps and fields from top to bottom."""
    for step in draft["steps"]:
        yield step
        yield from step["fields"]


def _found(parts: Any, key: str) -> dict[str, Any]:
    for part in parts:
        if part["key"] == key:
            return part  # type: ignore[no-any-return]
    raise BadEdit("gone", key)


def _without(draft: Draft, keys: set[str]) -> Draft:
    for part in _parts(draft):
        if part.get("shown_when"):
            part["shown_when"] = without(part["shown_when"], keys)
    return draft


def _out_of_order(draft: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(key, field it looks at) where that field isn't above it."""
    above: set[str] = set()
    for part in _parts(draft):
        for key in looked_at(part.get("shown_when")) - above:
            yield part["key"], key
        if "type" in part:
            above.add(part["key"])


def _checked(before: Draft, after: Draft, key: str, code: str = "cannot") -> Draft:
    new = sorted(set(_out_of_order(after)) - set(_out_of_order(before)))
    if new:
        part, by = new[0]
        raise BadEdit("below", key, part=part, by=by)
    try:
        FormDefinition.from_json(after)
    except BadForm as problem:
        if _loads(before):
            raise BadEdit(code, code if code == "theme" else key, why=str(problem)) from problem
    return after


def _loads(draft: Draft) -> bool:
    try:
        FormDefinition.from_json(draft)
    except BadForm:
        return False
    return True
