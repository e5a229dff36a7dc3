"""What geocoders say of a lead's address: asked outside of transactions, kept, and doubted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.config import GeocoderAccess, Settings
from lmt.db import SessionFactory
from lmt.lookahead import look_ahead, look_ahead_all
from lmt.models import GeocoderAnswer, Lead, Place, PlaceName, Postcode, RoutingPolicy
from lmt.outside import NotAnswered, Outside
from lmt.routing.asking import Services
from lmt.routing.breaker import FAILURES, LONGEST_REST, REST, Breaker, Breakers
from lmt.routing.geocoders import Question, found_by
from lmt.routing.geocoderwords import Found, radius_km
from lmt.routing.geocoding import Address, Frame, best_answer, forget_answers
from lmt.routing.locate import Located, Unlocated, locate
from lmt.routing.names import index_keys
from tests.stand_ins import (
    Asked,
    Reply,
    StandIn,
    google,
    google_result,
    in_turn,
    nominatim_place,
    opencage,
    opencage_result,
    osrm_table,
    pelias_feature,
    photon,
    photon_feature,
    stand_in,
)
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

HOUSE = (52.2311, 21.0065)
QUESTION = Question(
    "Lipowa 12, 00-001 Warszawa", "Lipowa 12", "00-001", "Warszawa", ("PL",), "Poland"
)
MIDDLE: dict[str, Any] = {"location_type": "GEOMETRIC_CENTER"}
VAGUE: dict[str, Any] = {"location_type": "APPROXIMATE"}
BOX = [20.9, 52.3, 21.1, 52.1]


def asked(name: str, body: Any, timeout_seconds: float = 2) -> tuple[list[Found], Asked]:
    with stand_in(body if isinstance(body, Reply) else Reply(body)) as server:
        found = found_by(
            GeocoderAccess(name, server.url, "key-of-a-test"),
            QUESTION,
            outside=Outside([server.target]),
            timeout_seconds=timeout_seconds,
            user_agent="LMT/test",
        )
        return found, server.asked[0]


@pytest.mark.parametrize(
    ("name", "body", "accuracy_km"),
    [
        ("nominatim", [nominatim_place(*HOUSE)], 0.1),
        ("nominatim", [nominatim_place(*HOUSE, kind="road")], 1.0),
        ("nominatim", [nominatim_place(*HOUSE, kind="postcode")], 3.0),
        ("nominatim", [nominatim_place(*HOUSE, kind="village", half_degrees=0.001)], 2.0),
        ("nominatim", [nominatim_place(*HOUSE, kind="city", half_degrees=0.1)], 13.1),
        ("nominatim", [nominatim_place(*HOUSE, kind="state", half_degrees=0.1)], 50.0),
        ("nominatim", [nominatim_place(*HOUSE, kind="state", half_degrees=1.0)], 130.6),
        ("photon", photon(photon_feature(*HOUSE)), 0.1),
        ("photon", photon(photon_feature(*HOUSE, kind="street")), 1.0),
        ("photon", photon(photon_feature(*HOUSE, kind="other", osm_value="postcode")), 3.0),
        ("photon", photon(photon_feature(*HOUSE, kind="city")), 10.0),
        ("photon", photon(photon_feature(*HOUSE, kind="city", extent=BOX)), 13.1),
        ("photon", photon(photon_feature(*HOUSE, kind="state")), 50.0),
        ("pelias", {"features": [pelias_feature(*HOUSE)]}, 0.1),
        ("pelias", {"features": [pelias_feature(*HOUSE, match_type="interpolated")]}, 1.0),
        ("pelias", {"features": [pelias_feature(*HOUSE, layer="postalcode")]}, 3.0),
        ("pelias", {"features": [pelias_feature(*HOUSE, layer="locality")]}, 10.0),
        ("pelias", {"features": [pelias_feature(*HOUSE, layer="county")]}, 50.0),
        ("google", google(google_result(*HOUSE)), 0.1),
        ("google", google(google_result(*HOUSE, **MIDDLE)), 1.0),
        ("google", google(google_result(*HOUSE, types=("route",), **MIDDLE)), 1.0),
        ("google", google(google_result(*HOUSE, partial=True)), 3.0),
        ("google", google(google_result(*HOUSE, types=("postal_code",), **VAGUE)), 3.0),
        ("google", google(google_result(*HOUSE, types=("locality",), half_degrees=0.1)), 13.1),
        ("google", google(google_result(*HOUSE, types=("administrative_area_level_1",))), 50.0),
        ("opencage", opencage(opencage_result(*HOUSE)), 0.1),
        ("opencage", opencage(opencage_result(*HOUSE, kind="road")), 1.0),
        ("opencage", opencage(opencage_result(*HOUSE, kind="postcode")), 3.0),
        ("opencage", opencage(opencage_result(*HOUSE, kind="city")), 2.0),
        ("opencage", opencage(opencage_result(*HOUSE, kind="state")), 50.0),
    ],
)  # fmt: skip
def test_each_geocoders_words_are_read_as_kilometres(
    name: str, body: Any, accuracy_km: float
) -> None:
    found, _ = asked(name, body)
    assert [(each.lat, each.lon, each.country) for each in found] == [(*HOUSE, "PL")]
    assert found[0].accuracy_km == pytest.approx(accuracy_km, abs=0.15)


@pytest.mark.parametrize(
    ("name", "nothing", "path", "query"),
    [
        ("nominatim", [], "/search",
         {"street": "Lipowa 12", "postalcode": "00-001", "city": "Warszawa", "countrycodes": "pl"}),
        ("photon", photon(), "/api", {"q": "Lipowa 12, 00-001 Warszawa, Poland"}),
        ("pelias", {"features": []}, "/v1/search",
         {"text": "Lipowa 12, 00-001 Warszawa", "boundary.country": "PL"}),
        ("google", google(), "/maps/api/geocode/json",
         {"address": "Lipowa 12, 00-001 Warszawa", "components": "country:PL"}),
        ("opencage", opencage(), "/", {"q": "Lipowa 12, 00-001 Warszawa", "countrycode": "pl"}),
    ],
)  # fmt: skip
def test_each_geocoder_is_asked_in_its_way(
    name: str, nothing: Any, path: str, query: dict[str, str]
) -> None:
    found, question = asked(name, nothing)
    assert found == []
    assert question.path.startswith(path)
    assert query.items() <= question.query.items()
    assert question.headers["user-agent"] == "LMT/test"


@pytest.mark.parametrize(
    ("case", "reply", "again"),
    [
        ("silence", Reply(never=True), True),
        ("a slow drip", Reply(slowly=True), True),
        ("an error", Reply({}, 500), True),
        ("a refusal", Reply({}, 403), False),
        ("too many questions", Reply({}, 429), False),
        ("no JSON", Reply(b"<html>busy</html>"), False),
        ("other JSON", Reply({"features": [{"geometry": None}]}), False),
        ("a place without its parts", Reply([{"lat": "1", "lon": "2"}]), False),
        ("coordinates that are none", Reply([nominatim_place(*HOUSE) | {"lat": "x"}]), False),
        ("an endless answer", Reply(b" " * 3_000_000), False),
        ("a redirect home", Reply({}, 302, {"Location": "http://127.0.0.1:1/"}), False),
    ],
)
def test_what_a_failing_geocoder_says_is_no_answer(case: str, reply: Reply, again: bool) -> None:
    with pytest.raises(NotAnswered) as problem:
        asked("nominatim", reply, timeout_seconds=0.4)
    assert problem.value.again is again


def test_a_box_across_the_antimeridian_is_small() -> None:
    assert radius_km("city", (-17.0, 179.9, -16.8, -179.9)) < 20


def found(lat: float, lon: float, accuracy_km: float = 0.1, country: str = "PL") -> Found:
    return Found(lat, lon, accuracy_km, country)


WARSAW, CRACOW = Frame(52.23, 21.01, 90), Frame(50.06, 19.94, 90)


@pytest.mark.parametrize(
    ("case", "offered", "frames", "lat", "accuracy_km"),
    [
        ("nothing", [], [], None, None),
        ("one", [found(52.2, 21.0)], [], 52.2, 0.1),
        ("abroad", [found(52.2, 21.0, country="DE")], [], None, None),
        ("without a country", [found(52.2, 21.0, country="")], [], None, None),
        ("the second is ours", [found(52.2, 9.0, country="DE"), found(52.2, 21.0)], [], 52.2, 0.1),
        ("outside of the frame", [found(54.0, 18.0)], [WARSAW], None, None),
        ("the second is within", [found(54.0, 18.0), found(52.2, 21.0)], [WARSAW], 52.2, 0.1),
        ("within one of two", [found(50.0, 19.9)], [WARSAW, CRACOW], 50.0, 0.1),
        ("a rival far away", [found(52.2, 21.0), found(50.0, 19.9)], [], 52.2, 256.7),
        ("a vaguer one far away", [found(52.2, 21.0), found(50.0, 19.9, 10.0)], [], 52.2, 0.1),
        ("a rival next door", [found(52.2, 21.0), found(52.2001, 21.0)], [], 52.2, 0.1),
        ("a rival out of the frame", [found(52.2, 21.0), found(50.0, 19.9)], [WARSAW], 52.2, 0.1),
    ],
)
def test_which_of_the_places_offered_counts(
    case: str,
    offered: list[Found],
    frames: list[Frame],
    lat: float | None,
    accuracy_km: float | None,
) -> None:
    best = best_answer(offered, ["PL"], frames)
    assert (best and best.lat, best and best.accuracy_km) == (lat, accuracy_km)


def test_one_hash_for_every_way_to_write_an_address() -> None:
    written = Address("Lipowa 12", "00-001", "Łódź", "", ("PL", "DE"))
    same = Address("  LIPOWA   12", "00-001 ", "łódź", "", ("DE", "PL"))
    assert written.query == same.query
    assert written.query != replace(written, street="Lipowa 1 2").query
    assert "lipowa" not in written.query


NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def test_a_breaker_opens_after_failures_in_a_row_and_tries_again_after_a_rest() -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker = breaker.after_failure(NOON)
    assert breaker.lets_through(NOON)
    assert breaker.after_success() == Breaker()
    breaker = breaker.after_failure(NOON)
    assert not breaker.lets_through(NOON + REST - timedelta(seconds=1))
    again = NOON + REST
    assert breaker.lets_through(again)
    trying = breaker.after_asking(again)
    assert not trying.lets_through(again)
    assert trying.after_success().lets_through(again)
    failed = trying.after_failure(again)
    assert not failed.lets_through(again + REST)
    assert failed.lets_through(again + 2 * REST)
    for _ in range(20):
        failed = failed.after_failure(again)
    assert failed.lets_through(again + LONGEST_REST)


def test_breakers_of_services_are_apart() -> None:
    breakers = Breakers()
    told = [breakers.tell("photon", NOON, answered=False) for _ in range(FAILURES)]
    assert told == [False] * (FAILURES - 1) + [True]
    assert not breakers.may_ask("photon", NOON)
    assert breakers.may_ask("google", NOON)
    assert breakers.may_ask("photon", NOON + REST)
    assert not breakers.may_ask("photon", NOON + REST)
    assert breakers.tell("photon", NOON + REST, answered=True)
    assert breakers.may_ask("photon", NOON + REST)


# With a database


@pytest.fixture
def lead_from(session: Session) -> Callable[..., Lead]:
    """A lead that gave this address; received, and its transaction over."""

    def make(country: str = "PL", **address: Any) -> Lead:
        data = warsaw_lead(**somebody()) | {"address": {"country": country, **address}}
        lead = send(session, "api-pl", data, FRIDAY)
        session.commit()
        return lead

    return make


Serve = Callable[[Callable[[Asked], Reply] | Reply], StandIn]


@pytest.fixture
def serve() -> Iterator[Serve]:
    open_servers: list[AbstractContextManager[StandIn]] = []

    def start(reply: Callable[[Asked], Reply] | Reply) -> StandIn:
        context = stand_in(reply)
        open_servers.append(context)
        return context.__enter__()

    yield start
    for context in open_servers:
        context.__exit__(None, None, None)


@pytest.fixture
def ask(
    sessions: SessionFactory, session: Session, settings: Settings
) -> Callable[..., Located | Unlocated]:
    """Look ahead for a lead with stand-ins by geocoder, then say where the lead is."""
    breakers = Breakers()

    def look(
        lead: Lead, at: datetime = FRIDAY, timeout: float = 1.0, **servers: StandIn
    ) -> Located | Unlocated:
        given = replace(
            settings,
            geocoders=tuple(GeocoderAccess(n, s.url, "key") for n, s in servers.items()),
            geocoder_timeout_seconds=timeout,
        )
        outside = Outside([server.target for server in servers.values()])
        services = Services(outside, breakers, pause=lambda _seconds: None)
        look_ahead(sessions, given, lead.id, at, services)
        session.rollback()
        return locate(
            session, country=lead.country, region=lead.region, postcode=lead.postcode,
            city=lead.city, street=lead.street, lat=lead.lat, lon=lead.lon,
        )  # fmt: skip

    return look


def kept(session: Session) -> list[tuple[str, float | None]]:
    rows = session.scalars(select(GeocoderAnswer).order_by(GeocoderAnswer.provider))
    return [(row.provider, row.lat) for row in rows]


LIPOWA = {"street": "Lipowa 12", "city": "Warszawa"}


def test_a_house_is_found_and_not_asked_for_twice(
    ask: Callable[..., Any], serve: Serve, lead_from: Callable[..., Lead], session: Session
) -> None:
    server = serve(Reply([nominatim_place(*HOUSE)]))
    located = ask(lead_from(**LIPOWA), nominatim=server)
    assert located == Located(*HOUSE, 0.1, "geocoder", "Warsaw", "PL", "Europe/Warsaw")
    assert kept(session) == [("nominatim", HOUSE[0])]
    again = ask(lead_from(street="LIPOWA  12", city="warszawa"), nominatim=server)
    assert again == located
    assert len(server.asked) == 1


def test_an_answer_is_asked_for_anew_after_a_month_and_then_forgotten(
    ask: Callable[..., Any], serve: Serve, lead_from: Callable[..., Lead], session: Session
) -> None:
    server = serve(Reply([nominatim_place(*HOUSE)]))
    lead = lead_from(**LIPOWA)
    ask(lead, nominatim=server)
    ask(lead, at=FRIDAY + timedelta(days=29), nominatim=server)
    assert len(server.asked) == 1
    ask(lead, at=FRIDAY + timedelta(days=31), nominatim=server)
    assert len(server.asked) == 2
    forget_answers(session, FRIDAY + timedelta(days=60))
    assert len(kept(session)) == 1
    forget_answers(session, FRIDAY + timedelta(days=62))
    assert kept(session) == []


def test_that_nothing_is_known_is_remembered_for_a_day(
    ask: Callable[..., Any], serve: Serve, lead_from: Callable[..., Lead], session: Session
) -> None:
    server = serve(Reply([]))
    lead = lead_from(**LIPOWA)
    located = ask(lead, nominatim=server)
    assert located.method == "city"
    assert kept(session) == [("nominatim", None)]
    # Whole, then without the street that nobody knows.
    assert ["street" in each.query for each in server.asked] == [True, False]
    ask(lead, at=FRIDAY + timedelta(hours=23), nominatim=server)
    assert len(server.asked) == 2
    ask(lead, at=FRIDAY + timedelta(hours=25), nominatim=server)
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("case", "place"),
    [
        ("another country", nominatim_place(52.52, 13.40, country="de")),
        ("another end of the country", nominatim_place(54.35, 18.65)),
        ("no country at all", nominatim_place(*HOUSE, country="")),
    ],
)
def test_what_contradicts_the_address_is_refused(
    ask: Callable[..., Any], serve: Serve, lead_from: Callable[..., Lead], case: str, place: Any
) -> None:
    located = ask(lead_from(**LIPOWA), nominatim=serve(Reply([place])))
    assert (located.method, located.place) == ("city", "Warsaw")


@pytest.mark.parametrize("reply", [Reply(never=True), Reply({}, 500), Reply({"features": 1})])
def test_a_geocoder_that_fails_leaves_the_lead_to_the_gazetteer(
    ask: Callable[..., Any],
    serve: Serve,
    lead_from: Callable[..., Lead],
    session: Session,
    reply: Reply,
) -> None:
    located = ask(lead_from(**LIPOWA), timeout=0.4, nominatim=serve(reply))
    assert (located.method, located.place) == ("city", "Warsaw")
    assert kept(session) == []


def test_a_passing_error_is_asked_again(
    ask: Callable[..., Any], serve: Serve, lead_from: Callable[..., Lead]
) -> None:
    server = serve(in_turn(Reply({}, 500), Reply({}, 503), Reply([nominatim_place(*HOUSE)])))
    assert ask(lead_from(**LIPOWA), nominatim=server).method == "geocoder"
    assert len(server.asked) == 3


def test_a_private_address_that_is_not_listed_is_never_asked(
    sessions: SessionFactory, settings: Settings, serve: Serve, lead_from: Callable[..., Lead]
) -> None:
    server = serve(Reply([nominatim_place(*HOUSE)]))
    given = replace(settings, geocoders=(GeocoderAccess("nominatim", server.url),))
    look_ahead(sessions, given, lead_from(**LIPOWA).id, FRIDAY)
    assert server.asked == []
    listed = replace(given, private_targets=frozenset([server.target]))
    look_ahead(sessions, listed, lead_from(**LIPOWA).id, FRIDAY)
    assert len(server.asked) == 1


def test_a_geocoder_that_is_down_is_left_alone_for_a_while(
    ask: Callable[..., Any], serve: Serve, lead_from: Callable[..., Lead]
) -> None:
    down = serve(Reply({}, 403))
    for number in range(FAILURES + 3):
        ask(lead_from(street=f"Lipowa {number}", city="Warszawa"), nominatim=down)
    assert len(down.asked) == FAILURES
    down.reply = Reply([nominatim_place(*HOUSE)])
    lead = lead_from(street="Lipowa 100", city="Warszawa")
    assert ask(lead, nominatim=down).method == "city"
    assert ask(lead, at=FRIDAY + REST, nominatim=down).method == "geocoder"
    another = lead_from(street="Lipowa 101", city="Warszawa")
    assert ask(another, at=FRIDAY + REST, nominatim=down).method == "geocoder"


def test_the_next_geocoder_is_asked_where_one_knows_nothing(
    ask: Callable[..., Any], serve: Serve, lead_from: Callable[..., Lead], session: Session
) -> None:
    first, second = serve(Reply([])), serve(Reply(photon(photon_feature(*HOUSE))))
    located = ask(lead_from(**LIPOWA), nominatim=first, photon=second)
    assert (located.lat, located.method) == (HOUSE[0], "geocoder")
    assert kept(session) == [("nominatim", None), ("photon", HOUSE[0])]


@pytest.mark.parametrize(
    ("case", "address"),
    [
        ("coordinates", {**LIPOWA, "lat": 52.2, "lon": 21.0}),
        ("a city that is known", {"city": "Warszawa"}),
        ("nothing to ask about", {"region": "mazowieckie"}),
        ("a street of any town", {"street": "Lipowa 12"}),
    ],
)
def test_nobody_is_asked_where_no_answer_would_help(
    ask: Callable[..., Any],
    serve: Serve,
    lead_from: Callable[..., Lead],
    case: str,
    address: dict[str, Any],
) -> None:
    server = serve(Reply([]))
    ask(lead_from(**address), nominatim=server)
    assert server.asked == []


def test_a_village_that_the_gazetteer_lacks_and_a_postcode_without_a_list_are_asked_for(
    ask: Callable[..., Any], serve: Serve, lead_from: Callable[..., Lead]
) -> None:
    village = nominatim_place(52.9, 20.1, kind="village", half_degrees=0.01, village="Cichowo")
    located = ask(lead_from(city="Cichowo"), nominatim=serve(Reply([village])))
    assert (located.method, located.place, located.accuracy_km) == ("geocoder", "Cichowo", 2.0)
    code = nominatim_place(52.15, 21.05, kind="postcode")
    located = ask(lead_from(postcode="02-797"), nominatim=serve(Reply([code])))
    assert (located.method, located.accuracy_km) == ("geocoder", 3.0)


def add_place(session: Session, id: int, name: str, admin1: str, lat: float, lon: float) -> None:
    session.add(Place(id=id, name=name, country="PL", admin1=admin1, population=20_000,
                      lat=lat, lon=lon, timezone="Europe/Warsaw"))  # fmt: skip
    session.flush()
    session.add_all(PlaceName(place_id=id, key=key, country="PL") for key in index_keys(name))


def test_a_geocoder_does_not_choose_between_namesakes(
    ask: Callable[..., Any], serve: Serve, lead_from: Callable[..., Lead], session: Session
) -> None:
    add_place(session, 1, "Nowa Wieś", "78", 53.0, 21.0)
    add_place(session, 2, "Nowa Wieś", "83", 50.2, 19.0)
    session.commit()
    here, there = nominatim_place(53.0, 21.0), nominatim_place(50.2, 19.0)
    elsewhere = nominatim_place(54.3, 16.0)
    unclear = ask(
        lead_from(street="Lipowa 1", city="Nowa Wieś"),
        nominatim=serve(Reply([here, there])),
    )
    assert isinstance(unclear, Unlocated)
    assert [guess.admin1 for guess in unclear.guesses] == ["78", "83"]
    clear = ask(
        lead_from(street="Lipowa 2", city="Nowa Wieś"),
        nominatim=serve(Reply([elsewhere, there])),
    )
    assert isinstance(clear, Located)
    assert clear.lat == 50.2


def test_a_known_postcode_holds_the_answer_close(
    ask: Callable[..., Any], serve: Serve, lead_from: Callable[..., Lead], session: Session
) -> None:
    session.add(Postcode(country="PL", code="30001", place="Kraków", lat=50.07, lon=19.94,
                         radius_km=3.0))  # fmt: skip
    session.commit()
    address = {"street": "Lipowa 12", "postcode": "30-001"}
    far = ask(lead_from(**address), nominatim=serve(Reply([nominatim_place(*HOUSE)])))
    assert (far.method, far.place) == ("postcode", "Kraków")
    address["street"] = "Lipowa 14"
    near = ask(lead_from(**address), nominatim=serve(Reply([nominatim_place(50.06, 19.95)])))
    assert near.method == "geocoder"


def test_no_transaction_is_open_while_somebody_is_asked(
    ask: Callable[..., Any],
    serve: Serve,
    lead_from: Callable[..., Lead],
    database_url: str,
) -> None:
    plain = make_url(database_url).set(drivername="postgresql").render_as_string(False)
    seen: list[tuple[str]] = []

    def watch(_asked: Asked) -> Reply:
        with psycopg.connect(plain, autocommit=True) as connection:
            seen.extend(
                connection.execute(
                    "SELECT state FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND state IS NOT NULL"
                )
            )
        return Reply([nominatim_place(*HOUSE)])

    lead = lead_from(**LIPOWA)
    assert ask(lead, nominatim=serve(watch)).method == "geocoder"
    assert seen
    assert {state for (state,) in seen} == {"idle"}


def test_without_a_service_the_database_is_not_even_asked(
    sessions: SessionFactory,
    settings: Settings,
    lead_from: Callable[..., Lead],
    count_queries: list[str],
) -> None:
    lead = lead_from(**LIPOWA)
    count_queries.clear()
    look_ahead(sessions, settings, lead.id, FRIDAY)
    assert count_queries == []


def test_a_batch_is_asked_for_at_once(
    sessions: SessionFactory,
    settings: Settings,
    serve: Serve,
    lead_from: Callable[..., Lead],
    session: Session,
) -> None:
    leads = [lead_from(street=f"Lipowa {n}", city="Warszawa") for n in range(6)]
    server = serve(Reply([nominatim_place(*HOUSE)]))
    given = replace(
        settings,
        geocoders=(GeocoderAccess("nominatim", server.url),),
        private_targets=frozenset([server.target]),
    )
    look_ahead_all(sessions, given, [lead.id for lead in leads], FRIDAY)
    assert len(server.asked) == 6
    session.rollback()
    assert len(kept(session)) == 6


def test_what_goes_wrong_within_stays_within(
    sessions: SessionFactory, settings: Settings, engine: Any, serve: Serve,
    lead_from: Callable[..., Lead], session: Session,
) -> None:  # fmt: skip
    lead = lead_from(**LIPOWA)
    server = serve(Reply([nominatim_place(*HOUSE)]))
    given = replace(
        settings,
        geocoders=(GeocoderAccess("nominatim", server.url),),
        private_targets=frozenset([server.target]),
    )
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE geocoder_answer")
    look_ahead(sessions, given, lead.id, FRIDAY)
    assert server.asked == []


def test_the_lead_is_routed_by_what_was_learnt(
    sessions: SessionFactory,
    settings: Settings,
    serve: Serve,
    lead_from: Callable[..., Lead],
    session: Session,
    world: World,
) -> None:
    session.execute(
        update(RoutingPolicy)
        .where(RoutingPolicy.market_id == world.markets["PL"])
        .values(settings={"fallback_dealer": "PL-CARE", "use_road": True})
    )
    session.commit()
    lead = lead_from(**LIPOWA)
    # Wola is nearer as the crow flies; the bridge is on the other side.
    server = serve(Reply([nominatim_place(52.235, 20.97)]))
    roads = serve(Reply(osrm_table((9.0, 20.0), (4.0, 12.0))))
    given = replace(
        settings,
        geocoders=(GeocoderAccess("nominatim", server.url),),
        osrm_url=roads.url,
        private_targets=frozenset([server.target, roads.target]),
    )
    look_ahead(sessions, given, lead.id, FRIDAY)
    assert roads.asked[0].path.startswith("/table/v1/driving/20.970000,52.240000;20.960000,")
    pipeline.advance(sessions, lead.id, FRIDAY)
    session.rollback()
    session.refresh(lead)
    assert (lead.lat, lead.accuracy_km, lead.location_method) == (52.235, 0.1, "geocoder")
    assert lead.status == "offered"
    assert lead.dealer is not None
    assert lead.dealer.code == "PL-WAW-1"


def test_a_dealer_that_the_customer_chose_needs_no_place(
    sessions: SessionFactory, session: Session
) -> None:
    data = warsaw_lead() | {"address": {"country": "PL"}}
    data["request"] = data["request"] | {"preferred_dealer": "PL-WAW-2"}
    lead = send(session, "api-pl", data, FRIDAY)
    session.commit()
    pipeline.advance(sessions, lead.id, FRIDAY)
    session.rollback()
    session.refresh(lead)
    assert lead.status == "offered"
    assert lead.dealer is not None
    assert lead.dealer.code == "PL-WAW-2"
