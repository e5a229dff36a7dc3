"""What a dealer does with a lead: planned actions, and the outcome."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import CHAR

from lmt.db import Base
from lmt.models.user import User

PLAN_KINDS = ("call", "test_drive", "visit")


class PlannedAction(Base):
    __tablename__ = "planned_action"
    __table_args__ = (
        CheckConstraint("kind IN ('call','test_drive','visit')", name="kind"),
        CheckConstraint("booked_by IN ('dealer','customer','agent')", name="booked_by"),
        # Read every minute: whose booked place is to be given back, whom to ask after a visit.
        Index("ix_planned_action_slot_at", "slot_at", postgresql_where=text("slot_at IS NOT NULL")),
        Index("ix_planned_action_visit", "due_at", postgresql_where=text("kind <> 'call'")),
        Index("ix_planned_action_open", "due_at", postgresql_where=text("done_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"), index=True)
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    """Whose plan it is: it stays with that dealer when the lead moves on."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[str]
    due_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    """When its owner was reminded that it comes."""
    done_at: Mapped[datetime | None]
    slot_at: Mapped[datetime | None]
    """The booked time that it holds, given back when it moves or is called off."""
    booked_by: Mapped[str] = mapped_column(default="dealer", server_default="dealer")
    """Who made the appointment: dealer, customer or agent."""
    cancelled_at: Mapped[datetime | None]
    """Called off; `done_at` is set too, so that nothing waits for it."""
    owner: Mapped[User | None] = relationship()


class Outcome(Base):
    """How a lead ended. Taking it back deletes the row; the event stays."""

    __tablename__ = "outcome"
    __table_args__ = (
        CheckConstraint("kind IN ('won','lost')", name="kind"),
        CheckConstraint("value >= 0", name="value"),
        CheckConstraint("kind = 'won' OR reason <> ''", name="reason"),
        # Sales of a file find their lead by it, however it is written.
        Index(
            "ix_outcome_order_number",
            text(r"upper(regexp_replace(order_number, '[\W_]+', '', 'g'))"),
            postgresql_where=text("order_number <> ''"),
        ),
    )

    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"), primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reason: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    order_number: Mapped[str] = mapped_column(default="")
    value: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    currency: Mapped[str | None] = mapped_column(CHAR(3))
