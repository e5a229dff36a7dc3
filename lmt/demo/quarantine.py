"""Deliveries of the demo that nobody could read, so that the quarantine has something to show."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from sqlalchemy.orm import Session

from lmt.db import uuid7_floor
from lmt.demo.store import copy_rows
from lmt.ingest.door import Unreadable
from lmt.ingest.readers import read_adf, read_json
from lmt.models import Intake

_UNREADABLE: tuple[tuple[str, str, Callable[[bytes], object], bytes], ...] = (
    ("adf", "text/html", read_adf, b"<html><body>504 Gateway timeout</body></html>"),
    ("adf", "text/xml", read_adf, b"<?xml version='1.0'?>\n<adf></adf>\n"),
    ("api", "application/json", read_json, b'{"customer": {"full_name": "Greta Brennick", '),
)


def quarantine_some(
    session: Session, rng: Random, sources: Mapping[tuple[str, str], int], at: datetime
) -> None:
    """Three deliveries of the last days, in each market."""
    rows = []
    for (_, channel), source in sorted(sources.items()):
        for kind, content_type, read, body in _UNREADABLE:
            if kind != channel:
                continue
            received_at = at - timedelta(hours=rng.uniform(2, 120))
            rows.append(
                {
                    "id": uuid.UUID(int=uuid7_floor(received_at).int | rng.getrandbits(62)),
                    "source_id": source,
                    "received_at": received_at,
                    "content_type": content_type,
                    "body": body,
                    "body_hash": hashlib.sha256(body).digest(),
                    "status": "quarantined",
                    "problem": _problem(read, body),
                }
            )
    copy_rows(session, Intake, rows)


def _problem(read: Callable[[bytes], object], body: bytes) -> dict[str, object]:
    """What the reader of such deliveries says of these bytes."""
    try:
        read(body)
    except Unreadable as problem:
        return {"code": problem.code, "errors": [dict(each) for each in problem.errors]}
    raise AssertionError("the reader has learnt to read this: the demo needs another example")
