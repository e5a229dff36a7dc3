"""A market: a sales region with its countries, languages, week and rules."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import CHAR, Text

from lmt.db import Base


class Market(Base):
    __tablename__ = "market"
    __table_args__ = (
        CheckConstraint("week_start BETWEEN 0 AND 6", name="week_start"),
        CheckConstraint("same_need_days BETWEEN 0 AND 366", name="same_need_days"),
        CheckConstraint("default_language = ANY (languages)", name="default_language"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text))
    default_language: Mapped[str]
    timezone: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    week_start: Mapped[int] = mapped_column(default=0)
    """0 is Monday, as in `date.weekday()`."""
    desk_hours: Mapped[str] = mapped_column(default="Mo-Fr 09:00-18:00")
    """When headquarters' staff work, in OpenStreetMap syntax and the market's zone."""
    desk_country: Mapped[str] = mapped_column(default="")
    """Whose public holidays the desk keeps; empty for none."""
    same_need_days: Mapped[int] = mapped_column(default=30)
    """How long a customer who asks for the same again is joined to the open lead."""
    confirmed_purposes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Consents that count only once they were confirmed by mail (double opt-in)."""
    customer_may_move: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    """Whether a customer may choose another dealer on their page."""
    asks_feedback: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    """Whether customers are asked one question after their visit."""
    countries: Mapped[list[MarketCountry]] = relationship(
        back_populates="market", order_by="MarketCountry.country"
    )


class MarketCountry(Base):
    """A country belongs to one market, so that a customer's country names the market."""

    __tablename__ = "market_country"

    country: Mapped[str] = mapped_column(CHAR(2), primary_key=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), index=True)
    market: Mapped[Market] = relationship(back_populates="countries")


class MarketStatus(Base):
    """A status of a market's own, which stands for one of the core: `Waits for the bank`."""

    __tablename__ = "market_status"
    __table_args__ = (UniqueConstraint("market_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"))
    code: Mapped[str]
    status: Mapped[str]
    """The core status within which it can be chosen: accepted, contacted or resting."""
    names: Mapped[dict[str, Any]]
    """Language → what it is called."""
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class Rule(Base):
    """One qualification rule of a market: `when` all conditions hold, `then` its effects."""

    __tablename__ = "rule"
    __table_args__ = (UniqueConstraint("market_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    market_id: Mapped[int | None] = mapped_column(ForeignKey("market.id"))
    """None: the default set, for markets without rules of their own."""
    position: Mapped[int]
    name: Mapped[str]
    when: Mapped[list[dict[str, Any]]]
    then: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(default=True)
