"""Files of sales at headquarters: those that came, a new one, its columns, what became of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

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
from sqlalchemy.orm import Session, defer, joinedload

from lmt import web
from lmt.files.problems import FileProblem, file_problem_words
from lmt.hq.blueprint import blueprint
from lmt.hq.filedoors import parts_of, takes_a_file
from lmt.hq.importwords import CHIPS, STATES, size_words
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.imports.uploads import keep_upload
from lmt.labels import choices
from lmt.models import Job, Market, Sale, SalesFile
from lmt.sales import service, words
from lmt.sales.columns import FIELDS, problem_of
from lmt.sales.engine import AT_WORK
from lmt.sales.failedrows import failed_name, failed_rows
from lmt.sales.figures import figures_of
from lmt.sales.finding import grounds_of
from lmt.sales.reading import columns_of, did_come_back, first_rows, read_row, reader_of
from lmt.sales.refusals import NotNow, not_now_words

PERMISSION = "lead.import"
PAGE_ROWS = 50
LARGEST = 2**31 - 1
CHIPS_OF_SALES = {"matched": "won", "proposed": "queue", "none": "done", "rejected": "done"}


@blueprint.get("/sales")
@web.require(PERMISSION)
def sales() -> str:
    return _list({}, "")


@blueprint.post("/sales")
@takes_a_file(PERMISSION, lambda: web.settings().max_import_bytes)
def upload_sales() -> ResponseReturnValue:
    """Keep the file and look at it; its own page goes on from there."""
    session, code = web.db(), request.form.get("market", "")
    file = request.files.get("file")
    market = next((each for each in _markets(session) if each.code == code), None)
    problems = {}
    if market is None:
        problems["market"] = _("Choose a market.")
    if file is None or not file.filename:
        problems["file"] = _("Choose a file.")
    if market is None or file is None or problems:
        return _list(problems, code), 422
    try:
        upload = keep_upload(
            session,
            parts_of(file),
            file.filename or "",
            market_id=market.id,
            at=web.at(),
            actor=web.actor(),
            most_bytes=web.settings().max_import_bytes,
        )
        kept = service.begin(session, upload, at=web.at(), actor=web.actor())
    except FileProblem as problem:
        session.rollback()
        return _list({"file": file_problem_words(problem)}, code), 422
    flash(_("The file was read. Look at its columns before you go on."), "success")
    return redirect(url_for("hq.sales_file", file_id=kept.id))


@blueprint.get("/sales/<uuid:file_id>")
@web.require(PERMISSION)
def sales_file(file_id: uuid.UUID) -> str:
    file = sales_file_of(file_id)
    if file.state == "draft":
        return _prepare(file, file.columns, "")
    return _report(file)


@blueprint.post("/sales/<uuid:file_id>/columns")
@web.require(PERMISSION)
def save_sales_columns(file_id: uuid.UUID) -> ResponseReturnValue:
    """Keep what the columns mean (`do=look`), and begin (`do=start`)."""
    file = sales_file_of(file_id)
    columns, problem = _typed()
    problem = problem or problem_of(columns, len(columns_of(file)))
    if problem:
        return _prepare(file, columns, not_now_words(problem)), 422
    try:
        service.set_columns(web.db(), file, columns, web.at(), web.actor())
        if request.form.get("do") == "start":
            service.start(web.db(), file, web.at(), web.actor())
    except NotNow as refused:
        flash(not_now_words(refused.code), "warning")
    return redirect(url_for("hq.sales_file", file_id=file_id))


@blueprint.get("/sales/<uuid:file_id>/progress")
@web.require(PERMISSION)
def sales_progress(file_id: uuid.UUID) -> Response:
    """How far it is; the page comes anew when it stands otherwise than before."""
    file = sales_file_of(file_id)
    response = make_response(render_template("hq/sales_progress.html", **_working(file)))
    if file.state != request.args.get("state", ""):
        response.headers["HX-Refresh"] = "true"
    response.vary.add("HX-Request")
    return response


@blueprint.post("/sales/<uuid:file_id>/<any(start, again, undo):verb>")
@web.require(PERMISSION)
def steer_sales_file(file_id: uuid.UUID, verb: str) -> ResponseReturnValue:
    """Go on after a failure, match again, or take the file back."""
    file = sales_file_of(file_id)
    steps: Mapping[str, Callable[..., object]] = {
        "start": service.start,
        "again": service.match_again,
        "undo": service.undo,
    }
    try:
        done = steps[verb](web.db(), file, web.at(), web.actor())
    except NotNow as refused:
        flash(not_now_words(refused.code), "warning")
    else:
        if isinstance(done, int):
            flash(
                ngettext("%(num)s sale was deleted.", "%(num)s sales were deleted.", done),
                "success",
            )
    return redirect(url_for("hq.sales_file", file_id=file_id))


@blueprint.get("/sales/<uuid:file_id>/failed")
@web.require(PERMISSION)
def sales_failed_rows(file_id: uuid.UUID) -> Response:
    """The failed rows as a table, with their reasons."""
    file = sales_file_of(file_id)
    session = web.db()
    parts = failed_rows(session, file, grounds_of(session, file.market_id, web.at()))
    response = Response(stream_with_context(parts), content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=failed_name(file))
    response.headers["Cache-Control"] = "no-store"
    return response


def sales_file_of(file_id: uuid.UUID) -> SalesFile:
    """A file of a market of the reader's, else 404."""
    file = web.db().get(SalesFile, file_id)
    if file is None:
        abort(404)
    return file


def number_asked(name: str) -> int:
    """A row's number that the address names; 0 for none that a row can have."""
    number = request.args.get(name, 0, type=int)
    return number if 0 < number <= LARGEST else 0


def _list(problems: dict[str, str], code: str) -> str:
    session = web.db()
    wanted = (
        select(SalesFile)
        .options(joinedload(SalesFile.upload), defer(SalesFile.layout), defer(SalesFile.failures))
        .order_by(SalesFile.id.desc())
        .limit(PAGE_ROWS + 1)
    )
    if (after := _id(request.args.get("after", ""))) is not None:
        wanted = wanted.where(SalesFile.id < after)
    found = session.scalars(wanted).all()
    shown = found[:PAGE_ROWS]
    markets = _markets(session)
    named = [(each.code, each.name) for each in markets]
    waiting = session.scalar(
        select(Sale.id).where(Sale.state == "proposed").order_by(Sale.id).limit(1)
    )
    return render_template(
        "hq/sales.html",
        files=shown,
        figures=figures_of(session, [file.id for file in shown]),
        market_names=dict(session.execute(select(Market.id, Market.name)).all()),
        markets=named if len(named) == 1 else [("", _("Choose one")), *named],
        any_market=bool(markets),
        any_waiting=waiting is not None,
        chosen=code,
        problems=problems,
        states=STATES,
        chips=CHIPS,
        most=size_words(web.settings().max_import_bytes),
        next_address=(url_for("hq.sales", after=shown[-1].id) if len(found) > len(shown) else ""),
        first_address=url_for("hq.sales") if after is not None else "",
    )


def _prepare(file: SalesFile, columns: Mapping[str, int], problem: str) -> str:
    grounds = grounds_of(web.db(), file.market_id, web.at())
    names, rows = columns_of(file), first_rows(file)
    read = []
    if not problem_of(columns, len(names)):
        reader, came_back = reader_of(file, grounds, columns), did_come_back(names)
        read = [read_row(reader, row, came_back) for row in rows]
    fields = {place: field for field, place in columns.items()}
    return render_template(
        "hq/sales_prepare.html",
        file=file,
        market=web.db().get_one(Market, file.market_id),
        columns=[
            (
                place,
                name,
                fields.get(place, ""),
                [row.cells[place] for row in rows if row.cells[place].strip()][:3],
            )
            for place, name in enumerate(names)
        ],
        choices=[
            ("", _("– not used")),
            *((field, str(words.FIELD_WORDS[field])) for field in FIELDS),
        ],
        rows=read,
        dealers=grounds.dealers,
        error_words=words.error_words,
        problem=problem,
    )


def _report(file: SalesFile) -> str:
    session = web.db()
    figures = figures_of(session, [file.id])[file.id]
    state = request.args.get("state", "")
    state = state if state in figures else ""
    after = number_asked("after")
    wanted = (
        select(Sale)
        .where(Sale.file_id == file.id, Sale.row > after)
        .options(joinedload(Sale.lead))
        .order_by(Sale.row)
        .limit(PAGE_ROWS + 1)
    )
    if state:
        wanted = wanted.where(Sale.state == state)
    found = session.scalars(wanted).all()
    shown = found[:PAGE_ROWS]
    return render_template(
        "hq/sales_file.html",
        market=session.get_one(Market, file.market_id),
        figures=figures,
        counts=[(words_of, figures[code]) for code, words_of in choices("sale_state")],
        sales=shown,
        shown_state=state,
        sale_states=choices("sale_state"),
        sale_chips=CHIPS_OF_SALES,
        dealer_names=grounds_of(session, file.market_id, web.at()).dealers.names,
        states=STATES,
        chips=CHIPS,
        failures=file.failures[:PAGE_ROWS],
        error_words=words.error_words,
        stopped=words.stopped_words(file) if file.state == "failed" else "",
        next_address=(
            url_for("hq.sales_file", file_id=file.id, state=state or None, after=shown[-1].row)
            if len(found) > len(shown)
            else ""
        ),
        first_address=(
            url_for("hq.sales_file", file_id=file.id, state=state or None) if after else ""
        ),
        **_working(file),
    )


def _working(file: SalesFile) -> dict[str, Any]:
    job = None if file.job_id is None else web.db().get(Job, file.job_id)
    return {
        "file": file,
        "working": file.state in AT_WORK,
        "total": 0 if job is None else job.total,
        "is_waiting": file.state == "waiting",
    }


def _typed() -> tuple[dict[str, int], str]:
    """The columns as the page's selects say them, and what is wrong: a field said twice."""
    told: dict[str, int] = {}
    for name, field in request.form.items():
        place = name.removeprefix("column.")
        if not field or place == name or not place.isdecimal() or len(place) > 4:
            continue
        if field in told:
            return told, "not_table"
        told[field] = int(place)
    return told, ""


def _markets(session: Session) -> list[Market]:
    """Those whose sales the reader may bring."""
    own = web.actor().whole_markets(PERMISSION)
    wanted = select(Market).order_by(Market.name)
    if own is not None:
        wanted = wanted.where(Market.id.in_(own))
    return list(session.scalars(wanted))


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
