"""Many newcomers of an import go to their dealers at once, each as if it had gone alone."""

from __future__ import annotations

import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session

from lmt import embedded, pipeline
from lmt.bulkroad import choosing
from lmt.bulkroad import service as bulkroad
from lmt.bulkroad.places import places_for
from lmt.bulkroad.service import advance_many
from lmt.db import SessionFactory, engine_for, sessions_for, uuid7
from lmt.hq.policyform import settings_from, typed_from
from lmt.hq.policywords import differences
from lmt.models import (
    Absence,
    Closure,
    Competence,
    Customer,
    Dealer,
    DealerLoad,
    DealerSystem,
    DealerTerms,
    ImportRun,
    Lead,
    Message,
    Offer,
    Place,
    PlaceName,
    Postcode,
    RoutingPolicy,
    Source,
    Suppression,
    Territory,
    Upload,
)
from lmt.models.reference import new_reference
from lmt.models.validity import since
from lmt.routing.directory import dealers_changed
from lmt.routing.names import index_keys
from lmt.routing.policy import Policy, PolicyError
from lmt.scope import SYSTEM, act_as
from lmt.worker import advance_batch
from tests.conftest import Template
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

LEADS = 120
NEAR, NEXT, TEAM = "PL-WAW-1", "PL-WAW-2", "PL-CARE"
_TYPES = ("test_drive", "information", "used_car", "complaint", "after_sales", "")
_PLACES: dict[str, tuple[dict[str, Any], ...]] = {
    "PL": (
        {"city": "Warszawa", "country": "PL"},
        {"city": "Kraków", "country": "PL"},
        {"city": "Lodz"},
        {"postcode": "05-091", "country": "PL"},
        {"postcode": "05-120", "city": "Atlantis", "country": "PL"},
        {"city": "Atlantis", "country": "PL"},
        {},
        {"lat": 52.2341, "lon": 20.9712, "given": {"attributes": {"accuracy_m": 40}}},
        {"city": "Kraków", "postcode": "05-091", "country": "PL"},
    ),
    "GULF": (
        {"city": "الرياض", "country": "SA"},
        {"city": "Dubai", "country": "AE"},
        {"city": "Dubai"},
        {"city": "Mars"},
    ),
}  # fmt: skip


def imports(session: Session, world: World) -> dict[str, ImportRun]:
    """An import for each market, through sources that say nothing to their people."""
    runs = {}
    for market, code in (("PL", "api-pl"), ("GULF", "api-gulf")):
        source = session.get_one(Source, world.sources[code])
        source.tells_customer, source.solicited = False, True
        upload = Upload(
            market_id=world.markets[market], name="a.csv", size=1, sha256=b"x", created_at=FRIDAY
        )
        session.add(upload)
        session.flush()
        runs[market] = ImportRun(source_id=source.id, upload_id=upload.id, created_at=FRIDAY)
        session.add(runs[market])
        session.flush()
    return runs


def newcomer(session: Session, world: World, run: ImportRun, number: int, **given: Any) -> Lead:
    """A lead of an import that came `number` milliseconds before ten."""
    customer = given.pop("customer", None)
    if customer is None:
        customer = Customer(full_name=f"P {number}", created_at=FRIDAY)
        customer.kind = given.pop("kind", "private")
        session.add(customer)
        session.flush()
    lead = Lead(
        id=uuid7(FRIDAY - timedelta(days=1)),
        reference=new_reference(),
        market_id=session.get_one(Source, run.source_id).market_id,
        source_id=run.source_id,
        import_id=run.id,
        customer_id=customer.id,
        full_name=customer.full_name,
        **{
            "email": f"p{number}@example.com",
            "phone": f"+4851200{number:04}",
            "language": "pl",
            "brand_id": world.brand_id,
            "created_at": FRIDAY - timedelta(minutes=5),
            "next_action_at": FRIDAY - timedelta(milliseconds=1000 - number),
            **given,
        },
    )
    session.add(lead)
    return lead


def edit(session: Session, world: World, code: str, **terms: Any) -> None:
    where = DealerTerms.dealer_id == world.dealers[code]
    session.execute(update(DealerTerms).where(where).values(**terms))


def crowded(session: Session, world: World) -> list[uuid.UUID]:
    """Leads for whom every rule has something to say, in the order in which they are due."""
    chance = random.Random(5)
    _dealers(session, world)
    runs = imports(session, world)
    ids = []
    calls = (None, None, FRIDAY - timedelta(hours=3), FRIDAY + timedelta(hours=50))
    for number in range(LEADS):
        market = "PL" if chance.random() < 0.7 else "GULF"
        own = {
            "request_type": chance.choice(_TYPES),
            "model": chance.choice(("Mira", "mira", "Zeta", "")),
            "comments": chance.choice(("", "pilne, dzisiaj!", "Please call me today")),
            "language": chance.choice(("pl", "en", "ar")),
            "company": chance.choice(("", "", "Firma")),
            "preferred_dealer": chance.choice(("",) * 8 + (NEXT, "NOBODY", "SA-RUH-1", "AE-DXB-1")),
            "kind": chance.choice(("private",) * 5 + ("business", "fleet")),
            "call_at": chance.choice(calls),
            "given": {"request": {"timeframe": chance.choice(("now", "", "this_month"))}},
            **chance.choice(_PLACES[market]),
        }  # fmt: skip
        if chance.random() < 0.1:
            own["email"] = ""
        lead = newcomer(session, world, runs[market], number, **own)
        session.flush()
        if chance.random() < 0.1:
            _served(session, world, lead, NEXT if market == "PL" else "AE-DXB-1")
        ids.append(lead.id)
    return ids


def _served(session: Session, world: World, lead: Lead, dealer: str) -> None:
    """The customer has another lead, which this dealer took."""
    other = newcomer(session, world, session.get_one(ImportRun, lead.import_id), 0)
    other.customer_id, other.status, other.next_action_at = lead.customer_id, "accepted", None
    other.dealer_id, other.accepted_at = world.dealers[dealer], FRIDAY


def _dealers(session: Session, world: World) -> None:
    anna, bert = world.users["anna"], world.users["bert"]
    edit(session, world, NEAR, day_cap=10, assign_to="colleague")
    edit(session, world, NEXT, open_cap=14, languages=["pl", "en"])
    edit(session, world, "AE-DXB-1", month_cap=8, weight=2.0)
    edit(session, world, "SA-RUH-1", day_cap=5)
    near = Dealer(code="PL-WAW-3", market_id=world.markets["PL"], kind="showroom")
    closed = Dealer(code="PL-KRK-1", market_id=world.markets["PL"], kind="showroom")
    session.add_all([near, closed])
    session.flush()
    for dealer, lat, lon, email in (
        (near, 52.2401, 21.0301, ""),
        (closed, 50.06, 19.94, "krk@dealers.example"),
    ):
        session.add(
            DealerTerms(
                dealer_id=dealer.id, name=dealer.code, email=email, language="pl", city="",
                country="PL", lat=lat, lon=lon, timezone="Europe/Warsaw", hours="Mo-Fr 08:00-17:00",
                valid=since(None),
            )
        )  # fmt: skip
        session.add(
            Competence(
                dealer_id=dealer.id, brand_id=world.brand_id, service="sales", valid=since(None)
            )
        )
    first, last = FRIDAY.date(), FRIDAY.date() + timedelta(days=30)
    session.add_all(
        [
            Closure(dealer_id=closed.id, starts_on=first, ends_on=last, valid=since(None)),
            Territory(dealer_id=world.dealers[NEXT], postcodes=["05"], valid=since(None)),
            Absence(user_id=anna, starts_at=FRIDAY, ends_at=FRIDAY + timedelta(1), deputy_id=bert),
            DealerSystem(
                dealer_id=world.dealers[NEXT], transport="mail", address="crm@waw2.example",
                created_at=FRIDAY,
            ),
            Postcode(country="PL", code="05091", place="Ząbki", lat=52.29, lon=21.11, radius_km=3),
            Postcode(country="PL", code="05120", place="", lat=52.40, lon=20.93, radius_km=4),
            Suppression(
                kind="email", value="somebody@example.com", origin="list", created_at=FRIDAY
            ),
        ]
    )  # fmt: skip
    policies = {
        "PL": {
            "fallback_dealer": TEAM,
            "cap_wait_minutes": 30,
            "tolerance_km": 5,
            "radius_km": 60,
            "open_bonus_km": {"hot": 10},
            "rings_km": [400],
            "cases": [
                {
                    "name": "used",
                    "when": {"request_type": ["used_car"]},
                    "settings": {"accept_mode": "assign", "cap_wait_minutes": 0},
                }
            ],
        },
        "GULF": {"max_wait_hours": 20, "language_required": False},
    }
    for market, settings in policies.items():
        where = RoutingPolicy.market_id == world.markets[market]
        session.execute(update(RoutingPolicy).where(where).values(settings=settings))
    dealers_changed(session, FRIDAY)


@contextmanager
def copy_of(server: embedded.EmbeddedServer, template: str) -> Iterator[tuple[str, Engine]]:
    name = f"road_{uuid.uuid4().hex}"
    engine = engine_for(embedded.create_database(server, name, template=template))
    try:
        yield name, engine
    finally:
        engine.dispose()
        embedded.drop_database(server, name)


_STORY = {
    "lead": "SELECT to_jsonb(lead) AS row FROM lead ORDER BY id",
    "offer": """
        SELECT to_jsonb(offer) - '{id,decision_id}'::text[] || jsonb_build_object('cause', cause)
        FROM offer LEFT JOIN routing_decision AS d ON d.id = decision_id ORDER BY offer.lead_id""",
    "decision": "SELECT to_jsonb(d) - 'id' FROM routing_decision AS d ORDER BY lead_id, at",
    "event": "SELECT to_jsonb(event) - 'id' FROM event ORDER BY lead_id, event.id",
    "plan": "SELECT to_jsonb(p) - 'id' FROM planned_action AS p ORDER BY lead_id",
    "message": """
        SELECT replace((to_jsonb(m) - 'id')::text, coalesce(m.context ->> 'offer_id', '-'), 'OFFER')
        FROM message AS m ORDER BY lead_id, kind, recipient""",
    "load": "SELECT to_jsonb(l) FROM dealer_load AS l ORDER BY dealer_id",
}


def story(sessions: SessionFactory) -> dict[str, list[Any]]:
    """All that became of the leads, but for ids that chance gives."""
    with act_as(sessions(), SYSTEM) as session:
        return {name: list(session.scalars(text(query))) for name, query in _STORY.items()}


@pytest.fixture
def went_alone(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """The leads that took the single road."""
    ids: list[uuid.UUID] = []
    single = pipeline.advance

    def advance(sessions: SessionFactory, lead_id: uuid.UUID, at: datetime) -> bool:
        ids.append(lead_id)
        return single(sessions, lead_id, at)

    monkeypatch.setattr(pipeline, "advance", advance)
    return ids


def test_many_go_where_each_would_go_alone(
    server: embedded.EmbeddedServer, template: Template, went_alone: list[uuid.UUID]
) -> None:
    with copy_of(server, template.name) as (seeded, engine):
        with act_as(sessions_for(engine)(), SYSTEM) as session:
            ids = crowded(session, template.world)
            session.commit()
        engine.dispose()
        with copy_of(server, seeded) as (_one, first), copy_of(server, seeded) as (_many, second):
            for each in ids:
                assert pipeline.advance(sessions_for(first), each, FRIDAY)
            went_alone.clear()
            moved = [advance_many(sessions_for(second), FRIDAY, limit=50) for _ in range(4)]
            expected, got = story(sessions_for(first)), story(sessions_for(second))
    assert moved == [50, 50, 20, 0]
    assert went_alone == []
    for name, rows in expected.items():
        assert len(got[name]) == len(rows), name
        for mine, theirs in zip(got[name], rows, strict=True):
            assert mine == theirs, name
    # The table is worth something only while it holds all of it.
    hows = Counter(each["result"]["how"] or each["cause"] for each in expected["decision"])
    assert {
        "preferred", "serving", "team", "territory", "nearest", "fallback", "all_capped",
        "unlocated", "no_opening",
    } <= set(hows), hows  # fmt: skip
    kinds = Counter(each["kind"] for each in expected["event"])
    assert {"qualified", "located", "offered", "accepted", "queued", "planned"} <= set(kinds)
    statuses = Counter(each["status"] for each in expected["lead"])
    assert {"offered", "accepted", "unrouted", "unlocated"} <= set(statuses)


def put_in(session: Session, world: World, number: int, **given: Any) -> list[Lead]:
    """So many newcomers of one Polish import, all from Warsaw."""
    run = imports(session, world)["PL"]
    warsaw = {"city": "Warszawa", "country": "PL", "request_type": "test_drive"}
    leads = [newcomer(session, world, run, each, **warsaw, **given) for each in range(number)]
    session.commit()
    return leads


def test_what_is_not_plain_goes_alone(
    sessions: SessionFactory, session: Session, world: World, went_alone: list[uuid.UUID]
) -> None:
    plain, twin, unreachable, test, again, listed, postponed = put_in(session, world, 7)
    twin.customer_id = plain.customer_id
    unreachable.email = unreachable.phone = ""
    test.test, again.asked_again, postponed.postponed = True, 1, 1
    way = {"kind": "phone", "value": listed.phone, "origin": "list", "created_at": FRIDAY}
    session.add(Suppression(**way))
    session.commit()
    assert advance_many(sessions, FRIDAY) == 6
    assert went_alone == [each.id for each in (twin, unreachable, test, listed, postponed)]
    # Whoever asked since is no newcomer: they wait with those who came by themselves.
    assert pipeline.due_leads(session, FRIDAY) == [again.id]
    session.expire_all()
    assert [plain.status, unreachable.status, test.status] == ["offered", "incomplete", "withdrawn"]
    assert "customer" not in session.scalars(select(Message.audience)).all()


def test_a_source_that_tells_its_people_sends_each_alone(
    sessions: SessionFactory, session: Session, world: World, went_alone: list[uuid.UUID]
) -> None:
    told, silent = put_in(session, world, 2)
    silent.email = ""
    session.get_one(Source, world.sources["api-pl"]).tells_customer = True
    session.commit()
    advance_many(sessions, FRIDAY)
    assert went_alone == [told.id]
    mails = session.scalars(select(Message.lead_id).where(Message.audience == "customer")).all()
    assert mails == [told.id]


def test_one_bad_lead_holds_up_nobody(
    sessions: SessionFactory,
    session: Session,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leads = put_in(session, world, 3)
    bad, writes = leads[1].id, bulkroad.Rows.write

    def write(rows: bulkroad.Rows, session: Session) -> None:
        if any(each.id == bad for each in rows.leads):
            raise ValueError("it can't be written")
        writes(rows, session)

    monkeypatch.setattr(bulkroad.Rows, "write", write)
    assert advance_many(sessions, FRIDAY) == 3
    session.expire_all()
    assert {each.status for each in leads} == {"offered"}


def test_a_crash_leaves_the_chunk_as_it_was(
    sessions: SessionFactory,
    session: Session,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in(session, world, 3)

    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(bulkroad, "wake", die)
        with pytest.raises(Killed):
            advance_many(sessions, FRIDAY)
    counts = [select(func.count()).select_from(each) for each in (Offer, Message, DealerLoad)]
    assert [session.scalar(each) for each in counts] == [0, 0, 0]
    assert advance_many(sessions, FRIDAY) == 3
    session.rollback()
    assert [session.scalar(each) for each in counts] == [3, 3, 1]


def test_a_place_is_looked_up_once_until_the_gazetteer_changes(
    sessions: SessionFactory, session: Session, world: World, count_queries: list[str]
) -> None:
    session.execute(
        text(
            "CREATE OR REPLACE TRIGGER reference_changed AFTER INSERT OR UPDATE OR DELETE ON place"
            " FOR EACH STATEMENT EXECUTE FUNCTION reference_changed()"
        )
    )
    leads = put_in(session, world, 4)
    leads[-1].city = leads[-2].city = "Atlantis"
    leads[-1].next_action_at = FRIDAY + timedelta(hours=1)
    session.commit()
    count_queries.clear()
    advance_many(sessions, FRIDAY)
    places = [each for each in count_queries if "place_name" in each]
    assert len(places) < 10
    assert len(places_for(session)) == 2
    atlantis = Place(
        id=1, name="Atlantis", country="PL", admin1="78", population=900, lat=52.3, lon=21.0,
        timezone="Europe/Warsaw",
    )  # fmt: skip
    session.add(atlantis)
    session.flush()
    session.add_all(PlaceName(place_id=1, key=k, country="PL") for k in index_keys("Atlantis"))
    session.commit()
    advance_many(sessions, FRIDAY + timedelta(hours=1))
    session.expire_all()
    assert [each.status for each in leads] == ["offered", "offered", "unlocated", "offered"]


def test_caps_hold_while_many_and_single_leads_come_at_once(
    sessions: SessionFactory, session: Session, world: World
) -> None:
    settings = {"fallback_dealer": TEAM, "cap_wait_minutes": 0}
    session.execute(update(RoutingPolicy).values(settings=settings))
    edit(session, world, NEAR, day_cap=20)
    edit(session, world, NEXT, day_cap=50, open_cap=30)
    put_in(session, world, 120)
    live = [send(session, "api-pl", warsaw_lead(**somebody()), FRIDAY).id for _ in range(30)]
    session.commit()
    start = threading.Barrier(3)
    problems: list[BaseException] = []

    def many() -> None:
        start.wait(timeout=30)
        while advance_many(sessions, FRIDAY, limit=30):
            pass

    def one_by_one() -> None:
        start.wait(timeout=30)
        for each in live:
            pipeline.advance(sessions, each, FRIDAY)

    def run(work: Any) -> None:
        try:
            work()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(work,)) for work in (many, many, one_by_one)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert problems == []
    session.rollback()
    loads = {
        row.dealer_id: (row.day_used, row.month_used, row.open_used, row.received)
        for row in session.scalars(select(DealerLoad).execution_options(populate_existing=True))
    }
    held = {world.dealers[NEAR]: 20, world.dealers[NEXT]: 30, world.dealers[TEAM]: 100}
    assert loads == {id: (number,) * 4 for id, number in held.items()}
    offered = select(Offer.dealer_id, func.count()).group_by(Offer.dealer_id)
    assert {each.dealer_id: each.count for each in session.execute(offered)} == held
    assert session.scalars(select(func.count(Lead.id)).where(Lead.status == "offered")).one() == 150


def test_dealers_edited_meanwhile_are_seen(
    sessions: SessionFactory,
    session: Session,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    went_alone: list[uuid.UUID],
) -> None:
    put_in(session, world, 5)
    advance_many(sessions, FRIDAY, limit=1)
    decided, edits = choosing._decided, [NEAR]

    def decided_slowly(*given: Any) -> Any:
        chosen = decided(*given)
        if edits:
            edit(session, world, edits.pop(), paused=True)
            dealers_changed(session, FRIDAY)
            session.commit()
        return chosen

    monkeypatch.setattr(choosing, "_decided", decided_slowly)
    assert advance_many(sessions, FRIDAY) == 4
    session.rollback()
    offered = Counter(session.scalars(select(Offer.dealer_id)))
    assert offered == {world.dealers[NEAR]: 1, world.dealers[NEXT]: 4}
    assert went_alone == []


def test_the_worker_takes_who_waits_before_newcomers(
    sessions: SessionFactory, session: Session, world: World, went_alone: list[uuid.UUID]
) -> None:
    imported = put_in(session, world, 25)
    live = send(session, "api-pl", warsaw_lead(), FRIDAY)
    assert advance_batch(sessions, FRIDAY) == 26
    assert went_alone == [live.id]
    session.expire_all()
    assert {each.status for each in [*imported, live]} == {"offered"}
    few = put_in(session, world, 3)
    assert advance_batch(sessions, FRIDAY) == 3
    assert went_alone == [live.id, *(each.id for each in few)]
    assert advance_batch(sessions, FRIDAY) == 0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (0, "It must be at least 1."),
        (1_000_001, "It must be at most 1000000."),
        (2.5, "A whole number is needed, not 2.5."),
        ("many", "A number is needed, not 'many'."),
    ],
)
def test_a_pace_of_release_that_makes_no_sense_is_refused(given: Any, reason: str) -> None:
    with pytest.raises(PolicyError) as refused:
        Policy.from_settings({"release_per_hour": given})
    assert (refused.value.field, refused.value.reason) == ("release_per_hour", reason)


@pytest.mark.parametrize("pace", [None, 1, 2_000, 1_000_000])
def test_the_pace_of_release_survives_settings_and_the_form(pace: int | None) -> None:
    settings = Policy(release_per_hour=pace).to_settings()
    assert Policy.from_settings(settings).release_per_hour == pace
    typed, problems = settings_from(typed_from(settings, "Draft"))
    assert (typed.get("release_per_hour"), problems) == (pace, {})


def test_a_changed_pace_of_release_is_told_in_words() -> None:
    before, after = Policy().to_settings(), Policy(release_per_hour=1500).to_settings()
    (change,) = differences(before, after, {})
    assert (change.words, change.before, change.after) == (
        "Imported leads released per hour",
        "",
        "1,500",
    )
