"""Places that leads were found at, remembered: a file names the same towns time and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from lmt.models import Lead
from lmt.routing.locate import Located, Unlocated, given_accuracy_km, locate, searched_countries

MOST = 32_768
"""A country has some ten thousand postcodes; a place takes half a kilobyte."""

# Grows with every change of the gazetteer, among others.
_STAMP = text("SELECT version, CAST(xmin AS text) FROM reference_version")


class Places:
    """What `locate` says of addresses without a street, by all that it goes by; the least recently
    used are forgotten. Safe to share among threads.

    Answers of geocoders are not looked at: who has one is not asked about here.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._stamp: tuple[Any, ...] = ()
        self._known: OrderedDict[Hashable, Located | Unlocated] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def begin(self, session: Session) -> None:
        """Call in each transaction before the first question: forgets all if places changed."""
        stamp = tuple(session.execute(_STAMP).one())
        with self._lock:
            if stamp != self._stamp:
                self._stamp = stamp
                self._known.clear()

    def place_of(
        self, session: Session, lead: Lead, countries: Sequence[str]
    ) -> Located | Unlocated:
        """Where the lead is; `countries` are its market's."""
        accuracy_km = None if lead.lat is None else given_accuracy_km(lead.given)
        searched = tuple(searched_countries(lead.country, countries))
        words = (lead.region, lead.postcode, lead.city)
        key = (searched, *words, lead.lat, lead.lon, accuracy_km)
        with self._lock:
            stamp = self._stamp
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
                return found
        found = locate(
            session,
            country=lead.country,
            region=lead.region,
            postcode=lead.postcode,
            city=lead.city,
            lat=lead.lat,
            lon=lead.lon,
            accuracy_km=accuracy_km,
            countries=countries,
        )
        with self._lock:
            if stamp == self._stamp:
                self._known[key] = found
                if len(self._known) > self._most:
                    self._known.popitem(last=False)
        return found


_lock = threading.Lock()
_places: WeakKeyDictionary[Engine, Places] = WeakKeyDictionary()


def places_for(session: Session) -> Places:
    """The places that this process remembers of the session's database."""
    with _lock:
        return _places.setdefault(session.get_bind().engine, Places())
