"""How the sales of files stand: how many found their lead, wait for a person, or have none."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.models import Sale

STATES = ("matched", "proposed", "none", "rejected")


def figures_of(session: Session, file_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[str, int]]:
    """{file: {state: sales}}, all states of all files, in one statement."""
    told = {file_id: dict.fromkeys(STATES, 0) for file_id in file_ids}
    rows = session.execute(
        select(Sale.file_id, Sale.state, func.count())
        .where(Sale.file_id.in_(list(told)))
        .group_by(Sale.file_id, Sale.state)
    )
    for file_id, state, number in rows:
        told[file_id][state] = number
    return told
