"""A file of sales at a terminal: which column is what, what fails, what became of it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import clock
from lmt.files.problems import FileProblem, file_problem_words
from lmt.imports.uploads import keep_upload, spool_folder
from lmt.models import Market, SalesFile
from lmt.sales import service
from lmt.sales.columns import problem_of
from lmt.sales.engine import file_id_of, run_sales_job
from lmt.sales.figures import figures_of
from lmt.sales.finding import grounds_of
from lmt.sales.reading import columns_of, did_come_back, read_row, reader_of, table_of
from lmt.sales.refusals import NotNow, not_now_words
from lmt.sales.words import error_words, stopped_words
from lmt.scope import SYSTEM

MOST_BYTES = 2_000_000_000
SOME_FAILED, UNUSABLE = 1, 3
"""Exit codes besides 0."""
FIRST_FAILED = 10
_READ_BYTES = 1_000_000


class Unusable(click.ClickException):
    exit_code = UNUSABLE


def bring_in(
    session: Session, path: Path, code: str, columns: Path | None, *, dry_run: bool
) -> int:

    market_id = session.scalars(select(Market.id).where(Market.code == code)).first()
    if market_id is None:
        raise Unusable(f"there is no market {code}")
    at = clock.now()
    try:
        with path.open("rb") as stream:
            upload = keep_upload(
                session, iter(lambda: stream.read(_READ_BYTES), b""), path.name,
                market_id=market_id, at=at, actor=SYSTEM, most_bytes=MOST_BYTES,
            )  # fmt: skip
        file = service.draft_of(session, upload, at=at, actor=SYSTEM)
        given = _given(columns, file)
        _show_columns(file, given)
        if dry_run:
            failed = _show_first(session, file, given)
            session.rollback()
            return SOME_FAILED if failed else 0
        session.commit()
        if given != file.columns:
            service.set_columns(session, file, given, at, SYSTEM)
        job = service.start(session, file, at, SYSTEM, here=True)
        session.expunge(job)
        run_sales_job(session, job)
    except FileProblem as problem:
        raise Unusable(file_problem_words(problem)) from problem
    except NotNow as refused:
        raise Unusable(not_now_words(refused.code)) from refused
    return _report(session, file_id_of(job))


def _given(columns: Path | None, file: SalesFile) -> dict[str, int]:
    if columns is None:
        return dict(file.columns)
    names = columns_of(file)
    try:
        told = json.loads(columns.read_text(encoding="utf-8"))
        return {field: names.index(name) for field, name in told.items()}
    except (OSError, ValueError, AttributeError) as problem:
        raise Unusable(f"{columns}: {problem}") from problem


def _show_columns(file: SalesFile, given: dict[str, int]) -> None:
    names = columns_of(file)
    for field, place in given.items():
        click.echo(f"{field:14} {names[place]}")


def _show_first(session: Session, file: SalesFile, given: dict[str, int]) -> int:
    """Reads all of it, and shows the first that fail; how many do."""
    if problem := problem_of(given, len(columns_of(file))):
        raise NotNow(problem)
    reader = reader_of(file, grounds_of(session, file.market_id, clock.now()), given)
    came_back = did_come_back(columns_of(file))
    rows = failed = 0
    with spool_folder() as folder:
        for row in table_of(session, file, folder).rows():
            rows += 1
            errors = read_row(reader, row, came_back).errors
            failed += bool(errors)
            if errors and failed <= FIRST_FAILED:
                _show_errors(row.number, [(e.code, e.field, e.given) for e in errors])
    click.echo(f"{rows} rows, {failed} would fail; nothing was kept")
    return failed


def _show_errors(number: int, errors: list[tuple[str, str, str]]) -> None:
    for code, field, given in errors:
        click.echo(f"row {number}: {error_words(code, field)} {given}".rstrip())


def _report(session: Session, file_id: uuid.UUID) -> int:
    file = session.get_one(SalesFile, file_id)
    states = figures_of(session, [file.id])[file.id]
    click.echo(
        f"{file.read} rows: {file.kept} sales, {file.repeated} repeated, {file.failed} failed"
    )
    click.echo(", ".join(f"{number} {state}" for state, number in states.items()))
    for failure in file.failures[:FIRST_FAILED]:
        _show_errors(failure["row"], [(failure["code"], failure["field"], failure["given"])])
    if file.state != "finished":
        raise Unusable(stopped_words(file) or file.state)
    return SOME_FAILED if file.failed else 0
