"""Leads leave a report as a file: who took them is written down before the first byte leaves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lmt.models import note_change
from lmt.scope import Actor

LISTING = "report-leads"


def note_taken(
    session: Session,
    form: str,
    counted: int,
    address: Mapping[str, Any],
    *,
    persons: bool,
    at: datetime,
    actor: Actor,
) -> None:
    """Write down which leads the actor takes away: those behind the number at `address`, which is
    `counted`; with their customers or without. Commits."""
    taken = {"format": form, "rows": counted, "filters": dict(address), "customers": persons}
    note_change(session, "export", LISTING, at=at, user_id=actor.user_id, before={}, after=taken)
    session.commit()
