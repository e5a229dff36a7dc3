"""From the bytes of a delivery to ADF elements, however damaged the XML that a sender produced.

Nothing outside the bytes is ever loaded: the text is mended first, then parsed without a DTD.
"""

from __future__ import annotations

import codecs
import html
import re
from urllib.parse import unquote_plus

from lxml import etree

from lmt.ingest.adfmending import NOT_XML, NotAdf, mended

MAX_BYTES = 2_000_000
MAX_ELEMENTS = 60_000


_ROOT = re.compile(r"<\s*+(?:[A-Za-z_][\w.-]{0,60}:)?adf(?=[\s/>])", re.I)
_ROOT_END = re.compile(r"</\s*+(?:[A-Za-z_][\w.-]{0,60}:)?adf\s*+>", re.I)
_PROSPECT = re.compile(r"<\s*+(?:[A-Za-z_][\w.-]{0,60}:)?prospect(?=[\s/>])", re.I)
_ESCAPED_ROOT = re.compile(r"&(?:lt|#60|#x3c);\s*+(?:[A-Za-z_][\w.-]{0,60}:)?adf\b", re.I)
_DECLARED_ENTITY = re.compile(r"<!(?:DOCTYPE[^<>\[]*+\[|(?:ENTITY|ELEMENT|ATTLIST)\s)", re.I)
_HTML_TAG = re.compile(r"<[/!]?[A-Za-z][^<>]*>")

_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']?\s*([A-Za-z0-9._-]{2,40})", re.I)
_CHARACTER_SETS = re.compile(
    r"(iso-?8859-?\d+|latin-?\d|windows-?125\d|cp125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-(jp|kr)"
    r"|shift_jis|iso-2022-jp|mac-?roman)",
    re.I,
)
_LATIN_1 = frozenset(["iso8859-1", "ascii"])
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def adf_element(body: bytes) -> etree._Element:
    """A root whose children are the `adf` (or stray `prospect`) elements; lower-case local names.

    Raises NotAdf when there are none, or when the document declares entities of its own.
    """
    if len(body) > MAX_BYTES:
        raise NotAdf("too_large")
    text = NOT_XML.sub("", decoded(body)).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise NotAdf("empty")
    document = mended(_adf_part(text))
    root = _parsed(document)
    if root is None or (root.find(".//prospect") is None and root.find(".//adf") is None):
        raise NotAdf("no_adf")
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotAdf("doctype_refused")
    if sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise NotAdf("too_large")
    return root


def decoded(body: bytes) -> str:
    """The bytes as text: by their byte order mark, else UTF-8, else as declared, else cp1252."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, "replace").lstrip("\ufeff")
    start = body[:200].lstrip()
    if start[1:2] == b"\0" and start[3:4] == b"\0":
        return body.decode("utf-16-le", "replace")
    if body[:1] == b"\0" and body[2:3] == b"\0":
        return body.decode("utf-16-be", "replace")
    declared = _ENCODING.search(body[:2_000])
    name = declared[1].decode("ascii") if declared else ""
    if name.lower() != "iso-2022-jp":
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    if _CHARACTER_SETS.fullmatch(name):
        try:
            if codecs.lookup(name).name not in _LATIN_1:
                return body.decode(name)
        except (LookupError, UnicodeDecodeError):
            pass
    return body.decode("cp1252", "replace")


def _adf_part(text: str) -> str:
    """The part between the ADF tags: as it stands, inside a comment, escaped, or form-encoded."""
    if "%3c" in text.lower() and _ROOT.search(text) is None:
        text = unquote_plus(text)
    _refuse_declarations(text)
    outside_comments = _without_comments(text)
    for candidate in (outside_comments, text):
        start = _ROOT.search(candidate)
        if start:
            return _up_to_end(candidate[start.start() :])
    if _ESCAPED_ROOT.search(text):
        # Mail programs put tags of their own between the escaped lines.
        unescaped = html.unescape(_HTML_TAG.sub("\n", text))
        _refuse_declarations(unescaped)
        start = _ROOT.search(unescaped)
        if start:
            return _up_to_end(NOT_XML.sub("", unescaped[start.start() :]))
    start = _PROSPECT.search(outside_comments)
    if start:
        return outside_comments[start.start() :]
    raise NotAdf("no_adf")


def _refuse_declarations(text: str) -> None:
    """A DOCTYPE that only names a DTD is dropped later; one that declares anything is refused."""
    before, *sections = text.split("<![CDATA[")
    # A section that never ends is searched as well.
    outside = before + "".join(
        after if end else section
        for section in sections
        for _, end, after in [section.partition("]]>")]
    )
    if _DECLARED_ENTITY.search(outside):
        raise NotAdf("doctype_refused")


def _without_comments(text: str) -> str:
    parts: list[str] = []
    at = 0
    last_close = text.rfind("]]>")
    while (start := text.find("<!--", at)) >= 0:
        end = text.find("-->", start + 4)
        cdata = text.rfind("<![CDATA[", at, start)
        inside = cdata >= 0 and start < last_close and text.find("]]>", cdata, start) < 0
        closes = text.find("]]>", start) if inside else -1
        if closes >= 0:
            parts.append(text[at : closes + 3])
            at = closes + 3
            continue
        parts.append(text[at:start])
        if end < 0:
            at = start + 4
            break
        at = end + 3
    parts.append(text[at:])
    return "".join(parts)


def _up_to_end(text: str) -> str:
    ends = list(_ROOT_END.finditer(text))
    return text[: ends[-1].end()] if ends else text


def _parsed(document: str) -> etree._Element | None:
    for recover in (False, True):
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            recover=recover,
            remove_comments=True,
            remove_pis=True,
            encoding="utf-8",
        )
        try:
            root = etree.fromstring(document.encode("utf-8"), parser)
        except etree.XMLSyntaxError:
            continue
        if root is not None:
            return root
    return None
