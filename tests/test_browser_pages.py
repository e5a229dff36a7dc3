"""Every page in a real Chromium: it fits its window, reads in its direction, axe finds nothing."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice

import pytest
from flask import Flask
from playwright.sync_api import ConsoleMessage, Error, Page, Response

from lmt.models import User
from tests.browsing import ARTEFACTS, Site, browser, overflow, post, site
from tests.busy_morning import Town
from tests.everypage import EveryPage, every_page, page_endpoints, town
from tests.test_browser import AXE, axe_problems

__all__ = ["browser", "post", "site", "town"]
pytestmark = pytest.mark.browser

# Each language, width and scheme once; all of them together where the long tests run.
VIEWS = [("en", 1440, "light"), ("ar", 390, "dark")]
if os.environ.get("LMT_ALL_VIEWS"):
    VIEWS = [(tongue, width, s) for tongue in ("en", "ar") for width in (1440, 390)
             for s in ("light", "dark")]  # fmt: skip

OWN_LANGUAGE = {"hq.mail_text_preview", "hq.preview_form"}
"""They show what others read, in the language those read it in."""
REFUSALS = [
    EveryPage("no such page", "/nowhere", ("nobody",)),
    EveryPage("no such page", "/hq/nowhere", ("omar",)),
    EveryPage("no such lead", f"/desk/leads/{uuid.UUID(int=7)}", ("anna",)),
    EveryPage("not for dealers", "/hq/users", ("anna",)),
    EveryPage("no such form", "/forms/nowhere", ("nobody",)),
]
"""What somebody reads whom a page isn't for, or who mistyped its address."""


def share(pages: list[EveryPage], view: int) -> list[EveryPage]:
    """Every other page in its first state, the rest in the other view; the long tests open all
    states of all pages in every view."""
    if os.environ.get("LMT_ALL_VIEWS"):
        return pages
    by_endpoint = groupby(pages, key=lambda each: each.endpoint)
    return [
        each
        for place, (_endpoint, kinds) in enumerate(by_endpoint)
        for each in islice(kinds, 1)
        if place % len(VIEWS) == view
    ]


def forbids_scripts(answer: Response) -> bool:
    """As a mail within a page does; axe can't look at it."""
    policy = answer.headers.get("content-security-policy", "")
    return "sandbox" in policy and "allow-scripts" not in policy


@dataclass
class Tour:
    """Through all pages, each as somebody who may open it, in one tab per person."""

    site: Site
    cast: dict[str, User]
    language: str
    width: int
    scheme: str
    shown: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    """What scripts complained of on the page at hand."""
    _tabs: dict[str, Page] = field(default_factory=dict)

    def problems(self, each: EveryPage) -> Iterator[str]:
        for name in each.people:
            page = self._tab(name)
            self.said.clear()
            answer = page.goto(each.address, wait_until="load")
            assert answer is not None
            if answer.status != 403:
                break
        if answer.status == 200:
            self.shown.add(each.endpoint)
        elif answer.status >= 500:
            yield f"answers {answer.status}"
        if "<html" not in answer.text():
            return  # A part of a page, seen within it.
        direction = "rtl" if self.language == "ar" else "ltr"
        reads = page.evaluate("() => document.documentElement.dir")
        if reads != direction and each.endpoint not in OWN_LANGUAGE:
            yield f"reads {reads!r}"
        if wide := overflow(page):
            yield f"{wide} px too wide"
        if not forbids_scripts(answer):
            yield from axe_problems(page)
        # A page that was refused is an error to the console too.
        refused = f"status of {answer.status}" if answer.status >= 400 else None
        yield from (f"says {text}" for text in self.said if not (refused and refused in text))

    def keep_picture(self, each: EveryPage) -> None:
        ARTEFACTS.mkdir(exist_ok=True)
        page = next(self._tabs[n] for n in reversed(each.people) if n in self._tabs)
        name = re.sub(r"\W+", "-", each.endpoint)
        page.screenshot(
            path=ARTEFACTS / f"page-{name}-{self.language}-{self.width}-{self.scheme}.png",
            full_page=True,
        )

    def _tab(self, name: str) -> Page:
        if name not in self._tabs:
            context = self.site.context(
                self.cast.get(name), width=self.width, color_scheme=self.scheme
            )
            context.add_init_script(AXE)
            page = context.new_page()
            page.on("console", self._listen)
            page.on("pageerror", self._catch)
            self._tabs[name] = page
        return self._tabs[name]

    def _listen(self, message: ConsoleMessage) -> None:
        # A part of a page has no icon, so that the browser asks for one by itself.
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            self.said.append(message.text)

    def _catch(self, error: Error) -> None:
        self.said.append(str(error))


@pytest.mark.parametrize(
    ("language", "width", "scheme"), VIEWS, ids=["-".join(map(str, view)) for view in VIEWS]
)
def test_every_page_fits_and_is_accessible(
    site: Site, app: Flask, town: Town, cast: dict[str, User], language: str, width: int,
    scheme: str,
) -> None:  # fmt: skip
    tour = Tour(site, cast, language, width, scheme)
    refusals = [
        EveryPage(each.endpoint, f"{each.address}?lang={language}", each.people)
        for each in REFUSALS
    ]
    every = every_page(app, town, cast, language)
    pages = share(every, VIEWS.index((language, width, scheme)))
    told: dict[str, set[str]] = {}
    for each in [*pages, *refusals]:
        found = list(tour.problems(each))
        if found:
            tour.keep_picture(each)
        for problem in found:
            told.setdefault(problem, set()).add(each.endpoint)
    assert not told, "\n".join(f"{problem}: {sorted(where)}" for problem, where in told.items())
    assert {each.endpoint for each in every} == page_endpoints(app)
    assert sorted({each.endpoint for each in pages} - tour.shown) == []
