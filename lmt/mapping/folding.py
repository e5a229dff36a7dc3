"""What is left of a field's name when nobody's spelling counts: the words to look it up by."""

from __future__ import annotations

import re
import unicodedata

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NUMBERING = re.compile(
    r"^\s*(?:(?:q|nr|no|field|question|frage)\W?\s*)?\d{1,3}\s*[.):\-–]\s*", re.I
)
_ASIDE = re.compile(r"(?<=\s)\([^()]*\)|(?<=\s)\[[^\[\]]*\]|\*")
_LETTERS = str.maketrans("ıłøđæœßأإآٱىةؤئ", "ilodaosاااايهوي")
_ARTICLE = "ال"
_SHORTEST_WITH_ARTICLE = 5


def words_of(name: str) -> tuple[str, ...]:
    """The words of a header, a field's name or a question: `1. Ihre Telefon-Nummer (Pflicht)*` and
    `ihreTelefonNummer` have the same; without case, marks, numbering and the Arabic article."""
    bare = _NUMBERING.sub("", _ASIDE.sub(" ", name[:300])) or name[:300]
    spaced = _CAMEL.sub(" ", unicodedata.normalize("NFKC", bare))
    letters = unicodedata.normalize("NFKD", spaced.casefold().translate(_LETTERS))
    plain = "".join(
        c if c.isalnum() else "" if unicodedata.combining(c) or c in "'’`ـ" else " "
        for c in letters
    )
    return tuple(_without_article(word) for word in plain.translate(_LETTERS).split())


def _without_article(word: str) -> str:
    if word.startswith(_ARTICLE) and len(word) >= _SHORTEST_WITH_ARTICLE:
        return word[len(_ARTICLE) :]
    return word
