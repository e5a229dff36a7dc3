"""What people changed in the settings: who, when, from what to what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from lmt.db import Base


class SettingChange(Base):
    """Secrets are named in it, never told."""

    __tablename__ = "setting_change"
    __table_args__ = (Index("ix_setting_change_subject", "kind", "subject", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[str]
    """What was changed: source, campaign, consent_text, dealer_system …"""
    subject: Mapped[str]
    """Its code."""
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("setting_change.id"), unique=True)
    """The change that this one took back."""


def note_change(
    session: Session,
    kind: str,
    subject: str,
    *,
    at: datetime,
    user_id: int | None,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    """Add what differs to the history, in the transaction of the change; nothing where all is
    as before."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if names:
        session.add(
            SettingChange(
                at=at,
                user_id=user_id,
                kind=kind,
                subject=subject,
                before={name: before[name] for name in names if name in before},
                after={name: after[name] for name in names if name in after},
            )
        )
