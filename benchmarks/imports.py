"""Rows of a call centre's files a second: to accepted leads, and to routed ones, beside a plain
COPY of the same files in the same run."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func, select

from benchmarks.installation import Installation, installation
from lmt import clock, jobs
from lmt.bulkroad.service import advance_many
from lmt.imports import service
from lmt.imports.uploads import keep_upload
from lmt.lifecycle import Status
from lmt.models import ImportRun, Lead, Market, Source
from lmt.models.upload import PART_BYTES
from lmt.scope import SYSTEM, act_as
from tests.importfiles import Made, import_files

ROWS = int(os.environ.get("LMT_IMPORT_ROWS", "50000"))
MOST_BYTES = 10**10


def run() -> Iterator[dict[str, Any]]:
    with installation() as installed, TemporaryDirectory() as folder:
        files = import_files(Path(folder), ROWS)
        copied = ROWS / _copied(installed, files)
        runs = [_brought(installed, made) for made in files]
        started = time.perf_counter()
        while jobs.work(installed.sessions, clock.now()):
            pass
        accepting = time.perf_counter() - started
        _expect(installed, runs, files)
        started = time.perf_counter()
        while advance_many(installed.sessions, clock.now()):
            pass
        routing = time.perf_counter() - started
        routed = _routed(installed)
    yield _figure("rows of files to accepted", ROWS / accepting, copied)
    yield _figure("rows of files to routed", ROWS / (accepting + routing), copied)
    yield _figure("imported leads routed", routed / routing, copied)


def _figure(name: str, value: float, copied: float) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 1),
        "unit": "rows/s",
        "baseline": "plain COPY of the same files",
        "baseline_value": round(copied, 1),
        "ratio": round(value / copied, 4),
    }


def _copied(installed: Installation, files: Sequence[Made]) -> float:
    """Seconds to COPY the files' rows into a table of text."""
    engine = installed.sessions.kw["bind"]
    seconds = 0.0
    with engine.connect() as connection:
        columns = ", ".join(f"c{number} text" for number in range(len(files[0].style.header)))
        connection.exec_driver_sql(f"CREATE TABLE plain_copy ({columns})")
        cursor = connection.connection.cursor()
        for made in files:
            # The database knows no UTF-16, and two names of the others.
            text = made.path.read_text(encoding=made.style.encoding)
            delimiter = made.style.delimiter.replace("\t", "\\t")
            options = f"FORMAT csv, HEADER, DELIMITER E'{delimiter}'"
            data = text.encode()
            started = time.perf_counter()
            with cursor.copy(f"COPY plain_copy FROM STDIN ({options})") as copy:
                for first in range(0, len(data), PART_BYTES):
                    copy.write(data[first : first + PART_BYTES])
            seconds += time.perf_counter() - started
        started = time.perf_counter()
        connection.commit()
        return seconds + time.perf_counter() - started


def _brought(installed: Installation, made: Made) -> uuid.UUID:
    with act_as(installed.sessions(), SYSTEM) as session:
        market = session.scalars(select(Market).where(Market.code == "PL")).one()
        source = session.scalars(select(Source).where(Source.code == "bench-files")).first()
        if source is None:
            source = Source(
                code="bench-files", kind="file", name="Files", market_id=market.id, country="PL",
                language="pl", tells_customer=False,
            )  # fmt: skip
            session.add(source)
            session.flush()
        with made.path.open("rb") as file:
            upload = keep_upload(
                session,
                iter(lambda: file.read(PART_BYTES), b""),
                made.path.name,
                market_id=market.id,
                at=clock.now(),
                actor=SYSTEM,
                most_bytes=MOST_BYTES,
            )
        run = service.begin_import(session, source, upload, at=clock.now(), actor=SYSTEM)
        service.start(session, run, clock.now(), SYSTEM)
        return run.id


def _expect(installed: Installation, runs: Sequence[uuid.UUID], files: Sequence[Made]) -> None:
    with act_as(installed.sessions(), SYSTEM) as session:
        for run_id, made in zip(runs, files, strict=True):
            run = session.get_one(ImportRun, run_id)
            assert (run.state, run.position) == ("finished", made.rows), run.problem


def _routed(installed: Installation) -> int:
    with act_as(installed.sessions(), SYSTEM) as session:
        left = select(func.count()).where(Lead.status == Status.RECEIVED)
        assert session.scalars(left.where(Lead.import_id.is_not(None))).one() == 0
        return session.scalars(select(func.count()).where(Lead.import_id.is_not(None))).one()
