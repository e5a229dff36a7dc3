"""From a mail to leads: an ADF document wherever it hides, else the labelled lines of its text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lmt.ingest import adf
from lmt.ingest.adf import NotAdf
from lmt.ingest.emails import email_address
from lmt.ingest.mail import Attachment, Mail
from lmt.ingest.maillines import LONGEST_COMMENT, Labelled, labelled, lead_of_lines
from lmt.ingest.mailmachines import is_nobody
from lmt.ingest.mailtext import is_forwarded, parted, text_of_page
from lmt.ingest.phones import is_dialable
from lmt.mapping.model import Mapping as FieldMapping

_ADF = re.compile(rb"<\s*+(?:[A-Za-z_][\w.-]{0,60}:)?adf[\s/>]|&(?:lt|#60|#x3c);\s*+adf\b", re.I)
_XML_NAMES = (".xml", ".adf")
_TABLE_NAMES = (".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods")
_TABLE_TYPES = frozenset(
    {
        "text/csv",
        "text/tab-separated-values",
        "application/csv",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.spreadsheet",
    }
)


@dataclass(frozen=True, slots=True)
class Senders:
    """Addresses that are never the customer's: `leads@portal.example`, or a whole
    `portal.example` with all below it."""

    portals: tuple[str, ...] = ()

    def hold(self, address: str) -> bool:
        domain = address.rpartition("@")[2]
        named = {each.lower().lstrip("@") for each in self.portals}
        return address in named or not named.isdisjoint({domain, *_parents(domain)})


NO_PORTALS = Senders()


def adf_leads(mail: Mail) -> list[dict[str, Any]] | None:
    """Every prospect of the first ADF document in the mail; None where there is none.

    Raises NotAdf where one is there and can't be read.
    """
    problem: NotAdf | None = None
    for body in _documents(mail):
        try:
            return adf.read(body)
        except NotAdf as refused:
            problem = problem or refused
    if problem is not None:
        raise problem
    return None


def table_in(mail: Mail) -> Attachment | None:
    """The first file of rows that is attached; None where there is none. By its label alone:
    whether it is one, the file itself will say."""
    for each in mail.attachments:
        if each.content and (each.type in _TABLE_TYPES or each.name.lower().endswith(_TABLE_NAMES)):
            return each
    return None


def plain_lead(
    mail: Mail, own: FieldMapping | None = None, senders: Senders = NO_PORTALS
) -> dict[str, Any]:
    """The lead that the mail's own words tell. Where no line names the customer's address, it is
    who wrote, unless that is a portal or nobody."""
    found = told_in(mail, own)
    lead = lead_of_lines(found, own)
    customer = dict(lead.get("customer") or {})
    writer = _writer(mail, senders)
    if not email_address(str(customer.get("email") or "")) and writer:
        customer["email"] = writer
        named = any(customer.get(name) for name in ("full_name", "first_name", "last_name"))
        if not named and mail.sender_name and "@" not in mail.sender_name:
            customer["full_name"] = mail.sender_name
    lead["customer"] = customer
    request = dict(lead.get("request") or {})
    request["comments"] = _comment(mail.subject, found.comment)
    lead["request"] = request
    if mail.sent_at is not None and not lead.get("sent_at"):
        lead["sent_at"] = mail.sent_at.isoformat()
    return lead


def told_in(mail: Mail, own: FieldMapping | None = None) -> Labelled:
    """The labelled lines of what was written now, or of all where the mail was passed on; what is
    quoted below stays with the comment."""
    best = Labelled({}, "")
    for text in texts_of(mail):
        passed_on = is_forwarded(mail.subject, text)
        fresh, history = (text, "") if passed_on else parted(text)
        found = labelled(fresh, own, passed_on=passed_on)
        comment = "\n\n".join(part for part in (found.comment, history) if part)
        if len(found.record) > len(best.record) or not (best.record or best.comment):
            best = Labelled(found.record, comment)
    return best


def texts_of(mail: Mail) -> tuple[str, ...]:
    """What the mail says, in each of the ways in which it says it: as text, then as HTML."""
    plain = "\n\n".join(text.strip() for text in mail.texts if text.strip())
    pages = "\n\n".join(text_of_page(page) for page in mail.pages)
    return tuple(text for text in (plain, pages) if text.strip())


def tells_a_lead(mail: Mail, own: FieldMapping | None = None) -> bool:
    """Whether the mail itself names somebody to reach: in a document, a file, or in its lines."""
    if any(True for _ in _documents(mail)) or table_in(mail) is not None:
        return True
    customer = lead_of_lines(told_in(mail, own), own).get("customer") or {}
    return is_reachable(customer)


def is_reachable(customer: Mapping[str, Any]) -> bool:
    """Is there a usable mail address or phone?"""
    email, phone = str(customer.get("email") or ""), str(customer.get("phone") or "")
    return bool(email_address(email)) or is_dialable(phone)


def _documents(mail: Mail) -> Iterator[bytes]:
    """What may be ADF: attached files first, then the text as it stands, then the page."""
    for part in mail.attachments:
        named = part.name.lower().endswith(_XML_NAMES) or part.type.endswith("xml")
        if (named or part.type == "application/octet-stream") and _is_adf(part.content):
            yield part.content
    for text in (*mail.texts, *mail.pages):
        body = text.encode("utf-8", "replace")
        if _is_adf(body):
            yield body


def _is_adf(content: bytes) -> bool:
    plain = content.replace(b"\0", b"") if b"\0" in content[:200] else content
    return _ADF.search(plain) is not None


def _writer(mail: Mail, senders: Senders) -> str:
    for address in (mail.reply_to, mail.sender):
        if address and not senders.hold(address) and not is_nobody(address):
            return address
    return ""


def _comment(subject: str, text: str) -> str:
    parts = [subject] if subject and subject not in text else []
    whole = "\n\n".join([*parts, text]).strip()
    return whole if len(whole) <= LONGEST_COMMENT else whole[: LONGEST_COMMENT - 1].rstrip() + "…"


def _parents(domain: str) -> Collection[str]:
    parts = domain.split(".")
    return {".".join(parts[number:]) for number in range(1, len(parts) - 1)}
