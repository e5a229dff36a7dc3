"""Attaching to the healthy server of an instance, else making its data folder and a server."""

from __future__ import annotations

import os
import pwd
import secrets
import shlex
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from lmt.embedded.account import let_read, let_through, make_home, server_account
from lmt.embedded.ending import clear_remains, shut_down
from lmt.embedded.place import (
    POLL_SECONDS,
    PORT,
    SUPERUSER,
    EmbeddedError,
    Place,
    socket_folder,
)
from lmt.embedded.process import is_alive, pid_and_folder, postmaster, ready_folder
from lmt.embedded.programs import programs_folder, run_program
from lmt.i18n import gettext as _

HBA = "local all {superuser} peer map=lmt\nlocal all all scram-sha-256\n"
STANDING_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # One file a day, overwritten after a week: the log stays bounded.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_checkpoints": "off",
}

log = structlog.get_logger(__name__)


def running_folder(place: Place, deadline: float) -> Path | None:
    """The socket folder of the healthy server of this instance; None when none runs."""
    process = postmaster(place)
    if process is None:
        return None
    patience = time.monotonic() + 2
    while pid_and_folder(place)[0] != process.pid or pid_and_folder(place)[1] is None:
        if not is_alive(process):
            return None
        if time.monotonic() > patience:
            # PostgreSQL ends within a minute once its pid file is wrong: better now, and clean.
            log.warning("embedded_pid_file_damaged", path=str(place.pid_file), pid=process.pid)
            shut_down(place)
            return None
        time.sleep(POLL_SECONDS)
    return ready_folder(place, process, deadline)


def launched_folder(place: Place, settings: Mapping[str, str], deadline: float) -> Path:
    account = server_account(place)
    clear_remains(place)
    make_home(place, account)
    programs = programs_folder(place)
    if account is not None:
        let_through(account, place.instance)
        package = programs.parent.parent
        for root in (programs.parent, package.with_name(f"{package.name}.libs")):
            if root.is_dir():
                let_read(account, root)
    if not (place.data / "PG_VERSION").exists():
        _initialise(place, account, programs, is_synced=settings.get("fsync", "on") != "off")
    folder = socket_folder(place, account)
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (folder / name).unlink(missing_ok=True)
    names = {account.pw_name} if account else set()
    for uid in (os.geteuid(), 0):
        with suppress(KeyError):
            names.add(pwd.getpwuid(uid).pw_name)
    _write(place, account, "pg_hba.conf", HBA.format(superuser=SUPERUSER))
    idents = (f'lmt "{name}" {SUPERUSER}\n' for name in sorted(names))
    _write(place, account, "pg_ident.conf", "".join(idents))
    (place.home / "start.log").unlink(missing_ok=True)
    quoted_folder = '"{}"'.format(str(folder).replace('"', '""'))
    parameters = {
        **settings,
        **STANDING_SETTINGS,
        "unix_socket_directories": quoted_folder,
        "cluster_name": place.cluster,
    }
    options = " ".join(f"-c {shlex.quote(f'{k}={v}')}" for k, v in parameters.items())
    seconds = max(1, round(deadline - time.monotonic()))
    # Relative paths: pg_ctl hands them to a shell without escaping `$` and quotes.
    arguments = ["-D", "data", "-l", "start.log", "-w", "-t", str(seconds), "-o", options]
    result = run_program(place, account, programs / "pg_ctl", [*arguments, "start"])
    process = postmaster(place)
    ready = ready_folder(place, process, deadline) if process else None
    if ready is None:
        raise EmbeddedError(
            _(
                "PostgreSQL does not start in %(path)s: %(output)s",
                path=place.data,
                output=_last_words(place) or result.stderr,
            )
        )
    log.info("embedded_started", data=str(place.data), sockets=str(ready))
    return ready


def _initialise(
    place: Place, account: pwd.struct_passwd | None, programs: Path, *, is_synced: bool
) -> None:
    """Make the data folder under another name first: it appears whole or not at all."""
    for remains in place.home.glob("data.new-*"):
        shutil.rmtree(remains, ignore_errors=True)
    fresh = place.home / f"data.new-{secrets.token_hex(4)}"
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
    access = ["-U", SUPERUSER, "--auth-local=peer", "--auth-host=reject"]
    arguments = ["-D", fresh.name, "--encoding=UTF8", *locale, *access, "--no-instructions"]
    result = run_program(
        place, account, programs / "initdb", arguments if is_synced else [*arguments, "--no-sync"]
    )
    if result.returncode != 0:
        raise EmbeddedError(
            _(
                "The database in %(path)s cannot be made: %(output)s",
                path=place.data,
                output=result.stderr.strip(),
            )
        )
    try:
        fresh.rename(place.data)
    except OSError as error:
        raise EmbeddedError(
            _("%(path)s is in the way: it holds no database. Move it away.", path=place.data)
        ) from error


def _write(place: Place, account: pwd.struct_passwd | None, name: str, text: str) -> None:
    """Replace a file of the data folder, never following a link put there."""
    fresh = place.data / f"{name}.{secrets.token_hex(4)}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        if account is not None:
            os.fchown(descriptor, account.pw_uid, account.pw_gid)
    fresh.replace(place.data / name)


def _last_words(place: Place) -> str:
    logs = [place.home / "start.log", *place.data.glob("log/*.log")]
    written = sorted(
        (path for path in logs if path.exists()), key=lambda path: path.stat().st_mtime
    )
    lines = [
        line for path in written[-2:] for line in path.read_text(errors="replace").splitlines()
    ]
    return "\n".join(lines[-10:])
