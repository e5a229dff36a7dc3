"""Dealers: who receives leads, where, when and for what.

`dealer` is the identity; what may change over time (place, calendar, caps, competences,
closures, territories) carries a validity range, so a past decision can be replayed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, object_session, relationship
from sqlalchemy.types import CHAR, Text

from lmt.db import Base
from lmt.models.market import Market
from lmt.models.validity import Valid, no_overlap


class DealerGroup(Base):
    __tablename__ = "dealer_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]

    @property
    def dealer_ids(self) -> list[int]:
        """Of all dealers in it, whoever asks: the bare table, since scopes are made of it."""
        session = object_session(self)
        assert session is not None
        dealer = Dealer.__table__.c
        ids = select(dealer.id).where(dealer.group_id == self.id).order_by(dealer.id)
        return list(session.scalars(ids))


class Dealer(Base):
    """A recipient of leads: a showroom, a workshop, or a team of the market."""

    __tablename__ = "dealer"
    __table_args__ = (CheckConstraint("kind IN ('showroom','workshop','team')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), index=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("dealer_group.id"), index=True)
    kind: Mapped[str] = mapped_column(default="showroom")
    version: Mapped[int] = mapped_column(default=1, index=True)
    """The network's version in which this dealer was last edited."""
    market: Mapped[Market] = relationship()
    group: Mapped[DealerGroup | None] = relationship()
    terms: Mapped[list[DealerTerms]] = relationship(back_populates="dealer")
    competences: Mapped[list[Competence]] = relationship(back_populates="dealer")
    closures: Mapped[list[Closure]] = relationship(back_populates="dealer")
    territories: Mapped[list[Territory]] = relationship(back_populates="dealer")


class DealerTerms(Valid, Base):
    """What a dealer is on a day: name, place, contact, calendar, caps, weight."""

    __tablename__ = "dealer_terms"
    __table_args__ = (
        CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="place"),
        CheckConstraint("day_cap >= 0 AND month_cap >= 0 AND open_cap >= 0", name="caps"),
        CheckConstraint("weight > 0", name="weight"),
        CheckConstraint("assign_to IN ('team','colleague')", name="assign_to"),
        no_overlap("dealer_terms", "dealer_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    language: Mapped[str]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    street: Mapped[str] = mapped_column(default="")
    postcode: Mapped[str] = mapped_column(default="")
    city: Mapped[str]
    country: Mapped[str] = mapped_column(CHAR(2))
    lat: Mapped[float]
    lon: Mapped[float]
    timezone: Mapped[str]
    hours: Mapped[str]
    """OpenStreetMap opening_hours syntax."""
    day_cap: Mapped[int | None]
    month_cap: Mapped[int | None]
    open_cap: Mapped[int | None]
    weight: Mapped[float] = mapped_column(default=1.0)
    quality: Mapped[float] = mapped_column(default=0.5)
    active: Mapped[bool] = mapped_column(default=True)
    paused: Mapped[bool] = mapped_column(default=False)
    assign_to: Mapped[str] = mapped_column(default="team")
    """Whether a lead goes to the whole `team` or to one `colleague`."""
    dealer: Mapped[Dealer] = relationship(back_populates="terms")


class Competence(Valid, Base):
    """Brand × service × model range that a dealer may serve."""

    __tablename__ = "competence"
    __table_args__ = (Index("ix_competence_dealer_id_brand_id", "dealer_id", "brand_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"))
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    service: Mapped[str]
    models: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Codes of the models in the range; empty for all of the brand."""
    dealer: Mapped[Dealer] = relationship(back_populates="competences")


class Closure(Valid, Base):
    """Whole days on which a dealer is closed, in its own dates, both ends included."""

    __tablename__ = "closure"
    __table_args__ = (CheckConstraint("starts_on <= ends_on", name="span"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
    dealer: Mapped[Dealer] = relationship(back_populates="closures")


class SpecialHours(Valid, Base):
    """Days with hours of their own: of one dealer, or of a whole country of a market.

    Ramadan's shorter day, a long Saturday, Christmas Eve. Both ends included, in the dealer's
    dates; a dealer's own go before its country's.
    """

    __tablename__ = "special_hours"
    __table_args__ = (
        CheckConstraint("starts_on <= ends_on", name="span"),
        CheckConstraint("dealer_id IS NOT NULL OR country <> ''", name="whose"),
        Index("ix_special_hours_market_id", "market_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"))
    country: Mapped[str] = mapped_column(default="")
    dealer_id: Mapped[int | None] = mapped_column(ForeignKey("dealer.id"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    hours: Mapped[str]
    """OpenStreetMap opening_hours syntax; `off` for closed."""
    name: Mapped[str] = mapped_column(default="")
    """A code of a calendar pack (`ramadan`), or what the market calls it."""


class Territory(Valid, Base):
    """What a dealer owns, alone or with others: postcode prefixes, or a GeoJSON polygon."""

    __tablename__ = "territory"
    __table_args__ = (
        CheckConstraint("cardinality(postcodes) > 0 OR area IS NOT NULL", name="something"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), index=True)
    postcodes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    area: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    exclusive: Mapped[bool] = mapped_column(default=True)
    """False: shared with whoever else names the place."""
    dealer: Mapped[Dealer] = relationship(back_populates="territories")


class DealerLoad(Base):
    """How much a dealer has been given, counted where it can't be overrun: in one row.

    `day_used` and `month_used` belong to `day`, the dealer's own local date.
    """

    __tablename__ = "dealer_load"
    __table_args__ = (
        CheckConstraint("day_used >= 0 AND month_used >= 0 AND open_used >= 0", name="counts"),
    )

    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), primary_key=True)
    day: Mapped[date]
    day_used: Mapped[int] = mapped_column(default=0)
    month_used: Mapped[int] = mapped_column(default=0)
    open_used: Mapped[int] = mapped_column(default=0)
    received: Mapped[int] = mapped_column(default=0)
    """Leads ever given, for fair share."""


class NetworkVersion(Base):
    """Bumped in every transaction that edits a dealer; processes compare it with their copy."""

    __tablename__ = "network_version"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    version: Mapped[int] = mapped_column(default=1)
    rebuilt: Mapped[int] = mapped_column(default=1)
    """The last version that changed more than the dealers that carry its number."""
    changed_at: Mapped[datetime]
