"""Mend the markup of an ADF document: what a sender's template broke becomes XML that parses."""

from __future__ import annotations

import html
import re
from collections import Counter
from functools import lru_cache
from html.entities import html5
from xml.sax.saxutils import escape, quoteattr

from lmt.ingest.characters import HTML_TAGS

MAX_DEPTH = 40
MAX_MARKS = 200_000
"""Of tags, comments and stray "<": a document with more is no lead, and slow to mend."""
MAX_ATTRIBUTES = 100
"""Of one element: what parses them compares each with each."""
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_NAME = "[A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u1fff\u3001-\ud7ff\uf900-\ufdcf]"
_REST = "[A-Za-z_0-9.\u00b7\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u037d\u037f-\u1fff\u3001-\ud7ff-]"
_TAG = re.compile(
    rf"<\s*+(/?)\s*+(?:{_NAME}{_REST}*+:)?({_NAME}{_REST}*+)"
    r"((?=[\s/>\"'=])(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+|(?=[\s/>])[^<>]*+)>"
)
_ATTRIBUTE = re.compile(
    r"([^\s=/\"'<>\u201c-\u201f]++)"
    r"(?:\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)'|[\u201c-\u201f]([^\u201c-\u201f]*)[\u201c-\u201f]"
    r"|[\u2018-\u201b]([^\u2018-\u201b]*)[\u2018-\u201b]|([^\s\"'<>]+)))?"
)
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z][A-Za-z0-9]{1,30}));|&")
# Elements that hold text alone: the next tag ends one that was never closed.
_LEAF_NAMES = (
    "year make model vin stock trim odometer name email phone street apartment city regioncode"
    " postalcode country requestdate vendorname service url firstname lastname fullname cellphone"
    " mobile company companyname locale language preferredlanguage address1 address2 streetaddress"
    " postcode zip zipcode region state province countrycode stocknumber"
)
_LEAVES = frozenset(_LEAF_NAMES.split())


class NotAdf(Exception):
    """The bytes are no ADF that may be read; `code` says why, for whoever repairs it.

    Codes: empty, too_large, no_adf, no_prospect, too_many_prospects, doctype_refused, too_deep.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def mended(text: str) -> str:
    """The text as well-formed XML under one root, `lmt`.

    Names lose case and prefix, attributes gain quotes, HTML inside becomes text, comments,
    processing instructions and declarations go, entities become characters, every tag is closed.
    Raises NotAdf when elements nest too deep, or have too many attributes.
    """
    return _Mending(text).mended()


class _Mending:
    """One document on its way: what was written, and which elements are still open."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.out: list[str] = ["<lmt>"]
        self.open: list[str] = []
        self.open_counts: Counter[str] = Counter()
        self.ended: set[str] = set()

    def mended(self) -> str:
        if self.text.count("<") > MAX_MARKS:
            raise NotAdf("too_large")
        at = 0
        while at < len(self.text):
            start = self.text.find("<", at)
            if start < 0:
                self.out.append(_mended_text(self.text[at:]))
                break
            self.out.append(_mended_text(self.text[at:start]))
            at = self.markup(start)
        while self.open:
            self.close()
        self.out.append("</lmt>")
        return "".join(self.out)

    def markup(self, start: int) -> int:
        """Write what stands at this "<"; where to go on."""
        if self.text.startswith("<![CDATA[", start):
            end = self.next("]]>", start + 9)
            if end < 0:
                return start + 9
            self.out.append(escape(self.text[start + 9 : end]))
            return end + 3
        if self.text.startswith("<!--", start):
            end = self.next("-->", start + 4)
            return end + 3 if end >= 0 else start + 4
        if self.text.startswith(("<?", "<!"), start):
            following = self.text.find("<", start + 1)
            following = len(self.text) if following < 0 else following
            end = self.text.find(">", start, following)
            return end + 1 if end >= 0 else following
        tag = _TAG.match(self.text, start)
        if tag is None:
            self.out.append("&lt;")
            return start + 1
        self.element(tag)
        return tag.end()

    def element(self, tag: re.Match[str]) -> None:
        closing, name, inside = tag[1], tag[2].lower(), tag[3]
        if name in HTML_TAGS:
            self.out.append(escape(tag[0]))
            return
        if closing:
            while self.open_counts[name]:
                if self.close() == name:
                    break
            return
        if self.open and self.open[-1] in _LEAVES:
            self.close()
        empty = inside.rstrip().endswith("/")
        self.out.append(f"<{name}{_mended_attributes(inside)}{'/' if empty else ''}>")
        if not empty:
            self.open.append(name)
            self.open_counts[name] += 1
            if len(self.open) > MAX_DEPTH:
                raise NotAdf("too_deep")

    def close(self) -> str:
        name = self.open.pop()
        self.open_counts[name] -= 1
        self.out.append(f"</{name}>")
        return name

    def next(self, mark: str, start: int) -> int:
        """Where the mark comes next; once it is known to come no more, without looking again."""
        found = -1 if mark in self.ended else self.text.find(mark, start)
        if found < 0:
            self.ended.add(mark)
        return found


def _mended_attributes(inside: str) -> str:
    attributes: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(inside):
        name = match[1].rpartition(":")[2].lower()
        if match[1].lower().startswith("xmlns") or not _ATTRIBUTE_NAME.fullmatch(name):
            continue
        value = next((group for group in match.groups()[1:] if group is not None), "")
        if match[6]:
            value = value.rstrip("/").strip("\u2018-\u201f")
        attributes.setdefault(name, html.unescape(value))
        if len(attributes) > MAX_ATTRIBUTES:
            raise NotAdf("too_large")
    return "".join(
        f" {name}={quoteattr(NOT_XML.sub('', value))}" for name, value in attributes.items()
    )


def _mended_text(text: str) -> str:
    return _ENTITY.sub(_character, text).replace("]]>", "]]&gt;") if text else ""


def _character(match: re.Match[str]) -> str:
    return _meaning(match[0], *match.groups())


# Remembered, so that a text of nothing but entities doesn't become a text for each.
@lru_cache(maxsize=256)
def _meaning(entity: str, decimal: str, hexadecimal: str, name: str) -> str:
    """An entity as the character it names; anything else as a literal ampersand."""
    if decimal or hexadecimal:
        number = int(decimal) if decimal else int(hexadecimal, 16)
        return escape(NOT_XML.sub("", chr(number))) if number < 0x110000 else ""
    meant = html5.get(f"{name};") if name else None
    if meant is None and name:
        meant = html5.get(f"{name.lower()};")
    return escape(meant) if meant else entity.replace("&", "&amp;")
