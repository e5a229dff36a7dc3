"""What a form costs a page: the bytes of its script, the requests and the time until it shows."""

from __future__ import annotations

import gzip
import shutil
import statistics
import time
from collections.abc import Iterator
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Route, sync_playwright
from sqlalchemy import select

from benchmarks.installation import installation, served
from lmt.models import Form
from lmt.scope import SYSTEM, act_as

ROUNDS = 20
REQUESTS = 200
MOST_BYTES = 20 * 1024
FORM, LANGUAGE = "gulf-test-drive", "ar"
"""The largest of the demo: three steps, a dealer to pick, seven countries."""
SITE = "http://brand.localhost"
"""Nobody's: its page is answered by the browser itself."""
BARE = "customElements.define('lmt-form', class extends HTMLElement {});"
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
# From the last byte of the script to the first frame with the form laid out in it.
SHOWN = """
  async (script) => {
    const made = document.createElement("script");
    made.textContent = script;
    const begun = performance.now();
    document.head.append(made);
    document.querySelector("lmt-form").getBoundingClientRect();
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - begun;
  }
"""
ASKED = """
  (src) => new Promise((resolve) => {
    document.addEventListener("lmt:ready", () =>
      resolve(performance.getEntriesByType("resource").map((each) => each.name))
    );
    document.head.append(Object.assign(document.createElement("script"), { src }));
  })
"""


def run() -> Iterator[dict[str, Any]]:
    with installation(leads=0) as installed:
        with act_as(installed.sessions(), SYSTEM) as session:
            form = session.scalars(select(Form).where(Form.code == FORM)).one()
            code, form.origins = form.code, [SITE]
            session.commit()
        with served(installed.settings, "benchmarks.bare:app") as address:
            bare = _seconds(f"{address}/healthz")
        with served(installed.settings) as address:
            script = f"{address}/embed/{code}.js?lang={LANGUAGE}"
            answered = _seconds(script)
            text = httpx.get(script, trust_env=False).text
            yield _size(text)
            yield from _in_browser(script, code, text)
    yield {
        "name": "script of a form, answered",
        "value": round(answered * 1000, 2),
        "unit": "ms",
        "baseline": "bare Flask route that says ok",
        "baseline_value": round(bare * 1000, 2),
        "ratio": round(answered / bare, 2),
    }


def _size(text: str) -> dict[str, Any]:
    packed = len(gzip.compress(text.encode(), 6))
    return {
        "name": "script of a form, compressed",
        "value": packed,
        "unit": "bytes",
        "baseline": "what it may be",
        "baseline_value": MOST_BYTES,
        "ratio": round(packed / MOST_BYTES, 3),
    }


def _in_browser(script: str, code: str, text: str) -> Iterator[dict[str, Any]]:
    with sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=installed, args=list(QUIET))
        yield {
            "name": "requests before a form shows",
            "value": (requests := _requests(browser, script, code, text)),
            "unit": "requests",
            "baseline": "the script itself",
            "baseline_value": 1,
            "ratio": float(requests),
        }
        bare, shown = [], []
        for _round in range(ROUNDS):
            bare.append(_milliseconds(browser, code, BARE))
            shown.append(_milliseconds(browser, code, text))
        browser.close()
    value, baseline = statistics.median(shown), statistics.median(bare)
    yield {
        "name": "form shown after its script ran",
        "value": round(value, 1),
        "unit": "ms",
        "baseline": "an empty custom element",
        "baseline_value": round(baseline, 1),
        "ratio": round(value / baseline, 2),
    }


def _page(browser: Browser, body: str) -> Page:
    page = browser.new_context(viewport={"width": 390, "height": 900}).new_page()
    html = f"<!doctype html><html lang='{LANGUAGE}'><title>Aurel</title><body>{body}"

    def answer(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html")

    page.route(f"{SITE}/", answer)
    page.goto(f"{SITE}/")
    return page


def _requests(browser: Browser, script: str, code: str, text: str) -> int:
    """How often anything is asked for until the form can be seen and filled in."""
    page = _page(browser, f"<lmt-form form='{code}'></lmt-form>")
    page.route(script, lambda route: route.fulfill(body=text, content_type="text/javascript"))
    asked: list[str] = page.evaluate(ASKED, script)
    page.context.close()
    ours = script.partition("/embed/")[0]
    return sum(url.startswith(ours) and "/count" not in url for url in asked)


def _milliseconds(browser: Browser, code: str, text: str) -> float:
    page = _page(browser, f"<lmt-form form='{code}'></lmt-form>")
    taken = float(page.evaluate(SHOWN, text))
    if text != BARE:
        page.locator("lmt-form form").wait_for()
    page.context.close()
    return taken


def _seconds(address: str) -> float:
    """The median of one request after the other, on one connection."""
    taken = []
    with httpx.Client(trust_env=False) as client:
        for _request in range(REQUESTS):
            started = time.perf_counter()
            client.get(address).raise_for_status()
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)
