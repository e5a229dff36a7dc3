"""A mail as it lies in a mailbox, taken apart: who wrote it, what it says, what is attached."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import errors, policy
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime

from lmt.ingest.characters import clean_line
from lmt.ingest.emails import email_address
from lmt.mapping.charsets import sniffed

MOST_PARTS = 200
MOST_TEXT = 1_000_000
"""Bytes of one text part that are read; nobody writes more by hand."""
MOST_HEADER = 20_000
_PART = re.compile(rb"boundary\s*\*?(?:\d+\*?)?=|message/(?:rfc822|global)", re.I)
_MOST_NESTED = 60
_TOKENS = re.compile(r"<[^<>\s]{1,400}>")
_IN_TEXTS = frozenset({"text/plain", "text/html"})


class BadMail(ValueError):
    """Bytes that are no mail which may be read; `code` is empty, too_deep or too_many_parts."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is no text of the mail: its type in small letters, its name, its bytes."""

    type: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """`sender` and `reply_to` are bare addresses in small letters, "" where there is none usable;
    `recipients` all that any header names; `headers` the first of each name, in small letters;
    `type` the outermost media type with `report_type` where it is a report."""

    message_id: str = ""
    identity: str = ""
    """Its id and its content's: some senders give all their mails the same id."""
    sender: str = ""
    sender_name: str = ""
    reply_to: str = ""
    subject: str = ""
    sent_at: datetime | None = None
    recipients: tuple[str, ...] = ()
    type: str = ""
    report_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    """The plain texts, in their order."""
    pages: tuple[str, ...] = ()
    """The same in HTML."""
    attachments: tuple[Attachment, ...] = ()


def mail_of(raw: bytes) -> Mail:
    """The mail with these bytes. Whatever is wrong in a part costs that part alone.

    Raises BadMail for what is no mail, or is nested to harm.
    """
    if not raw.strip():
        raise BadMail("empty")
    if sum(1 for _ in _PART.finditer(raw)) > _MOST_NESTED:
        # Each level is looked through once more by what parses it.
        raise BadMail("too_deep")
    try:
        parsed = BytesParser(policy=policy.compat32).parsebytes(raw)
        parts = list(_leaves(parsed))
    except BadMail:
        raise
    except (RecursionError, errors.MessageError, ValueError, LookupError) as problem:
        raise BadMail("too_deep") from problem
    texts: list[str] = []
    pages: list[str] = []
    attachments: list[Attachment] = []
    for part in parts:
        kind, name = part.get_content_type(), _file_name(part)
        attached = part.get_content_disposition() == "attachment"
        if kind in _IN_TEXTS and not attached and not name:
            (texts if kind == "text/plain" else pages).append(_text(part))
        else:
            attachments.append(Attachment(kind, name, _content(part)))
    headers = _headers(parsed)
    names, addresses = _addresses(parsed, "From")
    message_id = next(iter(_TOKENS.findall(headers.get("message-id", ""))), "")
    return Mail(
        message_id=message_id,
        identity=_identity(message_id, raw),
        sender=next(iter(addresses), ""),
        sender_name=next(iter(names), ""),
        reply_to=next(iter(_addresses(parsed, "Reply-To")[1]), ""),
        subject=clean_line(headers.get("subject", ""))[:500],
        sent_at=_instant(headers.get("date", "")),
        recipients=_recipients(parsed),
        type=parsed.get_content_type(),
        report_type=_parameter(parsed, "report-type"),
        headers=headers,
        texts=tuple(texts),
        pages=tuple(pages),
        attachments=tuple(attachments),
    )


def tokens_in(header: str) -> tuple[str, ...]:
    """The `<…>` of a header that names other mails."""
    return tuple(_TOKENS.findall(header))


def _leaves(part: Message) -> Iterator[Message]:
    """The parts without parts of their own. A mail inside a mail is one, whole."""
    pending = [part]
    found = 0
    while pending:
        each = pending.pop()
        inside = each.get_payload()
        if isinstance(inside, list) and each.get_content_maintype() != "message":
            pending.extend(reversed([p for p in inside if isinstance(p, Message)]))
            continue
        found += 1
        if found > MOST_PARTS:
            raise BadMail("too_many_parts")
        yield each


def _content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload
    inside = part.get_payload()
    if isinstance(inside, list):
        # A mail, or a report of one, inside this one.
        return b"\n".join(each.as_bytes() for each in inside if isinstance(each, Message))
    return str(inside or "").encode("utf-8", "replace")


def _text(part: Message) -> str:
    content = _content(part)[:MOST_TEXT]
    declared = _parameter(part, "charset")
    text = content.decode(sniffed(content, declared), "replace")
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


def _parameter(part: Message, name: str) -> str:
    try:
        value = part.get_param(name)
    except (ValueError, LookupError):
        return ""
    if isinstance(value, tuple):
        value = value[2]
    return str(value or "").strip().strip("\"'").lower()


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError):
        return ""
    return clean_line(_readable(name))[:200].replace("/", "_").replace("\\", "_")


def _headers(parsed: Message) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parsed.raw_items():
        found.setdefault(name.lower(), _readable(str(value)[:MOST_HEADER]))
        if len(found) >= 500:
            break
    return found


def _readable(header: str) -> str:
    """A header's text; words in a charset that nobody knows stay as they are written."""
    unfolded = " ".join(header.split())
    try:
        parts = decode_header(unfolded)
    except (errors.HeaderParseError, ValueError, LookupError):
        return unfolded
    words = []
    for text, charset in parts:
        if isinstance(text, bytes):
            raw = text
            words.append(raw.decode(sniffed(raw, charset or "utf-8"), "replace"))
        else:
            raw = text.encode("utf-8", "surrogateescape")
            words.append(raw.decode(sniffed(raw, "utf-8"), "replace"))
    return " ".join("".join(words).replace("\x00", "").split())


def _addresses(parsed: Message, *names: str) -> tuple[list[str], list[str]]:
    """(display names, bare addresses) of these headers, those that are usable."""
    given = [str(value)[:MOST_HEADER] for name in names for value in parsed.get_all(name, [])]
    try:
        pairs = getaddresses(given[:50])
    except (ValueError, LookupError, IndexError):
        return [], []
    found = [(clean_line(_readable(name))[:200], email_address(each)) for name, each in pairs[:50]]
    return [name for name, each in found if each], [each.lower() for _name, each in found if each]


def _recipients(parsed: Message) -> tuple[str, ...]:
    names = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
    return tuple(dict.fromkeys(_addresses(parsed, *names)[1]))


def _instant(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _identity(message_id: str, raw: bytes) -> str:
    """What a server adds on the way stands above the content, so that is not looked at."""
    plain = raw.replace(b"\r\n", b"\n").rstrip()
    if not message_id:
        return f"sha256:{hashlib.sha256(plain).hexdigest()}"
    content = plain.partition(b"\n\n")[2]
    return f"{message_id} {hashlib.sha256(content).hexdigest()[:16]}"
