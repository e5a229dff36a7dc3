"""A policy is drafted, replayed, published and rolled back in a real Chromium, on the demo."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from lmt import clock, embedded
from lmt.config import from_environment
from lmt.db import engine_for, sessions_for
from lmt.demo import DemoFacts, fill
from lmt.demo.markets import MARKET_OF
from lmt.models import Lead, RoutingDecision, RoutingPolicy
from lmt.routing.gazetteer_load import load_places
from lmt.schema import upgrade
from lmt.scope import SYSTEM, act_as
from tests.services import Service, running
from tests.test_browser import (
    ARTEFACTS,
    accessibility_problems,
    browser,
    overflow,
    page_of,
)

__all__ = ["browser"]
pytestmark = pytest.mark.browser

LEADS = 400
DESERT = {"country": "SA", "lat": 24.20, "lon": 46.00}
"""Some 80 km from Riyadh: inside the demo's radius, outside of the draft's."""


@dataclass(frozen=True)
class Demo:
    service: Service
    facts: DemoFacts
    url: str

    def password(self, email: str) -> str:
        return next(a.password for a in self.facts.accounts if a.email == email)


@pytest.fixture(scope="module")
def demo(
    server: embedded.EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    name = f"demo_{uuid.uuid4().hex}"
    url = embedded.create_database(server, name)
    instance = tmp_path_factory.mktemp("policies") / "instance"
    settings = from_environment({"LMT_INSTANCE": str(instance), "DATABASE_URL": url})
    engine = engine_for(url)
    upgrade(engine)
    sessions = sessions_for(engine)
    with act_as(sessions(), SYSTEM) as session:
        load_places(session, MARKET_OF.keys())
        session.commit()
    facts = fill(sessions, settings, at=clock.now(), leads=LEADS)
    engine.dispose()
    with running(url, instance) as service:
        yield Demo(service, facts, url)
    embedded.drop_database(server, name)


def enter(page: Page, demo: Demo, email: str) -> None:
    page.goto("/login")
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(demo.password(email))
    page.locator("form button[type=submit], form input[type=submit]").last.click()
    page.wait_for_url(lambda url: "/login" not in url)


def send(demo: Demo, chosen: str = "") -> tuple[str, str, int]:
    """The id of a new lead from the desert, its dealer's code, and the version that decided."""
    key = next(s.key for s in demo.facts.sources if s.kind == "api" and s.market == "GULF")
    who = uuid.uuid4().hex[:8]
    answer = httpx.post(
        f"{demo.service.url}/api/v1/leads",
        json={
            "customer": {"full_name": f"Visitor {who}", "email": f"{who}@mail.example"},
            "address": DESERT,
            "request": {"type": "test_drive", "brand": "Aurel", "preferred_dealer": chosen},
        },
        headers={"Authorization": f"Bearer {key}", "Prefer": "wait=20"},
        trust_env=False,
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    engine = engine_for(demo.url)
    with act_as(sessions_for(engine)(), SYSTEM) as session:
        version = session.scalars(
            select(RoutingPolicy.version)
            .join(RoutingDecision, RoutingDecision.policy_id == RoutingPolicy.id)
            .join(Lead, Lead.id == RoutingDecision.lead_id)
            .where(Lead.id == uuid.UUID(told["id"]))
            .order_by(RoutingDecision.at.desc())
        ).first()
    engine.dispose()
    assert version is not None
    return told["id"], told["dealer"]["code"], version


def test_headquarters_drafts_replays_publishes_and_rolls_back(browser: Browser, demo: Demo) -> None:
    _lead, dealer_before, version = send(demo)
    assert version == 1
    assert dealer_before.startswith("SA-")

    page = page_of(browser, demo.service)
    enter(page, demo, "headquarters.gulf@lmt.example")
    page.goto("/hq/?lang=en")
    page.locator("nav summary", has_text="Network").click()
    page.get_by_role("link", name="Policies").click()
    page.get_by_role("link", name="Gulf").click()
    page.goto("/hq/policies/GULF?lang=en")
    page.get_by_label("New draft").fill("Only close dealers")
    page.get_by_role("button", name="Start a draft").click()

    # What contradicts itself is told beside its field, and nothing is lost.
    page.get_by_label("Radius", exact=True).fill("10")
    page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_role("alert")).to_contain_text("The draft was not saved.")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("alert").get_by_role("link").first.click()
    expect(page.get_by_label("Radius", exact=True)).to_have_value("10")
    for band in ("hot", "warm", "cold"):
        page.locator(f"[name='open_bonus_km.{band}']").fill("0")
    page.get_by_label("Wider rings").fill("")
    page.get_by_label("Fallback", exact=True).select_option("GULF-CARE")
    page.get_by_role("button", name="Save and replay").click()

    page.locator("main").get_by_role("button", name="Replay").click()
    expect(page.get_by_role("heading", name="Gains and losses")).to_be_visible(timeout=60_000)
    expect(page.locator(".lmt-map-view .lmt-mark").first).to_be_visible()
    expect(page.locator(".lmt-map-view path.lmt-map-land").first).to_be_attached()
    moved = page.locator(".moved").inner_text()
    assert int(re.sub(r"\D", "", moved.split(" of ")[0])) > 0, moved
    table = page.locator("table.sortable")
    assert table.locator("tbody tr").count() > 3
    table.get_by_role("link", name="Before").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text(re.compile("Before"))
    counts = [int(cell) for cell in table.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").first.click()
    assert "code,name,before,after" in Path(download.value.path()).read_text(encoding="utf-8-sig")

    page.get_by_label("Why", exact=True).fill("Nobody drives that far")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2 holds now.")).to_be_visible()
    lead_id, dealer, version = send(demo)
    assert (dealer, version) == ("GULF-CARE", 2)
    page.goto(f"/hq/leads/{lead_id}")
    expect(page.locator("main")).to_contain_text("Version 2")
    expect(page.locator("main")).to_contain_text("The market's fallback team")
    expect(page.locator("#decision-map .lmt-mark").first).to_be_visible()

    page.goto("/hq/policies/GULF")
    page.get_by_text("Roll back to this").click()
    page.get_by_label("Why", exact=True).fill("Too many unanswered")
    page.get_by_role("button", name="Roll back", exact=True).click()
    expect(page.get_by_role("heading", name="In force: version 3")).to_be_visible()
    _lead, dealer, version = send(demo)
    assert version == 3
    assert dealer.startswith("SA-")
    page.context.close()


def chosen_by_a_customer(demo: Demo) -> tuple[str, str]:
    """The id of a lead that a dealer with an account has, and that dealer's code."""
    agents = [a for a in demo.facts.accounts if a.role == "agent" and a.dealer.startswith("SA-")]
    for agent in agents:
        lead_id, dealer, _version = send(demo, chosen=agent.dealer)
        if dealer == agent.dealer:
            return lead_id, dealer
    raise AssertionError(f"none of {[a.dealer for a in agents]} takes a lead")


@pytest.mark.skipif(
    not os.environ.get("LMT_ALL_VIEWS"),
    reason="opened by test_browser_pages; full of a demo's data where the long tests run",
)
@pytest.mark.parametrize(("width", "language"), [(390, "ar"), (1440, "en")])
def test_pages_of_policies_fit_and_are_accessible(
    browser: Browser, demo: Demo, width: int, language: str
) -> None:
    lead_id, dealer = chosen_by_a_customer(demo)
    ARTEFACTS.mkdir(exist_ok=True)
    problems: list[str] = []

    def look(page: Page, address: str, name: str) -> None:
        page.goto(f"{address}?lang={language}")
        page.wait_for_load_state("networkidle")
        if wide := overflow(page):
            problems.append(f"{address} at {width}: {wide} px too wide")
        problems.extend(accessibility_problems(page))
        page.screenshot(path=ARTEFACTS / f"{name}-{language}-{width}.png", full_page=True)

    page = page_of(browser, demo.service, width=width)
    enter(page, demo, "headquarters.gulf@lmt.example")
    page.goto("/hq/policies/GULF?lang=en")
    page.get_by_role("button", name="Start a draft").click()
    draft = page.url.removeprefix(demo.service.url)
    page.locator("[name='tolerance_km']").fill("40")
    page.get_by_role("button", name="Add a case").click()
    page.get_by_role("button", name="Save and replay").click()
    expect(page.get_by_role("alert")).to_contain_text("Give the case a name.")
    problems.extend(accessibility_problems(page))
    page.get_by_role("button", name="Remove the case").click()
    page.get_by_role("button", name="Save and replay").click()
    page.locator("main").get_by_role("button", name="Replay").click()
    expect(page.get_by_role("heading", name="Gains and losses")).to_be_visible(timeout=60_000)
    replayed = page.url.removeprefix(demo.service.url)
    for address, name in (
        ("/hq/policies", "policies"),
        ("/hq/policies/GULF", "policy"),
        (draft, "draft"),
        (f"{draft}/replay", "replay"),
        (replayed, "replayed"),
        ("/hq/contests", "contests"),
        (f"/hq/leads/{lead_id}", "lead-map"),
    ):
        look(page, address, f"policies-{name}")
    page.context.close()
    desk = page_of(browser, demo.service, width=width, color_scheme="dark")
    enter(desk, demo, f"agent.{dealer.lower()}@lmt.example")
    look(desk, f"/desk/leads/{lead_id}", "policies-desk")
    expect(desk.locator("#why-map .lmt-mark")).to_have_count(2)
    desk.context.close()
    assert not problems, "\n".join(problems)
