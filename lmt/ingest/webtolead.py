"""Salesforce Web-to-Lead: whose a form is, how its text is coded, where its visitor goes on to.

The form's fields are Salesforce's own: `oid`, `retURL`, `encoding`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lmt.ingest.sourcesettings import SourceSettings, return_host

_SHORT_ID = 15
"""Salesforce's ids have 15 characters, or the same with three more to check them."""
_CHARSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{1,39}")


def short_oid(oid: str) -> str:
    """What two spellings of an id of Salesforce have in common; "" for what can't be one."""
    short = oid.strip()[:_SHORT_ID]
    return short if short.isascii() and short.isalnum() else ""


def content_type_of(content_type: str, *encodings: str) -> str:
    """The content type with the first usable charset that the form states, where it has none."""
    if "charset=" in content_type.lower():
        return content_type
    for encoding in encodings:
        if _CHARSET.fullmatch(encoding.strip()):
            media = content_type or "application/x-www-form-urlencoded"
            return f"{media}; charset={encoding.strip()}"
    return content_type


def field(record: Mapping[str, Any], name: str) -> str:
    """The first value of a field, whatever its case; "" where there is none."""
    for key, value in record.items():
        if key.lower() == name.lower():
            first = value[0] if isinstance(value, list) and value else value
            return first if isinstance(first, str) else ""
    return ""


def return_address(wanted: str, settings: SourceSettings) -> str:
    """Where the visitor goes: where the form says, if the source allows that host; else where the
    source says; "" for our own page.

    Anything else would make our address a way to send people anywhere.
    """
    host = return_host(wanted)
    if host and host in settings.redirect_hosts:
        return wanted
    return settings.return_url
