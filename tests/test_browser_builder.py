"""A form is built from nothing in a real Chromium, and published anew while a visitor fills it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import FormVersion, Lead, User
from tests.browsing import Site, accessibility_problems, browser, overflow, post, site
from tests.test_browser import ARTEFACTS, FILMED

__all__ = ["browser", "post", "site"]
pytestmark = pytest.mark.browser

LANGUAGES = {"en": "English", "pl": "Polish", "de": "German", "ar": "Arabic"}
TITLE = {"en": "Test drive", "pl": "Jazda próbna", "de": "Probefahrt", "ar": "تجربة قيادة"}
STEPS = (
    {"en": "Your wish", "pl": "Życzenie", "de": "Ihr Wunsch", "ar": "طلبك"},
    {"en": "Your car", "pl": "Twój samochód", "de": "Ihr Auto", "ar": "سيارتك"},
    {"en": "About you", "pl": "O Tobie", "de": "Über Sie", "ar": "عنك"},
)
LICENCE = {"en": "Licence since", "pl": "Prawo jazdy od", "de": "Führerschein seit", "ar": "الرخصة"}
COLOUR = {"en": "Which colour?", "pl": "Jaki kolor?", "de": "Welche Farbe?", "ar": "أي لون؟"}
RED = {"en": "Red", "pl": "Czerwony", "de": "Rot", "ar": "أحمر"}
PAGES = {
    "form": "build?at=form",
    "choice": "build?at=field/request_type",
    "step": "build?at=field/consent",
    "theme": "build?at=theme",
    "texts": "texts?",
}
BLUE = {"en": "Blue", "pl": "Niebieski", "de": "Blau", "ar": "أزرق"}


class Builder:
    """Headquarters' hands: mouse and keyboard on the builder's page, a picture of every stage."""

    def __init__(self, page: Page):
        self.page = page
        self.stage = 0

    def picture(self, name: str) -> None:
        self.stage += 1
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"builder-{self.stage:02}-{name}.png", full_page=True)

    def act(self, name: str, *, exact: bool = False) -> None:
        self.page.get_by_role("button", name=name, exact=exact).first.click()
        self.kept()

    def kept(self) -> None:
        """Wait until all that was pressed and typed is kept."""
        expect(self.page.locator("[data-builder]")).to_have_attribute(
            "data-state", "kept", timeout=20_000
        )

    def save(self) -> None:
        self.page.locator("#save").click()
        self.kept()

    def write(self, name: str, words: dict[str, str]) -> None:
        for language, text in words.items():
            self.page.locator(f"[id='f-{name}.{language}']").fill(text)

    def add(self, entry: str | re.Pattern[str], step: str = "") -> None:
        panel = self.page.locator("#add-field")
        if panel.get_attribute("open") is None:
            panel.locator("summary").click()
        if step:
            panel.get_by_label("To the end of").select_option(label=step)
        panel.get_by_role("button", name=entry, exact=True).first.click()
        self.kept()

    def open(self, key: str) -> None:
        if self.page.locator(f"#row-{key}").get_attribute("aria-current") is None:
            self.page.locator(f"#row-{key}").click()
            self.kept()

    def shown_when(self, field: str, value: str) -> None:
        details = self.page.locator("#more-when")
        if details.get_attribute("open") is None:
            details.locator("summary").click()
        row = details.locator("[data-when]").first
        row.get_by_label("Field").select_option(label=field)
        row.get_by_label("Value").select_option(label=value)
        self.save()

    def preview(self) -> FrameLocator:
        return self.page.frame_locator("[data-frame]")

    def publish(self, note: str) -> None:
        self.page.locator("summary", has_text="Publish").click()
        self.page.get_by_label("What changed?").fill(note)
        self.act("Publish now")


@pytest.fixture
def builder(site: Site, cast: dict[str, User]) -> Iterator[Builder]:
    page = site.page(cast["omar"])
    ARTEFACTS.mkdir(exist_ok=True)
    page.context.tracing.start(screenshots=FILMED)
    yield Builder(page)
    page.context.tracing.stop(path=ARTEFACTS / "builder-trace.zip")
    page.context.close()


def build_from_nothing(builder: Builder) -> None:
    page = builder.page
    page.goto("/hq/forms/new?lang=en")
    page.locator("[name=name]").fill("Test drive")
    page.locator("[name=code]").fill("drive")
    page.locator("[name=home]").select_option(index=1)
    page.get_by_role("radio", name=re.compile("An empty form")).check()
    page.get_by_role("button", name="Set up").click()
    page.wait_for_url("**/hq/forms/drive*")
    page.goto("/hq/forms/drive/build")
    builder.picture("nothing")
    for language, words in LANGUAGES.items():
        if language not in {"pl", "en"}:
            page.get_by_role("checkbox", name=words).check()
    page.get_by_label("Visitors with another language get").select_option("en")
    builder.save()
    builder.write("title", TITLE)
    builder.save()
    for _further in STEPS[1:]:
        builder.act("Add a step", exact=True)
    for number, title in enumerate(STEPS, 1):
        page.locator(".outline-step-row .outline-link").nth(number - 1).click()
        expect(page.locator("[data-editor] .chip").first).to_have_text("Step")
        expect(page.locator(".outline-step").nth(number - 1).locator(".is-here")).to_be_visible()
        builder.write("title", title)
        builder.save()
    wish, car, person = (title["en"] for title in STEPS)
    builder.add("What would you like?", wish)
    builder.add("City", wish)
    builder.add("Number", car)
    builder.write("label", LICENCE)
    page.get_by_label("Smallest").fill("1950")
    builder.save()
    builder.add("One of several", car)
    builder.write("label", COLOUR)
    builder.write("option.0", RED)
    builder.write("option.1", BLUE)
    builder.save()
    builder.picture("options")
    builder.add("Your name", person)
    builder.add("Phone", person)
    builder.add(re.compile("^I agree that"), person)
    # The car is asked about only where one wants to drive one.
    page.locator(".outline-step-row .outline-link").nth(1).click()
    expect(page.locator(".outline-step").nth(1).locator(".is-here")).to_be_visible()
    builder.shown_when("What would you like?", "A test drive")
    builder.picture("condition")


def answer_wish(page: Page) -> None:
    page.locator("[name=request_type]").select_option("test_drive")
    page.locator("[name=city]").fill("Warszawa")
    page.locator("[data-next]").click()


def answer_person(page: Page, name: str, phone: str) -> None:
    page.locator("[name=name]").fill(name)
    page.locator("[name=phone]").fill(phone)
    page.locator("[name=consent]").check()


def test_a_form_is_built_and_published_anew_while_a_visitor_is_midway(
    builder: Builder, site: Site, session: Session
) -> None:
    page = builder.page
    page.set_default_timeout(15_000)
    build_from_nothing(builder)
    # Moved by keys alone: the row keeps the focus, and it is said where it went.
    page.locator("#row-choice").focus()
    page.keyboard.press("Alt+ArrowUp")
    builder.kept()
    expect(page.locator("#row-choice")).to_be_focused()
    expect(page.locator("#builder-told")).to_have_text(
        "“Which colour?” is now 1 of 2 in “Your car”."
    )
    rows = page.locator(".outline-step").nth(1).locator("[data-key]")
    assert [row.get_attribute("data-key") for row in rows.all()] == ["choice", "number"]
    # And back by dragging.
    page.locator("[data-key=choice]").drag_to(
        page.locator("[data-key=number]"), target_position={"x": 40, "y": 34}
    )
    builder.kept()
    assert [row.get_attribute("data-key") for row in rows.all()] == ["number", "choice"]
    page.locator("[data-preview-languages] [data-language=ar]").click()
    expect(builder.preview().locator("html")).to_have_attribute("dir", "rtl")
    page.locator("[data-width=desktop]").click()
    builder.picture("preview-ar-desktop")
    page.locator("[data-width=phone]").click()
    page.locator("[data-preview-languages] [data-language=en]").click()
    assert not accessibility_problems(page)
    builder.publish("First")
    expect(page.locator(".builder-state")).to_contain_text("Version 1 is shown")
    builder.picture("published")

    midway = site.page(width=390)
    midway.goto("/forms/drive?lang=en")
    answer_wish(midway)
    midway.locator("[name=number]").fill("2010")
    midway.screenshot(path=ARTEFACTS / "builder-visitor-midway.png", full_page=True)

    # The colour goes, and since when one has a licence must be said.
    page.get_by_role("button", name="Remove “Which colour?”").click()
    builder.kept()
    builder.open("number")
    page.get_by_label("An answer is required").check()
    builder.save()
    builder.publish("Without the colour")
    expect(page.locator(".builder-state")).to_contain_text("Version 2 is shown")
    builder.picture("published-anew")

    midway.get_by_label("Blue").check()
    midway.locator("[data-next]").click()
    answer_person(midway, "Ada Alt", "+48 601 000 111")
    midway.locator("[data-send]").click()
    expect(midway.get_by_text("Your car")).to_be_hidden(timeout=15_000)
    midway.wait_for_function("() => !document.querySelector('form[data-lmt-form]')")
    midway.screenshot(path=ARTEFACTS / "builder-visitor-old.png", full_page=True)

    other = site.page(width=390)
    other.goto("/forms/drive?lang=de")
    answer_wish(other)
    expect(other.get_by_text("Welche Farbe?")).to_have_count(0)
    other.locator("[data-next]").click()
    expect(other.locator(".summary")).to_be_focused()
    other.locator("[name=number]").fill("2012")
    other.locator("[data-next]").click()
    answer_person(other, "Nora Neu", "+48 601 000 222")
    other.locator("[data-send]").click()
    other.wait_for_function("() => !document.querySelector('form[data-lmt-form]')")
    other.screenshot(path=ARTEFACTS / "builder-visitor-new.png", full_page=True)

    leads = session.execute(
        select(FormVersion.number, Lead.given)
        .join(Lead, Lead.form_version_id == FormVersion.id)
        .order_by(FormVersion.number)
    ).all()
    assert [(number, given["attributes"]) for number, given in leads] == [
        (1, {"number": 2010, "choice": "blue"}),
        (2, {"number": 2012}),
    ]


@pytest.mark.skipif(
    not os.environ.get("LMT_ALL_VIEWS"),
    reason="opened by test_browser_pages; unfolded, by every part, where the long tests run",
)
def test_pages_of_the_builder_fit_and_are_accessible(site: Site, cast: dict[str, User]) -> None:
    problems: list[str] = []
    for width, language, scheme in ((390, "ar", "dark"), (1440, "en", "light")):
        page = site.page(cast["hana"], width=width, color_scheme=scheme)
        for name, address in PAGES.items():
            page.goto(f"/hq/forms/contact-pl/{address}&lang={language}")
            page.wait_for_load_state("networkidle")
            if wide := overflow(page):
                problems.append(f"{address} at {width}: {wide} px too wide")
            problems += accessibility_problems(page)
            picture(page, f"builder-{name}-{language}-{width}")
        page.context.close()
    assert not problems, "\n".join(problems)


def picture(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=Path(ARTEFACTS) / f"{name}.png", full_page=True)
