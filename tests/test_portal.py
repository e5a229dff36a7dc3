"""The customer's page: whose it is, what it tells, and what a forwarded link must not."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from lmt.config import LOCALES, Settings
from lmt.i18n import reading
from lmt.lifecycle import WITH_DEALER, Status
from lmt.links import lead_of_status_token, status_link, status_token
from lmt.models import DealerTerms, Lead, User
from lmt.portal import routes as portal
from lmt.portal.formtoken import form_token, is_form_token
from lmt.portal.standing import reached, sentence
from lmt.portal.week import coming_week
from lmt.routing.directory import dealers_changed
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
    client.get(path_of(settings, lead))  # the market's dealers are in memory from here on
    with counted_selects() as selects:
        client.get(path_of(settings, lead))
    assert len(selects) <= 20
    personal = ("full_name", "lead.email", "lead.phone", "comments", "lead.street", "lead.given")
    for column in personal:
        assert not any(column in text for text in selects), column


@pytest.mark.parametrize("status", list(Status))
def test_every_state_has_a_page(
    app: Flask, settings: Settings, house: TwoMarkets, status: Status
) -> None:
    owned = status in WITH_DEALER | {Status.WON, Status.LOST}
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
        (Status.RESTING, True, False, "at the time you agreed"),
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


# Another dealer


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The dealers and reasons with which the road was asked to move a lead."""
    asked: list[tuple[str, str]] = []

    def move(
        _session: Session, _lead_id: uuid.UUID, *, dealer_code: str, reason: str, at: datetime
    ) -> None:
        asked.append((dealer_code, reason))

    monkeypatch.setattr(portal, "move_for_customer", move)
    return asked


def form_of(page: Any) -> dict[str, str]:
    return {"csrf_token": page.xpath("//form//input[@name='csrf_token']/@value")[0]}


def test_the_nearest_dealers_that_could_take_it_are_offered(
    client: FlaskClient, settings: Settings, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead(NOW)
    page = parsed(client.get(path_of(settings, lead) + "?lang=en").text)
    assert lead.dealer is not None
    (other,) = page.xpath("//form//input[@name='dealer']/@value")
    assert {other, lead.dealer.code} == {"PL-WAW-1", "PL-WAW-2"}
    (words,) = page.xpath("//form//label[starts-with(@for, 'dealer-')]")
    assert re.search(r"Aurel .* km · (open now|opens )", " ".join(words.text_content().split()))


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"paused": True}, "it is paused"),
        ({"active": False}, "it is not active"),
        ({"day_cap": 0}, "its cap is reached"),
        ({"hours": "off"}, "it never opens"),
    ],
)
def test_who_cannot_take_it_is_not_offered(
    client: FlaskClient,
    settings: Settings,
    session: Session,
    offered_lead: Callable[..., Lead],
    values: dict[str, object],
    refusal: str,
) -> None:
    lead = offered_lead(NOW)
    session.execute(
        update(DealerTerms).where(DealerTerms.dealer_id != lead.dealer_id).values(**values)
    )
    dealers_changed(session, NOW, None)
    session.commit()
    page = parsed(client.get(path_of(settings, lead) + "?lang=en").text)
    assert page.xpath("//input[@name='dealer']") == [], refusal


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        (Status.OFFERED, True),
        (Status.ACCEPTED, True),
        (Status.CONTACTED, True),
        (Status.RESTING, False),
        (Status.WON, False),
        (Status.LOST, False),
    ],
)
def test_a_request_may_move_until_it_has_an_outcome(
    client: FlaskClient,
    settings: Settings,
    session: Session,
    offered_lead: Callable[..., Lead],
    status: Status,
    asked: bool,
) -> None:
    lead = offered_lead(NOW)
    session.execute(update(Lead).where(Lead.id == lead.id).values(status=status))
    session.commit()
    page = parsed(client.get(path_of(settings, lead) + "?lang=en").text)
    assert bool(page.xpath("//input[@name='dealer']")) is asked


def test_the_customer_picks_another_dealer(
    client: FlaskClient, settings: Settings, session: Session, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead(NOW)
    path, before = path_of(settings, lead), lead.dealer_id
    page = parsed(client.get(path + "?lang=ar").text)
    (other,) = page.xpath("//form//input[@name='dealer']/@value")
    (action,) = page.xpath("//form[.//input[@name='dealer']]/@action")
    answer = client.post(action, data=form_of(page) | {"dealer": other, "reason": "too_far"})
    assert answer.status_code == 303
    session.expire_all()
    assert lead.dealer is not None
    assert (lead.dealer.code, lead.status) == (other, Status.OFFERED)
    assert lead.dealer_id != before
    then = parsed(client.get(answer.headers["Location"]).text)
    assert then.get("lang") == "ar"
    assert then.xpath("//*[@role='status']")
    # The form of the page that was open before: the dealer it told of is no longer the holder.
    again = client.post(action, data=form_of(page) | {"dealer": other, "reason": "too_far"})
    assert again.status_code == 409
    assert parsed(again.text).xpath("//*[@role='alert']")


def test_a_form_that_nobody_was_shown_moves_nothing(
    client: FlaskClient,
    settings: Settings,
    offered_lead: Callable[..., Lead],
    moved: list[tuple[str, str]],
) -> None:
    lead, another = offered_lead(NOW), offered_lead(NOW, full_name="Ewa", phone="+48512000111")
    path = path_of(settings, lead)
    page = parsed(client.get(path).text)
    theirs = form_of(parsed(client.get(path_of(settings, another)).text))
    (other,) = page.xpath("//form//input[@name='dealer']/@value")
    chosen = {"dealer": other, "reason": "other"}
    for data in (chosen, chosen | {"csrf_token": "forged"}, chosen | theirs):
        assert client.post(path + "/dealer", data=data).status_code == 409
    for incomplete in ({"dealer": other, "reason": "made up"}, {"dealer": "", "reason": "other"}):
        answer = client.post(path + "/dealer", data=form_of(page) | incomplete)
        assert answer.status_code == 409
    assert client.post("/r/forged/dealer", data=form_of(page) | chosen).status_code == 404
    assert moved == []
    assert client.post(path + "/dealer", data=form_of(page) | chosen).status_code == 303
    assert moved == [(other, "other")]


def test_a_dealer_that_was_filled_meanwhile_is_said_to_be(
    client: FlaskClient, settings: Settings, session: Session, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead(NOW)
    path = path_of(settings, lead)
    page = parsed(client.get(path + "?lang=en").text)
    session.execute(update(DealerTerms).values(paused=True))
    dealers_changed(session, NOW, None)
    session.commit()
    (other,) = page.xpath("//form//input[@name='dealer']/@value")
    data = form_of(page) | {"dealer": other, "reason": "no_answer"}
    answer = client.post(path + "/dealer?lang=en", data=data)
    assert answer.status_code == 409
    (alert,) = parsed(answer.text).xpath("//*[@role='alert']")
    assert "can't take your request now" in alert.text_content()
    session.expire_all()
    assert lead.dealer is not None
    assert lead.dealer.code != other


@pytest.mark.parametrize(
    ("token", "dealer_id", "age", "good"),
    [
        (form_token("secret", LEAD, 7, MARCH), 7, timedelta(hours=11), True),
        (form_token("secret", LEAD, 7, MARCH), 7, timedelta(hours=12), False),
        (form_token("secret", LEAD, 7, MARCH), 8, timedelta(0), False),
        (form_token("secret", LEAD, 7, MARCH), None, timedelta(0), False),
        (form_token("another", LEAD, 7, MARCH), 7, timedelta(0), False),
        (form_token("secret", uuid.UUID(int=1), 7, MARCH), 7, timedelta(0), False),
        ("", 7, timedelta(0), False),
        ("ł.ł", 7, timedelta(0), False),
    ],
)
def test_a_form_is_good_for_one_page_of_one_request(
    token: str, dealer_id: int | None, age: timedelta, good: bool
) -> None:
    assert is_form_token("secret", token, LEAD, dealer_id, MARCH + age) is good


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
