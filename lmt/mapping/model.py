"""The table that says which of a stranger's fields is which of ours, checked before it is kept."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lmt.mapping.targets import target_of
from lmt.mapping.withheld import is_secret

HOWS = ("first", "join")
MAX_LINES = 200
MAX_PATHS = 20
MAX_VALUES = 500
MAX_LENGTH = 1_000
_KEYS = frozenset({"target", "paths", "how", "values", "fixed", "prefix"})


class MappingError(ValueError):
    """A mapping that can't be used: the line (from 1; 0 is the whole), its field, and why.

    `reason` is a code for `words.mapping_words`; `given` is the text it is about, or "".
    """

    def __init__(self, line_number: int, field: str, reason: str, given: str = "") -> None:
        super().__init__(f"line {line_number}, {field}: {reason}")
        self.line_number = line_number
        self.field = field
        self.reason = reason
        self.given = given


@dataclass(frozen=True, slots=True)
class Line:
    """How one field of the lead is filled.

    `paths` are those of `flatten.flat`. `first` takes the first that isn't empty; `join` takes all,
    between them a blank, or a line break where the target keeps lines. `values` translates a whole
    value, whatever its case. `fixed` is what the line gives when its paths give nothing. `prefix`
    goes before what is found (`google:campaign:` and a number make a platform id).
    """

    target: str
    paths: tuple[str, ...] = ()
    how: str = "first"
    values: abc.Mapping[str, str] = field(default_factory=dict)
    fixed: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """The lines of one source, and the preset that they began with."""

    lines: tuple[Line, ...] = ()
    preset: str = ""

    @classmethod
    def from_json(cls, data: Any) -> Mapping:
        """The mapping that `to_json` wrote or a person entered; {} is one without lines.

        Raises MappingError for the first thing that is wrong.
        """
        for error in errors_in(data):
            raise error
        lines = tuple(_line(given) for given in data.get("lines") or ())
        return cls(lines, data.get("preset") or "")

    def to_json(self) -> dict[str, Any]:
        """{"preset", "lines"}, each line without what is empty."""
        return {"preset": self.preset, "lines": [_line_json(line) for line in self.lines]}


def errors_in(data: Any) -> Iterator[MappingError]:
    """Everything that is wrong with the JSON of a mapping, line by line."""
    if not isinstance(data, abc.Mapping):
        yield MappingError(0, "", "no_object")
        return
    if not isinstance(data.get("preset") or "", str):
        yield MappingError(0, "preset", "no_text")
    lines = data.get("lines") or []
    if not isinstance(lines, list | tuple):
        yield MappingError(0, "lines", "no_list")
        return
    if len(lines) > MAX_LINES:
        yield MappingError(0, "lines", "too_many")
        return
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if isinstance(line, abc.Mapping):
            yield from _errors_in_line(number, line, seen)
        else:
            yield MappingError(number, "", "no_object")


def _errors_in_line(
    number: int, line: abc.Mapping[Any, Any], seen: set[str]
) -> Iterator[MappingError]:
    for key in line:
        if key not in _KEYS:
            yield MappingError(number, str(key)[:100], "unknown_field")
    yield from _errors_in_target(number, line.get("target"), seen)
    paths = line.get("paths") or []
    yield from _errors_in_paths(number, paths)
    if line.get("how", "first") not in HOWS:
        yield MappingError(number, "how", "unknown_how")
    values = line.get("values") or {}
    if not isinstance(values, abc.Mapping):
        yield MappingError(number, "values", "no_object")
    elif len(values) > MAX_VALUES:
        yield MappingError(number, "values", "too_many")
    else:
        for pair in values.items():
            for text in pair:
                yield from _errors_in_text(number, "values", text)
    for name in ("fixed", "prefix"):
        yield from _errors_in_text(number, name, line.get(name, ""))
    if not paths and not line.get("fixed"):
        yield MappingError(number, "paths", "empty_line")


def _errors_in_target(number: int, target: Any, seen: set[str]) -> Iterator[MappingError]:
    if not isinstance(target, str) or not target:
        yield MappingError(number, "target", "no_target")
        return
    known = target_of(target)
    if known is None:
        yield MappingError(number, "target", "unknown_target", target[:100])
    elif target in seen and known.kind != "tokens":
        yield MappingError(number, "target", "target_twice", target)
    elif is_secret(target):
        yield MappingError(number, "target", "secret_target", target)
    seen.add(target)


def _errors_in_paths(number: int, paths: Any) -> Iterator[MappingError]:
    if not isinstance(paths, list | tuple):
        yield MappingError(number, "paths", "no_list")
        return
    if len(paths) > MAX_PATHS:
        yield MappingError(number, "paths", "too_many")
        return
    for path in paths:
        if isinstance(path, str) and not path:
            yield MappingError(number, "paths", "empty_path")
        elif isinstance(path, str) and is_secret(path):
            yield MappingError(number, "paths", "secret_path", path[:100])
        else:
            yield from _errors_in_text(number, "paths", path)


def _errors_in_text(number: int, name: str, text: Any) -> Iterator[MappingError]:
    if not isinstance(text, str):
        yield MappingError(number, name, "no_text")
    elif len(text) > MAX_LENGTH:
        yield MappingError(number, name, "too_long")
    elif "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        yield MappingError(number, name, "no_text")


def _line(given: abc.Mapping[str, Any]) -> Line:
    return Line(
        target=given["target"],
        paths=tuple(given.get("paths") or ()),
        how=given.get("how", "first"),
        values=dict(given.get("values") or {}),
        fixed=given.get("fixed", ""),
        prefix=given.get("prefix", ""),
    )


def _line_json(line: Line) -> dict[str, Any]:
    written: dict[str, Any] = {"target": line.target}
    if line.paths:
        written["paths"] = list(line.paths)
    if line.how != "first":
        written["how"] = line.how
    if line.values:
        written["values"] = dict(line.values)
    if line.fixed:
        written["fixed"] = line.fixed
    if line.prefix:
        written["prefix"] = line.prefix
    return written
