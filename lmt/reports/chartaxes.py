"""Axes, colours and legends that all kinds of charts share, for both directions of reading."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from lmt.i18n import direction, format_percent
from lmt.i18n import gettext as _
from lmt.reports import figures
from lmt.reports.chartdata import Shown
from lmt.reports.chartnames import as_named, isolated
from lmt.reports.palette import DASHES

_LEGEND_COLUMNS = 3
_LEGEND_WIDTH = 200
"""That of a chart beside its groups' names, on the narrowest page."""
_SYMBOL_WIDTH = 22
_LETTER_WIDTH = 6.5
"""Of the labels, on average."""
_NAME_LETTERS = 22
_NAME_LINES = 2
_TICKS = 5
STANDS_OUT = 16
"""Pixels by which the name of the first or last group in time may stand out of the chart."""
_MOST_LEVEL = 5
"""Columns of which the names have room beside each other."""
_SIGN_BEHIND = {"labels": {"align": {"value": "right"}, "x": {"value": -2}}}
"""Of a legend's line, to the right of its text."""
_ISOLATES = re.compile("[\u2066-\u2069]")


def rtl() -> bool:
    return direction() == "rtl"


def group_axis(shown: Shown) -> dict[str, Any]:
    names = list(shown.rows)
    return {
        "field": "row",
        "type": "nominal",
        "sort": names,
        "scale": {"domain": names},
        "title": None,
        "axis": {
            "orient": "right" if rtl() else "left",
            "ticks": False,
            "domain": False,
            "labelPadding": 6,
            **_wrapped(names),
        },
    }


def _wrapped(names: list[str]) -> dict[str, Any]:
    """Those of two lines stand with their middle where others do."""
    labels = {name: lines for name in names if len(lines := _lines(name)) > 1}
    if not labels:
        return {}
    long = f"indexof({json.dumps(list(labels))}, datum.value) >= 0"
    condition = {"test": long, "value": "bottom"}
    return {**_said(labels), "labelBaseline": {"condition": condition, "value": "middle"}}


def row_height(shown: Shown, least: int) -> dict[str, int]:
    """A step of `least`, or more where names take two lines."""
    return {"step": max(least, 34) if any(len(_lines(n)) > 1 for n in shown.rows) else least}


def _lines(name: str) -> list[str]:
    """A long name on two lines, so that it leaves room for what it names on a narrow page."""
    plain = _ISOLATES.sub("", name)
    lines = wrap(plain, _NAME_LETTERS, max_lines=_NAME_LINES, placeholder="…")
    return [as_named(line) for line in lines]


def _said(labels: Mapping[str, str | list[str]]) -> dict[str, Any]:
    """Other labels of an axis than the names of its data."""
    if not labels:
        return {}
    return {
        "labelExpr": f"({json.dumps(labels)})[datum.label] || datum.label",
        "labelLineHeight": 13,
    }


def column_axis(shown: Shown) -> dict[str, Any]:
    names = list(shown.series)
    return {
        "field": "series",
        "type": "nominal",
        "sort": names,
        "scale": {"domain": names, "reverse": rtl()},
        "title": None,
        "axis": {
            "orient": "top",
            "labelAngle": -40 if len(names) > _MOST_LEVEL else 0,
            "labelLimit": 120,
            "ticks": False,
            "domain": False,
        },
    }


def room_for_columns(shown: Shown) -> int:
    """In pixels, at the right, for the leaning name of the last column."""
    if len(shown.series) <= _MOST_LEVEL or rtl():
        return 0
    lean = 0.77 * _LETTER_WIDTH * min(18, _letters(shown.series[-1]))
    return round(lean)


def time_axis(shown: Shown) -> dict[str, Any]:
    names = list(shown.rows)
    return {
        "field": "row",
        "type": "ordinal",
        "sort": names,
        "scale": {"domain": names, "reverse": rtl()},
        "title": None,
        "axis": {
            "labelAngle": 0,
            "labelOverlap": "parity",
            "labelSeparation": 8,
            "labelPadding": 8,
            "labelBound": STANDS_OUT,
            "ticks": False,
            **_said(shown.short),
        },
    }


def amount(shown: Shown, figure: str) -> dict[str, Any]:
    """Where the reader begins is nothing."""
    return {
        "field": "value",
        "type": "quantitative",
        "title": shown.title,
        "scale": {"reverse": rtl(), "zero": True, "nice": _TICKS},
        "axis": {
            **_ticks(figure),
            "labelOverlap": "greedy",
            "labelSeparation": 8,
        },
    }


def with_words(along: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """An axis of amounts that leaves room beside the longest bar for the words of any."""
    room = 8 + _LETTER_WIDTH * max((_letters(point["text"]) for point in shown.points), default=0)
    most = max((p["value"] or 0 for p in shown.points if "rest" not in p), default=0)
    end = {"expr": "width"} if rtl() else {"expr": f"max(width / 4, width - {room:.0f})"}
    begin = {"expr": f"min(width * 3 / 4, {room:.0f})"} if rtl() else 0
    scale = {**along["scale"], "domain": [0, most or 1], "range": [begin, end]}
    return {**along, "field": "length", "scale": scale}


def _letters(text: str) -> int:
    return len(_ISOLATES.sub("", text))


def height(shown: Shown, figure: str) -> dict[str, Any]:
    side = {"orient": "right" if rtl() else "left"}
    return {
        "field": "value",
        "type": "quantitative",
        "title": shown.title,
        "scale": {"zero": True},
        "axis": {**_ticks(figure), **side},
    }


def _ticks(figure: str) -> dict[str, Any]:
    unit = figures.BY_CODE[figure].unit
    if unit == figures.SHARE:
        # As many decimals as the values beside it, and the sign on the same side.
        before, behind = (
            json.dumps(part) for part in isolated(f"{percent_marks()[0]}|").split("|")
        )
        label = {"labelExpr": f"{before} + datum.label + {behind}"}
        return {"tickCount": _TICKS, "format": ".1%", **label}
    if unit == figures.COUNT:
        return {"tickCount": _TICKS, "tickMinStep": 1, "format": ",~r"}
    return {"tickCount": _TICKS}


def percent_marks() -> tuple[str, str]:
    """What stands before a share and behind it, in the reader's manner."""
    before, behind = re.split(r"\d\D\d", format_percent(0, 1))
    return before, behind


def colour(series: tuple[str, ...]) -> dict[str, Any]:
    names = list(series)
    return {
        "field": "series",
        "type": "nominal",
        "sort": names,
        "scale": {"domain": names},
        "legend": legend(names),
    }


def dashed(field: str, names: tuple[str, ...]) -> dict[str, Any]:
    order = list(names)
    scale = {"domain": order, "range": list(DASHES[: len(order)])}
    return {"strokeDash": {"field": field, "scale": scale, "legend": legend(order)}}


def legend(names: list[str]) -> dict[str, Any]:
    """Below the chart, each line read from the side where the reader begins; as many side by side
    as fit a narrow page."""
    widest = _SYMBOL_WIDTH + _LETTER_WIDTH * max((_letters(name) for name in names), default=0)
    many = min(_LEGEND_COLUMNS, max(1, int(_LEGEND_WIDTH / widest)))
    lines = [names[each : each + many] for each in range(0, len(names), many)]
    values = [name for line in lines for name in (line[::-1] if rtl() else line)]
    found = {"title": None, "orient": "bottom", "columns": many, "values": values}
    return {**found, "encoding": _SIGN_BEHIND} if rtl() else found


def tooltip(shown: Shown) -> list[dict[str, Any]]:
    found = [{"field": "row", "title": _("Group")}]
    if shown.series:
        found.append({"field": "series", "title": _("Part")})
    if shown.periods:
        found.append({"field": "period", "title": _("Days")})
    return [*found, {"field": "text", "title": _("Value")}]
