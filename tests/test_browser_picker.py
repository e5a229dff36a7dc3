"""Picking a dealer in a real Chromium: by keyboard, where one is, on a map, without scripts."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt import embedded
from lmt.db import SessionFactory, engine_for, sessions_for
from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.fields import FieldDefinition
from lmt.models import (
    Competence,
    Dealer,
    DealerTerms,
    Form,
    FormVersion,
    Lead,
    Place,
    PlaceName,
    Source,
)
from lmt.models.validity import since
from lmt.routing.names import index_keys
from lmt.scope import SYSTEM, act_as
from tests.conftest import Template
from tests.formsite import BrandSite, brand_site
from tests.services import Web, web_alone
from tests.test_browser import accessibility_problems, browser, page_of
from tests.world import FRIDAY, World

__all__ = ["browser"]
pytestmark = pytest.mark.browser

OPENS_ON = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def gulf_form() -> FormDefinition:
    """Two questions and the picker, in Arabic and English."""
    return FormDefinition(
        code="drive-gulf",
        title={"en": "Test drive", "ar": "تجربة قيادة"},
        languages=("ar", "en"),
        default_language="ar",
        brand="aurel",
        steps=(
            StepDefinition(
                "all",
                (
                    FieldDefinition(
                        "dealer", "dealer", {"en": "Your dealer", "ar": "وكيلك"}, required=True
                    ),
                    FieldDefinition("name", "name", {"en": "Name", "ar": "الاسم"}, required=True),
                    FieldDefinition("phone", "phone", {"en": "Phone", "ar": "الهاتف"}),
                ),
            ),
        ),
    )


@dataclass(frozen=True)
class Picker:
    """Our service with a picker's form, a brand's site around it, and the database behind."""

    service: Web
    site: BrandSite
    sessions: SessionFactory

    def preferred(self, phone: str) -> list[str]:
        """The dealers that the leads of this phone number asked for."""
        with act_as(self.sessions(), SYSTEM) as session:
            wanted = select(Lead).where(Lead.given["customer"]["phone"].astext == phone)
            return [lead.preferred_dealer for lead in session.scalars(wanted)]


@pytest.fixture(scope="module")
def picker(
    server: embedded.EmbeddedServer, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Picker]:
    name = f"picker_{uuid.uuid4().hex}"
    url = embedded.create_database(server, name, template=template.name)
    engine = engine_for(url, pool_size=3)
    sessions = sessions_for(engine)
    with brand_site() as site:
        with act_as(sessions(), SYSTEM) as session:
            gulf(session, template.world, site.url)
            session.commit()
        with web_alone(url, tmp_path_factory.mktemp("picker") / "instance") as service:
            site.forms = service.url
            yield Picker(service, site, sessions)
    engine.dispose()
    embedded.drop_database(server, name)


def gulf(session: Session, world: World, origin: str) -> None:
    """A form of the Gulf with a picker. Of Riyadh's two dealers the first opens in two days,
    whenever that is, the other never closes; Al Kharj has a namesake near Dubai."""
    source = Source(
        code="form-gulf", kind="form", name="Form", market_id=world.markets["GULF"],
        brand_id=world.brand_id, country="", language="ar",
    )  # fmt: skip
    session.add(source)
    session.flush()
    definition = gulf_form().to_json()
    form = Form(code="drive-gulf", source_id=source.id, draft=definition, origins=[origin])
    session.add(form)
    session.flush()
    form.published = FormVersion(
        form_id=form.id, number=1, definition=definition, published_at=FRIDAY
    )
    wadi = Dealer(code="SA-RUH-2", market_id=world.markets["GULF"], kind="showroom")
    session.add(wadi)
    session.flush()
    session.add(
        DealerTerms(
            dealer_id=wadi.id, name="Aurel Wadi", email="wadi@dealers.example", language="ar",
            city="Riyadh", country="SA", lat=24.60, lon=46.75, timezone="Asia/Riyadh",
            hours="24/7", valid=since(None),
        )
    )  # fmt: skip
    sales = {"brand_id": world.brand_id, "service": "sales", "valid": since(None)}
    session.add(Competence(dealer_id=wadi.id, **sales))
    in_two_days = OPENS_ON[(datetime.now(UTC) + timedelta(days=2)).weekday()]
    terms = update(DealerTerms).where(DealerTerms.dealer_id == world.dealers["SA-RUH-1"])
    session.execute(terms.values(hours=f"{in_two_days} 09:00-18:00"))
    for id, country, admin1, lat, lon in [
        (1, "SA", "10", 24.15, 47.31),
        (2, "AE", "03", 25.1, 55.9),
    ]:
        session.add(
            Place(id=id, name="Al Kharj", country=country, admin1=admin1, population=9_000 // id,
                  lat=lat, lon=lon, timezone="Asia/Riyadh")
        )  # fmt: skip
        session.flush()
        keys = sorted(index_keys("Al Kharj"))
        session.add_all(PlaceName(place_id=id, key=key, country=country) for key in keys)


def test_by_keyboard_in_arabic_to_a_lead_for_the_dealer_picked(
    browser: Browser, picker: Picker
) -> None:
    page = page_of(browser, picker.service, width=390)
    page.goto("/forms/drive-gulf?lang=ar")
    page.locator("#dealer-place").focus()
    page.keyboard.type("الرياض")
    page.keyboard.press("Enter")
    first = page.locator(".lmt-dealer").first
    expect(first.locator("label")).to_contain_text("Aurel Olaya")
    expect(page.locator("[data-found-status]")).not_to_be_empty()
    assert accessibility_problems(page) == []
    while page.evaluate("document.activeElement.type") != "radio":
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(first.locator("input")).to_be_checked()
    page.locator("#name").fill("نورة")
    page.locator("#phone").fill("+966 50 123 4567")
    page.locator("[data-send]").click()
    expect(page.locator("form[data-lmt-form]")).to_have_count(0)
    assert picker.preferred("+966 50 123 4567") == ["SA-RUH-1"]


def test_open_now_or_when_it_opens_and_the_map_picks_as_the_list_does(
    browser: Browser, picker: Picker
) -> None:
    page = page_of(
        browser,
        picker.service,
        geolocation={"latitude": 24.70, "longitude": 46.70},
        permissions=["geolocation"],
    )
    page.goto("/forms/drive-gulf?lang=en")
    page.get_by_role("button", name="Use my location").click()
    rows = page.locator(".lmt-dealer")
    expect(rows.nth(0)).to_contain_text("Opens ")
    expect(rows.nth(0)).to_contain_text("9:00")
    expect(rows.nth(1)).to_contain_text("Open now")
    expect(page.locator("#dealer-place")).to_have_value("Riyadh")
    toggle = page.get_by_role("button", name="Show on a map")
    toggle.click()
    picture = page.get_by_role("img", name="Map of the dealers")
    expect(picture).to_be_visible()
    expect(picture.locator(".scale")).to_contain_text("km")
    picture.locator(".marker", has_text="2").click()
    expect(rows.nth(1).locator("input")).to_be_checked()
    assert accessibility_problems(page) == []
    page.locator("#dealer-place").fill("Nowhereville")
    page.locator("#dealer-place").press("Enter")
    expect(page.locator("#dealer-place-error")).to_contain_text("Nowhereville")
    expect(page.locator("#dealer-place")).to_be_focused()


def test_on_a_strict_page_of_the_brand_the_other_place_can_be_chosen(
    browser: Browser, picker: Picker
) -> None:
    page = page_of(browser, picker.service)
    page.goto(f"{picker.site.url}/script?form=drive-gulf&lang=en")
    page.locator("#dealer-place").press_sequentially("Al Kharj")
    rows = page.locator(".lmt-dealer")
    expect(rows.first).to_contain_text("Aurel Wadi")
    page.get_by_role("button", name="Al Kharj, Dubai").click()
    expect(rows.first).to_contain_text("Aurel Deira")


def test_without_scripts_the_page_comes_again_with_the_list(
    browser: Browser, picker: Picker
) -> None:
    page = page_of(browser, picker.service, java_script_enabled=False)
    page.goto("/forms/drive-gulf?lang=en")
    page.locator("#name").fill("Noura")
    page.locator("#dealer-place").fill("Riyadh")
    page.get_by_role("button", name="Find dealers").click()
    expect(page.locator("#name")).to_have_value("Noura")
    expect(page.locator(".summary")).to_be_hidden()
    page.get_by_label("Aurel Olaya").check()
    page.locator("#phone").fill("+966 50 765 4321")
    deadline = time.monotonic() + 10
    # Quicker than people are, it is shown again.
    while page.locator("[data-send]").count() and time.monotonic() < deadline:
        with page.expect_navigation():
            page.locator("[data-send]").click()
    assert picker.preferred("+966 50 765 4321") == ["SA-RUH-1"]
