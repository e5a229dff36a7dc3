"""A file of dealers: looked over as a plan with the linter's findings, then applied in one
transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from lmt.dealerfiles.afterwards import SpecialDays, network_after
from lmt.dealerfiles.applying import write_steps
from lmt.dealerfiles.areas import DrawnAreas
from lmt.dealerfiles.book import Book, brands_on_sale, dealer_book
from lmt.dealerfiles.closing import end_dealers
from lmt.dealerfiles.columnmap import ColumnMap, suggested
from lmt.dealerfiles.plan import Plan, planned
from lmt.dealerfiles.reading import RowReader
from lmt.dealerfiles.row import DealerRow
from lmt.dealerfiles.whereabouts import located_rows
from lmt.files.problems import FileProblem
from lmt.files.table import Table
from lmt.routing.dealers import candidates_of
from lmt.routing.lint import REACH_KM, Finding
from lmt.routing.linting import lint_market, special_entries
from lmt.scope import Actor, as_system

log = structlog.get_logger(__name__)

MOST_ROWS = 50_000
_LOCK = text("SELECT pg_advisory_xact_lock(7240715)")
_LOCK_TERMS = text(
    "SELECT terms.id FROM dealer_terms AS terms JOIN dealer ON dealer.id = terms.dealer_id"
    " JOIN market ON market.id = dealer.market_id"
    " WHERE terms.valid @> CAST(:at AS timestamptz)"
    " AND (dealer.code = ANY(CAST(:codes AS text[])) OR market.code = CAST(:market AS text))"
    " ORDER BY terms.id FOR UPDATE OF terms"
)


class PlanChanged(RuntimeError):
    """The network, or the file's reading, is no longer what the plan was made from."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked: a `market`'s code, "" where each row tells its own; `close_missing` ends the
    dealers of that market that the file doesn't name. `name` is the file's."""

    market: str = ""
    areas: DrawnAreas | None = None
    close_missing: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    added: int
    changed: int
    closed: int
    offers_moved: int


def suggested_columns(session: Session, columns: Sequence[str]) -> ColumnMap:
    """A first guess at which column is which field."""
    return suggested(columns, brands_on_sale(session)[0])


def read_rows(
    session: Session, table: Table, mapping: ColumnMap, today: date, most: int = MOST_ROWS
) -> list[DealerRow]:
    """All lines of the file. Raises FileProblem `too_large` beyond `most` lines."""
    reader = RowReader(table.layout.columns, mapping, brands_on_sale(session)[0], today)
    rows = []
    for number, cells, problem in table.rows():
        if number > most:
            raise FileProblem("too_large")
        rows.append(reader.read(number, cells, problem))
    return rows


def plan_import(
    session: Session, rows: Sequence[DealerRow], order: Order, *, at: datetime, actor: Actor
) -> tuple[Plan, Book]:
    """What an import of these rows would do now. Writes nothing. Raises LookupError for a market
    that isn't there, or isn't the actor's to change."""
    with as_system(session):
        book = dealer_book(
            session,
            sorted({row.code for row in rows if row.code}),
            market=order.market if order.close_missing else "",
            today=at.date(),
            at=at,
            actor=actor,
            with_leads=order.close_missing,
        )
        facts = book.markets.get(order.market)
        if order.market and (facts is None or not facts.open_to):
            raise LookupError(f"no market {order.market}")
        located = located_rows(session, rows, book.standing, book.markets, order.market)
    plan = planned(
        located,
        book.standing,
        book.markets,
        market=order.market,
        areas=order.areas,
        close_missing=order.close_missing,
    )
    return plan, book


def findings_after(
    session: Session, plan: Plan, book: Book, market: str, at: datetime, within_km: float = REACH_KM
) -> list[Finding]:
    """What the linter says of the market's network as it would be after the import."""
    with as_system(session):
        market_id = book.market_ids[market]
        special: dict[str, SpecialDays] = {}
        for entry in special_entries(session, market_id, at):
            if not entry.dealer:
                days = (entry.first, entry.last, entry.hours)
                special[entry.country] = (days, *special.get(entry.country, ()))
        after = network_after(candidates_of(session, market_id, at), plan, market, special)
        return lint_market(session, market_id, at, candidates=after, reach_km=within_km)


def markets_of(plan: Plan, order: Order) -> list[str]:
    """The markets that the import is about."""
    found = {step.after.market for step in plan.steps}
    return [order.market] if order.market else sorted(found)


def apply_import(
    session: Session,
    rows: Sequence[DealerRow],
    order: Order,
    *,
    at: datetime,
    actor: Actor,
    reason: str,
    seen: str = "",
) -> tuple[Plan, Applied]:
    """Carry the import out and commit; what is rejected is left as it is.

    The plan is made anew, so that nothing is undone that somebody did meanwhile; where `seen` is
    given, it must be the `mark` of that plan, else PlanChanged and nothing is written.
    """
    session.execute(_LOCK)
    market = order.market if order.close_missing else ""
    codes = sorted({row.code for row in rows if row.code})
    session.execute(_LOCK_TERMS, {"at": at, "codes": codes, "market": market})
    plan, book = plan_import(session, rows, order, at=at, actor=actor)
    if seen and plan.mark() != seen:
        session.rollback()
        raise PlanChanged
    with as_system(session):
        moved = write_steps(session, plan, book, at=at, actor=actor)
        ending = [book.known[each.state.code].id for each in plan.ending]
        end_dealers(session, ending, reason, at=at, actor=actor)
        session.commit()
    applied = Applied(len(plan.added), len(plan.changed), len(ending), moved)
    log.info(
        "dealers.imported", file=order.name, by=actor.user_id, added=applied.added,
        changed=applied.changed, closed=applied.closed, rejected=len(plan.rejected),
    )  # fmt: skip
    return plan, applied
