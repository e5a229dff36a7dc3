"""Reports asked of a real replica: a standby that follows the database, and may be behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lmt import clock, embedded
from lmt.config import Settings
from lmt.db import SessionFactory, engine_for, reading_sessions_for, sessions_for
from lmt.embedded.access import as_superuser
from lmt.embedded.account import server_account
from lmt.embedded.place import Place
from lmt.embedded.programs import programs_folder, run_program
from lmt.models import Lead, User
from lmt.reports.ask import ask
from lmt.reports.question import Question
from lmt.reports.refresh import refresh
from lmt.scope import SYSTEM, act_as
from lmt.web import Installation
from tests.world import somebody

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Replica:
    primary: Engine
    engine: Engine
    superuser: Engine

    def catch_up(self) -> None:
        """Until it shows all that the database has."""
        with self.primary.begin() as connection:
            # The tests' server leaves what is committed unwritten for a while.
            connection.execute(text("SET LOCAL synchronous_commit = on"))
            connection.execute(text("SELECT pg_logical_emit_message(true, 'test', '')"))
        with self.primary.connect() as connection:
            written = connection.scalar(text("SELECT pg_current_wal_lsn()::text"))
        reached = text("SELECT pg_last_wal_replay_lsn() >= CAST(:written AS pg_lsn)")
        until = time.monotonic() + PATIENCE_SECONDS
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not connection.scalar(reached, {"written": written}):
                assert time.monotonic() < until, "the replica does not follow"

    def stand_still(self, still: bool = True) -> None:
        with self.superuser.begin() as connection:
            verb = "pause" if still else "resume"
            connection.execute(text(f"SELECT pg_wal_replay_{verb}()"))


@pytest.fixture
def replica(
    server: embedded.EmbeddedServer, database_url: str, engine: Engine
) -> Iterator[Replica]:
    place = Place(server.instance)
    account, programs = server_account(place), programs_folder(place)

    def run(program: str, *arguments: str) -> None:
        done = run_program(place, account, programs / program, list(arguments))
        assert done.returncode == 0, done.stderr

    hba = place.data / "pg_hba.conf"
    before = hba.read_text()
    folder, port = str(server.socket_folder), "5433"
    with ExitStack() as stack:
        hba.write_text(before + "local replication all peer map=lmt\n")
        stack.callback(hba.write_text, before)
        with as_superuser(server.socket_folder) as connection:
            connection.execute("SELECT pg_reload_conf()")
        copied = ("-D", "replica", "-X", "stream", "-c", "fast", "-R", "--no-sync")
        run("pg_basebackup", "-h", folder, "-U", "postgres", *copied)
        stack.callback(run, "pg_ctl", "-D", "replica", "-m", "immediate", "-w", "stop")
        options = f"-c port={port} -c unix_socket_directories={folder} -c listen_addresses="
        run("pg_ctl", "-D", "replica", "-l", "replica.log", "-w", "-o", options, "start")
        there = engine_for(database_url.replace("port=5432", f"port={port}"))
        name = engine.url.database
        over = f"postgresql+psycopg://postgres@/{name}?host={folder}&port={port}"
        superuser = engine_for(over)
        stack.callback(there.dispose)
        stack.callback(superuser.dispose)
        yield Replica(engine, there, superuser)


def test_reports_are_read_from_the_replica_and_say_how_far_it_is(
    replica: Replica,
    app: Flask,
    settings: Settings,
    engine: Engine,
    session: Session,
    sessions: SessionFactory,
    cast: dict[str, User],
    login: Callable[[FlaskClient, User], FlaskClient],
    offered_lead: Callable[..., Lead],
) -> None:
    app.extensions["lmt"] = Installation(
        replace(settings), engine, sessions_for(engine), replica.engine
    )
    hana = login(app.test_client(), cast["hana"])
    now = clock.now()
    today = now.date()
    days = f"from={today - timedelta(days=1)}&to={today + timedelta(days=1)}"
    page = f"/reports/show?{days}&rows=market&figures=leads"
    question = Question(today - timedelta(days=1), today + timedelta(days=1), figures=("leads",))

    offered_lead(at=now, **somebody())
    refresh(sessions, clock.now())
    replica.catch_up()
    replica.stand_still()
    still_at = clock.now()
    offered_lead(at=now, **somebody())
    refresh(sessions, clock.now())

    later = clock.now() + timedelta(minutes=5)
    with act_as(reading_sessions_for(replica.engine)(), SYSTEM) as reading:
        behind = ask(reading, question, at=later, currency="EUR")
    with act_as(reading_sessions_for(engine)(), SYSTEM) as reading:
        current = ask(reading, question, at=later, currency="EUR")
    assert (behind.value("leads"), current.value("leads")) == (1, 2)
    assert behind.as_of <= still_at
    assert current.as_of == later
    assert hana.get(page).status_code == 200

    replica.stand_still(False)
    replica.catch_up()
    with act_as(reading_sessions_for(replica.engine)(), SYSTEM) as reading:
        assert ask(reading, question, at=later, currency="EUR").value("leads") == 2

    # It is asked, and never written to.
    with act_as(app.extensions["lmt"].reading_sessions(), SYSTEM) as reading:
        assert reading.scalar(text("SELECT pg_is_in_recovery()"))
        with pytest.raises(DBAPIError, match="read-only"):
            reading.execute(text("DELETE FROM lead_fact"))
