"""Files of leads at headquarters: those that came, and a new one that somebody brings."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload

from lmt import web
from lmt.files.problems import FileProblem, file_problem_words
from lmt.hq.blueprint import blueprint
from lmt.hq.filedoors import parts_of, takes_a_file
from lmt.hq.importwords import CHIPS, STATES, size_words
from lmt.i18n import gettext as _
from lmt.imports.service import begin_import
from lmt.imports.uploads import keep_upload
from lmt.models import ImportRun, Job, Market, Source

PERMISSION = "lead.import"
KINDS = ("file", "call_centre", "mailbox")
"""Sources that files come from."""
PAGE_ROWS = 50


@blueprint.get("/imports")
@web.require(PERMISSION)
def imports() -> str:
    """The imports, the latest first; those of one source where the address names it."""
    code = request.args.get("source", "").replace("\0", "")[:100]
    wanted = (
        select(ImportRun)
        .options(
            joinedload(ImportRun.source),
            joinedload(ImportRun.upload),
            # The first rows of every file are in it.
            defer(ImportRun.options),
        )
        .order_by(ImportRun.id.desc())
        .limit(PAGE_ROWS + 1)
    )
    if code:
        wanted = wanted.where(ImportRun.source.has(code=code))
    if (after := _id(request.args.get("after", ""))) is not None:
        wanted = wanted.where(ImportRun.id < after)
    found = web.db().scalars(wanted).all()
    shown = found[:PAGE_ROWS]
    return render_template(
        "hq/imports.html",
        runs=shown,
        states=STATES,
        chips=CHIPS,
        code=code,
        next_address=(
            url_for("hq.imports", source=code or None, after=shown[-1].id)
            if len(found) > len(shown)
            else ""
        ),
        first_address=url_for("hq.imports", source=code or None) if after is not None else "",
    )


@blueprint.get("/imports/new")
@web.require(PERMISSION)
def new_import() -> str:
    return _form(request.args.get("source", ""), {})


@blueprint.post("/imports/new")
@takes_a_file(PERMISSION, lambda: web.settings().max_import_bytes)
def upload_import() -> ResponseReturnValue:
    """Keep the file and look at it; the page of its import goes on from there."""
    session, code = web.db(), request.form.get("source", "")
    file = request.files.get("file")
    source = next((each for each in _sources(session) if each.code == code), None)
    problems = {}
    if source is None:
        problems["source"] = _("Choose whom the file is from.")
    if file is None or not file.filename:
        problems["file"] = _("Choose a file.")
    if source is None or file is None or problems:
        return _form(code, problems), 422
    try:
        upload = keep_upload(
            session,
            parts_of(file),
            file.filename or "",
            market_id=source.market_id,
            at=web.at(),
            actor=web.actor(),
            most_bytes=web.settings().max_import_bytes,
        )
        run = begin_import(session, source, upload, at=web.at(), actor=web.actor())
    except FileProblem as problem:
        session.rollback()
        return _form(code, {"file": file_problem_words(problem)}), 422
    flash(_("The file was read. Look at its columns before you go on."), "success")
    return redirect(url_for("hq.import_page", import_id=run.id))


def job_of(session: Session, run: ImportRun) -> Job | None:
    """The job that works on the import, or did last."""
    return None if run.job_id is None else session.get(Job, run.job_id)


def _form(code: str, problems: dict[str, str]) -> str:
    session = web.db()
    sources = _sources(session)
    names = dict(session.execute(select(Market.id, Market.name)).all())
    choices: list[tuple[str, str]] = [
        (each.code, f"{each.name} · {names[each.market_id]}") for each in sources
    ]
    return render_template(
        "hq/import_new.html",
        sources=[("", _("Choose one")), *choices] if len(choices) != 1 else choices,
        any_source=bool(choices),
        chosen=code,
        problems=problems,
        most=size_words(web.settings().max_import_bytes),
    )


def _sources(session: Session) -> Sequence[Source]:
    own = web.actor().whole_markets(PERMISSION)
    wanted = (
        select(Source)
        .where(Source.kind.in_(KINDS), Source.active, Source.paused_at.is_(None))
        .order_by(Source.kind != "file", Source.name)
    )
    if own is not None:
        wanted = wanted.where(Source.market_id.in_(own))
    return session.scalars(wanted).all()


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
