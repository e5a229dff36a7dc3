"""What the pages of the reports say: names of groups, what can't be used, how a figure changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lmt import web
from lmt.attributes import field_label
from lmt.i18n import format_number, format_percent
from lmt.i18n import gettext as _
from lmt.reportpages.asking import own_fields
from lmt.reports.answer import Answer
from lmt.reports.dimensions import FIELD
from lmt.reports.figures import BY_CODE, COUNT, SHARE, Figure
from lmt.reports.keys import names_of
from lmt.reports.question import LONGEST_DAYS, MOST_FIGURES, MOST_VALUES, Problem, Question
from lmt.reports.wording import Names, dimension_name, figure_text

FEW_LEADS = 30
"""What fewer leads say is marked: one lead more or less changes it by far."""
MOST_TIMES = 10
"""What grew beyond that is not told as a share of what it was."""


@dataclass(frozen=True, slots=True)
class Change:
    """`way` is up, down or same; `mood` is good, bad or "" where neither is better."""

    way: str
    mood: str
    words: str


def names_for(
    question: Question,
    answer: Answer | None = None,
    cell: Mapping[str, str] | None = None,
) -> Names:
    """Gives the names of the keys that the question speaks of, its answer or one `cell` of it (keys
    by dimension), in a query for each dimension that is asked for."""
    known: dict[str, dict[str, str]] = {
        FIELD + item.key: {"": field_label(item)} for item in own_fields()
    }
    for code, keys in question.filters.items():
        known.setdefault(code, {}).update(key_names(code, keys))
    for code, key in (cell or {}).items():
        known.setdefault(code, {}).update(key_names(code, [key]))
    if answer is not None:
        for code, found in ((question.rows, answer.rows), (question.columns, answer.columns)):
            known.setdefault(code, {}).update({key.value: key.name for key in found})

    def name(code: str, key: str) -> str:
        return known.get(code, {}).get(key, key or code.removeprefix(FIELD))

    return name


def key_names(code: str, keys: Iterable[str]) -> Mapping[str, str]:
    """What the reader calls these keys of a dimension."""
    return names_of(web.reports_db(), code, list(keys), web.at())


def problem_words(problem: Problem) -> str:
    """What is wrong with a parameter of the address, and what is shown instead."""
    match problem.code:
        case "no_date":
            return _("Write days as 2026-03-31.")
        case "backwards":
            return _("The first day comes after the last. The last 30 days are shown.")
        case "long":
            return _(
                "A report covers %(days)s days at most. The latest of them are shown.",
                days=format_number(LONGEST_DAYS),
            )
        case "many" if problem.parameter == "figures":
            return _(
                "A report has %(most)s figures at most. The first of them are shown.",
                most=format_number(MOST_FIGURES),
            )
        case "many":
            return _(
                "Choose %(most)s at most. The first of them are used.",
                most=format_number(MOST_VALUES),
            )
        case _:
            return _("“%(given)s” is not known here.", given=problem.given)


def said_at(problems: Iterable[Problem]) -> dict[str, str]:
    """The words of the problems by the field of the form beside which they are told."""
    said: dict[str, list[str]] = {}
    for problem in problems:
        said.setdefault(problem.parameter, []).append(problem_words(problem))
    return {parameter: " ".join(words) for parameter, words in said.items()}


def change(figure: Figure, now: float | None, before: float | None, currency: str) -> Change | None:
    """How a figure moved since the period that it is compared with; None where both are unknown."""
    if before is None:
        return None if now is None else Change("same", "", _("unknown before"))
    was = figure_text(figure.code, before, currency)
    if now is None:
        return Change("same", "", _("%(before)s before", before=was))
    if figure.unit == SHARE:
        points = round((now - before) * 100, 1)
        moved, told = points, _("%(points)s points", points=format_number(abs(points), 1))
    elif not before:
        return Change("same", "", _("%(before)s before", before=was))
    elif now > MOST_TIMES * before:
        # "4,300 % more than 1" says less than the number itself.
        return Change("up", _mood(figure, True), _("%(before)s before", before=was))
    else:
        moved = round(now / before - 1, 3)
        told = format_percent(abs(moved), 1 if abs(moved) < 0.1 else 0)
    if not moved:
        return Change("same", "", _("as before"))
    words = (
        _("%(change)s more than %(before)s", change=told, before=was)
        if moved > 0
        else _("%(change)s less than %(before)s", change=told, before=was)
    )
    return Change("up" if moved > 0 else "down", _mood(figure, moved > 0), words)


def _mood(figure: Figure, more: bool) -> str:
    if not figure.better:
        return ""
    return "good" if more == (figure.better == "more") else "bad"


def cell_words(
    question: Question, names: Names, row: str | None, column: str | None, figure: str, side: str
) -> list[tuple[str, str]]:
    """What a number counted, as pairs of a heading and its words."""
    of = BY_CODE[figure]
    told = [] if of.unit == COUNT else [(_("Behind the figure"), str(of.name))]
    counted = str(of.name) if of.unit == COUNT else _side_words(of, side)
    told.append((_("Counted"), counted))
    for code, key in ((question.rows, row), (question.columns, column)):
        if code and key is not None:
            told.append((dimension_name(code, names), names(code, key)))
    return told


def _side_words(figure: Figure, side: str) -> str:
    counters = figure.part if side == "part" else figure.whole
    words = [str(BY_CODE[code].name) for code in counters if code in BY_CODE]
    if len(words) == len(counters) == 1:
        return words[0]
    return (
        _("The leads that fulfil it") if side == "part" else _("The leads that it is measured by")
    )
