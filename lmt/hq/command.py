"""`lmt route explain`: why a lead went where it went, on the terminal."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import click

from lmt import clock

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from lmt.hq.explain import DecisionWords


class Opening(Protocol):
    """What the command needs of its call: a session that acts for the installation."""

    def session(self) -> AbstractContextManager[Session]: ...


@click.command("explain")
@click.argument("lead")
@click.pass_obj
def explain_command(opening: Opening, lead: str) -> None:
    """Why did this dealer get LEAD (its reference or id)?"""
    from rich.console import Console
    from sqlalchemy import select

    from lmt.hq.onelead import lead_view
    from lmt.labels import label
    from lmt.models import Lead

    with opening.session() as session:
        found = session.scalars(select(Lead.id).where(_named(lead))).first()
        view = None if found is None else lead_view(session, found, at=clock.now())
        if view is None:
            raise click.ClickException(f"there is no lead {lead}")
        console = Console()
        console.print(f"{view.lead.reference}: {label('status', view.lead.status)}")
        for stored, words in reversed(view.decisions):
            console.print(_explanation(stored.at.isoformat(timespec="seconds"), words))


def _named(lead: str) -> ColumnElement[bool]:
    from sqlalchemy import or_

    from lmt.models import Lead

    try:
        return or_(Lead.id == uuid.UUID(lead), Lead.reference == lead)
    except ValueError:
        return Lead.reference == lead.upper()


def _explanation(at: str, words: DecisionWords) -> Table:
    from rich.table import Table

    title = " · ".join(part for part in (at, words.how or words.cause, words.policy) if part)
    table = Table("dealer", "distance", "open", "verdict", title=title, title_justify="left")
    for ranked in words.ranked:
        distance = "\n".join(part for part in (ranked.distance, ranked.road) if part)
        verdict = "★" if ranked.chosen else ranked.why
        table.add_row(f"{ranked.code} {ranked.dealer}", distance, ranked.hours, verdict)
    for refused in words.refused:
        verdict = ": ".join(part for part in (refused.reason, refused.figures) if part)
        table.add_row(f"{refused.code} {refused.dealer}", refused.distance, "", verdict)
    if words.more_refused:
        table.add_row("…", "", "", f"+{words.more_refused}")
    if words.look_again_at is not None:
        table.caption = f"looked at again {words.look_again_at:%Y-%m-%d %H:%M} UTC"
    return table
