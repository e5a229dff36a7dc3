"""The raw delivery as received, and the keys that make a repeat the same delivery."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lmt.db import Base, uuid7
from lmt.models.source import Source


class Intake(Base):
    """Partitioned by its time-ordered id, so old deliveries are dropped by the month."""

    __tablename__ = "intake"
    __table_args__ = (
        CheckConstraint("status IN ('accepted','quarantined')", name="status"),
        Index("ix_intake_quarantined", "id", postgresql_where="status = 'quarantined'"),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    received_at: Mapped[datetime]
    content_type: Mapped[str] = mapped_column(default="")
    body: Mapped[bytes]
    body_hash: Mapped[bytes]
    status: Mapped[str]
    problem: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Why it is quarantined: {"code": …, "errors": [{"field", "message"}]}."""
    source: Mapped[Source] = relationship()


class DeliveryKey(Base):
    """One row per (source, key of the sender): whoever inserts it first makes the leads."""

    __tablename__ = "delivery_key"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes]
    intake_id: Mapped[uuid.UUID]
    lead_ids: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(UUID), default=list)
    created_at: Mapped[datetime]
