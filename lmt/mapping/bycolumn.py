"""A mapping made ready for one table: a million rows through it, each as `apply.mapped` would."""

from __future__ import annotations

import re
from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lmt.mapping.apply import attributes_of, mapped, put, written
from lmt.mapping.flatten import MAX_TEXT, flat, titles
from lmt.mapping.model import Line, Mapping
from lmt.mapping.targets import Target, target_of
from lmt.mapping.withheld import is_machinery, is_secret

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Filled:
    """A line with the columns it takes, in its order, and its values ready to be looked up."""

    line: Line
    target: Target
    columns: tuple[int, ...]
    values: ReadOnly[str, str]
    attribute: str
    is_plain: bool
    """The first text found is the answer, as it stands."""
    direct: tuple[str, str] | None
    """The section and the name where the text is put, for most targets; None: `put` knows."""


class ByColumn:
    """The mapping's lines with the columns of one table.

    `lead(cells)` is `mapped(mapping, dict(zip(columns, cells))).lead`, many times as fast.
    """

    def __init__(self, mapping: Mapping, columns: Sequence[str]) -> None:
        self._mapping = mapping
        self._columns = tuple(columns)
        names = list(flat(dict.fromkeys(columns, "")))
        # Columns whose names say something of others, or can't all be kept: the long way.
        self._is_plain = len(names) == len(columns) and not titles(dict.fromkeys(names, "x"))
        self._lines = tuple(_lines(mapping, names))
        always = {i for each in self._lines for i in _always_used(each)}
        self._rest = tuple(
            (i, name)
            for i, name in enumerate(names)
            if i not in always and not is_secret(name) and not is_machinery(name)
        )

    def columns_of(self, *targets: str) -> tuple[int, ...]:
        """The columns, counted from 0, that fill these targets."""
        found = (i for each in self._lines if each.line.target in targets for i in each.columns)
        return tuple(dict.fromkeys(found))

    @property
    def lines(self) -> tuple[tuple[Line, Target, tuple[int, ...]], ...]:
        """Each line that can be filled, with its target and its columns, counted from 0."""
        return tuple((each.line, each.target, each.columns) for each in self._lines)

    def lead(self, cells: Sequence[str]) -> dict[str, Any]:
        """One row, of as many cells as there are columns, in the shape of the lead JSON."""
        whole = "".join(cells)
        if not self._is_plain or len(whole) > MAX_TEXT or _NOT_STORABLE.search(whole):
            return mapped(self._mapping, dict(zip(self._columns, cells, strict=True))).lead
        lead: dict[str, Any] = {}
        attributes: dict[str, str] = {}
        used: set[int] = set()
        for each in self._lines:
            text = _first(each, cells, used) if each.is_plain else _any(each, cells, used)
            if not text:
                continue
            if each.direct:
                section, name = each.direct
                lead.setdefault(section, {})[name] = text
            elif each.attribute:
                attributes[each.attribute] = text
            else:
                put(lead, each.target, text)
        rest = {name: cells[i] for i, name in self._rest if i not in used and cells[i].strip()}
        if attributes or rest:
            kept, _left_off = attributes_of(attributes, rest, {})
            if kept:
                lead["attributes"] = kept
        return lead


def _first(each: _Filled, cells: Sequence[str], used: set[int]) -> str:
    for i in each.columns:
        text = cells[i].strip()
        if text:
            used.add(i)
            text = each.values.get(text.casefold(), text) if each.values else text
            if text:
                return text
    return ""


def _any(each: _Filled, cells: Sequence[str], used: set[int]) -> str:
    texts: list[str] = []
    for i in each.columns:
        text = cells[i].strip()
        if not text:
            continue
        used.add(i)
        if meant := each.values.get(text.casefold(), text):
            texts.append(meant)
            if each.line.how == "first":
                break
    return written(each.line, each.target, texts)


def _lines(mapping: Mapping, names: Sequence[str]) -> list[_Filled]:
    exact = {name: i for i, name in enumerate(names)}
    by_case = {name.casefold(): i for i, name in reversed(list(enumerate(names)))}
    filled: list[_Filled] = []
    for line in mapping.lines:
        target = target_of(line.target)
        if target is None:
            continue
        found = (exact.get(path, by_case.get(path.casefold())) for path in line.paths)
        columns = (i for i in dict.fromkeys(found) if i is not None and not is_secret(names[i]))
        values = {given.strip().casefold(): ours for given, ours in line.values.items()}
        section, _, name = line.target.partition(".")
        named = section == "attributes"
        plain = target.kind in ("text", "lines", "number") and name and "." not in name
        direct = (section, name) if plain and not named else None
        filled.append(
            _Filled(
                line,
                target,
                tuple(columns),
                values,
                attribute=name if named else "",
                is_plain=line.how == "first" and not (line.prefix or line.fixed),
                direct=direct,
            )
        )
    return filled


def _always_used(each: _Filled) -> tuple[int, ...]:
    """The columns whose text is the line's wherever they have one."""
    return each.columns if each.line.how == "join" else each.columns[:1]
