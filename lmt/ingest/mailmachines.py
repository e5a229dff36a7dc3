"""Mails that no person wrote to us: what came back, what answers by itself, what is our own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from lmt.ingest.mail import Mail, tokens_in

_DAEMON = re.compile(r"^(?:mailer-daemon|postmaster|mail-daemon|maildelivery)@", re.I)
_NOBODY = re.compile(
    r"^(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|donotreply|nepasrepondre|keine[-_.]?antwort|noresponder"
    r"|bounces?|notifications?|mailer|automat|robot|system)(?:[-_.+].*)?@",
    re.I,
)
_AWAY = re.compile(
    r"^\s*(?:(?:re|aw|sv|odp|ynt)\s*:\s*)?(?:auto(?:matic)?[- ]?(?:reply|response)|autoreply"
    r"|out of (?:the )?office|abwesenheit|abwesend|automatische antwort|réponse automatique"
    r"|absence du bureau|message d'absence|respuesta automática|fuera de (?:la )?oficina"
    r"|odpowiedź automatyczna|autoodpowiedź|poza biurem|nieobecność|automatisch antwoord|afwezig"
    r"|otomatik yanıt|otomatik cevap|ofis dışında|رد تلقائي|رد آلي|خارج المكتب)",
    re.I,
)
_OUR_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@([^<>@\s]+)>", re.I)
_ACTION = re.compile(rb"^action:\s*(\w+)", re.I | re.M)
_FINAL = re.compile(
    rb"^(?:final|original)-recipient:\s*(?:rfc822|utf-8)\s*;\s*(\S{3,320})", re.I | re.M
)
_DIAGNOSTIC = re.compile(rb"^diagnostic-code:\s*(?:[\w-]+\s*;\s*)?([^\r\n]{1,300})", re.I | re.M)
_STATUS = re.compile(rb"^status:\s*(\d\.\d{1,3}\.\d{1,3})", re.I | re.M)
_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status"})


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail came back. `message_ids` are those of mails of ours that it names, `recipients` who
    didn't get it, `final` whether it is given up, `reason` the server's words."""

    message_ids: tuple[uuid.UUID, ...]
    recipients: tuple[str, ...]
    final: bool
    reason: str


def is_bounce(mail: Mail) -> bool:
    """A report of a delivery, or a mail of a server's own that nobody can answer."""
    if mail.type == "multipart/report" and mail.report_type in {"delivery-status", ""}:
        return True
    if any(part.type in _REPORTS for part in mail.attachments):
        return True
    if mail.headers.get("x-failed-recipients"):
        return True
    return _DAEMON.match(mail.sender) is not None


def bounce_of(mail: Mail, domain: str) -> Bounce:
    """What a bounce tells; ids are those of mails that left from our `domain`."""
    status = b"\n".join(part.content for part in mail.attachments if part.type in _REPORTS)
    everything = b"\n".join(
        [part.content[:200_000] for part in mail.attachments]
        + [text.encode("utf-8", "replace") for text in mail.texts]
    ).decode("latin-1")
    named = [mail.headers.get(name, "") for name in ("in-reply-to", "references")]
    found = our_ids(" ".join([*named, everything]), domain)
    actions = {match.lower() for match in _ACTION.findall(status)}
    told = _DIAGNOSTIC.search(status) or _STATUS.search(status)
    failed = [each.decode("latin-1") for each in _FINAL.findall(status)]
    return Bounce(
        message_ids=found,
        recipients=tuple(dict.fromkeys(each.strip("<>").lower() for each in failed)),
        final=b"failed" in actions if actions else True,
        reason="" if told is None else " ".join(told[1].decode("latin-1").split()),
    )


def our_ids(text: str, domain: str) -> tuple[uuid.UUID, ...]:
    """The ids of our own mails in it, each once, ten at most."""
    found = [
        uuid.UUID(match[1])
        for match in _OUR_ID.finditer(text)
        if match[2].lower() == domain.lower()
    ]
    return tuple(dict.fromkeys(found))[:10]


def is_own(mail: Mail, own_addresses: Collection[str], domain: str) -> bool:
    """Is it a mail that we sent ourselves, come round to us?"""
    if mail.headers.get("x-loop", "").strip().lower() in {each.lower() for each in own_addresses}:
        return True
    if mail.sender and mail.sender in own_addresses:
        return True
    return bool(our_ids(mail.message_id, domain))


def answers_by_itself(mail: Mail) -> bool:
    """An answer that a program gave in somebody's name: whatever it holds, nobody asked."""
    told = mail.headers.get("auto-submitted", "").partition(";")[0].strip().lower()
    if told == "auto-replied":
        return True
    if mail.headers.get("x-autoreply") or mail.headers.get("x-autorespond"):
        return True
    if mail.headers.get("precedence", "").strip().lower() == "auto_reply":
        return True
    return mail.type == "multipart/report"


def is_likely_automatic(mail: Mail) -> bool:
    """Signs that portals' own mails bear as well: they count only where no lead is told in it."""
    told = mail.headers.get("auto-submitted", "no").partition(";")[0].strip().lower()
    if told not in {"", "no"}:
        return True
    if mail.headers.get("precedence", "").strip().lower() in {"bulk", "junk", "list"}:
        return True
    if mail.headers.get("return-path", "-").strip() == "<>":
        return True
    if mail.headers.get("list-id") or mail.headers.get("list-unsubscribe"):
        return True
    return _AWAY.match(mail.subject) is not None


def is_nobody(address: str) -> bool:
    """An address behind which no person reads."""
    return _NOBODY.match(address) is not None or _DAEMON.match(address) is not None


def answered_ids(mail: Mail) -> tuple[str, ...]:
    """The mails that it says it answers."""
    named = " ".join(mail.headers.get(name, "") for name in ("in-reply-to", "references"))
    return tokens_in(named)
