"""One row of an import as it comes in: what was understood of it, and the call it tells of."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lmt.ingest.arrival import Arrival
from lmt.ingest.characters import storable

Action = Literal["route", "history", "suppress"]
Outcome = Literal["accepted", "asked_again", "repeated", "history", "suppressed"]

SPOKEN_TO = frozenset({"interested", "call_back", "appointment", "reached", "transferred"})
"""Dispositions of calls after which somebody waits to hear from a dealer."""
NO_CALL = "not_called"


@dataclass(frozen=True, slots=True)
class BulkCall:
    """A call that was made before we had the row; `disposition` is a code of
    `lmt.ingest.dispositions` or "", instants are aware."""

    at: datetime | None
    disposition: str
    note: str = ""
    agent: str = ""
    back_at: datetime | None = None

    @property
    def was_made(self) -> bool:
        """Whether anybody called at all: some rows are still to be called."""
        return self.disposition != NO_CALL and bool(self.disposition or self.at)

    @property
    def spoken_at(self) -> datetime | None:
        """Since when the person waits for a dealer, as far as the call says."""
        return self.at if self.disposition in SPOKEN_TO else None

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a lead's history tells of it."""
        told = {
            "disposition": self.disposition,
            "at": self.at.isoformat() if self.at else "",
            "agent": self.agent,
            "note": self.note,
        }
        return {name: storable(text) for name, text in told.items() if text}


@dataclass(frozen=True, slots=True)
class BulkRow:
    """A row of a file that can become a lead.

    `number` counts from 1; `key` is the sender's own id, None where the row is known by its bytes,
    whose SHA-256 is `body_hash`; `action` says what its disposition is worth.
    """

    number: int
    key: str | None
    body_hash: bytes
    arrival: Arrival
    action: Action = "route"
    call: BulkCall | None = None


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of a row, and the lead it is in; None where there is none."""

    number: int
    outcome: Outcome
    lead_id: uuid.UUID | None = None
