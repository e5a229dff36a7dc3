"""Times that can be booked at a dealer, and how many of each are taken."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base

BOOKABLE = ("test_drive", "visit", "call")


class SlotTerms(Base):
    """What a dealer lets people book: how long, how many at once, how soon and how far ahead."""

    __tablename__ = "slot_terms"
    __table_args__ = (
        CheckConstraint("kind IN ('test_drive','visit','call')", name="kind"),
        CheckConstraint("minutes BETWEEN 10 AND 480", name="minutes"),
        CheckConstraint("capacity BETWEEN 0 AND 100", name="capacity"),
        CheckConstraint("notice_minutes BETWEEN 0 AND 20160", name="notice"),
        CheckConstraint("days_ahead BETWEEN 1 AND 120", name="days_ahead"),
    )

    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    minutes: Mapped[int] = mapped_column(default=60)
    capacity: Mapped[int] = mapped_column(default=1)
    """How many may have the same time; 0: nothing can be booked."""
    notice_minutes: Mapped[int] = mapped_column(default=120)
    days_ahead: Mapped[int] = mapped_column(default=21)


class SlotUse(Base):
    """How many have a time, counted where it can't be overrun: in one row."""

    __tablename__ = "slot_use"
    __table_args__ = (CheckConstraint("used >= 0", name="used"),)

    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(default=0)


class Feedback(Base):
    """The customer's answer to the one question after the visit."""

    __tablename__ = "feedback"
    __table_args__ = (CheckConstraint("score BETWEEN 1 AND 5", name="score"),)

    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"), primary_key=True)
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    at: Mapped[datetime]
    score: Mapped[int]
    """1 (bad) to 5 (very good)."""
    comment: Mapped[str] = mapped_column(default="")
