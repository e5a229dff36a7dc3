"""What a stranger posted: bytes in any of the usual wrappings become records, or a named error."""

from __future__ import annotations

import re
from typing import Any

from lmt.mapping import formdata
from lmt.mapping.charsets import sniffed, text_of
from lmt.mapping.payloaderror import PayloadError
from lmt.mapping.strictjson import json_value

__all__ = ["MAX_FIELDS", "MAX_RECORDS", "PayloadError", "records", "unescaped"]

MAX_FIELDS = 2_000
MAX_RECORDS = 1_000
#: A form's first field: no blank and no markup before the sign of equality.
_FORM = re.compile(r"\s*&?[^\s=<>{}&][^\s=<>&]{0,500}=|\s*[^\s=<>&]{1,500}&")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")


def records(body: bytes, content_type: str) -> list[Any]:
    """The records of a delivery, each {field: value}; forms give one, JSON one or a list of them.

    The content type is a hint, since senders get it wrong: JSON is what reads as a JSON object or
    array, a form with parts what begins like one, the rest a urlencoded form. A field given twice
    holds a list; a file is its name. Raises PayloadError, and nothing else.
    """
    declared, charset, boundary = _described(content_type)
    if not body.strip(b"\x00 \t\r\n\x0b\x0c\xef\xbb\xbf\xfe\xff"):
        raise PayloadError("empty")
    parted = formdata.boundary_of(body, boundary)
    if parted:
        return [_opened(formdata.fields(body, parted, charset, MAX_FIELDS))]
    text = text_of(body, charset)
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        try:
            return _records(json_value(text))
        except PayloadError as error:
            if error.code != "no_json" or not declared.endswith("urlencoded"):
                raise
    if declared.endswith("json") and not _FORM.match(text):
        raise PayloadError("no_json")
    return [_opened(_urlencoded(body, text, charset))]


def _records(value: Any) -> list[Any]:
    if isinstance(value, list):
        if len(value) > MAX_RECORDS:
            raise PayloadError("too_many_records")
        if not all(isinstance(item, dict) for item in value):
            raise PayloadError("no_object")
        found = [item for item in value if item]
    else:
        found = [value] if value else []
    if not found:
        raise PayloadError("no_fields")
    return found


def _urlencoded(body: bytes, text: str, charset: str) -> dict[str, Any]:
    if not _FORM.match(text):
        raise PayloadError("no_fields")
    # A text in UTF-16 holds its escapes as characters; any other's bytes are read as they are.
    raw = text.encode("utf-8", "replace") if b"\x00" in body[:4] else body.strip()
    if raw.count(b"&") >= MAX_FIELDS:
        raise PayloadError("too_many_fields")
    pairs = [
        (unescaped(name), unescaped(value))
        for name, _, value in (pair.partition(b"=") for pair in raw.split(b"&") if pair)
    ]
    stated = next((value for name, value in pairs if name == b"_charset_"), b"")
    everything = b"\n".join(part for pair in pairs for part in pair)
    encoding = sniffed(everything, stated.decode("latin-1") or charset)
    record = formdata.gathered(
        (name.decode(encoding, "replace"), value.decode(encoding, "replace"))
        for name, value in pairs
    )
    if not record:
        raise PayloadError("no_fields")
    return record


def unescaped(text: bytes) -> bytes:
    """A name or a value of a urlencoded form, as it was before it was coded."""
    # As text: bytes are joined by way of a buffer for each piece, thirty times what came.
    plain = text.replace(b"+", b" ").decode("latin-1")
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), plain).encode("latin-1")


def _opened(record: dict[str, Any]) -> dict[str, Any]:
    """Fields that hold a JSON object, as some form builders post all their answers, opened."""
    opened: dict[str, Any] = {}
    for name, value in record.items():
        opened[name] = value
        if isinstance(value, str) and value.lstrip()[:1] == "{":
            try:
                opened[name] = json_value(value)
            except PayloadError:
                continue
    return opened


def _described(content_type: str) -> tuple[str, str, str]:
    """The media type, charset and boundary that the sender states, each "" when it states none."""
    media, *parameters = content_type[:1_000].split(";")
    stated: dict[str, str] = {}
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        stated.setdefault(name.strip().lower(), value.strip().strip("\"'"))
    return media.strip().lower(), stated.get("charset", ""), stated.get("boundary", "")
