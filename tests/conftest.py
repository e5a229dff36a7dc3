"""Real PostgreSQL for every test that touches data: a fresh copy of a migrated database each."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask import session as flask_session
from flask.testing import FlaskClient
from flask_security.utils import login_user
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session
from sqlalchemy.util import LRUCache

from lmt import embedded, pipeline
from lmt.app import create_app
from lmt.config import Settings, from_environment
from lmt.db import SessionFactory, engine_for, sessions_for
from lmt.embedded.access import as_superuser
from lmt.models import Lead, User
from lmt.scope import SYSTEM, act_as
from lmt.web import Installation, limiter
from tests.databases import Template, copy_of
from tests.world import FRIDAY, World, build, send, warsaw_lead

MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 6_000_000_000
ENVIRONMENT = {
    "LMT_SECRET_KEY": "a secret of the tests, of no worth elsewhere",
    "LMT_BASE_URL": "http://localhost",
}
UNSAFE_BUT_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "scram_iterations": "1",
}


def _quick_folder() -> Path | None:
    """Thousands of databases are made and dropped again: in memory, where there is plenty of it.

    None for the usual folder, also with LMT_TESTS_ON_DISK: the long tests fill theirs.
    """
    if os.environ.get("LMT_TESTS_ON_DISK") or not os.access(MEMORY, os.W_OK):
        return None
    free_bytes = min(psutil.disk_usage(str(MEMORY)).free, psutil.virtual_memory().available)
    return MEMORY if free_bytes > ENOUGH_BYTES else None


@pytest.fixture(scope="session")
def server() -> Iterator[embedded.EmbeddedServer]:
    # Not below pytest's own folder: the next run closes that to all but its user, and a server
    # that root started runs as another.
    with TemporaryDirectory(prefix="lmt-tests-", dir=_quick_folder()) as folder:
        running = embedded.start(Path(folder), settings=UNSAFE_BUT_FAST)
        yield running
        running.stop()


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Accounts are made by the hundred, and what the hash of a password costs is no test's
    business: it keeps its own cost in its text."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lmt.accounts.service._hasher", PasswordHasher(1, 8, 1))
        yield


@pytest.fixture(scope="session")
def template(server: embedded.EmbeddedServer) -> Template:
    """The migrated database with the small world in it, of which every test gets a copy."""
    url = embedded.create_database(server, "template_world")
    engine = engine_for(url)
    try:
        return Template("template_world", url, build(engine))
    finally:
        engine.dispose()


@pytest.fixture
def empty_url(server: embedded.EmbeddedServer) -> Iterator[str]:
    """A database with nothing in it at all."""
    name = f"empty_{uuid.uuid4().hex}"
    yield embedded.create_database(server, name)
    embedded.drop_database(server, name)


@pytest.fixture(scope="session")
def superuser(server: embedded.EmbeddedServer) -> Iterator[psycopg.Connection]:
    """Makes and drops the databases of all tests; logging in takes as long as that."""
    with as_superuser(server.socket_folder) as connection:
        yield connection


@pytest.fixture(scope="module")
def origin(template: Template) -> Template:
    """Of what each test of a file gets a copy; a file with more rows that all of its tests begin
    with has its own, `grown` from this one."""
    return template


@pytest.fixture
def database_url(origin: Template, superuser: psycopg.Connection) -> Iterator[str]:
    with copy_of(origin, superuser) as copy:
        yield copy.url


@pytest.fixture
def world(template: Template) -> World:
    return template.world


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    own = {"LMT_INSTANCE": str(tmp_path / "instance"), "DATABASE_URL": database_url}
    return from_environment({**ENVIRONMENT, **own})


@pytest.fixture(scope="session")
def compiled(template: Template) -> Engine:
    """Remembers what statements compile to: the next test asks much the same."""
    engine = engine_for(template.url)
    engine.connect().close()
    engine.dispose()
    engine._compiled_cache = LRUCache(2_000)
    return engine


@pytest.fixture
def engine(database_url: str, compiled: Engine) -> Iterator[Engine]:
    engine = engine_for(database_url, pool_size=20)
    # It would ask each database anew of what kind and version its server is.
    engine.dialect.initialize = lambda connection: None  # type: ignore[method-assign]
    # A compiled statement belongs to a dialect, and each engine would have one of its own.
    engine.dialect, engine._compiled_cache = compiled.dialect, compiled._compiled_cache
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> SessionFactory:
    return sessions_for(engine)


@pytest.fixture
def session(sessions: SessionFactory) -> Iterator[Session]:
    """Acts for the installation itself."""
    with act_as(sessions(), SYSTEM) as session:
        yield session


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once, and not for the application of every test."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture(scope="session")
def shared_app(compiled_templates: FileSystemBytecodeCache) -> Flask:
    """Made once: hundreds of routes take a tenth of a second to compile."""
    environment = {"DATABASE_URL": "postgresql://nowhere/nothing", **ENVIRONMENT}
    settings = from_environment(environment)
    app = create_app(settings, engine=engine_for(settings.database_url))
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    app.jinja_env.bytecode_cache = compiled_templates
    return app


@pytest.fixture
def app(shared_app: Flask, settings: Settings, engine: Engine) -> Iterator[Flask]:
    """The application on the test's own database; what a test sets in it ends with the test."""
    config, extensions = dict(shared_app.config), dict(shared_app.extensions)
    shared_app.extensions["lmt"] = Installation(replace(settings), engine, sessions_for(engine))
    limiter.reset()
    yield shared_app
    # What it remembers of one database's forms isn't true of the next.
    for kept, before in ((shared_app.config, config), (shared_app.extensions, extensions)):
        kept.clear()
        kept.update(before)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def cast(session: Session, world: World) -> dict[str, User]:
    users = session.scalars(select(User).where(User.id.in_(world.users.values())))
    by_id = {user.id: user for user in users}
    return {name: by_id[id] for name, id in world.users.items()}


@pytest.fixture
def login(app: Flask) -> Callable[[FlaskClient, User], FlaskClient]:
    """Log a client in as the real login page does.

    The page itself, and what it asks for, is tested by itself: a password takes a fifth of a
    second to check, as it must, and most tests are about something else.
    """

    def log_in(client: FlaskClient, user: User) -> FlaskClient:
        with app.test_request_context():
            login_user(user)
            told = dict(flask_session)
        with client.session_transaction() as kept:
            kept.update(told)
        return client

    return log_in


@pytest.fixture
def sent_lead(session: Session) -> Callable[..., Lead]:
    """A lead from Warsaw, received but not routed; keywords change the customer."""

    def make(source: str = "api-pl", at: datetime = FRIDAY, **customer: str) -> Lead:
        return send(session, source, warsaw_lead(**customer), at)

    return make


@pytest.fixture
def offered_lead(
    sessions: SessionFactory, session: Session, sent_lead: Callable[..., Lead]
) -> Callable[..., Lead]:
    """A lead from Warsaw, offered to PL-WAW-1."""

    def make(at: datetime = FRIDAY, **customer: str) -> Lead:
        lead = sent_lead(at=at, **customer)
        pipeline.advance(sessions, lead.id, at)
        session.expire_all()
        return lead

    return make


@pytest.fixture
def count_queries(engine: Engine) -> Iterator[list[str]]:
    """The statements run while the fixture lives; clear it before what is counted."""
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


BEGIN_WITH = (
    "test_virtual", "test_browser", "test_import_soak", "test_caps_race", "test_crash",
    "test_hostile_files", "test_mailbox", "test_scope",
)  # fmt: skip
"""Files of few but long tests: begun first, so that no core waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.name.startswith(BEGIN_WITH))
