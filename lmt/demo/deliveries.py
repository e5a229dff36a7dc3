"""What was delivered for the demo's latest leads, so that each source has a pace of its own."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from lmt.db import uuid7_floor

DAYS = timedelta(days=35)
"""Longer ago than what health looks at, nothing is kept."""


def delivered(rng: Random, leads: Sequence[dict[str, Any]], at: datetime) -> list[dict[str, Any]]:
    """A delivery for each lead of the last weeks; the lead's row is told which."""
    rows = []
    for lead in leads:
        if lead["created_at"] < at - DAYS:
            continue
        body = json.dumps(lead["given"], ensure_ascii=False).encode()
        key = uuid.UUID(int=uuid7_floor(lead["created_at"]).int | rng.getrandbits(62))
        lead["intake_id"] = key
        rows.append(
            {
                "id": key,
                "source_id": lead["source_id"],
                "received_at": lead["created_at"],
                "content_type": "application/json",
                "body": body,
                "body_hash": hashlib.sha256(body).digest(),
                "status": "accepted",
            }
        )
    return rows
