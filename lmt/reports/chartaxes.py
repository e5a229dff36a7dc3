"""Axes, colours and legends that all kinds of charts share, for both directions of reading."""

from __future__ import annotations

from typing import Any

from lmt.i18n import direction
from lmt.i18n import gettext as _
from lmt.reports import figures
from lmt.reports.chartdata import Shown
from lmt.reports.palette import DASHES

_LEGEND_COLUMNS = 3


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
        "axis": {"orient": "right" if rtl() else "left", "ticks": False, "domain": False},
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
            "labelAngle": -40 if len(names) > 5 else 0,
            "labelLimit": 120,
            "ticks": False,
            "domain": False,
        },
    }


def time_axis(shown: Shown) -> dict[str, Any]:
    names = list(shown.rows)
    return {
        "field": "row",
        "type": "ordinal",
        "sort": names,
        "scale": {"domain": names, "reverse": rtl()},
        "title": None,
        "axis": {"labelAngle": 0, "labelOverlap": "greedy", "labelSeparation": 8, "ticks": False},
    }


def amount(shown: Shown, figure: str) -> dict[str, Any]:
    return {
        "field": "value",
        "type": "quantitative",
        "title": shown.title,
        "scale": {"reverse": rtl(), "zero": True},
        "axis": _ticks(figure),
    }


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
        return {"tickCount": 5, "format": "~%"}
    if unit == figures.COUNT:
        return {"tickCount": 5, "tickMinStep": 1, "format": ",~r"}
    return {"tickCount": 5}


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
    """Below the chart, each line read from the side where the reader begins."""
    lines = [names[each : each + _LEGEND_COLUMNS] for each in range(0, len(names), _LEGEND_COLUMNS)]
    values = [name for line in lines for name in (line[::-1] if rtl() else line)]
    return {"title": None, "orient": "bottom", "columns": _LEGEND_COLUMNS, "values": values}


def tooltip(shown: Shown) -> list[dict[str, Any]]:
    found = [{"field": "row", "title": _("Group")}]
    if shown.series:
        found.append({"field": "series", "title": _("Part")})
    if shown.periods:
        found.append({"field": "period", "title": _("Days")})
    return [*found, {"field": "text", "title": _("Value")}]
