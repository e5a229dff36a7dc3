"""A lead as ADF 1.0 for a dealer's own system: one prospect, what was given at its old place.

Takes the lead in the shape of the API, as `lmt.ingest.adf` reads it, so that reading, writing and
reading again loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lxml import etree

from lmt.notify.adfplaces import clean, guarded, made, put, put_back, shown

CONTENT_TYPE = "application/xml; charset=utf-8"
_LEFT_OUT = frozenset(["condition", "interest", "odometer_units"])
_OTHER_NAMES = {"brand": "make", "mileage": "odometer"}


def adf_document(
    lead: Mapping[str, Any],
    *,
    reference: str = "",
    reference_source: str = "LMT",
    notes: Sequence[str] = (),
) -> bytes:
    """UTF-8 with its declaration; elements in the order of the ADF 1.0 DTD, unknown ones last.

    `reference` becomes the prospect's first id; `notes` are lines below the customer's comments.
    """
    adf = etree.Element("adf")
    prospect = etree.SubElement(adf, "prospect", status="new")
    attributes = _part(lead, "attributes")
    _head(prospect, lead)
    _vehicles(prospect, lead, attributes)
    _customer(prospect, lead, attributes, notes)
    _vendor(prospect, lead, attributes)
    _provider(prospect, attributes)
    put_back(prospect, _part(attributes, "adf"))
    _complete(prospect)
    if reference:
        own = etree.Element("id", sequence="1", source=clean(reference_source))
        own.text = clean(reference)
        prospect.insert(0, own)
    adf.addprevious(etree.ProcessingInstruction("adf", 'version="1.0"'))
    return etree.tostring(
        adf.getroottree(), encoding="UTF-8", xml_declaration=True, pretty_print=True
    )


def _head(prospect: etree._Element, lead: Mapping[str, Any]) -> None:
    if number := _text(lead, "id"):
        _id(prospect, number)
    _leaf(prospect, "requestdate", _text(lead, "sent_at"))


def _id(parent: etree._Element, number: str) -> None:
    """`source:number` as the two that it was made of."""
    source, _colon, rest = number.partition(":")
    qualified = bool(source and rest) and (source, rest) == (source.strip(), rest.strip())
    element = _leaf(parent, "id", rest if qualified else number)
    if qualified:
        element.set("source", clean(source))


def _vehicles(
    prospect: etree._Element, lead: Mapping[str, Any], attributes: Mapping[str, Any]
) -> None:
    request, given = _part(lead, "request"), _part(lead, "vehicle")
    traded = _part(given, "trade_in")
    facts = [_text(part, name) for part, name in _of_the_wanted(request, given)]
    if not (traded and _text(request, "type") == "trade_in" and not any(facts)):
        brand, model, year, vin, condition = facts
        wanted = etree.SubElement(prospect, "vehicle")
        interest = _text(attributes, "interest")
        if not interest and _text(request, "type") == "test_drive":
            interest = "test-drive"
        _attribute(wanted, "interest", interest)
        _attribute(wanted, "status", condition)
        for tag, text in (("year", year), ("make", brand), ("model", model)):
            _leaf(wanted, tag, text)
        if vin:
            _leaf(wanted, "vin", vin)
    if traded:
        _traded(etree.SubElement(prospect, "vehicle"), traded)


def _of_the_wanted(
    request: Mapping[str, Any], vehicle: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], str]]:
    yield from ((request, "brand"), (request, "model"))
    yield from ((vehicle, "year"), (vehicle, "vin"), (vehicle, "condition"))


def _traded(vehicle: etree._Element, traded: Mapping[str, Any]) -> None:
    """Keys that are no names of elements stand in the comments, so that a person reads them."""
    vehicle.set("interest", clean(_text(traded, "interest")) or "trade-in")
    _attribute(vehicle, "status", _text(traded, "condition"))
    for tag in ("year", "make", "model"):
        _leaf(vehicle, tag, "")
    lines: list[str] = []
    for key, value in traded.items():
        text = value if isinstance(value, str) else shown(value)
        name = _OTHER_NAMES.get(key, key)
        if key in _LEFT_OUT or (key != name and name in traded):
            continue
        if not put(vehicle, name.removeprefix("./"), text) and text:
            lines.append(f"{key}: {text}")
    odometer, units = vehicle.find("odometer"), _text(traded, "odometer_units")
    if units and odometer is None:
        lines.append(units)
    elif units and odometer is not None:
        _attribute(odometer, "units", {"miles": "mi", "kilometers": "km"}.get(units, units))
    if lines:
        comments = vehicle.find("comments")
        before = "" if comments is None else comments.text or ""
        put(vehicle, "comments", "\n".join(line for line in (before, *lines) if line))


def _customer(
    prospect: etree._Element,
    lead: Mapping[str, Any],
    attributes: Mapping[str, Any],
    notes: Sequence[str],
) -> None:
    person, request = _part(lead, "customer"), _part(lead, "request")
    customer = etree.SubElement(prospect, "customer")
    contact = etree.SubElement(customer, "contact")
    names = [
        (part, _text(person, key))
        for part, key in (
            ("title", "title"),
            ("first", "first_name"),
            ("last", "last_name"),
            ("full", "full_name"),
        )
    ]
    for part, text in names:
        if text:
            _leaf(contact, "name", text).set("part", part)
    if company := _text(person, "company"):
        _leaf(contact, "name", company).attrib.update({"part": "full", "type": "business"})
    _emails(contact, person, attributes)
    _phones(contact, person, request, attributes)
    _address(contact, _part(lead, "address"))
    if language := _text(person, "language"):
        _leaf(contact, "locale", language)
    if timeframe := _text(request, "timeframe"):
        _leaf(customer, "timeframe", timeframe)
    comments = [text for text in (_text(request, "comments"), "\n".join(notes)) if text]
    if comments:
        _leaf(customer, "comments", "\n\n".join(comments))


def _emails(
    contact: etree._Element, person: Mapping[str, Any], attributes: Mapping[str, Any]
) -> None:
    others = [text for text in _list(attributes, "other_emails") if isinstance(text, str)]
    email = _text(person, "email")
    if email:
        first = _leaf(contact, "email", email)
        if others:
            first.set("preferredcontact", "1")
    for other in others:
        _leaf(contact, "email", other)


def _phones(
    contact: etree._Element,
    person: Mapping[str, Any],
    request: Mapping[str, Any],
    attributes: Mapping[str, Any],
) -> None:
    others = [phone for phone in _list(attributes, "other_phones") if isinstance(phone, Mapping)]
    if number := _text(person, "phone"):
        first = _leaf(contact, "phone", number)
        _attribute(first, "type", _text(attributes, "phone_type"))
        _attribute(first, "time", _text(request, "contact_time"))
        if others:
            first.set("preferredcontact", "1")
    for other in others:
        element = _leaf(contact, "phone", _text(other, "phone"))
        _attribute(element, "type", _text(other, "type"))
        _attribute(element, "time", _text(other, "time"))


def _address(contact: etree._Element, given: Mapping[str, Any]) -> None:
    parts = {
        tag: _text(given, key)
        for tag, key in (
            ("street", "street"),
            ("city", "city"),
            ("regioncode", "region"),
            ("postalcode", "postcode"),
            ("country", "country"),
        )
    }
    if not any(parts.values()):
        return
    address = etree.SubElement(contact, "address")
    for number, line in enumerate(parts.pop("street").split("\n"), start=1):
        _leaf(address, "street", line).set("line", str(number))
    for tag, text in parts.items():
        if text:
            _leaf(address, tag, text)


def _vendor(
    prospect: etree._Element, lead: Mapping[str, Any], attributes: Mapping[str, Any]
) -> None:
    vendor = etree.SubElement(prospect, "vendor")
    for number in _list(attributes, "vendor_ids"):
        if isinstance(number, str) and number:
            _id(vendor, number)
    name = _text(attributes, "vendor") or _text(_part(lead, "request"), "preferred_dealer")
    _leaf(vendor, "vendorname", name)


def _provider(prospect: etree._Element, attributes: Mapping[str, Any]) -> None:
    given = _part(attributes, "provider")
    if not given:
        return
    provider = etree.SubElement(prospect, "provider")
    _leaf(provider, "name", _text(given, "name"))
    for tag in ("id", "service", "url", "email", "phone"):
        if text := _text(given, tag):
            put(provider, tag, text)


def _complete(prospect: etree._Element) -> None:
    """What the DTD wants of every contact: a name, and a mail address or a phone."""
    for parent in ("customer", "vendor"):
        party = prospect.find(parent)
        assert party is not None
        contact = party.find("contact")
        contact = made(party, "contact") if contact is None else contact
        if contact.find("name") is None:
            name = made(contact, "name")
            name.set("part", "full")
            if parent == "vendor":
                name.text = party.findtext("vendorname")
        if contact.find("email") is None and contact.find("phone") is None:
            made(contact, "email")


def _leaf(parent: etree._Element, tag: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, tag)
    element.text = guarded(text)
    return element


def _attribute(element: etree._Element, name: str, text: str) -> None:
    if text:
        element.set(name, clean(text))


def _part(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = given.get(name)
    return part if isinstance(part, Mapping) else {}


def _list(given: Mapping[str, Any], name: str) -> Sequence[Any]:
    part = given.get(name)
    return part if isinstance(part, list | tuple) else ()


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else shown(value)
