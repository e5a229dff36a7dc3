"""Understand a delivery: from the lead JSON, however imperfect, to a LeadInput. Never refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lmt.ingest.characters import clean_line, storable
from lmt.ingest.countries import country_code
from lmt.ingest.emails import email_address
from lmt.ingest.fields import Reading
from lmt.ingest.languages import language_code
from lmt.ingest.leadinput import (
    CONDITIONS,
    ID_LENGTH,
    TEXT_LENGTHS,
    YEARS,
    Address,
    Campaign,
    Consent,
    Customer,
    LeadInput,
    Request,
    Vehicle,
)
from lmt.ingest.names import person_name
from lmt.ingest.phones import e164
from lmt.ingest.requesttypes import is_slug, request_type

MAX_CONSENTS = 50
_BESIDES_TEXT: Mapping[str, frozenset[str]] = {
    "address": frozenset({"lat", "lon"}),
    "vehicle": frozenset({"year", "trade_in"}),
}
_TOP = frozenset({"id", "sent_at", "test", "consents", "attributes", *TEXT_LENGTHS})
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_CONDITION_WORDS = {
    "new": "new neu neuf nuevo nowy nieuw sıfır yeni جديد جديدة",
    "used": "used preowned pre-owned cpo certified gebraucht occasion usado używany tweedehands"
    " gebruikt ikinciel مستعمل مستعملة",
    "demo": "demo demonstrator vorführwagen démonstration",
}


def understand(data: Mapping[str, Any], *, country: str = "", language: str = "") -> LeadInput:
    """What the delivery says, in the shapes the road works with.

    `data` has the shape of the lead JSON but may be wrong everywhere; `country` (ISO) and
    `language` are the source's, used where the lead gives none. What can't be understood is listed
    in `problems`, and stays in `given`. Raises nothing.
    """
    reading = Reading()
    _note_unknown(reading, data)
    address = _address(reading, data)
    spoken = _customer_language(reading, data) or language
    return LeadInput(
        id=reading.text(data.get("id"), "id", ID_LENGTH),
        sent_at=reading.instant(data.get("sent_at"), "sent_at"),
        test=reading.flag(data.get("test"), "test") or False,
        customer=_customer(reading, data, (address.country, country), spoken),
        address=address,
        request=_request(reading, data),
        vehicle=_vehicle(reading, data),
        campaign=Campaign(**reading.texts(data, "campaign")),
        consents=_consents(reading, data.get("consents")),
        attributes=_attributes(reading, data.get("attributes")),
        given=storable(data),
        problems=tuple(reading.problems),
    )


def vehicle_condition(text: str) -> str:
    """`new`, `used` or `demo`, from a word in a shipped language; "" when it is none."""
    word = clean_line(text).lower().replace(" ", "")
    return next((slug for slug, words in _CONDITION_WORDS.items() if word in words.split()), "")


def model_year(text: str) -> int | None:
    """The first four-digit year of the text that a vehicle could have."""
    for match in _YEAR.finditer(text[:100]):
        if YEARS[0] <= int(match[1]) <= YEARS[1]:
            return int(match[1])
    return None


def _note_unknown(reading: Reading, data: Mapping[str, Any]) -> None:
    known = {
        name: frozenset(texts) | _BESIDES_TEXT.get(name, frozenset())
        for name, texts in TEXT_LENGTHS.items()
    }
    for key, value in data.items():
        if key not in _TOP:
            reading.note(str(key)[:100], "unknown_field", value)
        elif key in known and isinstance(value, Mapping):
            for inner in value:
                if inner not in known[key]:
                    reading.note(f"{key}.{str(inner)[:100]}", "unknown_field", value[inner])


def _customer_language(reading: Reading, data: Mapping[str, Any]) -> str:
    customer = data.get("customer")
    given = customer.get("language") if isinstance(customer, Mapping) else None
    text = reading.text(given, "customer.language", 100)
    code = language_code(text)
    if text and not code:
        reading.note("customer.language", "language_not_known", text)
    return code


def _customer(
    reading: Reading, data: Mapping[str, Any], countries: tuple[str, ...], language: str
) -> Customer:
    texts = reading.texts(
        {"customer": _without_language(reading.section(data, "customer"))}, "customer"
    )
    email = email_address(texts["email"])
    if texts["email"] and not email:
        reading.note("customer.email", "email_not_valid", texts["email"])
    phone, extension = e164(texts["phone"], countries)
    if texts["phone"] and not phone:
        reading.note("customer.phone", "phone_not_valid", texts["phone"])
    if extension:
        reading.note("customer.phone", "phone_extension", extension)
    name = person_name(
        title=texts["title"],
        first=texts["first_name"],
        last=texts["last_name"],
        full=texts["full_name"],
        language=language,
    )
    return Customer(
        title=name.title,
        first_name=name.first,
        last_name=name.last,
        full_name=name.full,
        company=texts["company"],
        email=email,
        phone=phone or texts["phone"],
        language=language,
    )


def _without_language(customer: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in customer.items() if key != "language"}


def _address(reading: Reading, data: Mapping[str, Any]) -> Address:
    texts = reading.texts(data, "address")
    code = country_code(texts["country"])
    if texts["country"] and not code:
        reading.note("address.country", "country_not_known", texts["country"])
    given = data.get("address")
    lat, lon = _coordinates(reading, given if isinstance(given, Mapping) else {})
    return Address(**{**texts, "country": code}, lat=lat, lon=lon)


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


def _request(reading: Reading, data: Mapping[str, Any]) -> Request:
    texts = reading.texts(data, "request")
    slug = request_type(texts["type"])
    if texts["type"] and not slug:
        reading.note("request.type", "request_type_not_known", texts["type"])
        slug = texts["type"] if is_slug(texts["type"]) else ""
    return Request(**{**texts, "type": slug})


def _vehicle(reading: Reading, data: Mapping[str, Any]) -> Vehicle:
    given = data.get("vehicle")
    section = given if isinstance(given, Mapping) else {}
    texts = reading.texts(data, "vehicle")
    condition = vehicle_condition(texts["condition"])
    if texts["condition"] and condition not in CONDITIONS:
        reading.note("vehicle.condition", "condition_not_known", texts["condition"])
    year_text = reading.text(section.get("year"), "vehicle.year", 100)
    year = model_year(year_text)
    if year_text and year is None:
        reading.note("vehicle.year", "year_not_known", year_text)
    vin = texts["vin"].replace(" ", "").upper()
    if vin and not _VIN.fullmatch(vin):
        reading.note("vehicle.vin", "vin_not_valid", texts["vin"])
    trade_in = section.get("trade_in")
    if trade_in and not isinstance(trade_in, Mapping):
        description = reading.text(trade_in, "vehicle.trade_in", 2_000, lines=True)
        trade_in = {"description": description} if description else {}
    return Vehicle(condition, year, vin, storable(trade_in or {}))


def _consents(reading: Reading, value: Any) -> tuple[Consent, ...]:
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list | tuple):
        if value:
            reading.note("consents", "not_a_list", value)
        return ()
    if len(value) > MAX_CONSENTS:
        reading.note("consents", "too_many", str(len(value)))
    understood = (
        _consent(reading, item, f"consents.{index}")
        for index, item in enumerate(value[:MAX_CONSENTS])
    )
    return tuple(consent for consent in understood if consent is not None)


def _consent(reading: Reading, item: Any, path: str) -> Consent | None:
    """A consent counts only when it says for what, and yes or no; anything else is no consent."""
    if not isinstance(item, Mapping):
        reading.note(path, "not_an_object", item)
        return None
    purpose = reading.text(item.get("purpose"), f"{path}.purpose", 100)
    given = None if item.get("given") is None else reading.flag(item["given"], f"{path}.given")
    if not purpose or given is None:
        reading.note(path, "consent_incomplete", purpose)
        return None
    version = reading.text(item.get("text_version"), f"{path}.text_version", 200)
    return Consent(purpose, given, version, reading.instant(item.get("at"), f"{path}.at"))


def _attributes(reading: Reading, value: Any) -> dict[str, Any]:
    if not value:
        return {}
    if isinstance(value, Mapping):
        return dict(storable(value))
    reading.note("attributes", "not_an_object", value)
    return {"value": storable(value)}
