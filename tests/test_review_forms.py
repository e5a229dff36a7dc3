"""What a hostile reader of the forms' public side found: each fault once, as its visitor met it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.fields import BadForm, FieldDefinition
from lmt.models import Form, FormFile, FormVersion, Intake, Lead
from lmt.scope import SYSTEM, act_as
from tests.formpages import PNG, Visitor, definition, field, published
from tests.test_browser import browser
from tests.test_browser_forms import (
    CAMPAIGN,
    SEND,
    Place,
    assert_campaign,
    expect_thanks,
    fill_contact,
    only_lead,
    page,
    place,
)
from tests.test_embed_door import ME
from tests.world import API_KEY, FRIDAY, somebody

__all__ = ["browser", "page", "place"]

ANSWERS = ME | {"request_type": "offer", "has_car": "no"}
NO_ADDRESS = "http://[::1"


def test_headers_that_name_no_address_are_a_strangers(
    client: FlaskClient, session: Session
) -> None:
    published(session, "trade", definition("trade"))
    assert client.get("/forms/trade", headers={"Referer": NO_ADDRESS}).status_code == 200
    sent = client.post("/embed/trade/send", data=ANSWERS, headers={"Origin": NO_ADDRESS})
    assert sent.status_code == 403
    assert session.scalars(select(Lead)).all() == []


@pytest.mark.parametrize("key", ["closest", "dataset", "elements"])
def test_no_field_is_called_as_a_form_itself_in_a_browser(key: str) -> None:
    with pytest.raises(BadForm):
        FieldDefinition(key, "text")


@pytest.mark.parametrize("path", ["/forms/trade", "/embed/trade/send"])
def test_what_broke_us_is_kept_and_its_visitor_thanked(
    client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def broken(*_args: Any, **_more: Any) -> None:
        raise ZeroDivisionError

    published(session, "trade", definition("trade"))
    with time_machine.travel(FRIDAY, tick=False) as clock:
        token = client.get("/embed/trade.json").json["token"]
        clock.shift(30)
        monkeypatch.setattr("lmt.ingest.door.accept", broken)
        sent = client.post(path, data=ANSWERS | {"form_token": token})
    assert sent.status_code == (303 if path.startswith("/forms") else 200)
    thanks = client.get(sent.location).text if sent.location else sent.json["html"]
    assert "Thank you" in thanks
    kept = session.scalars(select(Intake).where(Intake.status == "quarantined")).one()
    assert b"Ewa Nowak" in kept.body


@pytest.mark.parametrize("version", [0, -1, 2**31, 10**30])
def test_a_version_that_never_was_is_none_for_programs(client: FlaskClient, version: int) -> None:
    sent = client.post(
        "/api/v1/forms/contact-pl/submissions",
        json={"answers": {}, "version": version},
        headers={"Authorization": f"Bearer {API_KEY}"},
    )
    assert sent.status_code == 404


def test_a_bound_beyond_the_calendar_is_the_calendars_own(
    client: FlaskClient, session: Session
) -> None:
    far = field("day", "date", least=-1_000_000_000, most=1_000_000_000)
    published(session, "far", definition("far", steps=[{"key": "all", "fields": [far]}]))
    page = client.get("/forms/far")
    assert page.status_code == 200
    assert 'min="0001-01-01"' in page.text
    assert 'max="9999-12-31"' in page.text


@pytest.mark.parametrize("days", [30, None])
def test_a_file_that_a_lead_has_stays_when_its_visitor_goes_back_and_thinks_again(
    client: FlaskClient, session: Session, days: int | None
) -> None:
    data = definition("trade")
    data["steps"][1]["fields"][1]["retention_days"] = days
    published(session, "trade", data)
    with time_machine.travel(FRIDAY, tick=False) as clock:
        visitor = Visitor(client, "/forms/trade")
        clock.shift(30)
        visitor.send(request_type="offer", has_car="yes")
        visitor.send(mileage="1", photo=(io.BytesIO(PNG), "front.png"))
        sent = visitor.fields(**ME)
        assert client.post("/forms/trade", data=sent).status_code == 303
        before = _forgotten_at(session)
        client.post("/forms/trade", data=sent | {"name": "", "photo": (io.BytesIO(PNG), "b.png")})
    assert _forgotten_at(session) == before
    assert (before is None) == (days is None)


def _forgotten_at(session: Session) -> Any:
    session.rollback()
    return session.scalars(select(FormFile.forget_at)).one()


def test_what_an_address_fills_in_stays_in_another_language(
    client: FlaskClient, session: Session
) -> None:
    published(session, "trade", definition("trade"))
    page = Visitor(client, "/forms/trade?request_type=offer&name=Ewa+N&utm_source=mail&lang=en")
    [address] = page.root.xpath("//a[@hreflang='pl']/@href")
    polish = Visitor(client, f"/forms/trade{address}")
    kept = {"request_type": "offer", "name": "Ewa N", "utm_source": "mail", "lang": "pl"}
    assert kept.items() <= polish.fields().items()


# In a browser


def keys_of(page: Page) -> list[str]:
    """The keys that this page sends from now on, one for each attempt."""
    keys: list[str] = []

    def note(text: str | None) -> None:
        keys.extend(re.findall(r'idempotency_key"\s+(\S+)', text or ""))

    page.on("request", lambda r: note(r.post_data) if r.url.endswith("/send") else None)
    return keys


@pytest.mark.browser
def test_a_copy_of_a_tab_is_another_request(page: Page, place: Place) -> None:
    page.goto(place.url("/plain"))
    fill_contact(page.locator("lmt-form form"), somebody()["email"])
    with page.expect_popup() as opened:
        # As a browser copies a tab: with what it had stored.
        page.evaluate("() => void window.open(location.href)")
    other = opened.value
    copied = other.locator("lmt-form form")
    expect(copied.locator("[name=name]")).to_have_value("Jan Kowal")
    copied.locator("[name=email]").fill(somebody()["email"])
    first, second = keys_of(page), keys_of(other)
    for each in (page, other):
        each.locator(f"lmt-form {SEND}").click()
        expect_thanks(each)
    assert (len(first), len(second)) == (1, 1)
    assert first != second


@pytest.mark.browser
def test_a_page_that_is_loaded_again_sends_the_same_request(page: Page, place: Place) -> None:
    email = somebody()["email"]
    keys = keys_of(page)
    for _time in range(2):
        page.goto(f"{place.service.url}/forms/contact-pl")
        form = page.locator("form[data-lmt-form]")
        fill_contact(form, email)
        page.reload()
        expect(form.locator("[name=email]")).to_have_value(email)
        page.locator(SEND).click()
        expect_thanks(page)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    only_lead(place, email)


@pytest.mark.browser
def test_thanks_that_break_off_are_asked_for_again(page: Page, place: Place) -> None:
    email = somebody()["email"]
    answers: list[int] = []

    def break_off(route: Route) -> None:
        answer = route.fetch()
        answers.append(answer.status)
        text = answer.text()
        route.fulfill(response=answer, body=text[:40] if len(answers) == 1 else text)

    page.route("**/embed/contact-pl/send", break_off)
    page.goto(place.url("/plain"))
    fill_contact(page.locator("lmt-form form"), email)
    page.locator(f"lmt-form {SEND}").click()
    page.locator("lmt-form .again").click()
    expect_thanks(page)
    assert answers == [200, 200]
    only_lead(place, email)


@pytest.mark.browser
def test_another_language_does_not_take_a_form_away_that_is_being_sent(
    page: Page, place: Place
) -> None:
    email = somebody()["email"]

    def switch(route: Route) -> None:
        page.locator("lmt-form").evaluate("element => element.setAttribute('lang', 'pl')")
        route.continue_()

    page.route("**/embed/contact-pl/send", switch)
    page.goto(place.url("/plain"))
    fill_contact(page.locator("lmt-form form"), email)
    page.locator(f"lmt-form {SEND}").click()
    expect_thanks(page)
    expect(page.locator("lmt-form form")).to_have_count(0)
    only_lead(place, email)


@pytest.mark.browser
def test_an_element_that_shows_another_form_begins_anew(page: Page, place: Place) -> None:
    page.goto(place.url("/plain"))
    fill_contact(page.locator("lmt-form form"), somebody()["email"])
    page.evaluate(
        """(address) => new Promise((loaded) => {
             const script = document.createElement("script");
             Object.assign(script, { src: address, onload: loaded });
             document.head.append(script);
           })""",
        f"{place.service.url}/embed/steps.js",
    )
    page.locator("lmt-form").first.evaluate("element => element.setAttribute('form', 'steps')")
    steps = page.locator("lmt-form[form=steps]").first
    steps.locator("[name=wish][value=talk]").check()
    kept = page.evaluate("Object.entries(sessionStorage)")
    drafts = {name: json.loads(text) for name, text in kept}
    assert drafts["lmt:contact-pl"]["values"]["name"] == "Jan Kowal"
    assert "request_type" not in drafts["lmt:steps"]["values"]
    assert drafts["lmt:contact-pl"]["key"] != drafts["lmt:steps"]["key"]


@pytest.mark.browser
def test_a_frame_that_is_there_first_is_heard_by_a_late_script(page: Page, place: Place) -> None:
    email = somebody()["email"]
    page.goto(place.url("/empty", query=CAMPAIGN))
    page.evaluate(
        """(src) => {
             const frame = document.createElement("iframe");
             frame.dataset.lmtForm = "";
             frame.src = src;
             document.body.append(frame);
           }""",
        f"{place.service.url}/embed/contact-pl?lang=en",
    )
    form = page.frame_locator("iframe").locator("form[data-lmt-form]")
    fill_contact(form, email)
    page.add_script_tag(url=f"{place.service.url}/embed/frame.js")
    expect(page.locator("iframe[data-lmt-told]")).to_have_count(1)
    form.locator(SEND).click()
    expect(page.frame_locator("iframe").locator("[data-lmt-thanks]")).to_be_visible(timeout=15_000)
    assert_campaign(only_lead(place, email))


def hidden_form(value: str) -> FormDefinition:
    """A form whose hidden field says `value`, unless its page says otherwise."""
    words = {"en": "Call me"}
    return FormDefinition(
        code="offers",
        title=words,
        steps=(
            StepDefinition(
                "all",
                (
                    FieldDefinition("offer", "hidden", value=value, to="request.timeframe"),
                    FieldDefinition("name", "name", words),
                    # Called as something that every object in a browser has.
                    FieldDefinition("constructor", "text", words),
                    FieldDefinition("email", "email", words),
                ),
            ),
        ),
    )


@pytest.fixture
def offers(place: Place) -> Iterator[Form]:
    with act_as(place.sessions(), SYSTEM) as session:
        source_id = session.scalars(select(Form.source_id).limit(1)).one()
        form = Form(
            code="offers", name="Offers", source_id=source_id, draft={}, origins=[place.site.url]
        )
        session.add(form)
        session.flush()
        _publish(session, form, 1, "spring")
        yield form


def _publish(session: Session, form: Form, number: int, value: str) -> None:
    data = hidden_form(value).to_json()
    form.published = FormVersion(
        form_id=form.id, number=number, definition=data, published_at=FRIDAY
    )
    session.commit()


@pytest.mark.browser
def test_what_an_older_version_said_by_itself_is_not_kept(
    browser: Browser, place: Place, offers: Form
) -> None:
    session = Session.object_session(offers)
    assert session is not None
    context = browser.new_context()
    # Another visitor's browser may keep the script for a minute; this one asks each time.
    context.route("**/embed/offers.js*", lambda route: route.continue_())
    page = context.new_page()
    page.goto(place.url("/plain", "offers"))
    page.locator("lmt-form [name=name]").fill("Jan Kowal")
    _publish(session, offers, 2, "summer")
    page.reload()
    expect(page.locator("lmt-form [name=name]")).to_have_value("Jan Kowal")
    assert page.locator("lmt-form [name=offer]").input_value() == "summer"
    assert page.locator("lmt-form [name=constructor]").input_value() == ""
    context.close()
