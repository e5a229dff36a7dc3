"""Which characters a lead's text may carry: the first thing done to whatever a sender wrote."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

# Marks that only steer the direction of a line. They arrive by copy and paste, break look-ups and
# can be used to disguise a text. The joiners U+200C and U+200D stay: Persian and emoji need them.
_INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n{3,}")

_BREAK = re.compile(r"<\s*(?:br|hr)\b[^<>]*>|</\s*(?:p|div|li|tr|h[1-6]|table|ul|ol)\s*>", re.I)
_HIDDEN = re.compile(r"<(style|script)\b[^<>]*>[^<]*</\1\s*>", re.I)
_HTML = (
    "a b blockquote br center div em font h1 h2 h3 h4 h5 h6 hr i img li ol p pre small span strong"
    " sub sup table tbody td th thead tr u ul"
)
HTML_TAGS = frozenset(_HTML.split())
_TAG = re.compile(rf"</?(?:{'|'.join(sorted(HTML_TAGS))}|html|body|head)\b[^<>]*>", re.I)

# With its semicolon: "?a=1&copy=2" is an address and no copyright sign.
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")

MAX_DEPTH = 32


def clean_line(text: str) -> str:
    """The text on one line: composed (NFC), no control or direction marks, single spaces."""
    if text.isprintable() and (text.isascii() or unicodedata.is_normalized("NFC", text)):
        # What people type is clean already; nothing that is taken out below is printable.
        return (
            " ".join(text.split()) if "  " in text or text[:1] == " " or text[-1:] == " " else text
        )
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", _NOT_TEXT.sub("", text)))
    return " ".join(visible.split())


def clean_text(text: str) -> str:
    """The text with its lines kept: each cleaned like `clean_line`, never two blank ones."""
    lines = "\n".join(clean_line(line) for line in _LINE_END.sub("\n", text).split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip("\n")


def text_of_markup(text: str) -> str:
    """What a reader of this HTML fragment would see; plain text comes back cleaned, unharmed.

    Only tags that HTML knows are taken out, so that "price < 20000" survives.
    """
    seen = _TAG.sub("", _BREAK.sub("\n", _HIDDEN.sub("", text)))
    return clean_text(_REFERENCE.sub(lambda match: html.unescape(match[0]), seen))


def has_control_characters(text: str, *, lines: bool) -> bool:
    """Whether the text holds what no keyboard types; line ends and tabs pass when `lines`."""
    allowed = "\n\r\t" if lines else ""
    return any(c not in allowed and unicodedata.category(c) in ("Cc", "Cs") for c in text)


def storable(value: Any, depth: int = 0) -> Any:
    """The same JSON value as PostgreSQL can keep it: no NUL, no lone surrogate, finite numbers.

    Everything else is left as given; what lies deeper than MAX_DEPTH is replaced by "…".
    """
    if isinstance(value, str):
        if value.isprintable():
            # No NUL and no surrogate is.
            return value
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= 256 else "…"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth >= MAX_DEPTH:
        return "…"
    if type(value) is dict or isinstance(value, Mapping):
        return {
            k if type(k) is str and k.isprintable() else str(storable(str(k))): (
                v if type(v) is str and v.isprintable() else storable(v, depth + 1)
            )
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [storable(item, depth + 1) for item in value]
    return storable(str(value))
