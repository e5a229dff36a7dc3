"""A customer, person or company, with all their leads; and the keys that find them again."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from lmt.db import Base


class Customer(Base):
    __tablename__ = "customer"
    __table_args__ = (CheckConstraint("kind IN ('private','business','fleet')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default="private")
    full_name: Mapped[str] = mapped_column(default="")
    company: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")
    """Where they last said they live; for telling people of one name apart."""
    postcode: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="")
    street: Mapped[str] = mapped_column(default="")
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    """Turned out to be the same person as that one; its leads went there."""
    created_at: Mapped[datetime]


class CustomerKey(Base):
    """What finds a customer again: a phone in E.164, a mail address, a name at a place.

    A household shares a phone, so one key may lead to several customers; `lmt.ingest.identity`
    tells them apart. Insert keys in sorted order, so that two deliveries of one person can't
    deadlock.
    """

    __tablename__ = "customer_key"
    __table_args__ = (CheckConstraint("kind IN ('phone','email','name_place')", name="kind"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), primary_key=True, index=True
    )


class DuplicateSuggestion(Base):
    """Two customers who may be one person: a question to people, never acted on by itself."""

    __tablename__ = "duplicate_suggestion"
    __table_args__ = (
        CheckConstraint("customer_id > other_id", name="order"),
        CheckConstraint("answer IN ('','same','different')", name="answer"),
        Index("ix_duplicate_suggestion_open", "at", postgresql_where=text("answered_at IS NULL")),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True, index=True)
    """The one who was there first."""
    score: Mapped[float]
    """0 to 1: how sure it is that they are one person."""
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Codes of what speaks for and against it."""
    at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class CustomerMove(Base):
    """A merge (all of one customer to another) or a split (some leads to one of their own)."""

    __tablename__ = "customer_move"
    __table_args__ = (CheckConstraint("kind IN ('merge','split')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    from_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    to_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    lead_ids: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(UUID))
    keys: Mapped[list[dict[str, Any]]]
    """The customer keys that went along: [{"kind", "value"}]."""
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reason: Mapped[str] = mapped_column(default="")
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
