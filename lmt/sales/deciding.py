"""A person decides about a sale: confirm a lead that is proposed, say none, name one, take it back.

Each verb commits, under the market's lock, and writes who did it.
"""

from __future__ import annotations

import uuid
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Lead, Sale
from lmt.sales.claims import contest, hold_market, leave, take
from lmt.sales.finding import asked_lead, grounds_of, sold_of
from lmt.sales.matching import Reason, score
from lmt.sales.refusals import NotNow
from lmt.scope import Actor

log = structlog.get_logger(__name__)


def confirm(
    session: Session, sale_id: int, lead_id: uuid.UUID, *, at: datetime, actor: Actor
) -> Sale:
    """The sale came of that lead, one of its candidates. Raises LookupError, NotNow."""
    sale = _held(session, sale_id)
    if sale.state == "matched":
        raise _refused(session, "decided")
    if str(lead_id) not in {each["lead_id"] for each in sale.candidates}:
        raise _refused(session, "no_lead")
    return _give(session, sale, lead_id, at, actor)


def match_by_hand(
    session: Session, sale_id: int, reference: str, *, at: datetime, actor: Actor
) -> Sale:
    """The sale came of the lead with that reference, whatever the evidence says of it.

    Raises LookupError for a sale that isn't the actor's to see, NotNow `no_lead` for a reference
    that isn't one of the market's leads.
    """
    sale = _held(session, sale_id)
    if sale.state == "matched":
        raise _refused(session, "decided")
    bare = "".join(sign for sign in reference.upper() if sign.isalnum())
    lead_id = session.scalars(
        select(Lead.id).where(
            Lead.reference == f"{bare[:4]}-{bare[4:]}", Lead.market_id == sale.market_id
        )
    ).first()
    if lead_id is None:
        raise _refused(session, "no_lead")
    return _give(session, sale, lead_id, at, actor)


def reject(session: Session, sale_id: int, *, at: datetime, actor: Actor) -> Sale:
    """The sale came of none of the leads. Raises LookupError, NotNow."""
    sale = _held(session, sale_id)
    if sale.state not in {"proposed", "none"}:
        raise _refused(session, "decided")
    sale.state, sale.decided_by, sale.decided_at = "rejected", actor.user_id, at
    session.commit()
    log.info("sale.rejected", sale=sale.id, by=actor.user_id)
    return sale


def take_back(session: Session, sale_id: int, *, at: datetime, actor: Actor) -> Sale:
    """What was decided, by a person or by itself, is open again. Raises LookupError, NotNow."""
    sale = _held(session, sale_id)
    if sale.state not in {"matched", "rejected"}:
        raise _refused(session, "not_decided")
    leave(session, sale, at, actor.user_id)
    sale.decided_by = sale.decided_at = None
    best = sale.candidates[0] if sale.candidates else {}
    sale.confidence, sale.reasons = best.get("confidence", 0.0), best.get("reasons", [])
    session.commit()
    log.info("sale.taken_back", sale=sale.id, by=actor.user_id)
    return sale


def _give(session: Session, sale: Sale, lead_id: uuid.UUID, at: datetime, actor: Actor) -> Sale:
    grounds = grounds_of(session, sale.market_id, at)
    asked = asked_lead(session, grounds, lead_id)
    if asked is None:
        raise _refused(session, "no_lead")
    holder = session.scalars(select(Sale).where(Sale.lead_id == lead_id)).first()
    if holder is not None:
        if holder.decided_by is not None:
            raise _refused(session, "taken")
        # What was matched by itself gives way to what a person says.
        leave(session, holder, at, actor.user_id)
        contest([holder])
        session.flush()
    known = next((each for each in sale.candidates if each["lead_id"] == str(lead_id)), None)
    if known is None:
        scored = score(sold_of(sale, grounds.home), asked)
        sale.confidence = scored.confidence
        reasons = [reason.to_json() for reason in scored.reasons]
        sale.reasons = [*reasons, Reason("by_hand").to_json()]
    else:
        sale.confidence, sale.reasons = known["confidence"], known["reasons"]
    sale.decided_by, sale.decided_at = actor.user_id, at
    take(session, sale, lead_id, at, actor.user_id)
    session.commit()
    log.info("sale.matched", sale=sale.id, lead=str(lead_id), by=actor.user_id)
    return sale


def _held(session: Session, sale_id: int) -> Sale:
    """The sale, its market held, read anew. Raises LookupError where the actor can't see it."""
    market_id = session.scalars(select(Sale.market_id).where(Sale.id == sale_id)).first()
    if market_id is None:
        raise LookupError(f"no sale {sale_id}")
    hold_market(session, market_id)
    sale = session.scalars(
        select(Sale)
        .where(Sale.id == sale_id)
        .with_for_update(of=Sale)
        .execution_options(populate_existing=True)
    ).first()
    if sale is None:
        raise LookupError(f"no sale {sale_id}")
    return sale


def _refused(session: Session, code: str) -> NotNow:
    session.rollback()
    return NotNow(code)
