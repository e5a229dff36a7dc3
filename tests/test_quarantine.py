"""What could not be read is mended and taken in again: once, in order, and never lost."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt import cli, clock, jobs
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.ingest import kinds, replaying
from lmt.ingest.accept import Delivery, Receipt
from lmt.ingest.door import Quarantined, receive
from lmt.ingest.quarantine import (
    Answered,
    StillUnreadable,
    ask_replay_all,
    dismiss,
    put_back,
    take_again,
)
from lmt.models import Intake, Job, Lead, Retrieval, Source, User
from lmt.scope import SYSTEM, act_as, actor_of
from tests.world import FRIDAY, World

LATER = FRIDAY + timedelta(hours=2)
MAPPING = {
    "lines": [
        {"target": "id", "paths": ["ref"]},
        {"target": "customer.full_name", "paths": ["who"]},
        {"target": "customer.email", "paths": ["mail"]},
        {"target": "address.city", "paths": ["town"]},
    ]
}
JSON = "application/json"


def posted(number: int, **values: Any) -> bytes:
    who = {"who": f"Person {number}", "mail": f"person{number}@mail.example", "town": "Łódź"}
    return json.dumps({**who, **values}).encode()


@pytest.fixture
def source(session: Session, world: World) -> Source:
    """A form of somebody else's whose mapping nobody has written yet."""
    row = Source(
        code="landing-pl",
        kind="json",
        name="Landing page",
        market_id=world.markets["PL"],
        brand_id=world.brand_id,
        country="PL",
        language="pl",
    )
    session.add(row)
    session.commit()
    return row


Kept = Callable[..., uuid.UUID]


@pytest.fixture
def kept(session: Session, source: Source) -> Kept:
    """A delivery that could not be read, through the door that production runs."""

    def keep(body: bytes, at: datetime = FRIDAY, key: str | None = None) -> uuid.UUID:
        with pytest.raises(Quarantined) as caught:
            sent(session, source, body, at, key)
        return caught.value.intake_id

    return keep


def sent(
    session: Session, source: Source, body: bytes, at: datetime, key: str | None = None
) -> Receipt:
    delivery = Delivery(body=body, content_type=JSON, key=key)
    return receive(session, source, delivery, kinds.reader_of(source, JSON), at)


def mend(session: Session, source: Source) -> None:
    source.mapping = MAPPING
    session.commit()


def row_of(session: Session, intake_id: uuid.UUID) -> Intake:
    session.expire_all()
    return session.get_one(Intake, intake_id)


def number_of_leads(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Lead)) or 0


def test_a_delivery_is_taken_in_once_its_mapping_is_mended(
    session: Session, source: Source, kept: Kept, cast: dict[str, User]
) -> None:
    intake_id = kept(posted(1))
    with pytest.raises(StillUnreadable) as still:
        take_again(session, intake_id, at=LATER, actor=SYSTEM)
    assert still.value.code == "mapping"
    mend(session, source)
    receipt = take_again(session, intake_id, at=LATER, actor=actor_of(cast["hana"]))
    lead = session.get_one(Lead, receipt.lead_ids[0])
    assert (lead.full_name, lead.intake_id, lead.source_id) == ("Person 1", intake_id, source.id)
    row = row_of(session, intake_id)
    assert (row.status, row.answered_at, row.answered_by) == ("accepted", LATER, cast["hana"].id)
    assert (bytes(row.body), row.mended) == (posted(1), None)


def test_replaying_twice_is_one_lead(session: Session, source: Source, kept: Kept) -> None:
    intake_id = kept(posted(1))
    mend(session, source)
    first = take_again(session, intake_id, at=LATER, actor=SYSTEM)
    again = take_again(session, intake_id, at=LATER + timedelta(hours=1), actor=SYSTEM)
    assert (again.lead_ids, again.repeated) == (first.lead_ids, True)
    assert number_of_leads(session) == 1
    assert row_of(session, intake_id).answered_at == LATER


@pytest.mark.parametrize("key", [None, "own:77", "key:abc"])
def test_the_senders_own_retry_and_a_replay_are_one_lead(
    session: Session, source: Source, kept: Kept, key: str | None
) -> None:
    intake_id = kept(posted(1), key=key)
    mend(session, source)
    retried = sent(session, source, posted(1), LATER, key)
    replayed = take_again(session, intake_id, at=LATER + timedelta(minutes=1), actor=SYSTEM)
    assert (replayed.lead_ids, replayed.repeated) == (retried.lead_ids, True)
    later = sent(session, source, posted(1), LATER + timedelta(minutes=2), key)
    assert (later.lead_ids, later.repeated) == (retried.lead_ids, True)
    assert number_of_leads(session) == 1
    assert session.get_one(Lead, retried.lead_ids[0]).asked_again == 0
    assert row_of(session, intake_id).status == "accepted"


def test_what_is_unreadable_learns_its_senders_id_when_it_is_read(
    session: Session, source: Source, kept: Kept
) -> None:
    intake_id = kept(posted(1, ref="R-1", sent=1))
    mend(session, source)
    replayed = take_again(session, intake_id, at=LATER, actor=SYSTEM)
    # Other bytes, the same number of the sender's.
    retried = sent(session, source, posted(1, ref="R-1", sent=2), LATER, "own:R-1")
    assert retried.lead_ids == replayed.lead_ids
    assert number_of_leads(session) == 1


def test_a_mended_text_is_kept_beside_what_came(
    session: Session, source: Source, kept: Kept
) -> None:
    mend(session, source)
    broken = posted(1)[:-1]
    intake_id = kept(broken)
    assert row_of(session, intake_id).problem["code"] == "no_json"
    receipt = take_again(session, intake_id, at=LATER, actor=SYSTEM, mended=posted(1))
    row = row_of(session, intake_id)
    assert (bytes(row.body), bytes(row.mended or b"")) == (broken, posted(1))
    assert row.status == "accepted"
    assert session.get_one(Lead, receipt.lead_ids[0]).full_name == "Person 1"


def test_a_mend_that_does_not_help_changes_nothing(
    session: Session, source: Source, kept: Kept
) -> None:
    mend(session, source)
    intake_id = kept(b"{")
    with pytest.raises(StillUnreadable) as still:
        take_again(session, intake_id, at=LATER, actor=SYSTEM, mended=posted(1, mail=""))
    assert {each["field"] for each in still.value.errors} == {"customer.email", "customer.phone"}
    row = row_of(session, intake_id)
    assert (row.status, row.mended, row.problem["code"]) == ("quarantined", None, "no_json")


def test_what_stays_unreadable_says_why_now(session: Session, source: Source, kept: Kept) -> None:
    intake_id = kept(posted(1, mail="nobody"))
    mend(session, source)
    with pytest.raises(StillUnreadable):
        take_again(session, intake_id, at=LATER, actor=SYSTEM)
    row = row_of(session, intake_id)
    assert row.status == "quarantined"
    assert [each["field"] for each in row.problem["errors"]] == ["customer.email", "customer.phone"]
    assert (row.answered_at, row.answered_by) == (None, None)


def test_a_fault_of_ours_leaves_the_delivery_where_it_was(
    session: Session, source: Source, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake_id = kept(posted(1))
    mend(session, source)

    def broken(*_args: Any, **_values: Any) -> Receipt:
        raise RuntimeError("a bug")

    monkeypatch.setattr("lmt.ingest.quarantine.accept", broken)
    with pytest.raises(StillUnreadable):
        take_again(session, intake_id, at=LATER, actor=SYSTEM)
    row = row_of(session, intake_id)
    assert (row.status, row.problem["code"], row.answered_at) == ("quarantined", "failed", None)


def test_a_person_takes_in_only_what_is_theirs_to_see(
    session: Session, source: Source, kept: Kept, cast: dict[str, User], world: World
) -> None:
    intake_id = kept(posted(1))
    mend(session, source)
    source.market_id = world.markets["GULF"]
    session.commit()
    act_as(session, actor_of(cast["hana"]))
    for act in (
        lambda: take_again(session, intake_id, at=LATER, actor=SYSTEM),
        lambda: dismiss(session, intake_id, "spam", at=LATER, actor=SYSTEM),
    ):
        with pytest.raises(LookupError):
            act()


def test_dismissing_is_taken_back(session: Session, kept: Kept, cast: dict[str, User]) -> None:
    intake_id, hana = kept(b"not a lead"), actor_of(cast["hana"])
    with pytest.raises(ValueError, match="reason"):
        dismiss(session, intake_id, "  ", at=LATER, actor=hana)
    dismiss(session, intake_id, " somebody's  joke ", at=LATER, actor=hana)
    row = row_of(session, intake_id)
    assert (row.status, row.note, row.answered_by) == ("dismissed", "somebody's joke", hana.user_id)
    for act in (
        lambda: take_again(session, intake_id, at=LATER, actor=hana),
        lambda: dismiss(session, intake_id, "once more", at=LATER, actor=hana),
    ):
        with pytest.raises(Answered):
            act()
    put_back(session, intake_id)
    row = row_of(session, intake_id)
    assert (row.status, row.note, row.answered_at, row.answered_by) == (
        "quarantined",
        "",
        None,
        None,
    )
    with pytest.raises(Answered):
        put_back(session, intake_id)


def test_a_lead_that_could_not_be_fetched_is_asked_for_again(
    session: Session, world: World
) -> None:
    meta = Source(code="meta-pl", kind="meta", name="Meta", market_id=world.markets["PL"])
    session.add(meta)
    session.flush()
    notice = Intake(
        source_id=meta.id, received_at=FRIDAY, body=b"{}", body_hash=b"h", status="quarantined",
        problem={"code": "fetch_failed", "cause": "platform_token", "errors": []},
    )  # fmt: skip
    session.add(notice)
    session.flush()
    failed = Retrieval(
        source_id=meta.id, intake_id=notice.id, remote_id="1", status="failed", attempts=11,
        next_attempt_at=FRIDAY, created_at=FRIDAY, problem="platform_token",
    )  # fmt: skip
    session.add(failed)
    session.commit()
    assert take_again(session, notice.id, at=LATER, actor=SYSTEM) == Receipt(())
    session.expire_all()
    assert (failed.status, failed.attempts, failed.next_attempt_at) == ("queued", 0, LATER)
    assert row_of(session, notice.id).status == "fetching"


def work(sessions: SessionFactory, at: datetime) -> None:
    while jobs.work(sessions, at):
        pass


def test_all_that_waits_is_taken_in_oldest_first(
    session: Session, sessions: SessionFactory, source: Source, kept: Kept
) -> None:
    bodies = [posted(n, mail="" if n == 3 else f"person{n}@mail.example") for n in range(7)]
    ids = [kept(body, FRIDAY + timedelta(minutes=n)) for n, body in enumerate(bodies)]
    dismiss(session, ids[5], "a test of ours", at=LATER, actor=SYSTEM)
    mend(session, source)
    # One came by itself meanwhile.
    sent(session, source, bodies[1], LATER)
    job = ask_replay_all(session, source, LATER, SYSTEM)
    same = ask_replay_all(session, source, LATER, SYSTEM)
    session.commit()
    assert (job.id, job.total) == (same.id, 6)
    work(sessions, LATER)
    session.expire_all()
    job = session.get_one(Job, job.id)
    assert job.finished_at is not None
    assert (job.done, job.problem) == (6, "")
    counts = {name: job.result[name] for name in replaying.OUTCOMES} if job.result else {}
    assert counts == {
        "accepted": 4, "repeated": 1, "unreadable": 1, "fetching": 0, "answered": 0, "leads": 4,
    }  # fmt: skip
    names = session.scalars(select(Lead.full_name).order_by(Lead.created_at, Lead.id)).all()
    assert names == ["Person 1", "Person 0", "Person 2", "Person 4", "Person 6"]
    assert [row_of(session, each).status for each in ids] == [
        "accepted", "accepted", "accepted", "quarantined", "accepted", "dismissed", "accepted",
    ]  # fmt: skip


def test_a_worker_that_dies_leaves_the_rest_to_the_next(
    session: Session,
    sessions: SessionFactory,
    source: Source,
    kept: Kept,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replaying, "TELL_EVERY", 2)
    monkeypatch.setattr(replaying, "CHUNK", 3)
    for n in range(8):
        kept(posted(n), FRIDAY + timedelta(minutes=n))
    mend(session, source)
    job = ask_replay_all(session, source, LATER, SYSTEM)
    session.commit()
    taken = 0

    class Killed(BaseException):
        """Nothing catches a kill."""

    def once(*args: Any, **values: Any) -> Receipt:
        nonlocal taken
        if taken == 5:
            taken += 1
            raise Killed
        taken += 1
        return take_again(*args, **values)

    monkeypatch.setattr(replaying, "take_again", once)
    with pytest.raises(Killed):
        jobs.work(sessions, LATER)
    assert number_of_leads(session) == 5
    # Another worker may have it once the lease is over.
    work(sessions, clock.now() + timedelta(days=1))
    session.expire_all()
    job = session.get_one(Job, job.id)
    assert job.finished_at is not None
    assert number_of_leads(session) == 8
    assert job.result is not None
    assert (job.result["accepted"], job.attempts) == (7, 2)


def test_what_came_while_the_source_was_paused_is_taken_in_when_it_goes_on(
    session: Session, sessions: SessionFactory, source: Source, kept: Kept
) -> None:
    unread = kept(posted(0))
    mend(session, source)
    source.paused_at = FRIDAY
    session.commit()
    paused = [kept(posted(n), FRIDAY + timedelta(minutes=n)) for n in (1, 2)]
    with pytest.raises(StillUnreadable) as still:
        take_again(session, paused[0], at=LATER, actor=SYSTEM)
    assert still.value.code == "paused"
    stopped = ask_replay_all(session, source, LATER, SYSTEM, code="paused")
    session.commit()
    work(sessions, LATER)
    session.expire_all()
    assert session.get_one(Job, stopped.id).problem == "paused"
    source.paused_at = None
    ask_replay_all(session, source, LATER, SYSTEM, code="paused")
    session.commit()
    work(sessions, LATER)
    assert [row_of(session, each).status for each in (unread, *paused)] == [
        "quarantined", "accepted", "accepted",
    ]  # fmt: skip
    names = session.scalars(select(Lead.full_name).order_by(Lead.created_at, Lead.id)).all()
    assert names == ["Person 1", "Person 2"]


def test_the_operator_replays_on_the_terminal(
    session: Session,
    source: Source,
    kept: Kept,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("LMT_INSTANCE", str(settings.instance))

    def replay(*words: str) -> Result:
        return CliRunner().invoke(cli.main, ["intake", "replay", *words])

    first, second, broken = kept(posted(1)), kept(posted(2)), kept(posted(3, mail=""))
    mend(session, source)
    one = replay(str(first))
    assert (one.exit_code, one.output.splitlines()[0]) == (0, f"{first}  accepted")
    all_of_it = replay("--source", source.code)
    assert all_of_it.exit_code == 1
    assert all_of_it.output.splitlines()[:2] == [f"{second}  accepted", f"{broken}  unreadable"]
    assert "1 accepted" in all_of_it.output
    assert number_of_leads(session) == 2
    assert replay(str(uuid.uuid4())).exit_code == 1
    assert replay("--source", "nowhere").output == "Error: there is no source nowhere\n"
    assert replay(str(first), "--source", source.code).exit_code == 2
    assert replay().exit_code == 1
