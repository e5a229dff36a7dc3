"""`lmt report show`: a report in the terminal, or as a file, of all that there is."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from lmt import clock

if TYPE_CHECKING:
    from rich.table import Table

    from lmt.config import Settings
    from lmt.reports.answer import Answer
    from lmt.reports.wording import Names

MOST_ROWS = 50
_File = click.Path(dir_okay=False, writable=True, path_type=Path)


class Opening(Protocol):
    """What the command needs of its call: settings with a database that runs."""

    def database(self) -> AbstractContextManager[Settings]: ...


@click.command("show")
@click.argument("name")
@click.option("--period", default="", help="Such as last_quarter; default: the report's own.")
@click.option("--from", "first", default="", metavar="DAY", help="The first day, as 2026-03-31.")
@click.option("--to", "last", default="", metavar="DAY", help="The last day.")
@click.option("--rows", default=None, help="A dimension, such as dealer; '' for none.")
@click.option("--columns", default=None, help="A second one.")
@click.option("--figures", default="", help="Codes with commas between.")
@click.option("--csv", "csv_file", type=_File, help="Write the raw numbers.")
@click.option("--xlsx", "xlsx_file", type=_File, help="The same as a workbook, with definitions.")
@click.option("--json", "is_json", is_flag=True, help="Print what the API answers.")
@click.pass_obj
def show_command(
    opening: Opening,
    name: str,
    period: str,
    first: str,
    last: str,
    rows: str | None,
    columns: str | None,
    figures: str,
    csv_file: Path | None,
    xlsx_file: Path | None,
    is_json: bool,
) -> None:
    """Ask the report NAME: the code of a standard one, the number of a saved one, or `any`."""
    given = {"period": period, "from": first, "to": last, "figures": figures}
    told = {key: [value] for key, value in given.items() if value}
    told |= {
        key: [value]
        for key, value in {"rows": rows, "columns": columns}.items()
        if value is not None
    }
    with opening.database() as settings:
        answer, names = _asked(settings, name, told)
    if csv_file is not None:
        from lmt.reports.export import csv_lines

        csv_file.write_text("".join(csv_lines(answer)), encoding="utf-8", newline="")
    if xlsx_file is not None:
        from lmt.reports.export import xlsx

        with xlsx_file.open("wb") as out:
            xlsx(answer, out, names, title=name)
    if is_json:
        from lmt.reports.asjson import as_json

        click.echo(json.dumps(as_json(answer), ensure_ascii=False, indent=2))
    elif csv_file is None and xlsx_file is None:
        _print(answer, names)


def _asked(settings: Settings, name: str, told: dict[str, list[str]]) -> tuple[Answer, Names]:
    """Raises ClickException for a report that isn't there, and for what can't be used."""
    from lmt.db import engine_for, reading_sessions_for
    from lmt.models import SavedReport
    from lmt.reports.ask import ask
    from lmt.reports.reading import names_in, parameters_of, question_for, week_start_of
    from lmt.reports.standard import BY_CODE
    from lmt.scope import SYSTEM, act_as

    url = settings.reports_database_url or settings.database_url
    engine = engine_for(url, application_name="lmt report")
    at = clock.now()
    try:
        with act_as(reading_sessions_for(engine)(), SYSTEM) as session:
            begun: dict[str, list[str]] = {}
            saved = session.get(SavedReport, int(name)) if name.isdecimal() else None
            if saved is not None:
                begun = parameters_of(saved.address)
            elif name in BY_CODE:
                begun = {"report": [name]}
            elif name != "any":
                raise click.ClickException(
                    f"no report {name!r}; there are {', '.join([*BY_CODE, 'any'])}"
                )
            week_start = week_start_of(session)
            question, problems = question_for(
                session, told, at=at, week_start=week_start, begun=begun
            )
            if problems:
                raise click.ClickException(
                    "; ".join(f"{each.parameter}: {each.code} {each.given!r}" for each in problems)
                )
            answer = ask(
                session, question, at=at, currency=settings.currency, week_start=week_start
            )
            return answer, names_in(session, question, answer, at)
    finally:
        engine.dispose()


def _print(answer: Answer, names: Names) -> None:
    from rich.console import Console

    from lmt.reports.wording import question_words

    console = Console()
    console.print(question_words(answer.question, names), highlight=False, markup=False)
    console.print(_table(answer, names))
    left = len(answer.rows) - MOST_ROWS
    if left > 0:
        console.print(f"and {left} more rows: --csv or --xlsx has all")


def _table(answer: Answer, names: Names) -> Table:
    """A column for each figure, or of two dimensions the first figure across."""
    from rich.markup import escape
    from rich.table import Table

    from lmt.reports.chartdata import value_of
    from lmt.reports.figures import BY_CODE
    from lmt.reports.wording import dimension_name, figure_text

    question = answer.question
    across = [key.value for key in answer.columns] if question.columns else []
    codes = question.figures[:1] if across else question.figures
    heads = [key.name for key in answer.columns] if across else []
    heads += ["All"] if across else [str(BY_CODE[code].name) for code in codes]

    def line(row: str | None) -> list[str]:
        places = [*across, None] if across else [None]
        return [
            figure_text(
                code, value_of(code, answer.tally(row, place), answer.currency), answer.currency
            )
            for place in places
            for code in codes
        ]

    table = Table(title=str(BY_CODE[codes[0]].name) if across else None)
    table.add_column(escape(dimension_name(question.rows, names)))
    for head in heads:
        table.add_column(escape(head), justify="right")
    if question.rows:
        for key in answer.rows[:MOST_ROWS]:
            table.add_row(escape(key.name), *line(key.value))
        table.add_section()
    table.add_row("All", *line(None), style="bold")
    return table
