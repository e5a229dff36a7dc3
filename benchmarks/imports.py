"""Rows of a call centre's files a second: to accepted leads, and to routed ones, beside plain COPYs
in the same run: of the files' text into a bare table, and of the leads that came of it into a table
with the keys and indexes of leads."""

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
        as_leads = routed / _copied_leads(installed)
    for name, value in (
        ("rows of files to accepted", ROWS / accepting),
        ("rows of files to routed", ROWS / (accepting + routing)),
        ("imported leads routed", routed / routing),
    ):
        yield _figure(name, value, "COPY of the files' text", copied)
        yield _figure(name, value, "COPY of the leads with their indexes", as_leads)


def _figure(name: str, value: float, baseline: str, baseline_value: float) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 1),
        "unit": "rows/s",
        "baseline": baseline,
        "baseline_value": round(baseline_value, 1),
        "ratio": round(value / baseline_value, 4),
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


def _copied_leads(installed: Installation) -> float:
    """Seconds to COPY the leads that came of the files into a table like theirs."""
    engine = installed.sessions.kw["bind"]
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE lead_copy (LIKE lead INCLUDING ALL)")
        cursor = connection.connection.cursor()
        leads = "SELECT * FROM lead WHERE import_id IS NOT NULL"
        with cursor.copy(f"COPY ({leads}) TO STDOUT") as copy:
            data = b"".join(bytes(part) for part in copy)
        started = time.perf_counter()
        with cursor.copy("COPY lead_copy FROM STDIN") as copy:
            for first in range(0, len(data), PART_BYTES):
                copy.write(data[first : first + PART_BYTES])
        connection.commit()
        return time.perf_counter() - started


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
