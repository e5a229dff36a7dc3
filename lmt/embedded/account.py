"""Who runs the server when the command is run by root, and what that account may reach."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import structlog

from lmt.embedded.place import EmbeddedError, Place
from lmt.i18n import gettext as _

ACCOUNT = "lmt-postgres"

log = structlog.get_logger(__name__)


def server_account(place: Place) -> pwd.struct_passwd | None:
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


def make_home(place: Place, account: pwd.struct_passwd | None) -> None:
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


def let_through(account: pwd.struct_passwd, folder: Path) -> None:
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


def let_read(account: pwd.struct_passwd, root: Path) -> None:
    """Let `account` run the programs under `root` and read what they need."""
    let_through(account, root.parent)
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
