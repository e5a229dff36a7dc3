"""What the rest of the product asks of the embedded server: start, stop, and databases."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import structlog
from psycopg import sql

from lmt.embedded.access import as_superuser, ensure_database, ensure_login, password_of, url_for
from lmt.embedded.ending import shut_down
from lmt.embedded.launch import launched_folder, running_folder
from lmt.embedded.place import STOP_SECONDS, Place, locked

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})

log = structlog.get_logger(__name__)
_holds: dict[Path, int] = {}


@dataclass(frozen=True)
class EmbeddedServer:
    """A running server, ready for connections.

    `url` is SQLAlchemy's (psycopg driver) and carries the password; `started_here` tells whether
    this call started it or found it running; `socket_folder` is absolute, mode 0700.
    """

    url: str
    started_here: bool
    instance: Path
    socket_folder: Path

    def __repr__(self) -> str:
        return f"EmbeddedServer(instance={self.instance}, started_here={self.started_here})"

    def stop(self) -> None:
        """Stop the server of this instance, whoever else still uses it."""
        stop(self.instance)


def start(
    instance: Path,
    *,
    database: str = "lmt",
    wait_seconds: float = 60,
    settings: Mapping[str, str] = NO_SETTINGS,
) -> EmbeddedServer:
    """Attach to the healthy server of `instance`, else start one, and ensure `database`.

    The server outlives this process, its forks and a Ctrl-C: the owner calls `stop`. `settings`
    (PostgreSQL parameters) count only when a server is started. Raises EmbeddedError when the
    server cannot be made, or is not ready within `wait_seconds` (a long recovery then goes on, and
    the next call attaches).
    """
    place = Place(instance)
    server, hold = _entered(place, database, wait_seconds, settings)
    if _holds.setdefault(place.instance, hold) != hold:
        os.close(hold)
    return server


def stop(instance: Path) -> None:
    """Shut the server of `instance` down, fast and clean; nothing happens when none runs.

    Raises EmbeddedError when it does not end.
    """
    place = Place(instance)
    hold = _holds.pop(place.instance, None)
    if hold is not None:
        os.close(hold)
    if place.home.exists():
        with locked(place, time.monotonic() + STOP_SECONDS):
            shut_down(place)


@contextmanager
def attached(
    instance: Path,
    *,
    database: str = "lmt",
    wait_seconds: float = 60,
    settings: Mapping[str, str] = NO_SETTINGS,
) -> Iterator[EmbeddedServer]:
    """The server for a lone command: attaches, else starts; the last user to leave stops it."""
    place = Place(instance)
    server, hold = _entered(place, database, wait_seconds, settings)
    try:
        yield server
    finally:
        # Closed, not unlocked: a forked child that still uses the server keeps the lock.
        os.close(hold)
        with locked(place, time.monotonic() + STOP_SECONDS):
            probe = place.open(place.users_file)
            try:
                fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shut_down(place)
            except BlockingIOError:
                log.debug("embedded_still_used", instance=str(place.instance))
            finally:
                os.close(probe)


def create_database(server: EmbeddedServer, name: str, *, template: str = "template0") -> str:
    """Create `name`, owned by `lmt`, unless it exists; returns its SQLAlchemy URL.

    Another `template` is copied whole; nobody may be connected to it meanwhile.
    """
    with as_superuser(server.socket_folder) as connection:
        ensure_database(connection, name, template)
    return url_for(password_of(Place(server.instance)), name, server.socket_folder)


def drop_database(server: EmbeddedServer, name: str) -> None:
    """Drop `name` if it exists, ending the connections to it."""
    with as_superuser(server.socket_folder) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def _entered(
    place: Place, database: str, wait_seconds: float, settings: Mapping[str, str]
) -> tuple[EmbeddedServer, int]:
    """The ready server and a descriptor that holds the shared lock of its users."""
    deadline = time.monotonic() + wait_seconds
    with locked(place, deadline):
        folder = running_folder(place, deadline)
        started = folder is None
        try:
            if folder is None:
                folder = launched_folder(place, settings, deadline)
            password = password_of(place)
            ensure_login(folder, password, database)
            hold = place.open(place.users_file)
            fcntl.flock(hold, fcntl.LOCK_SH)
        except (KeyboardInterrupt, SystemExit):
            if started:
                shut_down(place)
            raise
    return EmbeddedServer(
        url_for(password, database, folder), started, place.instance, folder
    ), hold
