"""A file's rows come in together, and mean what each would mean alone."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from lmt.db import SessionFactory, uuid7
from lmt.donotcontact import suppress
from lmt.ingest.accept import SAME_BODY_FOR, Delivery, SourceChanged, accept
from lmt.ingest.arrival import arrival
from lmt.ingest.books import books, home_of
from lmt.ingest.bulk import Action, BulkCall, BulkResult, BulkRow, accept_rows
from lmt.ingest.release import release_instants
from lmt.models import (
    CallRecord,
    Consent,
    Customer,
    CustomerKey,
    DeliveryKey,
    DuplicateSuggestion,
    Event,
    ImportRun,
    Inquiry,
    Lead,
    Release,
    RoutingPolicy,
    Source,
    Suppression,
    Upload,
)
from lmt.scope import SYSTEM, act_as
from tests.world import FRIDAY, World, warsaw_lead

FILES = int(os.environ.get("LMT_BULK_FILES", "30"))
HOUR = timedelta(hours=1)
EWA = {"full_name": "Ewa Nowak", "phone": "+48512000222", "email": "ewa@example.com"}
IBO = {"full_name": "Ibo Mazur", "phone": "+48512000333", "email": "ibo@example.com"}


@dataclass(frozen=True)
class Line:
    """A line of a file before it is read: the sender's id, the lead, the call."""

    data: dict[str, Any]
    key: str | None = None
    action: Action = "route"
    call: BulkCall | None = None

    @property
    def body(self) -> bytes:
        return repr((self.data, self.action, self.call)).encode()


def source_row(session: Session, code: str = "api-pl") -> Source:
    return session.scalars(select(Source).where(Source.code == code)).one()


def begun(session: Session, source: Source) -> ImportRun:
    upload = Upload(
        market_id=source.market_id, name="calls.csv", size=1, sha256=b"", created_at=FRIDAY
    )
    session.add(upload)
    session.flush()
    run = ImportRun(
        source_id=source.id, upload_id=upload.id, created_at=FRIDAY, intake_id=uuid7(FRIDAY)
    )
    session.add(run)
    session.flush()
    return run


def read(
    session: Session, source: Source, lines: Sequence[Line], at: datetime, first: int = 1
) -> list[BulkRow]:
    home = home_of(session, source)
    return [
        BulkRow(
            number,
            line.key,
            hashlib.sha256(line.body).digest(),
            arrival(source, home, line.data, at),
            line.action,
            line.call,
        )
        for number, line in enumerate(lines, first)
    ]


def imported(
    session: Session, *lines: Line, at: datetime = FRIDAY, source: str = "api-pl"
) -> list[BulkResult]:
    """What becomes of the lines of a file, all in one chunk; committed."""
    row = source_row(session, source)
    run = begun(session, row)
    found = accept_rows(session, run, row, read(session, row, lines, at), at)
    session.commit()
    session.expire_all()
    return found


def outcomes(found: Sequence[BulkResult]) -> list[str]:
    return [result.outcome for result in found]


def total(session: Session, model: Any) -> int:
    return session.scalars(select(func.count()).select_from(model)).one()


def called(disposition: str, action: Action = "route", **more: Any) -> dict[str, Any]:
    call = BulkCall(more.pop("call_at", FRIDAY - HOUR), disposition, **more)
    return {"action": action, "call": call}


def test_a_newcomer_is_a_lead_with_its_customer_its_history_and_its_consents(
    session: Session, world: World
) -> None:
    consent = {"purpose": "phone", "given": True, "text_version": "1"}
    line = Line(warsaw_lead() | {"consents": [consent]}, key="cc-1")
    (result,) = imported(session, line)
    lead = session.scalars(select(Lead)).one()
    run = session.scalars(select(ImportRun)).one()
    assert result == BulkResult(1, "accepted", lead.id)
    assert (lead.status, lead.full_name, lead.phone) == ("received", "Jan Kowal", "+48512345678")
    assert (lead.import_id, lead.intake_id, lead.next_action_at) == (run.id, run.intake_id, FRIDAY)
    assert (lead.brand_id, lead.market_id) == (world.brand_id, world.markets["PL"])
    assert len(lead.reference) == len("K7QF-2M9D")
    assert lead.given["request"]["comments"] == "Cześć"
    assert (lead.customer.full_name, lead.customer.kind) == ("Jan Kowal", "private")
    event = session.scalars(select(Event)).one()
    assert (event.kind, event.lead_id) == ("received", lead.id)
    assert event.data == {
        "channel": "api", "source": "api-pl", "problems": [], "import": str(run.id), "row": 1,
    }  # fmt: skip
    agreed = session.scalars(select(Consent)).one()
    assert (agreed.purpose, agreed.given, agreed.lead_id) == ("phone", True, lead.id)


def test_the_same_row_again_is_the_same_delivery(session: Session) -> None:
    lines = [Line(warsaw_lead()), Line(warsaw_lead(**EWA), key="cc-2")]
    first = imported(session, *lines)
    again = imported(session, *lines, lines[0], at=FRIDAY + HOUR)
    assert outcomes(first) == ["accepted"] * 2
    assert outcomes(again) == ["repeated"] * 3
    assert [result.lead_id for result in again[:2]] == [result.lead_id for result in first]
    # What has no id of its own is forgotten after a while, and then the person asks again.
    late = imported(session, *lines, at=FRIDAY + SAME_BODY_FOR + HOUR)
    assert outcomes(late) == ["asked_again", "repeated"]
    assert total(session, Lead) == 2


def test_a_repeat_within_the_chunk_is_told_of_the_lead_it_repeats(session: Session) -> None:
    line = Line(warsaw_lead(), key="cc-1")
    other = replace(line, data=warsaw_lead(**EWA))
    found = imported(session, line, line, other, other)
    assert outcomes(found) == ["accepted", "repeated", "accepted", "repeated"]
    assert found[1].lead_id == found[0].lead_id
    # The sender's numbers began anew: plainly somebody else.
    assert found[3].lead_id == found[2].lead_id != found[0].lead_id


def test_who_is_known_already_asks_again(session: Session) -> None:
    live = accept(session, source_row(session), Delivery(b"x"), [warsaw_lead()], FRIDAY)
    found = imported(
        session, Line(warsaw_lead(email="")), Line(warsaw_lead(**EWA)), at=FRIDAY + HOUR
    )
    assert outcomes(found) == ["asked_again", "accepted"]
    assert (found[0].lead_id,) == live.lead_ids
    lead = session.get_one(Lead, live.lead_ids[0])
    assert (lead.asked_again, lead.import_id) == (1, None)
    asked = session.scalars(select(Event).where(Event.kind == "asked_again")).one()
    assert asked.data["row"] == 1


def test_a_namesake_in_town_is_another_customer_and_a_question(session: Session) -> None:
    found = imported(
        session,
        Line(warsaw_lead()),
        Line(warsaw_lead(phone="+48512000444", email="jan.k@example.com")),
    )
    assert outcomes(found) == ["accepted", "accepted"]
    one, two = session.scalars(select(Customer.id).order_by(Customer.id))
    asked = session.scalars(select(DuplicateSuggestion)).one()
    assert (asked.customer_id, asked.other_id, asked.reasons) == (two, one, ["city", "name_same"])


def test_what_one_row_tells_of_a_customer_counts_for_the_next(session: Session) -> None:
    home = {"postcode": "00-001", "city": "Warszawa", "country": "PL"}
    at_home = home | {"street": "ul. Polna 5"}
    found = imported(
        session,
        Line(warsaw_lead(email="") | {"address": home}),
        Line(warsaw_lead(full_name="", email="") | {"address": at_home}),
        # Shares nothing with the row before, but for the address that Jan has by it.
        Line(warsaw_lead(phone="", email="jk@example.com") | {"address": at_home}),
    )
    assert outcomes(found) == ["accepted", "asked_again", "asked_again"]
    assert session.scalars(select(Customer.street)).all() == ["ul. Polna 5"]


CALLS: dict[str, tuple[dict[str, Any], str, bool]] = {
    # What was said, what becomes of the row, and whether the person has waited since the call.
    "interested": (called("interested"), "accepted", True),
    "call back": (called("call_back", back_at=FRIDAY + 5 * HOUR), "accepted", True),
    "answered": (called("reached"), "accepted", True),
    "not called yet": (called("not_called"), "accepted", False),
    "no answer": (called("no_answer", "history"), "history", False),
    "a sale": (called("sale", "history"), "history", False),
    "do not call": (called("do_not_call", "suppress"), "suppressed", False),
}


@pytest.mark.parametrize(("told", "outcome", "waits"), CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("known", [False, True], ids=["a newcomer", "a customer we know"])
def test_a_call_is_kept_with_its_customer(
    session: Session, told: dict[str, Any], outcome: str, waits: bool, known: bool
) -> None:
    if known:
        service = warsaw_lead() | {"request": {"type": "after_sales"}}
        accept(session, source_row(session), Delivery(b"x"), [service], FRIDAY - 2 * HOUR)
    (result,) = imported(session, Line(warsaw_lead(), **told))
    call: BulkCall = told["call"]
    was_made = call.disposition != "not_called"
    assert result.outcome == outcome
    assert total(session, Customer) == 1
    record = session.scalars(select(CallRecord)).one_or_none()
    assert (record is not None) == was_made
    if record is not None:
        assert (record.disposition, record.at) == (call.disposition, FRIDAY - HOUR)
        assert (record.lead_id, record.row_number) == (result.lead_id, 1)
        assert record.customer_id == session.scalars(select(Customer.id)).one()
    events = session.scalars(
        select(Event.kind).where(Event.lead_id == result.lead_id).order_by(Event.id)
    ).all()
    if outcome == "accepted":
        lead = session.get_one(Lead, result.lead_id)
        assert lead.first_call_at == (FRIDAY - HOUR if waits else None)
        assert lead.call_at == call.back_at
        assert events == ["received", "called"] if was_made else ["received"]
    else:
        # Told of in the history of what they have open, though it is about something else.
        assert (result.lead_id is not None) == known
        assert events == (["received", "called"] if known else [])
        assert total(session, Lead) == known


def test_a_call_tells_who_called_and_what_was_said(session: Session) -> None:
    told = called("interested", note="After six\x00, please", agent="Ola")
    imported(session, Line(warsaw_lead(), **told))
    record = session.scalars(select(CallRecord)).one()
    assert (record.note, record.agent) == ("After six, please", "Ola")
    event = session.scalars(select(Event).where(Event.kind == "called")).one()
    assert event.data == {
        "disposition": "interested", "at": (FRIDAY - HOUR).isoformat(), "agent": "Ola",
        "note": "After six, please",
    }  # fmt: skip


def test_who_wants_no_calls_is_listed_in_their_market(session: Session, world: World) -> None:
    line = Line(warsaw_lead(email="Jan@Example.com"), **called("do_not_call", "suppress"))
    no_number = Line(warsaw_lead(**EWA | {"phone": "12 34 56", "email": ""}), **line_of(line))
    assert outcomes(imported(session, line, no_number, line)) == [
        "suppressed", "suppressed", "repeated",
    ]  # fmt: skip
    listed = session.scalars(select(Suppression).order_by(Suppression.kind)).all()
    assert [(row.kind, row.value, row.market_id) for row in listed] == [
        ("email", "jan@example.com", world.markets["PL"]),
        ("phone", "+48512345678", world.markets["PL"]),
    ]
    assert (total(session, Lead), total(session, CallRecord)) == (0, 2)


def line_of(line: Line) -> dict[str, Any]:
    return {"action": line.action, "call": line.call}


def test_whom_the_source_may_not_approach_becomes_no_lead(session: Session, world: World) -> None:
    source_row(session).solicited = True
    lists = {"origin": "list", "at": FRIDAY}
    for kind, value in (("phone", "+48512345678"), ("email", "jan@example.com")):
        suppress(session, kind, value, market_id=world.markets["PL"], **lists)
    suppress(session, "phone", EWA["phone"], market_id=None, **lists)
    suppress(session, "phone", IBO["phone"], market_id=world.markets["GULF"], **lists)
    session.commit()
    stop = called("do_not_call", "suppress")
    zoe = {"full_name": "Zoe Lis", "phone": "+48512000555", "email": ""}
    found = imported(
        session,
        Line(warsaw_lead()),
        Line(warsaw_lead(**EWA)),
        Line(warsaw_lead(**EWA | {"email": ""})),
        Line(warsaw_lead(**IBO | {"email": ""})),
        Line(warsaw_lead(**zoe), **stop),
        Line(warsaw_lead(**zoe)),
    )
    assert outcomes(found) == [
        "suppressed", "accepted", "suppressed", "accepted", "suppressed", "suppressed",
    ]  # fmt: skip
    assert sorted(session.scalars(select(Lead.full_name))) == ["Ewa Nowak", "Ibo Mazur"]
    # Nothing of them was used up: off the lists, the same file brings them.
    for entry in session.scalars(select(Suppression)):
        entry.lifted_at = FRIDAY
    session.commit()
    assert outcomes(imported(session, Line(warsaw_lead()))) == ["accepted"]


def test_a_source_that_changed_takes_nothing(session: Session) -> None:
    source = books(session).sources[source_row(session).id]
    run = begun(session, source_row(session))
    rows = read(session, source, [Line(warsaw_lead())], FRIDAY)
    source_row(session).language = "en"
    session.commit()
    with pytest.raises(SourceChanged):
        accept_rows(session, run, source, rows, FRIDAY)
    assert total(session, DeliveryKey) == 0


# Release


def test_release_instants() -> None:
    assert release_instants(None, FRIDAY, None, 2) == [FRIDAY] * 2
    assert release_instants(None, FRIDAY, 60, 3) == [
        FRIDAY + timedelta(minutes=minute) for minute in range(3)
    ]
    assert release_instants(FRIDAY - HOUR, FRIDAY, 2, 1) == [FRIDAY]
    assert release_instants(FRIDAY + HOUR, FRIDAY, 2, 2) == [FRIDAY + HOUR, FRIDAY + 1.5 * HOUR]
    # No drift, however many.
    assert release_instants(FRIDAY, FRIDAY, 7, 701)[700] == FRIDAY + 100 * HOUR


def test_a_market_gets_its_leads_at_its_rate_also_across_files(
    session: Session, world: World
) -> None:
    policy = session.scalars(
        select(RoutingPolicy).where(RoutingPolicy.market_id == world.markets["PL"])
    ).one()
    policy.settings = {**policy.settings, "release_per_hour": 2}
    session.commit()
    gulf = warsaw_lead(**IBO) | {"address": {"country": "AE"}}
    test = warsaw_lead(full_name="Test Nowak", phone="+48512999888", email="") | {"test": True}
    people = [
        {"full_name": f"Person {word}", "phone": f"+4851200077{n}", "email": ""}
        for n, word in enumerate(("One", "Two", "Three"))
    ]
    lines = [Line(warsaw_lead(**person)) for person in people]
    again = Line(warsaw_lead(**people[2]) | {"attributes": {"n": 2}})
    imported(session, *lines[:2], Line(gulf), Line(test))
    found = imported(session, lines[2], again, at=FRIDAY + HOUR / 4)
    assert outcomes(found) == ["accepted", "asked_again"]
    instants = dict(session.execute(select(Lead.full_name, Lead.next_action_at)).all())
    assert instants == {
        "Person One": FRIDAY, "Person Two": FRIDAY + HOUR / 2, "Person Three": FRIDAY + HOUR,
        "Ibo Mazur": FRIDAY, "Test Nowak": FRIDAY,
    }  # fmt: skip
    release = session.scalars(select(Release)).one()
    assert (release.market_id, release.next_at) == (world.markets["PL"], FRIDAY + 1.5 * HOUR)


# The same as one by one


NAMES = ["Jan Kowal", "Ewa Nowak", "J. Kowal", "Anna Kowal", "Acme Sp. z o.o.", ""]
PHONES = ["+48512345678", "+48512000222", "+48512000333", "512 345 678", "1234", ""]
MAILS = ["jan@example.com", "ewa@example.com", "info@acme.example", ""]
CITIES = [("Warszawa", "00-001"), ("Warszawa", ""), ("Kraków", "30-001"), ("", "")]
REQUESTS = ["test_drive", "quote", "after_sales", "fleet"]

_calls = st.one_of(
    st.just({}),
    st.just({}),
    st.sampled_from([
        called("interested"), called("call_back", back_at=FRIDAY + HOUR), called("not_called"),
        called("no_answer", "history"), called("do_not_call", "suppress"),
    ]),
)  # fmt: skip


@st.composite
def _line(draw: st.DrawFn) -> Line:
    city, postcode = draw(st.sampled_from(CITIES))
    customer = {
        "full_name": draw(st.sampled_from(NAMES)),
        "phone": draw(st.sampled_from(PHONES)),
        "email": draw(st.sampled_from(MAILS)),
    }
    data = {
        "customer": customer,
        "address": {"city": city, "postcode": postcode},
        "request": {
            "type": draw(st.sampled_from(REQUESTS)),
            "comments": draw(st.sampled_from("ab")),
        },
        "consents": draw(st.sampled_from([[], [{"purpose": "phone", "given": True}]])),
        "test": draw(st.sampled_from([False] * 9 + [True])),
    }
    return Line(data, draw(st.sampled_from([None, None, "1", "2"])), **draw(_calls))


_files = st.lists(_line(), min_size=2, max_size=12).flatmap(
    # Whole lines come twice, too.
    lambda lines: st.lists(st.sampled_from(lines), max_size=3).map(lambda more: lines + more)
)
_instants = (FRIDAY + timedelta(minutes=number) for number in count())


@dataclass(frozen=True)
class Book:
    """All that a file left behind, without any id that chance decides."""

    outcomes: list[tuple[str, str | None]]
    tables: dict[str, list[Any]]


def left_behind(session: Session, found: list[BulkResult], at: datetime) -> Book:
    """Customers are told apart by the order in which they came, leads by who and what."""
    customers = list(session.scalars(select(Customer).order_by(Customer.id)))
    rank = {row.id: place for place, row in enumerate(customers)}
    leads = list(session.scalars(select(Lead)))
    by_chance = {
        "id",
        "reference",
        "intake_id",
        "import_id",
        "customer_id",
        "call_at",
        "first_call_at",
    }
    plain = {
        row.id: str([rank[row.customer_id]] + [
            getattr(row, column.key)
            for column in Lead.__table__.columns
            if column.key not in by_chance
        ])
        for row in leads
    }  # fmt: skip
    columns = ("kind", "full_name", "company", "language", "country", "postcode", "city", "street")
    return Book(
        [(result.outcome, plain.get(result.lead_id)) for result in found],
        {
            "customers": [[getattr(row, name) for name in columns] for row in customers],
            "leads": sorted(plain.values()),
            "keys": sorted(
                (row.kind, row.value, rank[row.customer_id])
                for row in session.scalars(select(CustomerKey))
            ),
            "doubts": sorted(
                (rank[row.customer_id], rank[row.other_id], row.score, row.reasons)
                for row in session.scalars(select(DuplicateSuggestion))
            ),
            "inquiries": sorted(
                str((plain[row.lead_id], row.given, row.request_type, row.handled_at))
                for row in session.scalars(select(Inquiry))
            ),
            "consents": sorted(
                (plain[row.lead_id], row.purpose, row.given, row.origin)
                for row in session.scalars(select(Consent))
            ),
            "deliveries": sorted(
                str((row.key, row.body_hash, [plain[id] for id in row.lead_ids]))
                for row in session.scalars(select(DeliveryKey))
            ),
            "events": sorted(
                (plain[row.lead_id], row.kind)
                for row in session.scalars(select(Event))
                if row.kind not in {"called", "do_not_contact"}
            ),
            "lists": sorted((row.kind, row.value) for row in session.scalars(select(Suppression))),
        },
    )


def test_a_chunk_leaves_what_its_rows_leave_one_by_one(engine: Engine) -> None:
    with engine.connect() as connection:

        def tried(act: Callable[[Session], Book]) -> Book:
            """What comes of it, and then it never was."""
            with connection.begin() as whole:
                session = Session(
                    connection, join_transaction_mode="create_savepoint", expire_on_commit=False
                )
                with act_as(session, SYSTEM):
                    book = act(session)
                whole.rollback()
            return book

        @settings(
            max_examples=FILES,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(file=_files, size=st.sampled_from([2, 5, 500]))
        def same(file: list[Line], size: int) -> None:
            at = next(_instants)

            def in_chunks(session: Session) -> Book:
                source = source_row(session)
                run = begun(session, source)
                rows = read(session, source, file, at)
                found = [
                    result
                    for start in range(0, len(rows), size)
                    for result in accept_rows(session, run, source, rows[start : start + size], at)
                ]
                session.commit()
                return left_behind(session, found, at)

            def one_by_one(session: Session) -> Book:
                source = source_row(session)
                run = begun(session, source)
                found = []
                for number, line in enumerate(file, 1):
                    if line.action == "route":
                        found.append(delivered(session, source, line, number, at))
                    else:
                        row = read(session, source, [line], at, number)
                        found += accept_rows(session, run, source, row, at)
                        session.commit()
                return left_behind(session, found, at)

            together, alone = tried(in_chunks), tried(one_by_one)
            assert together.tables == alone.tables
            assert together.outcomes == alone.outcomes

        same()


def delivered(
    session: Session, source: Source, line: Line, number: int, at: datetime
) -> BulkResult:
    """The line as a live delivery of its own."""
    known = set(session.scalars(select(Lead.id)))
    receipt = accept(session, source, Delivery(line.body, key=line.key), [line.data], at)
    lead_id = receipt.lead_ids[0] if receipt.lead_ids else None
    if lead_id is not None and lead_id not in known:
        return BulkResult(number, "accepted", lead_id)
    said = session.scalars(select(func.count()).select_from(Inquiry)).one()
    asked = said > session.info.get("said", 0)
    session.info["said"] = said
    return BulkResult(number, "asked_again" if asked else "repeated", lead_id)


# At the same time


def test_a_live_delivery_and_a_file_with_the_same_people_agree(
    sessions: SessionFactory, session: Session
) -> None:
    people = [
        {"full_name": f"{first} Nowak", "phone": f"+4851234{n:04d}", "email": f"n{n}@example.com"}
        for n, first in enumerate(("Ewa", "Jan", "Ola", "Iza", "Tom", "Ada") * 5)
    ]
    run = begun(session, source_row(session))
    session.commit()
    barrier = threading.Barrier(4)

    def file(order: Sequence[dict[str, str]], key: str) -> list[str]:
        with act_as(sessions(), SYSTEM) as own:
            source = source_row(own)
            lines = [Line(warsaw_lead(**p), key=f"{p['phone']}{key}") for p in order]
            found = []
            barrier.wait(timeout=30)
            for start in range(0, len(lines), 10):
                rows = read(own, source, lines[start : start + 10], FRIDAY)
                found += accept_rows(own, own.merge(run), source, rows, FRIDAY)
                own.commit()
            return outcomes(found)

    def live(order: Sequence[dict[str, str]]) -> list[str]:
        with act_as(sessions(), SYSTEM) as own:
            source = source_row(own)
            own.commit()
            barrier.wait(timeout=30)
            for person in order:
                data = warsaw_lead(**person)
                # The file's own line again, as some portals send it at the same time.
                sent = Delivery(json.dumps(data).encode(), key=f"{person['phone']}a")
                accept(own, source, sent, [data], FRIDAY)
            return []

    with ThreadPoolExecutor(4) as pool:
        acts = [
            pool.submit(file, people, "a"), pool.submit(file, people[::-1], "b"),
            pool.submit(live, people), pool.submit(live, people[::-1]),
        ]  # fmt: skip
        for act in acts:
            act.result(timeout=60)
    assert total(session, Lead) == total(session, Customer) == len(people)


def test_actions_are_those_of_the_dispositions() -> None:
    from lmt.ingest.bulkrow import NO_CALL, SPOKEN_TO
    from lmt.ingest.dispositions import DISPOSITIONS

    assert {known.action for known in DISPOSITIONS.values()} == set(get_args(Action))
    routed = {code for code, known in DISPOSITIONS.items() if known.action == "route"}
    assert routed == SPOKEN_TO | {NO_CALL}
