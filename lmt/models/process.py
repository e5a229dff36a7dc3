"""Heartbeats of the processes that keep the service alive, for /readyz and `lmt doctor`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base


class Heartbeat(Base):
    __tablename__ = "heartbeat"

    process: Mapped[str] = mapped_column(primary_key=True)
    """`worker:<host>:<pid>`"""
    kind: Mapped[str]
    at: Mapped[datetime]
