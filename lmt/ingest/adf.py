"""Read ADF/XML, the automotive lead format, as real senders write it: one lead per prospect.

The format: ADF 1.0 (its DTD names the elements); what senders add to it is kept by its path.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from lmt.ingest.adfcontact import address_of, best_contact, one_customer, person_of
from lmt.ingest.adfelements import NOWHERE, Elements, distinct, line_of, word
from lmt.ingest.adfmending import NotAdf
from lmt.ingest.adfvehicles import interest_of, traded_vehicle, vehicles_of, year_of
from lmt.ingest.adfxml import adf_element
from lmt.ingest.characters import clean_line
from lmt.ingest.instants import written_instant
from lmt.ingest.requesttypes import request_type

__all__ = ["NotAdf", "read"]

MAX_PROSPECTS = 200
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
        one_customer(self.element)
        customer = self.child(self.element, "customer")
        contact = best_contact(self, customer)
        if customer is not None and contact is not None:
            self.place(customer, "customer")
            self.place(contact, "contact")
        wanted, traded = vehicles_of(self)
        person = person_of(self, contact, attributes)
        request = self.request(customer, contact, wanted, traded, attributes)
        request["contact_time"] = person.pop("contact_time")
        request["preferred_dealer"] = self.vendor(attributes)
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
        if sender_id := self.sender_id():
            lead["id"] = sender_id
        if sent_at := self.sent_at():
            lead["sent_at"] = sent_at
        kept = self.not_understood()
        if kept:
            attributes["adf"] = kept
        return lead

    # The prospect

    def sender_id(self) -> str:
        """The sender's id, qualified by its source: senders count from one, each for itself."""
        for element in self.children(self.element, "id"):
            number, source = line_of(element), clean_line(element.get("source", ""))
            if number:
                self.use(element, "id", "source")
                return f"{source}:{number}" if source else number
        return ""

    def sent_at(self) -> str:
        """ISO with the offset given; "" where none is stated, and the text is kept as it is."""
        element = self.child(self.element, "requestdate")
        instant = None if element is None else written_instant(line_of(element))
        if element is None or instant is None:
            return ""
        self.use(element, "requestdate")
        return instant.isoformat()

    # Vehicle and request

    def request(
        self,
        customer: etree._Element | None,
        contact: etree._Element | None,
        wanted: etree._Element | None,
        traded: etree._Element | None,
        attributes: dict[str, Any],
    ) -> dict[str, str]:
        given = "" if wanted is None else word(wanted.get("interest", ""))
        interest = "" if wanted is None else interest_of(wanted)
        slug = ""
        if wanted is None and traded is not None:
            slug = "trade_in"
        elif interest not in _ORDERED:
            slug = request_type(interest)
        elif not interest:
            slug = request_type(given)
        if given not in ("", "buy") and slug != "test_drive":
            attributes["interest"] = given
        comments = self.lines(customer, "comments", "comment", place="comments")
        for parent in (contact, self.element, wanted):
            comments += self.lines(parent, "comments", "comment", place=NOWHERE)
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
        """In the sender's words; else as the dates between which the purchase is meant."""
        element = self.child(customer, "timeframe")
        if element is None:
            return ""
        self.place(element, "timeframe")
        plain = line_of(element)
        if plain:
            self.use(element, "timeframe")
            return plain
        described = self.line(element, "description", place=NOWHERE)
        dates = (self.child(element, tag) for tag in ("earliestdate", "latestdate"))
        return described or " / ".join(distinct(line_of(d) for d in dates if d is not None))

    def vehicle(
        self, wanted: etree._Element | None, traded: etree._Element | None
    ) -> dict[str, Any]:
        return {
            "condition": word(wanted.get("status", "")) if wanted is not None else "",
            "year": year_of(self, wanted),
            "vin": self.line(wanted, "vin"),
            "trade_in": {} if traded is None else traded_vehicle(traded),
        }

    # Vendor and provider

    def vendor(self, attributes: dict[str, Any]) -> str:
        """The dealer that the sender names: the customer's pick, where it is one of ours.

        Also by its ids, `source:number` as the sender writes them, in `vendor_ids`.
        """
        vendor = self.child(self.element, "vendor")
        if vendor is not None:
            self.place(vendor, "vendor")
        ids = []
        for element in self.children(vendor, "id"):
            number, source = line_of(element), clean_line(element.get("source", ""))
            if number:
                self.use(element, "id", "source")
                ids.append(f"{source}:{number}" if source else number)
        if ids:
            attributes["vendor_ids"] = ids
        name = self.line(vendor, "vendorname", "name")
        contact = self.child(vendor, "contact")
        name = name or self.line(contact, "name", place=NOWHERE)
        for repeated in self.children(contact, "name"):
            if line_of(repeated) == name:
                self.use(repeated, NOWHERE)
        if name:
            attributes["vendor"] = name
        return name

    def provider(self) -> dict[str, str]:
        provider = self.child(self.element, "provider")
        if provider is not None:
            self.place(provider, "provider")
        texts = {
            tag: self.line(provider, tag)
            for tag in ("name", "service", "url", "email", "phone", "id")
        }
        return {tag: text for tag, text in texts.items() if text}
