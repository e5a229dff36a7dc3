"""The map of the coverage report: where leads come from, and where no dealer is near."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, log1p
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.i18n import format_km, format_number, ngettext
from lmt.i18n import gettext as _
from lmt.maps import Area, Map, Point
from lmt.reportpages.asking import address_of, asked
from lmt.reportpages.blueprint import blueprint
from lmt.reportpages.words import names_for, said_at
from lmt.reports.coverage import Coverage, Patch, coverage_of
from lmt.reports.nearness import UNCOVERED_KM
from lmt.reports.question import PERIODS
from lmt.reports.standard import NETWORK
from lmt.reports.wording import question_words

LONGEST_KM = 20_000.0


@blueprint.get("/coverage")
@web.require("report.read")
@web.require(NETWORK)
def coverage() -> ResponseReturnValue:
    question, problems = asked()
    question = replace(question, report="coverage", rows=question.rows or "region")
    within_km, wrong = _within_km()
    found = coverage_of(web.reports_db(), question, within_km=within_km, at=web.at())
    address: dict[str, Any] = {**address_of(question)}
    return render_template(
        "reports/coverage.html",
        question=question,
        problems={**said_at(problems), **({"km": wrong} if wrong else {})},
        periods=[(code, str(words)) for code, words in PERIODS.items()],
        within_km=f"{within_km:g}",
        typed_km=request.args.get("km", "") if wrong else f"{within_km:g}",
        sentence=question_words(
            replace(question, figures=("leads",), rows="", columns="", compare=""),
            names_for(question),
        ),
        found=found,
        drawing=_drawing(found),
        far_words=far_words,
        hidden=[
            (name, value)
            for name, values in address.items()
            if name not in {"period", "from", "to"}
            for value in ([values] if isinstance(values, str) else values)
        ],
        table_address=url_for("reports.report", **address),
    )


def _within_km() -> tuple[float, str]:
    """How far is near, and what is wrong with what was asked for."""
    text = request.args.get("km", "").strip().replace(",", ".")
    try:
        km = float(text) if text else UNCOVERED_KM
    except ValueError:
        km = -1.0
    if not 0 < km <= LONGEST_KM:
        return UNCOVERED_KM, _("Enter a distance above zero, such as 50.")
    return km, ""


def far_words(patch: Patch) -> str:
    """What of a square is not covered; "" where all of it is."""
    if not patch.uncovered or patch.farthest_km is None:
        return ""
    if not isfinite(patch.farthest_km):
        return ngettext(
            "%(num)s lead, and no dealer in its market",
            "%(num)s leads, and no dealer in their market",
            patch.uncovered,
        )
    return ngettext(
        "%(num)s lead; the nearest dealer is up to %(km)s away",
        "%(num)s leads; the nearest dealer is up to %(km)s away",
        patch.uncovered,
        km=format_km(patch.farthest_km),
    )


def _drawing(found: Coverage) -> Map:
    dealers = tuple(
        Point(dealer.lat, dealer.lon, "dealer", dealer.name) for dealer in found.dealers or ()
    )
    most = max((patch.leads for patch in found.patches), default=1)
    return Map(dealers, (), tuple(_area(patch, most) for patch in found.patches))


def _area(patch: Patch, most: int) -> Area:
    # By the logarithm: one city has as many as a whole region.
    depth = 1 + int(4 * log1p(patch.leads) / log1p(most))
    return Area(
        patch.south,
        patch.west,
        patch.south + patch.degrees,
        patch.west + patch.degrees,
        # Large squares have some far corner each; the table tells of those.
        "uncovered" if patch.uncovered * 2 >= patch.leads else "leads",
        format_number(patch.leads),
        ngettext("%(num)s lead", "%(num)s leads", patch.leads),
        far_words(patch),
        min(5, depth),
        f"#square-{patch.code}",
    )
