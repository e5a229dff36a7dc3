"""A report as pictures: Vega-Lite specifications in the reader's language and direction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from babel.numbers import get_decimal_symbol, get_group_symbol

from lmt.i18n import direction, format_number, reader
from lmt.i18n import gettext as _
from lmt.reports.oldfigures import Row, response_time

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
MOST_GROUPS = 12
SERIES = ("leads", "contacted", "won")
#: After Okabe and Ito: apart for every kind of colour vision, and in lightness too, so that they
#: part in grey. Each has a contrast of 3 or more against its page.
COLOURS = {
    "light": {"leads": "#8793a2", "contacted": "#b35900", "won": "#00335c"},
    "dark": {"leads": "#6f7b8a", "contacted": "#e69f00", "won": "#c9e8fc"},
}
THEMES = {
    theme: {"range": {"category": [colours[code] for code in SERIES]}}
    for theme, colours in COLOURS.items()
}
"""A Vega config for light and for dark pages."""


def number_format() -> dict[str, Any]:
    """How the reader's language writes numbers, as a d3 format locale, for the axes."""
    locale = reader().locale
    return {
        "decimal": get_decimal_symbol(locale),
        "thousands": get_group_symbol(locale),
        "grouping": [3],
        "currency": ["", ""],
    }


def counts_chart(rows: Sequence[Row]) -> dict[str, Any]:
    """Leads, contacted and sold of the MOST_GROUPS first rows.

    The bars of a group stand in the order of the legend, so that colour alone says nothing.
    """
    names = {"leads": _("Leads"), "contacted": _("Contacted"), "won": _("Sold")}
    groups = _groups(rows)
    order = list(names.values())
    values = [
        {
            "group": group,
            "series": names[code],
            "value": row.value(code),
            "text": format_number(row.value(code) or 0),
        }
        for group, row in groups
        for code in SERIES
    ]
    color = {
        "field": "series",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order},
        "legend": {"title": None, "orient": "bottom"},
    }
    return _chart(_("Leads, contacted and sold")) | {
        "height": {"step": 12},
        "data": {"values": values},
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {
            "y": _group_axis(groups),
            "yOffset": {"field": "series", "sort": order},
            "x": _amount("value", _("Leads")) | {"axis": {"tickMinStep": 1, "tickCount": 5}},
            "color": color,
            "tooltip": [
                {"field": "group", "title": _("Group")},
                {"field": "series", "title": _("Figure")},
                {"field": "text", "title": _("Count")},
            ],
        },
    }


def response_chart(rows: Sequence[Row]) -> dict[str, Any]:
    """The median response time of the same groups, in hours, written out beside each mark."""
    groups = _groups(rows)
    values = [
        {
            "group": group,
            "hours": round(row.median_response_minutes / 60, 3),
            "text": response_time(row.median_response_minutes),
        }
        for group, row in groups
        if row.median_response_minutes is not None
    ]
    # Room for the words beside the farthest mark.
    most = max((row.median_response_minutes or 0 for _group, row in groups), default=0) / 60 * 1.4
    reverse = direction() == "rtl"
    words = {
        "type": "text",
        "align": "right" if reverse else "left",
        "dx": -9 if reverse else 9,
        "fontSize": 12,
    }
    return _chart(_("Median response time")) | {
        "height": {"step": 36},
        "data": {"values": values},
        "encoding": {
            "y": _group_axis(groups),
            "x": _amount("hours", _("Hours"), most=most) | {"axis": {"tickCount": 5}},
        },
        "layer": [
            {
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 90,
                    "shape": "diamond",
                },
                "encoding": {
                    "tooltip": [
                        {"field": "group", "title": _("Group")},
                        {"field": "text", "title": _("Median response time")},
                    ]
                },
            },
            {"mark": words, "encoding": {"text": {"field": "text"}}},
        ],
    }


def _chart(description: str) -> dict[str, Any]:
    return {
        "$schema": SCHEMA,
        "description": description,
        "background": None,
        "width": "container",
    }


def _groups(rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """The rows drawn, each under a name that no other has."""
    shown = rows[:MOST_GROUPS]
    often = Counter(row.name for row in shown)
    return [(row.name if often[row.name] == 1 else f"{row.name} ({row.key})", row) for row in shown]


def _group_axis(groups: Sequence[tuple[str, Row]]) -> dict[str, Any]:
    names = [group for group, _row in groups]
    return {
        "field": "group",
        "type": "nominal",
        "sort": names,
        "scale": {"domain": names},
        "title": None,
        "axis": {
            "orient": "right" if direction() == "rtl" else "left",
            "ticks": False,
            "domain": False,
        },
    }


def _amount(field: str, title: str, most: float | None = None) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"reverse": direction() == "rtl", "zero": True}
        | ({} if most is None else {"domain": [0, most or 1]}),
    }
