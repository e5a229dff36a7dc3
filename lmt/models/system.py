"""A dealer's own system: where its leads are sent as ADF, and the key with which it answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base


class DealerSystem(Base):
    __tablename__ = "dealer_system"
    __table_args__ = (CheckConstraint("transport IN ('mail','post')", name="transport"),)

    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), primary_key=True)
    transport: Mapped[str]
    address: Mapped[str]
    """A mail address, or the https address that takes ADF by POST."""
    secrets: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`authorization`: the header its system wants, sealed by `lmt.sealing`."""
    key_hash: Mapped[str | None] = mapped_column(unique=True)
    """SHA-256 in hex of the key with which it reports a lead's status through the API."""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
