"""The person of an ADF prospect: name, addresses to write to, numbers to dial, where they live."""

from __future__ import annotations

from typing import Any

from lxml import etree

from lmt.ingest.adfelements import NOWHERE, Elements, distinct, line_of, word
from lmt.ingest.phones import is_dialable

_PHONE_ORDER = ("cellphone", "mobile", "cell", "voice", "phone", "home", "work", "business", "")
_NO_CALLS = frozenset(["fax", "pager"])
_NAME_PARTS = frozenset(["first", "middle", "last", "surname", "full", "title", "prefix", "suffix"])
_WRITTEN_AS = {"prefix": "title", "surname": "last"}
_FOLDED = ("middle", "suffix")
NAME_ORDER = ("title", "first", "last", "full", "company")
_SAID_OF_NAMES = _NAME_PARTS | {"business", "individual", ""}
_NAMES = ("name", "firstname", "lastname", "fullname")
_OF_A_CONTACT = frozenset([*_NAMES, "email", "phone", "cellphone", "mobile", "address"])


def one_customer(prospect: etree._Element) -> None:
    """Put what senders leave outside of `customer/contact` into it, so that it is read, and
    written, at one place."""
    customer = _found_or_moved(prospect, "customer", frozenset(["contact", *_OF_A_CONTACT]))
    if customer is not None:
        _found_or_moved(customer, "contact", _OF_A_CONTACT)


def _found_or_moved(
    parent: etree._Element, name: str, of_it: frozenset[str]
) -> etree._Element | None:
    found = next((child for child in parent if child.tag == name), None)
    if found is not None:
        return found
    strays = [child for child in parent if child.tag in of_it]
    if not strays:
        return None
    made = etree.Element(name)
    parent.insert(parent.index(strays[0]), made)
    made.extend(strays)
    return made


def best_contact(elements: Elements, customer: etree._Element | None) -> etree._Element | None:
    contacts = elements.children(customer, "contact")
    primary = [one for one in contacts if one.get("primarycontact") == "1"]
    return next(iter(primary + contacts), None)


def person_of(
    elements: Elements, contact: etree._Element | None, attributes: dict[str, Any]
) -> dict[str, str]:
    name = name_of(elements, contact)
    emails = emails_of(elements, contact)
    phones = phones_of(elements, contact)
    phone = phones[0] if phones and phones[0]["type"] not in _NO_CALLS else None
    others = phones if phone is None else phones[1:]
    if others:
        attributes["other_phones"] = others
    if phone and phone["type"]:
        attributes["phone_type"] = phone["type"]
    if emails[1:]:
        attributes["other_emails"] = emails[1:]
    time = phone["time"] if phone else ""
    return {
        "title": name.get("title", ""),
        "first_name": name.get("first", ""),
        "last_name": name.get("last", ""),
        "full_name": name.get("full", ""),
        "company": name.get("company", ""),
        "email": emails[0] if emails else "",
        "phone": phone["phone"] if phone else "",
        "language": elements.line(contact, "locale", "language", "preferredlanguage"),
        "contact_time": "" if time == "nopreference" else time,
    }


def name_of(elements: Elements, contact: etree._Element | None) -> dict[str, str]:
    """The parts of a name: title, first, last, full, company."""
    found: dict[str, tuple[str, etree._Element]] = {}
    for element in elements.children(contact, *_NAMES):
        text, part = line_of(element), _part(element)
        if text and part not in found:
            found[part] = (text, element)
    for element in elements.children(contact, "company", "companyname"):
        if "company" not in found and line_of(element):
            found["company"] = (line_of(element), element)
    for alias, part in _WRITTEN_AS.items():
        if alias in found and part not in found:
            found[part] = found.pop(alias)
    folded = [found[part] for part in _FOLDED if part in found]
    if "full" not in found and folded:
        order = [found[part] for part in ("first", "middle", "last", "suffix") if part in found]
        found["full"] = (" ".join(text for text, _element in order), folded[0][1])
        for _text, element in folded[1:]:
            _use_name(elements, element, NOWHERE)
    for part in NAME_ORDER:
        if part in found:
            _use_name(elements, found[part][1], "name")
    return {part: text for part, (text, _element) in found.items()}


def emails_of(elements: Elements, contact: etree._Element | None) -> list[str]:
    """Every address once, the one to write to first, the others as they came."""
    found = elements.children(contact, "email")
    best = min(
        found,
        key=lambda element: (
            not line_of(element),
            "@" not in line_of(element),
            not _wanted(element),
        ),
        default=None,
    )
    texts = []
    for element in _with_first(found, best):
        text = line_of(element)
        elements.use(element, NOWHERE if not text or text in texts else "email")
        texts.append(text)
    return distinct(texts)


def phones_of(elements: Elements, contact: etree._Element | None) -> list[dict[str, str]]:
    """Every number once with its type and time of day; the best to dial first, the others as they
    came."""
    found = elements.children(contact, "phone", "cellphone", "mobile")
    best = min(found, key=_phone_rank, default=None)
    phones: dict[str, dict[str, str]] = {}
    for element in _with_first(found, best):
        number = line_of(element)
        phone = {
            "phone": number,
            "type": _phone_type(element),
            "time": word(element.get("time", "")),
        }
        if not number or phones.get(number) == phone:
            elements.use(element, NOWHERE, "type", "time")
        elif number not in phones:
            elements.use(element, "phone", "type", "time")
            phones[number] = phone
    return list(phones.values())


def address_of(elements: Elements, contact: etree._Element | None) -> dict[str, Any]:
    element = elements.child(contact, "address")
    if element is not None:
        elements.place(element, "address")
    streets = elements.children(element, "street", "address1", "address2", "streetaddress")
    streets.sort(key=lambda street: word(street.get("line", "")))
    lines: list[str] = []
    for part in (*streets, *elements.children(element, "apartment")):
        text = line_of(part)
        elements.use(part, "street" if text and not lines else NOWHERE)
        lines += [text] if text else []
    return {
        "street": ", ".join(lines),
        "postcode": elements.line(element, "postalcode", "postcode", "zip", "zipcode"),
        "city": elements.line(element, "city"),
        "region": elements.line(element, "regioncode", "region", "state", "province"),
        "country": elements.line(element, "country", "countrycode"),
        "lat": None,
        "lon": None,
    }


def _part(element: etree._Element) -> str:
    """Which part of the name the element is; what calls itself otherwise is a name in full."""
    kind = word(element.get("type", ""))
    part = word(element.get("part", "")) or element.tag.removesuffix("name")
    if part not in _NAME_PARTS:
        part = kind if kind in _NAME_PARTS else "full"
    return "company" if kind == "business" and part == "full" else part


def _use_name(elements: Elements, element: etree._Element, place: str) -> None:
    part, kind = word(element.get("part", "")), word(element.get("type", ""))
    said = [name for name, known in (("part", part), ("type", kind)) if known in _SAID_OF_NAMES]
    if element.tag not in _NAMES:
        said = ["part", "type"]  # of a company's own element they are no part of a name
    elements.use(element, place, *said)


def _with_first(found: list[etree._Element], best: etree._Element | None) -> list[etree._Element]:
    return [] if best is None else [best, *(one for one in found if one is not best)]


def _wanted(element: etree._Element) -> bool:
    return word(element.get("preferredcontact", "")) in ("1", "true", "yes")


def _phone_type(element: etree._Element) -> str:
    return word(element.get("type", "")) or ("" if element.tag == "phone" else str(element.tag))


def _phone_rank(element: etree._Element) -> tuple[bool, bool, bool, int]:
    """The lower, the better to dial: a real number, no fax, preferred, then by its type."""
    kind = _phone_type(element)
    order = _PHONE_ORDER.index(kind) if kind in _PHONE_ORDER else len(_PHONE_ORDER)
    no_number = not is_dialable(line_of(element))
    return no_number, kind in _NO_CALLS, not _wanted(element), order
