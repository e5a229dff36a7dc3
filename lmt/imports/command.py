"""`lmt import leads`: the operator brings in a file, by the same road as the pages."""

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


@click.command("leads")
@click.argument("file", type=_FILE)
@click.option("--source", required=True, help="Code of the source that the file comes from.")
@click.option("--dry-run", is_flag=True, help="Read it all, show what would fail, write nothing.")
@click.option("--mapping", type=_FILE, help="JSON: which column is which field.")
@click.pass_obj
def import_leads_command(
    opening: Opening, file: Path, source: str, dry_run: bool, mapping: Path | None
) -> None:
    """Leads from FILE, a table of any kind: CSV, XLSX, XLS, ODS.

    Without --mapping the columns are those of the source's last file, or guessed. Ctrl-C pauses;
    the same command goes on. Ends with 0 where every row was taken in, 1 where some failed, 3 where
    the file or the source can't be used, 130 where it was paused. Failed rows are written beside
    the file, with their reasons.
    """
    from lmt.imports.terminal import bring_in

    with opening.session() as session:
        code = bring_in(session, file, source, dry_run=dry_run, mapping=mapping)
    raise SystemExit(code)
