"""The customer's page: whose it is, what it tells, and what a forwarded link must not."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lmt.config import LOCALES, Settings
from lmt.i18n import reading
from lmt.lifecycle import Status
from lmt.links import lead_of_status_token, status_link, status_token
from lmt.models import Lead, User
from lmt.portal.standing import reached, sentence
from lmt.portal.week import coming_week
from lmt.workhours import Calendar
from tests.two_markets import NOW, TwoMarkets, counted_selects, parsed

LEAD = uuid.UUID("019cbf6e-0000-7000-8000-000000000001")
MARCH = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)


@pytest.fixture
def house(session: Session, cast: dict[str, User]) -> TwoMarkets:
    return TwoMarkets(session, cast["hana"].password or "")


def path_of(settings: Settings, lead: Lead, at: datetime = NOW) -> str:
    return urlsplit(status_link(settings, lead.id, at)).path


@pytest.mark.parametrize(
    ("age", "opens"),
    [
        (timedelta(0), True),
        (timedelta(days=89, hours=23), True),
        (timedelta(days=90), False),
        (timedelta(days=900), False),
    ],
)
def test_a_link_opens_for_ninety_days(age: timedelta, opens: bool) -> None:
    found = lead_of_status_token("secret", status_token("secret", LEAD, MARCH), MARCH + age)
    assert found == (LEAD if opens else None)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "abc",
        "a.b",
        status_token("another secret", LEAD, MARCH),
        status_token("secret", LEAD, MARCH)[:-1],
        "B" + status_token("secret", LEAD, MARCH)[1:],
        status_token("secret", LEAD, MARCH).split(".")[0],
        "ł.ł",
        "\udcff",
    ],
)
def test_a_link_that_nobody_signed_opens_nothing(token: str) -> None:
    assert lead_of_status_token("secret", token, MARCH) is None


def test_a_link_is_an_address_of_the_installation(settings: Settings) -> None:
    link = status_link(settings, LEAD, MARCH)
    assert link.startswith("http://localhost/r/")
    assert urlsplit(link).query == ""


def test_the_page_tells_who_and_until_when(
    client: FlaskClient, settings: Settings, house: TwoMarkets
) -> None:
    lead = house.lead(house.jeddah, promise_at=NOW + timedelta(hours=3))
    page = parsed(client.get(path_of(settings, lead) + "?lang=en").text)
    text = page.text_content()
    assert lead.reference in text
    assert "Aurelia Jeddah" in text
    assert "+966 11 555 0100" in text
    assert "Test drive" in text
    assert "Monday" in text
    (promise,) = page.xpath("//p[@class='promise']//time/@datetime")
    assert datetime.fromisoformat(promise) == lead.promise_at


def test_a_forwarded_link_gives_nobody_away(
    client: FlaskClient, settings: Settings, house: TwoMarkets
) -> None:
    lead = house.lead(
        house.riyadh,
        company="Example Trading",
        street="Secret Street 7",
        given={"customer": {"full_name": "Nora"}},
    )
    answer = client.get(path_of(settings, lead) + "?lang=en")
    assert answer.status_code == 200
    for secret in ("Nora", "nora", "96650", "mail.example", "Ring twice", "Secret", "Trading"):
        assert secret not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in answer.headers


def test_the_page_speaks_the_customers_language_in_their_zone(
    client: FlaskClient, settings: Settings, house: TwoMarkets
) -> None:
    at = NOW.replace(hour=9, minute=20) + timedelta(days=1)
    lead = house.lead(house.riyadh, language="ar", timezone="Asia/Riyadh", promise_at=at)
    headers = {"Accept-Language": "pl"}
    arabic = parsed(client.get(path_of(settings, lead), headers=headers).text)
    assert (arabic.get("lang"), arabic.get("dir")) == ("ar", "rtl")
    assert "12:20" in arabic.xpath("string(//p[@class='promise'])")
    english = parsed(client.get(path_of(settings, lead) + "?lang=en").text)
    assert (english.get("lang"), english.get("dir")) == ("en", "ltr")


def test_a_lead_without_a_language_gets_its_markets(
    client: FlaskClient, settings: Settings, house: TwoMarkets
) -> None:
    lead = house.lead(house.lodz, language="", timezone="")
    assert parsed(client.get(path_of(settings, lead)).text).get("lang") == "pl"


@pytest.mark.parametrize("language", LOCALES)
def test_the_page_opens_in_every_language(
    client: FlaskClient, settings: Settings, house: TwoMarkets, language: str
) -> None:
    lead = house.lead(house.riyadh, promise_at=NOW + timedelta(hours=1))
    answer = client.get(f"{path_of(settings, lead)}?lang={language}")
    assert parsed(answer.text).get("lang") == language


def test_forged_expired_and_unknown_links_look_alike(
    client: FlaskClient, settings: Settings, house: TwoMarkets
) -> None:
    lead = house.lead(house.riyadh)
    expired = path_of(settings, lead, NOW - timedelta(days=91))
    unknown = urlsplit(status_link(settings, uuid.uuid4(), NOW)).path
    answers = [client.get(path) for path in ("/r/forged", expired, unknown)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1
    assert lead.reference not in answers[0].text


def test_the_page_asks_for_one_lead_and_no_personal_column(
    client: FlaskClient, settings: Settings, house: TwoMarkets
) -> None:
    lead = house.lead(house.riyadh)
    with counted_selects() as selects:
        client.get(path_of(settings, lead))
    assert len(selects) <= 4
    for column in ("full_name", "lead.email", "lead.phone", "comments", "lead.street", "given"):
        assert not any(column in text for text in selects), column


@pytest.mark.parametrize("status", list(Status))
def test_every_state_has_a_page(
    app: Flask, settings: Settings, house: TwoMarkets, status: Status
) -> None:
    owned = status in {Status.OFFERED, Status.ACCEPTED, Status.CONTACTED, Status.WON, Status.LOST}
    lead = house.lead(
        house.riyadh if owned else None,
        market=house.gulf,
        status=status,
        promise_at=NOW - timedelta(hours=1) if owned else None,
    )
    answer = app.test_client().get(path_of(settings, lead) + "?lang=en")
    assert answer.status_code == 200
    for word in ("unrouted", "unlocated", "cap", "offered", "None"):
        assert word not in parsed(answer.text).text_content().replace("offered you", "")


@pytest.mark.parametrize(
    ("status", "contacted", "late", "words"),
    [
        (Status.RECEIVED, False, False, "We are looking"),
        (Status.UNROUTED, False, False, "We are looking"),
        (Status.INCOMPLETE, False, False, "no phone number"),
        (Status.OFFERED, False, False, "is with"),
        (Status.OFFERED, False, True, "should have contacted you by now"),
        (Status.ACCEPTED, False, False, "is working on"),
        (Status.ACCEPTED, False, True, "should have contacted you by now"),
        (Status.CONTACTED, True, False, "has contacted you"),
        (Status.OFFERED, True, False, "has contacted you"),
        (Status.WON, True, False, "completed"),
        (Status.LOST, False, False, "completed"),
        (Status.WITHDRAWN, False, False, "was closed"),
    ],
)
def test_where_it_stands_in_plain_words(
    status: Status, contacted: bool, late: bool, words: str
) -> None:
    with reading("en"):
        assert words in sentence(status, contacted=contacted, dealer="Aurelia", late=late)


def test_steps_only_go_forward_along_the_road() -> None:
    road = [Status.RECEIVED, Status.OFFERED, Status.ACCEPTED, Status.CONTACTED, Status.WON]
    assert [reached(status) for status in road] == [1, 2, 3, 4, 4]


def test_the_week_is_read_off_the_dealers_own_door() -> None:
    calendar = Calendar(
        "Su-Th 09:00-12:00,16:00-21:00",
        "Asia/Riyadh",
        "SA",
        closures=((date(2026, 3, 9), date(2026, 3, 9)),),
    )
    week = coming_week(calendar, datetime(2026, 3, 6, 22, 0, tzinfo=UTC))
    assert [day.day for day in week][:2] == [date(2026, 3, 7), date(2026, 3, 8)], "already Saturday"
    opened = {day.day.day: len(day.spans) for day in week}
    assert opened == {7: 0, 8: 2, 9: 0, 10: 2, 11: 2, 12: 2, 13: 0}


def test_hours_past_midnight_belong_to_the_day_they_began_on() -> None:
    calendar = Calendar("Sa-Su 20:00-02:00", "Asia/Riyadh", "SA")
    week = coming_week(calendar, datetime(2026, 3, 7, 9, 0, tzinfo=UTC))
    assert [len(day.spans) for day in week] == [1, 1, 0, 0, 0, 0, 0]
