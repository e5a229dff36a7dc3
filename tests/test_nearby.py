"""Which dealers a visitor is shown near a place: as the route would decide, and nothing secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt.embed.dealers import dealer_lists
from lmt.embed.shown import ShownForm
from lmt.forms.definition import FormDefinition
from lmt.forms.typedplace import postcode_and_city
from lmt.models import (
    Closure,
    Competence,
    Dealer,
    DealerLoad,
    DealerTerms,
    Form,
    FormVersion,
    PlaceName,
    Postcode,
)
from lmt.models import (
    Place as PlaceRow,
)
from lmt.models.validity import since
from lmt.nearby import Nearby, Place, UnknownPlace, Wanted, nearby
from lmt.routing.directory import dealers_changed
from lmt.routing.names import index_keys
from tests.world import FRIDAY, World

SUNDAY = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
"""10:00 in Riyadh, whose dealer works on Sundays."""
DRIVE = Wanted(brand="aurel", model="Mira", request_type="test_drive", language="en")


def near(
    session: Session, world: World, market: str, at: datetime = FRIDAY, **place: Any
) -> Nearby:
    return nearby(session, world.markets[market], DRIVE, Place(**place), at)


def told(found: Nearby) -> dict[str, str]:
    return {each.code: each.why or "takes" for each in found.dealers}


def edited(session: Session, world: World, dealer: str, **terms: Any) -> None:
    number = world.dealers[dealer]
    session.execute(update(DealerTerms).where(DealerTerms.dealer_id == number).values(**terms))
    dealers_changed(session, FRIDAY, [number])
    session.commit()


def place(
    session: Session, id: int, name: str, country: str, admin1: str, people: int, *at: float
) -> None:
    lat, lon = at
    row = PlaceRow(id=id, name=name, country=country, admin1=admin1, population=people, lat=lat,
                   lon=lon, timezone="Europe/Warsaw")  # fmt: skip
    session.add(row)
    session.flush()
    keys = sorted(index_keys(name))
    session.add_all(PlaceName(place_id=id, key=key, country=country) for key in keys)


@pytest.mark.parametrize(
    ("market", "typed", "first"),
    [
        ("PL", "Warszawa", "PL-WAW-1"),
        ("PL", "warschau", "PL-WAW-1"),
        ("PL", "Wars", "PL-WAW-1"),
        ("PL", "00-950", "PL-WAW-2"),
        ("PL", "00950 Warszawa", "PL-WAW-2"),
        ("GULF", "الرياض", "SA-RUH-1"),
        ("GULF", "  riyadh ", "SA-RUH-1"),
        ("GULF", "دبي", "AE-DXB-1"),
    ],
)
def test_a_place_is_found_as_people_type_it(
    session: Session, world: World, market: str, typed: str, first: str
) -> None:
    session.add(
        Postcode(country="PL", code="00950", place="Warszawa", lat=52.23, lon=20.95, radius_km=1)
    )
    session.commit()
    found = near(session, world, market, text=typed)
    assert found.dealers[0].code == first
    assert found.dealers[0].takes
    distances = [each.distance_km for each in found.dealers]
    assert distances == sorted(distances)


@pytest.mark.parametrize("code", ["missing", "unknown"])
def test_a_place_that_nobody_knows_is_said_to_be(session: Session, world: World, code: str) -> None:
    with pytest.raises(UnknownPlace) as raised:
        near(session, world, "PL", text="" if code == "missing" else "Nowhereville")
    assert raised.value.code == code


def test_a_shared_location_has_the_name_of_the_nearest_place(
    session: Session, world: World
) -> None:
    found = near(session, world, "GULF", lat=24.71, lon=46.67)
    assert found.place_name == "Riyadh"
    assert found.dealers[0].code == "SA-RUH-1"
    assert found.dealers[0].distance_km < 3
    with pytest.raises(UnknownPlace):
        near(session, world, "GULF", lat=52.0, lon=-30.0)


def test_of_namesakes_the_largest_is_taken_and_the_others_offered(
    session: Session, world: World
) -> None:
    place(session, 1, "Dobra", "PL", "77", 3_000, 49.71, 20.25)
    place(session, 2, "Dobra", "PL", "74", 2_000, 51.91, 18.61)
    session.commit()
    found = near(session, world, "PL", text="Dobra")
    assert len(found.alternatives) == 1
    assert found.place_name != found.alternatives[0]
    assert found.lat == pytest.approx(49.71)
    other = near(session, world, "PL", text=found.alternatives[0])
    assert other.lat == pytest.approx(51.91)
    again = near(session, world, "PL", text=found.place_name)
    assert again.lat == pytest.approx(49.71)


def test_teams_are_never_listed(session: Session, world: World) -> None:
    care = Wanted(brand="aurel", request_type="complaint")
    found = nearby(session, world.markets["PL"], care, Place("Warszawa"), FRIDAY)
    assert told(found) == {"PL-WAW-1": "competence", "PL-WAW-2": "competence"}


@pytest.mark.parametrize(
    ("terms", "why"),
    [({"paused": True}, "paused"), ({"day_cap": 0}, "full"), ({"hours": "off"}, "closed")],
)
def test_a_dealer_that_cannot_take_it_says_so_and_the_next_one_can(
    session: Session, world: World, terms: dict[str, Any], why: str
) -> None:
    edited(session, world, "PL-WAW-1", **terms)
    found = near(session, world, "PL", lat=52.24, lon=21.03)
    assert list(told(found).items()) == [("PL-WAW-1", why), ("PL-WAW-2", "takes")]


def test_a_retired_dealer_is_not_shown(session: Session, world: World) -> None:
    edited(session, world, "PL-WAW-1", active=False)
    assert told(near(session, world, "PL", text="Warszawa")) == {"PL-WAW-2": "takes"}


def test_closed_for_some_days_with_the_day_it_opens(session: Session, world: World) -> None:
    number = world.dealers["PL-WAW-1"]
    first, last = date(2026, 3, 5), date(2026, 3, 8)
    session.add(Closure(dealer_id=number, starts_on=first, ends_on=last, valid=since(None)))
    dealers_changed(session, FRIDAY, [number])
    session.commit()
    dealer = near(session, world, "PL", text="Warszawa").dealers[0]
    assert (dealer.takes, dealer.why) == (False, "closed")
    assert dealer.opens_at == datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


def test_full_by_the_count_of_the_day(session: Session, world: World) -> None:
    number = world.dealers["PL-WAW-1"]
    load = session.get(DealerLoad, number) or DealerLoad(dealer_id=number)
    load.day, load.day_used = FRIDAY.date(), 3
    session.add(load)
    edited(session, world, "PL-WAW-1", day_cap=3)
    assert told(near(session, world, "PL", text="Warszawa"))["PL-WAW-1"] == "full"
    tomorrow = FRIDAY + timedelta(days=1)
    assert told(near(session, world, "PL", tomorrow, text="Warszawa"))["PL-WAW-1"] == "takes"


def test_the_service_is_found_by_the_rules_of_the_market(session: Session, world: World) -> None:
    market = world.markets["PL"]
    repairs = Wanted(brand="aurel", request_type="after_sales")
    found = nearby(session, market, repairs, Place("Warszawa"), FRIDAY)
    assert set(told(found).values()) == {"competence"}
    number = world.dealers["PL-WAW-2"]
    session.add(
        Competence(
            dealer_id=number, brand_id=world.brand_id, service="after_sales", valid=since(None)
        )
    )
    dealers_changed(session, FRIDAY, [number])
    session.commit()
    found = nearby(session, market, repairs, Place(lat=52.24, lon=21.03), FRIDAY)
    assert told(found) == {"PL-WAW-1": "competence", "PL-WAW-2": "takes"}


def test_open_now_or_when_it_opens(session: Session, world: World) -> None:
    friday = near(session, world, "GULF", text="Riyadh").dealers[0]
    assert friday.opens_at == datetime(2026, 3, 8, 6, 0, tzinfo=UTC)
    assert friday.closes_at is None
    sunday = near(session, world, "GULF", SUNDAY, text="Riyadh").dealers[0]
    assert sunday.opens_at is None
    assert sunday.closes_at == datetime(2026, 3, 8, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "postcode", "city"),
    [
        ("Warszawa", "", "Warszawa"),
        ("00-950", "00-950", ""),
        ("60311 Frankfurt am Main", "60311", "Frankfurt am Main"),
        ("Amsterdam 1012 AB", "1012 AB", "Amsterdam"),
        ("1012 AB Amsterdam", "1012 AB", "Amsterdam"),
        ("London SW1A 1AA", "SW1A 1AA", "London"),
        ("Springfield, IL", "", "Springfield, IL"),
        ("٢٢٣٣٣ جدة", "٢٢٣٣٣", "جدة"),
        ("  ", "", ""),
    ],
)
def test_a_postcode_is_told_from_a_place(typed: str, postcode: str, city: str) -> None:
    assert postcode_and_city(typed) == (postcode, city)


def picking(session: Session, language: str = "en", **extra: Any) -> Form:
    """The form of the Polish market, with a dealer picker and the Gulf's languages."""
    form = session.scalars(select(Form).where(Form.code == "contact-pl")).one()
    definition = form.draft
    step = definition["steps"][0]
    step["fields"] = [
        {"key": "dealer", "type": "dealer", "label": {"en": "Your dealer", "ar": "وكيلك"}},
        *step["fields"],
    ]
    form.origins = ["https://brand.example"]
    version = FormVersion(form_id=form.id, number=2, definition=definition, published_at=FRIDAY)
    session.add(version)
    session.flush()
    form.published = version
    session.commit()
    return form


def shown(form: Form) -> ShownForm:
    assert form.published is not None
    return ShownForm(form, form.published, FormDefinition.from_json(form.published.definition))


def found_by(
    session: Session, answers: Mapping[str, str], at: datetime = FRIDAY, language: str = "en"
) -> Any:
    form = picking(session)
    return dealer_lists(session, shown(form), answers, language, at, "dealer")["dealer"]


def test_the_page_without_scripts_gets_the_list_in_words(session: Session, world: World) -> None:
    found = found_by(session, {"dealer-place": "Warszawa"})
    assert found.summary == "2 dealers near Warsaw can take your request."
    assert [row.name for row in found.rows] == ["Aurel Centrum", "Aurel Wola"]
    assert found.rows[0].hours == "Opens today at 9:00\u202fAM"
    assert found.rows[0].distance.endswith("km")


def test_a_closed_dealer_says_in_the_visitors_language_when_it_opens(
    session: Session, world: World
) -> None:
    friday_night = datetime(2026, 3, 6, 19, 0, tzinfo=UTC)
    answers = {"dealer-place": "Warszawa"}
    rows = found_by(session, answers, friday_night).rows
    assert {row.name: row.hours for row in rows} == {
        "Aurel Centrum": "Opens Sat 9:00\u202fAM",
        "Aurel Wola": "Opens Mon 9:00\u202fAM",
    }


def test_the_next_one_is_named_where_the_nearest_cannot(session: Session, world: World) -> None:
    edited(session, world, "PL-WAW-1", paused=True)
    found = found_by(session, {"dealer-lat": "52.24", "dealer-lon": "21.03"})
    assert found.summary.startswith(
        "Aurel Centrum can't take your request now. The next one is Aurel Wola,"
    )
    assert found.rows[0].problem == "Takes no requests at present"
    assert found.rows[1].problem == ""


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, "Type a postcode or a place first."),
        ({"dealer-place": "Qqq"}, "We know no place called Qqq here."),
        ({"dealer-lat": "x", "dealer-lon": "21"}, "Type a postcode or a place first."),
        ({"dealer-lat": "0", "dealer-lon": "0"}, "We know no place near where you are."),
        ({"dealer-lat": "nan", "dealer-lon": "inf"}, "Type a postcode or a place first."),
    ],
)
def test_no_place_is_said_in_words(
    session: Session, world: World, answers: dict[str, str], words: str
) -> None:
    assert found_by(session, answers).problem.startswith(words)


def test_the_answers_so_far_count_also_those_that_are_wrong(session: Session, world: World) -> None:
    answers = {"dealer-place": "Warszawa", "request_type": "complaint", "email": "no mail"}
    found = found_by(session, answers)
    assert found.summary.startswith("No dealer near Warsaw can take your request now.")
    assert {row.problem for row in found.rows} == {"Does not offer what you ask for"}


def ask(client: FlaskClient, origin: str = "", **query: str) -> Any:
    headers = {"Origin": origin} if origin else {}
    return client.get("/embed/contact-pl/dealers", query_string=query, headers=headers)


def test_the_browser_gets_the_list_for_the_forms_own_pages_alone(
    session: Session, client: FlaskClient
) -> None:
    picking(session)
    answer = ask(client, "https://brand.example", place="Warszawa", lang="en")
    assert answer.status_code == 200
    assert [each["code"] for each in answer.json["dealers"]] == ["PL-WAW-1", "PL-WAW-2"]
    assert answer.headers["Access-Control-Allow-Origin"] == "https://brand.example"
    assert "Origin" in answer.headers["Vary"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    other = ask(client, "https://elsewhere.example", place="Warszawa")
    assert "Access-Control-Allow-Origin" not in other.headers
    assert 'value="PL-WAW-1"' in answer.json["html"]


def test_the_list_as_html_is_the_one_of_the_page(session: Session, client: FlaskClient) -> None:
    picking(session)
    origin = "https://brand.example"
    answer = ask(client, origin, place="Warszawa", lang="en", **{"as": "html"})
    assert answer.mimetype == "text/html"
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert 'name="dealer"' in answer.text
    trouble = ask(client, origin, place="<b>x", lang="en", **{"as": "html"})
    assert trouble.status_code == 422
    assert "&lt;b&gt;x" in trouble.text


def test_an_unknown_place_is_an_error_of_its_input(session: Session, client: FlaskClient) -> None:
    picking(session)
    answer = ask(client, place="Qqq", lang="pl")
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == ["dealer-place"]


def test_nothing_secret_is_told(session: Session, world: World, client: FlaskClient) -> None:
    edited(session, world, "PL-WAW-1", day_cap=0, month_cap=771, quality=0.123)
    picking(session)
    text = ask(client, place="Warszawa", lang="en").text
    for secret in ("771", "0.123", "cap", "@", "weight", "quality", str(world.dealers["PL-WAW-1"])):
        assert secret not in json.loads(text)["html"].replace("PL-WAW-1", "") or secret == "1"
    row = json.loads(text)["dealers"][0]
    assert set(row) == {
        "code", "name", "address", "phone", "distance", "hours", "problem", "lat", "lon",
    }  # fmt: skip


def test_a_form_without_a_picker_has_no_dealers(client: FlaskClient) -> None:
    assert ask(client, place="Warszawa").status_code == 404
    assert client.get("/embed/nothing/dealers?place=x").status_code == 404


def test_the_database_is_asked_a_few_times_however_many_dealers(
    session: Session, world: World, count_queries: list[str]
) -> None:
    market = world.markets["PL"]
    for number in range(60):
        dealer = Dealer(code=f"PL-{number:03}", market_id=market, kind="showroom")
        session.add(dealer)
        session.flush()
        session.add(
            DealerTerms(
                dealer_id=dealer.id, name=f"Aurel {number}", email="a@dealers.example",
                language="pl", city="Warszawa", country="PL", lat=52.0 + number / 500,
                lon=21.0, timezone="Europe/Warsaw", hours="24/7", valid=since(None),
                day_cap=0 if number % 2 else None,
            )
        )  # fmt: skip
        session.add(
            Competence(
                dealer_id=dealer.id, brand_id=world.brand_id, service="sales", valid=since(None)
            )
        )
    dealers_changed(session, FRIDAY)
    session.commit()
    near(session, world, "PL", text="Warszawa")
    count_queries.clear()
    found = near(session, world, "PL", text="Warszawa")
    assert sum(each.takes for each in found.dealers) == 5
    assert sum(not each.takes for each in found.dealers) <= 3
    assert len(count_queries) <= 12
