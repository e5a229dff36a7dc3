"""Charts on the server: pictures and papers with real texts, made without asking anybody."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from lmt.i18n import reading
from lmt.reports import charts, drawing, paper
from lmt.reports.palette import PRINT_FONT
from tests.reportanswers import answer
from tests.stand_ins import Reply, stand_in

DEALERS = ("Warszawa Centrum", "Łódź <Motors> & Söhne", "مركز دبي للسيارات")
CHANNELS = ("Web form", "Phone", "File")


def names(_dimension: str, key: str) -> str:
    return key


@pytest.mark.parametrize("locale", ["en", "pl", "tr", "ar"])
def test_a_chart_is_drawn_with_its_texts_in_the_shipped_font(locale: str) -> None:
    made = answer(DEALERS, CHANNELS, by=("dealer", "channel"))
    with reading(locale):
        spec = charts.chart_of(made, theme="print", title="Conversion")
        drawn = drawing.svg(spec, charts.number_format())
    assert "Łódź &lt;Motors&gt; &amp; Söhne" in drawn
    assert "مركز دبي للسيارات" in drawn
    assert PRINT_FONT in drawn
    png = drawing.png_of(drawn)
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    assert width >= 2 * charts.PRINT_WIDTH
    assert height > 200
    assert drawing.pdf_of(drawn).startswith(b"%PDF-")


def test_every_kind_can_be_drawn() -> None:
    for kind in charts.KINDS:
        for made in (
            answer(DEALERS, CHANNELS, by=("dealer", "channel"), figures=("leads",)),
            answer(("1", "2"), CHANNELS, by=("day", "channel"), compare="before"),
            answer(DEALERS, figures=("response",), compare="year"),
            answer(by=("", ""), figures=("leads", "valid", "sold")),
        ):
            if kind in charts.kinds_of(made):
                assert "<svg" in drawing.svg(charts.chart_of(made, theme="print", kind=kind))


def test_an_axis_counts_in_the_readers_manner() -> None:
    made = answer(DEALERS, figures=("leads",), size=40_000)
    with reading("de"):
        drawn = drawing.svg(charts.chart_of(made, theme="print"), charts.number_format())
    assert "10.000" in drawn
    assert "10,000" not in drawn


def test_nothing_is_fetched_whatever_a_specification_names() -> None:
    with stand_in(Reply(body=b"a,b\n1,2\n")) as server:
        spec = {
            "data": {"url": f"{server.url}/rows.csv"},
            "mark": "bar",
            "encoding": {"x": {"field": "a"}},
        }
        with pytest.raises(ValueError, match="allowed"):
            drawing.svg(spec)
        assert server.asked == []


def test_only_processes_that_draw_load_what_draws() -> None:
    code = "import sys, lmt.reports.drawing; sys.exit('vl_convert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_licence_of_the_font_stands_beside_it() -> None:
    assert "Bitstream Vera" in (Path(drawing.FONTS) / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_paper_has_the_question_the_chart_the_rows_and_what_figures_mean(locale: str) -> None:
    made = answer([*DEALERS * 20], size=5000)
    with reading(locale):
        drawn = paper.drawn(made, names, title="Conversion")
        formula = str(charts.figures.BY_CODE["conversion"].formula).split(",")[0]
    assert "Conversion" in drawn
    assert formula[:12] in drawn
    assert drawn.count("Łódź &lt;Motors&gt; &amp; Söhne") > 2
    assert "9.9" in drawn or "10.0" in drawn
    assert all(0 <= float(part.split('"')[0]) <= paper.HEIGHT for part in _placed(drawn))
    assert drawing.pdf_of(drawn).startswith(b"%PDF-")


def test_a_paper_says_how_many_rows_are_left_to_the_file() -> None:
    drawn = paper.drawn(answer([f"Dealer {n}" for n in range(100)], size=5000), names)
    assert "of 100 rows; the workbook has all." in drawn


def _placed(drawn: str) -> list[str]:
    """Where each text of the paper itself stands from its top."""
    return [part for piece in drawn.split('<text x="')[1:] for part in piece.split(' y="')[1:2]]
