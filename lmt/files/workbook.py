"""A workbook turned into text by a process of its own, which may die of it in our place."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import lmt
from lmt.files.layout import Layout
from lmt.files.limits import WORKBOOK_SECONDS
from lmt.files.problems import FileProblem

_PROJECT = Path(lmt.__file__).parent.parent
_REPORT_BYTES = 1_000_000
_AT_ONCE = threading.BoundedSemaphore(2)
"""Children of this process: each may take as much memory as its limit lets it."""


def converted(path: Path, folder: Path, wish: Layout) -> tuple[Path, Layout, tuple[str, ...]]:
    """The text of the sheet that `wish` names, else of the first with a table; its layout so far.

    The third is the names of all sheets. Text that is there already from the same workbook is
    taken. Raises FileProblem.
    """
    state = path.stat()
    mark = f"{path.resolve()}\0{state.st_size}\0{state.st_mtime_ns}\0{wish.sheet}"
    name = hashlib.sha256(mark.encode()).hexdigest()[:24]
    text, report = folder / f"{name}.csv", folder / f"{name}.json"
    if not report.exists():
        with _AT_ONCE:
            _convert(path, text, report, wish.sheet)
    said = json.loads(report.read_text(encoding="utf-8"))
    if "problem" in said:
        raise FileProblem(said["problem"], **said["facts"])
    layout = replace(
        wish,
        format=said["format"],
        sheet=said["sheet"],
        encoding="utf-8",
        delimiter=",",
        quote='"',
    )
    return text, layout, tuple(said["sheets"])


def _convert(path: Path, text: Path, report: Path, sheet: str) -> None:
    """Have the child write both files; the report last, so that it vouches for the text."""
    unfinished = text.with_suffix(".part")
    command = [sys.executable, "-m", "lmt.files.spreadsheet"]
    try:
        done = subprocess.run(
            [*command, str(path.resolve()), str(unfinished.resolve()), sheet],
            cwd=_PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=WORKBOOK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        unfinished.unlink(missing_ok=True)
        raise FileProblem("workbook_too_large") from None
    if done.returncode != 0 or len(done.stdout) > _REPORT_BYTES:
        # It was stopped by one of its limits: memory, processor time, or the size of what it wrote.
        unfinished.unlink(missing_ok=True)
        raise FileProblem("workbook_too_large")
    if b'"problem"' not in done.stdout[:20]:
        unfinished.replace(text)
    else:
        unfinished.unlink(missing_ok=True)
    made = report.with_suffix(".made")
    made.write_bytes(done.stdout)
    made.replace(report)
