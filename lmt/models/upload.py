"""Files as people or mailboxes brought them, kept where every machine can read them."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base, uuid7

PART_BYTES = 1_000_000
"""A file is kept, and read, in parts of this size: nobody ever holds it whole."""


class Upload(Base):
    __tablename__ = "upload"
    __table_args__ = (CheckConstraint("size >= 0", name="size"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), index=True)
    name: Mapped[str]
    """What its owner called it; never trusted, never a path of ours."""
    size: Mapped[int]
    sha256: Mapped[bytes]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    """None: a mailbox, or the operator at the command line."""


class UploadPart(Base):
    __tablename__ = "upload_part"

    upload_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    """Counted from 0."""
    data: Mapped[bytes]
