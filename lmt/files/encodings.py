"""In which characters a file is written, told from its bytes alone."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from charset_normalizer import from_bytes

from lmt.files.alphabets import fit, likeliest_charset
from lmt.files.limits import BLOCK_BYTES
from lmt.files.problems import FileProblem

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_ENOUGH_RUNS = 20_000
_TELLING_BYTES = 48 * 1024
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f]")
# An alphabet that fewer of the letters fit is a guess: ask a library that knows more of them.
_FITTING = 0.6


def encoding_of(path: Path) -> str:
    """Python's name of the file's encoding.

    A mark wins, then UTF-16 where NULs stand at every other byte, then UTF-8 where most of what is
    beyond ASCII is UTF-8 (lines that aren't are rows with a problem), else the charset whose
    alphabets fit best. Raises FileProblem("not_text").
    """
    with path.open("rb") as file:
        head = file.read(BLOCK_BYTES)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head and (encoding := _wide(head)):
        return encoding
    if not _is_text(head):
        raise FileProblem("not_text")
    right, wrong, telling = _beyond_ascii(path)
    if right >= wrong:
        return "utf-8"
    charset, fitting = likeliest_charset(telling)
    if fitting < _FITTING:
        best = from_bytes(telling).best()
        if best is not None and fit(telling, best.encoding) >= fitting:
            return codecs.lookup(best.encoding).name
    return charset


def _is_text(head: bytes) -> bool:
    """A few NULs and controls are problems of rows; many say that it never was text."""
    controls = len(_CONTROLS.findall(head.decode("latin-1")))
    return head.count(0) <= max(8, len(head) // 1_000) and controls <= max(8, len(head) // 100)


def _wide(head: bytes) -> str:
    """UTF-16 without its mark; "" when the NULs don't say so."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if even + odd < len(head) * 0.02:
        return ""
    if odd > 20 * even:
        encoding = "utf-16-le"
    elif even > 20 * odd:
        encoding = "utf-16-be"
    else:
        return ""
    text = head[: len(head) // 2 * 2].decode(encoding, "replace")
    wrong = text.count("\ufffd") + len(_CONTROLS.findall(text))
    return encoding if wrong <= max(8, len(text) // 100) else ""


def _beyond_ascii(path: Path) -> tuple[int, int, bytes]:
    """How many runs beyond ASCII are UTF-8 and how many not, and lines that hold such runs."""
    right = wrong = 0
    telling = bytearray()
    with path.open("rb") as file:
        while right + wrong < _ENOUGH_RUNS and (block := file.read(BLOCK_BYTES)):
            if block.isascii():
                continue
            # A block's ends may cut a character in two; the file's don't.
            first = block.find(b"\n") + 1 if file.tell() > len(block) else 0
            last = block.rfind(b"\n") + 1 if len(block) == BLOCK_BYTES else len(block)
            body = block[first:last] or block
            for run in _BEYOND_ASCII.findall(body):
                if _is_utf_8(run):
                    right += 1
                else:
                    wrong += 1
            if wrong and len(telling) < _TELLING_BYTES:
                for line in body.split(b"\n"):
                    if not line.isascii() and len(telling) < _TELLING_BYTES:
                        telling += line[:2_000] + b"\n"
    return right, wrong, bytes(telling)


def _is_utf_8(run: bytes) -> bool:
    try:
        run.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
