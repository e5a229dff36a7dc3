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
IMAP_PORTS = {"tls": 993, "starttls": 143, "none": 143}

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
    "file": ("unanswered",),
    "mailbox": (
        "host",
        "port",
        "tls",
        "user",
        "folder",
        "done_folder",
        "failed_folder",
        "every_minutes",
        "portal_senders",
    ),
}
"""Settings by kind; a kind that isn't here has none."""

REQUIRED: Mapping[str, tuple[str, ...]] = {"mailbox": ("host", "user")}
"""Settings by kind without which it can do nothing."""

SECRETS: Mapping[str, tuple[str, ...]] = {
    "meta": ("app_secret", "verify_token", "access_token"),
    "linkedin": ("client_secret", "access_token"),
    "json": ("signing_secret",),
    "mailbox": ("password",),
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
    unanswered: tuple[str, ...] = ()
    """What its files write where nobody answered, besides what everybody writes."""
    host: str = ""
    port: int = IMAP_PORTS["tls"]
    tls: str = "tls"
    """tls, starttls, or none, which is for servers on private addresses alone."""
    user: str = ""
    folder: str = "INBOX"
    done_folder: str = "LMT-Done"
    failed_folder: str = "LMT-Failed"
    every_minutes: int = 2
    portal_senders: tuple[str, ...] = ()
    """Addresses and domains that write for customers, and are never a customer's own."""


def source_settings(settings: Mapping[str, Any]) -> SourceSettings:
    """Of JSON that `settings_problems` found nothing wrong with."""
    signature = settings.get("signature") or None
    tls = settings.get("tls") or "tls"
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
        unanswered=tuple(settings.get("unanswered") or ()),
        host=settings.get("host") or "",
        port=int(settings.get("port") or IMAP_PORTS[tls]),
        tls=tls,
        user=settings.get("user") or "",
        folder=settings.get("folder") or "INBOX",
        done_folder=settings.get("done_folder") or "LMT-Done",
        failed_folder=settings.get("failed_folder") or "LMT-Failed",
        every_minutes=int(settings.get("every_minutes") or 2),
        portal_senders=tuple(each.lower() for each in settings.get("portal_senders") or ()),
    )


def settings_problems(kind: str, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(field, code) of all that is wrong, in the order of the fields.

    Codes: unknown, no_text, no_list, too_many, no_oid, no_host, no_address, no_version, no_number,
    no_header, no_encoding, no_scheme, timestamp_header_missing, missing, no_port, no_minutes,
    no_folder, same_folder, no_sender, no_server.
    """
    found = [(name, "unknown") for name in settings if name not in FIELDS.get(kind, ())]
    found += [(name, "missing") for name in REQUIRED.get(kind, ()) if not settings.get(name)]
    for name in FIELDS.get(kind, ()):
        value = settings.get(name)
        if value in (None, "", [], {}):
            continue
        found += _CHECKS[name](name, value)
    return found or _same_folders(kind, settings)


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


def _number(least: int, most: int, code: str) -> Any:
    """As a form gives it: digits, whose number lies between the two."""

    def check(name: str, value: Any) -> list[tuple[str, str]]:
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        fits = text.isascii() and text.isdecimal() and len(text) <= 6
        return [] if fits and least <= int(text) <= most else [(name, code)]

    return check


def _same_folders(kind: str, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A mail that stays where it is looked for would be found for ever."""
    if kind != "mailbox":
        return []
    given = source_settings(settings)
    return [
        (name, "same_folder")
        for name in ("done_folder", "failed_folder")
        if getattr(given, name).casefold() == given.folder.casefold()
    ]


_FOLDER = re.compile(r"[^\x00-\x1f\x7f*%\"\\]{1,200}")
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
    "unanswered": _listing(re.compile(r".{1,100}"), "no_text"),
    "host": _matching(
        re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*"), "no_server"
    ),
    "port": _number(1, 65_535, "no_port"),
    "tls": _matching(re.compile(r"tls|starttls|none"), "no_scheme"),
    "user": _matching(re.compile(r"[^\x00-\x1f\x7f]{1,200}"), "no_text"),
    "folder": _matching(_FOLDER, "no_folder"),
    "done_folder": _matching(_FOLDER, "no_folder"),
    "failed_folder": _matching(_FOLDER, "no_folder"),
    "every_minutes": _number(1, 1_440, "no_minutes"),
    "portal_senders": _listing(
        re.compile(r"(?:[^\s@<>,;]{0,64}@)?[^\s@<>,;]{1,190}\.[^\s@<>,;.]{2,30}"), "no_sender"
    ),
}
