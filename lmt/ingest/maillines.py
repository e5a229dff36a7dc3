"""Labelled lines of a mail (`Telefon : …`): which field of ours each names, and what is left."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lmt.ingest.mailtext import LONGEST_LABEL, is_header_line
from lmt.mapping.apply import mapped
from lmt.mapping.folding import words_of
from lmt.mapping.model import Line
from lmt.mapping.model import Mapping as FieldMapping
from lmt.mapping.names import named_targets
from lmt.mapping.suggest import THRESHOLD, suggestions

MOST_LINES = 2_000
LONGEST_COMMENT = 10_000
_LABELLED = re.compile(
    rf"^[\s*_>•·–-]*([^\s:：=|\t][^:：=|\t\n]{{0,{LONGEST_LABEL - 1}}}?)[\s*_]*"
    r"(?:[:：=|]+|\t)[\s*_]*(.*?)[\s*_]*$"
)
_COMMENTS = "request.comments"
_MOST_WORDS = 7
_SURE = 0.75


@dataclass(frozen=True, slots=True)
class Labelled:
    """`record` is {label: value} of the lines that name a field, `comment` all other lines."""

    record: Mapping[str, str]
    comment: str


def labelled(text: str, own: FieldMapping | None = None, *, passed_on: bool = False) -> Labelled:
    """The lines of a text that name a field of a lead, by what the field is called in any language
    shipped, or by the source's `own` mapping. Of two lines for the same, the first.

    `passed_on`: the text holds a whole mail whose header lines tell of the mail, not of the lead.
    """
    known = frozenset(words_of(path) for line in (own.lines if own else ()) for path in line.paths)
    record: dict[str, str] = {}
    rest: list[str] = []
    lines = text.split("\n")
    number = 0
    while number < min(len(lines), MOST_LINES):
        line = lines[number]
        number += 1
        found = _label_and_value(line, known)
        if found is None or (is_header_line(line) and passed_on):
            rest.append(line)
            continue
        label, value = found
        if not value and number < len(lines) and _is_bare(lines[number], known):
            value = lines[number].strip(" *_")
            number += 1
        if _target(label) == _COMMENTS and words_of(label) not in known:
            rest.append(value)
        elif value and label not in record:
            record[label] = value[:2_000]
        elif value:
            rest.append(line)
    rest += lines[number:]
    if not record:
        # A person's own words: "Please note: …" is no field of a form.
        return Labelled({}, text.strip())
    return Labelled(record, "\n".join(rest).strip())


def lead_of_lines(found: Labelled, own: FieldMapping | None = None) -> dict[str, Any]:
    """The lead that the labelled lines tell: the source's own mapping first, the rest by name."""
    lines = list(own.lines) if own else []
    by_case = {path.casefold(): path for path in found.record}
    paths = {by_case[p.casefold()] for line in lines for p in line.paths if p.casefold() in by_case}
    taken = {line.target for line in lines if any(p.casefold() in by_case for p in line.paths)}
    lines = [line for line in lines if line.target in taken or line.fixed]
    guessed = suggestions([found.record], [*taken, *paths])
    lines += [
        Line(each.target, (each.path,))
        for each in guessed
        if each.target not in {line.target for line in lines}
    ]
    return dict(mapped(FieldMapping(tuple(lines)), found.record).lead)


def _label_and_value(line: str, known: Collection[tuple[str, ...]]) -> tuple[str, str] | None:
    if len(line) > 5_000:
        return None
    match = _LABELLED.match(line)
    if match is None:
        return None
    label = match[1].strip(" .*_\"'")
    words = words_of(label)
    if words in known:
        return label, match[2]
    if not words or len(words) > _MOST_WORDS or not _target(label):
        return None
    return label, match[2]


def _is_bare(line: str, known: Collection[tuple[str, ...]]) -> bool:
    """A value below its label: a line that is no label itself."""
    return bool(line.strip()) and _label_and_value(line, known) is None


@lru_cache(maxsize=4_096)
def _target(label: str) -> str:
    """The field that a label names surely; "" for none."""
    found = named_targets(label)
    if not found:
        return ""
    target = max(found, key=lambda each: found[each])
    return target if found[target] >= max(THRESHOLD, _SURE) else ""
