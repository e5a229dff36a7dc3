"""A source is set up in a real Chromium: a stranger's payload mapped, tried, and one mended."""

from __future__ import annotations

import json
import os
import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.services import Service
from tests.test_browser import (
    ARTEFACTS,
    accessibility_problems,
    browser,
    log_in,
    overflow,
    page_of,
    service,
)

__all__ = ["browser", "service"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not os.environ.get("LMT_ALL_VIEWS"), reason="with the long tests"),
]

STRANGER = {
    "visitor": {"forename": "Zofia", "surname": "Brzoza", "mobile": "512 777 888"},
    "e-mail": "zofia.brzoza@mail.example",
    "town": "Warszawa",
    "reason": "Umów jazdę",
    "car": "Aurel Mira",
    "colour": "zielony",
}


def choose(page: Page, path: str, target: str) -> None:
    """Give a field of the stranger's to one of ours, in the table, and wait for the answer: nobody
    types into a table as fast as this test, while it is about to be drawn anew."""
    row = page.locator("#mapping-rows tr").filter(has=page.locator(f'[value="{path}"]'))
    with page.expect_response(lambda answer: answer.url.endswith("/mapping/preview")):
        row.locator("select[name=target]").select_option(target)
    page.wait_for_function("() => !document.querySelector('.htmx-request, .htmx-settling')")


def press(page: Page, do: str) -> None:
    page.locator(f"main button[name=do][value='{do}']").last.click()


def post(service: Service, code: str, key: str, body: str) -> httpx.Response:
    return httpx.post(
        f"{service.url}/ingest/json/{code}",
        content=body.encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        trust_env=False,
        timeout=30,
    )


# One view; the other where the long tests run.
VIEWS = [("en", 1440), ("ar", 390)] if os.environ.get("LMT_ALL_VIEWS") else [("en", 1440)]


@pytest.mark.parametrize(("language", "width"), VIEWS)
def test_a_strangers_form_becomes_a_source(
    browser: Browser, service: Service, language: str, width: int
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    problems: list[str] = []
    page = page_of(browser, service, width=width)

    def look(name: str) -> None:
        if wide := overflow(page):
            problems.append(f"{page.url} at {width}: {wide} px too wide")
        page.evaluate("() => scrollTo({top: 0, behavior: 'instant'})")
        problems.extend(accessibility_problems(page))
        page.screenshot(path=ARTEFACTS / f"source-{name}-{language}-{width}.png", full_page=True)

    log_in(page, "hana")
    page.goto(f"/hq/sources?lang={language}")
    look("list")
    page.locator("main a[href='/hq/sources/new']").click()
    look("kinds")
    page.locator("a[href$='kind=json']").click()
    page.locator("[name=name]").fill("Spring form")
    page.locator("[name=country]").select_option("PL")
    page.locator("[name=brand]").select_option(label="Aurel")
    look("new")
    page.locator("main form button[type=submit]").click()
    key = page.locator("#the-key").inner_text()
    assert key.startswith("lmt_")
    look("key")

    page.locator("main a[href$='/mapping']").click()
    # What is typed is looked at as it is typed, once the page's scripts are there.
    page.wait_for_url("**/mapping*", wait_until="load")
    page.locator("[name=payload]").fill(json.dumps(STRANGER, ensure_ascii=False))
    expect(page.locator("#mapping-rows")).to_contain_text("visitor.surname")
    press(page, "suggest")
    expect(page.locator("#mapping-rows .chip").first).to_be_visible()
    choose(page, "colour", "request.comments")
    choose(page, "car", "request.model")
    choose(page, "reason", "request.type")
    preview = page.locator("#preview")
    values = page.locator("[name='values.request.type']")
    values.fill("Umów jazdę = Probefahrt")
    expect(page.locator("#values-request-type-error")).to_contain_text("Probefahrt")
    expect(preview).not_to_contain_text("+48512777888")
    values.fill("Umów jazdę = test_drive")
    expect(page.locator("#values-request-type-error")).to_be_empty()
    for understood in ("Zofia Brzoza", "+48512777888", "Mira", "zielony"):
        expect(preview).to_contain_text(understood)
    look("mapping")
    press(page, "save")
    page.wait_for_url(re.compile(r"/hq/sources/spring-form$"))

    page.locator("main a[href$='/test']").click()
    page.locator("[name=payload]").fill(json.dumps(STRANGER, ensure_ascii=False))
    page.locator("main form button[type=submit]").click()
    expect(page.locator(".arrival-steps .is-done")).to_have_count(3, timeout=15_000)
    expect(page.locator("#h-decision")).to_be_visible()
    look("arrival")
    page.locator("#arrival a[href*='/hq/leads/']").last.click()
    expect(page.locator("main")).to_contain_text("Zofia Brzoza")

    # One delivery breaks off in the middle: it is mended, replayed, and becomes the lead it was.
    whole = json.dumps({**STRANGER, "e-mail": "iga.wilk@mail.example"}, ensure_ascii=False)
    whole = whole.replace("Zofia", "Iga").replace("512 777 888", "512 111 222")
    refused = post(service, "spring-form", key, whole[:-1])
    assert refused.status_code == 422, refused.text
    page.goto(f"/hq/intake/{refused.json()['intake']}")
    look("broken")
    page.locator("[name=text]").fill(whole)
    press(page, "mend")
    page.locator("main a[href*='/hq/leads/']").first.click()
    expect(page.locator("main")).to_contain_text("Iga Brzoza")
    page.goto("/hq/sources/spring-form")
    expect(page.locator("main")).to_contain_text("Iga Brzoza")
    look("source")
    page.context.close()
    assert not problems, "\n".join(problems)
