"""Reads a do-not-contact list as people have it: phones and mail addresses, one or more a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lmt.ingest.emails import email_address
from lmt.ingest.phones import e164, is_dialable

MOST_LINES = 200_000
MOST_SHOWN = 20
_CELLS = re.compile(r"[;\t|]|,(?!\d)")


@dataclass(frozen=True, slots=True)
class ContactList:
    """(kind, value) pairs in the order found, without repeats; and the lines that held none."""

    contacts: tuple[tuple[str, str], ...]
    unread: tuple[tuple[int, str], ...]
    """Number of the line, counted from 1, and its text."""


def decoded(body: bytes) -> str:
    """The text of an uploaded list: UTF-8 or UTF-16 by their marks, else UTF-8, else Windows."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def contacts_of(text: str, countries: Sequence[str]) -> ContactList:
    """Every phone and address of the text. `countries` (ISO) read phones without a country code.

    A first line without either is taken for a heading. Never raises.
    """
    found: dict[tuple[str, str], None] = {}
    unread: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines()[:MOST_LINES], 1):
        if not line.strip():
            continue
        here = [contact for cell in _CELLS.split(line) if (contact := _contact(cell, countries))]
        found.update(dict.fromkeys(here))
        if (not here and number > 1) or (not here and is_dialable(line)):
            unread.append((number, line.strip()[:200]))
    return ContactList(tuple(found), tuple(unread))


def _contact(cell: str, countries: Sequence[str]) -> tuple[str, str] | None:
    text = cell.strip().strip("\"'")
    if "@" in text or "\uff20" in text:
        address = email_address(text)
        return ("email", address.lower()) if address else None
    phone, _extension = e164(text, countries)
    return ("phone", phone) if phone else None
