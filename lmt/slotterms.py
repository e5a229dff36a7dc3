"""What a dealer lets people book: how long, how many at once, how soon and how far ahead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Dealer, SlotTerms, note_change
from lmt.models.appointment import BOOKABLE
from lmt.scope import Actor

LIMITS: Mapping[str, tuple[int, int]] = {
    "capacity": (0, 100),
    "minutes": (10, 480),
    "notice_minutes": (0, 20_160),
    "days_ahead": (1, 120),
}
"""The smallest and the largest of each, as the database keeps them; a capacity of 0: nothing."""
USUAL: Mapping[str, int] = {"capacity": 0, "minutes": 60, "notice_minutes": 120, "days_ahead": 21}


def slot_terms(session: Session, dealer_id: int) -> dict[str, dict[str, int]]:
    """By kind, of all that may be offered; the usual ones where the dealer has said nothing."""
    rows = session.scalars(select(SlotTerms).where(SlotTerms.dealer_id == dealer_id))
    said = {row.kind: {name: getattr(row, name) for name in LIMITS} for row in rows}
    return {kind: said.get(kind, dict(USUAL)) for kind in BOOKABLE}


def set_slot_terms(
    session: Session,
    dealer_id: int,
    kind: str,
    values: Mapping[str, int],
    *,
    at: datetime,
    actor: Actor,
) -> bool:
    """From now on; what is booked already stays. Returns whether anything changed; commits.

    Raises LookupError for a dealer that the actor does not see or a kind nobody books, ValueError
    for a figure beyond its LIMITS.
    """
    dealer = session.get(Dealer, dealer_id)
    if dealer is None or kind not in BOOKABLE:
        raise LookupError(f"nothing to book: {kind} with dealer {dealer_id}")
    for name, (least, most) in LIMITS.items():
        if not least <= values[name] <= most:
            raise ValueError(name)
    row = session.get(SlotTerms, (dealer_id, kind), with_for_update=True)
    before: dict[str, Any] = (
        dict(USUAL) if row is None else {name: getattr(row, name) for name in LIMITS}
    )
    after = {name: values[name] for name in LIMITS}
    if before == after:
        session.rollback()
        return False
    if row is None:
        row = SlotTerms(dealer_id=dealer_id, kind=kind)
        session.add(row)
    for name, value in after.items():
        setattr(row, name, value)
    note_change(
        session,
        "slot_terms",
        f"{dealer.code}/{kind}",
        at=at,
        user_id=actor.user_id,
        before=before,
        after=after,
    )
    session.commit()
    return True
