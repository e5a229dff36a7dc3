"""The life of a lead in a real Chromium, against real processes."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.services import Service, Web, running
from tests.world import API_KEY, PASSWORD, warsaw_lead

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
ARTEFACTS = Path(__file__).parent.parent / "artifacts"
FILMED = bool(os.environ.get("LMT_ALL_VIEWS"))
"""Whether stories are filmed too: each frame of a film is drawn and packed."""
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium where there is one, else Playwright's own."""
    with sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=installed, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Service]:
    with running(database_url, tmp_path / "instance") as service:
        yield service


def page_of(browser: Browser, service: Web, *, width: int = 1440, **options: Any) -> Page:
    context = browser.new_context(
        base_url=service.url, viewport={"width": width, "height": 900}, **options
    )
    return context.new_page()


def log_in(page: Page, name: str) -> None:
    page.goto("/login")
    page.locator("input[name=email]").fill(f"{name}@lmt.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form button[type=submit], form input[type=submit]").last.click()
    page.wait_for_url(lambda url: "/login" not in url)


def send_lead(service: Service) -> dict[str, Any]:
    answer = httpx.post(
        f"{service.url}/api/v1/leads",
        json=warsaw_lead(),
        headers={"Authorization": f"Bearer {API_KEY}", "Prefer": "wait=10"},
        trust_env=False,
        timeout=20,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def accessibility_problems(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA, rule by rule."""
    page.evaluate(AXE)
    return [f"{page.url} {problem}" for problem in axe_problems(page)]


def axe_problems(page: Page) -> list[str]:
    """The same, of a page that has axe-core already."""
    found = page.evaluate(
        "() => axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21aa','wcag22aa'],"
        " resultTypes: ['violations']})"
    )
    return [
        f"{v['id']}: {v['help']} {[n['target'] for n in v['nodes']][:3]}"
        for v in found["violations"]
    ]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(
        page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )


def test_a_lead_is_sent_accepted_sold_and_seen_by_headquarters(
    browser: Browser, service: Service
) -> None:
    sent = send_lead(service)
    assert sent["dealer"]["code"] in {"PL-WAW-1", "PL-WAW-2"}
    dealer = "anna" if sent["dealer"]["code"] == "PL-WAW-1" else "carla"

    desk = page_of(browser, service, width=390)
    log_in(desk, dealer)
    desk.get_by_role("link", name=re.compile("Jan Kowal")).first.click()
    desk.get_by_role("button", name="Accept", exact=True).click()
    desk.locator("summary", has_text="Contacted").click()
    contacted = desk.locator("form[action$='/contacted']")
    contacted.locator("input[name=how][value=phone]").check()
    contacted.locator("input[name=result][value=reached]").check()
    contacted.locator("button[type=submit]").click()
    desk.locator("summary", has_text="Sold").click()
    desk.locator("input[name=order_number]").fill("A-1001")
    desk.locator("form[action$='/won'] button[type=submit]").click()
    expect(desk.get_by_text("A-1001")).to_be_visible()

    headquarters = page_of(browser, service)
    log_in(headquarters, "hana")
    headquarters.goto(f"/hq/leads/{sent['id']}")
    expect(headquarters.locator("main")).to_contain_text("Sold")
    expect(headquarters.locator("main")).to_contain_text(sent["dealer"]["name"])
    headquarters.goto("/hq/mailbox")
    expect(headquarters.locator("main")).to_contain_text("jan@example.com")

    outsider = page_of(browser, service)
    log_in(outsider, "carla" if dealer == "anna" else "anna")
    assert outsider.goto(f"/desk/leads/{sent['id']}").status == 404  # type: ignore[union-attr]
