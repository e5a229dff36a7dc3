"""Charts drawn on the server, by the same Vega as in the pages: SVG, PNG and PDF.

Nothing is fetched, whatever a specification names; the font is shipped, so that every machine draws
the same. The first drawing takes a third of a second and some 80 MB, those after it 30 ms.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

from lmt.reports.drawable import drawable

FONTS = Path(__file__).parent / "fonts"
_VERSION = "6.4"
"""Of Vega-Lite, the same as in the pages."""
_one_at_a_time = Lock()


def svg(spec: dict[str, Any], numbers: dict[str, Any] | None = None) -> str:
    """A Vega-Lite specification as SVG; `numbers` is a d3 format locale. ValueError for a
    specification that Vega can't draw."""
    with _one_at_a_time:
        drawn: str = _converter().vegalite_to_svg(
            drawable(spec, printed=True),
            vl_version=_VERSION,
            allowed_base_urls=[],
            format_locale=numbers,
        )
    return drawn


def png(spec: dict[str, Any], scale: float = 2, numbers: dict[str, Any] | None = None) -> bytes:
    """As PNG, `scale` pixels to each unit of the specification."""
    return png_of(svg(spec, numbers), scale)


def pdf(spec: dict[str, Any], numbers: dict[str, Any] | None = None) -> bytes:
    """As a PDF of one page, as large as the chart; its texts are texts."""
    return pdf_of(svg(spec, numbers))


def png_of(drawn: str, scale: float = 2) -> bytes:
    """An SVG as PNG."""
    with _one_at_a_time:
        made: bytes = _converter().svg_to_png(drawn, scale=scale)
    return made


def pdf_of(drawn: str) -> bytes:
    """An SVG as PDF, one unit a point."""
    with _one_at_a_time:
        made: bytes = _converter().svg_to_pdf(drawn)
    return made


@cache
def _converter() -> ModuleType:
    """Loaded where it is first needed: most processes never draw."""
    import vl_convert

    vl_convert.register_font_directory(str(FONTS))
    return vl_convert
