"""A report to take away: its numbers, its chart, the leads behind one of its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from threading import Semaphore
from typing import IO, Any, cast

from flask import Response, abort, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from lmt import i18n, web
from lmt.exports.answers import Body, limited
from lmt.exports.service import FORMS, PERMISSION, pieces
from lmt.files.writing import MOST_SHEET_ROWS
from lmt.i18n import format_number
from lmt.i18n import gettext as _
from lmt.reportpages import leadfile
from lmt.reportpages.asking import (
    address_of,
    answered,
    asked,
    reader_week_start,
    saved_report,
    standard_of,
)
from lmt.reportpages.blueprint import blueprint
from lmt.reportpages.drilling import asked_cell, cell_address
from lmt.reportpages.service import note_taken
from lmt.reportpages.showing import title_of
from lmt.reportpages.words import names_for
from lmt.reports import charts, drawing, drill, export, paper
from lmt.reports.answer import Answer
from lmt.reports.figures import BY_CODE, COUNT, SHARE
from lmt.reports.question import Question
from lmt.reports.standard import BY_CODE as STANDARDS
from lmt.reports.wording import question_words
from lmt.scope import act_as

_TYPES = {
    "csv": export.CSV_TYPE,
    "xlsx": export.XLSX_TYPE,
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
}


@blueprint.get("/file.<form>")
@web.require("report.read")
@limited
def file(form: str) -> ResponseReturnValue:
    """The report that the address asks for; 422 where it asks what can't be answered."""
    if form not in _TYPES:
        abort(404)
    question, problems = asked()
    if problems:
        abort(422)
    standard = standard_of(question.report)
    if standard is None and question.report in STANDARDS:
        abort(403)
    title = title_of(question, standard, saved_report())
    body = _made(form, answered(question), title)
    return _to_keep(body, form, name_of(question.report or "report", question, form))


@blueprint.get("/leads.<form>")
@web.require("report.read")
@limited
def leads_file(form: str) -> ResponseReturnValue:
    """The leads behind a number, with their customers for whoever may take these away."""
    if form not in FORMS:
        abort(404)
    question, problems = asked()
    if problems:
        abort(422)
    cell = asked_cell(question)
    here: dict[str, Any] = {**address_of(question), **cell_address(cell)}
    back = redirect(url_for("reports.leads", **here))
    slots = _slots()
    if not slots.acquire(blocking=False):
        flash(_("Several lists are being downloaded. Try again in a few minutes."), "warning")
        return back
    with ExitStack() as held:
        held.callback(slots.release)
        many = _rows_at_most(question, cell)
        if form == "xlsx" and many > MOST_SHEET_ROWS:
            words = _(
                "These are %(rows)s rows, and a workbook holds %(most)s. Filter the report, or take"
                " the CSV.",
                rows=format_number(many),
                most=format_number(MOST_SHEET_ROWS),
            )
            flash(words, "warning")
            return back
        persons = web.may(PERMISSION)
        note_taken(web.db(), form, many, here, persons=persons, at=web.at(), actor=web.actor())
        body = _leads_body(form, question, cell, held, persons=persons)
        name = name_of(f"leads-{cell.figure}", question, form)
        return _to_keep(Body(body, held.pop_all()), form, name)


def name_of(what: str, question: Question, form: str) -> str:
    """`conversion-2026-07-01-2026-09-30.xlsx`, the same in every language."""
    return f"{what}-{question.first.isoformat()}-{question.last.isoformat()}.{form}"


def _made(form: str, answer: Answer, title: str) -> bytes | Iterator[bytes]:
    names = names_for(answer.question, answer)
    kind = request.args.get("kind", "")
    match form:
        case "csv":
            return (line.encode() for line in export.csv_lines(answer))
        case "xlsx":
            with TemporaryFile() as made:
                export.xlsx(answer, made, names, title=title, asked_by=web.user().name)
                made.seek(0)
                return made.read()
        case "pdf":
            return paper.page(answer, names, title=title, kind=kind)
    spec = charts.chart_of(
        answer,
        theme="print",
        kind=kind,
        title=title if answer.question.report else "",
        subtitle=question_words(answer.question, names),
        names=names,
    )
    drawn = drawing.svg(spec, charts.number_format())
    return drawn.encode() if form == "svg" else drawing.png_of(drawn)


def _rows_at_most(question: Question, cell: drill.Cell) -> int:
    """How many leads are behind the cell, if each is counted once."""
    figure = BY_CODE[cell.figure]
    counted = figure.unit in (COUNT, SHARE) or not figure.whole
    of = cell if counted else drill.Cell(cell.row, cell.column, cell.figure, "whole")
    return drill.count(web.reports_db(), question, of, at=web.at(), week_start=reader_week_start())


def _leads_body(
    form: str, question: Question, cell: drill.Cell, held: ExitStack, *, persons: bool
) -> Iterator[bytes]:
    """A CSV is sent as it is read; a workbook can't be sent before it is whole. What is open
    meanwhile is `held`."""
    house, reader = web.installation(), i18n.reader()
    session = act_as(house.reading_sessions(), web.actor())
    held.callback(session.close)
    entries = drill.each(session, question, cell, at=web.at(), week_start=reader_week_start())
    if form == "csv":
        return leadfile.csv(session, entries, web.at(), reader, persons=persons)
    folder = house.settings.instance
    folder.mkdir(parents=True, exist_ok=True)
    made: IO[bytes] = TemporaryFile(dir=folder)  # noqa: SIM115 - held
    held.callback(made.close)
    leadfile.write_workbook(
        made, session, entries, web.at(), reader, persons=persons, folder=folder
    )
    session.close()  # whoever takes it slowly holds up no state of the database
    made.seek(0)
    return pieces(made)


def _to_keep(body: bytes | Iterator[bytes] | Body, form: str, name: str) -> Response:
    response = Response(body, content_type=_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _slots() -> Semaphore:
    """Those of all lists to take away: making one holds a thread."""
    threads = web.settings().web_threads
    kept = current_app.extensions.setdefault("lmt.exports", Semaphore(max(1, threads // 4)))
    return cast(Semaphore, kept)
