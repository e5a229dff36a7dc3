"""The open leads of a dealer, given back and taken again by whoever ends or reopens one.

Counting a new lead against the caps is routing's (`lmt.routing.capacity`).
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

_CHANGE = text(
    "UPDATE dealer_load SET open_used = greatest(open_used + :change, 0)"
    " WHERE dealer_id = :dealer_id"
)


def give_back_open(session: Session, dealer_id: int) -> None:
    """The lead is no longer open with this dealer; its place in the day's count stays used."""
    session.execute(_CHANGE, {"dealer_id": dealer_id, "change": -1})


def take_open_again(session: Session, dealer_id: int) -> None:
    """A closed lead was reopened: it counts as open once more, whatever the cap."""
    session.execute(_CHANGE, {"dealer_id": dealer_id, "change": 1})
