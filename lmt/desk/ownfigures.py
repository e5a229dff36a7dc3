"""A manager's page of the dealer's own figures, beside the market's middle and the days before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lmt import dealerdesk, web
from lmt.desk.blueprint import blueprint
from lmt.desk.managing import house
from lmt.reports.answer import Answer
from lmt.reports.ask import ask
from lmt.reports.figure import Figure
from lmt.reports.figures import BY_CODE
from lmt.reports.owncomparison import LEAST_DEALERS, LEAST_LEADS, RATES, standing
from lmt.reports.ownfigures import middle_of_the_hour
from lmt.reports.question import Question, span_of
from lmt.reports.wording import figure_text

PERIOD = "last_30_days"
COUNTS = ("leads", "offers", "decline", "timeout", "contacted", "sold")
OF_COLLEAGUES = ("leads", "accepted", "contacted", "sold", "open")


@dataclass(frozen=True, slots=True)
class Shown:
    """A rate in words: now, in the period before, and in the market's middle ("" for unknown)."""

    rate: Figure
    now: str
    before: str
    middle: str
    standing: str
    change: str


@dataclass(frozen=True, slots=True)
class Count:
    """A number in words; `address` leads to the leads behind it, "" where there are none."""

    text: str
    address: str


@blueprint.get("/figures")
@web.require(dealerdesk.PERMISSION)
def figures() -> ResponseReturnValue:
    here, at = house(), web.at()
    own = Question(
        *span_of(PERIOD, at.astimezone(ZoneInfo(web.user().timezone)).date()),
        rows="",
        figures=(*RATES, *COUNTS),
        filters={"dealer": (here.code,)},
        period=PERIOD,
        compare="before",
    )
    now = _answered(own)
    before = now.before
    assert before is not None
    middle = middle_of_the_hour(web.reports_db(), here.dealer.market_id, own.first, own.last, at)
    shown = []
    for code in RATES:
        values = now.value(code), before.value(code), middle.value(code)
        told = ["" if value is None else figure_text(code, value) for value in values]
        versus = [standing(code, values[0], other) for other in (values[2], values[1])]
        shown.append(Shown(BY_CODE[code], *told, *versus))
    people = _answered(replace(own, rows="colleague", figures=OF_COLLEAGUES, compare=""))
    return render_template(
        "desk/figures.html",
        here=here,
        first=own.first,
        last=own.last,
        days=own.days,
        is_empty=not (any(now.total.counts.values()) or any(before.total.counts.values())),
        middle=middle,
        least_dealers=LEAST_DEALERS,
        least_leads=LEAST_LEADS,
        rates=shown,
        counts=[(BY_CODE[code], _count(now, code), _count(before, code).text) for code in COUNTS],
        heads=[BY_CODE[code].name for code in OF_COLLEAGUES],
        people=[
            (row.name, [_count(people, code, row.value) for code in OF_COLLEAGUES])
            for row in people.rows
        ],
    )


def _answered(question: Question) -> Answer:
    return ask(web.reports_db(), question, at=web.at(), currency=web.settings().currency)


def _count(answer: Answer, code: str, row: str | None = None) -> Count:
    """Of all, or of one row."""
    value = answer.value(code, row)
    address = ""
    if value and web.may("report.read"):
        asked: dict[str, Any] = {
            **replace(answer.question, figures=(code,), compare="").parameters(),
            **({} if row is None else {"row": row}),
        }
        address = url_for("reports.leads", **asked, figure=code)
    return Count(figure_text(code, value), address)
