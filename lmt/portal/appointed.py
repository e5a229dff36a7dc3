"""The appointments of a request as its customer sees them, and what more they may book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.i18n import gettext as _
from lmt.models import DealerTerms, Lead, PlannedAction, SlotTerms
from lmt.models.appointment import BOOKABLE

SHOWN_AFTER = timedelta(hours=2)
"""So long an appointment is still shown, for whoever is late."""
MINUTES = {"call": 15, "test_drive": 60, "visit": 60}
"""How long one takes where the dealer says nothing."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """`moves`: the dealer offers other times; `ends`: it may be called off. Never its note."""

    id: int
    kind: str
    due_at: datetime
    created_at: datetime
    minutes: int
    timezone: str
    moves: bool
    ends: bool

    @property
    def words(self) -> str:
        return kind_words(self.kind)


def kind_words(kind: str) -> str:
    return {
        "call": _("The dealer calls you"),
        "test_drive": _("Test drive"),
        "visit": _("Visit"),
    }.get(kind, "")


def appointments(session: Session, lead: Lead, at: datetime) -> list[Appointment]:
    """What is planned with the dealer that has the lead, the next first."""
    plan = PlannedAction
    terms = {each.kind: each for each in _terms(session, lead)}
    rows = session.execute(
        select(plan.id, plan.kind, plan.due_at, plan.created_at, plan.slot_at, DealerTerms.timezone)
        .join(DealerTerms, DealerTerms.dealer_id == plan.dealer_id)
        .where(
            plan.lead_id == lead.id,
            plan.dealer_id == lead.dealer_id,
            plan.done_at.is_(None),
            plan.due_at > at - SHOWN_AFTER,
            DealerTerms.holds_at(at),
        )
        .order_by(plan.due_at, plan.id)
    )
    return [
        Appointment(
            id,
            kind,
            due_at,
            created_at,
            terms[kind].minutes if kind in terms else MINUTES[kind],
            timezone,
            moves=kind in terms and due_at > at,
            # A call that the dealer wrote into its own calendar is the dealer's.
            ends=due_at > at and (kind != "call" or slot_at is not None),
        )
        for id, kind, due_at, created_at, slot_at, timezone in rows
    ]


def bookable_kinds(session: Session, lead: Lead, known: list[Appointment]) -> list[str]:
    """What the dealer lets people book and this customer has not yet."""
    offered = {each.kind for each in _terms(session, lead)}
    planned = {each.kind for each in known}
    return [kind for kind in BOOKABLE if kind in offered - planned]


def _terms(session: Session, lead: Lead) -> list[SlotTerms]:
    rows = select(SlotTerms).where(SlotTerms.dealer_id == lead.dealer_id, SlotTerms.capacity > 0)
    return list(session.scalars(rows))
