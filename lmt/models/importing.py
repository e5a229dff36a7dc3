"""Imports: a file of leads that becomes leads by and by, and what became of its rows."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lmt.db import Base, uuid7
from lmt.models.source import Source
from lmt.models.upload import Upload

IMPORT_STATES = (
    "draft", "checking", "checked", "waiting", "running", "paused", "finished", "failed", "undoing",
    "undone",
)  # fmt: skip
_STATES = ",".join(f"'{state}'" for state in IMPORT_STATES)


class ImportRun(Base):
    """One file of leads for one source. The counts are changed in the transaction that writes the
    rows they count, so that they add up whenever somebody looks, and a worker that was killed
    leaves exactly the rows from `position` on to the next one."""

    __tablename__ = "import_run"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint(
            "position = accepted + asked_again + repeated + history + suppressed + failed",
            name="adds_up",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), index=True)
    upload_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("upload.id"), index=True)
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("job.id"))
    """The job that works on it, or did last."""
    intake_id: Mapped[uuid.UUID | None]
    """The delivery that its leads belong to: it names the file and the import."""
    layout: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """How the file is read: `lmt.files.layout.Layout` as JSON."""
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Which column is which field: `lmt.mapping.model.Mapping` as JSON, as it was when it began."""
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="draft")
    problem: Mapped[str] = mapped_column(default="")
    """Why it failed: a code."""
    total: Mapped[int | None]
    """Rows of the file, the header excepted; None until they were counted."""
    position: Mapped[int] = mapped_column(default=0)
    """Rows read so far; the sum of the counts below."""
    accepted: Mapped[int] = mapped_column(default=0)
    asked_again: Mapped[int] = mapped_column(default=0)
    repeated: Mapped[int] = mapped_column(default=0)
    """The same delivery as an earlier row, of this file or another."""
    history: Mapped[int] = mapped_column(default=0)
    suppressed: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    worked_seconds: Mapped[float] = mapped_column(default=0.0)
    """How long workers were at it, pauses and crashes excepted."""
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    undone: Mapped[int] = mapped_column(default=0)
    """Leads taken back by an undo; those that somebody had worked on stay."""
    source: Mapped[Source] = relationship()
    upload: Mapped[Upload] = relationship()


class ImportRow(Base):
    """A row that became no lead and has something to be told: it failed, or was suppressed."""

    __tablename__ = "import_row"
    __table_args__ = (CheckConstraint("outcome IN ('failed','suppressed')", name="outcome"),)

    import_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    """Of the row in the file, counted from 1, the header excepted."""
    outcome: Mapped[str]
    errors: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"field", "code", "given"}]: what was wrong, by field of the lead or column of the file."""
    cells: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """As they were read, in the order of the file's columns."""


class CallRecord(Base):
    """A call that somebody made before we had the lead, or instead of one: kept as history."""

    __tablename__ = "call_record"
    __table_args__ = (
        Index(
            "ix_call_record_import_id", "import_id", postgresql_where=text("import_id IS NOT NULL")
        ),
        Index("ix_call_record_source_id_at", "source_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), index=True)
    lead_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("lead.id", ondelete="SET NULL"), index=True
    )
    """The lead that came of it, where one did."""
    import_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("import_run.id"))
    row_number: Mapped[int | None]
    at: Mapped[datetime | None]
    """None: whoever noted the call didn't say when it was."""
    disposition: Mapped[str]
    """A code of `lmt.ingest.dispositions`."""
    note: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")
    """Who called, as the file names them."""


class Release(Base):
    """Until when a market's dealers are busy with imported leads: the next one comes then."""

    __tablename__ = "release"

    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), primary_key=True)
    next_at: Mapped[datetime]
