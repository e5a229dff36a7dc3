"""Where one instance's server lives: its folders, its files and the lock around them."""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lmt.i18n import gettext as _

ROLE = "lmt"
SUPERUSER = "postgres"
PORT = 5432
SOCKET_PATH_BYTES = 100  # Linux allows 107 bytes, macOS 103.
POLL_SECONDS = 0.05
STOP_SECONDS = 60


class EmbeddedError(RuntimeError):
    """The embedded server cannot be used; the message says why, for the person who operates it."""


class Place:
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
def locked(place: Place, deadline: float) -> Iterator[None]:
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


def socket_folder(place: Place, account: pwd.struct_passwd | None) -> Path:
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
