"""A market's routing settings, versioned: each version holds from the instant it was published."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base
from lmt.models.validity import Valid, no_overlap


class RoutingPolicy(Valid, Base):
    __tablename__ = "routing_policy"
    __table_args__ = (
        UniqueConstraint("market_id", "version"),
        no_overlap("routing_policy", "market_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"))
    version: Mapped[int]
    settings: Mapped[dict[str, Any]]
