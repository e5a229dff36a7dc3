"""Where a lead is: names in any script, namesakes, postcodes, coordinates."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt import embedded
from lmt.db import engine_for, sessions_for
from lmt.models import Place, PlaceName, Postcode
from lmt.routing.gazetteer import (
    PlaceRow,
    choose_place,
    city_radius_km,
    is_rather_a_district,
    readings,
)
from lmt.routing.gazetteer_load import (
    BadPostcodes,
    load_places,
    load_postcodes,
    loaded_countries,
)
from lmt.routing.locate import (
    Located,
    Unlocated,
    given_accuracy_km,
    locate,
    located_at,
)
from lmt.routing.names import index_keys, place_key, postcode_keys
from lmt.routing.regions import region_code
from lmt.scope import SYSTEM, act_as
from tests.conftest import Template


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Łódź", "lodz"),
        ("LODZ", "lodz"),
        ("Köln", "koln"),
        ("Großenhain", "grossenhain"),
        ("GROSSENHAIN", "grossenhain"),
        ("İstanbul", "istanbul"),
        ("istanbul", "istanbul"),
        ("ISPARTA", "isparta"),
        ("Iğdır", "igdir"),
        ("Şanlıurfa", "sanliurfa"),
        ("’s-Hertogenbosch", "shertogenbosch"),
        ("'s Hertogenbosch", "shertogenbosch"),
        ("Sankt-Peter  Ording", "sanktpeterording"),
        ("St. Étienne", "saintetienne"),
        ("Saint-Étienne", "saintetienne"),
        ("Tromsø", "tromso"),
        ("Næstved", "naestved"),
        ("الرياض", "الرياض"),
        ("الرّيَاض", "الرياض"),
        ("الريـــاض", "الرياض"),
        ("جدة", "جده"),
        ("جدّه", "جده"),
        ("أبو ظبي", "ابوظبي"),
        ("ابوظبى", "ابوظبي"),
        ("دبی", "دبي"),
        ("کويت", "كويت"),
        ("۱۵ خرداد", "15خرداد"),
        ("Кёльн", "кельн"),
        ("\u200fدبي\u200e", "دبي"),
        ("--- ", ""),
    ],
)
def test_one_key_for_every_way_to_write_a_name(written: str, key: str) -> None:
    assert place_key(written) == key


@pytest.mark.parametrize(
    ("name", "also"),
    [
        ("Köln", "koeln"),
        ("München", "muenchen"),
        ("الرياض", "رياض"),
        ("Ar-Riyāḑ", "riyad"),
        ("Halle (Saale)", "halle"),
        ("Frankfurt/Oder", "frankfurt"),
    ],
)
def test_names_are_stored_under_what_else_people_type(name: str, also: str) -> None:
    assert {place_key(name), also} <= index_keys(name)


def test_a_short_name_keeps_its_article() -> None:
    assert index_keys("Al Ain") == {"alain", "ain"}
    assert index_keys("الخ") == {"الخ"}


@pytest.mark.parametrize(
    ("country", "code", "keys"),
    [
        ("DE", "50667", ["50667"]),
        ("DE", "D-50667", ["D50667", "50667"]),
        ("PL", "00-950", ["00950"]),
        ("PL", "PL 00-950", ["PL00950", "00950"]),
        ("NL", "1011 ab", ["1011AB", "1011"]),
        ("GB", "SW1A 1AA", ["SW1A1AA", "SW1A"]),
        ("SA", "١١٥٦٤", ["11564"]),
        ("FR", " ", []),
    ],
)
def test_postcodes_are_looked_up_as_lists_hold_them(
    country: str, code: str, keys: list[str]
) -> None:
    assert postcode_keys(country, code) == keys


@pytest.mark.parametrize(
    ("country", "region", "code"),
    [
        ("DE", "Hessen", "05"),
        ("DE", "bavaria", "02"),
        ("PL", "województwo łódzkie", "74"),
        ("NL", "Noord Brabant", "06"),
        ("NL", "provincie Limburg", "05"),
        ("SA", "منطقة القصيم", "08"),
        ("FR", "Ile de France", "11"),
        ("DE", "Ruritania", None),
        ("DE", "", None),
    ],
)
def test_regions_by_name(country: str, region: str, code: str | None) -> None:
    assert region_code(country, region) == code


def place(id: int, name: str, people: int, lat: float, lon: float, admin1: str = "01") -> PlaceRow:
    return PlaceRow(id, name, "DE", admin1, people, lat, lon, "Europe/Berlin")


MAIN = place(1, "Frankfurt am Main", 650_000, 50.11, 8.68, "05")
ODER = place(2, "Frankfurt (Oder)", 57_000, 52.35, 14.55, "11")
NEUSTADT_WEINSTRASSE = place(3, "Neustadt an der Weinstraße", 54_000, 49.35, 8.14, "08")
NEUSTADT_RUEBENBERGE = place(4, "Neustadt am Rübenberge", 44_700, 52.50, 9.46, "06")
OUR_DISTRICT = place(5, "Altstadt", 30_000, 50.10, 8.70, "05")
UNKNOWN_PEOPLE = place(6, "Frankfurt", 0, 49.68, 10.53, "02")
STEINTAL = place(7, "Steintal", 60_000, 48.0, 8.0)
STEINTAL_AM_SEE = place(8, "Steintal am See", 20_000, 53.0, 13.0)


@pytest.mark.parametrize(
    ("case", "rows", "regions", "key", "expected"),
    [
        ("nobody of that name", [], set(), "", None),
        ("one of that name", [ODER], set(), "", ODER),
        ("ten times the people", [ODER, MAIN], set(), "", MAIN),
        ("the region says which", [ODER, MAIN], {("DE", "11")}, "", ODER),
        ("a region of neither", [ODER, MAIN], {("DE", "02")}, "", MAIN),
        ("a region of neither, and no city", [OUR_DISTRICT], {("DE", "02")}, "", None),
        ("two alike", [NEUSTADT_WEINSTRASSE, NEUSTADT_RUEBENBERGE], set(), "neustadt", None),
        (
            "two alike, region given",
            [NEUSTADT_WEINSTRASSE, NEUSTADT_RUEBENBERGE],
            {("DE", "06")},
            "",
            NEUSTADT_RUEBENBERGE,
        ),
        ("a district of it", [OUR_DISTRICT, MAIN], set(), "", MAIN),
        ("nobody counted the other", [MAIN, UNKNOWN_PEOPLE], set(), "", MAIN),
        ("nobody counted the other, and this is no city",
         [UNKNOWN_PEOPLE, place(9, "Klein", 4_000, 54.0, 9.0)], set(), "", None),
        ("its own name", [STEINTAL, STEINTAL_AM_SEE], set(), "steintal", STEINTAL),
        ("another's own name", [STEINTAL, STEINTAL_AM_SEE], set(), "tal", None),
    ],
)  # fmt: skip
def test_namesakes(
    case: str,
    rows: list[PlaceRow],
    regions: set[tuple[str, str]],
    key: str,
    expected: PlaceRow | None,
) -> None:
    chosen = choose_place(rows, regions, key)
    assert (chosen.place if chosen else None) == expected
    assert choose_place(rows[::-1], regions, key) == chosen


@pytest.mark.parametrize(
    ("people", "km_north", "city_people", "district"),
    [
        (1_500, 60, 15_000_000, True),
        (0, 60, 15_000_000, True),
        (150_000, 60, 15_000_000, False),
        (1_500, 20, 15_000_000, False),
        (1_500, 60, 500_000, False),
    ],
)
def test_a_far_village_beside_a_metropolis_is_rather_its_district(
    people: int, km_north: float, city_people: int, district: bool
) -> None:
    city = place(1, "İstanbul", city_people, 41.0, 29.0)
    village = place(2, "Kadıköy", people, 41.0 + km_north / 111, 29.0)
    assert is_rather_a_district(village, [city]) is district
    assert not is_rather_a_district(village, [])


def test_neighbours_of_one_name_widen_the_accuracy() -> None:
    twin = place(10, "Frankfurt-Höchst", 400_000, 50.10, 8.55)
    chosen = choose_place([MAIN, twin])
    assert chosen is not None
    assert chosen.place == MAIN
    assert 9 < chosen.spread_km < 10


@pytest.mark.parametrize(
    ("people", "km"), [(0, 5.0), (500, 2.0), (100_000, 3.3), (4_000_000, 20.6), (20_000_000, 25.0)]
)
def test_a_city_reaches_as_far_as_its_people(people: int, km: float) -> None:
    assert city_radius_km(people) == km


@pytest.mark.parametrize(
    ("city", "then"),
    [
        ("Kraków, Nowa Huta", ["Kraków", "Nowa Huta"]),
        ("الرياض، العليا", ["الرياض", "العليا"]),
        ("Kadıköy / İstanbul", ["Kadıköy", "İstanbul"]),
        ("Warszawa - Mokotów", ["Warszawa", "Mokotów"]),
        ("Paris 15e", ["Paris"]),
        ("75015 Paris", ["Paris"]),
        ("1011 AB Amsterdam", ["Amsterdam"]),
        ("LYON CEDEX 03", ["LYON"]),
        ("Berlin-Mitte", ["Berlin"]),
    ],
)
def test_a_city_is_read_as_people_write_it(city: str, then: list[str]) -> None:
    texts = [text for text, _ in readings(city)]
    assert texts[0] == city
    positions = [texts.index(text) for text in then]
    assert positions == sorted(positions)


# With a database


def entry(
    id: int,
    name: str,
    country: str,
    admin1: str,
    people: int,
    lat: float,
    lon: float,
    *names: str,
) -> dict[str, object]:
    zones = {"DE": "Europe/Berlin", "SA": "Asia/Riyadh", "AE": "Asia/Dubai"}
    return {
        "geonameid": id,
        "name": name,
        "latitude": lat,
        "longitude": lon,
        "countrycode": country,
        "population": people,
        "timezone": zones.get(country, "Europe/Warsaw"),
        "admin1code": admin1,
        "alternatenames": list(names) or [""],
    }


ENTRIES = [
    entry(1, "Riyadh", "SA", "10", 4_200_000, 24.69, 46.72, "الرياض", "Ar-Riyāḑ"),
    entry(2, "Jeddah", "SA", "14", 4_700_000, 21.49, 39.19, "جدة", 'Djidda "by} the sea"'),
    entry(3, "Dubai", "AE", "03", 3_800_000, 25.08, 55.31, "دبي", "دبى"),
    entry(4, "Łódź", "PL", "74", 640_000, 51.77, 19.47, "Lodz"),
    entry(5, "Köln", "DE", "07", 1_020_000, 50.93, 6.95, "Cologne", "Keulen"),
    entry(6, "Munich", "DE", "02", 1_500_000, 48.14, 11.58, "München", "Monachium"),
    entry(7, "Frankfurt am Main", "DE", "05", 650_000, 50.11, 8.68, "Frankfurt"),
    entry(8, "Frankfurt (Oder)", "DE", "11", 57_000, 52.35, 14.55, "Frankfurt an der Oder"),
    entry(9, "Neustadt an der Weinstraße", "DE", "08", 54_000, 49.35, 8.14, "Neustadt"),
    entry(10, "Neustadt am Rübenberge", "DE", "06", 44_700, 52.50, 9.46, "Neustadt"),
    entry(11, "Görlitz", "DE", "13", 56_000, 51.16, 14.99),
    entry(12, "Zgorzelec", "PL", "72", 30_000, 51.15, 15.01),
    entry(
        13, "Madinah", "SA", "05", 1_400_000, 24.47, 39.61, "المدينة المنورة", "المدينة", "Medina"
    ),
    entry(14, "Al Madinah", "AE", "04", 900, 25.73, 56.02, "المدينة"),
    entry(15, "Halle (Saale)", "DE", "14", 240_000, 51.48, 11.98, "Halle", "Галле"),
    entry(16, "Halle", "DE", "07", 21_000, 52.06, 8.36, "Халле"),
    entry(17, "Springfield", "US", "MO", 170_000, 37.22, -93.30),
    entry(18, "Springfield", "US", "IL", 114_000, 39.80, -89.64),
    entry(19, "Illinois", "US", "MO", 300, 37.90, -92.00),
    entry(20, "Saint Louis", "US", "MO", 300_000, 38.63, -90.20),
    entry(21, "İstanbul", "TR", "34", 15_000_000, 41.01, 28.95, "Istanbul", "Стамбул"),
    entry(22, "Kadıköy", "TR", "34", 1_500, 41.14, 28.20),
    entry(23, "Kartal", "TR", "83", 1_700, 40.40, 36.10),
    entry(24, "Ajman", "AE", "02", 490_000, 25.41, 55.44, "عجمان"),
    entry(25, "Manama", "AE", "02", 3_000, 25.33, 56.02),
]
POSTCODES = """\
DE\t50667\tKöln\tNordrhein-Westfalen\tNW\t\t\t\t\t50.938\t6.956\t4
DE\t01945\tRuhland\tBrandenburg\tBB\t\t\t\t\t51.40\t13.90\t4
DE\t01945\tTettau\tBrandenburg\tBB\t\t\t\t\t51.40\t13.70\t4
PL\t90-001\tŁódź\tŁódź\t74\t\t\t\t\t51.776\t19.454\t
"""
GULF = ("SA", "AE")


@pytest.fixture(scope="module")
def places_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gazetteer") / "places.json"
    path.write_text(json.dumps({str(each["geonameid"]): each for each in ENTRIES}))
    return path


@pytest.fixture(scope="module")
def gazetteer(
    server: embedded.EmbeddedServer, template: Template, places_file: Path
) -> Iterator[Session]:
    """One database for all questions: they only read."""
    name = f"gazetteer_{uuid.uuid4().hex}"
    engine = engine_for(embedded.create_database(server, name, template=template.name))
    with sessions_for(engine)() as session:
        act_as(session, SYSTEM)
        load_places(session, ("DE", "PL", "SA", "AE", "US", "TR"), places_file)
        postcodes = places_file.with_name("postcodes.txt")
        postcodes.write_text(POSTCODES, encoding="utf-8")
        load_postcodes(session, postcodes)
        yield session
    engine.dispose()
    embedded.drop_database(server, name)


@pytest.mark.parametrize(
    ("city", "countries", "found"),
    [
        ("الرياض", GULF, "Riyadh"),
        ("رياض", GULF, "Riyadh"),
        ("Riyadh", GULF, "Riyadh"),
        ("حي العليا، الرياض", GULF, "Riyadh"),
        ("دبي", GULF, "Dubai"),
        ("جده", GULF, "Jeddah"),
        ("Łódź", ("PL",), "Łódź"),
        ("lodz", ("PL",), "Łódź"),
        ("Köln", ("DE",), "Köln"),
        ("Koeln", ("DE",), "Köln"),
        ("KÖLN", ("DE",), "Köln"),
        ("Cologne", ("DE",), "Köln"),
        ("München", ("DE",), "Munich"),
        ("muenchen", ("DE",), "Munich"),
        ("Frankfurt", ("DE",), "Frankfurt am Main"),
        ("Frankfurt (Oder)", ("DE",), "Frankfurt (Oder)"),
        ("Frankfurt, Brandenburg", ("DE",), "Frankfurt (Oder)"),
    ],
)
def test_a_city_in_any_script(
    gazetteer: Session, city: str, countries: tuple[str, ...], found: str
) -> None:
    located = locate(gazetteer, city=city, countries=countries)
    assert isinstance(located, Located)
    assert (located.place, located.method) == (found, "city")


def test_a_city_brings_its_country_zone_and_accuracy(gazetteer: Session) -> None:
    located = locate(gazetteer, city="دبي", countries=GULF)
    assert located == Located(25.08, 55.31, 20.1, "city", "Dubai", "AE", "Asia/Dubai")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        # One dwarfs the other, in whatever script.
        ({"city": "المدينة", "countries": GULF}, "Madinah"),
        ({"city": "Medina", "countries": GULF}, "Madinah"),
        ({"city": "Al Madinah", "country": "AE"}, "Al Madinah"),
        # Neither does: the region says which, by name, by code, within the city or beside it.
        ({"city": "Springfield", "country": "US"}, None),
        ({"city": "Springfield", "region": "Illinois", "country": "US"}, ("Springfield", "IL")),
        ({"city": "Springfield, IL", "country": "US"}, ("Springfield", "IL")),
        ({"city": "Springfield", "region": "mo", "country": "US"}, ("Springfield", "MO")),
        ({"city": "Springfield", "region": "Ruritania", "country": "US"}, None),
        ({"city": "Frankfurt Oder", "country": "DE"}, "Frankfurt (Oder)"),
        ({"city": "Frankfurt/Oder", "country": "DE"}, "Frankfurt (Oder)"),
        ({"city": "Frankfurt", "region": "Hessen", "country": "DE"}, "Frankfurt am Main"),
        ({"city": "Neustadt", "region": "Bayern", "country": "DE"}, None),
        # The list has the smaller one's name in Cyrillic letters, and not the larger one's.
        ({"city": "Халле", "country": "DE"}, None),
        ({"city": "Галле", "country": "DE"}, "Halle (Saale)"),
        # A district that no list has, and a village of its name.
        ({"city": "Kadıköy, İstanbul", "country": "TR"}, "İstanbul"),
        ({"city": "Kadıköy", "region": "İstanbul", "country": "TR"}, None),
        ({"city": "Kartal / İstanbul", "country": "TR"}, "İstanbul"),
        ({"city": "Kartal", "region": "İstanbul", "country": "TR"}, None),
    ],
)
def test_which_namesake_is_meant(
    gazetteer: Session, given: dict[str, Any], found: str | tuple[str, str] | None
) -> None:
    located = locate(gazetteer, **given)
    if found is None:
        assert isinstance(located, Unlocated)
        assert located.problem == "ambiguous"
        assert located.guesses
        return
    assert isinstance(located, Located)
    name, admin1 = (found, None) if isinstance(found, str) else found
    assert located.place == name
    if admin1:
        rows = gazetteer.scalars(select(Place.admin1).where(Place.lat == located.lat))
        assert rows.all() == [admin1]


def test_a_guess_can_be_shown_and_picked(gazetteer: Session) -> None:
    unclear = locate(gazetteer, city="Springfield", country="US")
    assert isinstance(unclear, Unlocated)
    guess = unclear.guesses[1]
    assert guess.to_json() == {
        "name": "Springfield", "country": "US", "admin1": "IL",
        "lat": 39.8, "lon": -89.64, "population": 114_000,
    }  # fmt: skip
    picked = located_at(gazetteer, guess.lat, guess.lon, 5.0, "chosen", guess.country)
    assert picked is not None
    assert (picked.method, picked.place, picked.accuracy_km) == ("chosen", "Springfield", 5.0)
    assert located_at(gazetteer, 0.0, -30.0, 5.0, "chosen") is None


def test_a_region_alone_is_its_middle_and_as_vague_as_it_is_wide(gazetteer: Session) -> None:
    located = locate(gazetteer, region="عجمان", countries=GULF)
    assert isinstance(located, Located)
    assert (located.method, located.place, located.country) == ("region", "Ajman", "AE")
    # Most people live by the coast; its village in the mountains is 59 km away.
    assert located.lon == pytest.approx(55.44, abs=0.01)
    assert 55 < located.accuracy_km < 62
    assert locate(gazetteer, region="Ruritania", countries=GULF) == Unlocated("unknown")


def test_postcode_and_city_far_apart_are_both_shown(gazetteer: Session) -> None:
    unclear = locate(gazetteer, country="DE", city="München", postcode="50667")
    assert isinstance(unclear, Unlocated)
    assert [guess.name for guess in unclear.guesses] == ["Munich", "Köln"]


@pytest.mark.parametrize(
    ("given", "km"),
    [
        ({}, None),
        ({"attributes": {}}, None),
        ({"attributes": {"accuracy_m": 25}}, 0.025),
        ({"attributes": {"accuracy_m": "1500.5"}}, 1.5005),
        ({"attributes": {"accuracy_m": "about"}}, None),
        ({"attributes": {"accuracy_m": -3}}, None),
        ({"attributes": {"accuracy_m": float("inf")}}, None),
        ({"attributes": {"accuracy_m": [1]}}, None),
        ({"attributes": "accuracy_m"}, None),
    ],
)
def test_how_exact_a_shared_location_says_it_is(given: dict[str, Any], km: float | None) -> None:
    assert given_accuracy_km(given) == km


@pytest.mark.parametrize(
    ("accuracy_km", "city", "method", "exact_to"),
    [
        (None, "Köln", "given", 0.1),
        (0.03, "Köln", "given", 0.1),
        (12.0, "Köln", "given", 12.0),
        # Only the town where the network's mast stands: what was typed is better.
        (60.0, "Köln", "city", 10.4),
        (60.0, "", "given", 60.0),
    ],
)
def test_a_vague_location_gives_way_to_what_was_typed(
    gazetteer: Session, accuracy_km: float | None, city: str, method: str, exact_to: float
) -> None:
    located = locate(gazetteer, lat=50.9, lon=7.0, accuracy_km=accuracy_km, city=city, country="DE")
    assert isinstance(located, Located)
    assert (located.method, located.accuracy_km) == (method, exact_to)


def test_a_postcode_counts_where_no_place_is_known_near_it(gazetteer: Session) -> None:
    with gazetteer.begin_nested() as point:
        gazetteer.add(
            Postcode(country="MA", code="73000", place="Dakhla", lat=23.7, lon=-15.9, radius_km=3.0)
        )
        gazetteer.flush()
        located = locate(gazetteer, country="MA", postcode="73000")
        point.rollback()
    assert located == Located(23.7, -15.9, 3.0, "postcode", "Dakhla", "MA", "")


def test_a_blank_country_is_none(gazetteer: Session) -> None:
    located = locate(gazetteer, city="الرياض", country="  ", countries=GULF)
    assert isinstance(located, Located)
    assert located.country == "SA"


def test_what_stays_unclear_is_said_so(gazetteer: Session) -> None:
    unclear = locate(gazetteer, city="Neustadt", country="DE")
    assert isinstance(unclear, Unlocated)
    assert unclear.problem == "ambiguous"
    assert [guess.name for guess in unclear.guesses] == [
        "Neustadt an der Weinstraße",
        "Neustadt am Rübenberge",
    ]
    clear = locate(gazetteer, city="Neustadt", region="Niedersachsen", country="DE")
    assert isinstance(clear, Located)
    assert clear.place == "Neustadt am Rübenberge"


def test_a_region_named_after_its_city_tells_too(gazetteer: Session) -> None:
    clear = locate(gazetteer, city="Frankfurt", region="Frankfurt (Oder)", country="DE")
    assert isinstance(clear, Located)
    assert clear.place == "Frankfurt (Oder)"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "nothing_given"),
        ({"country": "DE"}, "nothing_given"),
        ({"country": "DE", "city": "Nirgendwo"}, "unknown"),
        ({"country": "DE", "postcode": "99999"}, "unknown"),
        ({"country": "PL", "city": "الرياض"}, "unknown"),
        ({"country": "DE", "city": "München", "postcode": "50667"}, "conflict"),
    ],
)
def test_no_place(gazetteer: Session, given: dict[str, str], problem: str) -> None:
    unclear = locate(gazetteer, **given)  # type: ignore[arg-type]
    assert isinstance(unclear, Unlocated)
    assert unclear.problem == problem


def test_a_postcode_goes_before_the_city(gazetteer: Session) -> None:
    located = locate(gazetteer, country="DE", postcode="D-50667", city="Köln-Altstadt")
    assert located == Located(50.938, 6.956, 3.0, "postcode", "Köln", "DE", "Europe/Berlin")
    anywhere = locate(gazetteer, postcode="90-001", countries=("DE", "PL"))
    assert isinstance(anywhere, Located)
    assert anywhere.country == "PL"


def test_a_postcode_of_several_places_has_their_middle(gazetteer: Session) -> None:
    row = gazetteer.get_one(Postcode, ("DE", "01945"))
    assert (row.lat, row.lon) == (51.4, 13.8)
    assert 9 < row.radius_km < 11


@pytest.mark.parametrize(
    ("given", "method", "nearest"),
    [
        ({"lat": 50.94, "lon": 6.96, "country": "DE"}, "given", "Köln"),
        ({"lat": 50.94, "lon": 6.96, "city": "München", "country": "DE"}, "given", "Köln"),
        # Nobody lives off the coast of Africa: the sender left the fields at 0.
        ({"lat": 0.0, "lon": 0.0, "city": "Köln", "country": "DE"}, "city", "Köln"),
        ({"lat": 91.0, "lon": 6.96, "city": "Köln", "country": "DE"}, "city", "Köln"),
        # In another country than the one given: one of the two is wrong.
        ({"lat": 25.08, "lon": 55.31, "city": "جدة", "country": "SA"}, "city", "Jeddah"),
        # Just across the river from the nearest town abroad.
        ({"lat": 51.151, "lon": 15.004, "country": "DE"}, "given", "Görlitz"),
    ],
)
def test_coordinates_are_trusted_where_they_can_be(
    gazetteer: Session, given: dict[str, object], method: str, nearest: str
) -> None:
    located = locate(gazetteer, **given)  # type: ignore[arg-type]
    assert isinstance(located, Located)
    assert (located.method, located.place) == (method, nearest)


def test_loading_again_gives_the_same_rows(gazetteer: Session, places_file: Path) -> None:
    def counts() -> tuple[int, int]:
        places = gazetteer.scalar(select(func.count()).select_from(Place)) or 0
        names = gazetteer.scalar(select(func.count()).select_from(PlaceName)) or 0
        return places, names

    before = counts()
    loaded = load_places(gazetteer, ("DE",), places_file)
    assert loaded.places == 9
    assert counts() == before
    assert loaded_countries(gazetteer) == {"DE", "PL", "SA", "AE", "US", "TR"}


def test_a_postal_file_that_is_none_is_refused_by_its_line(
    gazetteer: Session, tmp_path: Path
) -> None:
    path = tmp_path / "codes.txt"
    for line in (
        "country_code,zipcode,place",
        "DE\t50667\tKöln\tNW",
        "DE\t50667\tKöln\t\t\t\t\t\t\tnorth\t6.9\t",
        "DE\t50667\tKöln\t\t\t\t\t\t\t95.0\t6.9\t",
    ):
        path.write_text(POSTCODES + line + "\n", encoding="utf-8")
        with pytest.raises(BadPostcodes, match="line 5"):
            load_postcodes(gazetteer, path)


@pytest.mark.parametrize(
    ("lines", "radius_km"),
    [
        (["DE\t10001\tA\t\t\t\t\t\t\t50.0\t10.0\t1"], 10.0),
        (["DE\t10001\tA\t\t\t\t\t\t\t50.0\t10.0\t4"], 3.0),
        (["DE\t10001\tA\t\t\t\t\t\t\t50.0\t10.0\t6"], 2.0),
        (["DE\t10001\tA\t\t\t\t\t\t\t50.0\t10.0\t"], 3.0),
        (["DE\t10001\tA\t\t\t\t\t\t\t50.0\t10.0"], 3.0),
        # Estimated once, and known better from another row.
        (["DE\t10001\tA\t\t\t\t\t\t\t50.0\t10.0\t1",
          "DE\t10001\tB\t\t\t\t\t\t\t50.0\t10.0\t6"], 2.0),
        # Two places 22 km apart, one of them estimated.
        (["DE\t10001\tA\t\t\t\t\t\t\t50.1\t10.0\t1",
          "DE\t10001\tB\t\t\t\t\t\t\t49.9\t10.0\t6"], 21.1),
        (["country_code,zipcode,place,state,latitude,longitude",
          'DE,10001,"A, the old",X,50.0,10.0'], 3.0),
        (["country_code,zipcode,place,latitude,longitude,accuracy", "DE,10001,A,50.0,10.0,6"], 2.0),
    ],
)  # fmt: skip
def test_a_postcode_is_as_exact_as_its_file_says(
    gazetteer: Session, tmp_path: Path, lines: list[str], radius_km: float
) -> None:
    path = tmp_path / "postal"
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    with gazetteer.begin_nested() as point:
        assert load_postcodes(gazetteer, path) == 1
        gazetteer.expire_all()
        row = gazetteer.get_one(Postcode, ("DE", "10001"))
        assert row.radius_km == pytest.approx(radius_km, abs=0.1)
        assert (row.lat, row.lon) == (50.0, 10.0)
        point.rollback()


def test_a_bad_row_of_a_table_is_named_too(gazetteer: Session, tmp_path: Path) -> None:
    path = tmp_path / "postal.csv"
    path.write_text(
        "country_code,zipcode,place,latitude,longitude\nDE,1,A,50,10\nDE,2,B,north,10\n"
    )
    with pytest.raises(BadPostcodes, match="line 3"):
        load_postcodes(gazetteer, path)


def test_the_shipped_gazetteer_knows_bahrain(session: Session) -> None:
    loaded = load_places(session, ("BH",))
    assert loaded.places >= 10
    for city in ("المنامة", "Manama", "AL MANAMAH"):
        located = locate(session, city=city, country="BH")
        assert isinstance(located, Located), city
        assert located.timezone == "Asia/Bahrain"
