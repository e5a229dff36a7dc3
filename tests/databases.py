"""Databases of tests: each a copy of a template, which a file may grow by rows of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from lmt.db import SessionFactory, engine_for, sessions_for
from lmt.embedded.access import ensure_database
from lmt.scope import SYSTEM, act_as
from tests.world import World


@dataclass(frozen=True)
class Template:
    name: str
    url: str
    world: World


@contextmanager
def copy_of(template: Template, superuser: psycopg.Connection) -> Iterator[Template]:
    """A database with the same in it; dropped at the end, whoever is still connected."""
    name = f"test_{uuid.uuid4().hex}"
    ensure_database(superuser, name, template.name)
    url = make_url(template.url).set(database=name).render_as_string(hide_password=False)
    yield replace(template, name=name, url=url)
    superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def grown(
    template: Template,
    superuser: psycopg.Connection,
    grow: Callable[[SessionFactory, Session, World], None],
) -> Iterator[Template]:
    """A template with more in it, for the fixture `origin` of a file: what all of its tests begin
    with is made once, by `grow` in a session that acts for the installation."""
    with copy_of(template, superuser) as copy:
        engine = engine_for(copy.url)
        try:
            sessions = sessions_for(engine)
            with act_as(sessions(), SYSTEM) as session:
                grow(sessions, session, copy.world)
                session.commit()
        finally:
            engine.dispose()
        yield copy
