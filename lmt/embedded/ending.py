"""Ending the server: cleanly while it lives, and what a killed one left behind."""

from __future__ import annotations

import signal
from contextlib import suppress

import psutil
import structlog
from psycopg import pq

from lmt.embedded.place import STOP_SECONDS, EmbeddedError, Place
from lmt.embedded.process import (
    answers,
    is_alive,
    is_gone,
    our_processes,
    pid_and_folder,
    postmaster,
)
from lmt.i18n import gettext as _

QUIT_SECONDS = 5  # PostgreSQL's own patience between SIGQUIT and SIGKILL

log = structlog.get_logger(__name__)


def clear_remains(place: Place) -> None:
    """End what a killed server left: its orphaned children and its pid file."""
    orphans = our_processes(place)
    for number, seconds in ((signal.SIGQUIT, QUIT_SECONDS), (signal.SIGKILL, QUIT_SECONDS)):
        for process in filter(is_alive, orphans):
            with suppress(psutil.Error):
                process.send_signal(number)
        if is_gone(orphans, seconds):
            break
    if not place.pid_file.exists():
        return
    _pid, folder = pid_and_folder(place)
    if folder is not None and answers(folder) in (pq.Ping.OK, pq.Ping.REJECT):
        # Seen when two containers share a folder: neither sees the other's processes.
        raise EmbeddedError(
            _("A server that is not visible from here already uses %(path)s.", path=place.data)
        )
    log.info("embedded_pid_file_removed", path=str(place.pid_file))
    place.pid_file.unlink(missing_ok=True)


def shut_down(place: Place) -> None:
    process = postmaster(place)
    if process is None:
        return
    _pid, folder = pid_and_folder(place)
    for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 2 * QUIT_SECONDS)):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        if is_gone([process], seconds):
            break
        log.warning("embedded_stop_is_slow", data=str(place.data), pid=process.pid)
    else:
        raise EmbeddedError(_("PostgreSQL in %(path)s does not stop.", path=place.data))
    if folder is not None and folder.parent != place.home:
        with suppress(OSError):
            folder.rmdir()
    log.info("embedded_stopped", data=str(place.data))
