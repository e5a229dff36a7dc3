"""Is this an address a mail could be sent to? Judged by its syntax alone, without the network."""

from __future__ import annotations

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email
from rapidfuzz import process
from rapidfuzz.distance import OSA

from lmt.ingest.characters import clean_line

_WRAPPING = re.compile(r"^(?:mailto:|<|\[|\(|\"|')+|(?:[>\]\)\"',;:]|\.)+$", re.I)
_QUERY = re.compile(r"^(mailto:[^?]*)\?.*$", re.I)
_AROUND_AT = re.compile(r"\s*[@\uff20]\s*")
_BETWEEN = re.compile(r"[\s,;|/]+")
_ANGLED = re.compile(r"<\s*([^<>]+@[^<>]+)>")
# Nearly every address that people give. Whatever is in doubt is left to the validator, which takes
# twenty times as long: other scripts, punycode, and the names of RFC 6761.
_PLAIN = re.compile(
    r"(?=.{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?=[A-Za-z0-9.-]{4,240}$)(?:(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"(?!arpa$|invalid$|local$|localhost$|onion$|test$)[A-Za-z]{2,24}",
    re.I,
)
#: The mailboxes that most private people in the countries shipped have.
_WELL_KNOWN = (
    "gmail.com googlemail.com hotmail.com hotmail.fr hotmail.de hotmail.es hotmail.nl hotmail.co.uk"
    " outlook.com outlook.de outlook.fr outlook.es outlook.sa live.com live.fr live.nl msn.com"
    " yahoo.com yahoo.fr yahoo.de yahoo.es yahoo.co.uk ymail.com icloud.com me.com mac.com aol.com"
    " proton.me protonmail.com gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de"
    " orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr telefonica.net wp.pl o2.pl onet.pl"
    " onet.eu interia.pl interia.eu op.pl poczta.onet.pl gazeta.pl ziggo.nl kpnmail.nl planet.nl"
    " home.nl xs4all.nl mynet.com yandex.com turk.net mail.com mail.ru zoho.com qq.com"
)
_SLIPS = frozenset(["con", "cm", "co", "cmo", "om", "vom", "ocm", "comm", "ne", "nett"])
_DOMAINS = frozenset(_WELL_KNOWN.split())
_CHOICES = sorted(domain for domain in _DOMAINS if len(domain) > 7)


def email_address(text: str) -> str:
    """The address with its domain in lower case, or "" when it is none; the first of several.

    International domains come back in their own script (`info@müller.de`); whoever sends to them
    encodes the domain. Names reserved for tests (`.test`) pass.
    """
    if len(text) > 1_000:
        return ""
    if _PLAIN.fullmatch(text):
        return _lowered(text)
    given = clean_line(text)
    if angled := _ANGLED.search(given):
        given = angled[1]
    given = _AROUND_AT.sub("@", _QUERY.sub(r"\1", given).strip())
    given = _WRAPPING.sub("", given)
    if _PLAIN.fullmatch(given):
        return _lowered(given)
    if address := _validated(given):
        return address
    parts = [_WRAPPING.sub("", part) for part in _BETWEEN.split(given)[:5]]
    several = [part for part in parts if "@" in part]
    # One mark in several words is rather one address with a blank in it.
    if len(several) < 2:
        return ""
    return next((address for part in several if (address := _validated(part))), "")


def likely_address(address: str) -> str:
    """What a mistyped address was probably meant to be (`gmial.com`: `gmail.com`); "" for none.

    Only domains a slip away from a mailbox that many have; the address itself is never changed.
    """
    local, _at, domain = address.rpartition("@")
    if not local or domain in _DOMAINS or len(domain) > 20:
        return ""
    meant = _domain_meant(domain)
    return f"{local}@{meant}" if meant else ""


@lru_cache(maxsize=4096)
def _domain_meant(domain: str) -> str:
    near = process.extractOne(domain, _CHOICES, scorer=OSA.distance, score_cutoff=1, processor=None)
    if near is None:
        return ""
    # hotmail.be is no slip of hotmail.de: the end itself must be one that nobody has.
    end = domain.rpartition(".")[2]
    if end != near[0].rpartition(".")[2] and end not in _SLIPS:
        return ""
    return near[0]


def _lowered(address: str) -> str:
    local, _at, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def _validated(given: str) -> str:
    if not given or len(given) > 320 or "@" not in given:
        return ""
    try:
        return validate_email(given, check_deliverability=False, test_environment=True).normalized
    except (EmailNotValidError, UnicodeError):
        return ""
