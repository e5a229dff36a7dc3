"""`lmt`: the operator's commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lmt import clock
from lmt.collector import starting
from lmt.config import BadSetting, Settings, from_environment
from lmt.hq.command import explain_command
from lmt.hq.dealercommand import import_dealers_command
from lmt.imports.command import import_leads_command
from lmt.ingest.command import replay_deliveries_command
from lmt.logs import configure
from lmt.replay.command import replay_command
from lmt.reports.command import report_group
from lmt.sales.command import import_sales_command

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Context:
    """Settings of this call, and the database while a command runs."""

    def __init__(self) -> None:
        try:
            self.settings: Settings = from_environment()
        except BadSetting as problem:
            raise click.ClickException(str(problem)) from problem
        configure(self.settings.log_level)

    @contextmanager
    def database(self) -> Iterator[Settings]:
        """Settings with a database: a running embedded one, or one for this command alone."""
        from lmt.run import with_database

        with ExitStack() as stack:
            yield with_database(self.settings, stack)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that acts for the installation."""
        from lmt.db import engine_for, sessions_for
        from lmt.scope import SYSTEM, act_as

        with self.database() as settings:
            engine = engine_for(settings.database_url, application_name="lmt cli")
            try:
                with act_as(sessions_for(engine)(), SYSTEM) as session:
                    yield session
            finally:
                engine.dispose()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lmt")
@click.pass_context
def main(context: click.Context) -> None:
    """Lead management for car makers: the right dealer, in time, provably."""
    context.obj = Context()


@main.command()
@click.option("--demo/--no-demo", default=False, help="Fill an empty database with a demo network.")
@click.pass_obj
def run(context: Context, demo: bool) -> None:
    """Database, web and worker in one; stops with Ctrl-C."""
    with starting():
        from lmt.embedded import EmbeddedError
        from lmt.run import NotReady, serve

    try:
        sys.exit(serve(context.settings, demo=demo))
    except (NotReady, EmbeddedError) as problem:
        raise click.ClickException(str(problem)) from problem


@main.command()
@click.pass_obj
def web(context: Context) -> None:
    """The web process alone."""
    import subprocess

    from lmt.run import NotReady, refuse_demo_abroad, web_command, web_environment

    with context.database() as settings:
        try:
            refuse_demo_abroad(settings)
        except NotReady as problem:
            raise click.ClickException(str(problem)) from problem
        sys.exit(subprocess.call(web_command(settings), env=web_environment(settings)))


@main.command()
@click.pass_obj
def worker(context: Context) -> None:
    """A worker process alone; any number may run."""
    with starting():
        from lmt.worker import Worker

    with context.database() as settings:
        Worker(settings).run()


@main.command()
@click.pass_obj
def init(context: Context) -> None:
    """Create or upgrade the schema, roles and default rules."""
    from lmt.run import prepare

    with context.database() as settings:
        prepare(settings, demo=False)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print what a script needs.")
@click.pass_obj
def demo(context: Context, as_json: bool) -> None:
    """Fill an empty installation with a demo network, or say what is there."""
    from rich.console import Console
    from rich.table import Table

    from lmt.demo.fill import DemoRefused
    from lmt.run import NotReady, prepare

    with context.database() as settings:
        try:
            facts = prepare(settings, demo=True)
        except (DemoRefused, NotReady) as problem:
            raise click.ClickException(str(problem)) from problem
    assert facts is not None
    if as_json:
        click.echo(json.dumps(facts.to_json(), ensure_ascii=False, indent=2))
        return
    table = Table("role", "mail", "password", "dealer", "market")
    for account in facts.accounts:
        table.add_row(account.role, account.email, account.password, account.dealer, account.market)
    Console().print(table)


@main.group("import")
def import_() -> None:
    """Bring in what others keep."""


@import_.command("gazetteer")
@click.argument(
    "files", nargs=-1, metavar="[FILE]...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)  # fmt: skip
@click.option("--country", "countries", multiple=True, help="Load this country's cities (alpha-2).")
@click.pass_obj
def import_gazetteer(context: Context, files: tuple[Path, ...], countries: tuple[str, ...]) -> None:
    """Postcodes and places: FILEs of GeoNames, or the shipped cities of --country.

    A FILE is a postal file, a place file such as cities500.txt, or a table of postcodes with a
    heading. The rows of its countries are replaced; where one can't be read, none is loaded.
    """
    from lmt.routing.gazetteer_load import BadGazetteer, load_file, load_places

    if not files and not countries:
        raise click.UsageError("Give a FILE, or --country.")
    with context.session() as session:
        if countries:
            loaded = load_places(session, [country.upper() for country in countries])
            click.echo(f"{loaded.places} places, {loaded.names} names")
        for file in files:
            try:
                read = load_file(session, file)
            except BadGazetteer as problem:
                raise click.ClickException(f"{file.name}: {problem}") from problem
            names = f", {read.names} names" if read.names else ""
            click.echo(f"{file.name}: {read.rows} {read.kind}{names}")
        session.commit()


import_.add_command(import_leads_command)
import_.add_command(import_dealers_command)
import_.add_command(import_sales_command)


@main.group()
def route() -> None:
    """Explain routing, and try other policies on past leads."""


route.add_command(explain_command)
route.add_command(replay_command)
main.add_command(report_group)


@main.group()
def intake() -> None:
    """Deliveries that could not be read."""


intake.add_command(replay_deliveries_command)


@main.group()
def user() -> None:
    """Accounts."""


@user.command("invite")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", "role_name", required=True)
@click.option("--market", default="", help="Code of the market it sees.")
@click.option("--dealer", default="", help="Code of the dealer it sees.")
@click.option("--everywhere", is_flag=True, help="It sees all markets.")
@click.option("--language", default="en")
@click.option("--timezone", default="UTC")
@click.pass_obj
def invite(
    context: Context,
    email: str,
    name: str,
    role_name: str,
    market: str,
    dealer: str,
    everywhere: bool,
    language: str,
    timezone: str,
) -> None:
    """Make an account and print its first password, once."""
    import secrets
    from zoneinfo import ZoneInfoNotFoundError

    from sqlalchemy import select

    from lmt.accounts.service import BadAccount, Scope, create_user, ensure_roles
    from lmt.models import Dealer, Market

    if [bool(dealer), bool(market), everywhere].count(True) != 1:
        raise click.UsageError("Give one of --dealer, --market and --everywhere.")
    with context.session() as session:
        ensure_roles(session)
        market_id = dealer_id = None
        if dealer:
            dealer_id = session.scalars(select(Dealer.id).where(Dealer.code == dealer)).first()
        if market:
            market_id = session.scalars(select(Market.id).where(Market.code == market)).first()
        if not everywhere and dealer_id is None and market_id is None:
            raise click.ClickException(f"there is no {dealer or market}")
        password = secrets.token_urlsafe(12)
        try:
            create_user(
                session,
                email,
                name,
                password,
                roles=[role_name],
                scopes=[Scope(market_id=market_id, dealer_id=dealer_id)],
                language=language,
                timezone=timezone,
            )
        except (BadAccount, ZoneInfoNotFoundError) as problem:
            raise click.ClickException(str(problem)) from problem
        session.commit()
    click.echo(f"{email}  {password}")


@main.command()
@click.pass_obj
def doctor(context: Context) -> None:
    """Check settings and the live system, and say what to mend."""
    from lmt.doctor import examine

    with context.database() as settings:
        findings = examine(settings, clock.now())
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'MEND'} {finding.what}: {finding.says}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


if __name__ == "__main__":
    main()
