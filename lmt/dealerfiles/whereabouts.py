"""Where the dealers of a file stand: those without coordinates are looked up in the gazetteer, and
every one gets the zone of its clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from lmt.dealerfiles.plan import MarketFacts, Standing
from lmt.dealerfiles.row import NOTE, DealerRow, Problem
from lmt.dealerfiles.state import DealerState
from lmt.routing.geo import geodesic_km
from lmt.routing.locate import VAGUE_KM, Located, Unlocated, locate
from lmt.routing.places import nearest_place

if TYPE_CHECKING:
    from timezonefinder import TimezoneFinder

NEAR_KM = 5.0
_ADDRESS = ("postcode", "city", "country")


def located_rows(
    session: Session,
    rows: Sequence[DealerRow],
    standing: Mapping[str, Standing],
    markets: Mapping[str, MarketFacts],
    market: str,
) -> list[DealerRow]:
    """The rows with coordinates, zone, city and country, or with the problem why not.

    Coordinates given count as they are. A dealer that stands keeps its own unless the row moves
    it to a place farther away without saying where exactly.
    """
    gazetteer = _Gazetteer(session)
    return [
        row if row.errors else _located(gazetteer, row, standing.get(row.code), markets, market)
        for row in rows
    ]


def zone_at(lat: float, lon: float) -> str:
    """The IANA zone of a place; "" at sea."""
    zone = _finder().timezone_at(lat=lat, lng=lon) or ""
    return "" if zone.startswith("Etc/") else zone


class _Gazetteer:
    """Looks up each address once: a chain's showrooms share their cities."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: dict[tuple[Any, ...], Located | Unlocated] = {}

    def locate(
        self, country: str, region: str, postcode: str, city: str, countries: tuple[str, ...]
    ) -> Located | Unlocated:
        key = (country, region, postcode, city, countries)
        if key not in self._found:
            self._found[key] = locate(
                self._session,
                country=country,
                region=region,
                postcode=postcode,
                city=city,
                countries=countries,
            )
        return self._found[key]

    def nearest(self, lat: float, lon: float, countries: Sequence[str]) -> tuple[str, str, str]:
        """Name, country and zone of the nearest place; blanks where nobody lives near by."""
        found = nearest_place(self._session, lat, lon, countries)
        return (found[0].name, found[0].country, found[0].timezone) if found else ("", "", "")


def _located(
    gazetteer: _Gazetteer,
    row: DealerRow,
    known: Standing | None,
    markets: Mapping[str, MarketFacts],
    market: str,
) -> DealerRow:
    values = dict(row.values)
    problems = list(row.problems)
    before = known.state if known is not None and known.standing else None
    code = market or values.get("market", "") or (before.market if before else "")
    countries = markets[code].countries if code in markets else ()
    if "lat" not in values and (before is None or _moves(before, values)):
        address = {name: str(values.get(name, "")) for name in _ADDRESS}
        if before is not None:
            address = {name: address[name] or str(getattr(before, name)) for name in _ADDRESS}
        country = address["country"] or (countries[0] if len(countries) == 1 else "")
        found = gazetteer.locate(
            country, row.region, address["postcode"], address["city"], countries
        )
        if isinstance(found, Unlocated):
            given = " ".join(filter(None, (address["postcode"], address["city"], row.region)))
            guesses = ", ".join(f"{each.name} ({each.country})" for each in found.guesses[:3])
            problem = Problem(f"place_{found.problem}", "place", given=given[:100],
                              figures={"guesses": guesses})  # fmt: skip
            return replace(row, problems=(*problems, problem))
        figures = {"km": found.accuracy_km, "method": found.method, "place": found.place}
        if found.accuracy_km > VAGUE_KM:
            problem = Problem("place_vague", "place", given=found.place, figures=figures)
            return replace(row, problems=(*problems, problem))
        # A middle that the dealer's own coordinates are near says less than these do.
        if before is None or _away(before, found):
            problems.append(
                Problem("located", "place", given=found.place, kind=NOTE, figures=figures)
            )
            values |= {"lat": round(found.lat, 7), "lon": round(found.lon, 7)}
        if before is None:
            values.setdefault("country", found.country)
            values.setdefault("city", found.place)
    if "lat" not in values:
        return replace(row, values=values, problems=tuple(problems))
    lat, lon = values["lat"], values["lon"]
    near = ("", "", "")
    if before is None and not (values.get("city") and values.get("country")):
        near = gazetteer.nearest(lat, lon, countries)
        for name, told in zip(("city", "country"), near, strict=False):
            if told and not values.get(name):
                values[name] = told
    if not values.get("timezone") and (before is None or (before.lat, before.lon) != (lat, lon)):
        zone = zone_at(lat, lon) or near[2] or gazetteer.nearest(lat, lon, ())[2]
        if not zone:
            problem = Problem("no_timezone", "timezone", given=f"{lat}, {lon}")
            return replace(row, problems=(*problems, problem))
        values["timezone"] = zone
    return replace(row, values=values, problems=tuple(problems))


def _moves(before: DealerState, values: Mapping[str, Any]) -> bool:
    """Whether the row says another place than the dealer's."""
    return any(
        values.get(name) and str(values[name]).casefold() != str(getattr(before, name)).casefold()
        for name in _ADDRESS
    )


def _away(before: DealerState, found: Located) -> bool:
    """Whether the place found can't be where the dealer stands."""
    apart = geodesic_km(before.lat, before.lon, found.lat, found.lon)
    return apart > found.accuracy_km + NEAR_KM


@lru_cache(maxsize=1)
def _finder() -> TimezoneFinder:
    from timezonefinder import TimezoneFinder

    # A third of a second and 40 MB, for whoever imports dealers only.
    return TimezoneFinder()
