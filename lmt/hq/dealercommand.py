"""`lmt import dealers`: a list of dealers is looked over, and applied, on the terminal."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from lmt import clock

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy.orm import Session

    from lmt.dealerfiles.areas import DrawnAreas
    from lmt.dealerfiles.columnmap import ColumnMap
    from lmt.dealerfiles.plan import Plan
    from lmt.routing.lint import Finding

MOST_SHOWN = 50
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Unusable(click.ClickException):
    """The file, or what was said of it, can't be used at all."""

    exit_code = 3


class Opening(Protocol):
    """What the command needs of its call: a session that acts for the installation."""

    def session(self) -> AbstractContextManager[Session]: ...


@click.command("dealers")
@click.argument("file", type=_FILE)
@click.option("--market", default="", help="Its code; else each line's own, or its country's.")
@click.option("--territories", type=_FILE, help="GeoJSON whose features name the dealers' codes.")
@click.option("--mapping", type=_FILE, help="JSON: which column is which field.")
@click.option("--show-mapping", is_flag=True, help="Print which column is which field, and stop.")
@click.option("--dry-run", is_flag=True, help="Show what would happen, and write nothing.")
@click.option("--close-missing", is_flag=True, help="End the dealers that FILE doesn't name.")
@click.option("--within-km", default=100.0, show_default=True, help="Where the linter looks.")
@click.pass_obj
def import_dealers_command(
    opening: Opening,
    file: Path,
    market: str,
    territories: Path | None,
    mapping: Path | None,
    show_mapping: bool,
    dry_run: bool,
    close_missing: bool,
    within_km: float,
) -> None:
    """Add and change dealers from FILE: CSV, XLSX or ODS, one line for each.

    Ends with 0 where every line was applied, 1 where some were rejected (the others are applied
    all the same), 3 where the file can't be used.
    """
    from rich.console import Console

    from lmt.dealerfiles import service
    from lmt.files.problems import FileProblem, file_problem_words
    from lmt.files.table import opened
    from lmt.i18n import gettext as _
    from lmt.scope import SYSTEM

    if close_missing and not market:
        raise click.UsageError("--close-missing needs --market.")
    console = Console()
    at = clock.now()
    with tempfile.TemporaryDirectory() as folder, opening.session() as session:
        try:
            table = opened(file, Path(folder))
            named = _column_map(session, table.layout.columns, mapping)
            if show_mapping:
                click.echo(json.dumps(named.to_json(), ensure_ascii=False, indent=2))
                return
            rows = service.read_rows(session, table, named, at.date())
        except FileProblem as problem:
            raise Unusable(file_problem_words(problem)) from problem
        areas = _areas(territories, console)
        order = service.Order(market, areas, close_missing, file.name)
        try:
            plan, book = service.plan_import(session, rows, order, at=at, actor=SYSTEM)
        except LookupError as problem:
            raise Unusable(f"there is no market {market}") from problem
        print_plan(console, plan)
        for code in service.markets_of(plan, order):
            found = service.findings_after(session, plan, book, code, at, within_km)
            _print_findings(console, code, found)
        if dry_run:
            console.print(_("Nothing was written."))
        else:
            reason = _("Not in the list %(file)s.", file=file.name)
            plan, applied = service.apply_import(
                session, rows, order, at=at, actor=SYSTEM, reason=reason
            )
            console.print(
                f"{applied.added} added, {applied.changed} changed, {applied.closed} closed,"
                f" {len(plan.rejected)} rejected; {applied.offers_moved} running offers moved"
            )
    sys.exit(1 if plan.rejected else 0)


def _column_map(session: Session, columns: tuple[str, ...], given: Path | None) -> ColumnMap:
    from lmt.dealerfiles.columnmap import BadColumnMap, ColumnMap
    from lmt.dealerfiles.service import suggested_columns
    from lmt.dealerfiles.words import bad_map_words

    if given is None:
        return suggested_columns(session, columns)
    try:
        data = json.loads(given.read_text(encoding="utf-8-sig"))
        return ColumnMap.from_json(data, columns)
    except ValueError as problem:
        words = bad_map_words(problem) if isinstance(problem, BadColumnMap) else str(problem)
        raise Unusable(f"{given.name}: {words}") from problem


def _areas(path: Path | None, console: Console) -> DrawnAreas | None:
    from lmt.dealerfiles.areas import BadAreas, drawn_areas
    from lmt.dealerfiles.words import bad_areas_words, bad_feature_words

    if path is None:
        return None
    try:
        areas = drawn_areas(path.read_text(encoding="utf-8-sig"))
    except (BadAreas, UnicodeDecodeError) as problem:
        words = bad_areas_words(problem.code if isinstance(problem, BadAreas) else "not_geojson")
        raise Unusable(f"{path.name}: {words}") from problem
    for bad in areas.problems[:MOST_SHOWN]:
        console.print(bad_feature_words(bad), style="yellow", markup=False)
    return areas


def print_plan(console: Console, plan: Plan) -> None:
    """The plan as tables: what is rejected, added, changed field by field, ended."""
    from rich.table import Table

    from lmt.dealerfiles.words import field_words, obstacle_words, problem_words, value_words

    if plan.rejected:
        table = Table("line", "code", "dealer", "why", title=f"Rejected: {len(plan.rejected)}")
        for each in plan.rejected[:MOST_SHOWN]:
            why = "\n".join(_told(problem_words(p), p.column) for p in each.problems)
            table.add_row(*map(_plain, (str(each.number), each.code, each.name, why)))
        console.print(table)
    if plan.added:
        table = Table("line", "code", "dealer", "note", title=f"Added: {len(plan.added)}")
        for step in plan.added[:MOST_SHOWN]:
            notes = "\n".join(problem_words(note) for note in step.notes)
            table.add_row(*map(_plain, (str(step.number), step.after.code, step.after.name, notes)))
        console.print(table)
    if plan.changed:
        table = Table("line", "code", "what", "from", "to", title=f"Changed: {len(plan.changed)}")
        for step in plan.changed[:MOST_SHOWN]:
            for name, before, after in step.changes:
                table.add_row(
                    str(step.number),
                    _plain(step.after.code),
                    field_words(name),
                    _plain(value_words(name, before)),
                    _plain(value_words(name, after)),
                )
            for note in step.notes:
                table.add_row(str(step.number), _plain(step.after.code), "", "",
                              _plain(problem_words(note)))  # fmt: skip
        console.print(table)
    if plan.closing:
        title = f"To be closed: {len(plan.ending)}"
        table = Table("code", "dealer", "open leads", "what", title=title)
        for gone in plan.closing[:MOST_SHOWN]:
            what = "ends, open leads are re-routed"
            what = obstacle_words(gone.obstacle) if gone.obstacle else what
            table.add_row(
                _plain(gone.state.code), _plain(gone.state.name), str(gone.open_leads), what
            )
        console.print(table)
    for code, note in plan.told[:MOST_SHOWN]:
        console.print(f"{code}: {problem_words(note)}", markup=False)
    console.print(
        f"{plan.rows} lines: {len(plan.added)} to be added, {len(plan.changed)} to be changed,"
        f" {len(plan.unchanged)} unchanged, {len(plan.rejected)} rejected;"
        f" {len(plan.ending)} to be closed"
    )


def _print_findings(console: Console, market: str, found: list[Finding]) -> None:
    from rich.table import Table

    from lmt.hq.findingwords import finding_words

    table = Table("", "whom", "what", title=f"{market} afterwards: {len(found)} findings")
    for finding in found[:MOST_SHOWN]:
        whom = ", ".join(finding.dealers[:3]) or finding.country
        table.add_row(finding.severity, _plain(whom), _plain(finding_words(finding, "UTC").what))
    if found:
        console.print(table)


def _told(words: str, column: str) -> str:
    return f"{column}: {words}" if column else words


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
