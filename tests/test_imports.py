"""Files of leads: from the upload to the report, the failed rows, and back again."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt import cli, clock, jobs, pipeline, sources
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.files.problems import FileProblem
from lmt.imports import engine, service, undoing
from lmt.imports.failedrows import failed_file
from lmt.imports.preview import first_rows
from lmt.imports.progress import Progress, progress
from lmt.imports.refusals import NotNow, not_now_words
from lmt.imports.runs import COUNTS
from lmt.imports.uploads import file_name, keep_upload, spooled
from lmt.ingest.bulk import accept_rows
from lmt.mapping.model import Mapping as FieldMapping
from lmt.models import (
    CallRecord,
    Customer,
    DeliveryKey,
    ImportRow,
    ImportRun,
    Intake,
    Job,
    Lead,
    Offer,
    SettingChange,
    Source,
    Suppression,
    Upload,
    UploadPart,
    User,
)
from lmt.models.upload import PART_BYTES
from lmt.scope import SYSTEM, actor_of
from lmt.worker import advance_leads
from tests.importfiles import STYLES, import_file, import_files
from tests.world import World, send, warsaw_lead


@pytest.fixture
def centre(session: Session, world: World) -> Source:
    source = Source(
        code="centre-pl", kind="file", name="Call centre", market_id=world.markets["PL"],
        brand_id=world.brand_id, country="PL", language="pl", tells_customer=False,
    )  # fmt: skip
    session.add(source)
    session.commit()
    return source


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CHUNK", 50)
    monkeypatch.setattr(undoing, "_CHUNK", 20)


Rows = Sequence[Sequence[str]]
ROWS = int(os.environ.get("LMT_IMPORT_ROWS", "5000"))
HEADER = ("First name", "Last name", "Phone", "Email", "City", "Call result", "Call date")


def table(rows: Rows, header: Sequence[str] = HEADER) -> bytes:
    return "".join(";".join(cells) + "\r\n" for cells in (header, *rows)).encode()


def person(number: int, result: str = "", called: str = "", **other: str) -> list[str]:
    cells = {
        "first": "Ewa", "last": f"Nowicka{number:04d}", "phone": f"+48 602 {number:06d}",
        "mail": f"ewa{number}@mail.example", "city": "Warszawa", **other,
    }  # fmt: skip
    return [*cells.values(), result, called]


def begun(session: Session, source: Source, content: bytes, name: str = "calls.csv") -> ImportRun:
    upload = keep_upload(
        session, [content], name, market_id=source.market_id, at=clock.now(), actor=SYSTEM,
        most_bytes=10**9,
    )  # fmt: skip
    return service.begin_import(session, source, upload, at=clock.now(), actor=SYSTEM)


def started(session: Session, source: Source, content: bytes) -> ImportRun:
    run = begun(session, source, content)
    service.start(session, run, clock.now(), SYSTEM)
    return run


def work(sessions: SessionFactory, at: datetime | None = None) -> None:
    while jobs.work(sessions, at or clock.now()):
        pass


def imported(
    session: Session, sessions: SessionFactory, source: Source, content: bytes
) -> ImportRun:
    run = started(session, source, content)
    work(sessions)
    session.refresh(run)
    assert (run.state, run.problem) == ("finished", "")
    return run


def counts(session: Session, run: ImportRun) -> dict[str, int]:
    """What became of the rows, zeros left out; they are the rows that were read."""
    session.refresh(run)
    found = {name: getattr(run, name) for name in COUNTS if getattr(run, name)}
    assert run.position == sum(found.values())
    return found


def leads_of(session: Session, run: ImportRun) -> Sequence[Lead]:
    session.expire_all()
    return session.scalars(
        select(Lead).where(Lead.import_id == run.id).order_by(Lead.full_name)
    ).all()


def number_of(session: Session, what: Any, *where: Any) -> int:
    return session.scalars(select(func.count()).select_from(what).where(*where)).one()


def test_files_of_five_encodings_add_up_and_are_routed(
    session: Session, sessions: SessionFactory, centre: Source, tmp_path: Path
) -> None:
    files = import_files(tmp_path, ROWS)
    runs = [started(session, centre, made.path.read_bytes()) for made in files]
    work(sessions)
    for made, run in zip(files, runs, strict=True):
        assert (counts(session, run), run.state) == (dict(made.expected), "finished")
        assert run.position == run.total == made.rows
        assert number_of(session, Lead, Lead.import_id == run.id) == run.accepted
        told = Counter(
            session.scalars(select(ImportRow.outcome).where(ImportRow.import_id == run.id))
        )
        assert told == Counter(failed=run.failed, suppressed=run.suppressed)
        intake = session.get_one(Intake, run.intake_id)
        assert json.loads(intake.body)["file"] == run.upload.name
    everybody = sum((made.expected for made in files), Counter[str]())
    assert number_of(session, Lead) == everybody["accepted"]
    people = everybody["accepted"] + everybody["history"] + everybody["suppressed"]
    assert number_of(session, Customer) == people
    assert number_of(session, Suppression, Suppression.kind == "phone") == everybody["suppressed"]
    advance_leads(sessions, clock.now())
    by_status = dict(session.execute(select(Lead.status, func.count()).group_by(Lead.status)).all())
    assert by_status == {"offered": everybody["accepted"]}


def test_a_row_becomes_what_it_says(
    session: Session, sessions: SessionFactory, centre: Source
) -> None:
    rows = [
        person(1, "Interested", "06.03.2026 14:05"),
        person(2, "No answer", "06.03.2026 14:10"),
        person(3, "Do not call", "06.03.2026 14:15"),
        person(4, phone="", mail="nobody"),
        person(1, "Interested", "06.03.2026 14:05"),
        person(1, "Interested", "09.03.2026 10:00"),
    ]
    run = imported(session, sessions, centre, table(rows))
    assert counts(session, run) == {
        "accepted": 1, "history": 1, "suppressed": 1, "failed": 1, "repeated": 1, "asked_again": 1,
    }  # fmt: skip
    (lead,) = leads_of(session, run)
    assert (lead.full_name, lead.phone, lead.city) == (
        "Ewa Nowicka0001", "+48602000001", "Warszawa",
    )  # fmt: skip
    assert lead.first_call_at is not None
    assert lead.first_call_at.isoformat() == "2026-03-06T13:05:00+00:00"
    kept = session.scalars(select(ImportRow).order_by(ImportRow.number)).all()
    assert [(row.number, row.outcome, row.errors[0]["code"]) for row in kept] == [
        (3, "suppressed", "do_not_call"), (4, "failed", "no_contact"),
    ]  # fmt: skip
    assert kept[1].cells == person(4, phone="", mail="nobody")
    calls = session.scalars(select(CallRecord.disposition).order_by(CallRecord.row_number)).all()
    assert Counter(calls) == Counter(interested=2, no_answer=1, do_not_call=1)


def test_a_check_tells_beforehand_and_writes_nothing(
    session: Session, sessions: SessionFactory, centre: Source, tmp_path: Path
) -> None:
    made = import_file(tmp_path, STYLES[0], 500)
    run = begun(session, centre, made.path.read_bytes())
    job = service.ask_check(session, run, clock.now(), SYSTEM)
    assert (run.state, run.total) == ("checked", 500)
    assert job.result is not None
    told = {name: job.result[name] for name in ("routed", "history", "suppressed", "repeated")}
    told["accepted"] = told.pop("routed")
    told["failed"] = job.result["failed"]
    assert told == dict(made.expected)
    assert job.result["causes"] == {"no_contact": made.expected["failed"]}
    failing = session.scalars(select(ImportRow.number).order_by(ImportRow.number)).all()
    assert len(failing) == made.expected["failed"]
    assert (number_of(session, Lead), number_of(session, DeliveryKey)) == (0, 0)
    service.start(session, run, clock.now(), SYSTEM)
    work(sessions)
    assert counts(session, run) == dict(made.expected)
    again = session.scalars(
        select(ImportRow.number).where(ImportRow.outcome == "failed").order_by(ImportRow.number)
    ).all()
    assert again == failing


def test_the_worker_checks_what_is_large_and_leaves_off_when_the_columns_change(
    session: Session, sessions: SessionFactory, centre: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE_BYTES", 10)
    run = begun(session, centre, table([person(n) for n in range(30)]))
    job = service.ask_check(session, run, clock.now(), SYSTEM)
    assert (run.state, job.finished_at) == ("checking", None)
    mapping = FieldMapping.from_json(run.mapping)
    service.set_mapping(session, run, mapping, at=clock.now(), actor=SYSTEM)
    work(sessions)
    session.refresh(job)
    session.refresh(run)
    assert (run.state, job.finished_at is not None) == ("draft", True)
    job = service.ask_check(session, run, clock.now(), SYSTEM)
    work(sessions)
    session.refresh(job)
    session.refresh(run)
    assert (run.state, job.result and job.result["routed"]) == ("checked", 30)


def test_the_first_rows_show_what_would_become_of_them(session: Session, centre: Source) -> None:
    rows = [
        person(1, "Call back 09.03.2026 10:00"), person(2, "sold"), person(3, "never again!!"),
        person(4, phone="12", mail=""), person(5, "DNC"),
    ]  # fmt: skip
    run = begun(session, centre, table(rows))
    shown = first_rows(session, run)
    assert [row.outcome for row in shown] == [
        "routed", "history", "routed", "failed", "suppressed",
    ]  # fmt: skip
    assert shown[0].understood is not None
    assert shown[0].understood.customer.phone == "+48602000001"
    assert shown[0].call is not None
    assert shown[0].call.back_at.startswith("2026-03-09T10:00")
    assert [note["code"] for note in shown[2].notes] == ["disposition_not_known"]
    assert [error["code"] for error in shown[3].errors] == ["no_contact"]
    assert number_of(session, Lead) == 0


def test_a_mapping_is_remembered_for_the_source_and_guessed_for_other_columns(
    session: Session, centre: Source
) -> None:
    run = begun(session, centre, table([person(1)]))
    lines = [
        {"target": "customer.full_name", "paths": ["Last name"]},
        {"target": "customer.phone", "paths": ["Phone"]},
    ]
    mapping = FieldMapping.from_json({"lines": lines})
    service.set_mapping(session, run, mapping, at=clock.now(), actor=SYSTEM)
    same = begun(session, centre, table([person(2)]))
    assert [line["target"] for line in same.mapping["lines"]] == [
        "customer.full_name", "customer.phone",
    ]  # fmt: skip
    other = begun(session, centre, "Imię;Nazwisko;Telefon\r\nEwa;Nowak;602000001\r\n".encode())
    assert {line["target"] for line in other.mapping["lines"]} >= {"customer.last_name"}
    kinds = session.scalars(select(SettingChange.kind).order_by(SettingChange.id)).all()
    assert kinds == ["import", "source", "import", "import"]


@pytest.mark.usefixtures("small_chunks")
def test_an_import_stops_and_goes_on_between_two_chunks(
    session: Session, sessions: SessionFactory, centre: Source
) -> None:
    run = started(session, centre, table([person(n) for n in range(120)]))
    # The worker is told to leave: what is in hand is finished, the rest is another's at once.
    assert jobs.work(sessions, clock.now(), is_ending=lambda: True)
    assert (counts(session, run), run.state) == ({"accepted": 50}, "running")
    service.pause(session, run, clock.now(), SYSTEM)
    work(sessions)
    assert (counts(session, run), run.state) == ({"accepted": 50}, "paused")
    first = session.get_one(Job, run.job_id)
    assert first.finished_at is not None
    service.resume(session, run, clock.now(), SYSTEM)
    session.refresh(run)
    assert run.state == "waiting"
    assert jobs.work(sessions, clock.now(), is_ending=lambda: True)
    assert jobs.work(sessions, clock.now(), is_ending=lambda: True)
    work(sessions)
    assert (counts(session, run), run.state) == ({"accepted": 120}, "finished")
    assert run.worked_seconds > 0
    assert number_of(session, Lead) == 120
    job = session.get_one(Job, run.job_id, populate_existing=True)
    assert (job.done, job.total, job.finished_at is not None) == (120, 120, True)


@pytest.mark.usefixtures("small_chunks")
def test_an_import_that_makes_progress_is_never_given_up(
    session: Session, sessions: SessionFactory, centre: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever works on it dies after each chunk, more often than a job may fail."""
    run = started(session, centre, table([person(n) for n in range(260)]))

    def dies(_session: Session) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "is_ending", dies)
    at = clock.now()
    for _life in range(jobs.MOST_ATTEMPTS + 2):
        with pytest.raises(KeyboardInterrupt):
            jobs.work(sessions, at)
        at += timedelta(hours=1)
    assert counts(session, run) == {"accepted": 250}
    monkeypatch.undo()
    work(sessions, at)
    assert (counts(session, run), run.state) == ({"accepted": 260}, "finished")


def test_one_that_never_gets_further_is_given_up_and_can_be_asked_again(
    session: Session, sessions: SessionFactory, centre: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(session, centre, table([person(1)]))

    def dies(*_given: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "accept_rows", dies)
    at = clock.now()
    for _life in range(jobs.MOST_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            jobs.work(sessions, at)
        at += timedelta(hours=1)
    jobs.work(sessions, at)
    session.refresh(run)
    assert (run.state, run.problem) == ("failed", "never_finished")
    monkeypatch.undo()
    service.resume(session, run, at, SYSTEM)
    work(sessions, at)
    assert (counts(session, run), run.state) == ({"accepted": 1}, "finished")


def test_one_row_that_breaks_us_fails_and_the_others_go_on(
    session: Session, sessions: SessionFactory, centre: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(own: Session, run: ImportRun, source: Source, rows: Any, at: datetime) -> Any:
        if any(row.number == 7 for row in rows):
            raise ArithmeticError("nobody thought of this row")
        return accept_rows(own, run, source, rows, at)

    monkeypatch.setattr(engine, "accept_rows", breaks)
    run = imported(session, sessions, centre, table([person(n) for n in range(12)]))
    assert counts(session, run) == {"accepted": 11, "failed": 1}
    (row,) = session.scalars(select(ImportRow)).all()
    assert (row.number, row.errors[0]["code"]) == (7, "not_accepted")


def test_somebody_in_the_way_is_no_fault_of_the_rows(
    session: Session, sessions: SessionFactory, centre: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def busy(own: Session, run: ImportRun, source: Source, rows: Any, at: datetime) -> Any:
        tries.append(len(rows))
        if len(tries) == 1:
            raise OperationalError("deadlock", {}, Exception())
        return accept_rows(own, run, source, rows, at)

    monkeypatch.setattr(engine, "accept_rows", busy)
    monkeypatch.setattr(engine, "_FIRST_WAIT_SECONDS", 0)
    run = imported(session, sessions, centre, table([person(n) for n in range(12)]))
    assert (counts(session, run), tries) == ({"accepted": 12}, [12, 12])


@pytest.mark.usefixtures("small_chunks")
def test_a_source_that_changes_or_rests_on_the_way(
    session: Session, sessions: SessionFactory, centre: Source
) -> None:
    run = started(session, centre, table([person(n) for n in range(120)]))
    jobs.work(sessions, clock.now(), is_ending=lambda: True)
    sources.change_source(
        session, centre, {"defaults": {"request.type": "test_drive"}}, clock.now(), SYSTEM
    )
    jobs.work(sessions, clock.now(), is_ending=lambda: True)
    assert counts(session, run) == {"accepted": 100}
    by_type = Counter(lead.request_type for lead in leads_of(session, run))
    assert by_type["test_drive"] == 50
    sources.pause(session, centre, clock.now(), SYSTEM)
    work(sessions)
    session.refresh(run)
    assert (run.state, run.problem, run.position) == ("paused", "source_paused", 100)
    with pytest.raises(NotNow, match="source_paused"):
        service.resume(session, run, clock.now(), SYSTEM)
    sources.resume(session, centre, clock.now(), SYSTEM)
    service.resume(session, run, clock.now(), SYSTEM)
    work(sessions)
    assert (counts(session, run), run.state) == ({"accepted": 120}, "finished")


def test_failed_rows_come_back_mended(
    session: Session, sessions: SessionFactory, centre: Source
) -> None:
    rows = [person(n) for n in range(8)]
    rows[2] = person(2, phone="none", mail="=HYPERLINK(1)")
    rows[5] = person(5, phone="", mail="", last="Żółć")
    run = imported(session, sessions, centre, table(rows))
    assert counts(session, run) == {"accepted": 6, "failed": 2}
    name, content_type, parts = failed_file(session, run)
    content = b"".join(parts)
    assert (name, content_type) == ("calls.failed.csv", "text/csv; charset=utf-8")
    first, *lines = content.decode("utf-8-sig").splitlines()
    assert first == "lmt_row;lmt_reasons;" + ";".join(HEADER)
    assert [line.split(";")[0] for line in lines] == ["3", "6"]
    assert "No mail address and no phone" in lines[0]
    assert "'=HYPERLINK(1)" in lines[0], "no spreadsheet runs it"
    unmended = imported(session, sessions, centre, content)
    assert counts(session, unmended) == {"failed": 2}
    assert failed_lines(session, unmended) == failed_lines(session, run)
    mended = content.decode("utf-8-sig").replace("'=HYPERLINK(1)", "ewa2@mail.example")
    mended = mended.replace("Żółć;;", "Żółć;+48 602 000 005;")
    again = imported(session, sessions, centre, mended.encode())
    assert counts(session, again) == {"accepted": 2}
    given = leads_of(session, again)[0].given
    assert "lmt" not in json.dumps(given), "our own columns are nothing of the lead"
    whole = imported(session, sessions, centre, table(rows))
    assert counts(session, whole) == {"repeated": 6, "failed": 2}


def failed_lines(session: Session, run: ImportRun) -> list[list[str]]:
    content = b"".join(failed_file(session, run).parts).decode("utf-8-sig")
    return [line.split(";")[1:] for line in content.splitlines()]


def test_failed_rows_of_an_old_encoding_and_of_a_workbook(
    session: Session, sessions: SessionFactory, centre: Source, tmp_path: Path
) -> None:
    from lmt.files.writing import write_xlsx

    rows = [person(n, last="Świątek") for n in range(3)] + [person(9, phone="", mail="")]
    old = table(rows).decode().encode("cp1250")
    run = imported(session, sessions, centre, old)
    content = b"".join(failed_file(session, run).parts)
    assert "Nowicka0009" in content.decode(run.layout["encoding"])
    path = tmp_path / "calls.xlsx"
    with path.open("wb") as file:
        write_xlsx(file, HEADER, [person(n) for n in (21, 22)] + [rows[-1]], title="Calls")
    book = imported(session, sessions, centre, path.read_bytes())
    assert counts(session, book) == {"accepted": 2, "failed": 1}
    content = b"".join(failed_file(session, book).parts)
    assert content.startswith(b"PK")
    assert counts(session, imported(session, sessions, centre, content)) == {"failed": 1}


@pytest.fixture
def taken_back(session: Session, sessions: SessionFactory) -> Callable[[ImportRun], dict[str, int]]:
    def undo(run: ImportRun) -> dict[str, int]:
        service.undo(session, run, clock.now(), SYSTEM)
        work(sessions)
        session.refresh(run)
        assert run.state == "undone"
        result = session.get_one(Job, run.job_id, populate_existing=True).result
        assert result is not None
        return result

    return undo


def test_an_undo_takes_back_what_nobody_has_worked_on(
    session: Session,
    sessions: SessionFactory,
    centre: Source,
    cast: dict[str, User],
    taken_back: Callable[[ImportRun], dict[str, int]],
) -> None:
    rows = [person(n) for n in range(6)]
    rows += [person(6, city="Nowhere at all"), person(7, "No answer"), person(8, "Do not call")]
    send(
        session, "api-pl", warsaw_lead(phone="+48 602 000 009", email="x@example.com"), clock.now()
    )
    rows += [person(9, first="Jan", last="Kowal")]
    run = imported(session, sessions, centre, table(rows))
    assert counts(session, run) == {
        "accepted": 8 if run.accepted == 8 else 7, "history": 1, "suppressed": 1,
        **({"asked_again": 1} if run.asked_again else {}),
    }  # fmt: skip
    advance_leads(sessions, clock.now())
    leads = {lead.full_name[-1]: lead for lead in leads_of(session, run)}
    assert leads["0"].status == "offered"
    anna = actor_of(cast["anna"])
    pipeline.accept(session, leads["0"].id, at=clock.now(), actor=anna)
    send(session, "api-pl", asked_again_by(leads["1"]), clock.now())
    result = taken_back(run)
    after = {lead.full_name[-1]: (lead.status, lead.cause) for lead in leads_of(session, run)}
    assert after["0"] == ("accepted", "")
    assert after["1"][0] != "withdrawn", "its customer has asked by another way"
    gone = {name for name, state in after.items() if state == ("withdrawn", "import_undone")}
    assert gone >= {"2", "3", "4", "5", "6"}
    assert (result["withdrawn"], result["kept"]) == (len(gone), len(after) - len(gone))
    assert (run.undone, result["calls"], result["suppressed"]) == (len(gone), 2, 1)
    open_offers = session.scalars(select(Offer.lead_id).where(Offer.state == "open")).all()
    assert not {leads[name].id for name in gone} & set(open_offers)
    # What was taken back may come again; the rest is known.
    again = imported(session, sessions, centre, table(rows))
    assert counts(session, again)["accepted"] == len(gone)
    with pytest.raises(NotNow, match="undone"):
        service.undo(session, run, clock.now(), SYSTEM)


def asked_again_by(lead: Lead) -> dict[str, Any]:
    return {
        "customer": {"full_name": lead.full_name, "phone": lead.phone, "email": lead.email},
        "address": {"city": "Warszawa", "country": "PL"},
        "request": {"brand": "Aurel"},
    }


@pytest.mark.usefixtures("small_chunks")
def test_an_undo_goes_on_where_its_worker_died(
    session: Session, sessions: SessionFactory, centre: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = imported(session, sessions, centre, table([person(n) for n in range(70)]))
    service.undo(session, run, clock.now(), SYSTEM)

    def dies(_session: Session) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(undoing, "is_ending", dies)
    with pytest.raises(KeyboardInterrupt):
        jobs.work(sessions, clock.now())
    session.refresh(run)
    assert (run.state, run.undone) == ("undoing", 20)
    monkeypatch.undo()
    work(sessions, clock.now() + timedelta(hours=1))
    session.refresh(run)
    assert (run.state, run.undone, number_of(session, DeliveryKey)) == ("undone", 70, 0)
    kinds = Counter(lead.cause for lead in leads_of(session, run))
    assert kinds == Counter(import_undone=70)


def test_steps_that_make_no_sense_are_refused(
    session: Session, sessions: SessionFactory, centre: Source
) -> None:
    run = begun(session, centre, table([person(1)]))
    for verb, code in (
        (service.pause, "not_running"), (service.resume, "running"), (service.undo, "nothing"),
    ):  # fmt: skip
        with pytest.raises(NotNow, match=code):
            verb(session, run, clock.now(), SYSTEM)
    nobody = FieldMapping.from_json({"lines": [{"target": "address.city", "paths": ["City"]}]})
    for mapping, code in ((FieldMapping(), "no_columns"), (nobody, "no_contact")):
        service.set_mapping(session, run, mapping, at=clock.now(), actor=SYSTEM)
        for ask in (service.ask_check, service.start):
            with pytest.raises(NotNow, match=code):
                ask(session, run, clock.now(), SYSTEM)
    done = imported(session, sessions, centre, table([person(1)]))
    for verb, code in (
        (service.start, "begun"), (service.ask_check, "begun"), (service.resume, "over"),
        (service.pause, "not_running"),
    ):  # fmt: skip
        with pytest.raises(NotNow, match=code) as refused:
            verb(session, done, clock.now(), SYSTEM)
        assert not_now_words(refused.value.code).endswith(".")
    assert session.scalars(select(SettingChange)).all()


def test_a_file_that_is_none_leaves_nothing_behind(session: Session, centre: Source) -> None:
    for content, code in ((b"", "empty"), (b"<html><body>no table</body></html>", "html")):
        with pytest.raises(FileProblem) as problem:
            begun(session, centre, content, "leads.xlsx")
        assert problem.value.code == code
        session.rollback()
    with pytest.raises(FileProblem) as problem:
        keep_upload(
            session, iter(lambda: b"x" * 1000, b""), "endless", market_id=centre.market_id,
            at=clock.now(), actor=SYSTEM, most_bytes=5_000,
        )  # fmt: skip
    assert problem.value.code == "too_large"
    session.rollback()
    assert [number_of(session, model) for model in (Upload, UploadPart, ImportRun)] == [0, 0, 0]


def test_a_file_is_kept_in_even_parts_and_comes_back_whole(
    session: Session, centre: Source, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 9_000
    pieces = [content[n : n + 777_777] for n in range(0, len(content), 777_777)]
    upload = keep_upload(
        session, pieces, "../../etc/calls\u202e.csv", market_id=centre.market_id, at=clock.now(),
        actor=SYSTEM, most_bytes=len(content),
    )  # fmt: skip
    sizes = [len(data) for data in session.scalars(select(UploadPart.data))]
    assert (upload.name, upload.size, max(sizes)) == ("calls.csv", len(content), PART_BYTES)
    assert spooled(session, upload.id, tmp_path).read_bytes() == content


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("C:\\Users\\me\\leads.csv", "leads.csv"),
        ("", "file"),
        ("a\nb.csv", "a b.csv"),
        ("x" * 300 + ".xlsx", "x" * 195 + ".xlsx"),
    ],
)
def test_a_file_is_named_as_it_may_be_shown(given: str, shown: str) -> None:
    assert file_name(given) == shown


def test_progress_tells_rate_and_time_left_once_it_can() -> None:
    at = clock.now()
    run = ImportRun(state="running", position=500, total=2000, worked_seconds=5.0)
    assert progress(run, None, at) == Progress(500, 2000, 100.0, 15.0)
    assert progress(run, None, at).share == 0.25
    run.worked_seconds = 0.1
    assert progress(run, None, at) == Progress(500, 2000, None, None)
    run.total, run.worked_seconds = None, 5.0
    assert progress(run, None, at) == Progress(500, None, 100.0, None)
    run.state = "undoing"
    job = Job(done=30, total=90, created_at=at - timedelta(seconds=10))
    assert progress(run, job, at) == Progress(30, 90, 3.0, 20.0)


Lmt = Callable[..., Result]


@pytest.fixture
def lmt(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Lmt:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("LMT_INSTANCE", str(settings.instance))
    return lambda *words: CliRunner().invoke(cli.main, ["import", "leads", *words])


def test_the_command_looks_first_then_brings_in_and_says_what_failed(
    lmt: Lmt, session: Session, centre: Source, tmp_path: Path
) -> None:
    file = tmp_path / "calls.csv"
    rows = [person(1), person(2, "No answer"), person(3, phone="", mail=""), person(1)]
    file.write_bytes(table(rows))
    looked = lmt(str(file), "--source", "centre-pl", "--dry-run")
    assert looked.exit_code == 1, looked.output
    assert "row 3: No mail address and no phone that works." in looked.output
    assert "customer.phone" in looked.output
    for model in (Lead, ImportRun, ImportRow, Upload, UploadPart, Job):
        assert number_of(session, model) == 0, model
    brought = lmt(str(file), "--source", "centre-pl")
    assert brought.exit_code == 1, brought.output
    told = dict(re.findall(r"(rows read|[a-z]+(?: again)?) +│ (\d+)", brought.output))
    assert told == {
        "accepted": "1", "asked again": "0", "repeated": "1", "history": "1", "suppressed": "0",
        "failed": "1",
    }  # fmt: skip
    failed = tmp_path / "calls.csv.failed.csv"
    assert failed.name in brought.output.replace("\n", "")
    failed.write_text(
        failed.read_text("utf-8-sig").replace("Nowicka0003;;", "Nowicka0003;+48602000003;"), "utf-8"
    )
    assert lmt(str(failed), "--source", "centre-pl").exit_code == 0
    session.rollback()
    assert number_of(session, Lead) == 2


def test_the_command_goes_on_with_the_file_that_was_paused(
    lmt: Lmt, session: Session, sessions: SessionFactory, centre: Source, tmp_path: Path
) -> None:
    content = table([person(n) for n in range(600)])
    run = started(session, centre, content)
    jobs.work(sessions, clock.now(), is_ending=lambda: True)
    service.pause(session, run, clock.now(), SYSTEM)
    file = tmp_path / "the same.csv"
    file.write_bytes(content)
    result = lmt(str(file), "--source", "centre-pl")
    assert (result.exit_code, "Going on after row 500." in result.output) == (0, True)
    assert counts(session, run) == {"accepted": 600}


def test_the_command_says_in_a_line_what_it_can_not_use(
    lmt: Lmt, centre: Source, tmp_path: Path
) -> None:
    page = tmp_path / "leads.xlsx"
    page.write_text("<html><body>Sign in</body></html>")
    lines = tmp_path / "mapping.json"
    lines.write_text(json.dumps({"lines": [{"target": "customer.shoe_size", "paths": ["Size"]}]}))
    good = tmp_path / "calls.csv"
    good.write_bytes(table([person(1)]))
    for words, told in (
        ((str(page), "--source", "centre-pl"), "This is a web page"),
        ((str(good), "--source", "nobody"), "there is no source nobody"),
        ((str(good), "--source", "centre-pl", "--mapping", str(lines)), "line 1: unknown_target"),
    ):
        result = lmt(*words)
        assert (result.exit_code, told in result.output) == (3, True), result.output


def test_the_delivery_of_an_import_shows_which_file_it_was(
    session: Session, sessions: SessionFactory, centre: Source, client: FlaskClient,
    login: Callable[[FlaskClient, User], FlaskClient], cast: dict[str, User],
) -> None:  # fmt: skip
    run = imported(session, sessions, centre, table([person(1)]))
    page = login(client, cast["hana"]).get(f"/hq/intake/{run.intake_id}")
    assert page.status_code == 200
    assert "calls.csv" in page.text
    assert "Replay" not in page.text
    (lead,) = leads_of(session, run)
    assert lead.intake_id == run.intake_id
