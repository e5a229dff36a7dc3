"""Joining and parting customers by hand, and taking it back: leads, keys, history, who may."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import customers, pipeline
from lmt.customers import NotNow
from lmt.db import SessionFactory
from lmt.lifecycle import Status
from lmt.models import (
    Customer,
    CustomerKey,
    CustomerMove,
    DuplicateSuggestion,
    Event,
    Inquiry,
    Lead,
    User,
)
from lmt.scope import Actor, act_as, actor_of
from tests.world import FRIDAY, send, warsaw_lead

HOUR = timedelta(hours=1)


class Case:
    def __init__(self, sessions: SessionFactory, session: Session, cast: dict[str, User]) -> None:
        self.sessions, self.session = sessions, session
        self.actors = {name: actor_of(user) for name, user in cast.items()}

    @property
    def hana(self) -> Actor:
        return self.actors["hana"]

    def lead(self, at: datetime = FRIDAY, source: str = "api-pl", **customer: str) -> Lead:
        return send(self.session, source, warsaw_lead(**customer), at)

    def acting(self, name: str = "hana") -> Session:
        return act_as(self.sessions(), self.actors[name])

    def keys(self, customer_id: int) -> set[str]:
        rows = select(CustomerKey.value).where(
            CustomerKey.customer_id == customer_id, CustomerKey.kind != "name_place"
        )
        return set(self.session.scalars(rows))

    def owners(self, *leads: Lead) -> list[int]:
        self.session.expire_all()
        return [lead.customer_id for lead in leads]

    def events(self, lead: Lead) -> list[str]:
        rows = select(Event.kind).where(Event.lead_id == lead.id).order_by(Event.id)
        return [kind for kind in self.session.scalars(rows) if "customer" in kind]

    def merge(self, kept: int, merged: int) -> int:
        with self.acting() as session:
            return customers.merge(session, kept, merged, at=FRIDAY, actor=self.hana)

    def split(self, leads: Sequence[Lead]) -> int:
        with self.acting() as session:
            ids = [lead.id for lead in leads]
            return customers.split(session, ids, at=FRIDAY, actor=self.hana)

    def undo(self, move_id: int, by: str = "hana") -> None:
        with self.acting(by) as session:
            customers.undo(session, move_id, at=FRIDAY + HOUR, actor=self.actors[by])


JAN = {"full_name": "Jan Kowal", "phone": "+48 512 345 678", "email": "jan@poczta.pl"}
OTHER = {"full_name": "J. Kowal", "phone": "+48 601 222 333", "email": "j.kowal@firma.pl"}


@pytest.fixture
def case(sessions: SessionFactory, session: Session, cast: dict[str, User]) -> Case:
    return Case(sessions, session, cast)


def test_merged_leads_and_keys_are_one_customers_and_all_is_told(case: Case) -> None:
    first, second = case.lead(**JAN), case.lead(**OTHER)
    kept, merged = case.owners(first, second)
    assert kept != merged
    before = case.keys(kept), case.keys(merged)
    move = case.merge(kept, merged)
    assert case.owners(first, second) == [kept, kept]
    assert case.keys(kept) == before[0] | before[1]
    assert case.keys(merged) == set()
    assert case.session.get_one(Customer, merged).merged_into_id == kept
    assert case.events(first) == case.events(second) == ["customer_merged"]
    third = case.lead(FRIDAY + HOUR, **{**OTHER, "full_name": "Jan Kowal"})
    assert case.owners(third) == [kept], "found by the key that came along"
    case.undo(move)
    assert case.owners(first, second) == [kept, merged]
    assert case.keys(merged) == before[1]
    assert case.keys(kept) == before[0]
    assert case.session.get_one(Customer, merged).merged_into_id is None
    assert case.events(second) == ["customer_merged", "customer_move_undone"]


def test_undone_twice_or_out_of_order_is_refused(case: Case) -> None:
    leads = [case.lead(**JAN), case.lead(**OTHER), case.lead(
        full_name="Kowal Jan", phone="+48 700 100 200", email="jk@inna.pl")]  # fmt: skip
    one, two, three = case.owners(*leads)
    assert len({one, two, three}) == 3
    early = case.merge(two, three)
    late = case.merge(one, two)
    with pytest.raises(NotNow) as refused:
        case.undo(early, "omar")
    assert refused.value.code == "later"
    case.undo(late)
    case.undo(early)
    assert case.owners(*leads) == [one, two, three]
    with pytest.raises(NotNow) as refused:
        case.undo(early)
    assert refused.value.code == "undone"
    with pytest.raises(NotNow):
        case.merge(one, one)


def test_merging_never_moves_a_lead_between_dealers(case: Case) -> None:
    first, second = case.lead(**JAN), case.lead(**OTHER)
    for lead in (first, second):
        pipeline.advance(case.sessions, lead.id, FRIDAY)
    case.session.expire_all()
    held = [(lead.dealer_id, lead.status) for lead in (first, second)]
    case.merge(*case.owners(first, second))
    case.session.expire_all()
    assert [(lead.dealer_id, lead.status) for lead in (first, second)] == held


def test_split_leads_take_the_keys_that_only_they_have(case: Case) -> None:
    first = case.lead(**JAN)
    second = case.lead(FRIDAY + timedelta(days=200), **(JAN | {"email": "other@poczta.pl"}))
    (owner, same) = case.owners(first, second)
    assert owner == same
    move = case.split([second])
    old, own = case.owners(first, second)
    assert old == owner
    assert own != owner
    assert case.keys(own) == {"+48512345678", "other@poczta.pl"}
    assert case.keys(owner) == {"+48512345678", "jan@poczta.pl"}
    asked = case.session.get_one(DuplicateSuggestion, (own, owner))
    assert asked.answer == "different", "nobody asks what was just said"
    case.undo(move)
    assert case.owners(first, second) == [owner, owner]
    assert case.keys(owner) == {"+48512345678", "jan@poczta.pl", "other@poczta.pl"}
    assert case.session.get_one(Customer, own).merged_into_id == owner


def test_all_of_a_customers_leads_are_no_split(case: Case) -> None:
    lead = case.lead(**JAN)
    with pytest.raises(NotNow) as refused:
        case.split([lead])
    assert refused.value.code == "all"
    with pytest.raises(NotNow):
        case.split([lead, case.lead(**OTHER)])


def test_what_came_after_a_merge_stays_when_it_is_undone(case: Case) -> None:
    first, second = case.lead(**JAN), case.lead(**OTHER)
    kept, merged = case.owners(first, second)
    move = case.merge(kept, merged)
    third = case.lead(FRIDAY + timedelta(days=200), **(OTHER | {"full_name": "Jan Kowal"}))
    case.undo(move)
    assert case.owners(first, second, third) == [kept, merged, kept]
    assert "+48601222333" in case.keys(kept) & case.keys(merged)


@pytest.mark.parametrize("answer", ["same", "different"])
def test_a_suggestion_is_answered_once(case: Case, answer: str) -> None:
    first, second = case.lead(**JAN), case.lead(**OTHER)
    older, newer = sorted(case.owners(first, second))
    suggest(case.session, newer, older)
    with case.acting() as session:
        customers.answer_suggestion(session, newer, older, answer, at=FRIDAY, actor=case.hana)
    same = case.owners(first)[0] == case.owners(second)[0]
    assert same is (answer == "same")
    with case.acting() as session, pytest.raises((NotNow, LookupError)):
        customers.answer_suggestion(session, newer, older, "same", at=FRIDAY, actor=case.hana)


def suggest(session: Session, newer: int, older: int, **values: Any) -> None:
    if session.get(DuplicateSuggestion, (newer, older)) is None:
        session.add(
            DuplicateSuggestion(
                customer_id=newer, other_id=older, score=0.6, reasons=["city", "name_initial"],
                at=FRIDAY, **values,
            )
        )  # fmt: skip
        session.commit()


def test_who_does_not_see_both_can_do_nothing(case: Case) -> None:
    here = case.lead(**JAN)
    there = send(
        case.session, "api-gulf",
        {"customer": {"full_name": "Omar Saleh", "phone": "+966501234567"},
         "address": {"city": "Riyadh", "country": "SA"}}, FRIDAY,
    )  # fmt: skip
    ours, theirs = case.owners(here, there)
    with case.acting() as session, pytest.raises(LookupError):
        customers.merge(session, ours, theirs, at=FRIDAY, actor=case.hana)
    with case.acting() as session, pytest.raises(LookupError):
        customers.split(session, [there.id], at=FRIDAY, actor=case.hana)
    with case.acting("omar") as session:
        move = customers.merge(session, theirs, ours, at=FRIDAY, actor=case.actors["omar"])
    with case.acting("carla") as session, pytest.raises(LookupError):
        customers.undo(session, move, at=FRIDAY, actor=case.actors["carla"])


# --- an inquiry that was another need ------------------------------------------------------------


def asked_twice(case: Case) -> tuple[Lead, Inquiry]:
    lead = case.lead(**JAN)
    pipeline.advance(case.sessions, lead.id, FRIDAY)
    data = warsaw_lead(**JAN)
    data["request"] |= {"comments": "And a van for the firm", "type": "quote"}
    again = send(case.session, "api-pl", data, FRIDAY + HOUR)
    assert again.id == lead.id
    pipeline.advance(case.sessions, lead.id, FRIDAY + HOUR)
    case.session.expire_all()
    return lead, case.session.scalars(select(Inquiry)).one()


def test_an_inquiry_becomes_a_lead_and_comes_back(case: Case) -> None:
    lead, inquiry = asked_twice(case)
    with case.acting() as session:
        own_id = customers.split_inquiry(session, inquiry.id, at=FRIDAY + HOUR, actor=case.hana)
    pipeline.advance(case.sessions, own_id, FRIDAY + HOUR)
    case.session.expire_all()
    own = case.session.get_one(Lead, own_id)
    assert (own.status, own.comments) == (Status.OFFERED, "And a van for the firm")
    assert own.customer_id == lead.customer_id
    assert own.dealer_id == lead.dealer_id, "who serves a customer serves them again"
    assert lead.asked_again == 0
    assert inquiry.split_into_id == own.id
    with case.acting() as session, pytest.raises(NotNow):
        customers.split_inquiry(session, inquiry.id, at=FRIDAY, actor=case.hana)
    move = case.session.scalars(select(CustomerMove)).one()
    case.undo(move.id)
    case.session.expire_all()
    assert (own.status, own.cause) == (Status.WITHDRAWN, "joined_back")
    assert lead.asked_again == 1
    assert inquiry.split_into_id is None
    kinds = set(case.session.scalars(select(Event.kind).where(Event.lead_id == lead.id)))
    assert {"inquiry_split", "inquiry_joined"} <= kinds


def test_a_lead_that_was_won_stays_one(case: Case) -> None:
    _lead, inquiry = asked_twice(case)
    with case.acting() as session:
        own_id = customers.split_inquiry(session, inquiry.id, at=FRIDAY + HOUR, actor=case.hana)
    pipeline.advance(case.sessions, own_id, FRIDAY + HOUR)
    case.session.expire_all()
    own = case.session.get_one(Lead, own_id)
    own.status = Status.WON
    case.session.commit()
    move = case.session.scalars(select(CustomerMove)).one()
    with pytest.raises(NotNow) as refused:
        case.undo(move.id)
    assert refused.value.code == "worked"


def test_nobody_splits_what_they_do_not_see(case: Case) -> None:
    _lead, inquiry = asked_twice(case)
    with case.acting("carla") as session, pytest.raises(LookupError):
        customers.split_inquiry(session, inquiry.id, at=FRIDAY, actor=case.actors["carla"])
    with case.acting() as session, pytest.raises(LookupError):
        customers.split_inquiry(session, uuid.uuid4(), at=FRIDAY, actor=case.hana)
