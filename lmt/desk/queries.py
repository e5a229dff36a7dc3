"""The dealer's inbox: one page of a tab or of a search, in a bounded number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import literal, select, tuple_
from sqlalchemy.orm import Session

from lmt.desk.inboxconditions import Place, Reader, conditions, open_counts, order, place
from lmt.desk.inboxfilter import TABS, InboxFilter, sees_markets, sorts_for
from lmt.desk.inboxrows import Row, rows_of, terms_of_dealers
from lmt.models import Dealer, Lead
from lmt.scope import Actor
from lmt.stubs import Stub, Wanted, stubs

__all__ = ["PAGE_ROWS", "TABS", "Inbox", "inbox", "terms_of_dealers"]

PAGE_ROWS = 50
COUNTED = ("new", "due", "overdue", "mine", "all")
"""Tabs whose number is shown: what waits for somebody."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of rows, or of stubs; `after` leads to the next one, "" on the last.

    `counts` is empty for whoever sees whole markets: their numbers are headquarters' overview.
    """

    rows: Sequence[Row]
    counts: dict[str, int]
    after: str
    stubs: Sequence[Stub] = ()

    @property
    def several_dealers(self) -> bool:
        return len({row.lead.dealer_id for row in self.rows}) > 1


def inbox(
    session: Session, actor: Actor, wanted: InboxFilter, reader: Reader, after: str = ""
) -> Inbox:
    """What `actor` asked for. `after` is a former page's; nonsense is ignored."""
    counts = {} if sees_markets(actor) else open_counts(session, reader, COUNTED)
    if wanted.place == "passed":
        return _passed(session, actor, wanted, reader, counts, after)
    sorts = sorts_for(wanted, actor)
    if wanted.sort not in sorts:
        wanted = replace(wanted, sort=sorts[0])
    key, ascending = order(wanted)
    # The page is found by its ids alone: a dealer's thousands of closed leads are sorted narrow.
    listed = select(Lead.id, key.label("key")).where(*conditions(wanted, reader))
    begins = place(after, wanted.sort)
    if begins is not None:
        here, there = tuple_(key, Lead.id), tuple_(literal(begins.key), begins.lead_id)
        listed = listed.where(here > there if ascending else here < there)
    listed = listed.order_by(*(c if ascending else c.desc() for c in (key, Lead.id)))
    found = session.execute(listed.limit(PAGE_ROWS + 1)).all()
    shown = found[:PAGE_ROWS]
    last = Place(shown[-1].key, shown[-1].id) if len(found) > PAGE_ROWS else ""
    rows = rows_of(session, [each.id for each in shown], reader.at, reader.timezone)
    return Inbox(rows, counts, str(last))


def _passed(
    session: Session,
    actor: Actor,
    wanted: InboxFilter,
    reader: Reader,
    counts: dict[str, int],
    after: str,
) -> Inbox:
    since, until = wanted.received(reader.timezone)
    asked = Wanted(wanted.how, wanted.request_type, wanted.model, since, until)
    begins = place(after, "newest")
    there = (begins.key, begins.lead_id) if begins and isinstance(begins.key, datetime) else None
    whose = _of_dealer(session, actor, wanted.dealer) if wanted.dealer else actor
    found = stubs(session, whose, asked, after=there, rows=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    last = Place(shown[-1].offered_at, shown[-1].lead_id) if len(found) > PAGE_ROWS else ""
    return Inbox((), counts, str(last), shown)


def _of_dealer(session: Session, actor: Actor, code: str) -> Actor:
    """The actor at this one of their dealers alone: what another one took over, it passed on."""
    dealer_id = session.scalar(select(Dealer.id).where(Dealer.code == code))
    parts = (part for part in actor.parts if part.dealer_id == dealer_id is not None)
    return replace(actor, parts=tuple(parts))
