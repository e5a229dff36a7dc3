"""What becomes of a chunk's leads as rows: gathered in memory, written in one statement a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from lmt.db import uuid7
from lmt.models import Lead, Offer, PlannedAction

_DECISION = ("id", "lead_id", "at", "policy_id", "dealer_id", "cause", "inputs", "result")
_OFFER = (
    "id", "lead_id", "dealer_id", "decision_id", "state", "reason", "distance_km", "offered_at",
    "minutes", "hop", "expires_at", "closed_at",
)  # fmt: skip
_PLAN = ("lead_id", "dealer_id", "owner_id", "kind", "due_at", "note", "created_at")
_EVENT = ("id", "lead_id", "at", "kind", "dealer_id", "data")
_MESSAGE = (
    "id", "cause", "kind", "audience", "channel", "recipient", "language", "timezone", "market_id",
    "lead_id", "dealer_id", "context", "next_attempt_at", "created_at", "status", "attempts",
    "subject", "problem",
)  # fmt: skip

# What the road writes to a lead, and how an array of it is read.
_LEAD = {
    "status": "text", "cause": "text", "request_type": "text", "service": "text", "tags": "text",
    "points": "int", "band": "text", "lat": "float8", "lon": "float8", "accuracy_km": "float8",
    "location_method": "text", "timezone": "text", "city": "text", "country": "text",
    "dealer_id": "int", "owner_id": "int", "next_action_at": "timestamptz",
    "touched_at": "timestamptz", "escalated_minutes": "int", "waiting_since": "timestamptz",
    "waiting_for": "text", "promise_at": "timestamptz", "offered_at": "timestamptz",
    "accepted_at": "timestamptz",
}  # fmt: skip
_ARRAYS = {"tags": "text[]", "waiting_for": "int[]"}
"""Columns that are arrays themselves come as what PostgreSQL reads one from."""
_WRITE_LEADS = text(
    "UPDATE lead SET "
    + ", ".join(
        f"{name} = CAST(new.{name} AS {_ARRAYS[name]})"
        if name in _ARRAYS
        else f"{name} = new.{name}"
        for name in _LEAD
    )
    + " FROM unnest(CAST(:id AS uuid[]), "
    + ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _LEAD.items())
    + f") AS new (id, {', '.join(_LEAD)}) WHERE lead.id = new.id"
)


@dataclass(slots=True)
class Rows:
    """The rows of a chunk at `at`, in the order in which things happened."""

    at: datetime
    leads: list[Lead] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    plans: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    messages: list[tuple[Any, ...]] = field(default_factory=list)
    channels: set[str] = field(default_factory=set)
    """By which the messages leave."""

    def tell(self, lead: Lead, kind: str, dealer_id: int | None = None, **data: Any) -> None:
        """As `lmt.models.record`."""
        self.events.append((uuid7(self.at), lead.id, self.at, kind, dealer_id, _json(data)))

    def plan(self, lead: Lead, plan: PlannedAction) -> None:
        """What the dealer will do, and that it was planned."""
        row = (plan.lead_id, plan.dealer_id, plan.owner_id, plan.kind, plan.due_at, "", self.at)
        self.plans.append(row)
        due_at = plan.due_at.isoformat()
        self.tell(lead, "planned", plan.dealer_id, plan_kind=plan.kind, due_at=due_at)

    def send(
        self,
        lead: Lead,
        *,
        cause: str,
        kind: str,
        recipient: str,
        language: str,
        timezone: str,
        dealer_id: int,
        context: dict[str, Any],
        channel: str = "mail",
    ) -> None:
        """As `lmt.notify.messages.enqueue`, to a dealer, for a cause that can't have one yet."""
        self.channels.add(channel)
        self.messages.append(
            (
                uuid7(self.at), cause, kind, "dealer", channel, recipient, language, timezone,
                lead.market_id, lead.id, dealer_id, _json(context), self.at, self.at, "queued", 0,
                "", "",
            )
        )  # fmt: skip

    def write(self, session: Session) -> None:
        """Write all down. No commit."""
        offers = [
            (
                o.id, o.lead_id, o.dealer_id, o.decision_id, o.state or "open", "", o.distance_km,
                o.offered_at, o.minutes, o.hop, o.expires_at, o.closed_at,
            )
            for o in self.offers
        ]  # fmt: skip
        _copy(session, "routing_decision", _DECISION, [_decision(each) for each in self.decisions])
        _copy(session, "offer", _OFFER, offers)
        _write_leads(session, self.leads)
        _copy(session, "planned_action", _PLAN, self.plans)
        _copy(session, "event", _EVENT, self.events)
        _copy(session, "message", _MESSAGE, self.messages)


def _decision(values: Mapping[str, Any]) -> list[Any]:
    *columns, inputs, result = (values[name] for name in _DECISION)
    return [*columns, _json(inputs), _json(result)]


def _write_leads(session: Session, leads: Sequence[Lead]) -> None:
    if not leads:
        return
    values: dict[str, Any] = {name: [getattr(each, name) for each in leads] for name in _LEAD}
    for name in _ARRAYS:
        values[name] = [_array(each) for each in values[name]]
    session.execute(_WRITE_LEADS, {"id": [each.id for each in leads], **values})


def _copy(
    session: Session, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    if not rows:
        return
    connection: Any = session.connection().connection.driver_connection
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


# Made once: `json.dumps` makes one each time.
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _array(values: Iterable[Any]) -> str:
    """As PostgreSQL writes an array."""
    quoted = (str(each).replace("\\", "\\\\").replace('"', '\\"') for each in values)
    return "{" + ",".join(f'"{each}"' for each in quoted) + "}"
