"""How a person is called: titles set apart, full names split and composed with care.

A name is split only where its script and language make that safe; a wrong split greets people by
the wrong name, an unsplit one never does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TITLE_WORDS = (
    "mr mrs ms miss mx dr prof professor sir madam ing dipl-ing med herr frau monsieur madame"
    " mademoiselle mme mlle señor señora señorita sra srta dhr mevr mevrouw meneer sayın"
    " السيدة الآنسة الأستاذ الأستاذة الدكتور الدكتورة المهندس المهندسة دكتور د أ م"
)
_TITLES = frozenset(_TITLE_WORDS.split())
# Words that are also somebody's name in another language, so they count in their own alone.
_TITLES_IN = {
    "fr": frozenset(["m", "me"]),
    "es": frozenset(["sr", "don", "doña", "d", "dña"]),
    "pl": frozenset(["pan", "pani", "państwo", "inż", "mgr"]),
    "tr": frozenset(["bay", "bayan", "sn", "av"]),
    "nl": frozenset(["heer", "ir", "drs"]),
}
_TITLES_AFTER_IN = {"tr": frozenset(["bey", "hanım"])}
# A single letter is a title only with its full stop: "د. أحمد"; "M." alone is rather an initial.
_ABBREVIATED = frozenset(["د", "أ", "م", "m", "d"])
_HONORIFIC_SLASH = re.compile(r"^(السيد|السيدة|الآنسة|الأستاذ|الأستاذة|الدكتور|المهندس)\s*/\s*")

_PARTICLE_WORDS = (
    "van von der den de del della delle dello di da dal dos das do du des la las le les los lo ter"
    " ten te tot zu zum zur af av bin ibn ben bint bat al el abu ould 't"
)
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
_JOINED_PARTICLES = (
    "al-",
    "el-",
    "ad-",
    "as-",
    "ash-",
    "ar-",
    "at-",
    "az-",
    "an-",
    "d'",
    "l'",
)
_FIRST_HALVES = frozenset(["abdul", "abdel", "abd", "abu", "umm", "عبد", "أبو", "ابو", "أم", "ام"])
_SUFFIXES = frozenset(["jr", "sr", "ii", "iii", "iv", "phd", "md", "esq", "junior", "senior"])
_COMPANY_ENDINGS = frozenset(["inc", "ltd", "llc", "gmbh", "ag", "sa", "bv", "corp", "plc"])

_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
_EAST_ASIAN = re.compile("[\u1100-\u11ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name's parts; `first` and `last` are empty where a split would be a guess."""

    title: str = ""
    first: str = ""
    last: str = ""
    full: str = ""


def person_name(
    *,
    title: str = "",
    first: str = "",
    last: str = "",
    full: str = "",
    language: str = "",
) -> PersonName:
    """Every part of a name from the parts given; all are one clean line each.

    Titles in front move to `title`. What was given in parts is never split again.
    """
    title, first = _without_title(title, first, language)
    title, full = _without_title(title, full, language)
    if not full:
        return PersonName(title, first, last, _composed(first, last))
    if not first and not last:
        first, last = _split(full, language, titled=bool(title))
        if "," in full and first and last:
            full = _composed(first, last)
    return PersonName(title, first, last, full)


def _without_title(title: str, name: str, language: str) -> tuple[str, str]:
    """The title found in front of (in Turkish, after) the name, and the name without it."""
    found: list[str] = []
    slash = _HONORIFIC_SLASH.match(name)
    if slash and slash.end() < len(name):
        found.append(slash[1])
        name = name[slash.end() :]
    words = name.split(" ")
    while len(words) > 1 and _is_title(words[0], language):
        found.append(words.pop(0))
    after = _TITLES_AFTER_IN.get(language, frozenset())
    if len(words) > 1 and words[-1].lower() in after:
        found.append(words.pop())
    return title or " ".join(found), " ".join(words)


def _is_title(word: str, language: str) -> bool:
    plain = word.rstrip(".").lower()
    if plain in _ABBREVIATED and not word.endswith("."):
        return False
    return plain in _TITLES or plain in _TITLES_IN.get(language, frozenset())


def _split(full: str, language: str, *, titled: bool) -> tuple[str, str]:
    if _EAST_ASIAN.search(full):
        return "", ""
    before, comma, after = (part.strip() for part in full.partition(","))
    if comma and before and after and "," not in after and not _is_ending(after):
        return after, before
    words = full.split(" ")
    if len(words) == 1:
        # "Herr Müller" names the family, "السيد أحمد" the person.
        return ("", full) if titled and not _ARABIC.search(full) else (full, "")
    at = 2 if words[0].lower() in _FIRST_HALVES else 1
    if len(words) == at:
        return full, ""
    if _ARABIC.search(full):
        return " ".join(words[:at]), " ".join(words[at:])
    at = _spanish_surnames(words) if language == "es" else _surname(words, at)
    return " ".join(words[:at]), " ".join(words[at:])


def _is_ending(text: str) -> bool:
    plain = text.replace(".", "").lower()
    return plain in _SUFFIXES or plain in _COMPANY_ENDINGS


def _surname(words: list[str], start: int) -> int:
    """Where the surname begins: at the first particle, else at the last word but suffixes."""
    for index in range(start, len(words)):
        word = words[index].lower()
        if (index < len(words) - 1 and word in _PARTICLES) or word.startswith(_JOINED_PARTICLES):
            return index
    last = len(words) - 1
    while last > start and words[last].replace(".", "").lower() in _SUFFIXES:
        last -= 1
    return max(last, 1)


def _spanish_surnames(words: list[str]) -> int:
    """Where a Spanish name's two surnames begin, their particles counted with them."""
    surnames, index = 0, len(words)
    while index > 1 and surnames < 2:
        index -= 1
        while index > 1 and words[index - 1].lower() in (_PARTICLES | {"y"}):
            index -= 1
        surnames += 1
    return max(index, 1)


def _composed(first: str, last: str) -> str:
    if first and last and _EAST_ASIAN.search(first) and _EAST_ASIAN.search(last):
        return last + first
    return " ".join(part for part in (first, last) if part)
