"""The colours of every chart, in one place: apart for every kind of colour vision, and in grey.

Hues are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), each brought to a lightness of
its own. Marks have a contrast of 3 or more against the page, texts one of 4.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SERIES_COLOURS = {
    "light": ("#003151", "#b97f00", "#006a4c", "#a15e83", "#783200", "#101316"),
    "dark": ("#b6d7f2", "#b75000", "#5eac8c", "#b96d97", "#e9ac5a", "#ffffff"),
}
STEP_COLOURS = {
    "light": ("#dcebf5", "#aebdc9", "#8696a5", "#627487", "#3d566f", "#003a5c"),
    "dark": ("#22343e", "#43535c", "#62727b", "#83959f", "#a9beca", "#d6eefc"),
}
"""Of a heat map, from little to much."""
STEP_INKS = {"light": ("#000000", "#ffffff"), "dark": ("#ffffff", "#000000")}
"""On the first half of the steps, and on the second."""
PAPERS = {"light": ("#ffffff", "#f5f7f8"), "dark": ("#17222a", "#10181d")}
"""What charts stand on in the pages."""
INKS = {"light": ("#16232b", "#54606e", "#dfe5e8"), "dark": ("#e8eef1", "#a7b4bf", "#2a3840")}
"""Texts, texts of less weight, lines that only guide the eye."""
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 3], [4, 2, 1, 2])
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
MOST_SERIES = len(SHAPES)
PRINT_FONT = "DejaVu Sans"
PAGE_FONT = (
    '"Inter Var", Inter, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", Arial, sans-serif'
)
"""That of the pages' texts, so that labels are as wide as they were measured."""

THEMES = ("light", "dark", "print")


def config_of(theme: str, *, from_right: bool = False) -> dict[str, Any]:
    """How Vega draws on a page of this theme; "print" is for paper and mails. `from_right`: for who
    reads from there."""
    paper = "dark" if theme == "dark" else "light"
    ink, soft, line = INKS[paper]
    low, high = STEP_INKS[paper]
    series = list(SERIES_COLOURS[paper])
    side = "end" if from_right else "start"
    text: Mapping[str, Any] = {"labelColor": ink, "titleColor": soft}
    config: dict[str, Any] = {
        "background": "#ffffff" if theme == "print" else None,
        "view": {"stroke": None},
        "axis": {
            **text, "gridColor": line, "domainColor": line, "tickColor": line,
            "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
            "labelLimit": 220,
        },
        "legend": {
            **text, "labelFontSize": 12, "labelLimit": 260, "titleFontWeight": "normal",
            "layout": {"bottom": {"anchor": side, "direction": "vertical"}},
        },
        "title": {
            "color": ink, "subtitleColor": soft, "fontSize": 16, "fontWeight": "normal",
            "subtitleFontSize": 12, "subtitlePadding": 6, "offset": 14,
        },
        "bar": {"color": series[0]},
        "line": {"color": series[0], "strokeWidth": 2.5},
        "point": {"color": series[0], "size": 45, "opacity": 1},
        "style": {
            "part": {"stroke": PAPERS[paper][0], "strokeWidth": 0.8},
            "value": {"color": ink, "fontSize": 11},
            "on-little": {"color": low, "fontSize": 11},
            "on-much": {"color": high, "fontSize": 11},
        },
        "range": {"category": series, "ordinal": list(STEP_COLOURS[paper]), "symbol": list(SHAPES)},
    }  # fmt: skip
    return {**config, "font": PRINT_FONT if theme == "print" else PAGE_FONT}
