"""Mails in a market's own words, links that do one thing, and mails that somebody wants no more."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lmt.db import Base, uuid7
from lmt.models.user import User


class MailText(Base):
    """A kind of mail in the words of a market (None: of the installation), with its draft."""

    __tablename__ = "mail_text"
    __table_args__ = (
        Index("uq_mail_text_kind_market_id", "kind", text("coalesce(market_id, 0)"), unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    market_id: Mapped[int | None] = mapped_column(ForeignKey("market.id"), index=True)
    draft: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    drafted_at: Mapped[datetime | None]
    drafted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    published_id: Mapped[int | None] = mapped_column(
        ForeignKey("mail_text_version.id", use_alter=True, name="fk_mail_text_published_id")
    )
    """The version that is sent; None: LMT's own words."""


class MailTextVersion(Base):
    """Words as they were published; the database refuses to change them."""

    __tablename__ = "mail_text_version"
    __table_args__ = (UniqueConstraint("mail_text_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mail_text_id: Mapped[int] = mapped_column(ForeignKey("mail_text.id"))
    number: Mapped[int]
    texts: Mapped[dict[str, Any]]
    """{"fallback": language, "languages": {language: {part: text with placeholders}}}"""
    published_at: Mapped[datetime]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    note: Mapped[str] = mapped_column(default="")
    author: Mapped[User | None] = relationship()


class Tap(Base):
    """A link of a mail that does one thing, once, for whoever holds it."""

    __tablename__ = "tap"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256 in hex; the token itself is in the mail alone."""
    purpose: Mapped[str]
    lead_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lead.id"), index=True)
    offer_id: Mapped[uuid.UUID | None]
    plan_id: Mapped[int | None]
    dealer_id: Mapped[int | None] = mapped_column(ForeignKey("dealer.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    """Whose mail it is, where it is a person's."""
    recipient: Mapped[str]
    language: Mapped[str]
    timezone: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class MailMute(Base):
    """An address that wants no more mails of a kind; said by its List-Unsubscribe link."""

    __tablename__ = "mail_mute"

    recipient: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
