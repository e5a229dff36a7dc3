"""What people keep of reports: saved questions, when they are mailed, keys, targets, rates."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from lmt.db import Base
from lmt.models.user import User


class SavedReport(Base):
    """A question that a person gave a name. Whoever opens a shared one sees their own part of the
    answer, never the owner's."""

    __tablename__ = "saved_report"
    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        CheckConstraint("shared IN ('','market','all')", name="shared"),
        CheckConstraint("(shared = 'market') = (market_id IS NOT NULL)", name="market"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    name: Mapped[str]
    address: Mapped[dict[str, Any]]
    """The question as parameters of the report's address; `report` names the report."""
    shared: Mapped[str] = mapped_column(default="", server_default="")
    """With nobody, with the people of `market_id`, or with all who may see reports."""
    market_id: Mapped[int | None] = mapped_column(ForeignKey("market.id"), index=True)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    user: Mapped[User] = relationship()


class ReportSchedule(Base):
    """A saved report that is mailed again and again: `next_at` says when it is due."""

    __tablename__ = "report_schedule"
    __table_args__ = (
        CheckConstraint("every IN ('day','week','month')", name="every"),
        CheckConstraint("day BETWEEN 0 AND 31", name="day"),
        CheckConstraint("minute BETWEEN 0 AND 1439", name="minute"),
        Index("ix_report_schedule_next_at", "next_at", postgresql_where=text("active")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(
        ForeignKey("saved_report.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    """Who set it."""
    every: Mapped[str]
    day: Mapped[int] = mapped_column(default=0)
    """Of the week, 0 is Monday, or of the month, from 1; a month's last where it has no such."""
    minute: Mapped[int]
    """Of the day, on the wall of `timezone`."""
    timezone: Mapped[str]
    recipients: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    """Ids of users, who each see their own part, in their language."""
    files: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Beside the mail itself: xlsx, csv, pdf."""
    active: Mapped[bool] = mapped_column(default=True)
    next_at: Mapped[datetime]
    last_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    report: Mapped[SavedReport] = relationship()


class ReportKey(Base):
    """Lets a program read reports as its owner sees them. The key itself is told once."""

    __tablename__ = "report_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    name: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of a random 256-bit key, in hex."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Target(Base):
    """What a market means to reach in a month: the plan of one figure."""

    __tablename__ = "target"
    __table_args__ = (CheckConstraint("value >= 0", name="value"),)

    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    figure: Mapped[str] = mapped_column(primary_key=True)
    """One of `lmt.reports.planfigures.PLANNED`."""
    value: Mapped[Decimal] = mapped_column(Numeric(16, 4))
    """In the figure's own unit: a share from 0 to 1, minutes, the market's currency."""


class ExchangeRate(Base):
    """What one unit of a market's currency is worth in the installation's, in a month."""

    __tablename__ = "exchange_rate"
    __table_args__ = (CheckConstraint("rate > 0", name="rate"),)

    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    """Its first day; a rate holds until a later month has one."""
    rate: Mapped[Decimal] = mapped_column(Numeric(18, 8))
