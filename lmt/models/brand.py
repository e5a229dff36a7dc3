"""Brands and their models."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from lmt.db import Base


class Brand(Base):
    __tablename__ = "brand"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Other ways to write it, in any script."""
    models: Mapped[list[VehicleModel]] = relationship(back_populates="brand")


class VehicleModel(Base):
    __tablename__ = "vehicle_model"
    __table_args__ = (UniqueConstraint("brand_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    code: Mapped[str]
    name: Mapped[str]
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    market_aliases: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Code of a market → what it is called there besides: {"GULF": ["سيرا"]}."""
    markets: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Codes of the markets that sell it; empty for all of them."""
    brand: Mapped[Brand] = relationship(back_populates="models")
