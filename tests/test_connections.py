"""A pooled connection that died while nobody used it is replaced before anybody notices."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from lmt import db
from lmt.db import engine_for


def backend(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def test_what_the_server_ended_meanwhile_is_replaced(database_url: str, engine: Engine) -> None:
    own = engine_for(database_url, pool_size=1)
    first = backend(own)
    assert backend(own) == first
    with engine.connect() as other:
        # Waits until the backend is gone, so that its last word is on the line.
        other.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": first})
    assert backend(own) != first
    own.dispose()


@pytest.mark.parametrize(("long_seconds", "asked"), [(3600, 0), (0, 2)])
def test_only_what_was_idle_for_long_is_asked(
    database_url: str, monkeypatch: pytest.MonkeyPatch, long_seconds: float, asked: int
) -> None:
    monkeypatch.setattr(db, "LONG_IDLE_SECONDS", long_seconds)
    own = engine_for(database_url, pool_size=1)
    backend(own)
    questions = []
    ask = own.dialect.do_ping
    monkeypatch.setattr(own.dialect, "do_ping", lambda c: questions.append(c) or ask(c))
    backend(own), backend(own)
    assert len(questions) == asked
    own.dispose()
