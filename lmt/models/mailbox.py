"""Mailboxes that are read: how far each is, and what every mail in it was."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base

MAIL_OUTCOMES = (
    "lead", "repeated", "import", "reply", "bounce", "automatic", "loop", "quarantined",
)  # fmt: skip
_OUTCOMES = ",".join(f"'{outcome}'" for outcome in MAIL_OUTCOMES)


class MailboxState(Base):
    """When a mailbox was last read, and whether that went well. A lease says who reads it."""

    __tablename__ = "mailbox_state"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    checked_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    """In a row."""
    problem: Mapped[str] = mapped_column(default="")
    """What the last failure was: a code; "" where it went well."""


class MailRead(Base):
    """A mail that was read, once: by its place in the mailbox, and by its own id."""

    __tablename__ = "mail_read"
    __table_args__ = (
        CheckConstraint(f"outcome IN ({_OUTCOMES})", name="outcome"),
        UniqueConstraint("source_id", "uid_validity", "uid"),
        Index("ix_mail_read_source_id_message_id", "source_id", "message_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    uid_validity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    sender: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str]
    intake_id: Mapped[uuid.UUID | None]
    lead_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lead.id", ondelete="SET NULL"))
    """The lead that it became or that it answers."""
    import_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("import_run.id"))
    moved_at: Mapped[datetime | None]
    """When it was put into its folder; None: still to be done."""
