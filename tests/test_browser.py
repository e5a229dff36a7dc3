"""The life of a lead in a real Chromium, against real processes."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.services import Service, running
from tests.world import API_KEY, PASSWORD, warsaw_lead

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
ARTEFACTS = Path(__file__).parent.parent / "artifacts"
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


def page_of(browser: Browser, service: Service, *, width: int = 1440, **options: Any) -> Page:
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
    found = page.evaluate(
        "() => axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21aa','wcag22aa']})"
    )
    return [
        f"{page.url} {v['id']}: {v['help']} {[n['target'] for n in v['nodes']][:3]}"
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
    desk.locator("select[name=how]").first.select_option("phone")
    desk.locator("select[name=result]").first.select_option("reached")
    desk.locator("form[action$='/contacted'] button[type=submit]").click()
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


# Each language, width and scheme once; all of them together where the long tests run.
VIEWS = [("en", 1440, ("light",)), ("ar", 390, ("dark",))]
if os.environ.get("LMT_ALL_VIEWS"):
    both = ("light", "dark")
    VIEWS = [(language, width, both) for language in ("en", "ar") for width in (1440, 390)]


@pytest.mark.parametrize(("language", "width", "schemes"), VIEWS)
def test_pages_fit_and_are_accessible(
    browser: Browser, service: Service, language: str, width: int, schemes: Sequence[str]
) -> None:
    sent = send_lead(service)
    dealer = "anna" if sent["dealer"]["code"] == "PL-WAW-1" else "carla"
    ARTEFACTS.mkdir(exist_ok=True)
    problems: list[str] = []
    pages = {
        "": ["/login", "/forms/contact-pl"],
        dealer: ["/desk/", f"/desk/leads/{sent['id']}"],
        "hana": [
            "/hq/",
            "/hq/leads",
            f"/hq/leads/{sent['id']}",
            "/hq/queues/unrouted",
            "/hq/mailbox",
            "/hq/outbox",
            "/hq/intake",
            "/hq/dealers",
            "/hq/reports/conversion",
        ],
    }
    for scheme in schemes:
        for person, addresses in pages.items():
            page = page_of(browser, service, width=width, color_scheme=scheme)
            if person:
                log_in(page, person)
            for address in addresses:
                page.goto(f"{address}?lang={language}")
                page.wait_for_load_state("networkidle")
                expected = "rtl" if language == "ar" else "ltr"
                assert page.locator("html").get_attribute("dir") == expected, address
                if wide := overflow(page):
                    problems.append(f"{address} at {width}: {wide} px too wide")
                problems += accessibility_problems(page)
                name = address.strip("/").replace("/", "-").replace(sent["id"], "lead") or "home"
                page.screenshot(
                    path=ARTEFACTS / f"{name}-{language}-{width}-{scheme}.png", full_page=True
                )
            page.context.close()
    assert not problems, "\n".join(problems)
