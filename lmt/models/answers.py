"""What outside services answered, kept so that nobody asks twice: geocoders, routing engines."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base


class GeocoderAnswer(Base):
    """Where a geocoder says an address lies; `lat` is None where it knows none."""

    __tablename__ = "geocoder_answer"

    provider: Mapped[str] = mapped_column(primary_key=True)
    query: Mapped[str] = mapped_column(primary_key=True)
    """The normalised address, hashed: it may be somebody's home."""
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    accuracy_km: Mapped[float | None]
    country: Mapped[str] = mapped_column(default="")
    place: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime]


class RoadAnswer(Base):
    """How far a dealer is by road from a place, in hundredths of a degree."""

    __tablename__ = "road_answer"

    lat_cell: Mapped[int] = mapped_column(primary_key=True)
    lon_cell: Mapped[int] = mapped_column(primary_key=True)
    dealer_id: Mapped[int] = mapped_column(ForeignKey("dealer.id"), primary_key=True)
    dealer_lat: Mapped[float]
    dealer_lon: Mapped[float]
    km: Mapped[float | None]
    """None where no road leads there."""
    minutes: Mapped[float | None]
    asked_at: Mapped[datetime]
