"""Charts: the right kind for the question, readable by everybody, in both directions."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest

from lmt.i18n import reading, set_reader
from lmt.reports import charts, palette
from lmt.reports.wording import empty_past, figure_text, question_words
from tests.reportanswers import answer

DEALERS = ("Warszawa Centrum", "Łódź Motors", "Kraków")
CHANNELS = ("Web form", "Phone", "File")
STAGES = ("leads", "valid", "offered", "accepted", "contacted", "appointment", "visited", "sold")


def values(spec: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = spec["data"]["values"]
    return found


def test_each_question_gets_a_chart_of_its_kind() -> None:
    days = [f"{day} July" for day in range(1, 15)]
    many = [f"Channel {number}" for number in range(9)]
    of_leads = ("leads",)
    table = (
        (answer(by=("", ""), figures=STAGES), "funnel"),
        (answer(DEALERS), "grouped"),
        (answer(DEALERS, figures=("conversion", "leads")), "bars"),
        (answer(DEALERS, CHANNELS, by=("dealer", "channel")), "stacked"),
        (answer(DEALERS, CHANNELS, by=("dealer", "channel"), figures=("response",)), "grouped"),
        (answer(DEALERS, many, by=("dealer", "channel")), "heat"),
        (answer(days, by=("day", ""), figures=of_leads), "line"),
        (answer(days, CHANNELS, by=("day", "channel")), "line"),
        (answer(("Mon", "Tue"), by=("weekday", ""), figures=of_leads), "columns"),
    )
    for made, kind in table:
        assert charts.kinds_of(made)[0] == kind
        assert str(charts.KINDS[kind]) in charts.chart_of(made)["description"]


def test_another_kind_is_drawn_where_it_can_show_the_answer() -> None:
    made = answer(DEALERS, CHANNELS, by=("dealer", "channel"))
    heat = charts.chart_of(made, kind="heat")
    assert "step" in values(heat)[0]
    assert charts.chart_of(made, kind="funnel") == charts.chart_of(made)


def test_the_values_are_those_of_the_answer_in_the_readers_words() -> None:
    made = answer(DEALERS, figures=("conversion",))
    with reading("pl"):
        [first, *_rest] = values(charts.chart_of(made))
        assert first["row"] == "Warszawa Centrum"
        assert first["value"] == made.value("conversion", "r0")
        assert first["text"] == figure_text("conversion", first["value"]) == "10,0%"
        assert charts.number_format()["decimal"] == ","


def test_what_is_too_much_to_draw_is_put_together_and_told() -> None:
    made = answer([f"Dealer {n}" for n in range(50)], figures=("leads",), size=5000)
    points = values(charts.chart_of(made))
    assert len(points) == 20
    assert points[-1]["row"] == "31 others"
    assert sum(point["value"] for point in points) == made.value("leads")


def test_two_groups_of_one_name_stay_two() -> None:
    rows = [
        point["row"]
        for point in values(charts.chart_of(answer(("Auto", "Auto"), figures=("leads",))))
    ]
    assert rows == ["Auto (r0)", "Auto (r1)"]


def test_years_of_days_by_channel_stay_drawable() -> None:
    made = answer([str(day) for day in range(1500)], CHANNELS, by=("day", "channel"), size=9000)
    assert len(values(charts.chart_of(made))) <= 4000


def test_lines_of_before_lie_under_those_of_now() -> None:
    days = ("1", "2", "3")
    made = answer(days, by=("day", ""), figures=("leads",), compare="before")
    spec = charts.chart_of(made)
    periods = {point["period"] for point in values(spec)}
    assert periods == {"Jul 1\u2009–\u2009Sep 30, 2026", "Apr 1\u2009–\u2009Jun 30, 2026"}
    assert {point["row"] for point in values(spec)} == set(days)
    dashes = spec["layer"][0]["encoding"]["strokeDash"]["scale"]["range"]
    assert dashes[0] == [1, 0] != dashes[1]


def test_from_right_to_left_amounts_grow_to_the_left() -> None:
    made = answer(DEALERS, figures=("leads",))
    with reading("ar"):
        spec = charts.chart_of(made, theme="print")
    assert spec["encoding"]["x"]["scale"]["reverse"] is True
    assert spec["encoding"]["y"]["axis"]["orient"] == "right"
    assert spec["title"]["anchor"] == "end"
    # Each text keeps its own order: figures beside Arabic would change places.
    assert all(p["text"].startswith("\u2067") for p in values(spec))


def test_amounts_of_several_currencies_are_not_drawn() -> None:
    points = values(charts.chart_of(answer(DEALERS, figures=("value",), currency="")))
    assert {(p["value"], p["text"]) for p in points} == {(None, "–")}


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_a_chart_fetches_nothing_and_is_the_same_again(theme: str) -> None:
    made = answer(DEALERS, CHANNELS, by=("dealer", "channel"))
    text = json.dumps(charts.chart_of(made, theme=theme))
    assert text == json.dumps(charts.chart_of(made, theme=theme))
    assert "url" not in text
    assert text.count("http") == 1  # the name of the schema


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("paper", ["light", "dark"])
def test_marks_and_texts_stand_out_and_series_part_in_grey(paper: str) -> None:
    series = palette.SERIES_COLOURS[paper]
    for page in palette.PAPERS[paper]:
        assert all(contrast(colour, page) >= 3 for colour in series)
        assert all(contrast(ink, page) >= 4.5 for ink in palette.INKS[paper][:2])
    assert all(contrast(one, other) >= 1.25 for one, other in combinations(series, 2))
    steps, (on_little, on_much) = palette.STEP_COLOURS[paper], palette.STEP_INKS[paper]
    half = len(steps) // 2
    assert all(contrast(step, on_little) >= 4.5 for step in steps[:half])
    assert all(contrast(step, on_much) >= 4.5 for step in steps[half:])
    assert all(contrast(one, other) >= 1.25 for one, other in pairwise(steps))


def test_figures_are_said_as_their_reader_does() -> None:
    said = {
        ("en", "leads", 12345.0): "12,345",
        ("de", "conversion", 0.1234): "12,3\xa0%",
        ("en", "response", 45.0): "45 minutes",
        ("pl", "response", 130.0): "2,2 godziny",
        ("tr", "response", 5000.0): "3,5 gün",
        ("de", "handling", 3.26): "3,3 Tage",
        ("en", "value", 1234567.5): "€1,234,568",
        ("fr", "cost_per_lead", 12.5): "12,50\xa0€",
        ("en", "distance", 12.3): "12 km",
        ("en", "score", 4.26): "4.3",
    }
    for (locale, figure, value), text in said.items():
        with reading(locale):
            assert figure_text(figure, value, "EUR") == text
    assert figure_text("leads", None) == figure_text("value", 3.0, "") == "–"
    try:
        set_reader("ar", "UTC", "ar_EG")
        assert figure_text("leads", 12345) == "١٢٬٣٤٥"
        assert figure_text("response", 45) == "٤٥ دقيقة"
        assert figure_text("response", 130).startswith("٢٫٢ ")
    finally:
        set_reader("en", "UTC")


def test_a_question_is_a_sentence() -> None:
    made = answer(DEALERS, by=("dealer", "channel"), figures=("leads", "sold"), compare="before")
    said = question_words(made.question, lambda _dimension, key: key)
    assert said.startswith("Leads and Sold by Dealer and Channel, Jul 1")
    assert said.endswith("Compared with Apr 1\u2009–\u2009Jun 30, 2026.")


def test_a_year_before_without_a_lead_is_not_drawn_as_zeros() -> None:
    days = ("1", "2", "3")
    made = answer(days, by=("day", ""), figures=("leads",), compare="year")
    assert made.before is not None
    unknown = answer(days, by=("day", ""), figures=("leads",), size=0)
    made = replace(made, before=replace(unknown, question=made.before.question))
    spec = charts.chart_of(made)
    assert len(values(spec)) == len(days)
    assert "strokeDash" not in json.dumps(spec)
    assert empty_past(made).startswith("No leads in Jul 1")
    bars = answer(DEALERS, figures=("leads",), compare="before")
    assert bars.before is not None
    empty = answer(DEALERS, figures=("leads",), size=0)
    bars = replace(bars, before=replace(empty, question=bars.before.question))
    assert len(values(charts.chart_of(bars))) == len(DEALERS)


def test_a_sum_of_small_groups_is_told_but_draws_no_bar_that_dwarfs_the_others() -> None:
    spec = charts.chart_of(answer([f"Dealer {n}" for n in range(50)], figures=("leads",), size=500))
    *single, rest = values(spec)
    assert rest["text"]
    assert rest["rest"]
    assert spec["encoding"]["x"]["scale"]["domain"][1] == max(each["value"] for each in single)
    # A share of them all can be held against theirs.
    shares = answer([f"Dealer {n}" for n in range(50)], figures=("conversion",), size=5000)
    assert "rest" not in values(charts.chart_of(shares))[-1]


def test_names_take_two_lines_rather_than_the_room_of_the_bars() -> None:
    long = "Autodom Kalinowe Dąbrowa Górnicza (PL-KAT01)"
    spec = charts.chart_of(answer((long, "Kraków"), figures=("leads",)))
    assert [point["row"] for point in values(spec)] == [long, "Kraków"]
    said = spec["encoding"]["y"]["axis"]["labelExpr"]
    lines = json.loads(said[said.index("{") : said.index("}") + 1])[long]
    assert len(lines) == 2
    assert all(len(line) <= 22 for line in lines)
    assert "labelExpr" not in charts.chart_of(answer(("Kraków",)))["encoding"]["y"]["axis"]


def test_the_axis_writes_shares_as_the_bars_do() -> None:
    made = answer(DEALERS, figures=("conversion",))
    for locale, numbers, suffix in (("en", "", "%"), ("de", "", "\xa0%"), ("tr", "", "")):
        try:
            set_reader(locale, "UTC", numbers)
            axis = charts.chart_of(made)["encoding"]["x"]["axis"]
            assert axis["format"] == ".1%"
            assert charts.number_format()["percent"] == suffix
            assert ('"%"' in axis["labelExpr"]) == (locale == "tr")
        finally:
            set_reader("en", "UTC")


def test_many_groups_show_one_figure_unless_asked() -> None:
    made = answer([f"Dealer {n}" for n in range(30)], figures=("leads", "contacted", "sold"))
    assert charts.kinds_of(made) == ("bars", "grouped")
    assert charts.chart_title(made) == "Leads by Dealer"
    assert charts.chart_title(made, kind="grouped") == "Leads, Contacted, and Sold by Dealer"


def test_weeks_are_named_by_their_first_day_without_a_year_that_all_share() -> None:
    made = answer(("Aug 31 – Sep 6, 2026", "Sep 7 – 13, 2026"), by=("week", ""), figures=("leads",))
    days = ("2026-08-31", "2026-09-07")
    keys = tuple(replace(key, value=day) for key, day in zip(made.rows, days, strict=True))
    cells = {(day, ""): tally for day, tally in zip(days, made.cells.values(), strict=True)}
    axis = charts.chart_of(replace(made, rows=keys, cells=cells))["encoding"]["x"]["axis"]
    assert "Aug 31" in axis["labelExpr"]
    assert '"Sep 7"' in axis["labelExpr"]
