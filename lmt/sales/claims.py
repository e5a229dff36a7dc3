"""Sales come to their leads: what the evidence says, one sale for a lead, and the lead's history.

Nothing here commits. Every change of which sale has which lead happens under the market's lock, so
that two files, or a file and a person, never give one lead to two sales.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt.models import Sale
from lmt.models.event import record
from lmt.sales.finding import Grounds, found, sold_of
from lmt.sales.matching import Judged, Reason, Scored, judged, outranks

_LOCK = text("SELECT pg_advisory_xact_lock(7240816, :market_id)")


def hold_market(session: Session, market_id: int) -> None:
    """Until the transaction ends nobody else matches sales of the market."""
    session.execute(_LOCK, {"market_id": market_id})


def match(session: Session, grounds: Grounds, sales: Sequence[Sale], at: datetime) -> None:
    """Find each sale's lead, or whom to ask about it; `hold_market` comes before.

    The lead goes to the sale with the best claim; one that a person decided on stays. The others
    are proposed for a person to look at.
    """
    solds = [sold_of(sale, grounds.home) for sale in sales]
    wanting: dict[uuid.UUID, list[tuple[Sale, Scored]]] = defaultdict(list)
    for sale, sold, candidates in zip(sales, solds, found(session, grounds, solds), strict=True):
        verdict = judged(sold, candidates)
        propose(sale, verdict)
        if verdict.state == "matched" and verdict.best is not None:
            wanting[verdict.best.asked.lead_id].append((sale, verdict.best))
    if not wanting:
        return
    holders = {
        sale.lead_id: sale
        for sale in session.scalars(select(Sale).where(Sale.lead_id.in_(list(wanting))))
    }
    winners: list[tuple[Sale, Scored]] = []
    for lead_id, claims in sorted(wanting.items()):
        holder = holders.get(lead_id)
        best = claims[0]
        for claim in claims[1:]:
            if outranks(_rank(claim[0]), _rank(best[0])):
                best = claim
        if holder is not None and (
            holder.decided_by is not None or outranks(_rank(holder), _rank(best[0]))
        ):
            contest(sale for sale, _scored in claims)
            continue
        contest(sale for sale, _scored in claims if sale is not best[0])
        if holder is not None:
            leave(session, holder, at)
            contest([holder])
        winners.append(best)
    # Who loses a lead lets go of it before another takes it.
    session.flush()
    for sale, scored in winners:
        take(session, sale, scored.asked.lead_id, at)


def propose(sale: Sale, verdict: Judged) -> None:
    """Write down what the evidence says; the lead itself isn't taken yet."""
    best = verdict.best
    sale.state = "none" if best is None else "proposed"
    sale.confidence = 0.0 if best is None else best.confidence
    sale.reasons = [] if best is None else [reason.to_json() for reason in best.reasons]
    sale.candidates = [each.to_json() for each in verdict.candidates]


def take(
    session: Session, sale: Sale, lead_id: uuid.UUID, at: datetime, actor_id: int | None = None
) -> None:
    """The lead is the sale's from now on."""
    sale.state, sale.lead_id = "matched", lead_id
    _tell(session, "sale_matched", sale, lead_id, at, actor_id)


def leave(session: Session, sale: Sale, at: datetime, actor_id: int | None = None) -> None:
    """The sale lets its lead go; what becomes of the sale is the caller's to say."""
    if sale.lead_id is not None:
        _tell(session, "sale_unmatched", sale, sale.lead_id, at, actor_id)
    sale.state, sale.lead_id = "proposed" if sale.candidates else "none", None


def contest(sales: Iterable[Sale]) -> None:
    """Another sale has the better claim to the lead of these: people decide."""
    mark = Reason("contested").to_json()
    for sale in sales:
        if mark not in sale.reasons:
            sale.reasons = [*sale.reasons, mark]


def _rank(sale: Sale) -> tuple[float, date, str]:
    return (sale.confidence, sale.sold_on, sale.key)


def _tell(
    session: Session,
    kind: str,
    sale: Sale,
    lead_id: uuid.UUID,
    at: datetime,
    actor_id: int | None,
) -> None:
    # A rival's sale is for headquarters and that rival to read: the event is the seller's.
    record(
        session,
        lead_id,
        kind,
        at=at,
        actor_id=actor_id,
        dealer_id=sale.dealer_id,
        sold_on=sale.sold_on.isoformat(),
    )
