"""The desk's board: where the leads stand, a column for each status, a bounded number of cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.desk.inboxconditions import Reader, order
from lmt.desk.inboxfilter import InboxFilter, sees_markets
from lmt.desk.inboxrows import Row, rows_of
from lmt.lifecycle import CLOSED, Status
from lmt.models import Lead
from lmt.scope import Actor

MOST_CARDS = 20
CLOSED_DAYS = 14
"""For how long a lead that ended stays on the board."""

COLUMNS = (
    (Status.OFFERED, "new"),
    (Status.ACCEPTED, "all"),
    (Status.CONTACTED, "all"),
    (Status.RESTING, "resting"),
    (Status.WON, "closed"),
    (Status.LOST, "closed"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """`rest` are the filters of the list that shows the others; None where there are none."""

    status: Status
    cards: Sequence[Row]
    rest: dict[str, str] | None


def board(session: Session, actor: Actor, reader: Reader, *, mine: bool) -> list[Column]:
    """The most urgent of each status, of everybody or of the reader alone."""
    who = str(reader.user_id) if mine else ""
    ids = {}
    for status, tab in COLUMNS:
        listed = select(Lead.id).where(Lead.dealer_id.is_not(None), Lead.status == status)
        if mine:
            listed = listed.where(Lead.owner_id == reader.user_id)
        if status in CLOSED:
            listed = listed.where(Lead.closed_at >= reader.at - timedelta(days=CLOSED_DAYS))
        sort = "newest" if sees_markets(actor) else "urgency"
        key, ascending = order(InboxFilter(tab=tab, sort=sort))
        listed = listed.order_by(*(c if ascending else c.desc() for c in (key, Lead.id)))
        ids[status] = session.scalars(listed.limit(MOST_CARDS + 1)).all()
    shown = [id for found in ids.values() for id in found[:MOST_CARDS]]
    row_of = {row.lead.id: row for row in rows_of(session, shown, reader.at, reader.timezone)}
    return [
        Column(
            status,
            [row_of[id] for id in ids[status][:MOST_CARDS] if id in row_of],
            InboxFilter(tab=tab, status=status, assignee=who).address()
            if len(ids[status]) > MOST_CARDS
            else None,
        )
        for status, tab in COLUMNS
    ]
