"""Ends the dealers that a file no longer names, in the way of `lmt.handover`: from now on they get
no lead, and the worker routes their open ones anew. Commits nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from lmt.db import wake
from lmt.models import Handover
from lmt.routing.directory import dealers_changed
from lmt.scope import Actor

_TABLES = ("dealer_terms", "competence", "territory")


def end_dealers(
    session: Session, dealer_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor
) -> None:
    """End these dealers `at` once. Those with an end planned already must not be among them."""
    if not dealer_ids:
        return
    given = {"ids": list(dealer_ids), "at": at}
    for table in _TABLES:
        # What would only have begun never does.
        session.execute(
            text(
                f"DELETE FROM {table} WHERE dealer_id = ANY(CAST(:ids AS int[]))"
                " AND lower(valid) >= CAST(:at AS timestamptz)"
            ),
            given,
        )
        session.execute(
            text(
                f"UPDATE {table} SET valid = tstzrange(lower(valid), CAST(:at AS timestamptz))"
                " WHERE dealer_id = ANY(CAST(:ids AS int[]))"
                " AND (upper(valid) IS NULL OR upper(valid) > CAST(:at AS timestamptz))"
            ),
            given,
        )
    session.execute(
        insert(Handover),
        [
            {
                "dealer_id": dealer_id,
                "service": "",
                "at": at,
                "reason": reason,
                "author_id": actor.user_id,
                "created_at": at,
            }
            for dealer_id in dealer_ids
        ],
    )
    dealers_changed(session, at, dealer_ids)
    wake(session, "handovers")
