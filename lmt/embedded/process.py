"""Telling our server from every other process, and whether it takes connections."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import pq

from lmt.embedded.place import POLL_SECONDS, PORT, ROLE, EmbeddedError, Place
from lmt.i18n import gettext as _


def pid_and_folder(place: Place) -> tuple[int | None, Path | None]:
    """The process number and the socket folder in postmaster.pid (lines 1 and 5), as far as read.

    https://www.postgresql.org/docs/18/storage-file-layout.html
    """
    try:
        lines = place.pid_file.read_text(errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None, None
    pid = int(lines[0]) if lines and re.fullmatch(r"\s*[0-9]{1,9}\s*", lines[0]) else None
    # The line after the folder proves that the folder was written to its end.
    folder = Path(lines[4]) if len(lines) > 5 and lines[4].startswith("/") else None
    return pid, folder


def is_alive(process: psutil.Process) -> bool:
    try:
        # A first process that never reaps (many containers) leaves zombies behind.
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def is_gone(processes: Sequence[psutil.Process], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(is_alive, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _is_ours(process: psutil.Process, cluster: str) -> bool:
    try:
        words: list[str] = process.cmdline() if process.name() == "postgres" else []
    except psutil.Error:
        return False
    is_child = " ".join(words).startswith(f"postgres: {cluster}: ")
    return (is_child or f"cluster_name={cluster}" in words) and is_alive(process)


def our_processes(place: Place) -> list[psutil.Process]:
    if not place.data.exists():
        return []
    cluster = place.cluster
    return [process for process in psutil.process_iter() if _is_ours(process, cluster)]


def postmaster(place: Place) -> psutil.Process | None:
    """The living server of this data folder, whatever its pid file says."""
    pid, _folder = pid_and_folder(place)
    with suppress(psutil.Error):
        if pid is not None and _is_ours(process := psutil.Process(pid), place.cluster):
            return process
    ours = our_processes(place)
    pids = {process.pid for process in ours}
    for process in ours:
        with suppress(psutil.Error):
            if "-D" in process.cmdline() and process.ppid() not in pids:
                return process
    return None


def answers(folder: Path) -> pq.Ping:
    conninfo = psycopg.conninfo.make_conninfo(
        host=str(folder), port=PORT, user=ROLE, dbname="postgres", connect_timeout=5
    )
    return pq.Ping(pq.PGconn.ping(conninfo.encode()))


def ready_folder(place: Place, process: psutil.Process, deadline: float) -> Path | None:
    """The socket folder once connections are accepted; None when the process ends before."""
    while True:
        _pid, folder = pid_and_folder(place)
        if folder is not None and answers(folder) == pq.Ping.OK:
            return folder
        if not is_alive(process):
            return None
        if time.monotonic() > deadline:
            raise EmbeddedError(
                _(
                    "The database in %(path)s is not ready yet; it may still be recovering."
                    " Try again later.",
                    path=place.data,
                )
            )
        time.sleep(POLL_SECONDS)
