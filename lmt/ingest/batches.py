"""A delivery of TikTok leads, taken apart so that each is kept with its own bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from lmt.ingest.platforms import tiktok_leads
from lmt.mapping.payload import PayloadError, records

_decoder = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\n\r]*")


def entries_of(body: bytes) -> list[tuple[str, bytes]]:
    """(the lead's id or "", the bytes that are its delivery) of every entry, in their order.

    Each entry keeps its own part, to the byte, as the delivery of one: what is around it tells when
    it was sent and what was sent beside it, and differs when it is sent again. What can't be taken
    apart stays whole: reading it will say why.
    """
    try:
        leads = tiktok_leads(records(body, "application/json")[0])
        parts = list(_parts(body.decode("utf-8-sig")))
    except (PayloadError, ValueError, LookupError, RecursionError):
        return [("", body)]
    if len(parts) != len(leads):
        return [("", body)]
    return [
        (lead.id, b'{"object":1,"entry":[' + part.encode() + b"]}")
        for lead, part in zip(leads, parts, strict=True)
    ]


def _parts(text: str) -> Iterator[str]:
    """The text of each item of the list `entry` of the outermost object."""
    for name, start in _members(text):
        if name == "entry":
            at = _blank(text, start + 1)
            while text[at] != "]":
                _value, end = _decoder.raw_decode(text, at)
                yield text[at:end]
                at = _blank(text, end)
                at = _blank(text, at + 1) if text[at] == "," else at


def _members(text: str) -> Iterator[tuple[str, int]]:
    """(name, where its value begins) of each member of the outermost object; `text` is JSON."""
    at = _blank(text, text.index("{") + 1)
    while text[at] != "}":
        name, at = _decoder.raw_decode(text, at)
        at = _blank(text, _blank(text, at) + 1)
        yield str(name), at
        _value, at = _decoder.raw_decode(text, at)
        at = _blank(text, at)
        at = _blank(text, at + 1) if text[at] == "," else at


def _blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return at if found is None else found.end()
