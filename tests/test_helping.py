"""A dealer asks headquarters or an expert about a lead; who is asked never learns whose it is."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import helping
from lmt.accounts.service import Scope, create_user
from lmt.models import HelpThread, Lead, Message, User
from lmt.scope import SYSTEM, act_as, actor_of
from tests.world import PASSWORD, World, somebody

Login = Callable[[FlaskClient, User], FlaskClient]

NINE = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def lead(offered_lead: Callable[..., Lead]) -> Lead:
    return offered_lead(**somebody())


@pytest.fixture
def clients(app: Flask, cast: dict[str, User], login: Login) -> Callable[[User], FlaskClient]:
    return lambda user: login(app.test_client(), user)


def expert(session: Session, name: str, *scopes: Scope) -> User:
    user = create_user(
        session, f"{name}@lmt.example", name.title(), PASSWORD, roles=["expert"], scopes=scopes,
        language="en", timezone="Europe/Warsaw",
    )  # fmt: skip
    session.commit()
    return user


def ask(client: FlaskClient, lead: Lead, **given: object) -> str:
    answer = client.post(f"/desk/leads/{lead.id}/help", data=given, follow_redirects=True)
    return answer.text


def recipients(session: Session, kind: str) -> list[str]:
    act_as(session, SYSTEM)
    return sorted(session.scalars(select(Message.recipient).where(Message.kind == kind)))


def test_headquarters_is_asked_answers_and_the_dealer_reads_it(
    clients: Callable[[User], FlaskClient], cast: dict[str, User], lead: Lead, session: Session
) -> None:
    anna, hana, carla = (clients(cast[name]) for name in ("anna", "hana", "carla"))
    owner = lead.owner_id
    page = ask(anna, lead, question="Is there a fleet discount?", expert="")
    assert "Asked." in page
    assert "Question to headquarters" in page
    assert "hana@lmt.example" in recipients(session, "help_asked")
    thread = session.scalars(select(HelpThread)).one()
    listed = hana.get("/hq/questions").text
    assert "Is there a fleet discount?" in listed
    assert "Aurel Centrum" in listed
    address = f"/hq/questions/{thread.id}"
    assert lead.full_name in hana.get(address).text, "headquarters may see the lead"
    assert carla.get(address).status_code == 403
    empty = hana.post(f"{address}/answer", data={"answer": " "})
    assert empty.status_code == 422
    assert "Write an answer." in empty.text
    hana.post(f"{address}/answer", data={"answer": "Yes, from five cars on."})
    assert recipients(session, "help_answered") == ["anna@lmt.example"]
    assert "No questions here" in hana.get("/hq/questions").text
    assert "fleet discount" in hana.get("/hq/questions?show=answered").text
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert "Yes, from five cars on." in page
    assert "Help was given" in page
    session.expire_all()
    assert session.get_one(Lead, lead.id).owner_id == owner, "one owner throughout"
    assert thread.answered_at == NINE


def test_an_expert_reads_the_request_and_not_the_person(
    clients: Callable[[User], FlaskClient],
    cast: dict[str, User],
    lead: Lead,
    session: Session,
    world: World,
) -> None:
    vera = expert(session, "vera", Scope(market_id=world.markets["PL"]))
    gulf = expert(session, "gus", Scope(market_id=world.markets["GULF"]))
    anna = clients(cast["anna"])
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert "Vera" in page
    assert "Gus" not in page
    assert "Please choose whom to ask" in ask(anna, lead, question="Hm?", expert=gulf.id)
    ask(anna, lead, question="Which gearbox?", expert=vera.id)
    thread = session.scalars(select(HelpThread)).one()
    reader = clients(vera)
    page = reader.get(f"/hq/questions/{thread.id}").text
    for words in ("Which gearbox?", "Test drive", "Mira", lead.reference, "Aurel Centrum"):
        assert words in page
    for secret in (lead.full_name, lead.phone, lead.email, lead.comments):
        assert secret not in page
    assert reader.get(f"/hq/leads/{lead.id}").status_code == 403
    assert clients(gulf).get(f"/hq/questions/{thread.id}").status_code == 404
    reader.post(f"/hq/questions/{thread.id}/answer", data={"answer": "The automatic one."})
    assert "The automatic one." in anna.get(f"/desk/leads/{lead.id}").text


def test_an_expert_elsewhere_answers_without_seeing_the_lead(
    clients: Callable[[User], FlaskClient],
    cast: dict[str, User],
    lead: Lead,
    session: Session,
    world: World,
) -> None:
    """An expert whose part has moved on still answers what they were asked."""
    vera = expert(session, "vera", Scope(market_id=world.markets["PL"]))
    ask(clients(cast["anna"]), lead, question="Which gearbox?", expert=vera.id)
    vera.scopes[0].market_id = world.markets["GULF"]
    session.commit()
    thread = session.scalars(select(HelpThread)).one()
    reader = clients(vera)
    page = reader.get(f"/hq/questions/{thread.id}").text
    assert "Which gearbox?" in page
    assert "Mira" in page
    assert "Kowal" not in page
    reader.post(f"/hq/questions/{thread.id}/answer", data={"answer": "The automatic one."})
    assert recipients(session, "help_answered") == ["anna@lmt.example"]


def test_the_dealer_goes_on_and_closes(
    clients: Callable[[User], FlaskClient], cast: dict[str, User], lead: Lead, session: Session
) -> None:
    anna, carla = clients(cast["anna"]), clients(cast["carla"])
    assert "Please write your question" in ask(anna, lead, question="")
    ask(anna, lead, question="One")
    thread = session.scalars(select(HelpThread)).one()
    address = f"/desk/questions/{thread.id}"
    assert carla.post(f"{address}/post", data={"question": "Two"}).status_code == 404
    assert carla.post(f"{address}/close").status_code == 404
    page = anna.post(f"{address}/post", data={"question": "Two"}, follow_redirects=True).text
    own = re.findall(r'<li class="own">\s*<p dir="auto">(.*?)</p>', page)
    assert own == ["One", "Two"]
    session.expire_all()
    assert thread.answered_at is None, "its own word is no answer"
    anna.post(f"{address}/close")
    late = anna.post(f"{address}/post", data={"question": "Three"})
    assert late.status_code == 422
    assert "closed" in clients(cast["hana"]).get(f"/hq/questions/{thread.id}").text


def test_who_has_the_lead_later_does_not_read_what_was_asked(
    clients: Callable[[User], FlaskClient], cast: dict[str, User], lead: Lead, session: Session
) -> None:
    anna, carla = clients(cast["anna"]), clients(cast["carla"])
    ask(anna, lead, question="A secret of Centrum")
    anna.post(f"/desk/leads/{lead.id}/decline", data={"reason": "other"})
    page = carla.get(f"/desk/leads/{lead.id}").text
    assert "Kowal" in page
    assert "A secret of Centrum" not in page


def test_nobody_asks_about_another_dealers_lead(
    lead: Lead, session: Session, cast: dict[str, User]
) -> None:
    lead_id, carla = lead.id, actor_of(cast["carla"])
    act_as(session, carla)
    with pytest.raises(LookupError):
        helping.ask(session, lead_id, text="Hm?", at=NINE, actor=carla)
    with pytest.raises(LookupError):
        helping.post(session, uuid.uuid4(), text="Hm?", at=NINE, actor=carla)
