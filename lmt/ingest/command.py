"""`lmt intake replay`: the operator takes deliveries out of quarantine once they can be read."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import click

from lmt import clock

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Opening(Protocol):
    """What the command needs of its call: a session that acts for the installation."""

    def session(self) -> AbstractContextManager[Session]: ...


@click.command("replay")
@click.argument("intake_id", metavar="[ID]", type=click.UUID, required=False)
@click.option("--source", default="", help="Code of a source: everything that waits of it.")
@click.pass_obj
def replay_deliveries_command(opening: Opening, intake_id: UUID | None, source: str) -> None:
    """Take in again what is in quarantine: the delivery ID, all of a source, or everything.

    Oldest first. A delivery that is a lead by now stays that one lead. Ends with 1 where something
    still can't be read.
    """
    from lmt.ingest.replaying import OUTCOMES, once_more, waiting_deliveries
    from lmt.scope import SYSTEM

    if intake_id is not None and source:
        raise click.UsageError("Give an ID or --source, not both.")
    with opening.session() as session:
        try:
            ids = [intake_id] if intake_id else waiting_deliveries(session, source, clock.now())
        except LookupError as problem:
            raise click.ClickException(f"there is no source {source}") from problem
        counts: Counter[str] = Counter()
        for each in ids:
            outcome, leads = once_more(session, each, clock.now(), SYSTEM)
            counts[outcome] += 1
            counts["leads"] += leads
            click.echo(f"{each}  {outcome}")
    click.echo(", ".join(f"{counts[name]} {name}" for name in (*OUTCOMES, "paused", "unknown")))
    if counts["unreadable"] or counts["unknown"]:
        raise SystemExit(1)
