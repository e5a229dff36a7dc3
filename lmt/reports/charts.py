"""A report as a picture: one Vega-Lite specification for the page, the file, the mail, the PDF.

It has its numbers in it, fetches nothing, and is the same each time it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from babel.numbers import get_decimal_symbol, get_group_symbol
from babel.support import LazyProxy

from lmt.i18n import direction, reader
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.reports import figures
from lmt.reports.answer import Answer
from lmt.reports.chartaxes import percent_marks
from lmt.reports.chartdata import ADDING, Reading, alike, stages_asked
from lmt.reports.chartmarks import DRAWERS
from lmt.reports.chartnames import isolated
from lmt.reports.drawable import drawable
from lmt.reports.palette import MOST_SERIES, THEMES, config_of
from lmt.reports.wording import Names, days_text, dimension_name, listed

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
KINDS: Mapping[str, LazyProxy] = {
    "bars": _l("Bars"),
    "columns": _l("Columns"),
    "line": _l("Line chart"),
    "stacked": _l("Stacked bars"),
    "grouped": _l("Grouped bars"),
    "heat": _l("Heat map"),
    "funnel": _l("Funnel"),
}
PRINT_WIDTH = 680
PRINT_PADDING = 16
_LINE_LETTERS = 100
_MOST_GROUPED = 32
"""Bars that are read beside each other; of more, one figure is shown."""


def number_format() -> dict[str, Any]:
    """How the reader's language writes numbers, as a d3 format locale, for the axes."""
    locale = reader().numbers or reader().locale
    found: dict[str, Any] = {
        "decimal": get_decimal_symbol(locale),
        "thousands": get_group_symbol(locale),
        "grouping": [3],
        "currency": ["", ""],
        "percent": percent_marks()[1],
    }
    if reader().numbers == "ar_EG":
        found |= {"decimal": "٫", "thousands": "٬", "numerals": list("٠١٢٣٤٥٦٧٨٩")}
    return found


def kinds_of(answer: Answer, figure: str = "") -> tuple[str, ...]:
    """The kinds of chart that can show this answer; the first is chosen unless asked."""
    reading, asked = Reading(answer), answer.question
    code = figure or asked.figures[0]
    adding = figures.BY_CODE[code].unit in ADDING
    if not reading.dimension:
        return ("funnel",) if len(stages_asked(answer)) > 1 else ("bars",)
    if not reading.second:
        if reading.is_time:
            return ("line", "columns")
        if reading.is_ordered:
            return ("columns", "bars")
        beside = 1 if figure else len(alike(answer, code))
        if beside == 1:
            return ("bars",)
        few = beside * len(reading.groups) <= _MOST_GROUPED
        return ("grouped", "bars") if few else ("bars", "grouped")
    if not answer.columns:  # Vega draws bars side by side of nothing infinitely high
        return ("line",) if reading.is_time else ("bars",)
    two = ("stacked", "grouped") if adding else ("grouped",)
    if len(answer.columns) > MOST_SERIES:
        return ("heat", *(("line",) if reading.is_time else ()), *two)
    return ("line", *two, "heat") if reading.is_time else (*two, "heat")


def chart_of(
    answer: Answer,
    *,
    figure: str = "",
    theme: str = "light",
    kind: str = "",
    title: str = "",
    subtitle: str = "",
    names: Names | None = None,
) -> dict[str, Any]:
    """A Vega-Lite specification of the first figure asked, or of `figure`; of one of KINDS, the
    best where it can't be that. Themes: light and dark fill the width that the page gives, print
    has a width and carries its title (a sentence of its own unless given) and `subtitle`.

    `names` gives the names of own fields. Raises KeyError for an unknown figure, ValueError for a
    theme.
    """
    if theme not in THEMES:
        raise ValueError(theme)
    code = figure or answer.question.figures[0]
    possible = kinds_of(answer, figure)
    chosen = kind if kind in possible else possible[0]
    said = title or chart_title(answer, figure, names, chosen)
    days = days_text(answer.question.first, answer.question.last)
    drawn = DRAWERS[chosen](answer, code, figure != "")
    at_the_end = drawn.pop("room", 0)
    spec: dict[str, Any] = {
        "$schema": SCHEMA,
        "description": isolated(f"{said}. {days}. {KINDS[chosen]}."),
        "width": PRINT_WIDTH if theme == "print" else "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": _padding(PRINT_PADDING if theme == "print" else 4),
        "config": config_of(theme, from_right=direction() == "rtl"),
        **drawn,
    }
    spec["padding"]["left" if direction() == "rtl" else "right"] += at_the_end
    if theme == "print":
        spec["title"] = {
            "text": isolated(said),
            "subtitle": [isolated(line) for line in wrap(subtitle or days, _LINE_LETTERS)],
            "anchor": "end" if direction() == "rtl" else "start",
            "frame": "bounds",
        }
    shown: dict[str, Any] = drawable(spec)
    return shown


def _padding(around: int) -> dict[str, int]:
    return dict.fromkeys(("left", "top", "right", "bottom"), around)


def chart_title(
    answer: Answer, figure: str = "", names: Names | None = None, kind: str = ""
) -> str:
    """What a chart shows, without its days: `Leads by dealer and channel`."""
    reading = Reading(answer)
    code = figure or answer.question.figures[0]
    told = str(figures.BY_CODE[code].name)
    if "funnel" in kinds_of(answer):
        return _("From the lead to the sale")
    kind = kind or kinds_of(answer, figure)[0]
    if kind == "grouped" and not reading.second and not figure:
        told = listed(str(figures.BY_CODE[each].name) for each in alike(answer, code))
    by = [dimension_name(each, names or _plain) for each in (reading.dimension, reading.second)]
    groups = listed(each for each in by if each)
    return _("%(figure)s by %(groups)s", figure=told, groups=groups) if groups else told


def _plain(dimension: str, key: str) -> str:
    return key or dimension.partition(":")[2]
