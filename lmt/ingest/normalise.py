"""Understand a delivery: from the lead JSON, however imperfect, to a LeadInput. Never refuses."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import tzinfo
from typing import Any

from lmt.forms.fields import FieldDefinition
from lmt.ingest.addresses import address_of
from lmt.ingest.characters import clean_line, storable
from lmt.ingest.detect import written_language
from lmt.ingest.emails import email_address, likely_address
from lmt.ingest.fields import Reading
from lmt.ingest.languages import language_code
from lmt.ingest.leadinput import (
    CONDITIONS,
    ID_LENGTH,
    TEXT_LENGTHS,
    YEARS,
    Campaign,
    Consent,
    Customer,
    LeadInput,
    Request,
    Vehicle,
)
from lmt.ingest.names import person_name
from lmt.ingest.ownfields import misfit
from lmt.ingest.phones import phone_number
from lmt.ingest.requesttypes import is_slug, request_type

MAX_CONSENTS = 50
_NO_FIELDS: Mapping[str, FieldDefinition] = {}
_BESIDES_TEXT: Mapping[str, frozenset[str]] = {
    "address": frozenset({"lat", "lon"}),
    "vehicle": frozenset({"year", "trade_in"}),
}
_KNOWN = {
    name: frozenset(texts) | _BESIDES_TEXT.get(name, frozenset())
    for name, texts in TEXT_LENGTHS.items()
}
_TOP = frozenset({"id", "sent_at", "test", "consents", "attributes", "form", *TEXT_LENGTHS})
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_CONDITION_WORDS = {
    "new": "new neu neuf nuevo nowy nieuw sıfır yeni جديد جديدة",
    "used": "used preowned pre-owned cpo certified gebraucht occasion usado używany tweedehands"
    " gebruikt ikinciel مستعمل مستعملة",
    "demo": "demo demonstrator vorführwagen démonstration",
}


def understand(
    data: Mapping[str, Any],
    *,
    country: str = "",
    language: str = "",
    market_country: str = "",
    languages: Collection[str] = (),
    zone: tzinfo | None = None,
    fields: Mapping[str, FieldDefinition] = _NO_FIELDS,
) -> LeadInput:
    """What the delivery says, in the shapes the road works with.

    `data` has the shape of the lead JSON but may be wrong everywhere. Where the lead says nothing
    itself count: `country` (ISO) and `language`, the source's; `market_country`, the only country
    of its market; `languages`, those that the market speaks, to tell the comments' language by;
    `zone`, the market's, for times without an offset; `fields`, its own, by key. What can't be
    understood, or was understood in a way that somebody may want to check, is listed in
    `problems`, and stays in `given`. Raises nothing.
    """
    reading = Reading(zone=zone, country=country or market_country)
    _note_unknown(reading, data)
    address = address_of(reading, data, country, market_country)
    request = _request(reading, data)
    spoken = _customer_language(reading, data) or language
    if not spoken and languages:
        spoken = _written_language(reading, data, request.comments, languages)
    return LeadInput(
        id=reading.text(data.get("id"), "id", ID_LENGTH),
        sent_at=reading.instant(data.get("sent_at"), "sent_at"),
        test=reading.flag(data.get("test"), "test") or False,
        customer=_customer(reading, data, (address.country, country, market_country), spoken),
        address=address,
        request=request,
        vehicle=_vehicle(reading, data),
        campaign=Campaign(**reading.texts(data, "campaign")),
        consents=_consents(reading, data.get("consents")),
        attributes=_attributes(reading, data, fields),
        form_version=_form_version(data.get("form")),
        given=storable(data),
        problems=tuple(reading.problems),
    )


def _form_version(given: Any) -> int | None:
    version = given.get("version_id") if isinstance(given, Mapping) else None
    return version if isinstance(version, int) and 0 < version < 2**31 else None


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
    for key, value in data.items():
        if key not in _TOP:
            reading.note(str(key)[:100], "unknown_field", value)
        elif key in _KNOWN and isinstance(value, Mapping) and not _KNOWN[key] >= value.keys():
            for inner in value:
                if inner not in _KNOWN[key]:
                    reading.note(f"{key}.{str(inner)[:100]}", "unknown_field", value[inner])


def _customer_language(reading: Reading, data: Mapping[str, Any]) -> str:
    customer = data.get("customer")
    given = customer.get("language") if isinstance(customer, Mapping) else None
    text = reading.text(given, "customer.language", 100)
    code = language_code(text)
    if text and not code:
        reading.note("customer.language", "language_not_known", text)
    return code


def _written_language(
    reading: Reading, data: Mapping[str, Any], comments: str, languages: Collection[str]
) -> str:
    """The language of the comments, else of the letters of the name; noted, for it is a guess."""
    text = comments
    if not text:
        customer = data.get("customer")
        names = customer if isinstance(customer, Mapping) else {}
        text = " ".join(
            name
            for name in map(names.get, ("full_name", "first_name", "last_name"))
            if isinstance(name, str) and not name.isascii()
        )
        # A name says which letters somebody reads, and nothing about languages that share them.
        languages = [code for code in languages if code == "ar"]
    detected = written_language(text, languages) if text else ""
    if detected:
        reading.note("customer.language", "language_detected", detected)
    return detected


def _customer(
    reading: Reading, data: Mapping[str, Any], countries: tuple[str, ...], language: str
) -> Customer:
    texts = reading.texts(data, "customer", but="language")
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
        company=texts["company"] or name.company,
        email=_email(reading, texts["email"]),
        phone=_phone(reading, texts["phone"], countries),
        language=language,
    )


def _email(reading: Reading, text: str) -> str:
    if not text:
        return ""
    email = email_address(text)
    if not email:
        reading.note("customer.email", "email_not_valid", text)
    elif likely := likely_address(email):
        reading.note("customer.email", "email_mistyped", likely)
    return email


def _phone(reading: Reading, text: str, countries: tuple[str, ...]) -> str:
    """The number as E.164, else as given."""
    if not text:
        return ""
    phone = phone_number(text, countries)
    if not phone.number:
        reading.note("customer.phone", "phone_not_valid", text)
        return text
    if phone.country and phone.country != next(filter(None, countries)):
        reading.note("customer.phone", "phone_of_other_country", phone.country)
    if phone.extension:
        reading.note("customer.phone", "phone_extension", phone.extension)
    return phone.number


def _request(reading: Reading, data: Mapping[str, Any]) -> Request:
    texts = reading.texts(data, "request")
    slug = request_type(texts["type"]) if texts["type"] else ""
    if texts["type"] and not slug:
        reading.note("request.type", "request_type_not_known", texts["type"])
        slug = texts["type"] if is_slug(texts["type"]) else ""
    return Request(**{**texts, "type": slug})


def _vehicle(reading: Reading, data: Mapping[str, Any]) -> Vehicle:
    given = data.get("vehicle")
    texts = reading.texts(data, "vehicle")
    if not given or not isinstance(given, Mapping):
        return Vehicle()
    section = given
    condition = vehicle_condition(texts["condition"]) if texts["condition"] else ""
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


def _attributes(
    reading: Reading, data: Mapping[str, Any], fields: Mapping[str, FieldDefinition]
) -> dict[str, Any]:
    value = data.get("attributes")
    if not value:
        return {}
    if isinstance(value, Mapping):
        # A form has checked its answers, by its own version of the fields.
        for key in () if "form" in data else fields.keys() & value.keys():
            if code := misfit(fields[key], value[key]):
                reading.note(f"attributes.{key}", code, value[key])
        return dict(storable(value))
    reading.note("attributes", "not_an_object", value)
    return {"value": storable(value)}
