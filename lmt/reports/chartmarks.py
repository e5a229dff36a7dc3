"""Each kind of chart as marks and axes of Vega-Lite, in the reader's language and direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lmt.i18n import gettext as _
from lmt.reports import figures
from lmt.reports.answer import Answer
from lmt.reports.chartaxes import (
    STANDS_OUT,
    amount,
    colour,
    column_axis,
    dashed,
    group_axis,
    height,
    legend,
    room_for_columns,
    row_height,
    rtl,
    time_axis,
    tooltip,
    with_words,
)
from lmt.reports.chartdata import (
    MOST_GROUPS,
    MOST_HEAT_COLUMNS,
    Reading,
    Shown,
    alike,
    by_column,
    by_figure,
    stages,
    stages_asked,
    through_time,
)
from lmt.reports.chartnames import isolated
from lmt.reports.palette import SHAPES, STEP_COLOURS
from lmt.reports.wording import figure_text

LINE_HEIGHT = 300
_MOST_POINTS_MARKED = 62
_MOST_BARS_TOLD = 60
_LENGTH = {"calculate": "datum.rest ? 0 : datum.value || 0", "as": "length"}
"""Of a bar; what is not drawn is still told where the bar would begin."""


def _bars(answer: Answer, figure: str, _named: bool) -> dict[str, Any]:
    shown = by_figure(answer, [figure])
    if shown.series:
        return _side_by_side(shown, figure)
    return _lying(shown, figure)


def _funnel(answer: Answer, figure: str, _named: bool) -> dict[str, Any]:
    return _lying(stages(answer, stages_asked(answer)), figure)


def _lying(shown: Shown, figure: str) -> dict[str, Any]:
    """One bar a group, its value written at its end."""
    words = {
        "type": "text", "style": "value", "baseline": "middle",
        "align": "right" if rtl() else "left", "dx": -5 if rtl() else 5,
    }  # fmt: skip
    along = with_words(amount(shown, figure), shown)
    return {
        "height": row_height(shown, 30),
        "data": {"values": list(shown.points)},
        "transform": [_LENGTH],
        "encoding": {"y": group_axis(shown), "x": along, "tooltip": tooltip(shown)},
        "layer": [
            {"mark": {"type": "bar", "cornerRadiusEnd": 2, "height": {"band": 0.72}}},
            {"mark": words, "encoding": {"text": {"field": "text"}}},
        ],
    }


def _grouped(answer: Answer, figure: str, named: bool) -> dict[str, Any]:
    if Reading(answer).second:
        return _side_by_side(by_column(answer, figure), figure)
    return _side_by_side(by_figure(answer, [figure] if named else alike(answer, figure)), figure)


def _side_by_side(shown: Shown, figure: str) -> dict[str, Any]:
    """Bars of a group in the order of the legend, so that colour alone says nothing."""
    order = list(shown.series)
    encoding: dict[str, Any] = {
        "y": group_axis(shown),
        "yOffset": {"field": "series", "sort": order, "scale": {"domain": order}},
        "x": {**amount(shown, figure), "field": "length"},
        "tooltip": tooltip(shown),
    }
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "bar", "cornerRadiusEnd": 2},
            "encoding": {"color": colour(shown.series)},
        }
    ]
    if len(shown.points) <= _MOST_BARS_TOLD:
        encoding["x"] = with_words(encoding["x"], shown)
        words = {
            "type": "text", "style": "value", "baseline": "middle",
            "align": "right" if rtl() else "left", "dx": -4 if rtl() else 4,
        }  # fmt: skip
        layers.append({"mark": words, "encoding": {"text": {"field": "text"}}})
    return {
        "height": {"step": 14},
        "data": {"values": list(shown.points)},
        "transform": [_LENGTH],
        "encoding": encoding,
        "layer": layers,
    }


def _stacked(answer: Answer, figure: str, _named: bool) -> dict[str, Any]:
    shown = by_column(answer, figure)
    places = {name: place for place, name in enumerate(shown.series)}
    values = [{**point, "place": places[point["series"]]} for point in shown.points]
    return {
        "height": row_height(shown, 28),
        "data": {"values": values},
        # A thin line of paper between the parts tells them apart where colours don't.
        "mark": {"type": "bar", "height": {"band": 0.72}, "style": "part"},
        "encoding": {
            "y": group_axis(shown),
            "x": {**amount(shown, figure), "stack": "zero"},
            "color": colour(shown.series),
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": tooltip(shown),
        },
    }


def _columns(answer: Answer, figure: str, _named: bool) -> dict[str, Any]:
    """Bars that stand, for groups with an order: hours, weekdays, months."""
    reading = Reading(answer)
    shown = by_figure(answer, [figure], most=max(MOST_GROUPS, len(reading.groups)))
    encoding: dict[str, Any] = {
        "x": time_axis(shown),
        "y": height(shown, figure),
        "tooltip": tooltip(shown),
    }
    if shown.series:
        order = list(shown.series)
        encoding["xOffset"] = {
            "field": "series",
            "sort": order,
            "scale": {"domain": order, "reverse": rtl()},
        }
        encoding["color"] = colour(shown.series)
    return {
        "height": LINE_HEIGHT,
        "room": STANDS_OUT,
        "data": {"values": list(shown.points)},
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": encoding,
    }


def _line(answer: Answer, figure: str, _named: bool) -> dict[str, Any]:
    shown = through_time(answer, figure)
    encoding: dict[str, Any] = {
        "x": time_axis(shown),
        "y": height(shown, figure),
        "tooltip": tooltip(shown),
    }
    marked = len(shown.rows) <= _MOST_POINTS_MARKED
    dashes: dict[str, Any] = {}
    if shown.series:
        encoding["color"] = colour(shown.series)
    if shown.periods:
        dashes = dashed("period", shown.periods)
        encoding["detail"] = [{"field": "period"}, {"field": "series"}]
    elif shown.series and not marked:
        dashes = dashed("series", shown.series)
    layers: list[dict[str, Any]] = [{"mark": {"type": "line"}, "encoding": dashes}]
    if marked:
        point: dict[str, Any] = {}
        if shown.series:
            names = list(shown.series)
            shapes = {"domain": names, "range": list(SHAPES[: len(names)])}
            point = {"shape": {"field": "series", "scale": shapes, "legend": legend(names)}}
        layers.append({"mark": {"type": "point", "filled": True}, "encoding": point})
    return {
        "height": LINE_HEIGHT,
        "room": STANDS_OUT,
        "data": {"values": list(shown.points)},
        "encoding": encoding,
        "layer": layers,
    }


def _heat(answer: Answer, figure: str, _named: bool) -> dict[str, Any]:
    """Cells in steps from little to much; each with its value, where there is room."""
    reading = Reading(answer)
    rows = MOST_GROUPS if not reading.is_ordered else max(MOST_GROUPS, min(62, len(answer.rows)))
    shown = by_column(answer, figure, most_rows=rows, most_columns=MOST_HEAT_COLUMNS)
    many = len(STEP_COLOURS["light"])
    most = max((p["value"] or 0 for p in shown.points if "rest" not in p), default=0)
    values, ends = [], []
    for step in range(many):
        low, high = most * step / many, most * (step + 1) / many
        ends.append(isolated(_step_text(figure, low, high, answer.currency, shown)))
    for point in shown.points:
        if point["value"] is None:
            continue
        if "rest" in point:
            values.append(point)
            continue
        step = min(many - 1, int(point["value"] / most * many)) if most else 0
        values.append({**point, "step": step, "of": ends[step]})
    encoding = {
        "y": group_axis(shown),
        "x": column_axis(shown),
        "tooltip": tooltip(shown),
    }
    layers: list[dict[str, Any]] = [
        {
            "transform": [{"filter": "isValid(datum.step)"}],
            "mark": {"type": "rect"},
            "encoding": {
                "color": {
                    "field": "of",
                    "type": "ordinal",
                    "sort": ends,
                    "scale": {"domain": list(dict.fromkeys(ends))},
                    "legend": {**legend(ends), "symbolType": "square"},
                }
            },
        }
    ]
    if len(shown.series) <= 12:
        for style, test in (
            ("value", "datum.rest"),
            ("on-little", f"datum.step < {many // 2}"),
            ("on-much", f"datum.step >= {many // 2}"),
        ):
            layers.append(
                {
                    "transform": [{"filter": test}],
                    "mark": {"type": "text", "style": style, "baseline": "middle"},
                    "encoding": {"text": {"field": "text"}},
                }
            )
    return {
        "height": row_height(shown, 24),
        "room": room_for_columns(shown),
        "data": {"values": values},
        "encoding": encoding,
        "layer": layers,
    }


def _step_text(figure: str, low: float, high: float, currency: str, shown: Shown) -> str:
    if figures.BY_CODE[figure].unit == figures.MINUTES:
        scale = {_("Hours"): 60, _("Days"): 1440}
        times = next((by for unit, by in scale.items() if shown.title == isolated(unit)), 1)
        low, high = low * times, high * times
    return _(
        "%(low)s to %(high)s",
        low=figure_text(figure, low, currency),
        high=figure_text(figure, high, currency),
    )


DRAWERS: Mapping[str, Callable[[Answer, str, bool], dict[str, Any]]] = {
    "bars": _bars,
    "columns": _columns,
    "line": _line,
    "stacked": _stacked,
    "grouped": _grouped,
    "heat": _heat,
    "funnel": _funnel,
}
