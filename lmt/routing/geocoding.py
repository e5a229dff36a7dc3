"""What geocoders know of a lead's address: asked before its transaction, read from rows within.

An answer is kept by the hash of the address, for it may be somebody's home. It counts only where
it agrees with what the gazetteer knows, since a geocoder would rather answer wrongly than not.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.config import GEOCODERS
from lmt.models import GeocoderAnswer
from lmt.routing.geo import geodesic_km
from lmt.routing.geocoderwords import Found

if TYPE_CHECKING:
    from lmt.routing.geocoders import Question

KEPT = timedelta(days=30)
"""The longest that Google's terms allow coordinates to be kept."""
NOTHING_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Address:
    """What geocoders are asked about; never who lives there. `countries` are alpha-2."""

    street: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    countries: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.street.strip() or self.postcode.strip() or self.city.strip())

    @property
    def query(self) -> str:
        """The address however it was written, hashed."""
        parts = (self.street, self.postcode, self.city, self.region, *sorted(self.countries))
        folded = (" ".join(unicodedata.normalize("NFKC", p).casefold().split()) for p in parts)
        return hashlib.sha256("\x1f".join(folded).encode()).hexdigest()

    def questions(self) -> list[Question]:
        """How to ask, best first: whole, then without a street that nobody knows."""
        from lmt.routing.geocoders import Question

        name = _english(self.countries[0]) if len(self.countries) == 1 else ""
        town = " ".join(part for part in (self.postcode, self.city) if part)
        # A region's name confuses more than it helps where there is a postcode.
        region = "" if self.postcode else self.region
        asked = []
        for street in dict.fromkeys((" ".join(self.street.split()), "")):
            line = ", ".join(part for part in (street, town, region) if part)
            if street and not town:
                continue  # Every town has a Station Road.
            if line:
                asked.append(Question(line, street, self.postcode, self.city, self.countries, name))
        return asked


@dataclass(frozen=True, slots=True)
class Frame:
    """Where an answer must lie: the gazetteer's reading of the same address, with its leeway."""

    lat: float
    lon: float
    within_km: float

    def holds(self, lat: float, lon: float) -> bool:
        return geodesic_km(self.lat, self.lon, lat, lon) <= self.within_km


def best_answer(
    found: Sequence[Found], countries: Collection[str], frames: Sequence[Frame] = ()
) -> Found | None:
    """The geocoder's first place of the right country inside one of the frames (none: anywhere).

    Its accuracy also covers the other places offered that are as fine as it is: of two streets
    of one name in two towns nobody knows which is meant, and then the answer is too vague to use.
    """
    fitting = [
        each
        for each in found
        if each.country
        and (not countries or each.country in countries)
        and (not frames or any(frame.holds(each.lat, each.lon) for frame in frames))
    ]
    if not fitting:
        return None
    first = fitting[0]
    rivals = [each for each in fitting[1:] if each.accuracy_km <= first.accuracy_km]
    spread = max(
        (geodesic_km(first.lat, first.lon, each.lat, each.lon) for each in rivals), default=0.0
    )
    if spread <= first.accuracy_km:
        return first
    return replace(first, accuracy_km=round(first.accuracy_km + spread, 1))


def known_answer(session: Session, address: Address) -> GeocoderAnswer | None:
    """The most exact answer kept for the address."""
    if not address:
        return None
    return session.scalars(
        select(GeocoderAnswer)
        .where(
            GeocoderAnswer.provider.in_(GEOCODERS),
            GeocoderAnswer.query == address.query,
            GeocoderAnswer.lat.is_not(None),
        )
        .order_by(GeocoderAnswer.accuracy_km, GeocoderAnswer.provider)
        .limit(1)
    ).first()


def answers_kept(session: Session, address: Address, at: datetime) -> dict[str, bool]:
    """Which geocoders need not be asked again, and whether they knew the place."""
    rows = session.scalars(
        select(GeocoderAnswer).where(
            GeocoderAnswer.provider.in_(GEOCODERS), GeocoderAnswer.query == address.query
        )
    )
    return {
        row.provider: row.lat is not None
        for row in rows
        if at - row.asked_at < (NOTHING_KEPT if row.lat is None else KEPT)
    }


def keep_answer(
    session: Session, provider: str, address: Address, found: Found | None, at: datetime
) -> None:
    """Remember what a geocoder said, also that it knows nothing. No commit."""
    row = insert(GeocoderAnswer).values(
        provider=provider,
        query=address.query,
        lat=found.lat if found else None,
        lon=found.lon if found else None,
        accuracy_km=found.accuracy_km if found else None,
        country=found.country if found else "",
        place=found.place if found else "",
        asked_at=at,
    )
    changed = ("lat", "lon", "accuracy_km", "country", "place", "asked_at")
    session.execute(
        row.on_conflict_do_update(
            index_elements=["provider", "query"],
            set_={name: row.excluded[name] for name in changed},
        )
    )


def forget_answers(session: Session, at: datetime) -> None:
    """Delete what has been kept for too long. No commit."""
    session.execute(
        delete(GeocoderAnswer).where(
            or_(
                GeocoderAnswer.asked_at < at - KEPT,
                GeocoderAnswer.lat.is_(None) & (GeocoderAnswer.asked_at < at - NOTHING_KEPT),
            )
        )
    )


def _english(country: str) -> str:
    from babel import Locale

    return str(Locale("en").territories.get(country, ""))
