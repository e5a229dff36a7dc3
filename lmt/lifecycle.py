"""The core states of a lead and the steps between them; a market's own statuses map onto these."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a lead stands. Every open state has an owner or a queue."""

    RECEIVED = "received"  # durable, not yet qualified and routed
    INCOMPLETE = "incomplete"  # no way to reach the person: a queue, never offered
    UNLOCATED = "unlocated"  # too vague a place: a queue, with the best guess
    UNROUTED = "unrouted"  # nobody eligible: a queue, with the cause
    OFFERED = "offered"  # given to one dealer until an instant
    ACCEPTED = "accepted"
    CONTACTED = "contacted"
    RESTING = "resting"  # the customer said: not yet; its dealer's clock and cap stand still
    WON = "won"
    LOST = "lost"
    WITHDRAWN = "withdrawn"  # by the customer, or no lead at all


class IllegalStep(ValueError):
    """A verb was asked of a lead whose state doesn't allow it."""

    def __init__(self, status: Status, target: Status):
        super().__init__(f"a lead that is {status} can't become {target}")
        self.status, self.target = status, target


QUEUES = frozenset({Status.INCOMPLETE, Status.UNLOCATED, Status.UNROUTED})
WITH_DEALER = frozenset({Status.OFFERED, Status.ACCEPTED, Status.CONTACTED, Status.RESTING})
WORKED = frozenset({Status.ACCEPTED, Status.CONTACTED})
CLOSED = frozenset({Status.WON, Status.LOST, Status.WITHDRAWN})
OPEN = frozenset(Status) - CLOSED

_ROUTED = {Status.OFFERED, Status.UNLOCATED, Status.UNROUTED, Status.INCOMPLETE}

STEPS: dict[Status, frozenset[Status]] = {
    Status.RECEIVED: frozenset(_ROUTED | {Status.WITHDRAWN}),
    Status.INCOMPLETE: frozenset(_ROUTED | {Status.WITHDRAWN}),
    Status.UNLOCATED: frozenset(_ROUTED | {Status.WITHDRAWN}),
    Status.UNROUTED: frozenset(_ROUTED | {Status.WITHDRAWN}),
    Status.OFFERED: frozenset(_ROUTED | {Status.ACCEPTED, Status.WITHDRAWN}),
    # A worked lead is routed anew when its dealer ends, or when a person moves it.
    Status.ACCEPTED: frozenset(
        _ROUTED | {Status.CONTACTED, Status.RESTING, Status.WON, Status.LOST, Status.WITHDRAWN}
    ),
    Status.CONTACTED: frozenset(
        _ROUTED | {Status.RESTING, Status.WON, Status.LOST, Status.WITHDRAWN}
    ),
    Status.RESTING: frozenset(
        _ROUTED | {Status.ACCEPTED, Status.CONTACTED, Status.WON, Status.LOST, Status.WITHDRAWN}
    ),
    Status.WON: frozenset(
        {Status.ACCEPTED, Status.CONTACTED}
    ),  # a sale recorded by mistake is taken back
    Status.LOST: frozenset({Status.ACCEPTED, Status.CONTACTED}),
    Status.WITHDRAWN: frozenset(),
}


def may_step(status: Status, target: Status) -> bool:
    return target in STEPS[status]


def step(status: Status, target: Status) -> Status:
    """`target`, when the step is allowed; raises IllegalStep otherwise."""
    if not may_step(status, target):
        raise IllegalStep(status, target)
    return target
