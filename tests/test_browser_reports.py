"""Somebody at headquarters and a report, in a real Chromium: built, looked at, followed to its
leads, saved, scheduled, downloaded, and received by mail on the Monday after."""

from __future__ import annotations

import io
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from lxml import html
from playwright.sync_api import Locator, Page, expect
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from lmt import closing, i18n, pipeline
from lmt.db import SessionFactory, reading_sessions_for
from lmt.followup import service as following
from lmt.models import Message, ReportSchedule, User
from lmt.notify import outbox
from lmt.reports.figures import BY_CODE
from lmt.reports.mailing import mail_due
from lmt.reports.question import USUAL_FIGURES
from lmt.reports.refresh import refresh
from lmt.reports.reportmail import makers
from lmt.reports.wording import figure_text
from lmt.scope import actor_of
from tests.browsing import ARTEFACTS, Eyes, Site, browser, post, recorded, site
from tests.post import Post, words
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

__all__ = ["browser", "post", "site"]
pytestmark = pytest.mark.browser

THURSDAY = datetime(2026, 4, 9, 10, 0, tzinfo=UTC)
"""Of the quarter after that of the leads."""
MONDAY = datetime(2026, 4, 13, 6, 0, tzinfo=UTC)
"""8:00 in Warsaw."""
LEADS = (
    ("PL-WAW-1", "api-pl", "won"), ("PL-WAW-1", "api-pl", "won"), ("PL-WAW-1", "api-pl", "open"),
    ("PL-WAW-1", "adf-pl", "won"), ("PL-WAW-1", "adf-pl", "open"),
    ("PL-WAW-2", "api-pl", "open"), ("PL-WAW-2", "adf-pl", "open"), ("PL-WAW-2", "adf-pl", "open"),
)  # fmt: skip
"""Of the last quarter: the dealer who has it, where it came from, what became of it."""
CONVERSION = {
    ("PL-WAW-1", "api"): 2 / 3, ("PL-WAW-1", "adf"): 1 / 2, ("PL-WAW-2", "api"): 0.0,
    ("PL-WAW-2", "adf"): 0.0,
}  # fmt: skip
NAMES = {"en": "Board: dealers & channels", "ar": "تقرير الوكلاء"}
VIEWS = [("en", 1440, "light"), ("ar", 390, "dark")]


@dataclass
class Story:
    """What somebody at headquarters does, who reads `language` and works in Warsaw."""

    page: Page
    eyes: Eyes
    clock: time_machine.Traveller
    site: Site
    post: Post
    engine: Engine
    sessions: SessionFactory
    session: Session
    language: str

    @property
    def name(self) -> str:
        return NAMES[self.language]

    def open(self, folded: str) -> Locator:
        """What is folded, unfolded."""
        found = self.page.locator(folded)
        if found.get_attribute("open") is None:
            found.locator("> summary").click()
        return found

    def keep(self, name: str, content: bytes) -> Path:
        """A file that the story made, for people to look at."""
        ARTEFACTS.mkdir(exist_ok=True)
        path = ARTEFACTS / f"reports-{self.language}-{name}"
        path.write_bytes(content)
        return path

    def download(self, form: str) -> bytes:
        menu = self.open("details.download")
        with self.page.expect_download() as download:
            menu.locator(f"a[href*='file.{form}']").click()
        menu.locator("> summary").click()
        content = download.value.path().read_bytes()
        self.keep(download.value.suggested_filename, content)
        return content

    def wait_until(self, at: datetime) -> None:
        """Time passes, and the worker does what is due by then."""
        self.clock.move_to(at, tick=False)
        mail_due(self.sessions, self.site.settings, at)
        made_by = makers(reading_sessions_for(self.engine))
        outbox.send_due(self.sessions, self.site.settings, at, made_by)
        self.session.expire_all()


@pytest.fixture
def quarter(
    sessions: SessionFactory, session: Session, world: World, cast: dict[str, User]
) -> None:
    """The leads of the last quarter, as facts."""
    anna, at = actor_of(cast["anna"]), FRIDAY + timedelta(minutes=65)
    for dealer, source, end in LEADS:
        lead = send(session, source, warsaw_lead(**somebody()), FRIDAY)
        pipeline.advance(sessions, lead.id, FRIDAY)
        session.expire_all()
        if end == "won":
            pipeline.accept(session, lead.id, at=at, actor=anna)
            following.contacted(
                session, lead.id, how="phone", result="reached", note="", at=at, actor=anna
            )
            closing.won(session, lead.id, at=at, actor=anna)
        session.refresh(lead)
        lead.dealer_id = world.dealers[dealer]
        session.commit()
    session.execute(delete(Message))
    session.commit()
    refresh(sessions, THURSDAY)


SHOWN = VIEWS if os.environ.get("LMT_ALL_VIEWS") else VIEWS[:1]
"""The long tests go the same way in the other view."""


@pytest.fixture(params=SHOWN, ids=[view[0] for view in SHOWN])
def story(
    request: pytest.FixtureRequest, site: Site, post: Post, engine: Engine,
    sessions: SessionFactory, session: Session, cast: dict[str, User], quarter: None,
) -> Iterator[Story]:  # fmt: skip
    language, width, scheme = request.param
    hana = session.get_one(User, cast["hana"].id)
    hana.language = language
    session.commit()
    with time_machine.travel(THURSDAY, tick=False) as clock:
        page = site.page(hana, width=width, locale=language, color_scheme=scheme)
        with recorded(page, f"reports-{language}") as eyes:
            yield Story(page, eyes, clock, site, post, engine, sessions, session, language)


def test_a_report_is_built_read_saved_and_comes_by_mail(story: Story) -> None:
    build(story)
    see_the_chart(story)
    follow_a_number(story)
    save(story)
    sheet = take_away(story)
    schedule(story)
    story.wait_until(MONDAY - timedelta(minutes=1))
    assert story.post.received == []
    story.wait_until(MONDAY)
    [mail] = story.post.to("hana@lmt.example")
    assert isinstance(mail, EmailMessage)
    read_the_mail(story, mail)
    open_what_came(story, mail, sheet)


def build(story: Story) -> None:
    """Conversion by dealer and channel for the last quarter, through the form alone."""
    page = story.page
    page.goto("/reports/")
    story.eyes.look("home")
    page.locator(".page-head a.btn-primary").click()
    form = story.open("details.builder").locator("form")
    form.locator("[name=period]").select_option("last_quarter")
    form.locator("[name=rows]").select_option("dealer")
    form.locator("[name=columns]").select_option("channel")
    form.locator("details:has([name=figures]) > summary").click()
    for figure in set(USUAL_FIGURES) - {"leads", "conversion"}:
        form.locator(f"[name=figures][value={figure}]").uncheck()
    story.eyes.look("builder")
    with page.expect_navigation():
        form.locator("button[type=submit]").click()
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["period"] == ["last_quarter"]
    # A table by two dimensions shows one figure, chosen above it.
    page.locator(".shown-figures a[href*='figures=conversion']").click()
    expect(page.locator(".shown-figures [aria-current]")).to_have_text(told(story, "conversion"))
    rows = page.locator(".report-table tbody tr")
    expect(rows).to_have_count(2)
    story.eyes.look("table")


def told(story: Story, figure: str) -> str:
    """What the figure is called in the reader's language."""
    with i18n.reading(story.language, "Europe/Warsaw"):
        return str(BY_CODE[figure].name)


def see_the_chart(story: Story) -> None:
    page = story.page
    page.locator(".answer-head a[href*='view=chart']").click()
    marks = page.locator("#chart svg .role-mark path[aria-roledescription]")
    expect(marks).to_have_count(len(CONVERSION))
    drawn = page.locator("#chart svg").bounding_box()
    assert drawn is not None
    assert drawn["width"] > 250
    assert drawn["height"] > 100
    story.eyes.look("chart")


def follow_a_number(story: Story) -> None:
    page = story.page
    page.locator(".answer-head a:not([href*='view=chart'])").click()
    for cell in ("row=PL-WAW-1&column=api", "row=PL-WAW-1&column=adf"):
        number = page.locator(f".report-table a[href*='{cell}']")
        sold, leads = re.findall(r"\d+", western(str(number.get_attribute("title"))))
        number.click()
        expect(page.locator("table.rows tbody tr")).to_have_count(int(sold))
        assert re.findall(r"\d+", western(page.locator("h1").inner_text())) in ([sold], [])
        assert CONVERSION["PL-WAW-1", cell[-3:]] == pytest.approx(int(sold) / int(leads))
        if cell.endswith("api"):
            story.eyes.look("leads")
        page.locator(".crumb a.back").click()


def western(text: str) -> str:
    """With the digits of computers."""
    return text.translate({0x660 + digit: str(digit) for digit in range(10)})


def save(story: Story) -> None:
    menu = story.open("details.keep-menu")
    menu.locator("[name=name]").fill(story.name)
    menu.locator("button[type=submit]").click()
    expect(story.page.locator("h1")).to_have_text(story.name)
    assert "saved=" in story.page.url
    story.eyes.look("saved")


def take_away(story: Story) -> list[list[object]]:
    """The workbook; its raw numbers are those of the page, which shows them rounded."""
    content = story.download("xlsx")
    sheet = numbers_of(content)
    page = story.page
    for dealer, _dealer_name, channel, _channel_name, conversion, leads in sheet[1:]:
        of_cell = [sold for d, s, sold in LEADS if (d, s.partition("-")[0]) == (dealer, channel)]
        assert leads == len(of_cell)
        assert conversion == pytest.approx(CONVERSION[str(dealer), str(channel)], abs=1e-6)
        with i18n.reading(story.language, "Europe/Warsaw"):
            shown = figure_text("conversion", CONVERSION[str(dealer), str(channel)], "")
        number = page.locator(f".report-table a[href*='row={dealer}&column={channel}']")
        assert shown in number.inner_text()
    definitions = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(1)
    explained = str(definitions.to_python())
    with i18n.reading(story.language, "Europe/Warsaw"):
        for code in ("conversion", "leads"):
            assert str(BY_CODE[code].formula) in explained
    is_document(story.download("pdf"))
    return sheet


def numbers_of(workbook: bytes) -> list[list[object]]:
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(workbook)).get_sheet_by_index(0)
    rows: list[list[object]] = [list(row) for row in sheet.to_python()]
    assert len(rows) == 1 + len(CONVERSION)
    return rows


def schedule(story: Story) -> None:
    """On Mondays at eight, to oneself, with a page and the numbers beside it."""
    page = story.page
    page.locator("a[href*='/schedule']").first.click()
    page.locator("[name=files][value=pdf]").check()
    expect(page.locator("[name=recipients]:checked")).to_have_count(1)
    story.eyes.look("schedule")
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("[role=status]").first).to_be_visible()
    story.eyes.look("scheduled")
    row = story.session.scalars(select(ReportSchedule)).one()
    assert row.next_at == MONDAY


def read_the_mail(story: Story, mail: EmailMessage) -> None:
    """In the reader's language, with the chart in its text."""
    assert mail["Content-Language"] == story.language
    assert story.name in mail["Subject"]
    page = mail.get_body(("html",))
    assert page is not None
    written = page.get_content()
    tree = html.document_fromstring(written)
    assert tree.get("dir") == story.eyes.direction
    assert story.page.locator("html").get_attribute("lang") == story.language
    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture.get_content_disposition() == "inline"
    [source] = tree.xpath("//img/@src")
    assert source == f"cid:{picture['Content-ID'].strip('<>')}"
    png = picture.get_content()
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert width > 600
    assert 200 < height < 2 * width
    story.keep("chart.png", png)
    see_as_mail(story, written.replace(source, f"data:image/png;base64,{b64encode(png).decode()}"))
    link = str(tree.xpath("//a[@class='button']/@href")[0])
    story.page.goto(link)
    expect(story.page.locator(".report-table tbody tr")).to_have_count(2)
    question = story.page.locator(".asked-words").inner_text()
    assert squeezed(question) in squeezed(words(mail))
    assert told(story, "conversion") in question


def squeezed(text: str) -> str:
    return " ".join(text.split())


def see_as_mail(story: Story, written: str) -> None:
    """As a mail program shows it."""
    look = story.site.page(width=700, java_script_enabled=False)
    look.set_content(written)
    loaded = look.locator("img").evaluate("img => img.decode().then(() => img.naturalWidth)")
    assert loaded > 600
    look.screenshot(path=ARTEFACTS / f"reports-{story.language}-mail.png", full_page=True)


def open_what_came(story: Story, mail: EmailMessage, sheet: list[list[object]]) -> None:
    """The files of the mail say what the page said."""
    files = {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}
    assert [name.rsplit(".")[-1] for name in files] == ["xlsx", "pdf"]
    workbook, document = files.values()
    assert numbers_of(workbook) == sheet
    is_document(document)
    story.keep("mailed.pdf", document)


def is_document(pdf: bytes) -> None:
    """A PDF of at least a page, which brings its fonts along."""
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 1
    assert re.search(rb"/FontFile\d?\b", pdf)
    assert re.search(rb"/ToUnicode\b", pdf)
