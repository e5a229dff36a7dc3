"""Is a mail still true when its turn comes? What the lead's life has overtaken is dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lmt.lifecycle import CLOSED, WITH_DEALER, WORKED, Status

IN_HOURS = frozenset(
    {
        "colleague_handed",
        "colleague_mentioned",
        "dealer_digest",
        "dealer_handed_over",
        "dealer_lead_back",
        "dealer_reminder",
        "headquarters_escalation",
        "headquarters_queue",
        "headquarters_source",
        "headquarters_source_back",
        "help_answered",
        "help_asked",
        "manager_escalation",
        "manager_weekly",
        "plan_reminder",
    }
)
"""Kinds that never leave outside their reader's working hours."""
_COUNTING = frozenset(
    {
        "headquarters_unrouted",
        "headquarters_escalation",
        "headquarters_queue",
        "headquarters_source",
        "headquarters_source_back",
        "dealer_digest",
    }
)
_OF_A_DAY = frozenset({"dealer_digest", "manager_weekly"})
_BY_HOLDER = frozenset(
    {"colleague_handed", "colleague_mentioned", "dealer_customer_message", "help_answered"}
)
_TO_CUSTOMERS = frozenset({"customer_received", "customer_transferred", "customer_confirm"})


class Turn(StrEnum):
    """What to do with a message whose turn has come."""

    SEND = "send"
    DROP = "drop"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand now: the lead's status (None: no lead), the offer's state ("": no offer).
    `is_assigned`: the market gave the lead at once, without asking.

    `is_overdue` says that the offer's time has run out, `is_holder` that the lead is still with
    the dealer addressed, `waiting` counts the leads or sources that a mail to headquarters tells
    of. `state` is the escalation step's; `is_touched` says that its holder did something since,
    `is_plan_open` that the planned step still stands. `at_work_at` is when a reader who is off
    work now is back; None for one who is at work, and for kinds that don't ask. `has_system`: the
    dealer's own system takes leads. `is_plan_off`: the planned step was called off. `is_settled`:
    the question was closed, or the customer answered it, or the end was taken back; `is_past`: the
    day or the hour that the mail is about is over; `is_muted`: its reader wants no more of these.
    """

    status: Status | None = None
    offer_state: str = ""
    is_assigned: bool = False
    is_overdue: bool = False
    is_holder: bool = True
    waiting: int = 0
    state: str = ""
    is_touched: bool = False
    is_plan_open: bool = False
    at_work_at: datetime | None = None
    has_system: bool = True
    is_plan_off: bool = False
    is_settled: bool = False
    is_past: bool = False
    is_muted: bool = False
    what: str = ""


def turn(kind: str, standing: Standing) -> Turn:
    """Send the message, drop it, or look again in a moment.

    An open offer whose time has run out is about to be ended or extended: the mail waits to
    learn which, rather than naming an hour that has passed.
    """
    verdict = _turn(kind, standing)
    if verdict is Turn.SEND and kind in IN_HOURS and standing.at_work_at is not None:
        return Turn.WAIT
    return verdict


def still_waits(standing: Standing) -> bool:
    """Whether the lead waits as it did when the escalation step came."""
    if not standing.is_holder:
        return False
    if standing.state == "offered":
        return standing.status == Status.OFFERED and standing.offer_state == "open"
    if standing.is_touched:
        return False
    if standing.state == "plan_overdue":
        return standing.status in WORKED and standing.is_plan_open
    return standing.status == standing.state


def _turn(kind: str, standing: Standing) -> Turn:
    if kind == "dealer_new_lead":
        if standing.is_assigned:
            here = standing.is_holder and standing.status in WITH_DEALER
            return Turn.SEND if here else Turn.DROP
        if standing.offer_state != "open":
            return Turn.DROP
        return Turn.WAIT if standing.is_overdue else Turn.SEND
    if kind == "adf":
        return _to_a_system(standing)
    if kind in {"dealer_reminder", "manager_escalation"}:
        if not still_waits(standing):
            return Turn.DROP
        return Turn.WAIT if standing.state == "offered" and standing.is_overdue else Turn.SEND
    if kind == "plan_reminder":
        stands = standing.is_holder and standing.status in WORKED and standing.is_plan_open
        return Turn.SEND if stands else Turn.DROP
    if kind in {"dealer_handed_over", "dealer_lead_back"}:
        here = standing.is_holder and standing.status in WITH_DEALER
        return Turn.SEND if here else Turn.DROP
    if kind == "dealer_asked_again":
        over = not standing.is_holder or standing.status in CLOSED
        return Turn.DROP if over else Turn.SEND
    if standing.is_muted or (kind in _OF_A_DAY and standing.is_past):
        return Turn.DROP
    if kind in _BY_HOLDER:
        return Turn.SEND if standing.is_holder else Turn.DROP
    if kind in _FACES:
        return Turn.SEND if _FACES[kind](standing) else Turn.DROP
    if kind in _COUNTING:
        return Turn.SEND if standing.waiting else Turn.DROP
    if kind in _TO_CUSTOMERS:
        return Turn.DROP if standing.status == Status.WITHDRAWN else Turn.SEND
    return Turn.SEND


def _to_a_system(standing: Standing) -> Turn:
    """A dealer's own system hears of a lead that is still offered to the dealer, or that it has."""
    if not standing.has_system or not standing.is_holder or standing.status not in WITH_DEALER:
        return Turn.DROP
    if standing.offer_state not in {"open", "accepted"}:
        return Turn.DROP
    return Turn.WAIT if standing.offer_state == "open" and standing.is_overdue else Turn.SEND


def _appointment_stands(standing: Standing) -> bool:
    return (
        standing.is_holder
        and standing.status in WITH_DEALER
        and standing.is_plan_open
        and not standing.is_past
    )


def _concerns_its_dealer(standing: Standing) -> bool:
    """An appointment made, moved or called off: the latest of these is told, where it stands."""
    if standing.what == "cancelled":
        return standing.is_holder and standing.is_plan_off
    return _appointment_stands(standing)


_FACES: Mapping[str, Callable[[Standing], bool]] = {
    "customer_appointment": _appointment_stands,
    "customer_appointment_cancelled": lambda now: now.is_plan_off,
    "customer_closed": lambda now: not now.is_settled,
    "customer_feedback": lambda now: not now.is_settled and now.status != Status.WITHDRAWN,
    "dealer_appointment": _concerns_its_dealer,
    "dealer_withdrawn": lambda now: now.status == Status.WITHDRAWN,
    "help_asked": lambda now: not now.is_settled,
}
"""Kind → whether it is still true."""
