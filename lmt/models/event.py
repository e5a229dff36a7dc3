"""Everything that happened to a lead, in order, with who and why."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from lmt.db import Base, uuid7
from lmt.models.dealer import Dealer
from lmt.models.user import User


class Event(Base):
    """Partitioned by its time-ordered id."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_lead_id_id", "lead_id", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lead.id"))
    at: Mapped[datetime]
    kind: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    """None: the system itself, or a machine."""
    dealer_id: Mapped[int | None] = mapped_column(ForeignKey("dealer.id"))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actor: Mapped[User | None] = relationship()
    dealer: Mapped[Dealer | None] = relationship()


def record(
    session: Session,
    lead_id: uuid.UUID,
    kind: str,
    *,
    at: datetime,
    actor_id: int | None = None,
    dealer_id: int | None = None,
    **data: Any,
) -> None:
    """Add to a lead's history, in the transaction of what happened. `data`: codes and figures."""
    session.add(
        Event(
            id=uuid7(at),
            lead_id=lead_id,
            at=at,
            kind=kind,
            actor_id=actor_id,
            dealer_id=dealer_id,
            data=data,
        )
    )
