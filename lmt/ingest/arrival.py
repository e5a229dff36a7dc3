"""One lead of a delivery comes in: joined to its customer's open one, or a lead of its own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from lmt.db import uuid7
from lmt.ingest import statements
from lmt.ingest.books import Books, MarketFacts
from lmt.ingest.customers import Keys, Recognised, asker_of, person_of, recognise
from lmt.ingest.defaults import with_defaults
from lmt.ingest.identity import Person, judge, keys_of
from lmt.ingest.leadinput import LeadInput
from lmt.ingest.leadrow import LeadRow, Picks, lead_of
from lmt.ingest.need import Need, same_need
from lmt.ingest.normalise import understand
from lmt.lifecycle import Status
from lmt.models import Source
from lmt.models.reference import new_reference


@dataclass(frozen=True, slots=True)
class Told:
    """As much of a lead as whoever sent it is told at once; `joined`: it was there before."""

    id: uuid.UUID
    reference: str
    status: str
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Hall:
    """Where the leads of one delivery come in: who sent it, which row keeps its bytes, when.

    The session acts for the installation; `connection` is its own.
    """

    session: Session
    connection: Connection
    source: Source
    intake_id: uuid.UUID
    at: datetime
    picks: Picks = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Brought:
    """What an import tells of a lead besides: the row it was in, when it may set off, when its
    person asked to be called, and since when they have been spoken to."""

    import_id: uuid.UUID | None = None
    row_number: int | None = None
    newcomer_id: int | None = None
    """The customer's id, should it be a new one."""
    next_action_at: datetime | None = None
    """None: at once."""
    call_at: datetime | None = None
    first_call_at: datetime | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What the events of its arrival tell of it."""
        return {"import": str(self.import_id), "row": self.row_number} if self.import_id else {}

    def columns(self, at: datetime) -> dict[str, Any]:
        """As parameters of the statements that write a lead, or join one."""
        return {
            "import_id": self.import_id,
            "newcomer_id": self.newcomer_id,
            "next_action_at": self.next_action_at or at,
            "call_at": self.call_at,
            "first_call_at": self.first_call_at,
        }


BY_ITSELF = Brought()
"""A lead that no import brought."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was understood of a lead, who it is from, and its id if it becomes one."""

    given: LeadInput
    person: Person
    keys: Keys
    id: uuid.UUID


def understood(source: Source, home: MarketFacts, data: Mapping[str, Any]) -> LeadInput:
    """One lead in the shape of the API, with what its source and the source's market, `home`,
    add where it says nothing itself."""
    return understand(
        with_defaults(data, source.defaults),
        country=source.country,
        language=source.language,
        market_country=home.country,
        languages=home.languages,
        zone=home.zone,
        fields=home.fields,
    )


def arrival(source: Source, home: MarketFacts, data: Mapping[str, Any], at: datetime) -> Arrival:
    """One lead in the shape of the API, understood."""
    given = understood(source, home, data)
    # As its row will say: whoever parts customers later looks for them by the same keys.
    person = person_of(given, source.country or home.country)
    return Arrival(given, person, keys_of(person), uuid7(at))


def take(hall: Hall, books: Books, new: Arrival, brought: Brought = BY_ITSELF) -> Told:
    """Join the lead to the one that its customer has open for the same need, or make it one.

    The customer's keys are claimed, so that of several that arrive at once the first is the lead.
    """
    row = lead_of(hall.session, hall.source, books, new.given, hall.at, hall.picks)
    told = Told(new.id, new_reference(), Status.RECEIVED)
    values = row.values | customer_columns(Recognised(), new.keys) | brought.columns(hall.at)
    values["intake_id"] = hall.intake_id
    facts = received_facts(hall.source, new.given, brought)
    received = _event("received", facts, hall.at)
    lead = {"id": told.id, "reference": told.reference, **received}
    known = statements.write_lead(hall.connection, values | lead, only_newcomers=True)
    if not known:
        return told
    who = recognise(new.person, known, new.given.customer.language)
    values |= customer_columns(who, new.keys)
    if who.customer_id is not None:
        # A test says nothing of where a customer lives.
        if who.news and not new.given.test:
            statements.move_home(hall.connection, who.customer_id, who.news)
        values |= {"new_phone": values["phone"], "new_email": values["email"]}
        for same in _same(hall, row, who.customer_id):
            if statements.join_lead(hall.connection, _inquiry(hall, same.id, values, brought)):
                return Told(same.id, same.reference, same.status, joined=True)
    statements.write_lead(hall.connection, values | lead, only_newcomers=False)
    return told


def once_more(
    hall: Hall, books: Books, lead: Any, more: Arrival, brought: Brought = BY_ITSELF
) -> Told:
    """What its sender said once more of a lead, other than before: kept with it, or a lead of its
    own where it is plainly somebody else's. `lead` is a row of `statements.Earlier`."""
    if judge(more.person, asker_of(lead)).verdict == "different":
        return take(hall, books, more, brought)
    _add(hall, books, lead.id, more, brought)
    return Told(lead.id, lead.reference, lead.status, joined=not lead.made)


def _add(hall: Hall, books: Books, lead_id: uuid.UUID, more: Arrival, brought: Brought) -> None:
    """It may still be another person's, so nothing is added to what is known of the customer."""
    row = lead_of(hall.session, hall.source, books, more.given, hall.at, hall.picks)
    nobody = customer_columns(Recognised(), []) | {"new_phone": "", "new_email": ""}
    said = row.values | nobody | brought.columns(hall.at) | {"intake_id": hall.intake_id}
    values = _inquiry(hall, lead_id, said, brought)
    if not statements.join_lead(hall.connection, values):
        statements.note_on_closed(hall.connection, values)


def _same(hall: Hall, row: LeadRow, customer_id: int) -> list[Any]:
    """The customer's open leads that this one repeats, the latest first."""
    since = hall.at - timedelta(days=row.market.same_need_days)
    found = statements.open_leads(
        hall.connection, customer_id, row.market.id, test=row.values["test"], since=since
    )
    return [
        lead
        for lead in found
        if same_need(row.need, Need(lead.brand_id, lead.request_type, lead.model, lead.vin or ""))
    ]


def _inquiry(
    hall: Hall, lead_id: uuid.UUID, values: Mapping[str, Any], brought: Brought
) -> dict[str, Any]:
    inquiry_id = uuid7(hall.at)
    facts = {
        "inquiry_id": str(inquiry_id),
        "source": hall.source.code,
        "intake_id": str(hall.intake_id),
        **brought.facts,
    }
    ids = {"id": lead_id, "inquiry_id": inquiry_id}
    return {**values, **ids, **_event("asked_again", facts, hall.at)}


def received_facts(source: Source, given: LeadInput, brought: Brought) -> dict[str, Any]:
    """What the history tells of a lead's arrival."""
    return {
        "channel": source.kind,
        "source": source.code,
        "problems": [{"field": p.field, "code": p.code} for p in given.problems],
        **brought.facts,
    }


def customer_columns(who: Recognised, keys: Keys) -> dict[str, Any]:
    """The customer of a lead, their keys, and whom they may be besides, as parameters."""
    return {
        "key_kinds": [kind for kind, _ in keys],
        "key_values": [value for _, value in keys],
        "customer_id": who.customer_id,
        "doubted": [doubt.customer_id for doubt in who.doubts],
        "scores": [doubt.score for doubt in who.doubts],
        "reasons": [" ".join(doubt.reasons) for doubt in who.doubts],
    }


def _event(kind: str, facts: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {"event_id": uuid7(at), "event": kind, "facts": Jsonb(facts)}
