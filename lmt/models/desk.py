"""What people at a desk keep beside a lead: views, questions, verdicts, replies."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lmt.db import Base, uuid7
from lmt.models.user import User


class SavedView(Base):
    """Filters that a person gave a name: of the dealer's desk, or of headquarters' console."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("user_id", "room", "name"),
        CheckConstraint("room IN ('desk','console')", name="room"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    room: Mapped[str]
    name: Mapped[str]
    filters: Mapped[dict[str, Any]]
    """What stands in the address of the list."""
    created_at: Mapped[datetime]


class HelpThread(Base):
    """A dealer asks headquarters or an expert about a lead. The lead's owner stays its owner."""

    __tablename__ = "help_thread"
    __table_args__ = (
        Index("ix_help_thread_open", "market_id", postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"), index=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"))
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    """Who asks; whoever has the lead later doesn't read it."""
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    expert_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    """Whom they ask; None: headquarters of the market."""
    opened_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    """When somebody who was asked first wrote."""
    closed_at: Mapped[datetime | None]
    posts: Mapped[list[HelpPost]] = relationship(back_populates="thread", order_by="HelpPost.id")
    asker: Mapped[User] = relationship(foreign_keys=[asked_by])
    expert: Mapped[User | None] = relationship(foreign_keys=[expert_id])


class HelpPost(Base):
    __tablename__ = "help_post"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    thread_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("help_thread.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]
    text: Mapped[str]
    thread: Mapped[HelpThread] = relationship(back_populates="posts")
    author: Mapped[User] = relationship()


class Verdict(Base):
    """What a lead was worth, by the dealer that worked on it; its source may contest it."""

    __tablename__ = "verdict"
    __table_args__ = (
        UniqueConstraint("lead_id", "dealer_id"),
        CheckConstraint("answer IN ('','upheld','changed')", name="answer"),
        Index(
            "ix_verdict_contested",
            "lead_id",
            postgresql_where=text("contested_at IS NOT NULL AND answered_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"))
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    verdict: Mapped[str]
    """A code of the labels' kind `verdict`."""
    note: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    contested_at: Mapped[datetime | None]
    contested_by: Mapped[str] = mapped_column(default="")
    """`source` where a machine did, else the name of the person."""
    contest_note: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answer_note: Mapped[str] = mapped_column(default="")


class ReplyTemplate(Base):
    """What a dealer writes often, ready to be filled: of a market or of all, a brand, a request.

    `snippet`: a piece to put into a reply, without a subject.
    """

    __tablename__ = "reply_template"
    __table_args__ = (CheckConstraint("kind IN ('reply','snippet')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    market_id: Mapped[int | None] = mapped_column(ForeignKey("market.id"), index=True)
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    request_type: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(default="reply")
    name: Mapped[str]
    texts: Mapped[dict[str, Any]]
    """Language → {"subject", "body"}, with placeholders."""
    active: Mapped[bool] = mapped_column(default=True)


class Reply(Base):
    """What a dealer wrote to the customer through the system; a message of the outbox sends it."""

    __tablename__ = "reply"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"), index=True)
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    template_id: Mapped[int | None] = mapped_column(ForeignKey("reply_template.id"))
    language: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    at: Mapped[datetime]
    author: Mapped[User | None] = relationship()
