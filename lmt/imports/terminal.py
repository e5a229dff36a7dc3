"""An import at a terminal: what was understood of the file, how far it is, what became of it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt import clock
from lmt.files.problems import FileProblem, file_problem_words
from lmt.imports import service
from lmt.imports.engine import run_import_job
from lmt.imports.failedrows import failed_file
from lmt.imports.printing import print_check, print_layout, print_report
from lmt.imports.progress import progress
from lmt.imports.refusals import NotNow, not_now_words, stopped_words
from lmt.imports.runs import end_job, give_up
from lmt.imports.uploads import keep_upload
from lmt.mapping.model import Mapping as FieldMapping
from lmt.mapping.model import MappingError
from lmt.models import ImportRun, Job, Source, Upload
from lmt.scope import SYSTEM, act_as

MOST_BYTES = 2_000_000_000
SOME_FAILED, UNUSABLE, PAUSED = 1, 3, 130
"""Exit codes besides 0; of a wrong call it is click's 2."""
_READ_BYTES = 1_000_000
_LOOK_EVERY_SECONDS = 0.3


class Unusable(click.ClickException):
    exit_code = UNUSABLE


def bring_in(
    session: Session, file: Path, source_code: str, *, dry_run: bool, mapping: Path | None
) -> int:
    """Bring a file in, or with `dry_run` only look; the exit code. Raises click.ClickException."""
    source = session.scalars(select(Source).where(Source.code == source_code)).first()
    if source is None:
        raise Unusable(f"there is no source {source_code}")
    console = Console()
    try:
        stopped = None if dry_run else _stopped(session, source, file)
        run = stopped or _begun(session, source, file, mapping)
        if stopped is None:
            print_layout(console, run)
        if dry_run:
            return _dry(session, run, console)
        return _brought(session, run, file, console)
    except FileProblem as problem:
        raise Unusable(file_problem_words(problem)) from problem
    except NotNow as problem:
        raise Unusable(not_now_words(problem.code)) from problem


def _begun(session: Session, source: Source, file: Path, mapping: Path | None) -> ImportRun:
    given = None if mapping is None else _mapping(mapping)
    with file.open("rb") as stream:
        upload = keep_upload(
            session,
            iter(lambda: stream.read(_READ_BYTES), b""),
            file.name,
            market_id=source.market_id,
            at=clock.now(),
            actor=SYSTEM,
            most_bytes=MOST_BYTES,
        )
    run = service.begin_import(session, source, upload, at=clock.now(), actor=SYSTEM)
    if given is not None:
        service.set_mapping(session, run, given, at=clock.now(), actor=SYSTEM)
    return run


def _mapping(file: Path) -> FieldMapping:
    try:
        return FieldMapping.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as problem:
        where = f"line {problem.line_number}: " if isinstance(problem, MappingError) else ""
        reason = problem.reason if isinstance(problem, MappingError) else problem
        raise Unusable(f"{file}: {where}{reason}") from problem


def _stopped(session: Session, source: Source, file: Path) -> ImportRun | None:
    """The import of this very file that was paused or failed on the way."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    return session.scalars(
        select(ImportRun)
        .join(Upload, Upload.id == ImportRun.upload_id)
        .where(
            ImportRun.source_id == source.id,
            ImportRun.state.in_(("paused", "failed")),
            ImportRun.undone_at.is_(None),
            Upload.sha256 == digest,
        )
        .order_by(ImportRun.created_at.desc())
        .limit(1)
    ).first()


def _dry(session: Session, run: ImportRun, console: Console) -> int:
    try:

        def work(own: Session, mine: ImportRun) -> None:
            service.ask_check(own, mine, clock.now(), SYSTEM, here=True)

        paused = not _watched(session, run, work)
        session.refresh(run)
        if paused:
            return PAUSED
        job = session.get_one(Job, run.job_id)
        if run.problem:
            raise Unusable(file_problem_words(FileProblem(run.problem)))
        result = job.result or {}
        print_check(console, session, run, result)
        return SOME_FAILED if result["failed"] else 0
    finally:
        session.rollback()
        _forget(session, run)


def _forget(session: Session, run: ImportRun) -> None:
    """Nothing stays of a dry run."""
    run_id, job_id, upload_id = run.id, run.job_id, run.upload_id
    session.expunge_all()
    for row in (
        delete(ImportRun).where(ImportRun.id == run_id),
        delete(Job).where(Job.id == job_id),
        delete(Upload).where(Upload.id == upload_id),
    ):
        session.execute(row)
    session.commit()


def _brought(session: Session, run: ImportRun, file: Path, console: Console) -> int:
    goes_on = run.state in {"paused", "failed"}
    if goes_on:
        console.print(f"Going on after row {run.position}.")

    def work(own: Session, mine: ImportRun) -> None:
        verb = service.resume if goes_on else service.start
        job = verb(own, mine, clock.now(), SYSTEM, here=True)
        own.expunge(job)
        own.rollback()
        try:
            run_import_job(own, job)
        except OperationalError:
            own.rollback()
            raise
        except Exception as problem:
            own.rollback()
            end_job(own, job, type(problem).__name__, {})
            give_up(own, job, type(problem).__name__)
            own.commit()
            raise

    went_through = _watched(session, run, work)
    session.refresh(run)
    print_report(console, run)
    if run.failed:
        console.print(f"Failed rows: {_write_failed(session, run, file)}")
    if run.state == "finished":
        return SOME_FAILED if run.failed else 0
    if not went_through:
        console.print("Paused. The same command goes on.")
        return PAUSED
    console.print(stopped_words(run.problem), style="red")
    return UNUSABLE


def _write_failed(session: Session, run: ImportRun, file: Path) -> Path:
    found = failed_file(session, run)
    ending = Path(found.name).suffix
    target = file.with_name(f"{file.name}.failed{ending}")
    with target.open("wb") as stream:
        for part in found.parts:
            stream.write(part)
    return target


def _watched(session: Session, run: ImportRun, work: Callable[[Session, ImportRun], None]) -> bool:
    """Do the work in a thread and show how far it is; False where Ctrl-C paused it."""
    problems: list[BaseException] = []
    ending = threading.Event()
    run_id = run.id

    def carry_out() -> None:
        with act_as(Session(session.get_bind(), expire_on_commit=False), SYSTEM) as own:
            own.info["is_ending"] = ending.is_set
            try:
                work(own, own.get_one(ImportRun, run_id))
            except BaseException as problem:
                problems.append(problem)

    session.rollback()
    thread = threading.Thread(target=carry_out, name="import")
    thread.start()
    went_through = True
    with _bar() as bar:
        task = bar.add_task("", total=None, rate="")
        while thread.is_alive():
            try:
                thread.join(_LOOK_EVERY_SECONDS)
                for done, total, rate in _told(session, run_id):
                    bar.update(task, completed=done, total=total, rate=rate)
            except KeyboardInterrupt:
                went_through = False
                _pause(session, run, ending)
    if problems:
        raise problems[0]
    return went_through


def _told(session: Session, run_id: object) -> Iterator[tuple[int, int | None, str]]:
    run = session.get(ImportRun, run_id, populate_existing=True)
    if run is not None:
        job = None if run.job_id is None else session.get(Job, run.job_id, populate_existing=True)
        now = progress(run, job, clock.now())
        rate = "" if now.rows_per_second is None else f"{now.rows_per_second:,.0f}/s"
        yield now.done, now.total, rate
    session.rollback()


def _pause(session: Session, run: ImportRun, ending: threading.Event) -> None:
    session.rollback()
    ending.set()
    try:
        service.pause(session, run, clock.now(), SYSTEM)
    except NotNow:
        # It had just come to its end, or is only being checked.
        session.rollback()


def _bar() -> Progress:
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
