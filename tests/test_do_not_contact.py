"""Who wants to hear nothing is left alone, until they ask for something themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import donotcontact, pipeline
from lmt.config import Settings
from lmt.convert import service as convert
from lmt.db import SessionFactory
from lmt.ingest.contactlist import contacts_of, decoded
from lmt.links import lead_of_stop_token, status_token, stop_token
from lmt.models import ConsentText, Event, Lead, Source, Suppression, User
from lmt.scope import SYSTEM, act_as, actor_of
from tests.world import FRIDAY, World, send, warsaw_lead

TEN = FRIDAY + timedelta(hours=2)
PHONE, MAIL = "+48512345678", "jan@example.com"


def listed(session: Session) -> set[tuple[str, str, str]]:
    rows = session.scalars(select(Suppression).where(Suppression.lifted_at.is_(None)))
    return {(row.kind, row.value, row.origin) for row in rows}


def stopped(session: Session, world: World, market: str = "PL") -> frozenset[str]:
    return donotcontact.stopped(
        session, phone=PHONE, email="Jan@Example.com", market_id=world.markets[market]
    )


def accepted(session: Session, sessions: SessionFactory, anna: User, lead: Lead) -> Lead:
    pipeline.accept(session, lead.id, at=FRIDAY, actor=actor_of(anna))
    act_as(session, SYSTEM)
    return session.get_one(Lead, lead.id)


# The lists


def test_a_list_holds_in_its_market_and_a_general_one_everywhere(
    session: Session, world: World
) -> None:
    pl = world.markets["PL"]
    donotcontact.suppress(session, "phone", PHONE, market_id=pl, origin="list", at=FRIDAY)
    assert stopped(session, world) == {"phone"}
    assert stopped(session, world, "GULF") == set()
    donotcontact.suppress(session, "email", MAIL, market_id=None, origin="list", at=FRIDAY)
    assert stopped(session, world, "GULF") == {"email"}
    assert stopped(session, world) == {"phone", "email"}


def test_the_same_entry_twice_is_one_and_can_be_made_anew_after_it_was_lifted(
    session: Session, world: World
) -> None:
    pl = world.markets["PL"]

    def add() -> bool:
        return donotcontact.suppress(
            session, "phone", PHONE, market_id=pl, origin="person", at=FRIDAY
        )

    assert [add(), add()] == [True, False]
    entry = session.scalars(select(Suppression)).one()
    donotcontact.lift(session, entry.id, actor_id=None, at=TEN)
    session.flush()
    assert stopped(session, world) == set()
    assert add()


def test_a_dealer_respects_a_list_it_cannot_read(
    session: Session, world: World, cast: dict[str, User]
) -> None:
    donotcontact.suppress(session, "phone", PHONE, market_id=None, origin="list", at=FRIDAY)
    session.commit()
    act_as(session, actor_of(cast["anna"]))
    assert stopped(session, world) == {"phone"}
    assert session.scalars(select(Suppression)).all() == []


@pytest.mark.parametrize(
    ("text", "found", "unread"),
    [
        ("512 345 678\n+971 50 123 4567", [("phone", PHONE), ("phone", "+971501234567")], []),
        ("phone;mail\n512345678;Jan@Example.com", [("phone", PHONE), ("email", MAIL)], []),
        ("٠٥١٢٣٤٥٦٧٨", [], [1]),
        ("Jan@Example.com, other@example.org", [("email", MAIL), ("email", "other@example.org")],
         []),
        ("512345678\n\nJan Kowal\n512 345 678", [("phone", PHONE)], [3]),
        ("", [], []),
        ("\"512 345 678\",\"Kowal, Jan\"", [("phone", PHONE)], []),
    ],
)  # fmt: skip
def test_a_list_is_read_as_people_keep_it(
    text: str, found: list[tuple[str, str]], unread: list[int]
) -> None:
    read = contacts_of(text, ["PL"])
    assert (list(read.contacts), [number for number, _text in read.unread]) == (found, unread)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_an_uploaded_list_is_decoded(coding: str) -> None:
    assert decoded("Müller;512345678".encode(coding)) == "Müller;512345678"


# What feeds them, what they stop


def test_wants_no_contact_feeds_the_lists_and_taking_it_back_clears_them(
    session: Session,
    sessions: SessionFactory,
    world: World,
    cast: dict[str, User],
    offered_lead: Callable[..., Lead],
) -> None:
    lead = accepted(session, sessions, cast["anna"], offered_lead())
    anna = actor_of(cast["anna"])
    convert.lost(session, lead.id, reason="do_not_contact", at=TEN, actor=anna)
    act_as(session, SYSTEM)
    assert listed(session) == {("phone", PHONE, "outcome"), ("email", MAIL, "outcome")}
    told = session.scalars(select(Event).where(Event.kind == "do_not_contact")).one()
    assert (told.lead_id, told.data["origin"]) == (lead.id, "outcome")
    convert.reopen(session, lead.id, at=TEN, actor=anna)
    act_as(session, SYSTEM)
    assert listed(session) == set()


def test_a_bought_list_is_not_called_but_a_fresh_request_is_answered(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    pl = world.markets["PL"]
    for kind, value in (("phone", PHONE), ("email", MAIL)):
        donotcontact.suppress(session, kind, value, market_id=pl, origin="list", at=FRIDAY)
    session.add(
        Source(code="bought", kind="api", name="Bought", market_id=pl, country="PL",
               brand_id=world.brand_id, solicited=True)
    )  # fmt: skip
    session.commit()
    bought = send(session, "bought", warsaw_lead(), FRIDAY)
    pipeline.advance(sessions, bought.id, FRIDAY)
    fresh = send(session, "api-pl", warsaw_lead(), FRIDAY)
    pipeline.advance(sessions, fresh.id, FRIDAY)
    session.expire_all()
    assert (bought.status, bought.cause, bought.dealer_id) == ("withdrawn", "suppressed", None)
    assert fresh.status == "offered"


def test_a_bought_lead_that_can_still_be_mailed_goes_on(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    pl = world.markets["PL"]
    donotcontact.suppress(session, "phone", PHONE, market_id=pl, origin="list", at=FRIDAY)
    session.add(
        Source(code="bought", kind="api", name="Bought", market_id=pl, country="PL",
               brand_id=world.brand_id, solicited=True)
    )  # fmt: skip
    session.commit()
    lead = send(session, "bought", warsaw_lead(), FRIDAY)
    pipeline.advance(sessions, lead.id, FRIDAY)
    session.expire_all()
    assert lead.status == "offered"


def test_a_resting_lead_of_somebody_listed_meanwhile_does_not_come_back_for_a_call(
    session: Session,
    sessions: SessionFactory,
    world: World,
    cast: dict[str, User],
    offered_lead: Callable[..., Lead],
) -> None:
    lead = accepted(session, sessions, cast["anna"], offered_lead())
    anna, spring = actor_of(cast["anna"]), FRIDAY + timedelta(days=30)
    pipeline.rest(session, lead.id, until=spring, note="", at=TEN, actor=anna)
    act_as(session, SYSTEM)
    for kind, value in (("phone", PHONE), ("email", MAIL)):
        donotcontact.suppress(session, kind, value, market_id=None, origin="list", at=TEN)
    session.commit()
    pipeline.advance(sessions, lead.id, spring)
    session.expire_all()
    assert (lead.status, lead.cause) == ("withdrawn", "suppressed")


# The customer's link


def test_looking_at_the_stop_page_changes_nothing_and_pressing_does(
    client: FlaskClient, settings: Settings, session: Session, sent_lead: Callable[..., Lead]
) -> None:
    lead = sent_lead(at=FRIDAY)
    token = stop_token(settings.secret_key, lead.id, FRIDAY)
    page = client.get(f"/r/stop/{token}?lang=en")
    assert page.status_code == 200
    assert "No more offers" in page.text
    assert "Kowal" not in page.text
    assert listed(session) == set()
    assert client.post(f"/r/stop/{token}?lang=en", data={}).status_code == 422
    done = client.post(f"/r/stop/{token}?lang=en", data={"phone": "1"})
    assert "Done." in done.text
    assert listed(session) == {("phone", PHONE, "unsubscribe")}


def test_a_mail_program_stops_the_mails_by_one_click(
    client: FlaskClient, settings: Settings, session: Session, sent_lead: Callable[..., Lead]
) -> None:
    token = stop_token(settings.secret_key, sent_lead(at=FRIDAY).id, FRIDAY)
    answer = client.post(f"/r/stop/{token}", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert listed(session) == {("email", MAIL, "unsubscribe")}


def test_the_links_of_the_two_pages_do_not_open_each_other(
    client: FlaskClient, settings: Settings, sent_lead: Callable[..., Lead]
) -> None:
    lead = sent_lead(at=FRIDAY)
    secret = settings.secret_key
    assert client.get(f"/r/stop/{status_token(secret, lead.id, FRIDAY)}").status_code == 404
    assert client.get(f"/r/{stop_token(secret, lead.id, FRIDAY)}").status_code == 404
    assert lead_of_stop_token(secret, "forged", FRIDAY) is None


# Headquarters' pages

Login = Callable[[FlaskClient, User], FlaskClient]


def test_headquarters_uploads_a_list_and_takes_an_entry_off(
    client: FlaskClient, login: Login, cast: dict[str, User], session: Session
) -> None:
    login(client, cast["hana"])
    page = client.post(
        "/hq/do-not-contact",
        data={
            "market": "PL",
            "reason": "National register",
            "file": (BytesIO("phone\n512345678\nnobody\n".encode("utf-16")), "list.csv"),
        },
    )
    assert page.status_code == 200
    assert "Line 3" in page.text
    assert "nobody" in page.text
    assert listed(session) == {("phone", PHONE, "list")}
    assert PHONE in client.get("/hq/do-not-contact?search=512 345 678").text
    entry = session.scalars(select(Suppression)).one()
    assert entry.author_id == cast["hana"].id
    client.post(f"/hq/do-not-contact/{entry.id}/lift")
    session.expire_all()
    assert listed(session) == set()
    assert entry.lifted_by == cast["hana"].id


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"market": "PL"}, "Enter phones or mail addresses"),
        ({"market": "GULF", "contacts": "512345678"}, "Choose a market."),
        ({"market": "*", "contacts": "512345678"}, "Choose a market."),
        (
            {"market": "PL", "contacts": "hello\nworld"},
            "1 line holds neither a phone nor a mail address",
        ),
    ],
)
def test_what_cannot_be_added_is_told(
    client: FlaskClient, login: Login, cast: dict[str, User], session: Session,
    given: dict[str, str], told: str,
) -> None:  # fmt: skip
    login(client, cast["hana"])
    answer = client.post("/hq/do-not-contact", data=given)
    assert answer.status_code == 422
    assert told in answer.text
    assert listed(session) == set()


def test_a_consent_text_is_a_new_version_each_time(
    client: FlaskClient, login: Login, cast: dict[str, User], session: Session
) -> None:
    login(client, cast["hana"])
    given = {
        "market": "PL", "purpose": "contact", "version": "2026-03", "language": "pl",
        "text": "Zgadzam się na kontakt.",
    }  # fmt: skip
    assert client.post("/hq/consent-texts", data=given).status_code == 302
    again = client.post("/hq/consent-texts", data={**given, "text": "Inny tekst."})
    assert again.status_code == 422
    assert "This version exists" in again.text
    text = session.scalars(select(ConsentText)).one()
    assert (text.text, len(text.hash)) == ("Zgadzam się na kontakt.", 64)
    bad = client.post("/hq/consent-texts", data={**given, "version": "März 2026", "language": ""})
    assert bad.status_code == 422
    assert "Choose a language." in bad.text


@pytest.mark.parametrize("name", ["anna", "bert", "cem"])
def test_others_do_not_see_the_lists(
    client: FlaskClient, login: Login, cast: dict[str, User], name: str
) -> None:
    login(client, cast[name])
    assert client.get("/hq/do-not-contact").status_code == 403
    assert client.get("/hq/consent-texts").status_code == 403
