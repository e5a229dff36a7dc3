"""Names of groups inside a drawing, which as a whole runs left to right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_skeleton

from lmt.i18n import direction, ngettext, reader
from lmt.i18n import gettext as _
from lmt.reports.answer import Key
from lmt.reports.folding import OTHERS


@dataclass(frozen=True, slots=True)
class Group:
    """What is drawn under one name: a key, or the `keys` of all smaller ones."""

    name: str
    keys: tuple[str, ...]


def isolated(text: str) -> str:
    """A text that keeps its own order inside a drawing, which as a whole runs left to right."""
    return f"\u2067{text}\u2069" if text and direction() == "rtl" else text


def as_named(name: str) -> str:
    """A name inside a drawing, in the order of its own script: the bracket behind a Latin one stays
    behind it for those who read from right to left."""
    return f"\u2068{name}\u2069" if name and direction() == "rtl" else name


def groups_of(keys: Sequence[Key], most: int) -> list[Group]:
    """The first `most` keys under names that no other has; the rest together as the last."""
    often = Counter(key.name for key in keys)
    named = [
        Group(
            as_named(key.name if often[key.name] == 1 else f"{key.name} ({key.value})"),
            (key.value,),
        )
        for key in keys
    ]
    if len(named) <= most:
        return named
    rest = [key for group in named[most - 1 :] for key in group.keys]
    others = ngettext("%(num)s other", "%(num)s others", len(rest))
    if OTHERS in rest:  # the answer's own, of nobody knows how many
        others = _("Others")
    return [*named[: most - 1], Group(isolated(others), tuple(rest))]


def short_names(dimension: str, keys: Sequence[Key]) -> dict[str, str]:
    """Days and weeks by their first day, without the year where all are of one."""
    if dimension not in {"day", "week"}:
        return {}
    years = {key.value[:4] for key in keys}
    form = "MMMd" if len(years) == 1 else "yMMMd"
    return {
        as_named(key.name): isolated(
            str(format_skeleton(form, date.fromisoformat(key.value), locale=reader().locale))
        )
        for key in keys
        if _is_day(key.value)
    }


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
