"""One field of a draft as JSON: a blank one of each type, and what an editor may change of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from lmt.forms.fields import (
    LONGEST,
    MOST_FILE_MB,
    RESERVED_KEYS,
    SHOWN_IN,
    WITH_OPTIONS,
    BadForm,
    field_from,
)

Json = Mapping[str, Any]

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OPTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:+-]{0,79}")
_TIMES = ("09:00-12:00", "12:00-15:00", "15:00-18:00")
_PLAIN = ("to", "value", "purpose")
_FLAGS = ("required", "prefill", "personal")
MOST_OPTIONS = 200


class BadEdit(ValueError):
    """An edit that can't be made. `field` is the input or the key it is about; `facts` fill the
    words for `code`."""

    def __init__(self, code: str, field: str = "", **facts: Any):
        super().__init__(code)
        self.code = code
        self.field = field
        self.facts = facts


def blank_field(
    kind: str, taken: Collection[str], options: Sequence[Json] = (), countries: Sequence[str] = ()
) -> dict[str, Any]:
    """A field of that type under a key that isn't taken, with nothing said yet.

    `options` and `countries` are what the market offers for such a type; others begin with two
    options without words. Raises BadEdit `no_countries`, `no_models`.
    """
    item: dict[str, Any] = {"key": free_name(kind + "_{}", {*taken, *RESERVED_KEYS}), "type": kind}
    item["label"] = {}
    if kind == "address":
        if not countries:
            raise BadEdit("no_countries", kind)
        item["countries"] = list(countries)
    elif kind == "time_window":
        item["options"] = [{"id": each, "label": {"": each.replace("-", "–")}} for each in _TIMES]
    elif kind in WITH_OPTIONS:
        if kind in {"model", "country"} and not options:
            raise BadEdit("no_models" if kind == "model" else "no_countries", kind)
        item["options"] = [dict(option) for option in options] or [
            {"id": "option-1", "label": {}},
            {"id": "option-2", "label": {}},
        ]
    return field_from(item).to_json()


def free_name(pattern: str, taken: Collection[str]) -> str:
    """`step-1`, or the first number that isn't taken; a first `text_1` is plainly `text`."""
    bare = pattern.removesuffix("_{}")
    if bare != pattern and bare not in taken:
        return bare
    number = 1
    while pattern.format(number) in taken:
        number += 1
    return pattern.format(number)


def checked_key(key: str) -> str:
    """Raises BadEdit `key`."""
    if not _KEY.fullmatch(key) or key in RESERVED_KEYS:
        raise BadEdit("key", "key")
    return key


def merged_words(words: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The words with those given laid over; an empty one takes the text of its language away.

    What holds for every language ("") stays the text where a language says just the same.
    """
    merged = {**words, **{language: text.strip() for language, text in given.items()}}
    return {language: text for language, text in merged.items() if text}


def with_changes(item: Json, changes: Json) -> dict[str, Any]:
    """The field with its changes: words by language (label, help, error), flags, bounds (None or a
    whole number), `options` (id, label; "" for a new one's id), `countries`, `to`, `value`,
    `purpose`, `retention_days`, `shows`, `shown_when` (None: always).

    Raises BadEdit naming the input.
    """
    new = dict(item)
    for name in ("label", "help", "error"):
        if name in changes:
            new[name] = merged_words(item.get(name) or {}, changes[name])
    new |= {name: bool(changes[name]) for name in _FLAGS if name in changes}
    new |= {name: str(changes[name]).strip() for name in _PLAIN if name in changes}
    for name in ("least", "most", "max_length", "retention_days", "shown_when"):
        if name in changes:
            new[name] = changes[name]
    if "shows" in changes:
        new["shows"] = [place for place in SHOWN_IN if place in changes["shows"]]
    if "countries" in changes:
        new["countries"] = list(dict.fromkeys(changes["countries"]))
    if "options" in changes:
        new["options"] = _options(item.get("options") or (), changes["options"])
    _expect_bounds(new)
    try:
        return field_from(new).to_json()
    except (BadForm, ValueError) as problem:
        raise BadEdit("cannot", str(item["key"]), why=str(problem)) from problem


def _expect_bounds(item: Json) -> None:
    least, most = item.get("least"), item.get("most")
    if least is not None and most is not None and least > most:
        raise BadEdit("bounds", "most")
    if item["type"] == "file" and not 1 <= (most or 1) <= MOST_FILE_MB:
        raise BadEdit("file_size", "most", most=MOST_FILE_MB)
    longest = item.get("max_length")
    if longest is not None and not 1 <= longest <= LONGEST["longtext"]:
        raise BadEdit("length", "max_length", most=LONGEST["longtext"])
    days = item.get("retention_days")
    if days is not None and not 1 <= days <= 36_500:
        raise BadEdit("retention", "retention_days")
    if item["type"] == "address" and not item.get("countries"):
        raise BadEdit("no_country_chosen", "countries")


def _options(former: Sequence[Json], given: Sequence[Json]) -> list[dict[str, Any]]:
    """Ids are kept from when an option has words; it is named after its first ones."""
    known = {option["id"]: option for option in former}
    given = [
        {**option, "id": ""} if _is_unnamed(option["id"], known) and _said(option) else option
        for option in given
    ]
    taken = {option["id"] for option in given if option["id"]}
    options: list[dict[str, Any]] = []
    for option in given:
        before = known.get(option["id"], {})
        label = merged_words(before.get("label") or {}, option["label"])
        id = option["id"] or _new_id(label, taken)
        taken.add(id)
        options.append({"id": id, "label": label, "group": dict(before.get("group") or {})})
    if not options:
        raise BadEdit("no_options", "options")
    if len(options) > MOST_OPTIONS:
        raise BadEdit("many_options", "options", most=MOST_OPTIONS)
    if bad := [option["id"] for option in options if not _OPTION_ID.fullmatch(option["id"])]:
        raise BadEdit("option_id", "options", id=bad[0])
    if len({option["id"] for option in options}) != len(options):
        raise BadEdit("option_twice", "options")
    return options


def _is_unnamed(id: str, known: Mapping[str, Json]) -> bool:
    """Also where it was named a moment ago, by what was saved while more was typed."""
    return id.startswith("option-") and not (id in known and _said(known[id]))


def _said(option: Json) -> bool:
    return any(text.strip() for text in option["label"].values())


def _new_id(label: Mapping[str, str], taken: Collection[str]) -> str:
    words = label.get("en") or next(iter(label.values()), "")
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:60].strip("-")
    if slug and slug not in taken:
        return slug
    return free_name((slug or "option") + "-{}", taken)
