"""A mail's link does its one thing once, for a person who presses, and nothing for a machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from lxml import html as lxml_html
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.followup import service as following
from lmt.models import Event, Lead, MailMute, Message, Offer, PlannedAction, Tap, User
from lmt.notify import outbox
from lmt.notify import service as notify
from lmt.scope import actor_of
from lmt.taps.calltimes import call_at, call_times
from lmt.workhours import Calendar
from tests.post import Post, post_office, words
from tests.world import FRIDAY, World

OPENS = FRIDAY + timedelta(hours=1)
"""PL-WAW-1 opens at nine, Warsaw time."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MAILBOX = "pl-waw-1@dealers.example"


@dataclass
class Desk:
    """A dealer's mailbox, and the world that it acts upon."""

    sessions: SessionFactory
    session: Session
    settings: Settings
    post: Post
    client: FlaskClient

    def deliver(self, at: datetime) -> None:
        outbox.send_due(self.sessions, self.settings, at)

    def links(self, mail: int = -1, to: str = MAILBOX) -> dict[str, str]:
        """The one-tap links of a mail, by their words."""
        part = self.post.to(to)[mail].get_body(("html",))
        page = lxml_html.document_fromstring(part.get_content())
        return {
            anchor.text_content().strip(): anchor.get("href").removeprefix("http://localhost")
            for anchor in page.iter("a")
            if "/t/" in anchor.get("href")
        }

    def lead(self) -> Lead:
        self.session.expire_all()
        return self.session.scalars(select(Lead)).one()

    def events(self, kind: str) -> list[Event]:
        return list(self.session.scalars(select(Event).where(Event.kind == kind)))

    def used(self) -> int:
        number = select(func.count()).where(Tap.used_at.is_not(None)).select_from(Tap)
        return self.session.scalars(number).one()


@pytest.fixture
def desk(
    sessions: SessionFactory, session: Session, settings: Settings, client: FlaskClient
) -> Iterator[Desk]:
    with post_office() as post, time_machine.travel(OPENS, tick=False):
        yield Desk(sessions, session, replace(settings, smtp_url=post.url), post, client)


@pytest.fixture
def offered(desk: Desk, offered_lead: Callable[..., Lead]) -> Desk:
    """A lead was offered, and its mail has come."""
    offered_lead(at=OPENS)
    desk.session.execute(update(Message).values(language="en"))
    desk.session.commit()
    desk.deliver(OPENS)
    return desk


SCANNERS = [
    ("GET", {}),
    ("HEAD", {}),
    ("GET", {"Sec-Purpose": "prefetch"}),
    ("GET", {"User-Agent": "Mozilla/5.0 (compatible; SafeLinks)", "Sec-Fetch-Site": "cross-site"}),
    ("GET", {"User-Agent": "Mozilla/5.0 (compatible; SafeLinks)", "Sec-Fetch-Site": "cross-site"}),
    ("OPTIONS", {}),
]


def test_scanners_change_nothing_and_the_press_works_once(offered: Desk) -> None:
    accept = offered.links()["Accept"]
    for link in offered.links().values():
        for method, headers in SCANNERS:
            answer = offered.client.open(link, method=method, headers=headers)
            assert answer.status_code == 200
            assert "Set-Cookie" not in answer.headers
    assert (offered.lead().status, offered.used(), offered.events("tapped")) == ("offered", 0, [])
    assert offered.client.post(accept).status_code == 303
    assert (offered.lead().status, offered.used()) == ("accepted", 1)
    offered.client.post(accept)
    assert len(offered.events("accepted")) == len(offered.events("tapped")) == 1


def test_mail_to_an_accepted_lead_with_a_planned_call_in_two_taps(offered: Desk) -> None:
    accept = offered.links()["Accept"]  # The first tap.
    page = lxml_html.document_fromstring(offered.client.get(accept).text)
    first = page.xpath("//button[@name='call_at']")[0]
    assert "9:15" in first.text_content()
    answer = offered.client.post(accept, data={"call_at": first.get("value")})  # The second.
    plan = offered.session.scalars(select(PlannedAction)).one()
    assert (offered.lead().status, plan.kind) == ("accepted", "call")
    assert plan.due_at == OPENS + 15 * MINUTE
    done = offered.client.get(answer.headers["Location"]).text
    assert "The lead was accepted" in done
    assert f"/desk/leads/{offered.lead().id}" in done


def test_the_page_is_private_and_names_nobody(offered: Desk) -> None:
    for link in offered.links().values():
        answer = offered.client.get(link)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert not re.search(r"Kowal|512|jan@|Cześć|script", answer.text)
        assert "Mira" in answer.text
        assert offered.lead().reference in answer.text


def test_only_the_hash_of_a_link_is_kept_and_a_repeated_mail_has_the_same(offered: Desk) -> None:
    before = offered.links()
    token = before["Accept"].rsplit("/", 1)[1]
    kept = offered.session.scalars(select(Tap.token_hash)).all()
    assert token not in kept
    message = offered.session.scalars(
        select(Message).where(Message.kind == "dealer_new_lead")
    ).one()
    outbox.resend(offered.session, message.id, OPENS + MINUTE)
    offered.deliver(OPENS + MINUTE)
    assert offered.links() == before
    assert len(offered.session.scalars(select(Tap.id)).all()) == len(kept) == 2


def test_decline_asks_why(offered: Desk) -> None:
    decline = offered.links()["Decline"]
    refused = offered.client.post(decline, data={"note": "Sorry"})
    assert refused.status_code == 422
    assert "Choose a reason." in refused.text
    assert offered.lead().status == "offered"
    offered.client.post(decline, data={"reason": "no_capacity", "note": "Sorry"})
    (event,) = offered.events("offer_declined")
    assert (event.data["reason"], event.data["note"]) == ("no_capacity", "Sorry")
    assert "was declined" in offered.client.get(decline).text
    # The other link of the same mail comes too late.
    late = offered.links(0)["Accept"]
    offered.client.post(late)
    assert "Too late" in offered.client.get(late).text


def test_the_dealer_hears_of_every_tap(offered: Desk) -> None:
    offered.client.post(offered.links()["Accept"])
    offered.client.post(offered.links()["Accept"])
    offered.session.execute(
        update(Message).where(Message.kind == "dealer_tapped").values(language="en")
    )
    offered.session.commit()
    offered.deliver(OPENS + MINUTE)
    told = [m for m in offered.post.to(MAILBOX) if "mail's link" in str(m["Subject"])]
    assert len(told) == 1
    assert "Accept the lead" in words(told[0])
    assert "Kowal" not in words(told[0])


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({}, 303),
    ],
)
def test_no_other_site_presses(offered: Desk, headers: dict[str, str], code: int) -> None:
    assert offered.client.post(offered.links()["Accept"], headers=headers).status_code == code


def test_a_link_lives_as_long_as_its_offer(offered: Desk) -> None:
    link = offered.links()["Accept"]
    offer = offered.session.scalars(select(Offer)).one()
    with time_machine.travel(offer.expires_at + MINUTE, tick=False):
        assert "Too late" in offered.client.get(link).text
        offered.client.post(link)
    assert (offered.lead().status, offered.used()) == ("offered", 0)


def test_a_lead_that_went_to_a_rival_is_out_of_reach(offered: Desk, world: World) -> None:
    link = offered.links()["Accept"]
    rival = world.dealers["PL-WAW-2"]
    offered.session.execute(update(Lead).values(dealer_id=rival))
    offered.session.execute(update(Offer).values(dealer_id=rival))
    offered.session.commit()
    offered.client.post(link)
    assert "Too late" in offered.client.get(link).text
    assert offered.lead().status == "offered"


def test_forged_links_and_bad_times_do_nothing(offered: Desk) -> None:
    link = offered.links()["Accept"]
    assert offered.client.get(link[:-1] + "~").status_code == 404
    assert offered.client.post("/t/guess").status_code == 404
    for said in ("soon", "2026-03-06T10:00", "2027-01-01T10:00:00+00:00"):
        assert offered.client.post(link, data={"call_at": said}).status_code == 422
    assert offered.lead().status == "offered"


@pytest.fixture
def planned(desk: Desk, offered_lead: Callable[..., Lead], cast: dict[str, User]) -> Desk:
    """Anna took a lead, plans a call, and is reminded of it."""
    lead, anna = offered_lead(at=OPENS), cast["anna"]
    pipeline.accept(desk.session, lead.id, at=OPENS, actor=actor_of(anna))
    plan = following.plan(
        desk.session, lead.id, kind="call", due_at=OPENS + HOUR, at=OPENS, actor=actor_of(anna)
    )
    notify.remind_plan(desk.session, desk.session.get_one(PlannedAction, plan.id), OPENS)
    desk.session.commit()
    desk.deliver(OPENS + MINUTE)
    return desk


@pytest.mark.parametrize(
    ("button", "result"), [("I reached the customer", "reached"), ("Nobody answered", "no_answer")]
)
def test_how_a_call_went_is_noted_by_one_tap(
    planned: Desk, cast: dict[str, User], button: str, result: str
) -> None:
    link = planned.links(to="anna@lmt.example")[button]
    planned.client.post(link)
    (event,) = planned.events("contacted")
    assert (event.data["result"], event.actor_id) == (result, cast["anna"].id)
    assert planned.lead().status == ("contacted" if result == "reached" else "accepted")


def test_a_step_is_done_once(planned: Desk) -> None:
    links = planned.links(to="anna@lmt.example")
    planned.client.post(links["It is done"])
    assert planned.session.scalars(select(PlannedAction.done_at)).one() == OPENS
    assert "Nothing left to do" in planned.client.get(links["Nobody answered"]).text


def test_links_die_with_the_account_of_their_reader(planned: Desk) -> None:
    link = planned.links(to="anna@lmt.example")["It is done"]
    planned.session.execute(
        update(User).where(User.email == "anna@lmt.example").values(active=False)
    )
    planned.session.commit()
    planned.client.post(link)
    assert "too old" in planned.client.get(link).text
    assert planned.events("plan_done") == []


def test_a_link_is_too_old_after_two_weeks(planned: Desk) -> None:
    link = planned.links(to="anna@lmt.example")["It is done"]
    with time_machine.travel(OPENS + 15 * DAY, tick=False):
        planned.client.post(link)
        assert "too old" in planned.client.get(link).text
    assert planned.used() == 0


def test_pages_speak_the_readers_language(offered: Desk) -> None:
    page = offered.client.get(offered.links()["Decline"] + "?lang=ar").text
    assert '<html lang="ar" dir="rtl">' in page


WARSAW = Calendar("Mo-Fr 09:00-13:00,14:00-18:00; Sa 09:00-14:00", "Europe/Warsaw", "PL")


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (utc(6, 8, 2), (utc(6, 8, 20), utc(7, 8))),
        (utc(6, 12, 30), (utc(6, 13), utc(7, 8))),
        (utc(6, 18), (utc(7, 8), utc(9, 8))),
        (utc(7, 12, 50), (utc(9, 8), utc(10, 8))),
    ],
    ids=["open", "lunch", "evening", "weekend"],
)
def test_times_to_call(at: datetime, expected: tuple[datetime, ...]) -> None:
    assert call_times(WARSAW, at) == expected


def test_a_dealer_that_never_opens_can_still_call() -> None:
    assert call_times(Calendar("off", "Europe/Warsaw", "PL"), utc(6, 8)) == (utc(6, 8, 15),)


def test_a_time_that_passed_while_the_page_was_open_is_now() -> None:
    assert call_at(utc(6, 8).isoformat(), utc(6, 9)) == utc(6, 9)


def test_mute_page_survives_forgery(desk: Desk) -> None:
    assert desk.client.get("/t/mute/nothing").status_code == 404
    assert desk.client.post("/t/mute/ü").status_code == 404
    assert desk.session.scalars(select(MailMute.kind)).all() == []
