"""In which characters a stranger wrote: as declared, as marked, else by trial."""

from __future__ import annotations

import codecs
import re

from lmt.mapping.payloaderror import PayloadError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Python has codecs that are no charsets (zlib), or take very long on hostile text (idna).
_CHARSET = re.compile(
    r"utf[-_ ]?(?:8|16|32)(?:[-_]?[lb]e|-sig)?|(?:windows|cp)[-_]?\d{3,4}|mac[-_]?\w{2,9}"
    r"|iso[-_]?8859[-_]\d{1,2}(?:[-_][ei])?|latin[-_]?\d{1,2}|koi8[-_][rut]|tis[-_]?620"
    r"|gb18030|gbk|gb2312|big5(?:[-_]?hkscs)?|shift[-_]jis|sjis|euc[-_](?:jp|kr)|iso-2022-(?:jp|kr)",
    re.IGNORECASE,
)
_NOT_TEXT = re.compile("[\x01-\x08\x0b\x0e-\x1f]")


def text_of(body: bytes, declared: str) -> str:
    """The body as text, without its byte order mark. Raises PayloadError("not_text")."""
    text = body.decode(sniffed(body, declared), "replace").removeprefix("\ufeff")
    if len(_NOT_TEXT.findall(text[:4_000])) > 8:
        raise PayloadError("not_text")
    return text


def sniffed(body: bytes, declared: str) -> str:
    """A charset that these bytes can be decoded with, of Python's names for them.

    A mark wins, then what is declared where it fits, then UTF-16 where its first bytes hold a NUL,
    then UTF-8; what is left is taken for Western European.
    """
    for mark, charset in _MARKS:
        if body.startswith(mark) and _fits(body, charset):
            return charset
    if _CHARSET.fullmatch(declared.strip()) and _fits(body, declared.strip()):
        return declared.strip()
    if b"\x00" in body[:4] and len(body) % 2 == 0:
        charset = "utf-16-be" if body[:1] == b"\x00" else "utf-16-le"
        if _fits(body, charset):
            return charset
    return next(each for each in ("utf-8", "cp1252", "latin-1") if _fits(body, each))


def _fits(body: bytes, charset: str) -> bool:
    try:
        body.decode(charset)
    except (LookupError, ValueError):
        return False
    return True
