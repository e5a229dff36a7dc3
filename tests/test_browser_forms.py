"""Forms on a brand's pages in a real Chromium: hostile ones, lost connections, impatient hands."""

from __future__ import annotations

import gzip
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from sqlalchemy import select

from lmt import embedded
from lmt.db import SessionFactory, engine_for, sessions_for
from lmt.forms.conditions import Test as Asked
from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.fields import FieldDefinition, OptionDefinition
from lmt.models import Form, FormVersion, Lead
from lmt.scope import SYSTEM, act_as
from tests.conftest import Template
from tests.formsite import BrandSite, brand_site
from tests.services import Web, web_alone
from tests.test_browser import ARTEFACTS, accessibility_problems, browser, overflow
from tests.world import FRIDAY, somebody

__all__ = ["browser"]
pytestmark = pytest.mark.browser

WIDTHS = (320, 390, 1440)
MOST_BYTES = 20 * 1024
CAMPAIGN = "utm_source=spring&utm_campaign=mira&gclid=abc123"
SEND = "[data-send]"


@dataclass(frozen=True)
class Place:
    """Our service and a brand's site, on two origins, with one database behind them."""

    service: Web
    site: BrandSite
    sessions: SessionFactory

    def url(self, path: str, form: str = "contact-pl", query: str = "") -> str:
        return f"{self.site.url}{path}?form={form}&{query}"

    def leads(self, email: str) -> list[Lead]:
        with act_as(self.sessions(), SYSTEM) as session:
            wanted = select(Lead).where(Lead.given["customer"]["email"].astext == email)
            return list(session.scalars(wanted))


def steps_form() -> FormDefinition:
    """Three steps, of which one is asked of those who would drive, and an address by country."""
    words = {"en": "English", "pl": "Polski", "ar": "العربية"}

    def named(text: str) -> dict[str, str]:
        return {language: f"{text} ({word})" for language, word in words.items()}

    drive = Asked("wish", "is", ("drive",))
    return FormDefinition(
        code="steps",
        title=named("Visit us"),
        languages=("en", "pl", "ar"),
        steps=(
            StepDefinition(
                "first",
                (
                    FieldDefinition(
                        "wish", "choice", named("Your wish"), required=True,
                        options=(
                            OptionDefinition("drive", named("A test drive")),
                            OptionDefinition("talk", named("To talk")),
                        ),
                    ),
                    FieldDefinition("seats", "number", named("Seats"), least=2, most=9),
                ),
                named("Wish"),
            ),
            StepDefinition(
                "drive",
                (FieldDefinition("when", "date", named("Day"), required=True, least=1),),
                named("Drive"),
                shown_when=drive,
            ),
            StepDefinition(
                "you",
                (
                    FieldDefinition("name", "name", named("Name"), required=True),
                    FieldDefinition("email", "email", named("Mail"), required=True, max_length=254),
                    FieldDefinition(
                        "home", "address", named("Address"), required=True, countries=("PL", "AE")
                    ),
                    FieldDefinition("consent", "consent", named("I agree"), required=True),
                ),
                named("You"),
            ),
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def place(
    server: embedded.EmbeddedServer, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    name = f"forms_{uuid.uuid4().hex}"
    url = embedded.create_database(server, name, template=template.name)
    engine = engine_for(url, pool_size=5)
    with brand_site() as site:
        sessions = sessions_for(engine)
        _publish(sessions, site)
        with web_alone(url, tmp_path_factory.mktemp("forms") / "instance") as service:
            site.forms = service.url
            yield Place(service, site, sessions)
    engine.dispose()
    embedded.drop_database(server, name)


def _publish(sessions: SessionFactory, site: BrandSite) -> None:
    """The forms of these tests, open to the brand's site."""
    with act_as(sessions(), SYSTEM) as session:
        contact = session.scalars(select(Form).where(Form.code == "contact-pl")).one()
        contact.origins = [site.url]
        definition = steps_form().to_json()
        row = Form(
            code="steps", name="Steps", source_id=contact.source_id, draft=definition,
            origins=[site.url],
        )  # fmt: skip
        session.add(row)
        session.flush()
        row.published = FormVersion(
            form_id=row.id, number=1, definition=definition, published_at=FRIDAY
        )
        session.commit()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 900}, locale="en-GB")
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def fill_contact(form: Locator, email: str) -> None:
    form.locator("[name=request_type]").select_option("test_drive")
    form.locator("[name=name]").fill("Jan Kowal")
    form.locator("[name=email]").fill(email)
    form.locator("[name=city]").fill("Warszawa")
    form.locator("[name=consent]").check()


def expect_thanks(where: Page | Locator) -> None:
    expect(where.locator("[data-lmt-thanks]")).to_be_visible(timeout=15_000)


def only_lead(place: Place, email: str) -> Lead:
    found = place.leads(email)
    assert len(found) == 1, [lead.reference for lead in found]
    return found[0]


MEASURE = """(root) => [...root.querySelectorAll("input,select,textarea,button,label")]
  .filter((each) => each.getBoundingClientRect().width > 2)
  .map((each) => {
    const style = getComputedStyle(each), box = each.getBoundingClientRect();
    return [each.name || each.htmlFor || each.type, style.fontSize, style.fontWeight,
      style.lineHeight, style.letterSpacing, style.textTransform, style.padding,
      style.borderTopWidth, style.color, style.backgroundColor,
      Math.round(box.width), Math.round(box.height)].join(" | ");
  })"""


def measured(form: Locator) -> list[str]:
    return form.evaluate(MEASURE)


def inner_width(form: Locator) -> float:
    return float(form.evaluate("(form) => form.getBoundingClientRect().width"))


@pytest.mark.parametrize("language", ["pl", "ar"])
def test_hostile_pages_neither_break_a_form_nor_change_its_sizes(
    browser: Browser, place: Place, language: str
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    context.set_default_timeout(10_000)
    complaints: list[str] = []
    for width in WIDTHS:
        page = context.new_page()
        page.on("console", lambda said: complaints.append(f"{said.location['url']} {said.text}"))
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{place.service.url}/forms/contact-pl?lang={language}")
        hosted = page.locator("form[data-lmt-form]")
        expected, form_width = measured(hosted), inner_width(hosted)
        page.screenshot(path=ARTEFACTS / f"form-hosted-{language}-{width}.png", full_page=True)
        assert len(expected) > 10

        for kind, host in (("script", "lmt-form"), ("frame", "iframe")):
            page.goto(place.url(f"/{kind}", query=f"lang={language}"))
            around = page.frame_locator("iframe") if kind == "frame" else page.locator(host)
            form = around.locator("form[data-lmt-form]")
            expect(form.locator(SEND)).to_be_visible()
            assert form.evaluate("(form) => getComputedStyle(form).direction") == (
                "rtl" if language == "ar" else "ltr"
            )
            assert overflow(page) <= 0, (kind, width)
            page.screenshot(path=ARTEFACTS / f"form-{kind}-{language}-{width}.png", full_page=True)
            # As wide as the page of its own, so that lines break alike.
            page.locator(host).evaluate(
                "(host, more) => host.parentElement.style.setProperty('inline-size',"
                " `${host.getBoundingClientRect().width + more}px`, 'important')",
                form_width - inner_width(form),
            )
            assert measured(form) == expected, (kind, width)
        page.close()
    context.close()
    # Of the favicon that these pages don't have, browsers complain by themselves.
    assert [text for text in complaints if "favicon" not in text] == []


def test_a_frame_is_as_high_as_its_form(page: Page, place: Place) -> None:
    page.goto(place.url("/frame"))
    form = page.frame_locator("iframe").locator("form[data-lmt-form]")
    expect(form.locator(SEND)).to_be_visible()
    frame = page.locator("iframe")

    def gap() -> float:
        inside = page.frame_locator("iframe").locator("html").evaluate("(e) => e.offsetHeight")
        return abs(float(frame.evaluate("(e) => e.clientHeight")) - float(inside))

    _soon(lambda: gap() <= 1)
    before = float(frame.evaluate("(e) => e.clientHeight"))
    form.locator(SEND).click()
    expect(form.locator(".summary")).to_be_visible()
    _soon(lambda: gap() <= 1 and float(frame.evaluate("(e) => e.clientHeight")) > before)


def _soon(holds: Any) -> None:
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until, "it never came true"


def test_mistakes_are_told_in_a_summary_that_leads_to_them(page: Page, place: Place) -> None:
    page.goto(place.url("/plain"))
    form = page.locator("lmt-form form")
    form.locator(SEND).click()
    summary = form.locator(".summary")
    expect(summary).to_be_focused()
    assert accessibility_problems(page) == []

    summary.locator("a[href='#name']").click()
    name = form.locator("[name=name]")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    assert "name-error" in (name.get_attribute("aria-describedby") or "")
    expect(form.locator("#name-error")).to_be_visible()
    name.fill("Jan Kowal")
    name.press("Tab")
    expect(form.locator("#name-error")).to_be_hidden()
    expect(summary.locator("a[href='#name']")).to_have_count(0)
    expect(summary.locator("a[href='#city']")).to_have_count(1)

    page.goto(f"{place.service.url}/forms/contact-pl")
    page.locator(SEND).click()
    expect(page.locator(".summary")).to_be_focused()
    assert accessibility_problems(page) == []


def test_a_click_is_not_lost_when_a_mistake_is_mended(page: Page, place: Place) -> None:
    email = somebody()["email"]
    page.goto(place.url("/plain"))
    form = page.locator("lmt-form form")
    form.locator(SEND).click()
    expect(form.locator(".summary")).to_be_focused()
    fill_contact(form, email)
    form.locator("[name=name]").fill("")
    form.locator("[name=city]").focus()
    form.locator("[name=name]").fill("Jan Kowal")
    form.locator(SEND).scroll_into_view_if_needed()
    button = form.locator(SEND).bounding_box()
    assert button is not None
    # The words of the mistake go away as the field is left, and everything below them moves.
    page.mouse.click(button["x"] + 20, button["y"] + 4, delay=50)
    expect_thanks(page)
    assert only_lead(place, email).full_name == "Jan Kowal"


FOCUSED = """() => {
  let at = document.activeElement;
  while (at && at.shadowRoot) at = at.shadowRoot.activeElement;
  if (!at) return "";
  if (at.matches("[data-next]")) return "next";
  if (at.matches("[data-back]")) return "back";
  return at.matches("[data-send]") ? "send" : at.name || at.tagName;
}"""


def tab_to(page: Page, name: str) -> None:
    for _press in range(30):
        if page.evaluate(FOCUSED) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} can't be reached by Tab")


def test_three_steps_are_walked_by_keyboard_alone(page: Page, place: Place) -> None:
    email = somebody()["email"]
    heard = "lmt:ready lmt:step lmt:sent"
    page.goto(place.url("/plain", "steps"))
    page.evaluate(
        "(names) => { window.heard = []; for (const name of names.split(' '))"
        " addEventListener(name, (e) => heard.push([name, e.detail])); }",
        heard,
    )
    form = page.locator("lmt-form form")
    expect(form.locator("[data-progress]")).to_contain_text("1 of 2")
    tab_to(page, "wish")
    page.keyboard.press("Space")
    expect(form.locator("[data-progress]")).to_contain_text("1 of 3")
    tab_to(page, "seats")
    page.keyboard.type("٤")
    page.keyboard.press("Enter")
    expect(form.locator("section[data-step=drive] h2")).to_be_focused()

    tab_to(page, "next")
    page.keyboard.press("Enter")
    expect(form.locator(".summary")).to_be_focused()
    form.locator("[name=when]").fill("2031-05-04")
    tab_to(page, "back")
    page.keyboard.press("Enter")
    expect(form.locator("section[data-step=first] h2")).to_be_focused()
    expect(form.locator("[name=seats]")).to_have_value("٤")
    tab_to(page, "next")
    page.keyboard.press("Enter")
    expect(form.locator("[name=when]")).to_have_value("2031-05-04")
    tab_to(page, "next")
    page.keyboard.press("Enter")

    tab_to(page, "name")
    page.keyboard.type("Jan Kowal")
    tab_to(page, "email")
    page.keyboard.type(email)
    form.locator("[name=home-country]").select_option("AE")
    expect(form.locator("[name=home-postcode]")).to_be_hidden()
    tab_to(page, "home-region")
    page.keyboard.type("Dub")
    tab_to(page, "consent")
    page.keyboard.press("Space")
    tab_to(page, "send")
    page.keyboard.press("Enter")
    expect_thanks(page)
    expect(page.locator("lmt-form [data-lmt-thanks] .title")).to_be_focused()
    assert accessibility_problems(page) == []

    lead = only_lead(place, email)
    assert lead.given["attributes"] == {"wish": "drive", "seats": 4, "when": "2031-05-04"}
    assert lead.given["address"]["region"] == "Dubai"
    told = page.evaluate("heard")
    assert [name for name, _ in told] == ["lmt:step"] * 4 + ["lmt:sent"]
    assert told[-1][1] == {"form": "steps", "reference": lead.reference}


def test_the_script_is_small_and_all_that_is_asked_for(page: Page, place: Place) -> None:
    answer = httpx.get(
        f"{place.service.url}/embed/contact-pl.js?lang=en",
        headers={"Accept-Encoding": "gzip"}, trust_env=False,
    )  # fmt: skip
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(gzip.compress(answer.content, 6)) < MOST_BYTES

    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.method == "GET" else None)
    page.goto(place.url("/plain"))
    expect(page.locator(f"lmt-form {SEND}")).to_be_visible()
    assert [url.split("?")[0] for url in asked[1:]] == [f"{place.service.url}/embed/contact-pl.js"]


def test_scripts_twice_and_no_element_are_no_trouble(page: Page, place: Place) -> None:
    failed: list[str] = []
    page.on("pageerror", lambda problem: failed.append(str(problem)))
    page.goto(place.url("/twice"))
    expect(page.locator(f"lmt-form {SEND}")).to_have_count(2)
    page.goto(place.url("/bare"))
    expect(page.locator(f"main > lmt-form {SEND}")).to_have_count(1)
    page.evaluate("document.querySelector('lmt-form').lang = 'ar'")
    expect(page.locator("lmt-form .lmt-form")).to_have_attribute("dir", "rtl")
    assert failed == []


def test_a_page_fills_in_and_what_was_typed_survives_a_reload(page: Page, place: Place) -> None:
    given = "lmt_city=Krak%C3%B3w&lmt_consent=yes&lmt_model=aurel/mira"
    page.goto(place.url("/plain", query=given))
    form = page.locator("lmt-form form")
    expect(form.locator("[name=city]")).to_have_value("Kraków")
    expect(form.locator("[name=model]")).to_have_value("aurel/mira")
    expect(form.locator("[name=consent]")).not_to_be_checked()
    page.evaluate("document.querySelector('lmt-form').prefill({comments: 'Cześć'})")
    expect(form.locator("[name=comments]")).to_have_value("Cześć")
    form.locator("[name=name]").fill("Jan Kowal")
    form.locator("[name=city]").fill("Łódź")
    page.reload()
    expect(form.locator("[name=name]")).to_have_value("Jan Kowal")
    expect(form.locator("[name=city]")).to_have_value("Łódź")


def test_a_visitor_without_scripts_sends_one_lead(browser: Browser, place: Place) -> None:
    email = somebody()["email"]
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900})
    page = context.new_page()
    sent: list[tuple[str, str]] = []
    page.on(
        "request",
        lambda asked: sent.append((asked.url, asked.post_data or "")) if asked.post_data else None,
    )
    page.goto(f"{place.service.url}/forms/contact-pl?lang=en&{CAMPAIGN}")
    fill_contact(page.locator("form"), email)
    # A first answer within two seconds is shown again, its answers kept.
    until = time.monotonic() + 20
    while not page.locator("[data-lmt-thanks]").count():
        assert time.monotonic() < until
        with page.expect_navigation():
            page.locator(SEND).click()
    context.close()
    # Going back and sending again: the browser sends what it has sent.
    url, body = sent[-1]
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    again = httpx.post(url, content=body, headers=form_type, trust_env=False, timeout=20)
    assert again.status_code == 303, again.text
    assert_campaign(only_lead(place, email))


def assert_campaign(lead: Lead) -> None:
    campaign = lead.given["campaign"]
    assert campaign["utm_source"] == "spring"
    assert campaign["utm_campaign"] == "mira"
    assert campaign["gclid"] == "abc123"


def test_a_connection_that_drops_is_tried_again_as_the_same_lead(page: Page, place: Place) -> None:
    email = somebody()["email"]
    sent: list[str] = []

    def lose_the_answer(route: Route) -> None:
        sent.append(route.request.post_data or "")
        if len(sent) == 1:
            route.fetch()
        route.abort("connectionreset")

    page.route("**/embed/contact-pl/send", lose_the_answer)
    page.goto(place.url("/plain", query=CAMPAIGN))
    form = page.locator("lmt-form form")
    fill_contact(form, email)
    form.locator(SEND).click()
    again = form.locator(".again")
    expect(again).to_be_visible(timeout=10_000)
    expect(form.locator("[data-status]")).to_contain_text("We will try again.")
    again.click()
    expect(again).to_be_visible(timeout=10_000)
    page.unroute("**/embed/contact-pl/send")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_thanks(page)
    assert len(sent) >= 2
    assert len({re.findall(r'idempotency_key"\s+(\S+)', text)[0] for text in sent}) == 1
    assert_campaign(only_lead(place, email))
    assert page.evaluate("Object.values(sessionStorage).join()").count(email) == 0


def test_impatient_hands_send_one_lead(page: Page, place: Place) -> None:
    email = somebody()["email"]
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.url.endswith("/send") else None)
    page.goto(place.url("/plain", query=CAMPAIGN))
    form = page.locator("lmt-form form")
    fill_contact(form, email)
    form.locator("[name=city]").press("Enter")
    form.locator("[name=city]").press("Enter")
    form.locator(SEND).dblclick(force=True)
    expect_thanks(page)
    assert len(sent) == 1
    assert_campaign(only_lead(place, email))


def test_going_back_and_sending_again_is_the_same_lead(page: Page, place: Place) -> None:
    email = somebody()["email"]
    page.goto(place.url("/plain", query=CAMPAIGN))
    for _time in range(2):
        fill_contact(page.locator("lmt-form form"), email)
        page.locator(f"lmt-form {SEND}").click()
        expect_thanks(page)
        page.goto(f"{place.site.url}/empty")
        page.go_back()
        page.reload()
    assert_campaign(only_lead(place, email))


@pytest.mark.parametrize("kind", ["plain", "frame"])
def test_how_a_visitor_came_is_remembered_from_page_to_page(
    page: Page, place: Place, kind: str
) -> None:
    email = somebody()["email"]
    page.goto(place.url("/offer", query=CAMPAIGN), referer="https://news.example/cars?for=jan")
    page.get_by_role("link", name="Mira").click()
    if kind == "frame":
        page.goto(place.url("/frame"))
    around = page.frame_locator("iframe") if kind == "frame" else page.locator("lmt-form")
    fill_contact(around.locator("form[data-lmt-form]"), email)
    around.locator(SEND).click()
    expect(around.locator("[data-lmt-thanks]")).to_be_visible(timeout=15_000)
    lead = only_lead(place, email)
    assert_campaign(lead)
    assert lead.given["campaign"]["landing_page"] == f"{place.site.url}/offer"
    assert lead.given["campaign"]["referrer"] == "https://news.example/cars"
