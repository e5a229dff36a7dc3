"""Times to book at the demo's dealers, some that are booked, and what customers said afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import appointments
from lmt.dealerquality import FORGOTTEN_AFTER_DAYS
from lmt.demo.store import copy_rows
from lmt.models import Dealer, Feedback, Lead, PlannedAction, SlotTerms, record
from lmt.slotuse import take

BOOKED = 12
"""So many leads of the demo's day have an appointment ahead that their customer made."""
DAYS_AHEAD = 10
ANSWERS = 0.35
"""So many of those who were spoken with say how it went."""
COMMENTS = ("", "", "", "Friendly, and well prepared.", "I had to ask twice.", "Quick answer!")


def keep_appointments(session: Session, rng: Random, at: datetime) -> None:
    """In the caller's transaction. The same `rng` and leads give the same."""
    showrooms = session.scalars(select(Dealer.id).where(Dealer.kind == "showroom")).all()
    copy_rows(
        session,
        SlotTerms,
        [
            {
                "dealer_id": dealer_id,
                "kind": kind,
                "minutes": minutes,
                "capacity": capacity,
                "notice_minutes": notice,
                "days_ahead": 21,
            }
            for dealer_id in sorted(showrooms)
            for kind, minutes, capacity, notice in (
                ("test_drive", 60, 1, 240),
                ("visit", 45, 2, 120),
            )
        ],
    )
    _book_some(session, at)
    copy_rows(session, Feedback, _answers(session, rng, at))


def _book_some(session: Session, at: datetime) -> None:
    worked = session.scalars(
        select(Lead)
        .join(Dealer, Dealer.id == Lead.dealer_id)
        .where(
            Lead.status.in_(("accepted", "contacted")),
            Lead.owner_id.is_not(None),
            Lead.request_type == "test_drive",
            Dealer.kind == "showroom",
        )
        .order_by(Lead.created_at.desc())
        .limit(BOOKED)
    ).all()
    for place, lead in enumerate(worked):
        assert lead.dealer_id is not None
        free = appointments.bookable(session, lead.dealer_id, "test_drive", at, DAYS_AHEAD)
        if free:
            _book(session, lead, free[(place * 5) % len(free)].starts_at, at)


def _book(session: Session, lead: Lead, starts_at: datetime, at: datetime) -> None:
    assert lead.dealer_id is not None
    terms = appointments.terms_of(session, lead.dealer_id, "test_drive")
    if terms is None or not take(session, lead.dealer_id, "test_drive", starts_at, terms.capacity):
        return
    booked_at = min(at, (lead.accepted_at or lead.created_at) + timedelta(minutes=20))
    session.add(
        PlannedAction(
            lead_id=lead.id,
            dealer_id=lead.dealer_id,
            owner_id=lead.owner_id,
            kind="test_drive",
            due_at=starts_at,
            slot_at=starts_at,
            booked_by="customer",
            created_at=booked_at,
        )
    )
    record(
        session,
        lead.id,
        "booked",
        at=booked_at,
        dealer_id=lead.dealer_id,
        plan_kind="test_drive",
        due_at=starts_at.isoformat(),
        booked_by="customer",
    )
    session.flush()


def _answers(session: Session, rng: Random, at: datetime) -> list[dict[str, Any]]:
    ended = session.execute(
        select(Lead.id, Lead.dealer_id, Lead.closed_at, Lead.status)
        .where(
            Lead.status.in_(("won", "lost")),
            Lead.contacted_at.is_not(None),
            Lead.dealer_id.is_not(None),
            Lead.closed_at > at - timedelta(days=FORGOTTEN_AFTER_DAYS),
        )
        .order_by(Lead.id)
    ).all()
    answers: list[dict[str, Any]] = []
    for lead_id, dealer_id, closed_at, status in ended:
        if closed_at is not None and rng.random() < ANSWERS:
            low = 3 if status == "won" else 1
            answers.append(
                {
                    "lead_id": lead_id,
                    "dealer_id": dealer_id,
                    "at": min(at, closed_at + timedelta(hours=rng.randint(2, 40))),
                    "score": rng.randint(low, 5),
                    "comment": rng.choice(COMMENTS),
                }
            )
    return answers
