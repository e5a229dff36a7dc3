"""Sources (one configured way in) and the campaigns behind them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lmt.db import Base
from lmt.models.market import Market


class Campaign(Base):
    __tablename__ = "campaign"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), index=True)
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    name: Mapped[str]
    utm_campaign: Mapped[str] = mapped_column(default="")
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]


class Source(Base):
    """One way in. The key is kept as a hash; what a delivery leaves out, the defaults fill."""

    __tablename__ = "source"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    """Channel: api, adf, form … ; `lmt.ingest` knows how to read each."""
    name: Mapped[str]
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), index=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    key_hash: Mapped[str | None] = mapped_column(unique=True)
    """SHA-256 of a random 256-bit key, in hex; None where the kind needs none (own forms)."""
    country: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    defaults: Mapped[dict[str, Any]] = mapped_column(default=dict)
    active: Mapped[bool] = mapped_column(default=True)
    market: Mapped[Market] = relationship()
    campaign: Mapped[Campaign | None] = relationship()
