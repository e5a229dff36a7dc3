"""What a kind of source needs to know besides its key and its mapping, and what may be said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lmt.ingest.signatures import Scheme

GRAPH_URL = "https://graph.facebook.com"
GRAPH_VERSION = "v24.0"
LINKEDIN_URL = "https://api.linkedin.com"
LINKEDIN_VERSION = "202601"

MOST_ITEMS = 50
_LONGEST = 500
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*(:[1-9]\d{0,4})?")
_OID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")

FIELDS: Mapping[str, tuple[str, ...]] = {
    "google": (),
    "meta": ("graph_url", "graph_version", "page_ids"),
    "tiktok": (),
    "linkedin": ("linkedin_url", "linkedin_version"),
    "web_to_lead": ("oid", "redirect_hosts", "return_url"),
    "json": ("signature", "redact"),
}
"""Settings by kind; a kind that isn't here has none."""

SECRETS: Mapping[str, tuple[str, ...]] = {
    "meta": ("app_secret", "verify_token", "access_token"),
    "linkedin": ("client_secret", "access_token"),
    "json": ("signing_secret",),
}
"""Secrets by kind that must be computed with or sent on."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """The settings of one source, with their defaults filled in."""

    oid: str = ""
    """Salesforce's id of the organisation, as the form posts it."""
    redirect_hosts: tuple[str, ...] = ()
    """Hosts, `host` or `host:port`, to which a form may send its visitors."""
    return_url: str = ""
    """Where visitors go whose form names no address, or none that is allowed."""
    graph_url: str = GRAPH_URL
    graph_version: str = GRAPH_VERSION
    page_ids: tuple[str, ...] = ()
    """Pages whose leads are taken; none for all that the app's secret vouches for."""
    linkedin_url: str = LINKEDIN_URL
    linkedin_version: str = LINKEDIN_VERSION
    signature: Scheme | None = None
    redact: tuple[str, ...] = ()
    """Paths in the body whose values are blacked out before it is stored."""


def source_settings(settings: Mapping[str, Any]) -> SourceSettings:
    """Of JSON that `settings_problems` found nothing wrong with."""
    signature = settings.get("signature") or None
    return SourceSettings(
        oid=settings.get("oid") or "",
        redirect_hosts=tuple(host.lower() for host in settings.get("redirect_hosts") or ()),
        return_url=settings.get("return_url") or "",
        graph_url=(settings.get("graph_url") or GRAPH_URL).rstrip("/"),
        graph_version=settings.get("graph_version") or GRAPH_VERSION,
        page_ids=tuple(str(page) for page in settings.get("page_ids") or ()),
        linkedin_url=(settings.get("linkedin_url") or LINKEDIN_URL).rstrip("/"),
        linkedin_version=settings.get("linkedin_version") or LINKEDIN_VERSION,
        signature=Scheme(**signature) if signature else None,
        redact=tuple(settings.get("redact") or ()),
    )


def settings_problems(kind: str, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(field, code) of all that is wrong, in the order of the fields.

    Codes: unknown, no_text, no_list, too_many, no_oid, no_host, no_address, no_version, no_number,
    no_header, no_encoding, no_scheme, timestamp_header_missing.
    """
    found = [(name, "unknown") for name in settings if name not in FIELDS.get(kind, ())]
    for name in FIELDS.get(kind, ()):
        value = settings.get(name)
        if value in (None, "", [], {}):
            continue
        found += _CHECKS[name](name, value)
    return found


def is_return_address(address: str) -> bool:
    """A whole address on the web without user, control characters or blanks; http on this machine
    alone."""
    return bool(return_host(address))


def return_host(address: str) -> str:
    """The host, with its port where one is named, of a usable return address; else ""."""
    if len(address) > 2_000 or not address.isprintable() or re.search(r"[\s\\]", address):
        return ""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))
    if not safe or not host or "@" in parts.netloc:
        return ""
    return f"{host}:{port}" if port and port != 443 else host


def _is_here(host: str) -> bool:
    return host in {"localhost", "127.0.0.1"}


def _each(name: str, value: Any, good: re.Pattern[str], code: str) -> list[tuple[str, str]]:
    if not isinstance(value, list):
        return [(name, "no_list")]
    if len(value) > MOST_ITEMS:
        return [(name, "too_many")]
    return [
        (f"{name}.{number}", code)
        for number, item in enumerate(value)
        if not isinstance(item, str) or not good.fullmatch(item.lower())
    ]


def _matching(good: re.Pattern[str], code: str) -> Any:
    def check(name: str, value: Any) -> list[tuple[str, str]]:
        fits = isinstance(value, str) and good.fullmatch(value)
        return [] if fits else [(name, code)]

    return check


def _listing(good: re.Pattern[str], code: str) -> Any:
    return lambda name, value: _each(name, value, good, code)


def _address(name: str, value: Any) -> list[tuple[str, str]]:
    fits = isinstance(value, str) and is_return_address(value)
    return [] if fits else [(name, "no_address")]


def _base(name: str, value: Any) -> list[tuple[str, str]]:
    """Where an API is asked: the same, with nothing after its path."""
    if _address(name, value) or re.search(r"[?#]", value):
        return [(name, "no_address")]
    return []


def _signature(name: str, value: Any) -> list[tuple[str, str]]:
    if not isinstance(value, Mapping):
        return [(name, "no_text")]
    known = Scheme.__dataclass_fields__
    found = [(f"{name}.{key}", "unknown") for key in value if key not in known]
    texts = [(key, given) for key, given in value.items() if key in known]
    found += [
        (f"{name}.{key}", "no_text")
        for key, given in texts
        if not isinstance(given, str) or len(given) > _LONGEST
    ]
    if found:
        return found
    given = Scheme(**{"header": "", **value})
    if not _HEADER.fullmatch(given.header):
        found.append((f"{name}.header", "no_header"))
    if given.encoding not in {"hex", "base64"}:
        found.append((f"{name}.encoding", "no_encoding"))
    if given.scheme not in {"body", "timestamp"}:
        found.append((f"{name}.scheme", "no_scheme"))
    elif given.scheme == "timestamp" and not _HEADER.fullmatch(given.timestamp_header):
        found.append((f"{name}.timestamp_header", "timestamp_header_missing"))
    return found


_CHECKS: Mapping[str, Any] = {
    "oid": _matching(_OID, "no_oid"),
    "redirect_hosts": _listing(_HOST, "no_host"),
    "return_url": _address,
    "graph_url": _base,
    "graph_version": _matching(re.compile(r"v\d{1,3}\.\d{1,2}"), "no_version"),
    "page_ids": _listing(re.compile(r"\d{1,30}"), "no_number"),
    "linkedin_url": _base,
    "linkedin_version": _matching(re.compile(r"20\d{4}"), "no_version"),
    "signature": _signature,
    "redact": _listing(re.compile(r".{1,200}"), "no_text"),
}
