"""Where a visitor looks for a dealer: what they typed, or where their device says they are.

The same chain as a lead's. But a visitor sees what was understood and can say otherwise, so of
several places that could be meant the largest is taken, where a lead would wait for an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from lmt.forms.typedplace import postcode_and_city
from lmt.routing.locate import Located, locate
from lmt.routing.placesearch import Option, as_options, options_for, picked_spot, places_called

MOST_ALTERNATIVES = 5
LONGEST_PLACE = 100


class UnknownPlace(LookupError):
    """The place asked for: `missing` where none was named, `unknown` where none is called so."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Spot:
    """A place and its name. `alternatives` are others that could be meant; they and the name of
    a place that is one of several find it again. `guessed`: nothing is called as it was typed."""

    located: Located
    name: str
    postcode: str = ""
    alternatives: tuple[str, ...] = ()
    guessed: bool = False


def found_spot(
    session: Session, text: str, lat: float | None, lon: float | None, countries: Sequence[str]
) -> Spot:
    """The place at these WGS-84 degrees, or else of this text, a postcode or a name in any script,
    in one of the countries. Raises UnknownPlace."""
    typed = " ".join(text.split())[:LONGEST_PLACE]
    if lat is not None and lon is not None:
        found = locate(session, lat=lat, lon=lon, countries=countries)
        if isinstance(found, Located):
            return Spot(found, found.place)
        raise UnknownPlace("unknown")
    if not typed:
        raise UnknownPlace("missing")
    postcode, city = postcode_and_city(typed)
    found = locate(session, postcode=postcode, city=city, countries=countries)
    if isinstance(found, Located):
        others = _namesakes(session, city, countries, found) if found.method == "city" else ()
        name, *rest = _named(found, others)
        return Spot(found, name, postcode, tuple(rest[:MOST_ALTERNATIVES]))
    return _likeliest(session, city or typed, countries)


def _likeliest(session: Session, typed: str, countries: Sequence[str]) -> Spot:
    """The largest place that may be meant, with the others beside it to choose from."""
    options = options_for(session, typed, countries)
    if not options:
        region = locate(session, region=typed, countries=countries)
        if isinstance(region, Located):
            return Spot(region, typed)
    picked = picked_spot(session, options[0].key, countries) if options else None
    if picked is None:
        raise UnknownPlace("unknown")
    located, postcode = picked
    names = list(dict.fromkeys(_words(each) for each in options))
    return Spot(located, names[0], postcode, tuple(names[1 : MOST_ALTERNATIVES + 1]), True)


def _namesakes(
    session: Session, city: str, countries: Sequence[str], taken: Located
) -> tuple[Option, ...]:
    """The place taken first, where others are called the same; else nothing."""
    rows = places_called(session, city, countries)
    own = [row for row in rows if (row.lat, row.lon) == (taken.lat, taken.lon)]
    others = [row for row in rows if row not in own]
    if not own or not others:
        return ()
    return as_options(session, [*own[:1], *others[:MOST_ALTERNATIVES]])


def _named(found: Located, options: Sequence[Option]) -> list[str]:
    return list(dict.fromkeys(map(_words, options))) or [found.place]


def _words(option: Option) -> str:
    """A place as it is found again by: its name, and its region or the city of that region."""
    return ", ".join(part for part in (option.name, option.region or option.near) if part)
