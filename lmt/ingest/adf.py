"""Read ADF/XML, the automotive lead format, as real senders write it: one lead per prospect.

The format: ADF 1.0 (its DTD names the elements); what senders add to it is kept by its path.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from lmt.ingest.adfcontact import address_of, best_contact, person_of
from lmt.ingest.adfelements import Elements, child_text, distinct, line_of, word
from lmt.ingest.adfmending import NotAdf
from lmt.ingest.adfxml import adf_element
from lmt.ingest.characters import clean_line, text_of_markup
from lmt.ingest.instants import written_instant
from lmt.ingest.normalise import model_year
from lmt.ingest.requesttypes import request_type

__all__ = ["NotAdf", "read"]

MAX_PROSPECTS = 200
_TRADED = frozenset(["tradein", "trade", "sell"])
_ORDERED = frozenset(["buy", "purchase", "lease", ""])


def read(body: bytes) -> list[dict[str, Any]]:
    """Every prospect of the document in the shape of the lead JSON, in the order of the document.

    Raises NotAdf when the bytes are no ADF, are beyond the bounds, or declare entities.
    """
    root = adf_element(body)
    prospects = list(root.iter("prospect"))
    if len(prospects) > MAX_PROSPECTS:
        raise NotAdf("too_many_prospects")
    if not prospects:
        prospects = [adf for adf in root.iter("adf") if len(adf)]
    if not prospects:
        raise NotAdf("no_prospect")
    return [_Prospect(prospect).lead() for prospect in prospects]


class _Prospect(Elements):
    """One prospect being read; remembers which elements were understood, so the rest is kept."""

    def lead(self) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        kept: dict[str, str] = {}
        customer = self.child(self.element, "customer")
        if customer is None:
            customer = self.element
        contact = best_contact(self, customer)
        wanted, traded, interest = self.vehicles()
        person = person_of(self, contact, attributes)
        request = self.request(customer, wanted, traded, interest, attributes)
        request["contact_time"] = person.pop("contact_time")
        vendor = self.vendor()
        request["preferred_dealer"] = vendor
        if vendor:
            attributes["vendor"] = vendor
        provider = self.provider()
        if provider:
            attributes["provider"] = provider
        lead: dict[str, Any] = {
            "test": False,
            "customer": person,
            "address": address_of(self, contact),
            "request": request,
            "vehicle": self.vehicle(wanted, traded),
            "campaign": {
                "code": "",
                "utm_source": "",
                "utm_medium": "",
                "utm_campaign": "",
                "gclid": "",
                "referrer": "",
                "landing_page": "",
            },
            "consents": [],
            "attributes": attributes,
        }
        sender_id = self.sender_id()
        if sender_id:
            lead["id"] = sender_id
        sent_at, requested = self.sent_at()
        if sent_at:
            lead["sent_at"] = sent_at
        elif requested:
            kept["requestdate"] = requested
        kept.update(self.not_understood())
        if kept:
            attributes["adf"] = kept
        return lead

    # The prospect

    def sender_id(self) -> str:
        """The sender's id, qualified by its source: senders count from one, each for itself."""
        for element in self.children(self.element, "id"):
            number, source = line_of(element), clean_line(element.get("source", ""))
            if number:
                self.used.add(element)
                return f"{source}:{number}" if source else number
        return ""

    def sent_at(self) -> tuple[str, str]:
        """(ISO with offset, "") or ("", the text as given)."""
        element = self.child(self.element, "requestdate")
        text = "" if element is None else line_of(element)
        if element is not None:
            self.used.add(element)
        instant = written_instant(text)
        return (instant.isoformat(), "") if instant else ("", text)

    # Vehicles and the request

    def vehicles(self) -> tuple[etree._Element | None, etree._Element | None, str]:
        """The vehicle wanted, the one offered in exchange, and the interest in the first."""
        wanted: etree._Element | None = None
        traded: etree._Element | None = None
        for vehicle in self.children(self.element, "vehicle"):
            if _interest(vehicle) in _TRADED:
                traded = vehicle if traded is None else traded
            elif wanted is None:
                wanted = vehicle
        if wanted is not None and traded is not None and self.mirrors(traded, wanted):
            traded = None
        self.used.update(vehicle for vehicle in (wanted, traded) if vehicle is not None)
        return wanted, traded, "" if wanted is None else _interest(wanted)

    def mirrors(self, traded: etree._Element, wanted: etree._Element) -> bool:
        """Whether a sender's form only repeated the wanted vehicle as the one offered."""
        vins = [child_text(vehicle, "vin") for vehicle in (traded, wanted)]
        if any(vins):
            return vins[0] == vins[1]
        compared = ("year", "make", "model", "odometer")
        return [child_text(traded, tag) for tag in compared] == [
            child_text(wanted, tag) for tag in compared
        ]

    def request(
        self,
        customer: etree._Element | None,
        wanted: etree._Element | None,
        traded: etree._Element | None,
        interest: str,
        attributes: dict[str, Any],
    ) -> dict[str, str]:
        slug = ""
        if wanted is None and traded is not None:
            slug = "trade_in"
        elif interest not in _ORDERED:
            slug = request_type(interest)
        if interest not in ("", "buy") and slug != "test_drive":
            attributes["interest"] = interest
        contact = self.child(customer, "contact")
        comments: list[str] = []
        for parent in (customer, contact, self.element, wanted):
            comments += self.lines(parent, "comments", "comment")
        return {
            "type": slug,
            "brand": self.line(wanted, "make"),
            "model": self.line(wanted, "model"),
            "timeframe": self.timeframe(customer),
            "comments": "\n".join(distinct(comments)),
            "preferred_dealer": "",
            "contact_time": "",
        }

    def timeframe(self, customer: etree._Element | None) -> str:
        element = self.child(customer, "timeframe")
        if element is None:
            return ""
        plain = line_of(element)
        if plain:
            self.used.add(element)
            return plain
        description = self.line(element, "description")
        dates = [child_text(element, tag) for tag in ("earliestdate", "latestdate")]
        return description or " / ".join(date for date in dates if date)

    def vehicle(
        self, wanted: etree._Element | None, traded: etree._Element | None
    ) -> dict[str, Any]:
        year = "" if wanted is None else child_text(wanted, "year")
        if model_year(year) is not None:
            self.line(wanted, "year")
        return {
            "condition": word(wanted.get("status", "")) if wanted is not None else "",
            "year": model_year(year),
            "vin": self.line(wanted, "vin"),
            "trade_in": {} if traded is None else self.traded(traded),
        }

    def traded(self, vehicle: etree._Element) -> dict[str, Any]:
        """The vehicle offered, each leaf under its own name."""
        described: dict[str, Any] = {}
        if vehicle.get("status"):
            described["condition"] = word(vehicle.get("status", ""))
        for leaf in vehicle:
            text = text_of_markup(leaf.text or "").strip()
            if len(leaf) or leaf.tag in described or len(described) >= 40:
                continue
            self.used.add(leaf)
            if not text:
                continue
            year = model_year(text) if leaf.tag == "year" else None
            described[str(leaf.tag)] = year if year is not None else text
            units = leaf.get("units") or leaf.get("unit")
            if leaf.tag == "odometer" and units:
                described["odometer_units"] = clean_line(units).lower()
        return described

    # Vendor and provider

    def vendor(self) -> str:
        vendor = self.child(self.element, "vendor")
        name = self.line(vendor, "vendorname", "name")
        return name or self.line(self.child(vendor, "contact"), "name")

    def provider(self) -> dict[str, str]:
        provider = self.child(self.element, "provider")
        texts = {
            tag: self.line(provider, tag)
            for tag in ("name", "service", "url", "email", "phone", "id")
        }
        return {tag: text for tag, text in texts.items() if text}


def _interest(vehicle: etree._Element) -> str:
    return re.sub(r"[^a-z]", "", vehicle.get("interest", "").lower())
