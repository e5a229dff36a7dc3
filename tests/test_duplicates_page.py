"""Headquarters looks at possible duplicates, joins or parts customers, and takes it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.db import SessionFactory
from lmt.models import CustomerMove, DuplicateSuggestion, Inquiry, Lead, User
from tests.world import FRIDAY, send, warsaw_lead

Login = Callable[[FlaskClient, User], FlaskClient]

JAN = {"full_name": "Jan Kowal", "phone": "+48 512 345 678", "email": "jan@poczta.pl"}
J = {"full_name": "J. Kowal", "phone": "+48 512 345 678", "email": "j.kowal@firma.pl"}


@pytest.fixture
def hana(client: FlaskClient, login: Login, cast: dict[str, User]) -> FlaskClient:
    return login(client, cast["hana"])


def two(session: Session) -> tuple[Lead, Lead]:
    first = send(session, "api-pl", warsaw_lead(**JAN), FRIDAY)
    second = send(session, "api-pl", warsaw_lead(**J), FRIDAY + timedelta(hours=1))
    assert first.customer_id != second.customer_id
    return first, second


def test_an_uncertain_match_is_shown_side_by_side(hana: FlaskClient, session: Session) -> None:
    first, second = two(session)
    page = hana.get("/hq/duplicates").text
    for words in ("Jan Kowal", "J. Kowal", "jan@poczta.pl", "j.kowal@firma.pl", "Same phone",
                  "an initial that fits", "Agrees", "Differs", "Probably one person"):  # fmt: skip
        assert words in page, words
    assert f"/hq/customers/{first.customer_id}" in page
    lead_page = hana.get(f"/hq/leads/{second.id}").text
    assert "1 possible duplicate" in lead_page


def test_same_person_joins_them_and_undo_parts_them(hana: FlaskClient, session: Session) -> None:
    first, second = two(session)
    older, newer = first.customer_id, second.customer_id
    answer = hana.post(
        f"/hq/duplicates/{newer}/{older}", data={"answer": "same"}, follow_redirects=True
    )
    assert answer.status_code == 200
    assert second.reference in answer.text
    assert first.reference in answer.text
    assert "Another customer was joined to this one" in answer.text
    assert "No duplicates to look at" in hana.get("/hq/duplicates").text
    away = hana.get(f"/hq/customers/{newer}")
    assert away.location.endswith(f"/hq/customers/{older}")
    move = session.scalars(select(CustomerMove)).one()
    back = hana.post(f"/hq/customers/{older}/moves/{move.id}/undo", follow_redirects=True).text
    assert "It is as it was before." in back
    assert second.reference not in back
    again = hana.post(f"/hq/customers/{older}/moves/{move.id}/undo", follow_redirects=True).text
    assert "changed in the meantime" in again


def test_different_people_are_never_asked_again(hana: FlaskClient, session: Session) -> None:
    first, second = two(session)
    address = f"/hq/duplicates/{second.customer_id}/{first.customer_id}"
    assert (
        "They stay two"
        in hana.post(address, data={"answer": "different"}, follow_redirects=True).text
    )
    assert (
        "answered this already"
        in hana.post(address, data={"answer": "same"}, follow_redirects=True).text
    )
    send(session, "api-pl", warsaw_lead(**J), FRIDAY + timedelta(days=300))
    assert "No duplicates to look at" in hana.get("/hq/duplicates").text
    assert hana.post(address, data={"answer": "perhaps"}).status_code == 400


def test_leads_of_another_person_get_a_customer_of_their_own(
    hana: FlaskClient, session: Session
) -> None:
    first = send(session, "api-pl", warsaw_lead(**JAN), FRIDAY)
    second = send(session, "api-pl", warsaw_lead(**JAN), FRIDAY + timedelta(days=300))
    owner = first.customer_id
    assert second.customer_id == owner
    address = f"/hq/customers/{owner}/split"
    assert "Choose the leads" in hana.post(address, data={}).text
    everything = {"lead": [str(first.id), str(second.id)]}
    assert "Leave at least one lead" in hana.post(address, data=everything).text
    done = hana.post(
        address, data={"lead": str(second.id), "reason": "Her son"}, follow_redirects=True
    ).text
    assert "a customer of their own now" in done
    assert "Her son" in done
    session.expire_all()
    assert second.customer_id != owner
    assert hana.get(f"/hq/customers/{second.customer_id}").status_code == 200


def test_what_was_asked_again_becomes_a_lead(
    hana: FlaskClient, session: Session, sessions: SessionFactory
) -> None:
    lead = send(session, "api-pl", warsaw_lead(**JAN), FRIDAY)
    data = warsaw_lead(**JAN)
    data["request"]["comments"] = "And one for my wife"
    send(session, "api-pl", data, FRIDAY + timedelta(hours=1))
    pipeline.advance(sessions, lead.id, FRIDAY + timedelta(hours=1))
    page = hana.get(f"/hq/leads/{lead.id}").text
    assert "Asked again 1 time" in page
    assert "And one for my wife" in page
    inquiry = session.scalars(select(Inquiry)).one()
    made = hana.post(f"/hq/inquiries/{inquiry.id}/split", follow_redirects=True).text
    assert "It is a lead of its own now" in made
    assert "1 other lead" in made
    again = hana.post(f"/hq/inquiries/{inquiry.id}/split", follow_redirects=True).text
    assert "made it a lead already" in again
    assert "It became a lead of its own" in hana.get(f"/hq/customers/{lead.customer_id}").text


def test_the_dealer_sees_what_was_asked_again_and_its_own_past_leads(
    client: FlaskClient, login: Login, cast: dict[str, User], session: Session,
    sessions: SessionFactory,
) -> None:  # fmt: skip
    past = send(session, "api-pl", warsaw_lead(**JAN), FRIDAY - timedelta(days=300))
    lead = send(session, "api-pl", warsaw_lead(**JAN), FRIDAY)
    for each in (past, lead):
        pipeline.advance(sessions, each.id, each.created_at)
    data = warsaw_lead(**JAN)
    data["request"]["comments"] = "Still waiting"
    send(session, "api-pl", data, FRIDAY + timedelta(minutes=1))
    pipeline.advance(sessions, lead.id, FRIDAY + timedelta(minutes=1))
    anna = login(client, cast["anna"])
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert "Asked again 1 time" in page
    assert "Still waiting" in page
    assert f"/desk/leads/{past.id}" in page


def test_pages_ask_a_bounded_number_of_queries(
    hana: FlaskClient, session: Session, count_queries: list[str]
) -> None:
    def queries(address: str) -> int:
        count_queries.clear()
        assert hana.get(address).status_code == 200
        return len(count_queries)

    first, _second = two(session)
    hana.get("/hq/duplicates")
    before = queries("/hq/duplicates"), queries(f"/hq/customers/{first.customer_id}")
    for number in range(22):
        phone = f"+48 601 000 1{number:02}"
        send(session, "api-pl", warsaw_lead(**{**JAN, "phone": phone, "email": ""}), FRIDAY)
        send(session, "api-pl", warsaw_lead(**{**J, "phone": phone, "email": ""}), FRIDAY)
        later = FRIDAY + timedelta(days=300 + number * 200)
        send(session, "api-pl", warsaw_lead(**JAN), later)
    assert queries("/hq/duplicates") == before[0]
    assert queries(f"/hq/customers/{first.customer_id}") == before[1]
    page = hana.get("/hq/duplicates").text
    assert page.count("Different people") == 20
    assert "More" in page


def test_who_has_no_part_in_it_sees_nothing(
    client: FlaskClient, login: Login, cast: dict[str, User], session: Session
) -> None:
    first, second = two(session)
    addresses = ["/hq/duplicates", f"/hq/customers/{first.customer_id}"]
    anna = login(client, cast["anna"])
    assert [anna.get(address).status_code for address in addresses] == [403, 403]
    answer = anna.post(
        f"/hq/duplicates/{second.customer_id}/{first.customer_id}", data={"answer": "same"}
    )
    assert answer.status_code == 403
    asked = session.scalars(select(DuplicateSuggestion)).all()
    assert [suggestion.answer for suggestion in asked] == [""]


def test_another_market_is_not_there(hana: FlaskClient, session: Session) -> None:
    there = send(
        session, "api-gulf",
        {"customer": {"full_name": "Omar Saleh", "phone": "+966501234567"},
         "address": {"city": "Riyadh", "country": "SA"}}, FRIDAY,
    )  # fmt: skip
    assert hana.get(f"/hq/customers/{there.customer_id}").status_code == 404
    answer = hana.post(f"/hq/customers/{there.customer_id}/split", data={"lead": str(there.id)})
    assert answer.status_code == 404
