"""Who once had a lead keeps a stub of it: as many as their figures say, and nothing of a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.accounts.service import Scope, create_user
from lmt.db import SessionFactory
from lmt.models import Event, Lead, LeadFact, Message, Offer, PlannedAction, User
from lmt.reports.refresh import refresh
from lmt.scope import SYSTEM, act_as, actor_of
from tests.world import World

NINE = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)
"""9:05 in Warsaw: the dealer is open."""
LATER = NINE + timedelta(minutes=50)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LATER, tick=False) as traveller:
        yield traveller


@pytest.fixture
def make(offered_lead: Callable[..., Lead]) -> Callable[[str], Lead]:
    """A lead offered to PL-WAW-1, of somebody by that name alone."""

    def of(name: str) -> Lead:
        digits = f"{sum(name.encode()) % 1000:03}"
        mail = f"{name.lower()}@example.com"
        return offered_lead(at=NINE, full_name=name, phone=f"+48 600 200 {digits}", email=mail)

    return of


def listed(page: str) -> list[str]:
    """What each row of the inbox is called: the customer, or the number of a stub."""
    return re.findall(r'<td class="who"><a [^>]*><bdi[^>]*>(.*?)</bdi>', page)


def test_figures_drill_down_to_as_many_leads_as_they_say(
    app: Flask, session: Session, sessions: SessionFactory, cast: dict[str, User], world: World,
    make: Callable[[str], Lead], login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    """Offered = still here + passed on; each way of leaving is as many rows as its figure."""
    ids = {name: make(name).id for name in ("Adam", "Beata", "Celina", "Dorota", "Edyta", "Filip")}
    anna = actor_of(cast["anna"])
    # Adam and Beata are declined, and Beata comes back from the next dealer by hand; Celina's time
    # runs out; Dorota is taken; Edyta's is taken and given away by hand; Filip's is open.
    for name in ("Adam", "Beata"):
        pipeline.decline(session, ids[name], reason="no_capacity", at=NINE, actor=anna)
    for name in ("Dorota", "Edyta"):
        pipeline.accept(session, ids[name], at=NINE, actor=anna)
    act_as(session, SYSTEM)
    offer = session.scalars(select(Offer).where(Offer.lead_id == ids["Celina"])).one()
    offer.clock_at, offer.expires_at = NINE, NINE + timedelta(minutes=30)
    session.get_one(Lead, ids["Celina"]).next_action_at = offer.expires_at
    session.commit()
    pipeline.advance(sessions, ids["Celina"], LATER)
    session.expire_all()
    for name, code in (("Edyta", "PL-WAW-2"), ("Beata", "PL-WAW-1")):
        pipeline.reassign(
            session, ids[name], dealer_code=code, reason="asked", at=LATER, actor=SYSTEM
        )
    act_as(session, SYSTEM)
    of_lead = {id: session.get_one(Lead, id).reference for id in ids.values()}
    names = {of_lead[id]: name for name, id in ids.items()}

    def rows(client: FlaskClient, **asked: str) -> list[str]:
        page = client.get("/desk/", query_string=asked).text
        return sorted(names.get(each, each) for each in listed(page))

    def behind(client: FlaskClient, figure: str, address: str = "/desk/figures") -> list[str]:
        """Whom the page of a dealer's figures counts: those to whom its number leads."""
        page = unescape(client.get(address).text)
        (link,) = re.findall(rf'href="(/reports/leads[^"]*figure={figure})"', page)
        leads = client.get(link).text
        return sorted(name for reference, name in names.items() if reference in leads)

    refresh(sessions, LATER)
    bert = login(app.test_client(), cast["bert"])
    here = rows(bert, tab="all")
    assert here == ["Beata", "Dorota", "Filip"]
    declined = rows(bert, tab="passed", how="declined")
    expired = rows(bert, tab="passed", how="expired")
    passed = rows(bert, tab="passed")
    assert (declined, expired, passed) == (["Adam"], ["Celina"], ["Adam", "Celina", "Edyta"])
    # The figures count each offer: Beata's was declined, whoever has it now.
    assert behind(bert, "decline") == ["Adam", "Beata"]
    assert behind(bert, "timeout") == expired
    assert behind(bert, "offers") == sorted([*here, *passed])
    other = login(app.test_client(), cast["carla"])
    assert rows(other, tab="all") == ["Adam", "Celina", "Edyta"]
    assert rows(other, tab="passed") == ["Beata"]
    assert session.scalars(
        select(func.sum(LeadFact.offers)).where(LeadFact.dealer_id == world.dealers["PL-WAW-2"])
    ).one() == 4  # fmt: skip
    # Whoever manages both houses finds each house's leads apart, though all of them are theirs.
    act_as(session, SYSTEM)
    both = [Scope(dealer_id=world.dealers[code]) for code in ("PL-WAW-1", "PL-WAW-2")]
    gita = create_user(session, "gita@lmt.example", "Gita", None, ["manager"], both)
    session.commit()
    of_both = login(app.test_client(), gita)
    assert rows(of_both, tab="passed") == []
    for tab, expected in (("all", here), ("passed", passed)):
        assert rows(of_both, tab=tab, dealer="PL-WAW-1") == expected
    assert behind(of_both, "decline", "/desk/figures?dealer=PL-WAW-1") == ["Adam", "Beata"]


def test_a_stub_tells_nothing_of_a_person_nor_of_what_came_after(
    app: Flask, session: Session, cast: dict[str, User], make: Callable[[str], Lead],
    login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    lead = make("Zdzislawa")
    anna_acts = actor_of(cast["anna"])
    pipeline.decline(
        session, lead.id, reason="no_capacity", note="Told in spite", at=NINE, actor=anna_acts
    )
    act_as(session, SYSTEM)
    lead = session.get_one(Lead, lead.id)
    assert lead.dealer_id is not None
    needles = [
        lead.full_name, lead.email, lead.phone, lead.phone[-6:], "Warszawa", "Cześć",
        "Aurel Wola", "PL-WAW-2", "Carla", "what the next one wrote",
    ]  # fmt: skip
    session.add_all(
        [
            Event(
                lead_id=lead.id, kind="note", at=LATER, dealer_id=lead.dealer_id,
                data={"text": "what the next one wrote"},
            ),
            PlannedAction(
                lead_id=lead.id, dealer_id=lead.dealer_id, kind="call", due_at=LATER,
                note="what the next one wrote", created_at=LATER,
            ),
        ]
    )  # fmt: skip
    lead.owner_id = cast["carla"].id
    session.commit()
    lead_id, reference = lead.id, lead.reference
    client = login(app.test_client(), cast["anna"])
    page = client.get(f"/desk/leads/{lead_id}")
    assert page.status_code == 200
    for words in (reference, "Test drive", "Aurel Mira", "You declined it", "No capacity"):
        assert words in page.text
    body = page.text.split("<main")[1]
    assert [needle for needle in needles if needle in body] == []
    for address in (
        f"/desk/leads/{lead_id}?history=all", "/desk/?tab=passed", "/desk/board",
        f"/desk/?q={lead.full_name}", f"/desk/?q={lead.phone[-6:]}", "/desk/?tab=all",
    ):  # fmt: skip
        found = client.get(address).text.split("<main")[1]
        # What was searched for is said again.
        hits = [needle for needle in needles if needle in found and needle not in address]
        assert hits == [], address
        assert (reference in found) == ("history" in address or "passed" in address)
    assert client.post(f"/desk/leads/{lead_id}/note", data={"note": "x"}).status_code == 404

    # Nor does any query of theirs find what came after, or a mail to the customer.
    with act_as(session, anna_acts):
        assert session.scalars(select(Event).where(Event.lead_id == lead_id)).all() == []
        mails = session.scalars(select(Message).where(Message.lead_id == lead_id)).all()
        assert {mail.audience for mail in mails} <= {"dealer"}
        assert {mail.dealer_id for mail in mails} <= anna_acts.dealers
