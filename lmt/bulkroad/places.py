"""Places that leads were found at, remembered: a file names the same towns time and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from lmt.models import Lead, Postcode
from lmt.routing.locate import (
    Located,
    Reading,
    Unlocated,
    given_accuracy_km,
    locate,
    searched_countries,
)
from lmt.routing.places import city_meant, postcode_areas

MOST = 32_768
"""A country has some ten thousand postcodes; a place takes half a kilobyte."""

# Grows with every change of the gazetteer, among others.
_STAMP = text("SELECT version, CAST(xmin AS text) FROM reference_version")

T = TypeVar("T")
_Countries = tuple[str, ...]


class Places:
    """What `locate` says of addresses without a street, by all that it goes by, and what is meant
    by the names of cities; the least recently used are forgotten. Safe to share among threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._stamp: tuple[Any, ...] = ()
        self._places: OrderedDict[Hashable, Located | Unlocated] = OrderedDict()
        self._cities: OrderedDict[Hashable, Reading] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    def begin(
        self, session: Session, leads: Iterable[Lead], countries: Sequence[str]
    ) -> PlacesOfChunk:
        """For these leads of one market, of these countries, in one transaction: forgets all if
        places changed."""
        stamp = tuple(session.execute(_STAMP).one())
        with self._lock:
            if stamp != self._stamp:
                self._stamp = stamp
                self._places.clear()
                self._cities.clear()
        return PlacesOfChunk(self, session, stamp, tuple(countries), leads)

    def place(self, key: Hashable) -> Located | Unlocated | None:
        return self._recalled(self._places, key)

    def keep_place(self, stamp: tuple[Any, ...], key: Hashable, found: Located | Unlocated) -> None:
        self._keep(self._places, stamp, key, found)

    def city(self, key: Hashable) -> Reading | None:
        return self._recalled(self._cities, key)

    def keep_city(self, stamp: tuple[Any, ...], key: Hashable, read: Reading) -> None:
        self._keep(self._cities, stamp, key, read)

    def _recalled(self, known: OrderedDict[Hashable, T], key: Hashable) -> T | None:
        with self._lock:
            found = known.get(key)
            if found is not None:
                known.move_to_end(key)
        return found

    def _keep(
        self, known: OrderedDict[Hashable, T], stamp: tuple[Any, ...], key: Hashable, found: T
    ) -> None:
        with self._lock:
            if stamp == self._stamp:
                known[key] = found
                if len(known) > self._most:
                    known.popitem(last=False)


class PlacesOfChunk:
    """Where some leads of a market are. Their postcodes are read at once, a city when it is first
    met.

    Answers of geocoders are not looked at: who has one is not asked about here.
    """

    def __init__(
        self,
        known: Places,
        session: Session,
        stamp: tuple[Any, ...],
        countries: _Countries,
        leads: Iterable[Lead],
    ) -> None:
        self._known, self._session, self._stamp = known, session, stamp
        self._countries = countries
        self._areas: dict[tuple[_Countries, str], Postcode | None] = {}
        self._read_postcodes(leads)

    def place_of(self, lead: Lead) -> Located | Unlocated:
        """Where the lead, one of those that were told, is."""
        known = self._known
        key = self._key(lead)
        found = known.place(key)
        if found is None:
            found = self._found(lead)
            known.keep_place(self._stamp, key, found)
        return found

    def _key(self, lead: Lead) -> Hashable:
        accuracy_km = None if lead.lat is None else given_accuracy_km(lead.given)
        words = (lead.region, lead.postcode, lead.city)
        return (self._searched(lead), *words, lead.lat, lead.lon, accuracy_km)

    def _searched(self, lead: Lead) -> _Countries:
        return tuple(searched_countries(lead.country, self._countries))

    def _read_postcodes(self, leads: Iterable[Lead]) -> None:
        asked: dict[_Countries, set[str]] = {}
        for lead in leads:
            if self._known.place(self._key(lead)) is None:
                asked.setdefault(self._searched(lead), set()).add(lead.postcode)
        for searched, codes in asked.items():
            for code, area in postcode_areas(self._session, codes, searched).items():
                self._areas[searched, code] = area

    def _found(self, lead: Lead) -> Located | Unlocated:
        return locate(
            self._session,
            country=lead.country,
            region=lead.region,
            postcode=lead.postcode,
            city=lead.city,
            lat=lead.lat,
            lon=lead.lon,
            accuracy_km=None if lead.lat is None else given_accuracy_km(lead.given),
            countries=self._countries,
            reading=self._reading(lead),
            is_geocoded=False,
        )

    def _reading(self, lead: Lead) -> Reading | None:
        """As `lmt.routing.locate.read_address` reads it."""
        searched = self._searched(lead)
        if (searched, lead.postcode) not in self._areas:
            # It was known when the chunk began, and forgotten since.
            return None
        area = self._areas[searched, lead.postcode]
        if not lead.city.strip():
            return Reading(area, None)
        key = (searched, lead.region, lead.city)
        city = self._known.city(key)
        if city is None:
            chosen, rows = city_meant(self._session, lead.city, lead.region, searched)
            city = Reading(None, chosen, () if chosen else tuple(rows))
            self._known.keep_city(self._stamp, key, city)
        return Reading(area, city.city, city.namesakes)


_lock = threading.Lock()
_places: WeakKeyDictionary[Engine, Places] = WeakKeyDictionary()


def places_for(session: Session) -> Places:
    """The places that this process remembers of the session's database."""
    with _lock:
        return _places.setdefault(session.get_bind().engine, Places())
