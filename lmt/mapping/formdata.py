"""A form posted in parts (multipart/form-data): its fields as text, its files by name alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from lmt.mapping.charsets import sniffed
from lmt.mapping.payloaderror import PayloadError

MAX_HEADERS_BYTES = 8_192
_FIRST_LINE = re.compile(rb"\s*--([^\r\n]{1,200}?)[ \t]*\r?\n[^\r\n]*content-disposition", re.I)
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_PART_CHARSET = re.compile(r"charset=\"?([\w-]{1,40})", re.I)


def boundary_of(body: bytes, declared: str) -> bytes:
    """The line that parts the form: the one declared when the body has it, else the first line of
    what begins like a form in parts; b"" when it is none."""
    boundary = declared.encode("utf-8", "replace")
    if boundary and b"--" + boundary in body:
        return boundary
    first = _FIRST_LINE.match(body[:2_000])
    return first[1] if first else b""


def fields(body: bytes, boundary: bytes, charset: str, most: int) -> dict[str, Any]:
    """{name: text}; a name that comes twice has a list, an unnamed part is left out.

    Raises PayloadError: no_form, too_many_fields (more than `most`), no_fields.
    """
    _check_bounds(body, boundary, most)
    try:
        parts = _parts(body, boundary)
    except UnicodeDecodeError:
        # Names written in an old charset, which werkzeug's decoder doesn't read.
        body = body.decode(sniffed(body, charset), "replace").encode()
        charset = "utf-8"
        parts = _parts(body, boundary)
    everything = b"\n".join(data for _, data, own in parts if not own)
    general = sniffed(everything, charset)
    record = gathered(
        (name, data.decode(sniffed(data, own) if own else general, "replace"))
        for name, data, own in parts
    )
    if not record:
        raise PayloadError("no_fields")
    return record


def gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The pairs as one record: the texts of a name that comes more than once as a list."""
    record: dict[str, Any] = {}
    for name, text in pairs:
        if not name:
            continue
        clean = text.replace("\x00", "")
        given = record.get(name)
        if given is None:
            record[name] = clean
        elif isinstance(given, list):
            given.append(clean)
        else:
            record[name] = [given, clean]
    return record


def _check_bounds(body: bytes, boundary: bytes, most: int) -> None:
    """Few enough parts, each with a short head, before any is read."""
    for count, match in enumerate(re.finditer(rb"(?:^|[\r\n])--" + re.escape(boundary), body)):
        if count > most:
            raise PayloadError("too_many_fields")
        after = body[match.end() : match.end() + MAX_HEADERS_BYTES]
        if not after.startswith(b"--") and not _BLANK_LINE.search(after):
            raise PayloadError("no_form")


def _parts(body: bytes, boundary: bytes) -> list[tuple[str, bytes, str]]:
    """(name, text or the file's name in bytes, the part's own charset) of every named part."""
    decoder = MultipartDecoder(boundary)
    try:
        decoder.receive_data(body)
        decoder.receive_data(None)
        return _read(decoder)
    except UnicodeDecodeError:
        raise
    except (ValueError, AttributeError, AssertionError, HTTPException) as error:
        raise PayloadError("no_form") from error


def _read(decoder: MultipartDecoder) -> list[tuple[str, bytes, str]]:
    parts: list[tuple[str, bytes, str]] = []
    name, data, charset, is_file = "", b"", "", False
    while True:
        event = decoder.next_event()
        if isinstance(event, Epilogue | NeedData):
            return parts
        if isinstance(event, File):
            name, is_file, data, charset = event.name or "", True, event.filename.encode(), "utf-8"
        elif isinstance(event, Field):
            stated = _PART_CHARSET.search(event.headers.get("content-type", ""))
            name, is_file, data, charset = event.name or "", False, b"", stated[1] if stated else ""
        elif isinstance(event, Data):
            if not is_file:
                data += event.data
            if not event.more_data:
                parts.append((name, data, charset))
