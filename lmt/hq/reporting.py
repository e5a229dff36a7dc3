"""The report page: its question in the address, its answer as chart, table and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from lmt import i18n, web
from lmt.attributes import field_label, fields_at_hand
from lmt.forms.fields import FieldDefinition
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.reports import charts, export
from lmt.reports.byanswer import PREFIX, grouping_fields
from lmt.reports.oldfigures import DEFAULT_TARGET_MINUTES, FIGURES, TARGETS_MINUTES, Row, response_time
from lmt.reports.service import GROUPINGS, Question, conversion

DEFAULT_DAYS = 30
LONGEST_DAYS = 366 * 3


@blueprint.get("/reports/conversion")
@web.require("report.read")
def reports() -> ResponseReturnValue:
    session = web.db()
    fields = _fields()
    question, problem = question_of(request.args, reader_today(), fields)
    report = conversion(session, question, at=web.at())
    offered = q.choices_for(session)
    address = address_of(question)
    return render_template(
        "hq/report.html",
        question=question,
        problem=problem,
        report=report,
        figures=FIGURES,
        figure_text=figure_text,
        chart={
            "charts": {
                "counts": charts.counts_chart(report.rows),
                "response": charts.response_chart(report.rows),
            },
            "themes": charts.THEMES,
            "numbers": charts.number_format(),
        },
        most_groups=charts.MOST_GROUPS,
        groupings=[
            ("dealer", _("Dealer")),
            ("market", _("Market")),
            ("channel", _("Channel")),
            *((PREFIX + item.key, field_label(item)) for item in fields),
        ],
        targets=[(str(m), i18n.format_duration(m)) for m in TARGETS_MINUTES],
        markets=[("", _("All markets")), *offered.markets],
        channels=[
            ("", _("All channels")),
            *((kind, label("channel", kind)) for kind in offered.channels),
        ],
        csv_address=url_for("hq.report_csv", **address),
    )


@blueprint.get("/reports/conversion.csv")
@web.require("report.read")
def report_csv() -> ResponseReturnValue:
    question, _problem = question_of(request.args, reader_today(), _fields())
    report = conversion(web.db(), question, at=web.at())
    name = f"conversion-{question.by.removeprefix(PREFIX)}-{question.first}-{question.last}.csv"
    lines = export.csv_lines(question.by, report.rows)
    return Response(
        stream_with_context(lines),
        mimetype="text/csv",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def _fields() -> list[FieldDefinition]:
    """The custom fields that this reader's reports can be grouped by."""
    return grouping_fields(fields_at_hand(web.db()))


def question_of(
    args: Mapping[str, str], today: date, fields: Iterable[FieldDefinition] = ()
) -> tuple[Question, str]:
    """What the address asks, in the reader's days, grouped by one of `fields` where it says so; and
    what is wrong with it, in words, where the last 30 days are shown instead."""
    by = args.get("by", "")
    item = next((item for item in fields if PREFIX + item.key == by), None)
    target = args.get("target", "")
    first, last = today - timedelta(days=DEFAULT_DAYS - 1), today
    problem = ""
    given = args.get("from", ""), args.get("to", "")
    try:
        asked = (
            date.fromisoformat(given[0]) if given[0] else first,
            date.fromisoformat(given[1]) if given[1] else last,
        )
    except ValueError:
        problem = _("Write days as 2026-03-31. The last 30 days are shown.")
    else:
        if asked[0] > asked[1]:
            problem = _("The first day comes after the last. The last 30 days are shown.")
        elif (asked[1] - asked[0]).days >= LONGEST_DAYS or not 1970 <= asked[0].year < 9000:
            problem = _("Ask for three years or fewer. The last 30 days are shown.")
        else:
            first, last = asked
    return (
        Question(
            by=by if by in GROUPINGS or item is not None else "dealer",
            first=first,
            last=last,
            timezone=i18n.reader().timezone,
            market=args.get("market", "").replace("\0", ""),
            channel=args.get("channel", "").replace("\0", ""),
            target_minutes=(
                int(target)
                if target in {str(m) for m in TARGETS_MINUTES}
                else DEFAULT_TARGET_MINUTES
            ),
            field=item,
        ),
        problem,
    )


def address_of(question: Question) -> dict[str, Any]:
    """The question as parameters of an address."""
    named = {
        "by": question.by,
        "from": question.first.isoformat(),
        "to": question.last.isoformat(),
        "market": question.market,
        "channel": question.channel,
        "target": str(question.target_minutes),
    }
    return {name: value for name, value in named.items() if value}


def figure_text(row: Row, code: str, unit: str) -> str:
    """One figure for reading; a dash where there is none."""
    value = row.value(code)
    if value is None:
        return "\N{EN DASH}"
    if unit == "share":
        return i18n.format_percent(value, 1)
    if unit == "minutes":
        return response_time(value)
    return i18n.format_number(value)


def reader_today() -> date:
    """The day it is where the reader is."""
    return web.at().astimezone(ZoneInfo(i18n.reader().timezone)).date()
