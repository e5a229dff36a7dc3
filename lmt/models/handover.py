"""The planned end of a dealer, or of one of its competences: who takes its open leads, and when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base


class Handover(Base):
    """With a successor its open leads go there as they are; without, each is routed anew.

    One that was called off is kept: it is done before it was due, and its reason says by whom.
    """

    __tablename__ = "handover"
    __table_args__ = (
        CheckConstraint("successor_id <> dealer_id", name="successor"),
        Index("ix_handover_due", "at", postgresql_where=text("done_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    service: Mapped[str] = mapped_column(default="")
    """With the brand: the competence that ends. Both empty: the dealer itself."""
    at: Mapped[datetime]
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("dealer.id"))
    reason: Mapped[str]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
