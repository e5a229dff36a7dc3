"""`lmt route replay`: the operator asks what a policy would have done with past leads."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from lmt import clock

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_FILE = click.Path(dir_okay=False, path_type=Path)


class Opening(Protocol):
    """What the command needs of its call: a session that acts for the installation."""

    def session(self) -> AbstractContextManager[Session]: ...


@click.command("replay")
@click.argument("policy")
@click.option("--changes", type=_FILE, help="JSON: settings of dealers to try, by dealer's code.")
@click.option("--market", default="", help="Code of the market; a draft knows its own.")
@click.option("--from", "from_at", type=click.DateTime(), help="Leads received since (UTC).")
@click.option("--to", "to_at", type=click.DateTime(), help="Leads received before (UTC).")
@click.option("--brand", "brands", multiple=True, help="Only leads of this brand.")
@click.option("--request-type", "request_types", multiple=True, help="Only such requests.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--csv", "csv_file", type=_FILE, help="Write every moved lead to this file.")
@click.pass_obj
def replay_command(
    opening: Opening,
    policy: str,
    changes: Path | None,
    market: str,
    from_at: datetime | None,
    to_at: datetime | None,
    brands: tuple[str, ...],
    request_types: tuple[str, ...],
    as_json: bool,
    csv_file: Path | None,
) -> None:
    """What would POLICY have done with past leads? A draft's id, or a JSON file of settings.

    The last 30 days, unless told otherwise. Nothing is written.
    """
    from lmt.replay.printing import print_replay

    with opening.session() as session:
        print_replay(
            session,
            clock.now(),
            policy,
            changes=changes,
            market=market,
            from_at=from_at,
            to_at=to_at,
            brands=brands,
            request_types=request_types,
            as_json=as_json,
            csv_file=csv_file,
        )
