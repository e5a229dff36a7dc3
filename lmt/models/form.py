"""Forms and their fields as data: what is being drafted, what was published, how each fares."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from lmt.db import Base
from lmt.models.source import Source

COUNTS = ("seen", "started", "sent", "error", "review")
_KINDS = ",".join(f"'{kind}'" for kind in COUNTS)


class Form(Base):
    """One form of a market's source. What visitors see is its published version."""

    __tablename__ = "form"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    """In addresses and snippets; it stays."""
    name: Mapped[str] = mapped_column(default="")
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), index=True)
    draft: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`lmt.forms.definition.FormDefinition` as JSON, as it is being worked on."""
    draft_number: Mapped[int] = mapped_column(default=1)
    """Grows with every change of the draft, so that two who edit it notice each other."""
    drafted_at: Mapped[datetime | None]
    drafted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    published_id: Mapped[int | None] = mapped_column(
        ForeignKey("form_version.id", use_alter=True, name="fk_form_published_id_form_version")
    )
    """The version that is shown; None: none yet."""
    origins: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Where it may be embedded, as `https://www.example.com`."""
    active: Mapped[bool] = mapped_column(default=True)
    """False: it is shown to nobody."""
    source: Mapped[Source] = relationship()
    published: Mapped[FormVersion | None] = relationship(foreign_keys=[published_id])


class FormVersion(Base):
    """A form as it was published. It never changes: the database refuses it."""

    __tablename__ = "form_version"
    __table_args__ = (UniqueConstraint("form_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("form.id"))
    number: Mapped[int]
    """Counted from 1."""
    definition: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    note: Mapped[str] = mapped_column(default="")
    """What changed, in the words of who published it."""
    form: Mapped[Form] = relationship(foreign_keys=[form_id])


class FormCount(Base):
    """How often a version was seen, begun, sent, refused (by field), put to review, by the day."""

    __tablename__ = "form_count"
    __table_args__ = (CheckConstraint(f"kind IN ({_KINDS})", name="kind"),)

    version_id: Mapped[int] = mapped_column(ForeignKey("form_version.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    """In the market's zone."""
    kind: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True, default="")
    """The key of the field that was refused; "" for the other kinds."""
    times: Mapped[int] = mapped_column(default=1)


class FormFile(Base):
    """A file that a visitor sent with a form. Its id is known to the lead's attributes alone."""

    __tablename__ = "form_file"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    """Random, as whoever knows it may have the file."""
    form_id: Mapped[int] = mapped_column(ForeignKey("form.id"), index=True)
    field: Mapped[str]
    name: Mapped[str]
    """What its owner called it; never trusted."""
    content_type: Mapped[str]
    """As its first bytes tell."""
    data: Mapped[bytes]
    created_at: Mapped[datetime]
    forget_at: Mapped[datetime | None]


class CustomField(Base):
    """A field of a market's own, beside the system's: forms are composed of both.

    Forms copy it when they are edited, so that a version stays what it is; what it is called, where
    it shows and how long it is kept is read here.
    """

    __tablename__ = "custom_field"
    __table_args__ = (
        Index(
            "uq_custom_field_market_id_key",
            text("coalesce(market_id, 0)"),
            "key",
            unique=True,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    market_id: Mapped[int | None] = mapped_column(ForeignKey("market.id"), index=True)
    """None: for every market."""
    key: Mapped[str]
    """Under which leads keep it among their attributes; it stays."""
    definition: Mapped[dict[str, Any]]
    """`lmt.forms.fields.FieldDefinition` as JSON."""
    active: Mapped[bool] = mapped_column(default=True)
    """False: no longer offered; what leads have of it stays."""
