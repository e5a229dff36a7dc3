"""A stranger's payload as a plain table: each value a text, under a path that a person can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_DEPTH = 32
MAX_PATHS = 2_000
MAX_TEXT = 20_000
MAX_PATH_LENGTH = 500
#: How much text a record may become: what lies beyond stays in the raw delivery.
MAX_CHARACTERS = 2_000_000

# In each, the first that is there counts.
_KEYS = (
    "column_id",
    "field",
    "ref",
    "name",
    "key",
    "field_name",
    "fieldName",
    "questionId",
    "id",
    "question",
)
_KEY_OF_OBJECT = ("ref", "name", "key", "column_id", "id")
_VALUES = ("value", "values", "string_value", "answer", "answers", "val")
_LABELS = ("label", "title", "question", "column_name")
_CHOICES = ("label", "labels", "other")
# What a form says about its field beside the answer.
_ABOUT_WORDS = (
    "type id ref name key field fieldName field_name label title question column_id column_name"
    " questionId objectTypeId properties validations fieldType fieldElementId"
)
_ABOUT = frozenset(_ABOUT_WORDS.split())

_Found = Iterator[tuple[str, str]]


def flat(record: Any) -> dict[str, str]:
    """{path: text} of any JSON value, in its order; a row of a table is that already.

    Objects' keys are joined by dots. Objects in a list that name their own field become
    `list.<field>`; others are told apart by number from the second on (`list.key`, `list[2].key`),
    and so are paths met twice. Several plain values are joined by ", ". A truth is `true` or
    `false`, nothing is "". Bounded: beyond MAX_DEPTH, MAX_PATHS and MAX_CHARACTERS nothing is
    taken, and texts end at MAX_TEXT. NUL and lone surrogates are left out. Raises nothing.
    """
    found: dict[str, str] = {}
    times: dict[str, int] = {}
    room = MAX_CHARACTERS
    for given, text in _leaves(record, "", 0):
        if len(found) >= MAX_PATHS or room <= 0:
            break
        path = _storable(given[:MAX_PATH_LENGTH]) or "value"
        if path in found:
            unnumbered = path
            while path in found:
                times[unnumbered] = times.get(unnumbered, 1) + 1
                path = f"{unnumbered}[{times[unnumbered]}]"
        found[path] = _storable(text[: min(MAX_TEXT, room)])
        room -= len(path) + len(found[path])
    return found


def titles(record: Mapping[str, str]) -> dict[str, str]:
    """{path: what the form asked} of a flat record whose sender told its questions too: beside the
    answer (`….label`), or apart from it (`definition.fields`, as Typeform does)."""
    asked: dict[str, str] = {}
    for path, text in record.items():
        head, inside, field = path.rpartition(".definition.fields.")
        answer = f"{head}.answers.{field}" if inside else path.removesuffix(".label")
        if answer != path and answer in record and text.strip():
            asked[answer] = " ".join(text.split())
    return asked


def _leaves(value: Any, path: str, depth: int) -> _Found:
    if isinstance(value, Mapping):
        if depth < MAX_DEPTH:
            for key, inner in value.items():
                yield from _leaves(inner, _joined(path, str(key)), depth + 1)
    elif isinstance(value, list | tuple):
        yield from _leaves_of_list(value, path, depth)
    else:
        yield path, _scalar(value)


def _leaves_of_list(items: Sequence[Any], path: str, depth: int) -> _Found:
    """Its plain values as one text, then what its objects and lists hold."""
    plain = [item for item in items if not isinstance(item, Mapping | list | tuple)]
    if plain or not items:
        shown = (_scalar(item)[:MAX_TEXT] for item in plain[:MAX_PATHS])
        yield path, ", ".join(text for text in shown if text)
    if depth >= MAX_DEPTH:
        return
    unnamed = 0
    for item in items:
        name = _own_name(item) if isinstance(item, Mapping) else ""
        if name:
            yield from _answer(item, _joined(path, name), depth + 1)
        elif isinstance(item, Mapping | list | tuple):
            unnamed += 1
            numbered = path if unnamed == 1 else f"{path}[{unnamed}]"
            yield from _leaves(item, numbered, depth + 1)


def _answer(item: Mapping[Any, Any], path: str, depth: int) -> _Found:
    """The value of an object that names its own field, then whatever else it says."""
    key, value = _value_of(item)
    chosen = _chosen(value)
    yield from _leaves(value if chosen is None else chosen, path, depth)
    label = next((item[each] for each in _LABELS if each != key and item.get(each)), None)
    if isinstance(label, str) and any(c.isdigit() for c in path) and not path.endswith(label):
        yield f"{path}.label", label
    for other, inner in item.items():
        if other != key and other not in _ABOUT:
            yield from _leaves(inner, _joined(path, str(other)), depth)


def _own_name(item: Mapping[Any, Any]) -> str:
    """What the object calls its field, "" when it names none or holds no value for it."""
    if _value_of(item)[0] is None:
        return ""
    for key in _KEYS:
        given = item.get(key)
        if isinstance(given, Mapping):
            given = next((given[inner] for inner in _KEY_OF_OBJECT if given.get(inner)), None)
        if isinstance(given, str | int) and not isinstance(given, bool) and str(given).strip():
            return str(given)
    return ""


def _value_of(item: Mapping[Any, Any]) -> tuple[Any, Any]:
    """The key and the value of the one thing that the object says; (None, None) when not one."""
    kind = item.get("type")
    if isinstance(kind, str) and kind in item and kind not in ("type", "field"):
        return kind, item[kind]
    if "answerDetails" in item:
        return "answerDetails", _inmost(item["answerDetails"])
    for key in _VALUES:
        if key in item:
            return key, item[key]
    if "title" in item and "type" in item:
        return "title", item["title"]
    others = [key for key in item if key not in _ABOUT]
    named = any(key in item for key in _KEYS if key != "id")
    if named and len(others) == 1 and not isinstance(item[others[0]], Mapping | list | tuple):
        return others[0], item[others[0]]
    return None, None


def _inmost(value: Any) -> Any:
    """What is left of objects around a single thing."""
    for _ in range(MAX_DEPTH):
        if not isinstance(value, Mapping) or len(value) != 1:
            break
        value = next(iter(value.values()))
    return value


def _chosen(value: Any) -> Any:
    """The words of what was chosen from a list; None when the value is no such choice."""
    if not isinstance(value, Mapping) or not any(key in value for key in _CHOICES):
        return None
    if not set(value) <= {"id", "ids", "ref", "refs", *_CHOICES}:
        return None
    chosen: list[Any] = []
    for key in _CHOICES:
        given = value.get(key)
        chosen += given if isinstance(given, list | tuple) else [given] if given else []
    return chosen


def _joined(path: str, key: str) -> str:
    # Cut here as well: a deep payload of long keys would otherwise grow with their product.
    return f"{path}.{key}"[:MAX_PATH_LENGTH] if path else key


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 4_096:
        return ""
    return str(value)


def _storable(text: str) -> str:
    bare = text.replace("\x00", "")
    return bare if bare.isascii() else bare.encode("utf-8", "ignore").decode("utf-8")
