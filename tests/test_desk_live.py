"""The inbox in a real Chromium: it keeps itself up to date, and is worked with keys alone."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from lmt import clock
from lmt.models import Lead, User

pytestmark = pytest.mark.browser


@pytest.fixture
def page(
    app: Flask,
    client: FlaskClient,
    cast: dict[str, User],
    login: Callable[[FlaskClient, User], FlaskClient],
) -> Iterator[Page]:
    """Anna's, at her inbox. The application answers from a thread of this process."""
    login(client, cast["anna"])
    cookie = client.get_cookie("lmt")
    assert cookie is not None
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.port}"
    try:
        with sync_playwright() as playwright:
            installed = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = playwright.chromium.launch(
                executable_path=installed, args=["--no-sandbox", "--disable-gpu"]
            )
            context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 500})
            context.add_cookies([{"name": "lmt", "value": cookie.value, "url": address}])
            yield context.new_page()
            browser.close()
    finally:
        server.shutdown()
        thread.join()


def refresh(page: Page) -> None:
    """What the list does by itself every 20 seconds."""
    page.evaluate(
        """() => htmx.ajax("GET", document.querySelector("#inbox").getAttribute("hx-get"),
             {source: "#inbox", target: "#inbox", swap: "outerHTML"})"""
    )


def test_a_list_refreshes_without_losing_the_place(
    page: Page, session: Session, offered_lead: Callable[..., Lead]
) -> None:
    def person(number: int) -> Lead:
        return offered_lead(
            at=clock.now(),
            full_name=f"Person {number}",
            phone=f"+48 600 100 {number:03}",
            email=f"p{number}@example.com",
        )

    leads = [person(number) for number in range(4)]
    page.goto("/desk/?tab=all&sort=oldest")
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(4)

    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    expect(page.get_by_text("Selected: 1")).to_be_visible()
    page.locator(".filter-box > summary").click()
    page.locator("[data-search]").fill("half a na")
    second = page.get_by_role("link", name="Person 1")
    second.focus()
    second.evaluate("link => link.scrollIntoView({block: 'center', behavior: 'instant'})")
    stands_at = second.bounding_box()

    leads[3].status = "contacted"
    session.commit()
    person(4)
    refresh(page)
    expect(page.locator("[data-fresh] [role=status]")).to_have_text("New leads: 1")
    expect(rows).to_have_count(4)
    expect(rows.nth(3).locator(".state")).to_have_text("Contacted")
    expect(second).to_be_focused()
    stays_at = second.bounding_box()
    assert stands_at is not None
    assert stays_at is not None
    assert abs(stays_at["y"] - stands_at["y"]) < 2
    expect(page.locator("[data-search]")).to_have_value("half a na")
    expect(page.locator(".filter-box")).to_have_attribute("open", "")
    expect(page.get_by_text("Selected: 1")).to_be_visible()

    page.get_by_role("button", name="Show them").click()
    expect(rows).to_have_count(5)
    expect(page.get_by_role("link", name="Person 4")).to_be_focused()
    expect(page.get_by_label("Select Person 0")).to_be_checked()

    page.keyboard.press("k")
    page.keyboard.press("c")
    page.wait_for_url("**/desk/leads/*#contacted")


def test_a_hidden_tab_asks_for_nothing(page: Page) -> None:
    page.goto("/desk/?tab=all")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hidden = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => %s})"
    page.evaluate(hidden % "true")
    refresh(page)
    page.evaluate(hidden % "false")
    with page.expect_request("**/desk/?tab=all"):
        refresh(page)
    assert len([address for address in asked if "/desk/" in address]) == 1
