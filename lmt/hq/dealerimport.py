"""Headquarters imports a list of dealers: a file is brought, looked over as a plan, and applied.

Nothing is kept between the two but the file: each look reads it anew and says what it would do now.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import web
from lmt.dealerfiles import service, words
from lmt.dealerfiles.areas import BadAreas, DrawnAreas, drawn_areas
from lmt.dealerfiles.book import Book, markets_to_edit
from lmt.dealerfiles.columnmap import BadColumnMap, ColumnMap
from lmt.dealerfiles.plan import Plan
from lmt.dealerfiles.row import DealerRow
from lmt.dealers import PERMISSION
from lmt.files.problems import FileProblem, file_problem_words
from lmt.files.table import Table, opened
from lmt.hq.blueprint import blueprint
from lmt.hq.filedoors import parts_of, takes_a_file
from lmt.hq.findingwords import SEVERITY_WORDS, finding_words
from lmt.hq.importwords import size_words
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.imports.uploads import keep_upload, spool_folder, spooled
from lmt.models import Brand, Market, Upload
from lmt.routing.lint import SEVERITIES, Finding

MOST_ROWS = 5_000
"""Lines that are looked over while somebody waits; the command takes more."""
MOST_BYTES = 20_000_000
MOST_SHOWN = 50
SAMPLES = 3
DEFAULTS = ("country", "timezone", "languages", "kind", "hours", "hours.ph", "brands", "services",
            "competences", "weight")  # fmt: skip
"""Fields that the page offers to say once for all lines."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A file as it was looked over."""

    table: Table
    mapping: ColumnMap
    rows: list[DealerRow]
    order: service.Order
    plan: Plan
    book: Book
    samples: list[list[str]]


@blueprint.get("/import-dealers")
@web.require(PERMISSION)
def import_dealers() -> ResponseReturnValue:
    return _upload_form({}, {})


@blueprint.post("/import-dealers")
@takes_a_file(PERMISSION, lambda: 2 * MOST_BYTES)
def upload_dealers() -> ResponseReturnValue:
    """Keep the file; its page looks it over."""
    session, given = web.db(), {name: text.strip() for name, text in request.form.items()}
    allowed = dict(markets_to_edit(session, web.actor()))
    market = session.scalars(select(Market).where(Market.code == given.get("market", ""))).first()
    file, drawn = request.files.get("file"), request.files.get("territories")
    problems = {}
    if market is None or market.code not in allowed:
        problems["market"] = _("Choose a market.")
    if file is None or not file.filename:
        problems["file"] = _("Choose a file.")
    if market is None or file is None or problems:
        return _upload_form(given, problems), 422
    kept: dict[str, uuid.UUID] = {}
    for name, part in (("file", file), ("territories", drawn)):
        if part is None or not part.filename:
            continue
        try:
            kept[name] = keep_upload(
                session,
                parts_of(part),
                part.filename,
                market_id=market.id,
                at=web.at(),
                actor=web.actor(),
                most_bytes=MOST_BYTES,
            ).id
        except FileProblem as problem:
            session.rollback()
            return _upload_form(given, {name: file_problem_words(problem)}), 422
    session.commit()
    return redirect(
        url_for(
            "hq.dealer_file",
            upload_id=kept["file"],
            areas=kept.get("territories"),
            close="yes" if given.get("close") else None,
        )
    )


@blueprint.get("/import-dealers/<uuid:upload_id>")
@web.require(PERMISSION)
def dealer_file(upload_id: uuid.UUID) -> ResponseReturnValue:
    return _look_over(upload_id)


@blueprint.post("/import-dealers/<uuid:upload_id>")
@web.require(PERMISSION)
def apply_dealer_file(upload_id: uuid.UUID) -> ResponseReturnValue:
    """Looked over anew with other columns (`do=look`), or applied (`do=apply`)."""
    return _look_over(upload_id)


def _look_over(upload_id: uuid.UUID) -> ResponseReturnValue:
    session, at, actor = web.db(), web.at(), web.actor()
    upload, market = _upload(upload_id)
    try:
        with spool_folder() as folder:
            looked = _looked(upload, market, folder)
    except FileProblem as problem:
        told = file_problem_words(problem)
        if problem.code == "too_large":
            told = _(
                "This page takes %(most)s lines at most. The command “lmt import dealers” takes"
                " more.",
                most=MOST_ROWS,
            )
        return _upload_form({"market": market.code}, {"file": told}), 422
    except BadAreas as bad:
        told = words.bad_areas_words(bad.code)
        return _upload_form({"market": market.code}, {"territories": told}), 422
    except BadColumnMap as bad:
        return _columns_form(upload, market, words.bad_map_words(bad)), 422
    if request.form.get("do") != "apply":
        return _page(upload, market, looked)
    reason = _("Not in the list %(file)s.", file=upload.name)
    try:
        plan, applied = service.apply_import(
            session, looked.rows, looked.order, at=at, actor=actor, reason=reason,
            seen=request.form.get("seen", "") or "-",
        )  # fmt: skip
    except service.PlanChanged:
        flash(_("The plan has changed meanwhile. Look at it again, then apply it."), "warning")
        return _page(upload, market, looked), 409
    flash(_applied(applied), "success")
    if plan.rejected:
        flash(
            ngettext(
                "%(num)s line was rejected: nothing was changed by it.",
                "%(num)s lines were rejected: nothing was changed by them.",
                len(plan.rejected),
            ),
            "warning",
        )
    return redirect(url_for("hq.dealers", market=market.code))


def _upload(upload_id: uuid.UUID) -> tuple[Upload, Market]:
    """A file of a market whose dealers the reader may change; else 404."""
    upload = web.db().get(Upload, upload_id)
    market = None if upload is None else web.db().get(Market, upload.market_id)
    if upload is None or market is None:
        abort(404)
    if market.code not in dict(markets_to_edit(web.db(), web.actor())):
        abort(404)
    return upload, market


def _looked(upload: Upload, market: Market, folder: Path) -> Looked:
    session = web.db()
    table, areas = _opened(upload, folder)
    given = request.form if request.method == "POST" else None
    mapping = service.suggested_columns(session, table.layout.columns)
    if given is not None:
        mapping = ColumnMap.from_json(_map_given(), table.layout.columns)
    samples = [list(row.cells) for row in islice(table.rows(), SAMPLES)]
    rows = service.read_rows(session, table, mapping, web.at().date(), MOST_ROWS)
    closing = (given if given is not None else request.args).get("close", "") == "yes"
    order = service.Order(market.code, areas, closing, upload.name)
    plan, book = service.plan_import(session, rows, order, at=web.at(), actor=web.actor())
    return Looked(table, mapping, rows, order, plan, book, samples)


def _opened(upload: Upload, folder: Path) -> tuple[Table, DrawnAreas | None]:
    session = web.db()
    lists, maps = folder / "list", folder / "map"
    lists.mkdir()
    maps.mkdir()
    table = opened(spooled(session, upload.id, lists), lists)
    named = request.args.get("areas", "")
    if not named:
        return table, None
    try:
        map_id = uuid.UUID(named)
    except ValueError:
        abort(404)
    _upload(map_id)
    try:
        text = spooled(session, map_id, maps).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadAreas("not_geojson") from problem
    return table, drawn_areas(text)


def _map_given() -> dict[str, object]:
    """The table of columns as the page's selects say it."""
    form = request.form
    pairs = zip(form.getlist("column"), form.getlist("field"), strict=False)
    defaults = {name: form.get(f"default.{name}", "").strip() for name in DEFAULTS}
    return {
        "columns": dict(pairs),
        "defaults": {name: text for name, text in defaults.items() if text},
        "dates": form.get("dates", ""),
    }


def _upload_form(given: dict[str, str], problems: dict[str, str]) -> str:
    markets = markets_to_edit(web.db(), web.actor())
    return render_template(
        "hq/dealer_import.html",
        markets=markets if len(markets) == 1 else [("", _("Choose one")), *markets],
        any_market=bool(markets),
        given=given,
        problems=problems,
        most=size_words(MOST_BYTES),
    )


def _page(upload: Upload, market: Market, looked: Looked) -> str:
    session = web.db()
    found = service.findings_after(session, looked.plan, looked.book, market.code, web.at())
    by_severity = {s: [each for each in found if each.severity == s] for s in SEVERITIES}
    return render_template(
        "hq/dealer_import_plan.html",
        upload=upload,
        market=market,
        plan=looked.plan,
        close=looked.order.close_missing,
        areas=looked.order.areas,
        most=MOST_SHOWN,
        findings=[
            (severity, SEVERITY_WORDS[severity], group[:MOST_SHOWN], len(group))
            for severity, group in by_severity.items()
            if group
        ],
        finding_words=lambda finding: finding_words(finding, market.timezone),
        names=_names(looked, found),
        **_columns(looked.table, looked.samples, looked.mapping),
    )


def _columns_form(upload: Upload, market: Market, problem: str) -> str:
    """The columns as they were given, with what is wrong with them."""
    with spool_folder() as folder:
        table, areas = _opened(upload, folder)
        samples = [list(row.cells) for row in islice(table.rows(), SAMPLES)]
    given = _map_given()
    mapping = ColumnMap(
        given["columns"], given["defaults"], str(given["dates"])  # type: ignore[arg-type]
    )  # fmt: skip
    return render_template(
        "hq/dealer_import_plan.html",
        upload=upload,
        market=market,
        plan=None,
        problem=problem,
        close=request.form.get("close", "") == "yes",
        areas=areas,
        most=MOST_SHOWN,
        **_columns(table, samples, mapping),
    )


def _columns(table: Table, samples: list[list[str]], mapping: ColumnMap) -> dict[str, object]:
    brands = [
        (code, name)
        for code, name in web.db().execute(select(Brand.code, Brand.name).order_by(Brand.name))
    ]
    choices = [("", _("– not used")), *words.field_choices(brands)]
    known = {code for code, _words in choices}
    rows = []
    for number, column in enumerate(table.layout.columns):
        said = mapping.columns.get(column, "")
        # A run of days that the file has, and the list doesn't.
        own = [(said, words.field_words(said))] if said not in known else []
        seen = [cells[number] for cells in samples if cells[number].strip()]
        rows.append((column, said, own, seen))
    return {
        "columns": rows,
        "choices": choices,
        "defaults": [
            (name, words.field_words(name), mapping.defaults.get(name, "")) for name in DEFAULTS
        ],
        "dates": mapping.dates,
        "words": words,
    }


def _names(looked: Looked, found: list[Finding]) -> dict[str, str]:
    """What the dealers of findings are called, as they would be."""
    wanted = {code for each in found for code in each.dealers}
    names = {
        code: known.state.name for code, known in looked.book.standing.items() if code in wanted
    }
    return names | {step.after.code: step.after.name for step in looked.plan.steps}


def _applied(applied: service.Applied) -> str:
    told = [
        ngettext("%(num)s dealer was added.", "%(num)s dealers were added.", applied.added),
        ngettext("%(num)s was changed.", "%(num)s were changed.", applied.changed),
    ]
    if applied.closed:
        told.append(
            ngettext(
                "%(num)s has ended; its open leads move in the next minutes.",
                "%(num)s have ended; their open leads move in the next minutes.",
                applied.closed,
            )
        )
    if applied.offers_moved:
        told.append(
            ngettext(
                "%(num)s running offer was counted anew.",
                "%(num)s running offers were counted anew.",
                applied.offers_moved,
            )
        )
    return " ".join(told)
