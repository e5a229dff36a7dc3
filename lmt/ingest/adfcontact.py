"""The person of an ADF prospect: name, addresses to write to, numbers to dial, where they live."""

from __future__ import annotations

from typing import Any

from lxml import etree

from lmt.ingest.adfelements import Elements, distinct, line_of, word
from lmt.ingest.characters import clean_line
from lmt.ingest.phones import is_dialable

_PHONE_ORDER = ("cellphone", "mobile", "cell", "voice", "phone", "home", "work", "business", "")
_NO_CALLS = frozenset(["fax", "pager"])
_NAME_PARTS = frozenset(["first", "middle", "last", "surname", "full", "title", "prefix", "suffix"])


def best_contact(elements: Elements, customer: etree._Element | None) -> etree._Element | None:
    contacts = elements.children(customer, "contact")
    primary = [one for one in contacts if one.get("primarycontact") == "1"]
    return next(iter(primary + contacts), customer)


def person_of(
    elements: Elements, contact: etree._Element | None, attributes: dict[str, Any]
) -> dict[str, str]:
    name = name_of(elements, contact)
    emails = emails_of(elements, contact)
    phones = phones_of(elements, contact)
    phone = phones[0] if phones and phones[0]["type"] not in _NO_CALLS else None
    others = [other for other in phones if phone is None or other["phone"] != phone["phone"]]
    if others:
        attributes["other_phones"] = others
    if emails[1:]:
        attributes["other_emails"] = emails[1:]
    time = phone["time"] if phone else ""
    language = elements.line(contact, "locale", "language", "preferredlanguage")
    return {
        "title": name.get("title", ""),
        "first_name": name.get("first", ""),
        "last_name": name.get("last", ""),
        "full_name": name.get("full", ""),
        "company": name.get("company", "") or elements.line(contact, "company", "companyname"),
        "email": emails[0] if emails else "",
        "phone": phone["phone"] if phone else "",
        "language": language,
        "contact_time": "" if time == "nopreference" else time,
    }


def name_of(elements: Elements, contact: etree._Element | None) -> dict[str, str]:
    """The parts of a name: title, first, last, full, company."""
    parts: dict[str, str] = {}
    for element in elements.children(contact, "name", "firstname", "lastname", "fullname"):
        text = line_of(element)
        kind = word(element.get("type", ""))
        part = word(element.get("part", "")) or element.tag.removesuffix("name")
        if not part:
            part = kind if kind in _NAME_PARTS else "full"
        if kind == "business" and part == "full":
            part = "company"
        if part in _NAME_PARTS | {"company"} and part not in parts:
            elements.used.add(element)
            if text:
                parts[part] = text
    parts["last"] = parts.get("last") or parts.get("surname", "")
    parts["title"] = parts.get("title") or parts.get("prefix", "")
    if "full" not in parts and ("middle" in parts or "suffix" in parts):
        order = (parts.get(part, "") for part in ("first", "middle", "last", "suffix"))
        parts["full"] = " ".join(text for text in order if text)
    return parts


def emails_of(elements: Elements, contact: etree._Element | None) -> list[str]:
    found = elements.children(contact, "email")
    found.sort(key=lambda element: ("@" not in line_of(element), not _preferred(element)))
    elements.used.update(found)
    return distinct(line_of(element) for element in found)


def phones_of(elements: Elements, contact: etree._Element | None) -> list[dict[str, str]]:
    """Every number once, the best to dial first, each with its type and time of day."""
    found = elements.children(contact, "phone", "cellphone", "mobile")
    found.sort(key=_phone_rank)
    elements.used.update(found)
    phones: dict[str, dict[str, str]] = {}
    for element in found:
        number = line_of(element)
        if number and number not in phones:
            time = clean_line(element.get("time", "")).lower()
            phones[number] = {"phone": number, "type": _phone_type(element), "time": time}
    return list(phones.values())


def address_of(elements: Elements, contact: etree._Element | None) -> dict[str, Any]:
    element = elements.child(contact, "address")
    streets = elements.children(element, "street", "address1", "address2", "streetaddress")
    streets.sort(key=lambda street: clean_line(street.get("line", "")))
    elements.used.update(streets)
    lines = [*(line_of(street) for street in streets), elements.line(element, "apartment")]
    region = elements.line(element, "regioncode", "region", "state", "province")
    return {
        "street": ", ".join(line for line in lines if line),
        "postcode": elements.line(element, "postalcode", "postcode", "zip", "zipcode"),
        "city": elements.line(element, "city"),
        "region": region,
        "country": elements.line(element, "country", "countrycode"),
        "lat": None,
        "lon": None,
    }


def _preferred(element: etree._Element) -> bool:
    return word(element.get("preferredcontact", "")) in ("1", "true", "yes")


def _phone_type(element: etree._Element) -> str:
    return word(element.get("type", "")) or ("" if element.tag == "phone" else str(element.tag))


def _phone_rank(element: etree._Element) -> tuple[bool, bool, bool, int]:
    """The lower, the better to dial: a real number, no fax, preferred, then by its type."""
    kind = _phone_type(element)
    order = _PHONE_ORDER.index(kind) if kind in _PHONE_ORDER else len(_PHONE_ORDER)
    no_number = not is_dialable(line_of(element))
    return no_number, kind in _NO_CALLS, not _preferred(element), order
