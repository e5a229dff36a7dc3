"""The raw delivery as received, and the keys that make a repeat the same delivery."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lmt.db import Base, uuid7
from lmt.models.source import Source


class Intake(Base):
    """Partitioned by its time-ordered id, so old deliveries are dropped by the month."""

    __tablename__ = "intake"
    __table_args__ = (
        CheckConstraint(
            "status IN ('accepted','quarantined','fetching','dismissed')", name="status"
        ),
        Index("ix_intake_quarantined", "id", postgresql_where="status = 'quarantined'"),
        Index(
            "ix_intake_same_bytes",
            "source_id",
            "body_hash",
            postgresql_where="status = 'quarantined'",
        ),
        # How a source fares is counted from the index alone.
        Index(
            "ix_intake_source_id_id",
            "source_id",
            "id",
            postgresql_include=["status", "received_at"],
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    received_at: Mapped[datetime]
    content_type: Mapped[str] = mapped_column(default="")
    body: Mapped[bytes]
    body_hash: Mapped[bytes]
    status: Mapped[str]
    """`fetching`: a notice whose lead is still to come; `dismissed`: a person said it is none."""
    problem: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Why it is quarantined: {"code": …, "errors": [{"field", "message"}]}."""
    times: Mapped[int] = mapped_column(default=1)
    """How often these very bytes came while they could not be read."""
    mended: Mapped[bytes | None]
    """The body as a person corrected it; `body` stays as it came."""
    answered_at: Mapped[datetime | None]
    """When a person replayed or dismissed it."""
    answered_by: Mapped[int | None]
    """Without a foreign key: making a new partition would lock everybody's accounts."""
    note: Mapped[str] = mapped_column(default="")
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


class Retrieval(Base):
    """A lead that a platform only announced: asked for outside any transaction, with back-off."""

    __tablename__ = "retrieval"
    __table_args__ = (
        CheckConstraint("status IN ('queued','done','failed')", name="status"),
        UniqueConstraint("source_id", "remote_id"),
        Index("ix_retrieval_due", "next_attempt_at", postgresql_where=text("status = 'queued'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    intake_id: Mapped[uuid.UUID]
    """The notice that announced it."""
    remote_id: Mapped[str]
    """The platform's id of the lead."""
    context: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the notice told besides: form, ad, page."""
    status: Mapped[str] = mapped_column(default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(default="")
    source: Mapped[Source] = relationship()
