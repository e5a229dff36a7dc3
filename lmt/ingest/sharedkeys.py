"""Whose is a mail address or a phone: one person's, a whole company's, or nobody's."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from functools import lru_cache

from lmt.ingest.namekeys import words_of


class MailKind(StrEnum):
    PERSONAL = "personal"
    ROLE = "role"  # a company's: info@, sales@
    PLACEHOLDER = "placeholder"  # typed because something had to be


# Providers that are known to deliver with and without dots, by the other name, or for any tag.
_GMAIL = frozenset(["gmail.com", "googlemail.com"])
_PLUS_TAGS = words_of(
    "outlook.com hotmail.com live.com msn.com icloud.com me.com mac.com fastmail.com proton.me"
    " protonmail.com pm.me"
)
_ROLES = words_of(
    "info information office sales service support contact kontakt contacto admin administration"
    " mail post hello hallo team reception empfang zentrale verkauf buero biuro sekretariat"
    " secretariat accounts billing buchhaltung marketing hr fleet fuhrpark flota einkauf purchasing"
    " procurement werkstatt aftersales bilgi iletisim satis ventas comercial customerservice"
    " customercare enquiries inquiries welcome general management"
)
_NOBODYS = words_of(
    "noreply no-reply donotreply do-not-reply nomail noemail no-email nomail none null test tester"
    " testing test1 test123 demo example sample abc abc123 aaa asdf qwerty unknown anonymous anonym"
    " keine keinemail kein nie brak sinemail yok x xx xxx email nobody fake dummy na n/a"
)
_NOBODYS_DOMAINS = words_of(
    "test.com test.de email.com domain.com none.com noemail.com nomail.com abc.com aaa.com xxx.com"
    " mailinator.com noreply.com"
)
_NOBODYS_ENDINGS = (".invalid", ".localhost")


@lru_cache(maxsize=4096)
def canonical_mail(mail: str) -> str:
    """The address as one key for all its spellings; "" for none.

    Case never counts. Dots and tags go only where the provider is known to ignore them.
    """
    plain = unicodedata.normalize("NFKC", mail).strip().casefold()
    local, at, domain = plain.rpartition("@")
    if not at or not local or not domain:
        return ""
    if domain in _GMAIL:
        local, domain = local.partition("+")[0].replace(".", ""), "gmail.com"
    elif domain in _PLUS_TAGS:
        local = local.partition("+")[0]
    return f"{local}@{domain}" if local else ""


@lru_cache(maxsize=4096)
def mail_kind(mail: str) -> MailKind:
    """Whose the canonical address is, as far as its words tell."""
    local, _at, domain = mail.rpartition("@")
    if local in _NOBODYS or domain in _NOBODYS_DOMAINS or domain.endswith(_NOBODYS_ENDINGS):
        return MailKind.PLACEHOLDER
    if local.partition("+")[0] in _ROLES and domain not in _GMAIL:
        return MailKind.ROLE
    return MailKind.PERSONAL


@lru_cache(maxsize=4096)
def is_placeholder_phone(phone: str) -> bool:
    """Whether the E.164 number was made up: seven times one digit, or a run of nine."""
    digits = "".join(c for c in phone if c.isdecimal())
    if len(digits) < 7 or len(set(digits[-7:])) == 1:
        return True
    return digits[-9:] in "0123456789012345678" or digits[-9:] in "9876543210987654321"
