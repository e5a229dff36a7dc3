"""The markets of the demo: their countries, languages, week, routing policy and campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoMarket:
    """`leads` is its share of the leads, `head` the city of its teams, `eur` what a euro costs.

    `box` is (west, south, east, north) in degrees, around its countries. `users_in` are the two
    cities whose first showroom has people who log in. `policy` departs from the defaults.
    """

    code: str
    name: str
    countries: tuple[str, ...]
    languages: tuple[str, ...]
    default_language: str
    timezone: str
    currency: str
    week_start: int
    leads: float
    eur: float
    head: tuple[str, str]
    users_in: tuple[tuple[str, str], tuple[str, str]]
    box: tuple[float, float, float, float]
    campaigns: tuple[str, ...]
    policy: Mapping[str, Any] = field(default_factory=dict)
    desk_hours: str = "Mo-Fr 08:30-17:30; PH off"


MARKETS = (
    DemoMarket(
        "PL",
        "Poland",
        ("PL",),
        ("pl", "en"),
        "pl",
        "Europe/Warsaw",
        "PLN",
        0,
        0.16,
        4.25,
        ("PL", "Warsaw"),
        (("PL", "Warsaw"), ("PL", "Kraków")),
        (14.0, 48.9, 24.2, 54.9),
        ("Jesienne jazdy próbne", "Elvaro bez emisji"),
        {"tolerance_km": 3.0},
    ),
    DemoMarket(
        "FR",
        "France",
        ("FR",),
        ("fr", "en"),
        "fr",
        "Europe/Paris",
        "EUR",
        0,
        0.19,
        1.0,
        ("FR", "Paris"),
        (("FR", "Paris"), ("FR", "Lyon")),
        (-5.2, 41.3, 9.6, 51.1),
        ("Portes ouvertes d'automne", "Elvaro, zéro émission"),
        {"respond_within_minutes": {"hot": 30, "warm": 90, "cold": 240}},
    ),
    DemoMarket(
        "DE",
        "Germany",
        ("DE",),
        ("de", "en", "tr"),
        "de",
        "Europe/Berlin",
        "EUR",
        0,
        0.22,
        1.0,
        ("DE", "Frankfurt am Main"),
        (("DE", "Berlin"), ("DE", "Munich")),
        (5.8, 47.2, 15.1, 55.1),
        ("Herbst-Probefahrten", "Elvaro elektrisiert"),
        {"tolerance_share": 0.1},
    ),
    DemoMarket(
        "NL",
        "Netherlands",
        ("NL",),
        ("nl", "en"),
        "nl",
        "Europe/Amsterdam",
        "EUR",
        0,
        0.11,
        1.0,
        ("NL", "Utrecht"),
        (("NL", "Amsterdam"), ("NL", "Rotterdam")),
        (3.3, 50.7, 7.3, 53.7),
        ("Najaarsproefritten", "Elvaro volledig elektrisch"),
        {"radius_km": 80.0, "rings_km": [160.0], "tolerance_km": 2.0},
    ),
    DemoMarket(
        "TR",
        "Türkiye",
        ("TR",),
        ("tr", "en"),
        "tr",
        "Europe/Istanbul",
        "TRY",
        0,
        0.14,
        48.0,
        ("TR", "Ankara"),
        (("TR", "Istanbul"), ("TR", "İzmir")),
        (25.6, 35.8, 44.9, 42.2),
        ("Sonbahar test sürüşleri", "Elvaro ile sıfır emisyon"),
        {"radius_km": 200.0, "rings_km": [400.0]},
    ),
    DemoMarket(
        "GULF",
        "Gulf",
        ("SA", "AE", "KW", "QA", "BH", "OM", "IQ"),
        ("ar", "en"),
        "ar",
        "Asia/Riyadh",
        "SAR",
        6,
        0.18,
        4.05,
        ("SA", "Riyadh"),
        (("SA", "Riyadh"), ("AE", "Dubai")),
        (34.5, 16.3, 59.9, 37.5),
        ("تجارب قيادة الخريف", "إلفارو الكهربائية"),
        {
            "radius_km": 200.0,
            "rings_km": [400.0],
            "max_wait_hours": 96.0,
            "duty_desk": "GULF-CARE",
        },
        "Su-Th 08:00-17:00; PH off",
    ),
)
MARKET_OF: Mapping[str, DemoMarket] = {
    country: market for market in MARKETS for country in market.countries
}
