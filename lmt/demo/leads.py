"""What the demo's customers ask for, where and when: leads as they arrive, before routing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from lmt.demo.brands import BRANDS, DemoBrand, DemoModel
from lmt.demo.countries import BY_CODE, IN_ARABIC
from lmt.demo.dealers import DAYS_BACK, DemoDealer, spread_cities
from lmt.demo.markets import MARKETS, DemoMarket
from lmt.demo.people import Person, comment, company, drawn, person
from lmt.routing.gazetteer import PlaceRow, city_radius_km

LEADS = 6_000
COMES_BACK = 0.07
FRESH_MINUTES = 20

#: Request types and how often each comes.
REQUESTS: Mapping[str, float] = {
    "test_drive": 0.24,
    "quote": 0.2,
    "information": 0.16,
    "brochure": 0.07,
    "trade_in": 0.05,
    "callback": 0.06,
    "used_car": 0.08,
    "after_sales": 0.06,
    "parts": 0.02,
    "finance": 0.02,
    "fleet": 0.02,
    "complaint": 0.02,
}
CHANNELS: Mapping[str, float] = {
    "form": 0.36,
    "api": 0.2,
    "adf": 0.1,
    "campaign": 0.2,
    "call_centre": 0.09,
    "file": 0.05,
}
_TIMEFRAMES = {"this week": 15, "3 months": 30, "6 months": 20, "": 35}
#: How much of a day's leads each hour brings, by the customer's clock.
_HOURS = (1, 1, 0.5, 0.3, 0.3, 0.6, 1.5, 3, 5, 7, 8, 8, 7, 6, 6, 6, 6, 6, 7, 8, 9, 8, 5, 2.5)
_VAGUE_CITIES = {
    "DE": "Neustadt",
    "FR": "Saint-Martin",
    "PL": "Nowa Wieś",
    "NL": "bij Oma",
    "TR": "Yenişehir merkez yanı",
    "SA": "بجانب المطار",
}


@dataclass(slots=True)
class Arrival:
    """A lead as it came in. Without `reachable` nobody can answer it."""

    at: datetime
    market: DemoMarket
    channel: str
    campaign: int | None
    person: Person
    company: str
    kind: str
    city: PlaceRow | None
    city_text: str
    postcode: str
    brand: DemoBrand
    model: DemoModel | None
    request_type: str
    timeframe: str
    comments: str
    preferred_dealer: str = ""
    reachable: bool = True
    unlucky: bool = False
    """No dealer answers it."""

    @property
    def accuracy_km(self) -> float:
        return city_radius_km(self.city.population) if self.city else 0.0

    def facts(self) -> dict[str, str]:
        """What the qualification rules look at."""
        return {
            "request_type": self.request_type,
            "comments": self.comments,
            "brand": self.brand.code,
            "model": self.model.name if self.model else "",
            "channel": self.channel,
            "timeframe": self.timeframe,
            "company": self.company,
            "email": self.person.email,
            "phone": self.person.phone if self.reachable else "",
            "language": self.person.language,
            "country": self.person.country,
            "preferred_dealer": self.preferred_dealer,
        }


def demo_arrivals(
    rng: Random,
    cities: Mapping[str, Sequence[PlaceRow]],
    at: datetime,
    hosts: Sequence[DemoDealer],
    leads: int = LEADS,
) -> list[Arrival]:
    """`leads` arrivals of the last 90 days, and some of the last hour for each of `hosts`."""
    towns = {code: _Towns(rows) for code, rows in cities.items()}
    known: dict[str, list[Person]] = {market.code: [] for market in MARKETS}
    arrivals = []
    for number in range(leads):
        market = rng.choices(MARKETS, weights=[each.leads for each in MARKETS])[0]
        country = rng.choices(
            market.countries, weights=[towns[code].people for code in market.countries]
        )[0]
        arrivals.append(_arrival(rng, market, country, towns[country], known, at, number))
    for host in hosts:
        for arrival in _fresh(rng, host, towns, known, at, len(arrivals)):
            arrivals.append(arrival)
    for market in MARKETS:
        arrivals += _stuck(rng, market, towns, known, at, len(arrivals))
    return sorted(arrivals, key=lambda arrival: arrival.at)


class _Towns:
    """A country's places to draw from, by people."""

    def __init__(self, rows: Sequence[PlaceRow]) -> None:
        self.rows = spread_cities(rows[:120])
        self.weights = list(accumulate(row.population**0.9 for row in self.rows))
        self.people = sum(row.population for row in self.rows) ** 0.6

    def drawn(self, rng: Random) -> PlaceRow:
        return rng.choices(self.rows, cum_weights=self.weights)[0]


def _arrival(
    rng: Random,
    market: DemoMarket,
    country: str,
    towns: _Towns,
    known: dict[str, list[Person]],
    at: datetime,
    number: int,
) -> Arrival:
    who = _customer(rng, market, country, known, number)
    city = towns.drawn(rng)
    request = rng.choices(list(REQUESTS), weights=list(REQUESTS.values()))[0]
    channel = rng.choices(list(CHANNELS), weights=list(CHANNELS.values()))[0]
    brand = rng.choices(BRANDS, weights=(68, 32))[0]
    is_business = request == "fleet" or rng.random() < 0.06
    zone = BY_CODE[country].zones.get(city.name, "")
    postcode = ""
    if zone and rng.random() < 0.7:
        postcode = drawn(rng, BY_CODE[country].postcode.format(zone=zone))
    return Arrival(
        at=_moment(rng, at, city.timezone),
        market=market,
        channel=channel,
        campaign=rng.randrange(len(market.campaigns)) if channel == "campaign" else None,
        person=who,
        company=company(rng, who.language) if is_business else "",
        kind="fleet" if request == "fleet" else "business" if is_business else "private",
        city=city,
        city_text=_written(city, who.language),
        postcode=postcode,
        brand=brand,
        model=rng.choice(brand.models) if rng.random() < 0.85 else None,
        request_type=request,
        timeframe=rng.choices(list(_TIMEFRAMES), weights=list(_TIMEFRAMES.values()))[0],
        comments=comment(rng, who.language) if rng.random() < 0.4 else "",
    )


def _fresh(
    rng: Random,
    host: DemoDealer,
    towns: Mapping[str, _Towns],
    known: dict[str, list[Person]],
    at: datetime,
    number: int,
) -> Iterator[Arrival]:
    """Leads of the last minutes whose customers chose this very dealer; nobody saw them yet."""
    market = next(each for each in MARKETS if each.code == host.market)
    home = next(
        row
        for row in towns[host.country].rows
        if BY_CODE[host.country].called(row.name) == host.city
    )
    for offset in range(3):
        arrival = _arrival(
            rng, market, host.country, towns[host.country], known, at, number + offset
        )
        arrival.at = at - timedelta(minutes=rng.uniform(1, FRESH_MINUTES))
        arrival.city, arrival.postcode = home, ""
        arrival.city_text = _written(home, arrival.person.language)
        arrival.request_type = rng.choice(("test_drive", "quote", "callback"))
        arrival.timeframe = "this week"
        arrival.preferred_dealer = host.code
        arrival.kind, arrival.company = "private", ""
        arrival.unlucky = True
        yield arrival


def _stuck(
    rng: Random,
    market: DemoMarket,
    towns: Mapping[str, _Towns],
    known: dict[str, list[Person]],
    at: datetime,
    number: int,
) -> Iterator[Arrival]:
    """For the queues: nobody to reach, a place unclear, no dealer who answers."""
    country = market.countries[0]
    for offset in range(6):
        arrival = _arrival(rng, market, country, towns[country], known, at, number + offset)
        arrival.at = at - timedelta(hours=rng.uniform(1, 60))
        match offset % 3:
            case 0:
                arrival.reachable = False
            case 1:
                arrival.city, arrival.city_text = None, _VAGUE_CITIES[country]
                arrival.postcode = ""
            case _:
                # Long enough ago for several dealers to have let it pass.
                arrival.at -= timedelta(days=3)
                arrival.request_type, arrival.timeframe = "test_drive", "this week"
                arrival.unlucky = True
        yield arrival


def _written(city: PlaceRow, language: str) -> str:
    """A city as its people write it."""
    if language == "ar":
        return IN_ARABIC.get(city.name, city.name)
    return BY_CODE[city.country].called(city.name)


def _customer(
    rng: Random, market: DemoMarket, country: str, known: dict[str, list[Person]], number: int
) -> Person:
    circle = [each for each in known[market.code][-200:] if each.country == country]
    if circle and rng.random() < COMES_BACK:
        return rng.choice(circle)
    foreign = 0.3 if country in {"AE", "QA"} else 0.06
    language = "en" if rng.random() < foreign else market.default_language
    newcomer = person(rng, country, language, number)
    known[market.code].append(newcomer)
    return newcomer


def _moment(rng: Random, at: datetime, timezone: str) -> datetime:
    """An instant of the last 90 days, a little more often lately, at hours people write."""
    days = DAYS_BACK * (1 - rng.random() ** 0.85)
    local = (at - timedelta(days=days)).astimezone(ZoneInfo(timezone))
    hour = rng.choices(range(24), weights=_HOURS)[0]
    moment = local.replace(hour=hour, minute=rng.randrange(60), second=rng.randrange(60))
    moment = moment.replace(microsecond=rng.randrange(1000) * 1000)
    utc = moment.astimezone(ZoneInfo("UTC"))
    return utc if utc < at else utc - timedelta(days=1)
