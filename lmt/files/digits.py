"""Digits of any script as those that machines read."""

from __future__ import annotations

import unicodedata


def ascii_digits(text: str) -> str:
    """The text with every decimal digit (Arabic, Persian, full-width …) in ASCII."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
