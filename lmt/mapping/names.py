"""Which field of ours a stranger's header names, in any language shipped, and how surely."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from rapidfuzz import fuzz, process

from lmt.mapping.folding import words_of

_EXACT = 1.0
_ANY_ORDER = 0.95
_MISSPELT = 0.75
_PARTLY = 0.5
_LONGEST_NAME = 12
_SHORTEST_TYPO = 7
_TYPO_LIKENESS = 90
#: Sections whose fields are the person's own: another's (the dealer's mail) is none of them.
_PERSONAL = ("customer.", "address.")


@dataclass(frozen=True, slots=True)
class _Book:
    """The synonyms, ready to be looked up: by letters alone, by their set of words, and those
    that count within a longer name too. `unsaid` words tell nothing, `breakers` tell of somebody
    or something else, and so do those `of_a_dealer` beside a dealer."""

    by_letters: Mapping[str, str]
    by_words: Mapping[frozenset[str], str]
    within: Mapping[str, tuple[tuple[frozenset[str], str, int], ...]]
    unsaid: frozenset[str]
    breakers: frozenset[str]
    of_a_dealer: frozenset[str]


def named_targets(name: str) -> dict[str, float]:
    """{target: how surely, up to 1} of a header, a field's name or a form's question."""
    book = _book()
    said = words_of(name)
    words = tuple(word for word in said if word not in book.unsaid) or said
    if not words:
        return {}
    for spelling in ("".join(words), "".join(said)):
        if spelling in book.by_letters:
            return {book.by_letters[spelling]: _EXACT}
    bag = frozenset(words)
    if bag in book.by_words:
        return {book.by_words[bag]: _ANY_ORDER}
    return _partly(book, bag) or _misspelt(book, "".join(words))


def _partly(book: _Book, bag: frozenset[str]) -> dict[str, float]:
    """Names that hold a synonym among other words: the more of the name it is, the surer."""
    found: dict[str, float] = {}
    letters = sum(len(word) for word in bag)
    for word in bag:
        for words, target, length in book.within.get(word, ()):
            if not words <= bag:
                continue
            if target.startswith("consents."):
                score = 0.8 if target == "consents.marketing" else 0.75
            elif len(bag) > _LONGEST_NAME or _is_broken(book, target, bag - words):
                continue
            else:
                score = _PARTLY + 0.4 * length / letters
            found[target] = max(score, found.get(target, 0))
    return found


def _is_broken(book: _Book, target: str, rest: frozenset[str]) -> bool:
    if target == "request.preferred_dealer":
        return bool(rest & book.of_a_dealer)
    if not target.startswith(_PERSONAL):
        return False
    # "Postcode / City": two fields in one are none of ours.
    other = book.by_letters.get("".join(rest), target)
    both = target.startswith("address.") and other.startswith("address.") and other != target
    return both or bool(rest & book.breakers)


def _misspelt(book: _Book, spelling: str) -> dict[str, float]:
    if not _SHORTEST_TYPO <= len(spelling) <= 40:
        return {}
    best = process.extractOne(
        spelling, book.by_letters.keys(), scorer=fuzz.ratio, score_cutoff=_TYPO_LIKENESS
    )
    if best is None or len(best[0]) < _SHORTEST_TYPO:
        return {}
    return {book.by_letters[best[0]]: _MISSPELT}


@lru_cache(maxsize=1)
def _book() -> _Book:
    data = json.loads(files(__package__).joinpath("synonyms.json").read_text(encoding="utf-8"))
    unsaid = frozenset(
        word
        for words in data["unsaid"].values()
        for each in words.split()
        for word in words_of(each)
    )
    by_letters: dict[str, str] = {}
    by_words: dict[frozenset[str], str] = {}
    within: dict[str, list[tuple[frozenset[str], str, int]]] = {}
    for target, languages in data["targets"].items():
        by_letters.setdefault("".join(words_of(target)), target)
        for synonyms in languages.values():
            for synonym in synonyms.split("|"):
                said = words_of(synonym.removeprefix("="))
                words = tuple(word for word in said if word not in unsaid) or said
                by_letters.setdefault("".join(words), target)
                by_letters.setdefault("".join(said), target)
                by_words.setdefault(frozenset(words), target)
                # What is one word only for want of the others would be found everywhere.
                if not synonym.startswith("=") and (len(words) > 1 or words == said):
                    bag = frozenset(words)
                    rarest = max(bag, key=len)
                    within.setdefault(rarest, []).append((bag, target, sum(map(len, bag))))
    return _Book(
        by_letters,
        by_words,
        {word: tuple(dict.fromkeys(found)) for word, found in within.items()},
        unsaid,
        frozenset(data["breakers"].split()),
        frozenset(data["of_a_dealer"].split()),
    )
