"""A dealer's day in a real Chromium: a morning on a phone, a manager's week, the desk by keyboard,
and the desk where no script runs. The worker's steps are taken by the test, which sets the clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.accounts.service import Scope, create_user
from lmt.db import SessionFactory
from lmt.followup import service as following
from lmt.models import (
    Absence,
    Closure,
    DealerTerms,
    Lead,
    Offer,
    Outcome,
    PlannedAction,
    Reply,
    ReplyTemplate,
    SlotTerms,
    User,
)
from lmt.notify import digests, outbox
from lmt.reports.weekfigures import week_figures
from lmt.scope import actor_of
from tests.browsing import Site, browser, post, recorded, site
from tests.post import Post, words
from tests.world import PASSWORD, World, send, somebody

__all__ = ["browser", "post", "site"]
pytestmark = pytest.mark.browser

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SUNDAY = datetime(2026, 3, 8, 6, 0, tzinfo=UTC)
"""9:00 in Riyadh, where the week begins: the dealer opens."""
FAISAL = "faisal@lmt.example"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(SUNDAY - 4 * DAY, tick=True) as traveller:
        yield traveller


def riyadh_lead(name: str, phone: str, email: str) -> dict[str, Any]:
    return {
        "customer": {"full_name": name, "phone": phone, "email": email, "language": "ar"},
        "address": {"city": "Riyadh", "country": "SA"},
        "request": {
            "type": "test_drive",
            "brand": "Aurel",
            "model": "Mira",
            "comments": "أريد تجربة السيارة يوم الثلاثاء.",
        },
    }


class Thumb:
    """Counts what a person taps."""

    def __init__(self) -> None:
        self.taps = 0

    def tap(self, target: Locator) -> None:
        self.taps += 1
        target.tap()


def html_of(mail: Any) -> str:
    assert isinstance(mail, EmailMessage)
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def pick(form: Locator, value: str) -> Locator:
    return form.locator("label.pick", has=form.page.locator(f"input[value='{value}']"))


@pytest.fixture
def faisal(session: Session, world: World) -> User:
    """An agent in Riyadh, whose dealer lets people book, and whose market has words ready."""
    dealer_id = world.dealers["SA-RUH-1"]
    user = create_user(
        session, FAISAL, "فيصل", PASSWORD, roles=["agent"], scopes=[Scope(dealer_id=dealer_id)],
        language="ar", timezone="Asia/Riyadh",
    )  # fmt: skip
    session.add_all(
        [
            SlotTerms(dealer_id=dealer_id, kind="test_drive", minutes=60, capacity=1),
            ReplyTemplate(
                market_id=world.markets["GULF"],
                request_type="test_drive",
                name="تجربة القيادة",
                texts={
                    "ar": {
                        "subject": "موعد تجربة {{ model }}",
                        "body": "مرحبًا {{ name }}،\n\nنراك قريبًا في {{ dealer }}.",
                    }
                },
            ),
        ]
    )
    session.commit()
    return user


def test_a_dealers_morning_on_a_phone(
    site: Site,
    clock: time_machine.Traveller,
    session: Session,
    sessions: SessionFactory,
    post: Post,
    faisal: User,
) -> None:
    # Last week a customer was promised a call; over the weekend another one asks.
    thursday = SUNDAY - 3 * DAY
    known = send(session, "api-gulf", riyadh_lead("نورة القحطاني", "+966 50 765 4321",
                 "noura@example.com"), thursday)  # fmt: skip
    pipeline.advance(sessions, known.id, thursday)
    session.expire_all()
    pipeline.accept(
        session,
        known.id,
        plan=pipeline.PlanInput("call", SUNDAY + 2 * HOUR, ""),
        at=thursday + MINUTE,
        actor=actor_of(faisal),
    )
    following.contacted(
        session, known.id, how="phone", result="reached", note="",
        at=thursday + 2 * MINUTE, actor=actor_of(faisal),
    )  # fmt: skip
    saturday = SUNDAY - 12 * HOUR
    new = send(session, "api-gulf", riyadh_lead("سارة العتيبي", "+966 50 123 4567",
               "sara@example.com"), saturday)  # fmt: skip
    pipeline.advance(sessions, new.id, saturday)
    outbox.send_due(sessions, site.settings, saturday + MINUTE)
    post.received.clear()

    clock.move_to(SUNDAY)
    assert digests.enqueue_due(session, SUNDAY, week_figures) >= 1
    outbox.send_due(sessions, site.settings, SUNDAY)
    (morning,) = [mail for mail in post.to(FAISAL) if "/t/" in html_of(mail)]
    thumb = Thumb()
    page = site.page(width=390, has_touch=True, is_mobile=True)
    with recorded(page, "dealer-morning-ar") as eyes:
        page.set_content(html_of(morning))
        eyes.look("mail", dark=True)

        thumb.tap(page.locator("a[href*='/t/']:not([href*='mute'])"))
        page.wait_for_url("**/t/*")
        eyes.look("one-tap", dark=True)
        shown = page.content()
        assert "سارة" not in shown
        assert "123 4567" not in shown
        session.expire_all()
        assert session.get_one(Lead, new.id).status == "offered"
        thumb.tap(page.locator("button[name=call_at]").first)
        expect(page.get_by_role("status")).to_be_visible()
        eyes.look("taken")
        session.expire_all()
        lead = session.get_one(Lead, new.id)
        plan = session.scalars(select(PlannedAction).where(PlannedAction.lead_id == lead.id)).one()
        assert (lead.status, lead.owner_id, plan.kind) == ("accepted", faisal.id, "call")
        assert SUNDAY < plan.due_at <= SUNDAY + HOUR
        assert thumb.taps <= 3
        assert thumb.taps == 2

        site.enter(page.context, faisal)
        page.goto("/desk/?tab=due")
        expect(page.locator("[data-row]")).to_have_count(2)
        eyes.look("due-today", dark=True)
        thumb.tap(page.locator("[data-row] .who a", has_text="سارة"))
        expect(page.locator("h1")).to_have_text("سارة العتيبي")
        expect(page.locator(".reach a[href^='tel:']")).to_have_attribute(
            "href", "tel:+966501234567"
        )
        eyes.look("lead", dark=True)

        clock.shift(10 * MINUTE)
        form = open_form(page, thumb, "contacted")
        thumb.tap(pick(form, "reached"))
        eyes.look("contacted")
        send_off(page, thumb, form.locator("button[type=submit]"))
        session.expire_all()
        assert session.get_one(Lead, new.id).status == "contacted"

        form = open_form(page, thumb, "plan")
        thumb.tap(form.locator("details.act-inline > summary"))
        slot = form.locator("details.act-inline label.pick").first
        starts_at = datetime.fromisoformat(
            str(slot.locator("input").get_attribute("value")).rsplit("~", 1)[1]
        )
        thumb.tap(slot)
        eyes.look("plan", dark=True)
        send_off(page, thumb, form.locator("button[type=submit]"))
        expect(page.locator("a[href$='.ics']").first).to_be_visible()
        session.expire_all()
        drive = session.scalars(
            select(PlannedAction).where(PlannedAction.kind == "test_drive")
        ).one()
        assert (drive.slot_at, drive.booked_by) == (starts_at, "dealer")

        form = open_form(page, thumb, "reply")
        expect(form.locator("[name=subject]")).to_have_value("موعد تجربة Mira")
        thumb.tap(form.locator("button[value=preview]"))
        expect(page.locator(".reply-preview")).to_contain_text("مرحبًا سارة العتيبي")
        eyes.look("reply", dark=True)
        send_off(page, thumb, page.locator("#reply button[value=send]"))
        session.expire_all()
        assert session.scalars(select(Reply)).one().author_id == faisal.id
        outbox.send_due(sessions, site.settings, SUNDAY + HOUR)
        (letter,) = [
            mail for mail in post.to("sara@example.com") if mail["Subject"] == "موعد تجربة Mira"
        ]
        assert "مرحبًا سارة العتيبي،\n\nنراك قريبًا في Aurel Olaya." in words(letter).replace(
            "\r", ""
        )
        page.goto("about:blank")  # the desk's page would not let a mail bring its own style
        page.set_content(html_of(letter))
        eyes.look("letter")

        page.goto(f"/desk/leads/{new.id}")
        form = open_form(page, thumb, "won")
        form.locator("[name=order_number]").fill("RUH-2041")
        form.locator("[name=value]").fill("148000")
        eyes.look("won")
        send_off(page, thumb, form.locator("button[type=submit]"))
        expect(page.locator("main")).to_contain_text("RUH-2041")
        eyes.look("sold", dark=True)
    session.expire_all()
    sold = session.scalars(select(Outcome).where(Outcome.lead_id == new.id)).one()
    assert (sold.kind, sold.order_number) == ("won", "RUH-2041")
    assert sold.value == 148000


def send_off(page: Page, thumb: Thumb, button: Locator) -> None:
    """Until what was sent is answered."""
    with page.expect_navigation():
        thumb.tap(button)


def open_form(page: Page, thumb: Thumb, name: str) -> Locator:
    form = page.locator(f"#{name}")
    thumb.tap(form.locator("> summary"))
    return form


# A manager's week

TUESDAY = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
"""10:00 in Warsaw."""


STOPS_AHEAD = """target => {
    const here = document.activeElement;
    if (here === target) return 0;
    const isAhead = (one, other) => one.compareDocumentPosition(other) & 4;
    const stops = "a[href], button, input, select, textarea, summary";
    const between = [...document.querySelectorAll(stops)].filter(each =>
        isAhead(here, each) && isAhead(each, target)
        && each.tabIndex >= 0 && each.type !== "radio" && !each.matches(":disabled, [inert] *")
        && each.checkVisibility({visibilityProperty: true}));
    return between.length + 1;
}"""
"""How many times Tab has to be pressed from here at least, 0 once it is there: a group of radios
may be one stop, a day is several."""


def tab_to(page: Page, target: Locator, most: int = 150) -> None:
    """Press Tab until `target` is the one that keys reach, and is seen to be it."""
    # Where Tab begins on a page is known once it was pressed.
    ahead, pressed = 1, 0
    while pressed < most:
        for _press in range(ahead):
            page.keyboard.press("Tab")
        pressed += ahead
        ahead = target.evaluate(STOPS_AHEAD)
        if not ahead:
            return
    raise AssertionError(f"no Tab reaches {target}")


def press(page: Page, target: Locator) -> None:
    tab_to(page, target)
    page.keyboard.press("Enter")


def write(page: Page, target: Locator, text: str) -> None:
    tab_to(page, target)
    page.keyboard.type(text)


def write_day(page: Page, target: Locator, day: date) -> None:
    """Digit by digit, in the order in which this browser asks for day and month."""
    tab_to(page, target)
    for digits in ("%m%d%Y", "%d%m%Y"):
        page.keyboard.type(day.strftime(digits))
        if target.input_value() == day.isoformat():
            return
        for _part in range(2):
            page.keyboard.press("ArrowLeft")
    raise AssertionError(f"{target} doesn't take {day}")


def test_a_managers_week(
    site: Site,
    clock: time_machine.Traveller,
    session: Session,
    world: World,
    cast: dict[str, User],
    offered_lead: Callable[..., Lead],
) -> None:
    dana = create_user(
        session, "dana@lmt.example", "Dana", PASSWORD, roles=["agent"],
        scopes=[Scope(dealer_id=world.dealers["PL-WAW-1"])], timezone="Europe/Warsaw",
    )  # fmt: skip
    session.commit()
    clock.move_to(TUESDAY)
    anna = cast["anna"]
    hers = [offered_lead(at=TUESDAY - DAY + number * MINUTE, **somebody()).id for number in (1, 2)]
    for lead_id in hers:
        step = pipeline.PlanInput("call", TUESDAY + 3 * DAY, "")
        pipeline.accept(session, lead_id, plan=step, at=TUESDAY - DAY + HOUR, actor=actor_of(anna))
    waits = offered_lead(at=TUESDAY, **somebody())
    running = select(Offer.expires_at).where(Offer.lead_id == waits.id, Offer.state == "open")
    until = session.scalars(running).one()

    page = site.page(cast["bert"], locale="en-GB")
    with recorded(page, "manager-week") as eyes:
        page.goto("/desk/hours")
        eyes.look("hours", dark=True)
        # Today's morning would begin later than the running offer ends.
        write(page, page.locator("[name=tu-opens-0]"), "1230PM")
        page.keyboard.press("Enter")
        expect(page.locator("#h-preview")).to_be_visible()
        expect(page.locator("section.decide")).to_contain_text(waits.reference)
        eyes.look("preview", dark=True)
        press(page, page.locator("button[value=save]"))
        expect(page.locator("#h-preview")).to_have_count(0)
        expect(page.locator("[name=tu-opens-0]")).to_have_value("12:30")
        session.expire_all()
        assert session.scalars(running).one() == until
        terms = terms_of(session, waits)
        assert "Tu 12:30-13:00,14:00-18:00" in terms.hours

        press(page, folded(page, "Close on some days"))
        write_day(page, page.locator("#f-closure-first"), date(2026, 3, 16))
        write_day(page, page.locator("#f-closure-last"), date(2026, 3, 17))
        write(page, page.locator("#f-closure-reason"), "Stocktaking")
        eyes.look("closing")
        page.keyboard.press("Enter")
        expect(page.locator(".manage-list")).to_contain_text("Stocktaking")
        session.expire_all()
        closure = session.scalars(select(Closure)).one()
        assert (closure.starts_on, closure.ends_on) == (date(2026, 3, 16), date(2026, 3, 17))

        press(page, page.locator("section[aria-labelledby=h-caps] summary"))
        write(page, page.locator("#f-day_cap"), "12")
        page.keyboard.press("Enter")
        expect(page.locator("section[aria-labelledby=h-caps] dl")).to_contain_text("of 12")
        session.expire_all()
        assert terms_of(session, waits).day_cap == 12
        eyes.look("caps")

        page.goto("/desk/team")
        eyes.look("team", dark=True)
        press(page, page.get_by_role("link", name="Change Anna"))
        page.wait_for_url(f"**/team/{anna.id}*")
        eyes.look("colleague", dark=True)
        press(page, folded(page, "Enter an absence"))
        write_day(page, page.locator("#f-first"), date(2026, 3, 10))
        write_day(page, page.locator("#f-last"), date(2026, 3, 13))
        write(page, page.locator("#f-deputy"), "Dana")
        write(page, page.locator("#f-reason"), "Course")
        page.keyboard.press("Enter")
        expect(page.locator(".manage-list")).to_contain_text("Dana stands in")
        write(page, page.locator("#f-to"), "Dana")
        press(page, page.get_by_role("button", name="Hand over"))
        expect(page.locator("section[aria-labelledby=h-work]")).to_contain_text("None.")
        eyes.look("away")
        session.expire_all()
        assert [session.get_one(Lead, lead_id).owner_id for lead_id in hers] == [dana.id, dana.id]
        absence = session.scalars(select(Absence)).one()
        assert (absence.user_id, absence.deputy_id) == (anna.id, dana.id)
        page.goto("/desk/team")
        expect(page.locator("main")).to_contain_text("Away now")
        eyes.look("team-after")

        page.goto("/desk/figures")
        eyes.look("figures", dark=True)


def folded(page: Page, words: str) -> Locator:
    return page.locator("summary", has_text=words)


def terms_of(session: Session, lead: Lead) -> DealerTerms:
    rows = select(DealerTerms).where(
        DealerTerms.dealer_id == lead.dealer_id, DealerTerms.holds_at(TUESDAY + HOUR)
    )
    return session.scalars(rows).one()


# By keys alone


def at_the_desk(page: Page) -> tuple[str, str]:
    """The form and the field that keys reach now."""
    form, field = page.evaluate(
        "() => [document.activeElement.closest('[id][data-act]')?.id, document.activeElement.name]"
    )
    return form or "", field or ""


def test_every_action_by_keyboard(
    site: Site,
    clock: time_machine.Traveller,
    session: Session,
    cast: dict[str, User],
    offered_lead: Callable[..., Lead],
) -> None:
    clock.move_to(TUESDAY)
    taken, refused = (offered_lead(at=TUESDAY, **somebody()) for _each in range(2))
    dealer_id = taken.dealer_id
    page = site.page(cast["anna"])

    page.goto(f"/desk/leads/{refused.id}")
    for key, name, first in (
        ("a", "accept", ""),
        ("d", "decline", "reason"),
        ("n", "note", "note"),
    ):
        page.keyboard.press(key)
        assert at_the_desk(page) == (name, first), key
        page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("d")
    page.keyboard.press("ArrowDown")
    press(page, page.locator("#decline button[type=submit]"))
    page.wait_for_url("**/desk/")
    session.expire_all()
    assert session.get_one(Lead, refused.id).dealer_id != dealer_id

    page.goto(f"/desk/leads/{taken.id}")
    page.keyboard.press("a")
    # Keys are listened to once the next page has loaded, not once it is seen.
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("#contacted")).to_be_visible()
    for key, name, first in (("c", "contacted", "how"), ("r", "reply", ""), ("n", "note", "note")):
        page.keyboard.press(key)
        assert at_the_desk(page)[0] == name, key
        assert first in ("", at_the_desk(page)[1]), key
        page.evaluate("() => document.activeElement.blur()")
    page.goto(f"/desk/leads/{taken.id}")
    page.keyboard.press("c")
    press(page, page.locator("#contacted button[type=submit]"))
    # The result is asked for by the browser, which stands in it then.
    assert page.evaluate("() => document.activeElement.name") == "result"
    page.keyboard.press("Space")
    with page.expect_navigation():
        press(page, page.locator("#contacted button[type=submit]"))
    expect(page.locator("h1 + .badge, .page-head")).to_contain_text("Contacted")
    session.expire_all()
    assert session.get_one(Lead, taken.id).status == "contacted"

    wanted = {"contacted", "plan", "reply", "note", "won", "lost", "rest", "hand", "ask"}
    assert forms_by_tab(page, wanted) >= wanted


def forms_by_tab(page: Page, wanted: set[str]) -> set[str]:
    """The forms whose button Tab reaches, each of which Enter opens, and Tab enters; until there
    are all that are `wanted`."""
    page.evaluate("() => document.activeElement.blur()")
    reached: set[str] = set()
    for _press in range(120):
        if reached >= wanted:
            break
        page.keyboard.press("Tab")
        name = page.evaluate(
            "() => document.activeElement.matches('details.act > summary')"
            " ? document.activeElement.parentElement.id : ''"
        )
        if not name or name in reached:
            continue
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        inside = "name => document.getElementById(name).contains(document.activeElement)"
        assert page.evaluate(inside, name), name
        page.locator(f"#{name} > summary").focus()
        page.keyboard.press("Enter")
        reached.add(name)
    return reached


# Where no script runs


@pytest.mark.parametrize("scripts", ["blocked", "failing"])
def test_the_desk_works_without_its_scripts(
    site: Site,
    clock: time_machine.Traveller,
    session: Session,
    sessions: SessionFactory,
    post: Post,
    cast: dict[str, User],
    offered_lead: Callable[..., Lead],
    scripts: str,
) -> None:
    # Its template asks for what nobody knows any more: the page stands all the same.
    text = {"subject": "{{ model }}", "body": "Dzień dobry {{ name }}! {{ forgotten }}"}
    session.add(ReplyTemplate(name="Hello", texts={"pl": text}))
    session.commit()
    clock.move_to(TUESDAY)
    person = somebody()
    taken, refused = offered_lead(at=TUESDAY, **person), offered_lead(at=TUESDAY, **somebody())
    dealer_id = taken.dealer_id
    page = site.page(cast["anna"], java_script_enabled=scripts != "blocked")
    if scripts == "failing":
        page.route("**/*.js*", lambda route: route.abort())

    page.goto("/desk/?tab=new")
    with page.expect_navigation():
        page.locator(f"#lead-{refused.id}").click()
    page.locator("#decline > summary").click()
    pick(page.locator("#decline"), "no_capacity").click()
    page.locator("#decline button[type=submit]").click()
    page.wait_for_url("**/desk/")
    session.expire_all()
    assert session.get_one(Lead, refused.id).dealer_id != dealer_id

    page.goto(f"/desk/leads/{taken.id}")
    with page.expect_navigation():
        page.locator("button[name=quick][value=hour]").click()
    form = page.locator("#contacted")
    form.locator("summary").click()
    pick(form, "reached").click()
    with page.expect_navigation():
        form.locator("button[type=submit]").click()
    form = page.locator("#plan")
    form.locator("> summary").click()
    pick(form, "test_drive").click()
    pick(form, "opening").click()
    with page.expect_navigation():
        form.locator("button[type=submit]").click()
    expect(page.locator("section[aria-labelledby=h-plans]")).to_contain_text("Test drive")

    form = page.locator("#reply")
    form.locator("> summary").click()
    expect(form.locator("[name=body]")).to_have_value(re.compile("Dzień dobry Jan Kowal"))
    form.locator("[name=body]").fill("Dzień dobry! Do zobaczenia.")
    with page.expect_navigation():
        form.locator("button[value=send]").click()
    outbox.send_due(sessions, site.settings, TUESDAY + MINUTE)
    assert any("Do zobaczenia." in words(mail) for mail in post.to(person["email"]))

    form = page.locator("#won")
    form.locator("> summary").click()
    form.locator("[name=order_number]").fill("A-1")
    form.locator("button[type=submit]").click()
    expect(page.locator("main")).to_contain_text("A-1")
    session.expire_all()
    assert session.get_one(Lead, taken.id).status == "won"
    kinds = session.scalars(select(PlannedAction.kind).order_by(PlannedAction.id)).all()
    assert kinds == ["call", "test_drive"]
