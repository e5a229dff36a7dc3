"""What the processes know of each other: heartbeats, outages, and long work in the background."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base, uuid7


class Outage(Base):
    """While the service or its mail was down: offers run on by as much working time."""

    __tablename__ = "outage"
    __table_args__ = (
        CheckConstraint("kind IN ('service','mail')", name="kind"),
        CheckConstraint("began_at <= ended_at", name="span"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]


class Job(Base):
    """Long work that the worker does by and by: a replay, an import. A lease says who has it."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_waiting", "created_at", postgresql_where=text("finished_at IS NULL")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str]
    market_id: Mapped[int | None] = mapped_column(ForeignKey("market.id"))
    arguments: Mapped[dict[str, Any]]
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    problem: Mapped[str] = mapped_column(default="")


class Heartbeat(Base):
    __tablename__ = "heartbeat"

    process: Mapped[str] = mapped_column(primary_key=True)
    """`worker:<host>:<pid>`"""
    kind: Mapped[str]
    at: Mapped[datetime]


class ReferenceVersion(Base):
    """Grows with every change of a source, campaign, brand, model, market, country or consent text.

    Triggers of the database see to that, so that what a process remembers of them can be checked
    in the statement that claims a delivery, whoever changed them.
    """

    __tablename__ = "reference_version"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
