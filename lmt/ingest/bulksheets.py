"""The rows that newcomers of an import are made of, table by table, to be written at once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from lmt.db import uuid7
from lmt.ingest.arrival import Arrival, Brought, Hall, received_facts
from lmt.ingest.bulkrow import BulkRow
from lmt.ingest.bulkstatements import copy_rows
from lmt.ingest.characters import storable
from lmt.ingest.customers import Recognised

_AS_UNDERSTOOD = (
    "market_id", "source_id", "campaign_id", "test", "full_name", "company", "email", "phone",
    "language", "country", "region", "postcode", "city", "street", "lat", "lon", "brand_id",
    "model", "model_id", "request_type", "comments", "preferred_dealer", "sent_at",
)  # fmt: skip
_AS_NEW = {
    "timezone": "", "location_method": "", "service": "", "tags": "{}", "points": 0,
    "band": "warm", "status": "received", "cause": "", "escalated_minutes": 0, "waiting_for": "{}",
    "asked_again": 0, "postponed": 0,
}  # fmt: skip
_LEAD = (
    "id", "reference", "customer_id", "intake_id", "created_at", "import_id", "next_action_at",
    "call_at", "first_call_at", "given", *_AS_UNDERSTOOD, *_AS_NEW,
)  # fmt: skip
_CUSTOMER = (
    "id", "created_at", "kind", "language", "full_name", "company", "country", "postcode", "city",
    "street",
)  # fmt: skip
_KEY = ("kind", "value", "customer_id")
_DOUBT = ("customer_id", "other_id", "score", "reasons", "at", "answer")
_CONSENT = (
    "lead_id", "origin", "purpose", "given", "text_version", "text_hash", "language", "at"
)  # fmt: skip
_EVENT = ("id", "lead_id", "at", "kind", "data")
_CALL = (
    "customer_id", "source_id", "lead_id", "import_id", "row_number", "at", "disposition", "note",
    "agent",
)  # fmt: skip

_understood = itemgetter(*_AS_UNDERSTOOD)
_person = itemgetter(
    "customer_kind", "spoken", "full_name", "company", "country", "postcode", "city", "street"
)
_consents = itemgetter(
    "purposes", "answers", "text_versions", "text_hashes", "text_languages", "agreed_at"
)
_untouched = tuple(_AS_NEW.values())
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Row = tuple[Any, ...]


@dataclass(slots=True)
class Sheets:
    """What is to be written for one chunk, in the order of its rows."""

    hall: Hall
    import_id: uuid.UUID
    customers: list[Row] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)
    doubts: list[Row] = field(default_factory=list)
    leads: list[Row] = field(default_factory=list)
    consents: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)

    def add_newcomer(
        self, new: Arrival, customer_id: int, values: Mapping[str, Any], who: Recognised
    ) -> None:
        """Somebody nobody knows, and whom they might be; `values` are those of their `LeadRow`."""
        self.customers.append((customer_id, self.hall.at, *_person(values)))
        for kind, value in new.keys:
            self.keys.append((kind, value, customer_id))
        for doubt in who.doubts:
            reasons = list(doubt.reasons)
            self.doubts.append(
                (customer_id, doubt.customer_id, doubt.score, reasons, self.hall.at, "")
            )

    def add_lead(
        self,
        new: Arrival,
        reference: str,
        customer_id: int,
        values: Mapping[str, Any],
        brought: Brought,
    ) -> None:
        """Their lead, with its consents and the event of its arrival."""
        at = self.hall.at
        self.leads.append(
            (
                new.id,
                reference,
                customer_id,
                self.hall.intake_id,
                at,
                brought.import_id,
                brought.next_action_at or at,
                brought.call_at,
                brought.first_call_at,
                _json(values["given"].obj),
                *_understood(values),
                *_untouched,
            )
        )
        if values["purposes"]:
            for consent in zip(*_consents(values), strict=True):
                self.consents.append((new.id, values["origin"], *consent))
        facts = received_facts(self.hall.source, new.given, brought)
        self._tell(new.id, "received", facts, at)

    def add_call(self, row: BulkRow, customer_id: int, lead_id: uuid.UUID | None) -> None:
        """The row's call, if there was one: kept with the customer, and told of in the lead's
        history."""
        call = row.call
        if call is None or not call.was_made:
            return
        at = self.hall.at
        self.calls.append(
            (
                customer_id,
                self.hall.source.id,
                lead_id,
                self.import_id,
                row.number,
                call.at,
                call.disposition,
                storable(call.note),
                storable(call.agent),
            )
        )
        if lead_id is not None:
            self._tell(lead_id, "called", call.facts, at)

    def write_newcomers(self) -> None:
        """Customers, keys, doubts, leads and consents, as later rows of the chunk meet them."""
        connection = self.hall.connection
        _copy(connection, "customer", _CUSTOMER, self.customers)
        _copy(connection, "customer_key", _KEY, self.keys)
        _copy(connection, "duplicate_suggestion", _DOUBT, self.doubts)
        _copy(connection, "lead", _LEAD, self.leads)
        _copy(connection, "consent", _CONSENT, self.consents)

    def write_history(self) -> None:
        """What happened, and the calls."""
        _copy(self.hall.connection, "event", _EVENT, self.events)
        _copy(self.hall.connection, "call_record", _CALL, self.calls)

    def _tell(self, lead_id: uuid.UUID, kind: str, facts: Mapping[str, Any], at: datetime) -> None:
        self.events.append((uuid7(at), lead_id, at, kind, _json(facts)))


def _copy(connection: Connection, table: str, columns: tuple[str, ...], rows: list[Row]) -> None:
    if rows:
        copy_rows(connection, table, columns, rows)
