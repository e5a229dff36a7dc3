"""Names typed in capitals, or without any, as their bearers write them."""

from __future__ import annotations

import re

_LOWER_WORDS = (
    "van von der den de del della dello di da dal dos das do du des ter ten te tot zu zum zur"
    " af av bin ibn bint y e i und et en 't la las los"
)
_LOWER = frozenset(_LOWER_WORDS.split())
# Small only after another particle: "de la Cruz", but "La Fontaine".
_ARTICLES = frozenset(["la", "las", "los"])
_SUFFIXES = frozenset(["ii", "iii", "iv"])
_TURKISH = frozenset("ışğİŞĞ")
_WORD = re.compile(r"[^\W\d_]{3}")
_APART = re.compile(r"([-'’`´.(/&+])")


def proper_case(name: str, language: str = "", *, surname: bool = False) -> str:
    """The name in capitals and small letters, where it was clearly typed without the difference.

    Left alone: names that mix them, scripts without case, and what is too short to tell (`JJ`).
    `surname` says that the name begins with its surname, so a particle in front stays small.
    """
    if not (name.isupper() or name.islower()) or not _WORD.search(name) or "@" in name:
        return name
    turkish = language == "tr" or not _TURKISH.isdisjoint(name)
    words: list[str] = []
    lowered = [_lowered(word, turkish) for word in name.split(" ")]
    for index, word in enumerate(lowered):
        after_particle = lowered[index - 1] in _LOWER if index else False
        led = index > 0 or (surname and len(lowered) > 1)
        if word.strip(".") in _SUFFIXES and index:
            words.append(word.upper())
        elif word in _LOWER and led and (word not in _ARTICLES or after_particle):
            words.append(word)
        else:
            words.append(_word(word, turkish, language))
    return " ".join(words)


def _lowered(word: str, turkish: bool) -> str:
    # Python lowers a dotted capital to two signs; Turkish has its own small letters for both.
    word = word.replace("İ", "i")
    return (word.replace("I", "ı") if turkish else word).lower()


def _word(word: str, turkish: bool, language: str) -> str:
    if language == "fr" and word[:2] in ("d'", "d’") and len(word) > 3:
        return word[:2] + _capital(word[2:], turkish)
    return "".join(_part(part, turkish, language) for part in _APART.split(word))


def _part(part: str, turkish: bool, language: str) -> str:
    if language == "nl" and part.startswith("ij") and len(part) > 2:
        return "IJ" + part[2:]
    if part.startswith("mc") and len(part) > 4:
        return "Mc" + _capital(part[2:], turkish)
    return _capital(part, turkish)


def _capital(part: str, turkish: bool) -> str:
    if turkish and part.startswith("i"):
        return "İ" + part[1:]
    return part[:1].title() + part[1:]
