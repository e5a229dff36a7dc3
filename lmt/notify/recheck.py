"""Is a mail still true when its turn comes? What the lead's life has overtaken is dropped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lmt.lifecycle import CLOSED, Status


class Turn(StrEnum):
    """What to do with a message whose turn has come."""

    SEND = "send"
    DROP = "drop"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand now: the lead's status (None: no lead), the offer's state ("": no offer).

    `is_overdue` says that the offer's time has run out, `is_holder` that the lead is still with
    the dealer addressed, `waiting` counts the market's leads without a dealer.
    """

    status: Status | None = None
    offer_state: str = ""
    is_overdue: bool = False
    is_holder: bool = True
    waiting: int = 0


def turn(kind: str, standing: Standing) -> Turn:
    """Send the message, drop it, or look again in a moment.

    An open offer whose time has run out is about to be ended or extended: the mail waits to
    learn which, rather than naming an hour that has passed.
    """
    if kind == "dealer_new_lead":
        if standing.offer_state != "open":
            return Turn.DROP
        return Turn.WAIT if standing.is_overdue else Turn.SEND
    if kind == "dealer_asked_again":
        over = not standing.is_holder or standing.status in CLOSED
        return Turn.DROP if over else Turn.SEND
    if kind == "headquarters_unrouted":
        return Turn.SEND if standing.waiting else Turn.DROP
    if kind in {"customer_received", "customer_transferred"}:
        return Turn.DROP if standing.status == Status.WITHDRAWN else Turn.SEND
    return Turn.SEND
