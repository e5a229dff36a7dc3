"""kill -9 while a file is imported: every row is taken in once, and the counts add up exactly."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lmt import clock
from lmt.config import Settings
from lmt.imports import service
from lmt.imports.runs import COUNTS
from lmt.imports.uploads import keep_upload
from lmt.models import CallRecord, Customer, DeliveryKey, Event, ImportRow, ImportRun, Lead, Source
from lmt.scope import SYSTEM
from tests.crashing_import import NAME
from tests.importfiles import ROWS, STYLES, import_file
from tests.world import World

KILLS = 3
SEED = int(os.environ.get("LMT_IMPORT_SEED", "20261122"))
PATIENCE_SECONDS = max(120.0, ROWS / 100)
CRASHED_ROWS = max(ROWS // 5, 4_000)


@pytest.fixture
def run(session: Session, world: World, tmp_path: Path) -> ImportRun:
    source = Source(
        code="centre-pl", kind="file", name="Call centre", market_id=world.markets["PL"],
        brand_id=world.brand_id, country="PL", language="pl", tells_customer=False,
    )  # fmt: skip
    session.add(source)
    made = import_file(tmp_path, STYLES[1], CRASHED_ROWS)
    with made.path.open("rb") as file:
        upload = keep_upload(
            session, iter(lambda: file.read(100_000), b""), made.path.name,
            market_id=source.market_id, at=clock.now(), actor=SYSTEM, most_bytes=10**9,
        )  # fmt: skip
    run = service.begin_import(session, source, upload, at=clock.now(), actor=SYSTEM)
    run.options = {**run.options, "expected": dict(made.expected)}
    session.commit()
    return run


@pytest.fixture
def worker(settings: Settings) -> Iterator[Callable[[int], subprocess.Popen[str]]]:
    """Starts a worker that has its connection; whatever happens, none is left at the end."""
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "LMT_INSTANCE": str(settings.instance),
        "LMT_SECRET_KEY": settings.secret_key,
        "LMT_LOG_LEVEL": "ERROR",
    }
    with ExitStack() as ended:

        def start(life: int) -> subprocess.Popen[str]:
            process = ended.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.crashing_import", str(2 * life)],
                    env=environment, cwd=Path(__file__).parent.parent, text=True,
                    stdout=subprocess.PIPE,
                )
            )  # fmt: skip
            ended.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            return process

        yield start


def reached(session: Session, run: ImportRun, what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not what():
        session.rollback()
        assert time.monotonic() < deadline, run.position
        time.sleep(0.005)
    session.rollback()


def test_rows_are_taken_in_once_wherever_the_worker_is_killed(
    session: Session, worker: Callable[[int], subprocess.Popen[str]], run: ImportRun
) -> None:
    service.start(session, run, clock.now(), SYSTEM)
    chance = random.Random(SEED)
    position = select(ImportRun.position).where(ImportRun.id == run.id)
    connections = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
    for kill in range(KILLS):
        process = worker(kill)
        # Somewhere on its way through its share of the rows, in the middle of whatever it does.
        goal = CRASHED_ROWS * kill // KILLS + chance.randrange(CRASHED_ROWS // (2 * KILLS))
        reached(session, run, lambda goal=goal: (session.scalar(position) or 0) >= goal)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(chance.random() / 5)
        process.kill()
        process.wait()
        reached(session, run, lambda: not session.scalar(connections, {"name": NAME}))
        session.refresh(run)
        assert run.position == sum(getattr(run, name) for name in COUNTS), "in mid-air, too"
        assert run.state == "running"
    told, _nothing = worker(KILLS).communicate(timeout=PATIENCE_SECONDS)
    assert told.endswith("done\n")
    assert_each_row_once(session, run)


def assert_each_row_once(session: Session, run: ImportRun) -> None:
    session.refresh(run)
    expected = Counter(run.options["expected"])
    assert (run.state, run.position, run.total) == ("finished", CRASHED_ROWS, CRASHED_ROWS)
    assert Counter({name: getattr(run, name) for name in COUNTS}) == expected

    def number(what: object, *where: object) -> int:
        counted = select(func.count()).select_from(what).where(*where)  # type: ignore[arg-type]
        return session.scalars(counted).one()

    assert number(Lead) == expected["accepted"]
    assert number(select(Lead.phone).distinct().subquery()) == expected["accepted"]
    people = expected["accepted"] + expected["history"] + expected["suppressed"]
    assert (number(Customer), number(DeliveryKey)) == (people, people)
    assert number(Event, Event.kind == "received") == expected["accepted"]
    assert number(ImportRow, ImportRow.outcome == "failed") == expected["failed"]
    assert number(CallRecord) == number(
        select(CallRecord.row_number).where(CallRecord.import_id == run.id).distinct().subquery()
    )
