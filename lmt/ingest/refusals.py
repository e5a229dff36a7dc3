"""Deliveries that nobody vouches for are turned away unread; that they came is counted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from lmt.db import SessionFactory
from lmt.models import SourceRefusal
from lmt.scope import SYSTEM, act_as


def note_refusal(sessions: SessionFactory, source_id: int, code: str, at: datetime) -> None:
    """One more of `code` in this hour, in a transaction of its own.

    What was refused is not kept: whoever likes could fill the database with it.
    """
    row = insert(SourceRefusal).values(
        source_id=source_id,
        hour=at.replace(minute=0, second=0, microsecond=0),
        code=code,
        times=1,
        last_at=at,
    )
    counted = row.on_conflict_do_update(
        index_elements=["source_id", "hour", "code"],
        set_={"times": SourceRefusal.times + 1, "last_at": row.excluded.last_at},
    )
    with act_as(sessions(), SYSTEM) as session:
        session.execute(counted)
        session.commit()
