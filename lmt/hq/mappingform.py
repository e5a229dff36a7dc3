"""The table in which a stranger's fields become ours: as typed, as kept, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from babel.support import LazyProxy
from werkzeug.datastructures import MultiDict

from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.ingest.dispositions import DISPOSITIONS
from lmt.ingest.requesttypes import is_slug
from lmt.mapping.model import HOWS, Line, errors_in
from lmt.mapping.model import Mapping as FieldMapping
from lmt.mapping.suggest import Suggestion, suggestions
from lmt.mapping.targets import TARGETS, target_of
from lmt.mapping.withheld import is_machinery, is_secret
from lmt.mapping.words import mapping_words

MOST_ROWS = 300
ADDED = "added"
"""Why a row stands in the table: somebody typed its path."""
_EXAMPLE = 120
_GROUPS: Mapping[str, LazyProxy] = {
    "": _l("The delivery"),
    "customer": _l("The person"),
    "address": _l("The place"),
    "request": _l("The request"),
    "vehicle": _l("The vehicle"),
    "campaign": _l("The campaign"),
    "call": _l("The call"),
    "consents": _l("Consents"),
    "attributes": _l("Besides"),
}
WHY_WORDS: Mapping[str, LazyProxy] = {
    "name": _l("suggested by its name"),
    "value": _l("suggested by its value"),
}


@dataclass(slots=True)
class Row:
    """One of the sender's fields and where it goes; `target` "" keeps it as it is, beside the lead.

    `why` tells on what ground a suggestion was taken, or that somebody added the field by hand;
    `hint` is a suggestion that wasn't taken.
    """

    path: str
    target: str = ""
    prefix: str = ""
    why: str = ""
    example: str | None = None
    hint: Suggestion | None = None

    @property
    def hint_words(self) -> str:
        known = target_of(self.hint.target) if self.hint else None
        if self.hint is None or known is None:
            return ""
        why = WHY_WORDS.get(self.hint.why, "")
        return _("%(field)s, %(why)s", field=str(known.words), why=str(why))

    @property
    def is_tokens(self) -> bool:
        return _is_tokens(self.target)

    @property
    def is_meant(self) -> bool:
        """Does somebody want it here, whatever the payload holds?"""
        return bool(self.target) or self.why == ADDED


@dataclass(slots=True)
class Field:
    """One of our fields that is filled, and how: `values` as typed, a translation a line."""

    target: str
    paths: list[str] = field(default_factory=list)
    how: str = "first"
    fixed: str = ""
    values: str = ""
    here: bool = True
    """Does the payload have any of its paths, or a fixed value fill it?"""

    @property
    def words(self) -> str:
        return target_words(self.target)


@dataclass(slots=True)
class MappingForm:
    """`left_out`: the sender's fields that are never read, as they hold secrets."""

    preset: str = ""
    rows: list[Row] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, mapping: FieldMapping) -> MappingForm:
        rows = [
            Row(path, line.target, line.prefix) for line in mapping.lines for path in line.paths
        ]
        form = cls(mapping.preset, rows)
        form.fields = [
            Field(line.target, [], line.how, line.fixed, _values_text(line))
            for line in mapping.lines
            if not _is_tokens(line.target)
        ]
        form.settle()
        return form

    @classmethod
    def typed(cls, given: MultiDict[str, str]) -> MappingForm:
        columns = [given.getlist(name) for name in ("path", "target", "prefix", "why")]
        rows = [Row(*each) for each in zip(*columns, strict=False)]
        ranks = given.getlist("rank")
        if len(ranks) == len(rows) and all(rank.isdecimal() for rank in ranks):
            # The page shows them in another order than that in which they are asked.
            rows = [
                row for _rank, row in sorted(zip(map(int, ranks), rows, strict=True), key=_first)
            ]
        fields = [
            Field(
                target,
                [],
                given.get(f"how.{target}", "first"),
                given.get(f"fixed.{target}", "").strip(),
                given.get(f"values.{target}", ""),
            )
            for target in dict.fromkeys(given.getlist("field"))
        ]
        form = cls(given.get("preset", ""), rows[:MOST_ROWS], fields[:MOST_ROWS])
        form.settle()
        return form

    def settle(self) -> None:
        """Our fields in the order of the rows that fill them, then those of a fixed value alone."""
        known = {each.target: each for each in self.fields}
        filled = [row.target for row in self.rows if row.target and not row.is_tokens]
        self.fields = [known.get(target, Field(target)) for target in dict.fromkeys(filled)]
        for each in self.fields:
            each.paths = [row.path for row in self.rows if row.target == each.target]
        for target, each in known.items():
            # A row that was given up leaves nothing behind but what somebody typed.
            if target not in filled and each.fixed and not _is_tokens(target):
                each.paths = []
                self.fields.append(each)
        shown = {row.target for row in self.rows if row.example is not None}
        for each in self.fields:
            each.here = not shown or bool(each.fixed) or each.target in shown

    def show(self, samples: Sequence[Mapping[str, str]]) -> None:
        """Put the sender's fields of some flat records beside it, each with an example."""
        examples: dict[str, str] = {}
        for sample in samples:
            for path, text in sample.items():
                if not examples.get(path):
                    examples[path] = " ".join(text.split())[:_EXAMPLE]
        self.left_out = [path for path in examples if is_secret(path)]
        by_case = {path.casefold(): path for path in reversed(examples)}
        for row in self.rows:
            found = row.path if row.path in examples else by_case.get(row.path.casefold(), "")
            row.example = examples.get(found) if found else None
        if examples:
            self.rows = [row for row in self.rows if row.example is not None or row.is_meant]
        named = {row.path.casefold() for row in self.rows}
        for path, text in examples.items():
            hidden = is_secret(path) or is_machinery(path)
            if path.casefold() not in named and not hidden and len(self.rows) < MOST_ROWS:
                self.rows.append(Row(path, example=text))
        self._sort([path.casefold() for path in examples])
        self.settle()
        # What a ready-made mapping expects elsewhere may still be found in this payload.
        taken = [row.target for row in self.rows if row.target and row.example is not None]
        best = {each.path: each for each in suggestions(samples, taken)} if samples else {}
        for row in self.rows:
            row.hint = best.get(row.path) if not row.target else None

    def _sort(self, paths: Sequence[str]) -> None:
        """In the payload's order; but which of several is asked first for a field stays."""
        order = {path: number for number, path in enumerate(paths)}
        before = list(self.rows)
        self.rows.sort(key=lambda row: order.get(row.path.casefold(), len(order)))
        for target in {row.target for row in before if row.target}:
            places = [n for n, row in enumerate(self.rows) if row.target == target]
            for place, row in zip(
                places, [row for row in before if row.target == target], strict=True
            ):
                self.rows[place] = row

    def ask_first(self, target: str, path: str) -> None:
        """Of the sender's fields that fill `target`, this one before the others."""
        places = [n for n, row in enumerate(self.rows) if row.target == target]
        own = sorted((self.rows[n] for n in places), key=lambda row: row.path != path)
        for place, row in zip(places, own, strict=True):
            self.rows[place] = row
        self.settle()

    def take_hints(self) -> int:
        """Take every suggestion where nobody chose yet; how many."""
        hinted = [row for row in self.rows if row.hint is not None and not row.target]
        for row in hinted:
            assert row.hint is not None
            row.target, row.why, row.hint = row.hint.target, row.hint.why, None
        self.settle()
        return len(hinted)

    def add_path(self, path: str) -> None:
        if path and all(row.path != path or row.target for row in self.rows):
            self.rows.append(Row(path, why=ADDED))

    def add_field(self, target: str, fixed: str) -> None:
        known = next((each for each in self.fields if each.target == target), None)
        if known is not None:
            known.fixed = fixed
        elif target_of(target) is not None:
            self.fields.append(Field(target, fixed=fixed))

    def to_json(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The mapping as it would be kept, and what is wrong with it by the name of the input."""
        lines: list[dict[str, Any]] = []
        places: list[str] = []
        problems: dict[str, str] = {}
        by_target: dict[str, dict[str, Any]] = {}
        for number, row in enumerate(self.rows):
            if not row.target:
                continue
            line = None if row.is_tokens else by_target.get(row.target)
            if line is None:
                line = {"target": row.target, "paths": [], "prefix": row.prefix}
                by_target[row.target] = line
                lines.append(line)
                places.append(f"target-{number}")
            line["paths"].append(row.path)
        for each in self.fields:
            line = by_target.get(each.target)
            if line is None:
                line = {"target": each.target, "paths": []}
                lines.append(line)
                places.append(f"fixed.{each.target}")
            values, problem = _values_of(each)
            if problem:
                problems[f"values.{each.target}"] = problem
            line.update(how=each.how if each.how in HOWS else "first", fixed=each.fixed)
            line["values"] = values
        data = {"preset": self.preset, "lines": lines}
        for error in errors_in(data):
            place = places[error.line_number - 1] if error.line_number else "mapping"
            if error.field in {"values", "fixed"} and error.line_number:
                place = f"{error.field}.{lines[error.line_number - 1]['target']}"
            problems.setdefault(place, mapping_words(error))
        return (FieldMapping.from_json(data).to_json() if not problems else data), problems


def target_words(target: str) -> str:
    """What a person calls one of our fields, with the name of a free one."""
    known = target_of(target)
    if known is None:
        return target
    named = known.kind == "free" or (known.kind == "consent" and target not in TARGETS)
    return f"{known.words}: {target.rpartition('.')[2]}" if named else str(known.words)


def target_groups(
    rows: Sequence[Row], more: Collection[str] = ()
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Our fields to choose from, by what they are about; those in use that no list knows, too, and
    `more` that only some senders have."""
    listed = dict.fromkeys([*TARGETS, *more, *(row.target for row in rows if row.target)])
    groups: dict[str, list[tuple[str, str]]] = {name: [] for name in _GROUPS}
    for target in listed:
        section = target.split(".", 1)[0] if "." in target else ""
        groups.setdefault(section, []).append((target, target_words(target)))
    return [(str(_GROUPS.get(name, name)), each) for name, each in groups.items() if each]


def _first(pair: tuple[int, Row]) -> int:
    return pair[0]


def _is_tokens(target: str) -> bool:
    known = target_of(target) if target else None
    return known is not None and known.kind == "tokens"


def _values_text(line: Line) -> str:
    return "\n".join(f"{theirs} = {ours}" for theirs, ours in line.values.items())


def _values_of(each: Field) -> tuple[dict[str, str], str]:
    """Their words to ours, and what is wrong in the reader's words or ""."""
    values: dict[str, str] = {}
    for text in each.values.splitlines():
        if not text.strip():
            continue
        theirs, equals, ours = text.rpartition("=")
        if not equals or not theirs.strip() or not ours.strip():
            return values, _("Write one translation a line: their word = our word.")
        if (fits := _CHECKS.get(each.target)) is not None and not fits(ours.strip()):
            told = str(_NO_SUCH[each.target])
            return values, told % {"word": ours.strip()}
        values[theirs.strip()] = ours.strip()
    return values, ""


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "request.type": is_slug,
    "call.disposition": DISPOSITIONS.__contains__,
}
_NO_SUCH: Mapping[str, LazyProxy] = {
    "request.type": _l("“%(word)s” is no kind of request."),
    "call.disposition": _l("“%(word)s” is no way in which a call ends."),
}
