"""The leads that fit a filter, a page at a time, at a price that does not grow with the table.

A database that is asked for the newest few of a million rows guesses how far it has to go, and a
rare filter may make it walk them all. So a page looks through at most WALK leads, in order along
an index; what has an index by words is asked of that, and where neither sees the end the page says
how far it looked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session, aliased, joinedload

from lmt.attributes import answered, says
from lmt.hq.filters import OWN, LeadFilter, Position
from lmt.hq.leadconditions import Named, is_open, lead_conditions, named
from lmt.hq.queries import dealer_names
from lmt.i18n import reader
from lmt.lifecycle import OPEN, WITH_DEALER
from lmt.models import Lead, Offer
from lmt.search import found_by

PAGE_ROWS = 50
WALK = 20_000
"""How many leads a page looks through, in the order in which it shows them."""
FIRST_WALK = 1_000
"""A word that many a lead has is found among so few, without asking its index."""
MOST_RARE = 5_000
"""What more leads than this have is not rare: it is walked to, not looked up."""


@dataclass(frozen=True, slots=True)
class LeadPage:
    """`next` begins the next page. `looked_until` is set where more may fit: leads beyond that
    instant were not looked through yet, and the next page begins with them."""

    leads: Sequence[Lead]
    dealers: dict[int, str]
    """Names by dealer id."""
    expires_at: dict[Any, datetime]
    """When the open offer of a lead runs out, by lead id."""
    next: Position | None
    looked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Rows in order; where not all leads were looked through, the next walk begins at `further`."""

    rows: list[Any]
    further: Position | None


def leads(
    session: Session,
    wanted: LeadFilter,
    *,
    at: datetime,
    after: Position | None = None,
    rows: int = PAGE_ROWS,
) -> LeadPage:
    """The newest leads first (the oldest, by `wanted.sort`), `rows` a page."""
    found = fitting(session, wanted, at=at, after=after, most=rows + 1)
    ids = [row.id for row in found.rows[:rows]]
    known = {
        lead.id: lead
        for lead in session.scalars(
            select(Lead)
            .where(Lead.id.in_(ids))
            .options(joinedload(Lead.market), joinedload(Lead.brand), joinedload(Lead.source))
        )
    }
    # What left the reader's sight in between is left out.
    shown = [known[id] for id in ids if id in known]
    offers = session.execute(
        select(Offer.lead_id, Offer.expires_at).where(Offer.lead_id.in_(ids), Offer.state == "open")
    )
    more = len(found.rows) > rows
    last = found.rows[rows - 1] if more else None
    return LeadPage(
        leads=shown,
        dealers=dealer_names(session, (lead.dealer_id for lead in shown), at=at),
        expires_at={offer.lead_id: offer.expires_at for offer in offers},
        next=Position(last.created_at, last.id) if last is not None else found.further,
        looked_until=found.further.created_at if found.further and not more else None,
    )


def fitting(
    session: Session,
    wanted: LeadFilter,
    *,
    at: datetime,
    after: Position | None = None,
    most: int,
    columns: Sequence[str] = (),
    walk: int = WALK,
) -> Found:
    """At most `most` leads that fit, in order: their `id`, `created_at` and `columns`, by name."""
    asked = _Asked(wanted, named(session, wanted), at, after, tuple(columns))
    ways = _ways(wanted)
    if ways:
        return _by_words(session, asked, ways, most, walk)
    along = _along(wanted, asked.of)
    rows = list(session.execute(_walked(asked, along, walk).limit(most)))
    return Found(rows, _edge(session, asked, along, walk) if len(rows) < most else None)


def counted_by(
    session: Session,
    wanted: LeadFilter,
    *,
    at: datetime,
    most: int,
    walk: int,
    keys: Callable[[Any], Sequence[ColumnElement[Any]]],
    marked: Callable[[Any], ColumnElement[bool]],
) -> tuple[list[Any], bool]:
    """The first `most` leads that fit, counted by what `keys` says of each: (key, …, how many, how
    many of them are `marked`); and whether there may be more of them. `most` is a thousand at
    least, and where words are asked for it is no more than MOST_RARE."""
    asked = _Asked(wanted, named(session, wanted), at, None, ())
    if _ways(wanted):
        found = fitting(session, wanted, at=at, most=min(most, MOST_RARE), walk=walk)
        counted = select(Lead).where(Lead.id.in_([row.id for row in found.rows])).subquery()
        more = len(found.rows) >= min(most, MOST_RARE) or found.further is not None
    else:
        along = _along(wanted, asked.of)
        lead = aliased(Lead, _passed(asked, along).limit(walk).subquery())
        fits = select(lead).where(*lead_conditions(asked.of, wanted, at, lead))
        counted = fits.limit(most).subquery()
        more = _edge(session, asked, along, walk) is not None
    lead = aliased(Lead, counted)
    by = keys(lead)
    count = func.count()
    rows = list(
        session.execute(
            select(*by, count, count.filter(marked(lead))).group_by(*by).select_from(lead)
        )
    )
    return rows, more or sum(row[-2] for row in rows) >= most


@dataclass(frozen=True, slots=True)
class _Asked:
    """A filter with what it needs to be asked, in one of the two orders, from a position on."""

    wanted: LeadFilter
    of: Named
    at: datetime
    after: Position | None
    columns: tuple[str, ...]

    def from_(self, position: Position) -> _Asked:
        return replace(self, after=position)

    @property
    def newest_first(self) -> bool:
        return self.wanted.sort != "oldest"

    def order(self, lead: Any) -> list[Any]:
        keys = lead.created_at, lead.id
        return [key.desc() if self.newest_first else key for key in keys]

    def beyond(self, position: Position | None) -> list[ColumnElement[bool]]:
        """Of the leads behind the position, in the order asked for."""
        if position is None:
            return []
        here = tuple_(Lead.created_at, Lead.id)
        there = tuple_(position.created_at, position.lead_id)
        return [here < there if self.newest_first else here > there]

    def until(self, position: Position | None) -> list[ColumnElement[bool]]:
        """Of the leads before the position or at it."""
        if position is None:
            return []
        here = tuple_(Lead.created_at, Lead.id)
        there = tuple_(position.created_at, position.lead_id)
        return [here >= there if self.newest_first else here <= there]

    def shown(self, lead: Any) -> list[Any]:
        return [lead.id, lead.created_at, *(getattr(lead, name) for name in self.columns)]

    def in_order(self, rows: Sequence[Any]) -> list[Any]:
        """Each once."""
        once = {row.id: row for row in rows}.values()
        return sorted(once, key=lambda row: (row.created_at, row.id), reverse=self.newest_first)


def _ways(wanted: LeadFilter) -> list[ColumnElement[bool]]:
    """What an index of words is asked, any of which may find a lead."""
    if wanted.search:
        said = says(wanted.search)
        # Ways that are joined by OR would be tried on every lead; one by one each has its index.
        return [found_by(wanted.search), *getattr(said, "clauses", [said])]
    if wanted.field and wanted.value:
        return [answered(wanted.field, wanted.value)]
    return []


def _along(wanted: LeadFilter, of: Named) -> list[ColumnElement[bool]]:
    """The rarest of the conditions by which an index has leads in the order of their arrival."""
    for column, id in ((Lead.dealer_id, of.dealer), (Lead.source_id, of.source)):
        if id is not None:
            status = wanted.status in OPEN and column is Lead.dealer_id
            return [column == id, *([Lead.status == wanted.status] if status else [])]
    if of.campaign is not None:
        return [Lead.campaign_id == of.campaign]
    if wanted.import_id is not None:
        return [Lead.import_id == wanted.import_id]
    if of.versions is not None:
        return [Lead.form_version_id.in_(of.versions)]
    if of.people is not None:
        return [Lead.owner_id.in_(of.people)]
    market = [] if of.market is None else [Lead.market_id == of.market]
    if wanted.status.startswith(OWN):
        return [*market, Lead.status.in_(sorted(WITH_DEALER))]
    if wanted.status in {"open", "overdue", *OPEN}:
        return [*market, is_open()]
    return market


def _passed(asked: _Asked, along: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The leads that a walk passes, fitting or not, in order."""
    since, before = asked.wanted.received(reader().timezone)
    days = [
        *([] if since is None else [Lead.created_at >= since]),
        *([] if before is None else [Lead.created_at < before]),
    ]
    passed = select(Lead).where(*along, *days, *asked.beyond(asked.after))
    return passed.order_by(*asked.order(Lead))


def _walked(asked: _Asked, along: Sequence[ColumnElement[bool]], walk: int) -> Select[Any]:
    """Those among the next `walk` leads that fit. The inner LIMIT keeps the database from looking
    for a way of its own, and it stops walking when it has as many as are taken."""
    lead = aliased(Lead, _passed(asked, along).limit(walk).subquery())
    conditions = lead_conditions(asked.of, asked.wanted, asked.at, lead)
    return select(*asked.shown(lead)).where(*conditions).order_by(*asked.order(lead))


def _edge(
    session: Session, asked: _Asked, along: Sequence[ColumnElement[bool]], walk: int
) -> Position | None:
    """The last of the next `walk` leads; None where there are not so many."""
    passed = _passed(asked, along).with_only_columns(Lead.created_at, Lead.id)
    last = session.execute(passed.offset(walk - 1).limit(1)).first()
    return None if last is None else Position(last.created_at, last.id)


def _by_words(
    session: Session,
    asked: _Asked,
    ways: Sequence[ColumnElement[bool]],
    most: int,
    walk: int,
) -> Found:
    """Where words are common they are soon found, in one stretch or the next; where they are rare
    the index knows all of the leads that have them."""
    rows: list[Any] = []
    for length in (FIRST_WALK, walk):
        edge = _edge(session, asked, [], length)
        for way in ways:
            stretch = _looked_up(asked, way, edge)
            rows += session.execute(stretch.limit(most))
        rows = asked.in_order(rows)
        if len(rows) >= most or edge is None:
            return Found(rows[:most], None)
        asked = asked.from_(edge)
    for way in ways:
        rest = list(session.execute(_looked_up(asked, way, None, MOST_RARE + 1)))
        if len(rest) > MOST_RARE:
            return Found(rows, edge)
        rows += rest
    return Found(asked.in_order(rows)[:most], None)


def _looked_up(
    asked: _Asked, way: ColumnElement[bool], edge: Position | None, most: int | None = None
) -> Select[Any]:
    """Leads up to `edge` that an index of words finds. In a query of its own, lest the database
    walk in the order that is asked for and read every lead's words."""
    beside = lead_conditions(asked.of, asked.wanted.without_words(), asked.at)
    stretch = [*asked.beyond(asked.after), *asked.until(edge)]
    found = select(*asked.shown(Lead)).where(way, *beside, *stretch).limit(most)
    rows = found.cte("found").prefix_with("MATERIALIZED")
    return select(rows).order_by(*asked.order(rows.c))
