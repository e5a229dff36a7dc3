"""A customer, person or company, with all their leads; and the keys that find them again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base


class Customer(Base):
    __tablename__ = "customer"
    __table_args__ = (CheckConstraint("kind IN ('private','business','fleet')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default="private")
    full_name: Mapped[str] = mapped_column(default="")
    company: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class CustomerKey(Base):
    """A phone in E.164 or a mail address: the same key is the same customer.

    Insert keys in sorted order, so that two deliveries of one person can't deadlock.
    """

    __tablename__ = "customer_key"
    __table_args__ = (CheckConstraint("kind IN ('phone','email')", name="kind"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
