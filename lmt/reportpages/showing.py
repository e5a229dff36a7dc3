"""The page of one report: its question as a form, its answer as a table or a chart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.i18n import direction
from lmt.i18n import gettext as _
from lmt.models import SavedReport
from lmt.reportpages.asking import (
    SAVED,
    address_of,
    answered,
    asked,
    only_market,
    saved_report,
    standard_of,
)
from lmt.reportpages.blueprint import blueprint
from lmt.reportpages.choices import chips, figure_groups, filters, groupings, unfiltered
from lmt.reportpages.tables import table_of
from lmt.reportpages.words import FEW_LEADS, names_for, said_at
from lmt.reports.answer import Answer
from lmt.reports.charts import KINDS, chart_of, chart_title, kinds_of, number_format
from lmt.reports.figures import BY_CODE
from lmt.reports.palette import config_of
from lmt.reports.question import COMPARISONS, PERIODS, Question
from lmt.reports.standard import BY_CODE as STANDARDS
from lmt.reports.standard import Standard
from lmt.reports.wording import Names, dimension_name, empty_past, question_words

FILES = ("xlsx", "csv", "pdf", "png")


@dataclass(frozen=True, slots=True)
class Tab:
    """A way to look at the same report."""

    name: str
    icon: str
    address: str
    here: bool


@blueprint.get("/show")
@web.require("report.read")
def report() -> ResponseReturnValue:
    question, problems = asked()
    standard = standard_of(question.report)
    if standard is None and question.report in STANDARDS:
        abort(403)
    saved = saved_report()
    answer = answered(question)
    names = names_for(question, answer)
    offered = filters(question, names)
    table = table_of(answer, dimension_name(question.rows, names))
    return render_template(
        "reports/show.html",
        title=title_of(question, standard, saved),
        standard=standard,
        saved=saved,
        question=question,
        sentence=question_words(question, names),
        problems=said_at(problems),
        answer=answer,
        is_empty=is_empty(answer),
        table=table,
        drawing=drawing_of(answer, names) if question.view == "chart" else {},
        kind=asked_kind(answer),
        chart_name=chart_title(answer, names=names, kind=asked_kind(answer)),
        kinds=kind_tabs(answer) if question.view == "chart" else [],
        tabs=tabs(question),
        shown=shown_figures(question),
        filters=offered,
        offered_filters={each.code for each in offered},
        chips=chips(question, names),
        unfiltered=unfiltered(question),
        groupings=groupings(question, standard, [each.code for each in offered]),
        figure_groups=figure_groups(),
        figures=[BY_CODE[code] for code in question.figures],
        periods=[(code, str(words)) for code, words in PERIODS.items()],
        comparisons=[(code, str(words)) for code, words in COMPARISONS.items()],
        currencies=currencies(question),
        address=address_of(question),
        hidden={
            "report": question.report,
            "view": question.view,
            "sort": question.sort,
            SAVED: str(saved.id) if saved else "",
        },
        files=files(question),
        notes=note_words(answer),
        on_map=coverage_map(question),
        few_leads=FEW_LEADS,
    )


def is_empty(answer: Answer) -> bool:
    """Is there nothing to tell of these days at all?"""
    question, total = answer.question, answer.total
    if total.extra or total.cost is not None:
        return False
    if any("leads" in BY_CODE[code].counters for code in question.figures):
        return not any(total.counts.values())
    return bool(question.rows) and not answer.rows


def title_of(question: Question, standard: Standard | None, saved: SavedReport | None) -> str:
    """What the page is called: as its owner called it, as the standard report is, or neither."""
    if saved is not None:
        return saved.name
    return str(standard.name) if standard else _("A report of your own")


def tabs(question: Question) -> list[Tab]:
    kept = {SAVED: request.args[SAVED]} if SAVED in request.args else {}
    return [
        Tab(
            name,
            icon,
            url_for("reports.report", **(address_of(replace(question, view=view)) | kept)),
            question.view == view,
        )
        for view, name, icon in (
            ("table", _("Table"), "layout-list"),
            ("chart", _("Chart"), "chart-bar"),
        )
    ]


def shown_figures(question: Question) -> list[tuple[str, str, bool]]:
    """(name, address, is shown) of the figures, where there is room for one: the first."""
    one = question.columns or (question.view == "chart" and question.rows)
    if not one or len(question.figures) < 2:
        return []
    found = []
    for code in question.figures:
        first = (code, *(each for each in question.figures if each != code))
        address = url_for("reports.report", **address_of(replace(question, figures=first)))
        found.append((str(BY_CODE[code].name), address, code == question.figures[0]))
    # In the order of the registry, so that they don't change places when one is chosen.
    order = {str(figure.name): place for place, figure in enumerate(BY_CODE.values())}
    return sorted(found, key=lambda each: order[each[0]])


def drawing_of(answer: Answer, names: Names) -> dict[str, object]:
    """The chart, and how it looks in either theme, for the page's script to choose from."""
    chart = chart_of(answer, kind=asked_kind(answer), names=names)
    del chart["config"]
    return {
        "chart": chart,
        "configs": page_looks(),
        "numbers": number_format(),
    }


def page_looks() -> dict[str, object]:
    """How charts look on a page of either theme, for its reader."""
    from_right = direction() == "rtl"
    return {theme: config_of(theme, from_right=from_right) for theme in ("light", "dark")}


def asked_kind(answer: Answer) -> str:
    """The kind of chart that the address names, where it can show this answer; else the best."""
    possible = kinds_of(answer)
    return request.args["kind"] if request.args.get("kind") in possible else possible[0]


def kind_tabs(answer: Answer) -> list[tuple[str, str, bool]]:
    """(name, address, is shown) of the kinds of chart that can show the answer."""
    address, asked = address_of(answer.question), asked_kind(answer)
    possible = kinds_of(answer)
    return [
        (str(KINDS[kind]), url_for("reports.report", **address, kind=kind), kind == asked)
        for kind in (possible if len(possible) > 1 else ())
    ]


def currencies(question: Question) -> list[tuple[str, str]]:
    """What amounts can be told in, where a reader sees markets of several currencies."""
    if only_market() is not None and question.currency == "market":
        return []
    return [
        ("market", _("Each market's own")),
        ("one", _("All in %(currency)s", currency=web.settings().currency)),
    ]


def files(question: Question) -> list[tuple[str, str]]:
    """(form, address) of the files of this report, with the kind of chart that is looked at."""
    kind = {"kind": request.args["kind"]} if request.args.get("kind") in KINDS else {}
    address: dict[str, Any] = {**address_of(question), **kind}
    return [(form, url_for("reports.file", form=form, **address)) for form in FILES]


def coverage_map(question: Question) -> str:
    """Where the same leads are seen on the map; "" of other reports."""
    if question.report != "coverage" or question.of_calls:
        return ""
    return url_for("reports.coverage", **address_of(question))


def note_words(answer: Answer) -> list[str]:
    """What a reader must know beside the numbers."""
    words = {
        "no_rate": _("A market has no exchange rate for this time, so its amounts are left out."),
        "several_currencies": _(
            "The amounts are in several currencies. Choose one currency for all to see them."
        ),
        "not_told": _("Some figures can't be told apart this way; they show a dash."),
    }
    told = [words[note] for note in answer.notes if note in words]
    return [*told, *filter(None, [empty_past(answer)])]
