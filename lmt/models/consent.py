"""The texts that people agree to, and the lists of those who want to hear nothing."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base


class ConsentText(Base):
    """One version of a text in one language. It never changes; a new wording is a new version."""

    __tablename__ = "consent_text"
    __table_args__ = (
        UniqueConstraint(
            "market_id", "purpose", "version", "language", postgresql_nulls_not_distinct=True
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    market_id: Mapped[int | None] = mapped_column(ForeignKey("market.id"))
    """None: for every market."""
    purpose: Mapped[str]
    version: Mapped[str]
    language: Mapped[str]
    text: Mapped[str]
    hash: Mapped[str] = mapped_column(index=True)
    """SHA-256 of the text in UTF-8, in hex."""
    created_at: Mapped[datetime]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class Suppression(Base):
    """Do not call this phone, do not mail this address: not unless they ask us anew."""

    __tablename__ = "suppression"
    __table_args__ = (
        CheckConstraint("kind IN ('phone','email')", name="kind"),
        CheckConstraint("origin IN ('list','outcome','unsubscribe','person')", name="origin"),
        Index(
            "uq_suppression_in_force",
            "kind",
            "value",
            "market_id",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    value: Mapped[str]
    """A phone in E.164, a mail address in lower case."""
    market_id: Mapped[int | None] = mapped_column(ForeignKey("market.id"))
    """None: in every market."""
    origin: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    lead_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lead.id"))
    """The lead at whose end, or from whose mail, it was said."""
    created_at: Mapped[datetime]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
