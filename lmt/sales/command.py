"""`lmt import sales`: the operator brings a file of sales, by the same road as the page."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Opening(Protocol):
    """What the command needs of its call: a session that acts for the installation."""

    def session(self) -> AbstractContextManager[Session]: ...


@click.command("sales")
@click.argument("file", type=_FILE)
@click.option("--market", required=True, help="Code of the market that the sales were made in.")
@click.option("--columns", type=_FILE, help="JSON: {field: the column's name}.")
@click.option("--dry-run", is_flag=True, help="Show the columns and what would fail; keep nothing.")
@click.pass_obj
def import_sales_command(
    opening: Opening, file: Path, market: str, columns: Path | None, dry_run: bool
) -> None:
    """Sales from FILE, a table of any kind, matched to the market's leads.

    Without --columns they are guessed. Ends with 0 where every row was taken in, 1 where some
    failed, 3 where the file can't be used. Where it is stopped, a worker goes on.
    """
    from lmt.sales.terminal import bring_in

    with opening.session() as session:
        code = bring_in(session, file, market, columns, dry_run=dry_run)
    raise SystemExit(code)
