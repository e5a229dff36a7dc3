"""The mail of a dealer's morning, and that of a manager's week: once, in the morning, if needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.config import Settings
from lmt.convert import service as converting
from lmt.db import SessionFactory
from lmt.followup import service as following
from lmt.models import Absence, Lead, MailMute, Message, PlannedAction, Tap, User
from lmt.notify import outbox
from lmt.notify.digests import enqueue_due
from lmt.reports.refresh import refresh
from lmt.reports.weekfigures import week_figures
from lmt.scope import actor_of
from tests.post import Post, post_office, words
from tests.world import FRIDAY, World, somebody

OPENS = FRIDAY + timedelta(hours=1)
"""PL-WAW-1 opens at nine, Warsaw time."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ANNA, BERT = "anna@lmt.example", "bert@lmt.example"
MONDAY = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as office:
        yield office


@pytest.fixture
def by_smtp(settings: Settings, post: Post) -> Settings:
    return replace(settings, smtp_url=post.url)


@pytest.fixture
def busy(
    session: Session, offered_lead: Callable[..., Lead], cast: dict[str, User]
) -> tuple[Lead, Lead]:
    """Anna plans to call one customer; another one's lead is new."""
    anna = actor_of(cast["anna"])
    worked = offered_lead(at=FRIDAY - DAY, full_name="Ewa Nowak", **somebody())
    pipeline.accept(session, worked.id, at=FRIDAY - DAY + 2 * HOUR, actor=anna)
    following.plan(
        session, worked.id, kind="call", due_at=OPENS + 2 * HOUR, at=FRIDAY - DAY, actor=anna
    )
    new = offered_lead(at=FRIDAY, full_name="Jan Kowal", **somebody())
    return session.get_one(Lead, worked.id), session.get_one(Lead, new.id)


def put_out(session: Session, at: datetime, kind: str = "dealer_digest") -> list[str]:
    """Whom the job writes to at this instant."""
    before = set(session.scalars(select(Message.id)))
    enqueue_due(session, at, week_figures)
    made = session.scalars(select(Message).where(Message.kind == kind).order_by(Message.recipient))
    return [message.recipient for message in made if message.id not in before]


def test_everybody_who_works_on_leads_gets_their_morning(
    session: Session,
    sessions: SessionFactory,
    post: Post,
    by_smtp: Settings,
    busy: tuple[Lead, Lead],
    cast: dict[str, User],
) -> None:
    assert put_out(session, OPENS - MINUTE) == []
    assert put_out(session, OPENS) == [ANNA, BERT]
    assert put_out(session, OPENS + 10 * MINUTE) == []
    outbox.send_due(sessions, by_smtp, OPENS + 10 * MINUTE)
    (annas,), (berts,) = (
        [mail for mail in post.to(who) if "morning" in str(mail["Subject"])] for who in (ANNA, BERT)
    )
    assert "2 things to do" in str(annas["Subject"])
    for part in ("Ewa Nowak", "11:00", "Jan Kowal", "Take it by", "Accept: http://localhost/t/"):
        assert part in words(annas)
    # Anna's own plan is none of Bert's; the new lead is for whoever takes it.
    assert "Ewa" not in words(berts)
    assert "Jan Kowal" in words(berts)
    of_bert = select(Tap.purpose).where(Tap.user_id == cast["bert"].id)
    assert list(session.scalars(of_bert)) == ["accept"]


def test_nothing_to_say_is_no_mail(session: Session, world: World, cast: dict[str, User]) -> None:
    assert put_out(session, OPENS) == []


def test_what_is_only_a_colleagues_drops_the_mail(
    session: Session,
    sessions: SessionFactory,
    post: Post,
    by_smtp: Settings,
    busy: tuple[Lead, Lead],
    cast: dict[str, User],
) -> None:
    pipeline.accept(session, busy[1].id, at=OPENS, actor=actor_of(cast["anna"]))
    assert put_out(session, OPENS) == [ANNA, BERT]
    outbox.send_due(sessions, by_smtp, OPENS)
    session.expire_all()
    digests = session.scalars(select(Message).where(Message.kind == "dealer_digest"))
    status = {message.recipient: message.status for message in digests}
    assert status == {ANNA: "sent", BERT: "dropped"}


def test_a_dealer_without_people_reads_it_in_its_mailbox(
    session: Session, busy: tuple[Lead, Lead], cast: dict[str, User]
) -> None:
    session.execute(update(User).where(User.id != cast["omar"].id).values(active=False))
    session.commit()
    assert put_out(session, OPENS) == ["pl-waw-1@dealers.example"]


def test_who_is_away_gets_none_and_the_deputy_reads_theirs(
    session: Session,
    sessions: SessionFactory,
    post: Post,
    by_smtp: Settings,
    busy: tuple[Lead, Lead],
    cast: dict[str, User],
) -> None:
    session.add(
        Absence(
            user_id=cast["anna"].id,
            deputy_id=cast["bert"].id,
            starts_at=FRIDAY - HOUR,
            ends_at=FRIDAY + DAY,
        )
    )
    session.commit()
    assert put_out(session, OPENS) == [BERT]
    outbox.send_due(sessions, by_smtp, OPENS)
    mail = next(m for m in post.to(BERT) if "morning" in str(m["Subject"]))
    assert "Ewa Nowak" in words(mail)


def test_mornings_of_an_outage_are_not_made_up_for(
    session: Session, busy: tuple[Lead, Lead]
) -> None:
    assert put_out(session, OPENS + 4 * HOUR) == []
    # Saturday opens at nine again; Sunday is a day off.
    assert put_out(session, OPENS + DAY) == [ANNA, BERT]
    assert put_out(session, OPENS + 2 * DAY) == []


def test_a_mail_held_up_until_the_next_day_is_dropped(
    session: Session,
    sessions: SessionFactory,
    post: Post,
    by_smtp: Settings,
    busy: tuple[Lead, Lead],
) -> None:
    assert put_out(session, OPENS) == [ANNA, BERT]
    outbox.send_due(sessions, by_smtp, OPENS + DAY)
    kept = select(Message.status).where(Message.kind == "dealer_digest")
    assert set(session.scalars(kept)) == {"dropped"}


def test_queries_do_not_grow_with_the_leads(
    session: Session,
    busy: tuple[Lead, Lead],
    offered_lead: Callable[..., Lead],
    count_queries: list[str],
) -> None:
    count_queries.clear()
    enqueue_due(session, OPENS, week_figures)
    few = len(count_queries)
    session.execute(delete(Message).where(Message.kind == "dealer_digest"))
    session.commit()
    for _number in range(3):
        offered_lead(at=FRIDAY, **somebody())
    count_queries.clear()
    enqueue_due(session, OPENS, week_figures)
    assert len(count_queries) <= few


def test_long_lists_are_cut_and_counted(
    session: Session,
    sessions: SessionFactory,
    post: Post,
    by_smtp: Settings,
    busy: tuple[Lead, Lead],
    cast: dict[str, User],
) -> None:
    for number in range(24):
        session.add(
            PlannedAction(
                lead_id=busy[0].id,
                dealer_id=busy[0].dealer_id,
                owner_id=cast["anna"].id,
                kind="visit",
                due_at=OPENS + HOUR + number * MINUTE,
                created_at=FRIDAY - DAY,
            )
        )
    session.commit()
    put_out(session, OPENS)
    outbox.send_due(sessions, by_smtp, OPENS)
    mail = next(m for m in post.to(ANNA) if "morning" in str(m["Subject"]))
    assert "And 5 more." in words(mail)
    assert "26 things to do" in str(mail["Subject"])


def test_one_press_ends_these_mails_and_another_brings_them_back(
    session: Session,
    sessions: SessionFactory,
    post: Post,
    by_smtp: Settings,
    busy: tuple[Lead, Lead],
    client: FlaskClient,
) -> None:
    put_out(session, OPENS)
    outbox.send_due(sessions, by_smtp, OPENS)
    mail = next(m for m in post.to(ANNA) if "morning" in str(m["Subject"]))
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    link = urlsplit(str(mail["List-Unsubscribe"]).strip(" <>")).path
    with time_machine.travel(OPENS, tick=False):
        assert client.get(link).status_code == 200
        assert session.scalars(select(func.count(MailMute.kind))).one() == 0
        # What a mail program sends by itself, from wherever it lives.
        pressed = client.post(
            link,
            data={"List-Unsubscribe": "One-Click"},
            headers={"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"},
        )
        assert pressed.status_code == 200
    assert put_out(session, OPENS + DAY) == [BERT]
    session.execute(delete(Message).where(Message.recipient == BERT))
    session.commit()
    client.post(link, data={"again": "1"})
    assert put_out(session, OPENS + DAY) == [ANNA, BERT]


def test_a_week_is_told_on_its_first_working_morning_to_who_leads_the_team(
    session: Session,
    sessions: SessionFactory,
    post: Post,
    by_smtp: Settings,
    busy: tuple[Lead, Lead],
    cast: dict[str, User],
) -> None:
    worked, _new = busy
    converting.won(session, worked.id, at=OPENS, actor=actor_of(cast["anna"]))
    session.commit()
    refresh(sessions, MONDAY)
    assert put_out(session, OPENS, "manager_weekly") == []
    assert put_out(session, MONDAY, "manager_weekly") == [BERT]
    assert put_out(session, MONDAY + 10 * MINUTE, "manager_weekly") == []
    outbox.send_due(sessions, by_smtp, MONDAY)
    (mail,) = [m for m in post.to(BERT) if "Your week" in str(m["Subject"])]
    told = words(mail)
    for line in ("Leads offered: 2", "Taken: 1 (100%)", "Sold: 1", "Open now: 1", "March 2, 2026"):
        assert line in told
    # In a market of so few dealers its middle would name a rival.
    assert "Market:" not in told
    assert "List-Unsubscribe" in mail


def test_a_week_begins_later_where_its_first_day_is_off(
    session: Session, busy: tuple[Lead, Lead], world: World
) -> None:
    # Polish dealers are closed on Easter Monday, 6 April.
    tuesday = datetime(2026, 4, 7, 7, 0, tzinfo=UTC)
    assert put_out(session, tuesday - DAY, "manager_weekly") == []
    assert put_out(session, tuesday, "manager_weekly") == [BERT]
    assert put_out(session, tuesday + DAY, "manager_weekly") == []
