"""Stored routing results: the decision with its reasons, and the offers that came of it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lmt.db import Base, uuid7
from lmt.models.dealer import Dealer


class RoutingDecision(Base):
    __tablename__ = "routing_decision"
    __table_args__ = (Index("ix_routing_decision_lead_id_at", "lead_id", "at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"))
    at: Mapped[datetime]
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("routing_policy.id"))
    dealer_id: Mapped[int | None] = mapped_column(ForeignKey("dealer.id"))
    cause: Mapped[str] = mapped_column(default="")
    """Why nobody was chosen."""
    inputs: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    """`lmt.routing.decision.Decision` as JSON: how, ranked, refused."""
    dealer: Mapped[Dealer | None] = relationship()


class Offer(Base):
    """A lead given to one dealer until an instant."""

    __tablename__ = "offer"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open','accepted','declined','expired','withdrawn')", name="state"
        ),
        Index(
            "uq_offer_one_holder",
            "lead_id",
            unique=True,
            postgresql_where=text("state IN ('open','accepted')"),
        ),
        Index("ix_offer_dealer_id_offered_at", "dealer_id", "offered_at"),
        Index("ix_offer_lead_id_offered_at", "lead_id", "offered_at"),
        Index("ix_offer_open", "expires_at", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"))
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"))
    decision_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("routing_decision.id"))
    state: Mapped[str] = mapped_column(default="open")
    reason: Mapped[str] = mapped_column(default="")
    distance_km: Mapped[float | None]
    offered_at: Mapped[datetime]
    clock_at: Mapped[datetime | None]
    """When its clock began: its mail was accepted, or the desk showed it. None before."""
    minutes: Mapped[int] = mapped_column(default=0)
    """Working minutes to answer, of the dealer's own calendar."""
    hop: Mapped[int] = mapped_column(default=1)
    """The how-many-eth dealer this is for the lead."""
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    dealer: Mapped[Dealer] = relationship()


class Contest(Base):
    """A dealer doubts that a lead was rightly given, or rightly taken; headquarters answers."""

    __tablename__ = "contest"
    __table_args__ = (
        Index(
            "uq_contest_open",
            "decision_id",
            "dealer_id",
            unique=True,
            postgresql_where=text("answered_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("routing_decision.id"))
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"), index=True)
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answer: Mapped[str] = mapped_column(default="")
    decision: Mapped[RoutingDecision] = relationship()
    dealer: Mapped[Dealer] = relationship()
