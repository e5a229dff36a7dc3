"""People at a real Chromium: the application answers from a thread of the test's own process, so
that the test sets the clock and plays the worker, and every stage is looked at and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page

from lmt.config import Settings
from lmt.models import User
from tests.post import Post, post_office
from tests.services import answering
from tests.test_browser import ARTEFACTS, FILMED, accessibility_problems, browser, overflow

__all__ = [
    "ARTEFACTS",
    "Eyes",
    "Site",
    "accessibility_problems",
    "browser",
    "overflow",
    "post",
    "site",
]


@dataclass
class Site:
    """The application at a real address. `settings` are those it runs with: their `base_url` is
    that address, and their mail goes to `post`, so `outbox.send_due(sessions, site.settings, at)`
    sends mails whose links work."""

    address: str
    settings: Settings
    app: Flask
    browser: Browser
    login: Callable[[FlaskClient, User], FlaskClient]

    def context(self, user: User | None = None, *, width: int = 1440, **options: Any) -> Any:
        """A browser of its own, in which `user` is logged in; closed by the fixture."""
        options = {"viewport": {"width": width, "height": 900 if width > 600 else 844}} | options
        context = self.browser.new_context(base_url=self.address, **options)
        if user is not None:
            self.enter(context, user)
        return context

    def enter(self, context: BrowserContext, user: User) -> None:
        """As the login page leaves it: with the session's cookie."""
        client = self.login(self.app.test_client(), user)
        cookie = client.get_cookie("lmt")
        assert cookie is not None
        context.add_cookies([{"name": "lmt", "value": cookie.value, "url": self.address}])

    def page(self, user: User | None = None, *, width: int = 1440, **options: Any) -> Page:
        page: Page = self.context(user, width=width, **options).new_page()
        return page


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as office:
        yield office


@pytest.fixture
def site(
    app: Flask,
    browser: Browser,
    post: Post,
    login: Callable[[FlaskClient, User], FlaskClient],
) -> Iterator[Site]:
    # Forms are sent as people send them, with the token that the page gave them.
    app.config["WTF_CSRF_ENABLED"] = True
    running = app.extensions["lmt"]
    with answering(app) as address:
        settings = replace(running.settings, base_url=address, smtp_url=post.url)
        app.extensions["lmt"] = replace(running, settings=settings)
        yield Site(address, settings, app, browser, login)
        for context in browser.contexts:
            context.close()


class Eyes:
    """Whoever looks at a page at every stage: keeps a picture of it below `artifacts/`, and wants
    it to fit its window, to read in its direction, and to have nothing that axe finds."""

    def __init__(self, page: Page, story: str, *, direction: str = "ltr"):
        self.page = page
        self.story = story
        self.direction = direction
        self.stage = 0

    def look(self, name: str, *, dark: bool = False, full_page: bool = True) -> None:
        """At this stage in light; in dark too where asked."""
        self.stage += 1
        problems = self._look(name, full_page)
        if dark:
            self.page.emulate_media(color_scheme="dark")
            problems += self._look(f"{name}-dark", full_page)
            self.page.emulate_media(color_scheme="light")
        assert not problems, problems

    def _look(self, name: str, full_page: bool) -> list[str]:
        ARTEFACTS.mkdir(exist_ok=True)
        # A bar that stays at the top would cover what axe measures.
        self.page.evaluate("() => window.scrollTo({top: 0, behavior: 'instant'})")
        self.page.screenshot(
            path=ARTEFACTS / f"{self.story}-{self.stage:02}-{name}.png",
            full_page=full_page,
            animations="disabled",
        )
        problems = accessibility_problems(self.page)
        if wide := overflow(self.page):
            problems.append(f"{self.page.url} is {wide} px too wide")
        reads = self.page.evaluate("() => getComputedStyle(document.documentElement).direction")
        if reads != self.direction:
            problems.append(f"{self.page.url} reads {reads}")
        return problems


@contextmanager
def recorded(page: Page, story: str) -> Iterator[Eyes]:
    """A story of which each step is kept too, and a film where the long tests run:
    `playwright show-trace artifacts/<story>.zip`."""
    direction = "rtl" if story.endswith("-ar") else "ltr"
    page.context.tracing.start(screenshots=FILMED)
    try:
        yield Eyes(page, story, direction=direction)
    finally:
        ARTEFACTS.mkdir(exist_ok=True)
        page.context.tracing.stop(path=ARTEFACTS / f"{story}.zip")
