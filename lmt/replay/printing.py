"""Prints a replay at a terminal: a table, JSON, or a file with every lead that would have moved."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from sqlalchemy.orm import Session

from lmt.labels import label
from lmt.replay.figures import Figures, Side, Spread
from lmt.replay.question import USUAL_DAYS, BadQuestion, Question
from lmt.replay.service import Replay, market_named, replay, settings_of_draft
from lmt.replay.whatif import BadChange
from lmt.routing.policy import PolicyError

MOST_ROWS = 20

_COLUMNS = (
    "reference", "decided_at", "lat", "lon", "from_dealer", "to_dealer", "from_km", "to_km",
    "from_open", "to_open", "from_cause", "to_cause",
)  # fmt: skip


def print_replay(
    session: Session,
    at: datetime,
    policy: str,
    *,
    changes: Path | None = None,
    market: str = "",
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    brands: tuple[str, ...] = (),
    request_types: tuple[str, ...] = (),
    as_json: bool = False,
    csv_file: Path | None = None,
) -> None:
    """Replay a policy, a draft's id or the path of a JSON settings file, and print what it found.

    `changes` is a JSON file of dealers' settings to try, by code. Days without a zone are UTC.
    Raises click.ClickException where it can't be replayed.
    """
    try:
        settings: dict[str, Any] | None
        if policy.isdecimal():
            market_id, settings = settings_of_draft(session, int(policy))
        else:
            market_id, settings = market_named(session, market), _read_json(Path(policy))
        until = _aware(to_at) or at
        question = Question(
            market_id,
            _aware(from_at) or until - timedelta(days=USUAL_DAYS),
            until,
            settings=settings,
            changes={} if changes is None else _read_json(changes),
            brands=brands,
            request_types=request_types,
        )
        found = _with_progress(session, question, at, quiet=as_json)
    except (BadChange, BadQuestion, PolicyError) as problem:
        raise click.ClickException(str(problem)) from problem
    if csv_file is not None:
        with csv_file.open("w", encoding="utf-8", newline="") as file:
            write_moves(file, found)
    if as_json:
        click.echo(json.dumps(found.figures.to_json(), ensure_ascii=False, indent=2))
        return
    console = Console()
    console.print(_summary(found.figures))
    if found.figures.dealers:
        console.print(_by_dealer(found.figures))


def write_moves(file: IO[str], found: Replay) -> None:
    """Every moved lead as a line of CSV, with a heading; opened with newline=""."""
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for result in found.moves():
        case, was, would_be = result.case, result.before.choice, result.after.choice
        codes = [
            "" if number is None else found.dealers[number].code
            for number in (was.dealer_id, would_be.dealer_id)
        ]
        writer.writerow(
            [
                case.reference,
                case.at.isoformat(),
                case.lead.lat,
                case.lead.lon,
                *codes,
                was.distance_km,
                would_be.distance_km,
                *(
                    "" if choice.dealer_id is None else int(choice.opens_at is None)
                    for choice in (was, would_be)
                ),
                was.cause,
                would_be.cause,
            ]
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise click.ClickException(f"{path}: {problem.strerror}") from problem
    except ValueError as problem:
        raise click.ClickException(f"{path}: {problem}") from problem
    if not isinstance(plain, dict):
        raise click.ClickException(f"{path}: an object is needed")
    return plain


def _aware(at: datetime | None) -> datetime | None:
    return at if at is None or at.utcoffset() is not None else at.replace(tzinfo=UTC)


def _with_progress(session: Session, question: Question, at: datetime, *, quiet: bool) -> Replay:
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task: TaskID = bar.add_task("", total=None)
        return replay(
            session, question, at, lambda done, total: bar.update(task, completed=done, total=total)
        )


def _summary(figures: Figures) -> Table:
    share = f" ({figures.moved / figures.leads:.1%})" if figures.leads else ""
    title = f"{figures.leads} leads, {figures.moved} moved{share}"
    table = Table("", "before", "after", title=title, title_justify="left")
    before, after = figures.before, figures.after
    for name, cells in (
        ("with a dealer", [str(side.routed) for side in (before, after)]),
        ("to an open door", [str(side.open_at_once) for side in (before, after)]),
        ("km", [_spread(side.km) for side in (before, after)]),
        ("minutes to opening", [_spread(side.wait_minutes) for side in (before, after)]),
        ("minutes to answer", [_spread(side.answer_minutes) for side in (before, after)]),
        ("promises kept", [_promises(side) for side in (before, after)]),
    ):
        table.add_row(name, *cells)
    for cause in sorted({*before.nobody, *after.nobody}):
        counts = [str(side.nobody.get(cause, 0)) for side in (before, after)]
        table.add_row(label("cause", cause), *counts)
    return table


def _spread(spread: Spread) -> str:
    if spread.mean is None or spread.median is None:
        return ""
    return f"mean {spread.mean:.1f}, median {spread.median:.1f}, total {spread.total:.0f}"


def _promises(side: Side) -> str:
    promises = side.promises
    if promises.share is None:
        return ""
    return f"{promises.share:.1%} of {promises.judged} ({promises.estimated} estimated)"


def _by_dealer(figures: Figures) -> Table:
    table = Table("dealer", "", "before", "after", "gained", "lost")
    for each in figures.dealers[:MOST_ROWS]:
        numbers = (each.before, each.after, each.gained, each.lost)
        table.add_row(each.code, each.name, *map(str, numbers))
    if len(figures.dealers) > MOST_ROWS:
        table.add_row("…", f"+{len(figures.dealers) - MOST_ROWS}")
    return table
