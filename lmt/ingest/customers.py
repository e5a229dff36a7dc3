"""Who is behind a lead: a customer we know, or a newcomer; and whom it might be besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lmt.ingest.identity import Known, Person, match
from lmt.ingest.leadinput import LeadInput

Keys = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A customer who may be the same person: a question for people, never acted on."""

    customer_id: int
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recognised:
    """The customer (None: a newcomer), who else it might be, and what is news of them."""

    customer_id: int | None = None
    doubts: tuple[Doubt, ...] = ()
    news: Mapping[str, str] = field(default_factory=dict)
    """Columns of the customer's row, with their new values."""


def person_of(given: LeadInput, country: str) -> Person:
    """The person of a lead; `country` (ISO) is where they are if they didn't say."""
    customer, address = given.customer, given.address
    return Person(
        full_name=customer.full_name,
        first_name=customer.first_name,
        last_name=customer.last_name,
        company=customer.company,
        email=customer.email,
        # Anything but E.164 is no number that could be told from another.
        phone=customer.phone if customer.phone.startswith("+") else "",
        country=address.country or country,
        postcode=address.postcode,
        city=address.city,
        street=address.street,
    )


def recognise(person: Person, rows: Sequence[Any], language: str) -> Recognised:
    """Which of these customers the person is; `rows` share a key with them, as
    `statements.write_lead` found them."""
    found = match(person, [_known(row) for row in rows])
    doubts = tuple(
        Doubt(known.customer_id, verdict.score, tuple(verdict.reasons))
        for known, verdict in found.maybe
    )
    if found.same is None:
        return Recognised(doubts=doubts)
    customer_id = found.same.customer_id
    row = next(row for row in rows if row.id == customer_id)
    return Recognised(customer_id, doubts, news_of(row, person, language))


def news_of(customer: Any, person: Person, language: str) -> dict[str, str]:
    """What a customer's row learns from their latest lead.

    An address counts as a whole where it names another place; else it fills what was empty.
    """
    stated = {name: getattr(person, name) for name in ("country", "postcode", "city", "street")}
    if not _moved(customer, person):
        stated = {
            name: value
            for name, value in stated.items()
            if name == "street" or not _is(customer, name)
        }
        stated = {name: value for name, value in stated.items() if value}
    for name, value in (
        ("full_name", person.full_name),
        ("company", person.company),
        ("language", language),
    ):
        if value and not _is(customer, name):
            stated[name] = value
    return {name: value for name, value in stated.items() if value != getattr(customer, name)}


def _moved(customer: Any, person: Person) -> bool:
    return any(
        stated and known and stated.casefold() != known.casefold()
        for stated, known in ((person.postcode, customer.postcode), (person.city, customer.city))
    )


def _is(customer: Any, name: str) -> bool:
    return bool(getattr(customer, name))


def _known(row: Any) -> Known:
    person = Person(
        full_name=row.full_name,
        first_name="",
        last_name="",
        company=row.company,
        email="",
        phone="",
        country=row.country,
        postcode=row.postcode,
        city=row.city,
        street=row.street,
    )
    emails, phones = (
        tuple(value for kind, value in row.keys if kind == wanted) for wanted in ("email", "phone")
    )
    return Known(row.id, person, emails, phones)


def asker_of(lead: Any) -> Known:
    """Who a lead is from, by its row alone."""
    person = Person(
        full_name=lead.full_name,
        company=lead.company,
        email=lead.email,
        phone=lead.phone if lead.phone.startswith("+") else "",
        country=lead.country,
        postcode=lead.postcode,
        city=lead.city,
        street=lead.street,
    )
    return Known(0, person)


def customer_kind(given: LeadInput) -> str:
    """What kind of customer this is, as far as its first request tells."""
    if given.request.type == "fleet":
        return "fleet"
    return "business" if given.customer.company else "private"
