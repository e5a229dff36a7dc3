"""The gazetteer: places by name in any script, and postcodes."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import CHAR

from lmt.db import Base


class Place(Base):
    """A populated place of GeoNames; `id` is its geonameid."""

    __tablename__ = "place"
    __table_args__ = (
        Index("ix_place_country_population", "country", "population"),
        Index("ix_place_lat_lon", "lat", "lon"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    country: Mapped[str] = mapped_column(CHAR(2))
    admin1: Mapped[str] = mapped_column(default="")
    population: Mapped[int]
    lat: Mapped[float]
    lon: Mapped[float]
    timezone: Mapped[str]


class PlaceName(Base):
    """A name of a place in some script, folded by `lmt.routing.names.place_key`."""

    __tablename__ = "place_name"
    __table_args__ = (Index("ix_place_name_key_country", "key", "country"),)

    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(CHAR(2))


class Postcode(Base):
    """The middle of a postcode, and how far its places lie from it."""

    __tablename__ = "postcode"

    country: Mapped[str] = mapped_column(CHAR(2), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    """Upper case, without blanks and dashes."""
    place: Mapped[str]
    lat: Mapped[float]
    lon: Mapped[float]
    radius_km: Mapped[float]
