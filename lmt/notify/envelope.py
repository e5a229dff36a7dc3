"""A rendered mail becomes a message for the wire: headers that are stable and can't be forged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from uuid import UUID

import idna

from lmt.notify.letter import Rendered


class _AsItIs(UnstructuredHeader):
    """An address in angle brackets. Encoded by RFC 2047, as the standard library encodes whatever
    is longer than a line, no mail program would know it for one (RFC 2369)."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _AsItIs)  # type: ignore[arg-type]
_POLICY = SMTP.clone(header_factory=_HEADERS)


@dataclass(frozen=True, slots=True)
class File:
    """Something that goes with a mail: its name and type (`text/calendar`), text in UTF-8.
    `method` of a calendar says what to do with it (RFC 5546), "" for a file to keep. `shown_as`: a
    picture that stands in the HTML as `cid:` and this, instead of going with the mail."""

    name: str
    type: str
    content: bytes
    method: str = ""
    shown_as: str = ""


class BadAddress(ValueError):
    """An address that no mail can be sent to."""


def envelope(
    mail: Rendered,
    *,
    message_id: UUID,
    sender: str,
    recipient: str,
    language: str,
    at: datetime,
    files: Sequence[File] = (),
    reply_to: str = "",
    by_a_person: bool = False,
    unsubscribe: str = "",
) -> EmailMessage:
    """Text and any HTML, from `sender` (`Name <address>`) to `recipient` (a bare address).

    `reply_to` is a bare address, too, "" for none. The Message-ID follows from `message_id`, so a
    mail that is repeated is known as the same. A letter that somebody wrote (`by_a_person`) is not
    marked as automatic. `unsubscribe` is an address by which its reader ends such mails, by RFC
    8058 with one press. Raises BadAddress.
    """
    name, address = parseaddr(sender)
    from_address = _address(address, name)
    message = EmailMessage(policy=_POLICY)
    message["From"] = from_address
    message["To"] = _address(recipient)
    if reply_to:
        message["Reply-To"] = _address(reply_to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{message_id}@{from_address.domain}>"
    if not by_a_person:
        message["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        message["List-Unsubscribe"] = f"<{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    # Quoted-printable survives relays that pass only 7 bits and short lines.
    message.set_content(mail.text, cte="quoted-printable")
    if mail.html:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    for file in sorted(files, key=lambda file: not file.shown_as):
        _add(message, file)
    # Last: setting the content takes all that is said of it away.
    message["Content-Language"] = language
    return message


def _add(message: EmailMessage, file: File) -> None:
    major, _slash, minor = file.type.partition("/")
    if file.shown_as:
        page = message.get_body(("html",))
        assert isinstance(page, EmailMessage)
        page.add_related(
            file.content,
            maintype=major,
            subtype=minor,
            cid=f"<{file.shown_as}>",
            filename=file.name,
            disposition="inline",
        )
        return
    is_text = major == "text" or minor.endswith("xml")
    message.add_attachment(
        file.content,
        maintype=major,
        subtype=minor,
        filename=file.name,
        params=({"charset": "utf-8"} if is_text else {})
        | ({"method": file.method} if file.method else {}),
    )


def _address(address: str, name: str = "") -> Address:
    """The address with its domain in ASCII; raises BadAddress for a mailbox that isn't ASCII."""
    user, _at, domain = address.strip().rpartition("@")
    try:
        if not domain.isascii():
            domain = idna.encode(domain, uts46=True).decode("ascii")
        if not user or any(c.isspace() or not c.isprintable() for c in user + domain):
            raise BadAddress(address)
        # Parsed once more, so that a list of addresses or a comment can't pass for a mailbox.
        return Address(display_name=name, addr_spec=f"{user}@{domain}")
    except BadAddress:
        raise
    except (ValueError, UnicodeError, IndexError, AttributeError) as problem:
        raise BadAddress(address) from problem
