"""Sources (one configured way in), how they fare, and the campaigns behind them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import CHAR, Text

from lmt.db import Base
from lmt.models.market import Market


class Campaign(Base):
    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint("cost >= 0", name="cost"),
        CheckConstraint("cost IS NULL OR currency IS NOT NULL", name="currency"),
        Index("ix_campaign_platform_ids", "platform_ids", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), index=True)
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    name: Mapped[str]
    utm_source: Mapped[str] = mapped_column(default="")
    """With `utm_medium` and `utm_campaign` a rule: what is empty fits anything; `*` is a joker."""
    utm_medium: Mapped[str] = mapped_column(default="")
    utm_campaign: Mapped[str] = mapped_column(default="")
    platform_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """What platforms call it: ids of campaigns, ad groups, ads or forms, `google:991214827`."""
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    cost: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    """What it costs in all, in `currency`."""
    currency: Mapped[str | None] = mapped_column(CHAR(3))


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
    """False: its deliveries are refused."""
    paused_at: Mapped[datetime | None]
    """Since when its deliveries are kept, and taken in only when it goes on; None: it runs."""
    solicited: Mapped[bool] = mapped_column(default=False)
    """True: its people didn't ask (bought or old lists), so do-not-contact lists stop them."""
    tells_customer: Mapped[bool] = mapped_column(default=True)
    """False: its people get no mail of ours unless they write themselves."""
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """From the sender's fields to ours: `lmt.mapping.model.Mapping` as JSON; {} for none."""
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What its kind needs besides: `lmt.ingest.sourcesettings` says what."""
    secrets: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Name → secret that must be computed with, sealed by `lmt.sealing`."""
    version: Mapped[int] = mapped_column(default=1)
    """Grows with every change, so that what a process remembers of it can be checked."""
    market: Mapped[Market] = relationship()
    campaign: Mapped[Campaign | None] = relationship()


class SourceRefusal(Base):
    """Deliveries turned away unread (wrong key, wrong signature), counted by the hour."""

    __tablename__ = "source_refusal"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int] = mapped_column(default=1)
    last_at: Mapped[datetime]


class SourceAlert(Base):
    """A source that fell silent or fails, from when until when; one open of each kind."""

    __tablename__ = "source_alert"
    __table_args__ = (
        CheckConstraint("kind IN ('silent','failing')", name="kind"),
        Index(
            "uq_source_alert_open",
            "source_id",
            "kind",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    kind: Mapped[str]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The figures that raised it."""
    source: Mapped[Source] = relationship()
