"""`lmt report`: the operator makes the figures of reports anew, or has them checked."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import click

from lmt import clock
from lmt.reports.showcommand import show_command

if TYPE_CHECKING:
    from lmt.config import Settings


class Opening(Protocol):
    """What the commands need of their call: settings with a database that runs."""

    def database(self) -> AbstractContextManager[Settings]: ...


@click.group("report")
def report_group() -> None:
    """The figures of reports."""


report_group.add_command(show_command)


@report_group.command()
@click.pass_obj
def rebuild(opening: Opening) -> None:
    """Make all facts anew from the leads, and add all months up anew.

    Reports go on meanwhile. Killed and begun again, nothing is lost.
    """
    from lmt.db import engine_for, sessions_for
    from lmt.reports import rollups

    with opening.database() as settings:
        engine = engine_for(settings.database_url, application_name="lmt report")
        try:
            leads, months = rollups.rebuild(
                sessions_for(engine), clock.now(), progress=lambda done: click.echo(f"{done} leads")
            )
        finally:
            engine.dispose()
    click.echo(f"{leads} leads made anew, {months} months of markets added up")


@report_group.command()
@click.pass_obj
def check(opening: Opening) -> None:
    """Compare what reports count with the leads themselves; exit 1 where they differ."""
    from lmt.db import engine_for, reading_sessions_for
    from lmt.reports.checking import check as compare
    from lmt.scope import SYSTEM, act_as

    with opening.database() as settings:
        engine = engine_for(settings.database_url, application_name="lmt report")
        try:
            with act_as(reading_sessions_for(engine)(), SYSTEM) as session:
                found = compare(session, clock.now())
        finally:
            engine.dispose()
    for each in found.differences:
        click.echo(f"{each.what}: {each.says}")
    click.echo(
        f"{found.leads} leads and {found.months} months of markets compared,"
        f" {found.late} leads are still to be made anew"
    )
    sys.exit(1 if found.differences else 0)
