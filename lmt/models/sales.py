"""Sales that were told by a file, and the leads they came from."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import CHAR

from lmt.db import Base, uuid7
from lmt.models.dealer import Dealer
from lmt.models.lead import Lead
from lmt.models.upload import Upload


class SalesFile(Base):
    """A file of sales of one market: what was read of it, and what became of its rows."""

    __tablename__ = "sales_file"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft','waiting','running','finished','failed','undone')", name="state"
        ),
        CheckConstraint("read = kept + repeated + failed", name="adds_up"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), index=True)
    upload_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("upload.id"), index=True)
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id"))
    layout: Mapped[dict[str, Any]] = mapped_column(default=dict)
    columns: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Which column says what: field of a sale → the column's place, from 0."""
    state: Mapped[str] = mapped_column(default="draft")
    problem: Mapped[str] = mapped_column(default="")
    read: Mapped[int] = mapped_column(default=0)
    """Rows read so far; the sum of the three below."""
    kept: Mapped[int] = mapped_column(default=0)
    repeated: Mapped[int] = mapped_column(default=0)
    """Sales that an earlier row told already, of this file or another."""
    failed: Mapped[int] = mapped_column(default=0)
    failures: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"row", "field", "code", "given"}] of the first thousand that failed."""
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    finished_at: Mapped[datetime | None]
    upload: Mapped[Upload] = relationship()


class Sale(Base):
    """A car that was sold, as the file says. `proposed` ones wait for a person to decide."""

    __tablename__ = "sale"
    __table_args__ = (
        UniqueConstraint("market_id", "key"),
        CheckConstraint("state IN ('matched','proposed','none','rejected')", name="state"),
        CheckConstraint("(state IN ('matched')) = (lead_id IS NOT NULL)", name="lead"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        # One sale for a lead: who bought two cars was two leads, or is told once.
        Index(
            "uq_sale_lead_id", "lead_id", unique=True, postgresql_where=text("lead_id IS NOT NULL")
        ),
        Index("ix_sale_proposed", "market_id", "id", postgresql_where=text("state = 'proposed'")),
        Index("ix_sale_market_id_sold_on", "market_id", "sold_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sales_file.id"), index=True)
    row: Mapped[int]
    """Of the file, counted from 1, the header excepted."""
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"))
    key: Mapped[str]
    """What makes a repeat of the same sale one: by order number, or VIN, or person and day."""
    sold_on: Mapped[date]
    dealer_id: Mapped[int | None] = mapped_column(ForeignKey("dealer.id"), index=True)
    """Who sold it; None where the file names a dealer that is not known."""
    dealer_text: Mapped[str] = mapped_column(default="")
    order_number: Mapped[str] = mapped_column(default="")
    vin: Mapped[str] = mapped_column(default="")
    full_name: Mapped[str] = mapped_column(default="")
    company: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    postcode: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    value: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    currency: Mapped[str | None] = mapped_column(CHAR(3))
    state: Mapped[str] = mapped_column(default="none")
    lead_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lead.id"))
    confidence: Mapped[float] = mapped_column(default=0.0)
    """Of the match, or of the best that is proposed."""
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"code", "weight"}]: what speaks for it."""
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"lead_id", "confidence", "reasons"}] of those proposed, the best first."""
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    """The person who did; None: it was matched by itself."""
    decided_at: Mapped[datetime | None]
    lead: Mapped[Lead | None] = relationship()
    dealer: Mapped[Dealer | None] = relationship()
