"""One import: its columns and a preview before it begins, how far it is, and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

from babel.support import LazyProxy
from flask import (
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lmt import web
from lmt.files.layout import TO_BE_TOLD, Layout
from lmt.files.problems import FileProblem, file_problem_words
from lmt.hq import importwords as words
from lmt.hq.blueprint import blueprint
from lmt.hq.imports import PERMISSION, job_of
from lmt.hq.mappingform import WHY_WORDS, MappingForm, target_groups
from lmt.i18n import gettext as _
from lmt.imports import service
from lmt.imports.failedrows import failed_file
from lmt.imports.opening import kept_rows
from lmt.imports.preview import PreviewRow, first_rows
from lmt.imports.progress import progress
from lmt.imports.reading import OWN_COLUMNS
from lmt.imports.refusals import NotNow, not_now_words
from lmt.imports.words import row_error_words
from lmt.ingest.dispositions import DISPOSITIONS
from lmt.ingest.requesttypes import REQUEST_TYPES
from lmt.mapping.model import Mapping as FieldMapping
from lmt.mapping.targets import FILE_TARGETS
from lmt.mapping.withheld import is_secret
from lmt.models import ImportRow, ImportRun, Job

UNBEGUN = frozenset({"draft", "checking", "checked"})
AT_WORK = frozenset({"checking", "waiting", "running", "undoing"})
PAGE_ROWS = 50
ROWS_AT_ONCE = 5
SHOWN_ROWS = 10
MOST_PLAIN = 8
"""Columns that mean nothing to us and are shown among the others; more of them are folded away."""
CONTACTS = frozenset({"customer.email", "customer.phone"})
UNKNOWN_CALL = "disposition_not_known"
LONGEST_REASONS = 300
ENCODINGS = (
    "utf-8", "utf-16", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1256", "iso8859-2",
    "iso8859-9", "mac-roman",
)  # fmt: skip


@dataclass(slots=True)
class Columns:
    """The table of the file's columns as typed or kept, and what is wrong with it by input."""

    form: MappingForm
    problems: dict[str, str]
    rows: Sequence[PreviewRow] = ()


@blueprint.get("/imports/<uuid:import_id>")
@web.require(PERMISSION)
def import_page(import_id: uuid.UUID) -> ResponseReturnValue:
    run = _run(import_id)
    if run.state in UNBEGUN:
        return _prepare(run, _columns(run, MappingForm.of(FieldMapping.from_json(run.mapping))))
    return _report(run)


@blueprint.post("/imports/<uuid:import_id>/columns")
@web.require(PERMISSION)
def save_import_columns(import_id: uuid.UUID) -> ResponseReturnValue:
    """Keep what the columns mean, then do what the button says: look, check all, or begin."""
    run, do = _run(import_id), request.form.get("do", "")
    form = MappingForm.typed(request.form)
    if do == "suggest":
        columns = _columns(run, form)
        columns.form.take_hints()
        return _prepare(run, _columns(run, columns.form))
    if do == "add-field":
        form.add_field(request.form.get("new_field", ""), request.form.get("new_fixed", "").strip())
        return _prepare(run, _columns(run, form))
    if do.startswith("first:"):
        target, _bar, path = do.removeprefix("first:").partition("|")
        form.ask_first(target, path)
        return _prepare(run, _columns(run, form))
    data, problems = form.to_json()
    if problems:
        return _prepare(run, _columns(run, form)), 422
    try:
        service.set_mapping(
            web.db(),
            run,
            FieldMapping.from_json(data),
            layout=_wish(run) if do == "layout" else None,
            at=web.at(),
            actor=web.actor(),
        )
        if do == "check":
            service.ask_check(web.db(), run, web.at(), web.actor())
        elif do == "start":
            service.start(web.db(), run, web.at(), web.actor())
    except NotNow as refused:
        flash(not_now_words(refused.code), "warning")
    except FileProblem as problem:
        web.db().rollback()
        flash(file_problem_words(problem), "danger")
    return redirect(url_for("hq.import_page", import_id=import_id))


@blueprint.post("/imports/<uuid:import_id>/preview")
@web.require(PERMISSION)
def preview_import(import_id: uuid.UUID) -> str:
    """The first rows by what is typed; nothing is kept."""
    columns = _columns(_run(import_id), MappingForm.typed(request.form))
    return render_template("hq/import_preview.html", **_shown(columns))


@blueprint.get("/imports/<uuid:import_id>/progress")
@web.require(PERMISSION)
def import_progress(import_id: uuid.UUID) -> Response:
    """How far it is; the page comes anew when it stands otherwise than before."""
    run = _run(import_id)
    moved = [] if run.state in UNBEGUN else _counts(run)
    response = make_response(
        render_template("hq/import_progress.html", moved=moved, **_working(run))
    )
    if run.state != request.args.get("state", ""):
        response.headers["HX-Refresh"] = "true"
    response.vary.add("HX-Request")
    return response


@blueprint.post("/imports/<uuid:import_id>/<any(pause, resume, undo):verb>")
@web.require(PERMISSION)
def steer_import(import_id: uuid.UUID, verb: str) -> ResponseReturnValue:
    run = _run(import_id)
    steps: Mapping[str, Callable[..., object]] = {
        "pause": service.pause,
        "resume": service.resume,
        "undo": service.undo,
    }
    try:
        steps[verb](web.db(), run, web.at(), web.actor())
    except NotNow as refused:
        flash(not_now_words(refused.code), "warning")
    return redirect(url_for("hq.import_page", import_id=import_id))


@blueprint.get("/imports/<uuid:import_id>/failed")
@web.require(PERMISSION)
def import_failed_rows(import_id: uuid.UUID) -> Response:
    """The failed rows as a file like the one they came in."""
    run = _run(import_id)
    name, content_type, parts = failed_file(web.db(), run)
    response = Response(stream_with_context(parts), content_type=content_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "no-store"
    return response


def _prepare(run: ImportRun, columns: Columns) -> str:
    job = job_of(web.db(), run)
    layout = Layout.from_json(run.layout)
    checked = (job.result or {}) if run.state == "checked" and job is not None else {}
    return render_template(
        "hq/import_prepare.html",
        layout=layout,
        layout_words=words.layout_words(layout),
        size_words=words.size_words(run.upload.size),
        delimiters=words.delimiters(),
        delimiter=next((n for n, _w in words.delimiters()
                        if words.delimiter_named(n) == layout.delimiter), ""),
        encodings=[(code, words.encoding_words(code))
                   for code in dict.fromkeys((layout.encoding, *ENCODINGS))],
        stopped=words.stopped(run),
        expected=[(told, checked[name]) for name, told in words.EXPECTED.items()
                  if name in checked],
        checked=checked,
        causes=_causes(checked),
        **_shown(columns),
        **(_failing(run, checked.get("shown", 0)) if checked else {"failing": []}),
        **(_working(run) if run.state == "checking" else {"run": run}),
    )  # fmt: skip


def _report(run: ImportRun) -> str:
    return render_template(
        "hq/import.html",
        size_words=words.size_words(run.upload.size),
        layout_words=words.layout_words(Layout.from_json(run.layout)),
        states=words.STATES,
        chips=words.CHIPS,
        counts=_counts(run),
        stopped=words.stopped(run) if run.state in {"paused", "failed"} else "",
        columns=[name for name in Layout.from_json(run.layout).columns if name not in OWN_COLUMNS],
        **_working(run),
        **_failing(run, run.failed),
    )


def _counts(run: ImportRun) -> list[tuple[LazyProxy, int]]:
    return [(told, getattr(run, name)) for name, told in words.OUTCOMES.items()]


def _working(run: ImportRun) -> dict[str, Any]:
    session = web.db()
    job = job_of(session, run)
    return {
        "run": run,
        "job": job,
        "working": run.state in AT_WORK,
        "progress": progress(run, job, web.at()),
        "is_waiting": _is_waiting(run, job),
    }


def _is_waiting(run: ImportRun, job: Job | None) -> bool:
    """Has no worker begun with it yet?"""
    return run.state in AT_WORK and (job is None or (job.lease_until is None and not job.done))


def _failing(run: ImportRun, number: int) -> dict[str, Any]:
    """A page of the rows that failed, or would, with their reasons."""
    text = request.args.get("after", "")
    after = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    wanted = (
        select(ImportRow)
        .where(
            ImportRow.import_id == run.id,
            ImportRow.outcome == "failed",
            ImportRow.number > after,
        )
        .order_by(ImportRow.number)
        .limit(PAGE_ROWS + 1)
        # A row may hold a hundred thousand letters, of which a few are shown.
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    open_columns = [not is_secret(name) for name in Layout.from_json(run.layout).columns]
    found = [
        (row.number, _cut(compress(row.cells, open_columns)), _words(row.errors))
        for row in (web.db().scalars(wanted) if number else ())
    ]
    shown = found[:PAGE_ROWS]
    address = url_for("hq.import_page", import_id=run.id)
    return {
        "failing": shown,
        "next_address": f"{address}?after={shown[-1][0]}#failing"
        if len(found) > len(shown)
        else "",
        "first_address": f"{address}#failing" if after else "",
    }


def _cut(cells: Iterable[str]) -> str:
    """As much of a row as tells which it is."""
    text = " · ".join(" ".join(cell.split()) for cell in cells if cell.strip())
    return text if len(text) <= LONGEST_REASONS else text[:LONGEST_REASONS] + "…"


def _columns(run: ImportRun, form: MappingForm) -> Columns:
    layout = Layout.from_json(run.layout)
    samples = [
        {
            name: cell
            for name, cell in zip(layout.columns, row.cells, strict=False)
            if name not in OWN_COLUMNS
        }
        for row in kept_rows(run)
        if not row.problem
    ]
    there = {name.casefold() for name in layout.columns}
    form.rows = [row for row in form.rows if row.path.casefold() in there]
    form.show(samples)
    data, problems = form.to_json()
    columns = Columns(form, problems)
    if not problems:
        columns.rows = _first_rows(web.db(), run, data)
    return columns


def _first_rows(session: Session, run: ImportRun, data: Mapping[str, Any]) -> list[PreviewRow]:
    """By a mapping that is kept nowhere."""
    kept = run.mapping
    with session.no_autoflush:
        run.mapping = dict(data)
        try:
            return first_rows(session, run, SHOWN_ROWS)
        finally:
            run.mapping = kept


def _shown(columns: Columns) -> dict[str, Any]:
    return {
        "form": columns.form,
        "most_plain": MOST_PLAIN,
        "reaches": any(row.target in CONTACTS for row in columns.form.rows),
        "problems": columns.problems,
        "rows": [(row, _told(row)) for row in columns.rows],
        "expected_words": words.EXPECTED,
        "groups": target_groups(columns.form.rows, FILE_TARGETS),
        "why_words": WHY_WORDS,
        "request_types": ", ".join(REQUEST_TYPES),
        "dispositions": ", ".join(DISPOSITIONS),
    }


def _told(row: PreviewRow) -> list[str]:
    """Why it fails, and what is odd about it."""
    # Of a row that fails, nothing is routed, whatever the call was.
    notes = [each for each in row.notes if not row.errors or each["code"] != UNKNOWN_CALL]
    return _words((*row.errors, *notes))


def _words(errors: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each reason once, its columns isolated: theirs may be read from the other side."""
    told = [
        row_error_words(each["code"], f"\u2068{each['field']}\u2069" if each["field"] else "")
        for each in errors
    ]
    return list(dict.fromkeys(told))


def _causes(checked: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [
        (_("No mail address and no phone that works."), number)
        if code == "no_contact"
        else (row_error_words(code), number)
        for code, number in checked.get("causes", {}).items()
    ]


def _wish(run: ImportRun) -> Layout:
    """How somebody says that the file is to be read; the columns are told anew."""
    layout = Layout.from_json(run.layout)
    given = request.form
    if layout.format != "csv":
        return Layout(sheet=given.get("sheet", "").strip()[:100])
    encoding = given.get("encoding", "")
    wish = replace(
        layout,
        encoding=encoding if encoding in ENCODINGS else layout.encoding,
        delimiter=words.delimiter_named(given.get("delimiter", "")) or layout.delimiter,
        quote="",
        header_line=0 if given.get("header") == "no" else TO_BE_TOLD,
        columns=(),
    )
    return wish


def _run(import_id: uuid.UUID) -> ImportRun:
    found = (
        web.db()
        .scalars(
            select(ImportRun)
            .options(joinedload(ImportRun.source), joinedload(ImportRun.upload))
            .where(ImportRun.id == import_id)
        )
        .first()
    )
    if found is None:
        abort(404)
    return found
