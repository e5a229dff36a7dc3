"""The fair-share ledger of a market, from the decisions and offers that were stored."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.models import Dealer, DealerTerms, Lead, Offer, RoutingDecision
from lmt.reports.export import BYTE_ORDER_MARK, neutral
from lmt.reports.ledger import CAUSES, Account, Turn, accounts, turn_of


@dataclass(frozen=True, slots=True)
class Line:
    """One dealer's account, with its name and present weight."""

    code: str
    name: str
    weight: float
    account: Account


def ledger(session: Session, market_id: int, since_at: datetime, until_at: datetime) -> list[Line]:
    """The market's accounts over [since_at, until_at), the most left behind first."""
    latest = func.row_number().over(
        partition_by=DealerTerms.dealer_id, order_by=func.lower(DealerTerms.valid).desc()
    )
    terms = (
        select(DealerTerms.dealer_id, DealerTerms.name, DealerTerms.weight, latest.label("nth"))
        .join(DealerTerms.dealer)
        .where(
            Dealer.market_id == market_id,
            func.lower_inf(DealerTerms.valid) | (func.lower(DealerTerms.valid) < until_at),
        )
        .subquery()
    )
    dealers = {
        row.id: row
        for row in session.execute(
            select(Dealer.id, Dealer.code, terms.c.name, terms.c.weight)
            .join(terms, terms.c.dealer_id == Dealer.id)
            .where(Dealer.market_id == market_id, terms.c.nth == 1)
        )
    }
    weights = {id: row.weight for id, row in dealers.items()}
    turns = _turns(session, market_id, since_at, until_at, weights)
    lines = [
        Line(dealers[id].code, dealers[id].name, dealers[id].weight, account)
        for id, account in accounts(turns).items()
        if id in dealers
    ]
    return sorted(lines, key=lambda line: (line.account.difference, line.code))


def _turns(
    session: Session,
    market_id: int,
    since_at: datetime,
    until_at: datetime,
    weights: dict[int, float],
) -> Iterator[Turn]:
    rows = session.execute(
        select(RoutingDecision.result, Offer.state)
        .join(Lead, Lead.id == RoutingDecision.lead_id)
        .join(Offer, Offer.decision_id == RoutingDecision.id)
        .where(
            Lead.market_id == market_id,
            ~Lead.test,
            RoutingDecision.at >= since_at,
            RoutingDecision.at < until_at,
        )
        .execution_options(yield_per=1000)
    )
    for result, state in rows:
        turn = turn_of(result, weights, state)
        if turn is not None:
            yield turn


def csv_lines(lines: Sequence[Line]) -> Iterator[str]:
    """A header of codes, then a line a dealer; leads with two decimals."""
    yield BYTE_ORDER_MARK + _csv(
        ["dealer", "name", "weight", "expected", "received", "difference", "kept", *CAUSES]
    )
    for line in lines:
        each = line.account
        figures = [each.expected, each.received, each.difference, each.kept]
        yield _csv(
            [
                neutral(line.code),
                neutral(line.name),
                f"{line.weight:g}",
                *(f"{figure:.2f}" for figure in figures),
                *(f"{each.cause(code):.2f}" for code in CAUSES),
            ]
        )


def _csv(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
