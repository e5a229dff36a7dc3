"""A market's routing settings, versioned: each version holds from the instant it was published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lmt.db import Base
from lmt.models.market import Market
from lmt.models.user import User
from lmt.models.validity import Valid, no_overlap


class RoutingPolicy(Valid, Base):
    """A published version: it never changes but in its end."""

    __tablename__ = "routing_policy"
    __table_args__ = (
        UniqueConstraint("market_id", "version"),
        no_overlap("routing_policy", "market_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"))
    version: Mapped[int]
    settings: Mapped[dict[str, Any]]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    note: Mapped[str] = mapped_column(default="")
    """Why it was published."""
    published_at: Mapped[datetime | None]
    """When it was decided, which may be before it holds."""
    author: Mapped[User | None] = relationship()


class PolicyDraft(Base):
    """Settings being tried: replayed over past leads, then published or dropped."""

    __tablename__ = "policy_draft"
    __table_args__ = (
        CheckConstraint("state IN ('draft','published','dropped')", name="state"),
        Index("ix_policy_draft_market_id", "market_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"))
    name: Mapped[str]
    settings: Mapped[dict[str, Any]]
    based_on: Mapped[int] = mapped_column(default=0)
    """The version it was copied from; 0 for the defaults."""
    state: Mapped[str] = mapped_column(default="draft")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    market: Mapped[Market] = relationship()
    author: Mapped[User | None] = relationship()
