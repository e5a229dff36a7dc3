"""Digits of every script, so that a number counts however a visitor's keyboard writes it."""

from __future__ import annotations

import re

_ZEROS = (
    "30 660 6f0 7c0 966 9e6 a66 ae6 b66 be6 c66 ce6 d66 de6 e50 ed0 f20 1040 1090 17e0 1810"
    " 1946 19d0 1a80 1a90 1b50 1bb0 1c40 1c50 a620 a8d0 a900 a9d0 a9f0 aa50 abf0 ff10 104a0"
    " 10d30 11066 110f0 11136 111d0 112f0 11450 114d0 11650 116c0 11730 118e0 11950 11c50"
    " 11d50 11da0 16a60 16ac0 16b50 1d7ce 1d7d8 1d7e2 1d7ec 1d7f6 1e140 1e2f0 1e950 1fbf0"
)
#: The code point of each script's zero, its other nine digits following: all that are assigned in
#: Unicode 14. A list of our own, as browser and server know different versions of Unicode.
ZEROS = tuple(int(zero, 16) for zero in _ZEROS.split())
NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")

_ASCII = {zero + value: str(value) for zero in ZEROS for value in range(10)}
#: Decimal signs (Arabic, comma), minus signs; what parts groups of digits is left out.
_SIGNS = {0x66B: ".", ord(","): ".", 0x2212: "-"} | dict.fromkeys(
    map(ord, " \u00a0\u2009\u202f\u066c")
)


def with_ascii_digits(text: str) -> str:
    return text.translate(_ASCII)


def count_of_digits(text: str) -> int:
    return sum(ord(letter) in _ASCII for letter in text)


def number_text(text: str) -> str:
    """`text` as an ASCII number (`-12.5`) where it is one in any script, else as it was written.

    A comma is a decimal sign, as in most of our markets; groups may be parted by a space.
    """
    number = with_ascii_digits(text).translate(_SIGNS)
    return number if NUMBER.fullmatch(number) else text
