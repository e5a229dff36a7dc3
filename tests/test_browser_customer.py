"""A customer's way through their request in a real Chromium, from the first mail to the last link:
on a phone, in one language with JavaScript and in the other without."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import time_machine
from icalendar import Calendar
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import appointments, feedback, pipeline
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.models import Consent, DealerTerms, Lead, PlannedAction, User
from lmt.notify import outbox
from lmt.scope import SYSTEM, actor_of
from lmt.slotterms import USUAL, set_slot_terms
from lmt.worker import advance_leads
from tests.browsing import (
    ARTEFACTS,
    Site,
    accessibility_problems,
    browser,
    overflow,
    post,
    recorded,
    site,
)
from tests.post import Post, words
from tests.world import World, send, warsaw_lead

__all__ = ["browser", "post", "site"]
pytestmark = pytest.mark.browser

TUESDAY = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
"""10:00 in Warsaw: its dealers are open."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MAIL, PHONE = "jan@example.com", "+48 512 345 678"
MESSAGE, COMMENT = "Kinderwagen", "Der Kaffee war kalt"
NEEDLES = ("Kowal", MAIL, "ewa@", "345678", "345 678", "Tajna", "Cześć", MESSAGE, COMMENT, "Anna")
"""Of the customer's name, mail, phone, street, words, and of whoever works on it."""
LINK = re.compile(r"https?://[^\s/]+(/r/[A-Za-z0-9_.\-]{40,})")


@dataclass
class Story:
    """What the customer's browser does, and what the rest of the house does meanwhile.

    `at` is the time for everybody; `shown` all HTML that the customer's browser got.
    """

    page: Page
    look: Page
    clock: time_machine.Traveller
    post: Post
    settings: Settings
    sessions: SessionFactory
    session: Session
    cast: dict[str, User]
    world: World
    language: str
    at: datetime = TUESDAY
    pictures: int = 0
    problems: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def wait(self, time: timedelta) -> None:
        """Time passes, and the worker does what is due by then."""
        self.at += time
        self.clock.move_to(self.at, tick=False)
        advance_leads(self.sessions, self.at)
        appointments.call_off_ended(self.session, self.at)
        feedback.ask_due(self.session, self.at)
        outbox.send_due(self.sessions, self.settings, self.at)
        self.session.expire_all()

    def mail(self, address: str) -> EmailMessage:
        """The newest mail to that address."""
        mail = self.post.to(address)[-1]
        assert isinstance(mail, EmailMessage)
        return mail

    def follow(self, mail: EmailMessage) -> str:
        """Press the mail's link; returns where it leads."""
        found = LINK.search(words(mail))
        assert found is not None, words(mail)
        self.page.goto(found[1])
        return found[1]

    def press(self, form: str, **filled: str) -> None:
        """Send the form whose address ends so. Whatever it is folded into is opened first."""
        sent = self.page.locator(f"form[action*='{form}']").first
        box = self.page.locator(f"details:has(form[action*='{form}'])")
        if box.count() and box.first.get_attribute("open") is None:
            box.first.locator("> summary").click()
        for name, value in filled.items():
            entry = sent.locator(f"[name='{name}']")
            kind = entry.first.get_attribute("type")
            if kind in {"radio", "checkbox"}:
                sent.locator(f"[name='{name}'][value='{value}']").check()
            elif entry.first.evaluate("each => each.tagName") == "SELECT":
                entry.select_option(value)
            else:
                entry.fill(value)
        # What the page before said stands until the next is there.
        with self.page.expect_navigation():
            sent.locator("button[type=submit]").last.click()

    def remember(self) -> None:
        """The page's own address is left out: it is the customer's secret."""
        self.shown.append(re.sub(r"/r/[A-Za-z0-9_.\-]+", "/r/…", self.page.content()))

    def says(self) -> None:
        """What was pressed is said to be done."""
        self.remember()
        expect(self.page.locator("[role=status]").first).to_be_visible()
        expect(self.page.locator("[role=alert]")).to_have_count(0)

    def picture(self, name: str, *, audited: bool = True) -> None:
        """Keep what the customer sees, and see whether anybody could read it: not `audited` is
        what differs from an earlier stage by a line alone."""
        self.remember()
        self.pictures += 1
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(
            path=ARTEFACTS / f"customer-{self.pictures:02}-{name}-{self.language}.png",
            full_page=True,
        )
        if not audited:
            return
        # With everything unfolded, in a browser that runs what looks for faults.
        self.look.goto(self.page.url)
        self.look.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
        assert self.look.locator("html").get_attribute("lang") == self.language
        self.problems += accessibility_problems(self.look)
        if wide := overflow(self.look):
            self.problems.append(f"{self.page.url}: {wide} px too wide")

    def times(self) -> list[str]:
        entries = self.page.locator("[name='starts_at']")
        # A click ends before the page that it opens is there.
        self.page.wait_for_url(re.compile("/times"))
        expect(entries).not_to_have_count(0)
        return [str(each.get_attribute("value")) for each in entries.all()]

    def choose(self, starts_at: str) -> None:
        """Of the times that the page offers, all of which are there without JavaScript."""
        entry = self.page.locator(f"[name='starts_at'][value='{starts_at}']")
        day = self.page.locator(f"details.day:has([value='{starts_at}'])")
        if day.get_attribute("open") is None:
            day.locator("summary").click()
        entry.check()
        with self.page.expect_navigation():
            self.page.locator("form:has([name='starts_at']) button[type=submit]").click()


# The long tests go the same way in Arabic, where scripts are blocked.
@pytest.fixture(params=["pl", "ar"] if os.environ.get("LMT_ALL_VIEWS") else ["pl"])
def story(
    request: pytest.FixtureRequest,
    site: Site,
    post: Post,
    sessions: SessionFactory,
    session: Session,
    cast: dict[str, User],
    world: World,
) -> Iterator[Story]:
    """In Polish the browser runs JavaScript, in Arabic it does not, and shows the dark colours."""
    language = request.param
    scheme = "dark" if language == "ar" else "light"
    page, look = (
        site.page(width=390, locale=language, color_scheme=scheme, java_script_enabled=javascript)
        for javascript in (language != "ar", True)
    )
    with (
        time_machine.travel(TUESDAY, tick=False) as clock,
        recorded(page, f"customer-{language}"),
    ):
        yield Story(
            page, look, clock, post, site.settings, sessions, session, cast, world, language
        )


def entry_of(mail: EmailMessage) -> Any:
    """The calendar entry that came with a mail."""
    (part,) = [p for p in mail.walk() if p.get_content_type() == "text/calendar"]
    return entry(part.get_payload(decode=True))


def entry(text: Any) -> Any:
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    return event


def ask(story: Story, **person: str) -> Lead:
    data = warsaw_lead(language=story.language, **person)
    data["address"]["street"] = "Tajna 7"
    lead = send(story.session, "api-pl", data, story.at)
    story.session.add(
        Consent(lead_id=lead.id, purpose="marketing", given=True, at=story.at, origin="api-pl")
    )
    story.session.commit()
    return lead


def accept(story: Story, lead: Lead, name: str) -> None:
    pipeline.accept(story.session, lead.id, at=story.at, actor=actor_of(story.cast[name]))


def offers(story: Story, dealer: str, kind: str) -> None:
    terms = dict(USUAL) | {"capacity": 1}
    id = story.world.dealers[dealer]
    set_slot_terms(story.session, id, kind, terms, at=story.at, actor=SYSTEM)


def quality(story: Story, dealer: str) -> float:
    terms = select(DealerTerms.quality).where(
        DealerTerms.dealer_id == story.world.dealers[dealer], DealerTerms.holds_at(story.at)
    )
    return story.session.scalars(terms).one()


def test_a_customer_moves_an_appointment_chooses_another_dealer_and_says_how_it_went(
    story: Story,
) -> None:
    lead = ask(story)
    offers(story, "PL-WAW-1", "test_drive")
    offers(story, "PL-WAW-2", "visit")
    story.wait(MINUTE)
    story.follow(story.mail(MAIL))
    expect(story.page.locator("main")).to_contain_text(lead.reference)
    story.picture("received")
    # Signs are explained only where there is a map.
    explained = story.page.locator(".lmt-map-legend")
    expect(explained).to_be_visible(visible=story.language != "ar")

    accept(story, lead, "anna")
    story.wait(HOUR)
    first_link = story.follow(story.mail(MAIL))
    book_and_move(story, lead)
    write(story)
    choose_another_dealer(story, lead)
    say_how_it_went(story, lead)
    withdraw_consent_and_another_request(story, lead)
    end_all_links(story, first_link)

    for text in story.shown:
        given_away = [needle for needle in NEEDLES if needle in text]
        assert not given_away, text
    assert not story.problems, "\n".join(story.problems)


def book_and_move(story: Story, lead: Lead) -> None:
    page = story.page
    late = page.locator(".intro").inner_text()
    with page.expect_navigation():
        page.locator("a[href*='kind=test_drive']").click()
    story.picture("times")
    first, second = story.times()[0], story.times()[-1]
    story.choose(first)
    story.says()
    story.wait(MINUTE)
    booked = entry_of(story.mail(MAIL))
    # Whoever has chosen a time is told of no delay any more.
    assert page.locator(".intro").inner_text() != late
    assert booked["dtstart"].dt == datetime.fromisoformat(first)
    assert "Kowal" in words(story.mail("anna@lmt.example"))
    story.picture("booked", audited=False)

    page.locator(".appointment a[href*='/times']").click()
    assert first not in story.times()
    story.choose(second)
    story.says()
    story.wait(MINUTE)
    moved = entry_of(story.mail(MAIL))
    assert moved["dtstart"].dt == datetime.fromisoformat(second)
    assert moved["uid"] == booked["uid"]
    assert moved["sequence"] > booked["sequence"]
    with page.expect_download() as download:
        page.locator("a[href*='appointment.ics']").click()
    text = download.value.path().read_text()
    taken = entry(text)
    assert (taken["uid"], taken["dtstart"].dt) == (moved["uid"], moved["dtstart"].dt)
    assert taken["location"] == "Aurel Centrum, Warszawa"
    assert not [needle for needle in NEEDLES if needle in re.sub(r"/r/\S+", "", text)]
    story.picture("moved")


def write(story: Story) -> None:
    story.press("/message", text=MESSAGE)
    story.says()
    story.wait(MINUTE)
    assert MESSAGE in words(story.mail("anna@lmt.example"))
    story.picture("written", audited=False)


def choose_another_dealer(story: Story, lead: Lead) -> None:
    story.press("/dealer", dealer="PL-WAW-2", reason="other")
    story.says()
    story.wait(MINUTE)
    story.session.refresh(lead)
    assert lead.dealer_id == story.world.dealers["PL-WAW-2"]
    (drive,) = story.session.scalars(select(PlannedAction)).all()
    assert drive.cancelled_at is not None
    called_off = [m for m in story.post.to(MAIL) if calls_off(m)]
    assert len(called_off) == 1
    expect(story.page.locator("main")).to_contain_text("Aurel Wola")
    story.picture("another-dealer")


def calls_off(mail: Any) -> bool:
    parts = [p for p in mail.walk() if p.get_content_type() == "text/calendar"]
    return any(p.get_param("method") == "CANCEL" for p in parts)


def say_how_it_went(story: Story, lead: Lead) -> None:
    accept(story, lead, "carla")
    story.wait(MINUTE)
    story.follow(story.mail(MAIL))
    story.page.locator("a[href*='kind=visit']").click()
    visit = story.times()[0]
    story.choose(visit)
    story.wait(MINUTE)
    expect(story.page.locator("[name=score]")).to_have_count(0)

    before = quality(story, "PL-WAW-2")
    story.wait(datetime.fromisoformat(visit) + 3 * HOUR - story.at)
    story.follow(story.mail(MAIL))
    story.picture("question")
    story.press("/feedback", score="2", comment=COMMENT)
    story.says()
    story.picture("answered", audited=False)
    feedback.rate_dealers(story.session, story.at + 8 * HOUR)
    story.wait(9 * HOUR)
    assert quality(story, "PL-WAW-2") < before


def withdraw_consent_and_another_request(story: Story, lead: Lead) -> None:
    story.press("/consent")
    story.says()
    story.session.expire_all()
    assert not story.session.scalars(select(Consent).where(Consent.lead_id == lead.id)).one().holds
    expect(story.page.locator("form[action*='/consent']")).to_have_count(0)

    here = story.page.url
    other = ask(story, full_name="Ewa Kowal", phone="+48 512 999 888", email="ewa@example.com")
    story.wait(MINUTE)
    story.follow(story.mail("ewa@example.com"))
    story.press("/withdraw", sure="yes")
    story.says()
    story.wait(MINUTE)
    story.session.refresh(other)
    assert other.status == "withdrawn"
    story.picture("withdrawn")
    story.page.goto(here)


def end_all_links(story: Story, old: str) -> None:
    story.press("/links")
    expect(story.page.locator("h1")).to_be_visible()
    story.picture("links-ended")
    answer = story.page.goto(old)
    assert answer is not None
    assert answer.status == 404
    story.picture("gone")
    story.wait(MINUTE)
    story.follow(story.mail(MAIL))
    expect(story.page.locator("[name=text]")).to_have_count(1)
