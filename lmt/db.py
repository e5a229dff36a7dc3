"""The database: declarative base, engine, sessions, time-ordered ids, waking others."""

from __future__ import annotations

import os
import select
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

import psycopg
import structlog
from sqlalchemy import DateTime, Engine, MetaData, create_engine, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

log = structlog.get_logger(__name__)

SessionFactory = sessionmaker[Session]

LONG_IDLE_SECONDS = 30

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Instants are aware and in UTC; open-ended shapes are JSONB."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


def engine_for(url: str, *, pool_size: int = 5, application_name: str = "lmt") -> Engine:
    """An engine whose connections speak UTC and give up on a lock after 10 s rather than hang."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        # An error's text would name the customer whose row it was.
        hide_parameters=True,
        connect_args={
            "application_name": application_name,
            "options": "-c timezone=UTC -c lock_timeout=10s",
        },
    )
    _ask_when_in_doubt(engine)
    return engine


def _ask_when_in_doubt(engine: Engine) -> None:
    """Ask a pooled connection whether it lives, where there is reason to doubt it.

    A server that ended, or ended the connection, has said so on the line, so a quiet line needs no
    question before every use; one that was idle for long may have been cut without a word.
    """

    def put_down(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    def pick_up(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        line = select.poll()
        line.register(connection.fileno(), select.POLLIN)
        idle_seconds = time.monotonic() - record.info.get("idle_since", time.monotonic())
        if idle_seconds < LONG_IDLE_SECONDS and not line.poll(0):
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as problem:
            raise DisconnectionError from problem

    event.listen(engine, "checkin", put_down)
    event.listen(engine, "checkout", pick_up)


def sessions_for(engine: Engine) -> SessionFactory:
    return sessionmaker(engine, expire_on_commit=False)


def reading_sessions_for(engine: Engine) -> SessionFactory:
    """Sessions that read alone, each all its life the same state of the database, so that figures
    asked one after the other agree."""
    return sessions_for(
        engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    )


def uuid7(at: datetime | None = None) -> uuid.UUID:
    """A time-ordered id (RFC 9562, version 7): 48 bits of Unix milliseconds, a counter, chance.

    `at` dates the id elsewhere than now: partitions of `event` and `intake` follow it. Ids that
    this process makes for one millisecond keep the order in which they were made.
    """
    moment = time.time() if at is None else at.timestamp()
    milliseconds = int(moment * 1000)
    entropy = int.from_bytes(os.urandom(6), "big")
    return uuid.UUID(int=_version7(milliseconds, _counter.next(milliseconds) << 48 | entropy))


class _Counter:
    """26 bits that grow within a millisecond, which may be that of a file of a million rows. The
    latest few are known, since ids dated elsewhere alternate with ids of now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[int, int] = OrderedDict()

    def next(self, milliseconds: int) -> int:
        with self._lock:
            count = self._counts[milliseconds] = self._counts.pop(milliseconds, 0) + 1
            if len(self._counts) > 64:
                self._counts.popitem(last=False)
        return min(count, 0x3FF_FFFF)


_counter = _Counter()


def uuid7_floor(at: datetime) -> uuid.UUID:
    """The smallest version-7 id of the millisecond of `at`: the edge of a partition."""
    return uuid.UUID(int=_version7(int(at.timestamp() * 1000), 0))


def _version7(milliseconds: int, entropy: int) -> int:
    high, low = (entropy >> 62) & 0xFFF, entropy & ((1 << 62) - 1)
    return milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low


def wake(session: Session, channel: str) -> None:
    """Tell listeners that there is work, when this transaction commits."""
    session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": f"lmt_{channel}"})


class Listener(threading.Thread):
    """One dedicated autocommit connection that rings `on_notice(channel)`.

    After every (re)connection it rings each channel once: what was notified while nobody
    listened is found by that sweep. Call it after a fork, never before.
    """

    def __init__(self, url: str, channels: tuple[str, ...], on_notice: Callable[[str], None]):
        super().__init__(name="listener", daemon=True)
        self._conninfo = make_url(url).set(drivername="postgresql").render_as_string(False)
        self._channels = channels
        self._on_notice = on_notice
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                self._listen()
            except psycopg.Error as problem:
                log.warning("listener.reconnecting", problem=str(problem))
                self._ended.wait(1)

    def stop(self) -> None:
        self._ended.set()

    def _listen(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            for channel in self._channels:
                connection.execute(f"LISTEN lmt_{channel}")
            for channel in self._channels:
                self._on_notice(channel)
            while not self._ended.is_set():
                for notice in connection.notifies(timeout=1):
                    self._on_notice(notice.channel.removeprefix("lmt_"))
