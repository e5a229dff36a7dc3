"""Files of a call centre become routed leads: killed three times, each row once, memory flat."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lmt import clock
from lmt.config import Settings
from lmt.imports import service
from lmt.imports.progress import progress
from lmt.imports.runs import COUNTS
from lmt.imports.uploads import keep_upload
from lmt.lifecycle import Status
from lmt.models import Customer, ImportRow, ImportRun, Job, Lead, Offer, RoutingDecision, Source
from lmt.models.upload import PART_BYTES
from lmt.scope import SYSTEM
from tests.importfiles import ROWS, Made, import_files
from tests.importing import NAME
from tests.world import World

KILLS = 3
MOST_MB = 600
PATIENCE_SECONDS = max(240.0, ROWS / 50)
SEED = int(os.environ.get("LMT_IMPORT_SEED", "20261122"))
TELL_EVERY_SECONDS = 5.0


def brought(session: Session, world: World, folder: Path) -> list[tuple[ImportRun, Made]]:
    source = Source(
        code="centre-pl", kind="file", name="Call centre", market_id=world.markets["PL"],
        brand_id=world.brand_id, country="PL", language="pl", tells_customer=False, solicited=True,
    )  # fmt: skip
    session.add(source)
    session.commit()
    runs = []
    for made in import_files(folder, ROWS):
        with made.path.open("rb") as file:
            upload = keep_upload(
                session, iter(lambda: file.read(PART_BYTES), b""), made.path.name,
                market_id=source.market_id, at=clock.now(), actor=SYSTEM, most_bytes=10**10,
            )  # fmt: skip
        run = service.begin_import(session, source, upload, at=clock.now(), actor=SYSTEM)
        service.start(session, run, clock.now(), SYSTEM)
        runs.append((run, made))
    return runs


class Watch:
    """How far it is, told as it goes, and the most memory that the worker had."""

    def __init__(self, session: Session, runs: Sequence[ImportRun]) -> None:
        self._session, self._runs = session, runs
        self._began = self._told = time.monotonic()
        self.peak_mb = 0.0

    def look(self, process: subprocess.Popen[str]) -> int:
        """Rows and leads done so far."""
        self.peak_mb = max(self.peak_mb, _resident_mb(process.pid))
        session = self._session
        session.expire_all()
        read = session.scalar(select(func.sum(ImportRun.position))) or 0
        routed = session.scalar(
            text("SELECT count(*) FROM lead WHERE import_id IS NOT NULL AND status <> 'received'")
        )
        if time.monotonic() - self._told > TELL_EVERY_SECONDS:
            self._told = time.monotonic()
            self._tell(read, routed)
        session.rollback()
        return int(read) + int(routed)

    def _tell(self, read: int, routed: int) -> None:
        now = next((run for run in self._runs if run.state == "running"), None)
        job = self._session.get(Job, now.job_id) if now is not None and now.job_id else None
        how = None if now is None else progress(now, job, clock.now())
        bar = "" if how is None or how.share is None else "#" * round(20 * how.share)
        print(
            f"{self._told - self._began:6.0f} s [{bar:<20}] {read} rows read, {routed} routed,"
            f" {self.peak_mb:.0f} MB, {how and how.rows_per_second} rows/s,"
            f" {how and how.seconds_left} s left"
        )


def _resident_mb(pid: int) -> float:
    """Of the process and its children; 0 once it is gone."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return sum(each.memory_info().rss for each in family) / 1e6
    except psutil.NoSuchProcess:
        return 0.0


def test_files_become_routed_leads_in_spite_of_three_deaths(
    session: Session, settings: Settings, world: World, tmp_path: Path
) -> None:
    began = time.monotonic()
    pairs = brought(session, world, tmp_path)
    runs = [run for run, _made in pairs]
    watch, chance = Watch(session, runs), random.Random(SEED)
    expected = sum((made.expected for _run, made in pairs), Counter[str]())
    # Rows to be read, then leads to be routed: it is killed somewhere in each third.
    whole = ROWS + expected["accepted"]
    with ExitStack() as ended:
        for kill in range(KILLS):
            process = _worker(settings, ended)
            goal = whole * kill // KILLS + chance.randrange(whole // (2 * KILLS))
            _until(lambda p=process, goal=goal: watch.look(p) >= goal, process)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(chance.random() / 5)
            process.kill()
            process.wait()
            _until(lambda: _is_gone(session))
            session.expire_all()
            for run in runs:
                assert run.position == sum(getattr(run, name) for name in COUNTS)
            session.rollback()
        last = _worker(settings, ended)
        _until(lambda: watch.look(last) >= 0 and last.poll() is not None)
        assert last.returncode == 0
    seconds = time.monotonic() - began
    _expect_each_once(session, pairs, expected)
    print(
        f"\n{ROWS} rows to {expected['accepted']} routed leads in {seconds:.0f} s, killed"
        f" {KILLS} times: at most {watch.peak_mb:.0f} MB resident; {dict(expected)}"
    )
    assert watch.peak_mb < MOST_MB


def _worker(settings: Settings, ended: ExitStack) -> subprocess.Popen[str]:
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "LMT_INSTANCE": str(settings.instance),
        "LMT_SECRET_KEY": settings.secret_key,
        "LMT_LOG_LEVEL": "ERROR",
    }
    process = ended.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", "tests.importing"],
            env=environment, cwd=Path(__file__).parent.parent, text=True, stdout=subprocess.PIPE,
        )
    )  # fmt: skip
    ended.callback(process.kill)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _until(what: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = 0.02 if ROWS <= 100_000 else 0.5
    while not what():
        assert process is None or process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(pause)


def _is_gone(session: Session) -> bool:
    connections = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
    gone = not session.scalar(connections, {"name": NAME})
    session.rollback()
    return gone


def _expect_each_once(
    session: Session, pairs: Sequence[tuple[ImportRun, Made]], expected: Counter[str]
) -> None:
    for run, made in pairs:
        session.refresh(run)
        assert (run.state, run.position, run.total) == ("finished", made.rows, made.rows)
        assert Counter({name: getattr(run, name) for name in COUNTS}) == made.expected

    def number(what: object, *where: object) -> int:
        counted = select(func.count()).select_from(what).where(*where)  # type: ignore[arg-type]
        return session.scalars(counted).one()

    leads = expected["accepted"]
    assert number(Lead) == number(Lead, Lead.status != Status.RECEIVED) == leads
    assert number(select(Lead.phone).distinct().subquery()) == leads
    assert number(select(RoutingDecision.lead_id).distinct().subquery()) == leads
    assert number(Offer, Offer.state == "open") == number(Lead, Lead.status == Status.OFFERED)
    assert number(Lead, Lead.status == Status.OFFERED) > 0
    assert number(Customer) == leads + expected["history"] + expected["suppressed"]
    assert number(ImportRow, ImportRow.outcome == "failed") == expected["failed"]
