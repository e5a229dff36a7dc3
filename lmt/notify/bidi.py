"""Values inside a mail's sentences stay readable when the two run in opposite directions."""

from __future__ import annotations

import unicodedata

_LEFT_TO_RIGHT_ISOLATE, _FIRST_STRONG_ISOLATE, _END = "\u2066", "\u2068", "\u2069"
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_RIGHT_TO_LEFT_CLASSES = frozenset({"R", "AL", "AN"})


def is_right_to_left(text: str) -> bool:
    """Whether any letter or digit of `text` runs from right to left."""
    return any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT_CLASSES for c in text)


def one_line(text: str) -> str:
    """`text` on one line, without control characters or embeddings that reorder what follows."""
    return " ".join(without_controls(text).split())


def without_controls(text: str) -> str:
    """`text` with line breaks kept and every other control character and override dropped."""
    lines = "\n".join(text.splitlines())
    return "".join(
        c for c in lines if c == "\n" or (c not in _OVERRIDES and unicodedata.category(c) != "Cc")
    )


def isolated(text: str, *, ltr: bool, in_rtl: bool) -> str:
    """`text` for a plain-text sentence, isolated where its surroundings could reorder it.

    `ltr` marks phones, addresses and codes, which never turn. A value that can't be disturbed
    is left bare, so that a mail in Latin script holds no invisible characters.
    """
    if not text or not (in_rtl or is_right_to_left(text)):
        return text
    return (_LEFT_TO_RIGHT_ISOLATE if ltr else _FIRST_STRONG_ISOLATE) + text + _END
