"""The demo's dealers: where they stand, when they are open and what they are good at. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from lmt.demo.brands import BRANDS
from lmt.demo.countries import BY_CODE, DemoCountry
from lmt.demo.markets import MARKET_OF, MARKETS, DemoMarket
from lmt.demo.people import drawn, phone
from lmt.routing.gazetteer import PlaceRow, city_radius_km
from lmt.routing.geo import Ecef, chord_km, ecef_km
from lmt.routing.names import place_key

SHOWROOM_SERVICES = {"sales": 1.0, "used": 0.8, "after_sales": 0.85, "parts": 0.75, "finance": 0.7}
CITIES_APART_KM = 12.0
CROWDING = 0.75
DAYS_BACK = 90


@dataclass(frozen=True, slots=True)
class DemoDealer:
    """A dealer as it will be stored; `competences` are (brand code, service)."""

    code: str
    market: str
    kind: str
    group: str
    name: str
    language: str
    languages: tuple[str, ...]
    street: str
    postcode: str
    city: str
    country: str
    lat: float
    lon: float
    timezone: str
    phone: str
    hours: str
    competences: tuple[tuple[str, str], ...]
    day_cap: int | None = None
    month_cap: int | None = None
    open_cap: int | None = None
    weight: float = 1.0
    quality: float = 0.5
    paused: bool = False
    closures: tuple[tuple[date, date, str], ...] = ()
    postcodes: tuple[str, ...] = ()
    area: Mapping[str, Any] | None = field(default=None, hash=False)

    @property
    def email(self) -> str:
        return f"leads.{self.code.lower()}@dealers.example"


def demo_dealers(
    rng: Random,
    countries: Sequence[DemoCountry],
    cities: Mapping[str, Sequence[PlaceRow]],
    today: date,
) -> list[DemoDealer]:
    """The whole network, codes unique, the same for the same `rng`, cities and day.

    `cities` are a country's places, the largest first; raises LookupError where a country has
    none.
    """
    network = [team for market in MARKETS for team in _teams(rng, market, cities)]
    numbers: dict[str, int] = {}
    for country in countries:
        if not cities.get(country.code):
            raise LookupError(f"the gazetteer has no places of {country.code}")
        for city, at_place in _places(rng, country.dealers, cities[country.code]):
            stem = f"{country.code}-{place_key(country.called(city.name))[:3].upper()}"
            numbers[stem] = numbers.get(stem, 0) + 1
            dealer = _dealer(rng, country, city, at_place, f"{stem}{numbers[stem]:02}", today)
            network.append(dealer)
    return network


def spread_cities(places: Sequence[PlaceRow]) -> list[PlaceRow]:
    """The largest places, without those that are but a district of a larger one."""
    chosen: list[tuple[PlaceRow, Ecef, float]] = []
    for place in places:
        here = ecef_km(place.lat, place.lon)
        if all(chord_km(here, there) >= apart_km for _, there, apart_km in chosen):
            apart_km = max(CITIES_APART_KM, city_radius_km(place.population))
            chosen.append((place, here, apart_km))
    return [place for place, _, _ in chosen]


def _places(
    rng: Random, number: int, places: Sequence[PlaceRow]
) -> Iterator[tuple[PlaceRow, tuple[float, float]]]:
    """Cities by population, several times the big ones, and where in the city each stands.

    Dealers go one by one to the city with the most people for each dealer it would have then.
    """
    cities = spread_cities(places[: number * 4])
    counts = [0] * len(cities)
    for _ in range(number):
        index = max(
            range(len(cities)),
            key=lambda i: (cities[i].population ** CROWDING / (counts[i] + 1), -i),
        )
        counts[index] += 1
        city = cities[index]
        reach = min(city_radius_km(city.population), 12.0)
        # One dealer stands near the middle, the next ones farther out, around the city.
        away = rng.uniform(0.4, 1.5) if counts[index] == 1 else rng.uniform(0.35, 1.0) * reach
        yield city, _moved(city.lat, city.lon, away, rng.uniform(0, 360))


def _dealer(
    rng: Random,
    country: DemoCountry,
    city: PlaceRow,
    at_place: tuple[float, float],
    code: str,
    today: date,
) -> DemoDealer:
    market = MARKET_OF[country.code]
    is_workshop = rng.random() < 0.08 and not code.endswith("01")
    brands = rng.choices(
        (("aurel",), ("aurel", "vanta"), ("vanta",)), weights=(45, 38, 17) if not is_workshop else
        (20, 80, 0)
    )[0]  # fmt: skip
    if code.endswith("01"):
        brands = ("aurel", "vanta")
    if is_workshop:
        services: Iterable[str] = ("after_sales", "parts")
    else:
        services = [name for name, share in SHOWROOM_SERVICES.items() if rng.random() < share]
    lead_brand = next(brand.name for brand in BRANDS if brand.code == brands[0])
    hours = country.workshop_hours if is_workshop else rng.choice(country.hours)
    zone = country.zones.get(city.name, "")
    lat, lon = at_place
    small = not code.endswith("01")
    postcodes, area = _territory(rng, zone, code, lat, lon) if small else ((), None)
    return DemoDealer(
        code=code,
        market=market.code,
        kind="workshop" if is_workshop else "showroom",
        group=rng.choice(("", "", "", f"{country.code}-G{rng.randint(1, 3)}")),
        name=rng.choice(country.houses).format(brand=lead_brand, city=country.called(city.name)),
        language=market.default_language,
        languages=market.languages if rng.random() < 0.7 else (market.default_language,),
        street=f"{rng.choice(country.streets)} {rng.randint(1, 180)}",
        postcode=drawn(rng, country.postcode.format(zone=zone)) if zone else "",
        city=country.called(city.name),
        country=country.code,
        lat=lat,
        lon=lon,
        timezone=city.timezone,
        phone=phone(rng, country.code),
        hours=hours,
        competences=tuple((brand, service) for brand in brands for service in services),
        day_cap=rng.choice((4, 6, 8, 12)) if rng.random() < 0.2 else None,
        month_cap=rng.choice((40, 60, 90)) if rng.random() < 0.1 else None,
        open_cap=rng.choice((15, 20, 30)) if rng.random() < 0.12 and small else None,
        weight=rng.choice((0.5, 1.0, 1.0, 1.0, 1.5, 2.0)),
        quality=round(rng.uniform(0.3, 0.95), 2),
        paused=small and rng.random() < 0.02,
        closures=_closures(rng, today) if small else (),
        postcodes=postcodes,
        area=area,
    )


def _closures(rng: Random, today: date) -> tuple[tuple[date, date, str], ...]:
    if rng.random() > 0.06:
        return ()
    first = today + timedelta(days=rng.choice((-60, -25, -1, 0, 4, 20)))
    reason = rng.choice(("stocktaking", "renovation", "company holiday"))
    return ((first, first + timedelta(days=rng.choice((1, 2, 6, 9))), reason),)


def _territory(
    rng: Random, zone: str, code: str, lat: float, lon: float
) -> tuple[tuple[str, ...], Mapping[str, Any] | None]:
    """Few have one: the second dealer of a city a band of postcodes, others a hexagon."""
    if zone and code.endswith("02") and rng.random() < 0.5:
        return tuple(f"{zone}{digit}" for digit in ("8", "9")), None
    if rng.random() < 0.03:
        return (), _polygon([_moved(lat, lon, 9.0, bearing) for bearing in range(0, 360, 60)])
    return (), None


def _teams(
    rng: Random, market: DemoMarket, cities: Mapping[str, Sequence[PlaceRow]]
) -> Iterator[DemoDealer]:
    """The market's customer-care and key-account teams, who serve all of it."""
    country, city_name = market.head
    city = next(place for place in cities[country] if place.name == city_name)
    west, south, east, north = market.box
    everywhere = _polygon([(south, west), (south, east), (north, east), (north, west)])
    teams = (
        ("CARE", "care", "Customer Care", "Mo-Su 08:00-22:00"),
        ("FLEET", "fleet", "Key Accounts", "Mo-Su 08:00-19:00"),
    )
    for suffix, service, name, hours in teams:
        yield DemoDealer(
            code=f"{market.code}-{suffix}",
            market=market.code,
            kind="team",
            group="",
            name=f"{name} {market.name}",
            language=market.default_language,
            languages=market.languages,
            street="",
            postcode="",
            city=BY_CODE[country].called(city.name),
            country=country,
            lat=city.lat,
            lon=city.lon,
            timezone=city.timezone,
            phone=phone(rng, country),
            hours=hours,
            competences=tuple((brand.code, service) for brand in BRANDS),
            quality=0.9,
            area=everywhere,
        )


def _moved(lat: float, lon: float, km: float, bearing: float) -> tuple[float, float]:
    north = km * math.cos(math.radians(bearing)) / 111.2
    east = km * math.sin(math.radians(bearing)) / (111.2 * math.cos(math.radians(lat)))
    return round(lat + north, 5), round(lon + east, 5)


def _polygon(corners: list[tuple[float, float]]) -> dict[str, Any]:
    """(lat, lon) corners as GeoJSON, which wants (lon, lat) and a closed ring."""
    ring = [[lon, lat] for lat, lon in (*corners, corners[0])]
    return {"type": "Polygon", "coordinates": [ring]}
