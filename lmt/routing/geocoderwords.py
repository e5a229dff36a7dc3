"""What each geocoder's answer means: how far off it may be, in km, and in which country it lies.

Shapes are those of the services' own documentation: Nominatim (nominatim.org/release-docs, place
output), Photon (github.com/komoot/photon), Pelias (github.com/pelias/documentation), Google's
Geocoding API, and OpenCage. An answer of another shape raises KeyError, TypeError, ValueError or
AttributeError.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lmt.routing.geo import geodesic_km, is_place

HOUSE_KM, STREET_KM, POSTCODE_KM = 0.1, 1.0, 3.0
SMALLEST_CITY_KM, UNKNOWN_CITY_KM = 2.0, 10.0
SMALLEST_REGION_KM = 50.0

Box = tuple[float, float, float, float]
"""South, west, north, east."""


@dataclass(frozen=True, slots=True)
class Found:
    """One place that a geocoder offers, its `country` as alpha-2."""

    lat: float
    lon: float
    accuracy_km: float
    country: str
    place: str = ""


def radius_km(level: str, box: Box | None) -> float:
    """How far the true place may lie from what a geocoder calls house, street, postcode, city or
    region: half the diagonal of its box for the last two."""
    reach = 0.0
    if box is not None:
        south, west, north, east = box
        if is_place(south, west) and is_place(north, east):
            reach = geodesic_km(south, west, north, east) / 2
    match level:
        case "house":
            return HOUSE_KM
        case "street":
            return STREET_KM
        case "postcode":
            return POSTCODE_KM
        case "city":
            return round(max(reach, SMALLEST_CITY_KM) if box else UNKNOWN_CITY_KM, 1)
        case _:
            return round(max(reach, SMALLEST_REGION_KM), 1)


_NOMINATIM_REGIONS = frozenset(
    {"state", "region", "country", "province", "county", "state_district", "district"}
)


def read_nominatim(raw: Any, lat: float, lon: float) -> Found:
    address = raw.get("address") or {}
    what = str(raw.get("addresstype") or raw.get("type") or "")
    if address.get("house_number") or what in {"house", "building"}:
        level = "house"
    elif raw.get("class") == "highway" or what == "road":
        level = "street"
    elif what == "postcode":
        level = "postcode"
    else:
        level = "region" if what in _NOMINATIM_REGIONS else "city"
    box = None
    if raw.get("boundingbox"):
        south, north, west, east = (float(edge) for edge in raw["boundingbox"])
        box = south, west, north, east
    town = next(
        (address[k] for k in ("city", "town", "village", "municipality") if k in address), ""
    )
    country = str(address.get("country_code", "")).upper()
    return Found(lat, lon, radius_km(level, box), country, str(town))


def read_photon(raw: Any, lat: float, lon: float) -> Found:
    told = raw["properties"]
    levels = {"house": "house", "street": "street", "county": "region", "state": "region"}
    level = levels.get(str(told.get("type")), "region" if told.get("type") == "country" else "city")
    if told.get("osm_value") == "postcode":
        level = "postcode"
    box = None
    if told.get("extent"):
        west, north, east, south = (float(edge) for edge in told["extent"])
        box = south, west, north, east
    town = told.get("city") or (told.get("name") if level == "city" else "") or ""
    country = str(told.get("countrycode", "")).upper()
    return Found(lat, lon, radius_km(level, box), country, str(town))


_PELIAS_LEVELS = {
    "address": "house",
    "venue": "house",
    "street": "street",
    "postalcode": "postcode",
    "neighbourhood": "city",
    "borough": "city",
    "localadmin": "city",
    "locality": "city",
}


def read_pelias(raw: Any, lat: float, lon: float) -> Found:
    told = raw["properties"]
    level = _PELIAS_LEVELS.get(str(told.get("layer")), "region")
    if level == "house" and told.get("match_type") == "interpolated":
        level = "street"
    box = None
    if raw.get("bbox"):
        west, south, east, north = (float(edge) for edge in raw["bbox"])
        box = south, west, north, east
    country = str(told.get("country_code", "")).upper()
    return Found(lat, lon, radius_km(level, box), country, str(told.get("locality") or ""))


def read_google(raw: Any, lat: float, lon: float) -> Found:
    types = set(raw.get("types") or ())
    geometry = raw["geometry"]
    exact = geometry.get("location_type") in {"ROOFTOP", "RANGE_INTERPOLATED"}
    if types & {"street_address", "premise", "subpremise", "establishment"} and exact:
        level = "house"
    elif types & {"street_address", "premise", "route", "intersection"}:
        level = "street"
    elif "postal_code" in types:
        level = "postcode"
    elif "country" in types or any(kind.startswith("administrative_area") for kind in types):
        level = "region"
    else:
        level = "city"
    if raw.get("partial_match") and level in {"house", "street"}:
        level = "postcode"
    around = geometry.get("bounds") or geometry.get("viewport")
    box = None
    if around:
        low, high = around["southwest"], around["northeast"]
        box = float(low["lat"]), float(low["lng"]), float(high["lat"]), float(high["lng"])
    parts = {kind: part for part in raw["address_components"] for kind in part["types"]}
    country = str(parts["country"]["short_name"]).upper() if "country" in parts else ""
    town = str(parts["locality"]["long_name"]) if "locality" in parts else ""
    return Found(lat, lon, radius_km(level, box), country, town)


_OPENCAGE_LEVELS = {
    "building": "house",
    "road": "street",
    "postcode": "postcode",
    "state": "region",
    "county": "region",
    "region": "region",
    "country": "region",
}


def read_opencage(raw: Any, lat: float, lon: float) -> Found:
    told = raw["components"]
    level = "house" if told.get("house_number") else _OPENCAGE_LEVELS.get(told["_type"], "city")
    box = None
    if raw.get("bounds"):
        low, high = raw["bounds"]["southwest"], raw["bounds"]["northeast"]
        box = float(low["lat"]), float(low["lng"]), float(high["lat"]), float(high["lng"])
    town = told.get("city") or told.get("town") or told.get("village") or ""
    country = str(told.get("country_code", "")).upper()
    return Found(lat, lon, radius_km(level, box), country, str(town))
