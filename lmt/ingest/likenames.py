"""What two names say about their bearers: one person, one family, or nothing in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise, permutations

from rapidfuzz.distance import OSA

from lmt.ingest.namekeys import (
    Word,
    Words,
    arabic_pattern,
    arabic_spelling,
    consonants,
    name_words,
    one_name,
    sounding,
)


class Likeness(StrEnum):
    """How two names stand to each other, the surest first."""

    SAME = "name_same"  # every part agrees, parts left out and spelling aside
    GIVEN = "name_given"  # one gave the given name alone, and it agrees
    INITIAL = "name_initial"  # agrees, but an initial stands for the given name
    FAMILY = "name_family"  # one gave the family name alone, and it agrees
    MARRIED = "name_married"  # the given name agrees, the family name differs
    PARTLY = "name_partly"  # much agrees, and something differs: a cousin, or a second name
    UNKNOWN = "name_unknown"  # missing, or in scripts that can't be compared
    HOUSEHOLD = "name_household"  # the family name agrees, the given name differs
    OTHER = "name_other"  # nothing agrees


SURE, LIKELY, INITIAL = 3, 2, 1
"""How a pair of words agrees: alike (a slip, a script, a habit of spelling), one name by a
nickname, or an initial that may stand for it."""
MOST_COMPARED = 6


@lru_cache(maxsize=4096)
def likeness(a: str, b: str) -> Likeness:
    """How two full names stand to each other; the order of the two doesn't count."""
    one, other = name_words(a), name_words(b)
    if len(one.words) > len(other.words) or (len(one.words) == len(other.words) and a > b):
        one, other = other, one
    if not one.words or not other.words:
        return Likeness.UNKNOWN
    if not _comparable(one, other):
        return Likeness.UNKNOWN
    found = _compared(one.words[:MOST_COMPARED], other.words[:MOST_COMPARED])
    if one.generation != other.generation and found in (Likeness.SAME, Likeness.INITIAL):
        # John Smith and John Smith Jr are father and son.
        return Likeness.PARTLY
    return found


def _comparable(a: Words, b: Words) -> bool:
    """Whether both are in scripts that this module can hold against each other."""
    scripts = [{_script(word) for word in name.words} for name in (a, b)]
    if scripts[0] & scripts[1]:
        return True
    return scripts[0] | scripts[1] == {"latin", "arabic"}


def _script(word: Word) -> str:
    if word.arabic:
        return "arabic"
    return "latin" if word.text.isascii() else "other"


def _compared(few: Sequence[Word], many: Sequence[Word]) -> Likeness:
    if _run_together(few) == _run_together(many):
        return Likeness.SAME
    pairs = _matched(few, many)
    if not pairs:
        return Likeness.OTHER
    if len(few) == 1:
        return _single(many, pairs[0])
    if len(pairs) == len(few):
        return _whole(many, pairs)
    return _conflict(few, many, pairs)


@dataclass(frozen=True, slots=True)
class Pair:
    """A word of the shorter name and the one of the longer that agrees: places and grade."""

    few: int
    many: int
    grade: int


def _single(many: Sequence[Word], pair: Pair) -> Likeness:
    if len(many) == 1:
        return Likeness.SAME if pair.grade > INITIAL else Likeness.FAMILY
    if pair.grade == INITIAL or pair.many == len(many) - 1:
        return Likeness.FAMILY
    return Likeness.GIVEN if pair.many == 0 else Likeness.PARTLY


def _whole(many: Sequence[Word], pairs: Sequence[Pair]) -> Likeness:
    """Every word of the shorter name is in the longer one."""
    if len(many) > 2 and not _in_order(pairs):
        # Ahmed Mohammed Al-Harbi is the father of Mohammed Ahmed Al-Harbi.
        return Likeness.PARTLY
    if all(pair.many != 0 for pair in pairs):
        return Likeness.PARTLY
    if any(pair.grade == INITIAL for pair in pairs):
        full = sum(1 for pair in pairs if pair.grade > INITIAL)
        # A middle initial takes nothing away from a given and a family name.
        return Likeness.SAME if full >= 2 else Likeness.INITIAL
    return Likeness.SAME


def _in_order(pairs: Sequence[Pair]) -> bool:
    """Rising, but for one turn: the family name may stand first."""
    return sum(1 for one, other in pairwise((*pairs, pairs[0])) if other.many < one.many) <= 1


def _conflict(few: Sequence[Word], many: Sequence[Word], pairs: Sequence[Pair]) -> Likeness:
    """Some words agree, and both names have some that don't."""
    if max(pair.grade for pair in pairs) == INITIAL:
        return Likeness.OTHER
    first = any((pair.few, pair.many) == (0, 0) for pair in pairs)
    last = any((pair.few, pair.many) == (len(few) - 1, len(many) - 1) for pair in pairs)
    if len(pairs) > 1:
        return Likeness.HOUSEHOLD if last and not first else Likeness.PARTLY
    if first:
        return Likeness.MARRIED
    if last:
        return Likeness.HOUSEHOLD
    # One of them may have written the family name first.
    turned = (pairs[0].few, pairs[0].many) in {(0, len(many) - 1), (len(few) - 1, 0)}
    return Likeness.HOUSEHOLD if turned else Likeness.OTHER


def _matched(few: Sequence[Word], many: Sequence[Word]) -> list[Pair]:
    """The pairs of words that agree, as they agree best in sum; in the shorter name's order."""
    table = [[word_likeness(a, b) for b in many] for a in few]
    best = max(
        permutations(range(len(many)), len(few)),
        key=lambda order: (
            sum(table[i][j] for i, j in enumerate(order)),
            sum(1 for i, j in enumerate(order) if i == j),
        ),
    )
    return [Pair(i, j, table[i][j]) for i, j in enumerate(best) if table[i][j]]


def _run_together(words: Sequence[Word]) -> str:
    return "".join(sounding(w.joined) if not w.arabic else w.joined for w in words)


def word_likeness(a: Word, b: Word) -> int:
    """SURE, LIKELY, INITIAL, or 0 where two words of names don't agree."""
    if a.is_initial or b.is_initial:
        return INITIAL if a.text[0] == b.text[0] and not (a.arabic or b.arabic) else 0
    if a.arabic != b.arabic:
        arabic, latin = (a, b) if a.arabic else (b, a)
        return SURE if _across_scripts(arabic, latin) else 0
    best = 0
    for one in {a.text, a.joined}:
        for other in {b.text, b.joined, *_without_article(b.text)}:
            best = max(best, _alike(one, other))
    return max(best, max((_alike(x, b.text) for x in _without_article(a.text)), default=0))


def _without_article(word: str) -> tuple[str, ...]:
    """Alkahtani is Kahtani with an article; a short word begins so by chance."""
    return (word[2:],) if word.startswith(("al", "el")) and len(word) >= 7 else ()


def _across_scripts(arabic: Word, latin: Word) -> bool:
    spellings = {arabic_spelling(arabic.text), arabic_spelling(arabic.joined)}
    words = {latin.text, latin.joined, *_without_article(latin.text)}
    return any(arabic_pattern(word).fullmatch(s) for word in words for s in spellings if s)


def _alike(a: str, b: str) -> int:
    if a == b:
        return SURE
    if not (a.isascii() and b.isascii()):
        close = min(len(a), len(b)) >= 4 and OSA.distance(a, b, score_cutoff=1) <= 1
        return SURE if close else 0
    one, other = sounding(a), sounding(b)
    if one == other:
        return SURE
    if one_name(one, other):
        return LIKELY
    if _other_ending(one, other):
        return SURE if _family_forms(one, other) else 0
    return SURE if _slip(one, other) or _same_consonants(one, other) else 0


def _other_ending(a: str, b: str) -> bool:
    """Mario and Maria, Martin and Martina, Julia and Julian: what an ending tells apart."""
    if a[:-1] == b[:-1]:
        return a[-1:] in "aeiou" and b[-1:] in "aeiou"
    short, long = sorted((a, b), key=len)
    return long.startswith(short) and long[len(short) :] in {
        "a", "e", "o", "i", "n", "ne", "na", "ka", "ette", "ina", "ine", "s",
    }  # fmt: skip


def _family_forms(a: str, b: str) -> bool:
    """Kowalski and Kowalska, Ivanov and Ivanova: one family name."""
    short, long = sorted((a, b), key=len)
    slavic = ("ski", "cki", "zki", "ska", "cka", "zka")
    if a.endswith(slavic) and b.endswith(slavic):
        return True
    return long == short + "a" and short.endswith(("ov", "ev"))


def _slip(a: str, b: str) -> bool:
    """A slip of the finger: one letter in five or more, two in nine or more."""
    shorter = min(len(a), len(b))
    if shorter < 5:
        return shorter == 4 and _swapped(a, b)
    allowed = 2 if shorter >= 9 else 1
    if a[0] != b[0] and not (a[0] in "aeiou" and b[0] in "aeiou") and not _swapped(a, b):
        return False
    return int(OSA.distance(a, b, score_cutoff=allowed)) <= allowed


def _swapped(a: str, b: str) -> bool:
    return len(a) == len(b) and sorted(a) == sorted(b) and OSA.distance(a, b) == 1


def _same_consonants(a: str, b: str) -> bool:
    """Qahtani and Kahtany: a name from another script, its vowels spelled as they sounded."""
    one, other = consonants(a), consonants(b)
    if len(one) < 4 or one != other:
        return False
    return (a[-1] in "aeiou") == (b[-1] in "aeiou") and OSA.distance(a, b) <= 3
