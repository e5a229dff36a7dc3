"""Where the customer is: every part of an address in its own field and its country's spelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lmt.ingest.countries import country_code
from lmt.ingest.fields import Reading
from lmt.ingest.leadinput import TEXT_LENGTHS, Address
from lmt.ingest.postcodes import code_and_town, postcode
from lmt.ingest.regionnames import region_name

# Room for the town that some write beside it.
_POSTCODE_FIELD = 100
_NOWHERE: tuple[None, None] = (None, None)


def address_of(
    reading: Reading, data: Mapping[str, Any], source_country: str, market_country: str
) -> Address:
    """The `address` of a lead, spelled as its country does; only a country stated is kept.

    Postcode, town and region are read by the country stated, else the source's (ISO or ""), else
    the only one of the market.
    """
    texts = reading.texts(data, "address", but="postcode")
    given = data.get("address")
    section = given if isinstance(given, Mapping) else {}
    stated = country_code(texts["country"]) if texts["country"] else ""
    if texts["country"] and not stated:
        reading.note("address.country", "country_not_known", texts["country"])
    country = stated or source_country or market_country
    field = reading.text(section.get("postcode"), "address.postcode", _POSTCODE_FIELD)
    if field or texts["city"]:
        certain = bool(stated) or country == market_country
        texts["postcode"], texts["city"] = _place(reading, field, texts["city"], country, certain)
    texts["region"] = region_name(texts["region"], country)
    lat, lon = _coordinates(reading, section) if "lat" in section or "lon" in section else _NOWHERE
    return Address(**{**texts, "country": stated}, lat=lat, lon=lon)


def _place(reading: Reading, field: str, city: str, country: str, certain: bool) -> tuple[str, str]:
    """Postcode and city, each in its own field; `certain` that they are of that country."""
    found = postcode(field, country, certain=certain)
    if found.problem:
        reading.note("address.postcode", found.problem, field)
    code = found.code
    beside, town = code_and_town(city, country)
    if beside and code in ("", beside):
        code, city = beside, town
    limit = TEXT_LENGTHS["address"]["postcode"]
    if len(code) > limit:
        reading.note("address.postcode", "too_long", code)
    return code[:limit].rstrip(), city or found.town


def _coordinates(
    reading: Reading, address: Mapping[Any, Any]
) -> tuple[float, float] | tuple[None, None]:
    """Both coordinates in range, or neither; 0, 0 is what forms send for "unknown"."""
    lat = reading.number(address.get("lat"), "address.lat")
    lon = reading.number(address.get("lon"), "address.lon")
    if lat is None and lon is None:
        return None, None
    if lat is None or lon is None:
        reading.note("address.lat" if lat is None else "address.lon", "coordinate_missing")
        return None, None
    if not -90 <= lat <= 90:
        reading.note("address.lat", "coordinate_out_of_range", lat)
        return None, None
    if not -180 <= lon <= 180:
        reading.note("address.lon", "coordinate_out_of_range", lon)
        return None, None
    if lat == 0 and lon == 0:
        reading.note("address.lat", "coordinates_zero", "0, 0")
        return None, None
    return lat, lon
