"""How a person is called: titles set apart, full names split and composed with care.

A name is split only where its script and language make that safe; a wrong split greets people by
the wrong name, an unsplit one never does.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from lmt.ingest.companies import company_and_person
from lmt.ingest.namecase import proper_case

_TITLE_WORDS = (
    "mr mrs ms miss mx dr prof professor sir madam ing dipl-ing med herr frau monsieur madame"
    " mademoiselle mme mlle señor señora señorita sra srta dhr mevr mevrouw mw meneer sayın pani"
    " dott mag"
    " السيدة الآنسة الأستاذ الأستاذة الدكتور الدكتورة المهندس المهندسة دكتور دكتورة د أ م"
)
_TITLES = frozenset(_TITLE_WORDS.split())
# Words that are also somebody's name in another language, so they count in their own alone.
_TITLES_IN = {
    "de": frozenset(["herrn", "fr", "hr", "fräulein"]),
    "en": frozenset(["mister", "lady", "lord", "rev"]),
    "fr": frozenset(["m", "me", "messieurs", "maître"]),
    "es": frozenset(["sr", "don", "doña", "d", "dña", "dª"]),
    "pl": frozenset(["pan", "państwo", "inż", "mgr", "lek", "hab"]),
    "tr": frozenset(["bay", "bayan", "sn", "av", "uzm", "op", "doç"]),
    "nl": frozenset(["heer", "ir", "drs", "mr", "mej", "hr"]),
}
_TITLES_AFTER_IN = {"tr": frozenset(["bey", "hanım"])}
# A single letter is a title only with its full stop: "د. أحمد"; "M." alone is rather an initial.
_ABBREVIATED = frozenset(["د", "أ", "م", "m", "d", "fr", "me", "op", "hr", "av"])
_HONORIFIC_SLASH = re.compile(
    r"^(السيد|السيدة|الآنسة|الأستاذ|الأستاذة|الدكتور|الدكتورة|المهندس|المهندسة|الشيخ|د|أ|م)\s*[/:]\s*(?=\S)"
)

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
_FIRST_HALVES = frozenset(
    ["abdul", "abdel", "abd", "abu", "umm", "um", "عبد", "أبو", "ابو", "أم", "ام", "آل"]
)
_SECOND_HALVES_WORDS = "allah uddin ud-din eldin el-din aldin al-din الله الدين الإسلام الاسلام"
_SECOND_HALVES = frozenset(_SECOND_HALVES_WORDS.split())
_ARTICLES = frozenset(["al", "el", "ul", "ur", "ad", "ed", "ar"])
_LAST_OF_THREE = frozenset(["din", "deen", "rahman", "rahim", "aziz", "malik", "hamid", "latif"])
# Spanish given names that come in twos, so that three words hold one surname.
_GIVEN_TWICE_WORDS = (
    "josé jose maría maria juan ana luis miguel carlos antonio francisco manuel jesús jesus"
    " pedro rosa carmen luisa teresa pilar isabel elena ángel angel javier alberto fernando"
    " eduardo"
)
_GIVEN_TWICE = frozenset(_GIVEN_TWICE_WORDS.split())
_POLISH_SURNAME = re.compile(r".{2,}(?:sk[ia]|ck[ia]|dzk[ia]|wicz)", re.I)
_AND = frozenset(["and", "&", "+", "und", "et", "oraz", "en", "ve", "و", "i", "y", "e"])
# These stand between the two surnames of one person as well.
_BETWEEN_SURNAMES = frozenset(["y", "i", "e"])
_DRAWN = frozenset(["So", "Sk", "Cs", "Co", "Cn", "Cf", "Sm", "Sc"])
# Particles that are nobody's given name: what begins with one is a surname alone.
_NEVER_GIVEN = frozenset(["von", "de", "der", "den", "zu", "ter", "ten", "'t"])
_NO_NAME = re.compile(r"[\d@()\[\]{}<>#]")
_SHOUTED = 4
_STYLED = re.compile("[\uff00-\uff5e\U0001d400-\U0001d7ff]")
_SUFFIXES = frozenset(["jr", "sr", "ii", "iii", "iv", "phd", "md", "esq", "junior", "senior"])
_COMPANY_ENDINGS = frozenset(["inc", "ltd", "llc", "gmbh", "ag", "sa", "bv", "corp", "plc"])

_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
_EAST_ASIAN = re.compile("[\u1100-\u11ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name's parts; `first` and `last` are empty where a split would be a guess.

    `company` is what stood in the name fields and is none of a person.
    """

    title: str = ""
    first: str = ""
    last: str = ""
    full: str = ""
    company: str = ""


def person_name(
    *,
    title: str = "",
    first: str = "",
    last: str = "",
    full: str = "",
    language: str = "",
) -> PersonName:
    """Every part of a name from the parts given; all are one clean line each.

    Titles in front move to `title`, companies to `company`. What was given in parts is never split
    again. Case is mended only where there was clearly none.
    """
    first, last, full = _without_drawings(first), _without_drawings(last), _without_drawings(full)
    company, full = company_and_person(full) if full else ("", "")
    if first or last:
        found, person = company_and_person(_composed(first, last))
        if found and not person:
            first = last = ""
            company = company or found
    title, first = _without_title(title, first, language)
    if not first:
        title, last = _without_title(title, last, language)
    if not full or (first and last):
        first, last = _cased(first, last, language)
        return PersonName(
            title, first, last, proper_case(full, language) or _composed(first, last), company
        )
    if _is_two(full):
        return PersonName(title, first, last, proper_case(full, language), company)
    title, full = _without_title(title, full, language)
    if not first and not last:
        title, first, last, full = _taken_apart(title, full, language)
    return PersonName(title, first, last, proper_case(full, language), company)


def _taken_apart(title: str, full: str, language: str) -> tuple[str, str, str, str]:
    """(title, first, last, full) of a whole name without its titles."""
    last, comma, first = (part.strip() for part in full.partition(","))
    if comma and last and first and "," not in first and not _is_ending(first):
        title, first = _without_title(title, first, language)
        first, last = _cased(first, last, language)
        return title, first, last, _composed(first, last)
    full = proper_case(full, language)
    first, last = _shouted_surname(full, language) or _split(full, language, titled=bool(title))
    if first and last and not _EAST_ASIAN.search(full):
        full = _composed(first, last)
    return title, first, last, full


def _cased(first: str, last: str, language: str) -> tuple[str, str]:
    """Both parts in proper case; what one alone is too short to tell, both together may."""
    whole = f"{first} {last}"
    if first and last and (whole.isupper() or whole.islower()):
        cased = proper_case(whole, language)
        if cased != whole:
            surname = proper_case(f"x {whole}" if whole.islower() else f"X {whole}", language)
            return cased[: len(first)], surname[len(surname) - len(last) :]
    return proper_case(first, language), proper_case(last, language, surname=True)


def _without_drawings(name: str) -> str:
    """The name without emojis and ornaments, styled letters made plain."""
    if name.isascii():
        return name
    if _STYLED.search(name):
        name = unicodedata.normalize("NFKC", name)
    kept = "".join(
        c
        for c in name
        if c <= "\u024f" or c in "\u200c\u200d" or unicodedata.category(c) not in _DRAWN
    )
    return " ".join(kept.strip("\u200c\u200d").split()) if kept != name else name


def _is_two(full: str) -> bool:
    """Whether two people share the field: "Anna i Jan Nowak", but not "Ortega y Gasset"."""
    words = full.lower().split(" ")
    for index, word in enumerate(words[1:-1], 1):
        if word in _AND and (word not in _BETWEEN_SURNAMES or index == 1 or index + 2 < len(words)):
            return True
    return (
        "/" in full
        and all(part.strip() for part in full.split("/"))
        and not (_HONORIFIC_SLASH.match(full))
    )


def _shouted_surname(full: str, language: str) -> tuple[str, str] | None:
    """First and last name of "Jean DUPONT" or "DUPONT Jean": the surname is what is in capitals."""
    words = full.split(" ")
    if len(words) < 2 or full.isupper():
        return None
    loud = [len(word) >= _SHOUTED and word.isupper() for word in words]
    count = sum(loud)
    if not 0 < count < len(words) or not all(w[:1].isupper() and len(w) > 1 for w in words):
        return None
    if all(loud[-count:]):
        first, last = words[:-count], words[-count:]
    elif all(loud[:count]):
        first, last = words[count:], words[:count]
    else:
        return None
    return " ".join(first), proper_case(" ".join(last), language, surname=True)


def _without_title(title: str, name: str, language: str) -> tuple[str, str]:
    """The title found in front of (in Turkish, after) the name, and the name without it."""
    found: list[str] = []
    slash = _HONORIFIC_SLASH.match(name)
    if slash and slash.end() < len(name):
        found.append(slash[1])
        name = name[slash.end() :]
    words = name.split(" ")
    if language == "nl" and len(words) > 2 and [w.lower() for w in words[:2]] == ["de", "heer"]:
        found += [words.pop(0), words.pop(0)]
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
    if _EAST_ASIAN.search(full) or _NO_NAME.search(full):
        return "", ""
    words = full.split(" ")
    arabic = _ARABIC.search(full) is not None
    if len(words) == 1:
        # "Herr Müller" names the family, "السيد أحمد" the person.
        return ("", full) if titled and not arabic else (full, "")
    if words[0].lower() in _NEVER_GIVEN:
        return "", full
    at = _given_words(words)
    if len(words) <= at:
        return full, ""
    if arabic:
        return " ".join(words[:at]), " ".join(words[at:])
    if language == "pl" and len(words) == 2:
        family, given = (_POLISH_SURNAME.fullmatch(word) is not None for word in words)
        if family and not given:
            return words[1], words[0]
    at = _spanish_surnames(words) if language == "es" else _surname(words, at)
    return " ".join(words[:at]), " ".join(words[at:])


def _given_words(words: list[str]) -> int:
    """How many words the first given name has: "Abd Al Rahman", "نور الدين", "Umm Kulthum"."""
    lower = [word.lower() for word in words[:3]]
    if lower[0] in _FIRST_HALVES:
        return 3 if len(lower) > 2 and lower[1] in _ARTICLES else 2
    if lower[1] in _SECOND_HALVES:
        return 2
    return 3 if len(lower) > 2 and lower[1] in _ARTICLES and lower[2] in _LAST_OF_THREE else 1


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
    if len(words) == 3 and {words[0].lower(), words[1].lower()} <= _GIVEN_TWICE:
        return 2
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
