"""What became of a call that was made before we had the lead: worth routing, or only to be known.

Call centres write it in their own words and diallers in codes; both become one of ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from rapidfuzz import fuzz, process

from lmt.mapping.folding import words_of

MAX_LENGTH = 300
_BRACKETS = str.maketrans("()[]{}*", "       ")
_DIGITS = re.compile(r"\d+")
_MOST_WORDS = 40
_SHORTEST_TYPO = 7
_TYPO_LIKENESS = 90
# "No appointment", "Termin nicht": what is denied is no news of its own.
_DENYING_WORDS = """
    no not never without isnt wasnt arent dont doesnt didnt nor non pas ne jamais kein keine keinen
    nicht nie ohne sin nunca brak bez nigdy geen niet nooit zonder yet لا لم غير بدون ليس ليست لست
    مش مو
"""
_DENIED_BEFORE = frozenset(_DENYING_WORDS.split())
_DENIED_AFTER = frozenset(["nicht", "niet", "degil", "yok", "istemiyor", "istemedi"])
_DENIED = _DENIED_BEFORE | _DENIED_AFTER
# What may stand between the denial and what it denies: "not really interested", "nie jest …".
_SOFT_WORDS = """
    really very too so that at all any is are be been much particularly currently anymore longer
    est sont etre vraiment tres du tout ist sind sehr wirklich mehr besonders es esta estaba estoy
    muy quiere desea jest byl byla bardzo juz chce meer erg echt zo
"""
_SOFT = frozenset(_SOFT_WORDS.split())
_MOST_BETWEEN = 3
# Whoever isn't what the words say is something else that we know.
_DENIAL_OF = {"interested": "not_interested", "reached": "no_answer"}
_DIALLERS_WORDS = frozenset(["dnc", "dncl"])
# "Do not call before five" asks for a call.
_NOT_YET = frozenset(
    [
        "before",
        "until",
        "till",
        "vor",
        "bis",
        "avant",
        "antes",
        "przed",
        "voor",
        "tot",
        "قبل",
        "حتى",
    ]
)
#: What is said before and after one of these is two things: "interested, not in a test drive".
_BETWEEN_CLAUSES = re.compile(r"[,;:|/\n]|[.!?]\s|\s[-–—]+\s")
#: A date or a time of day among words: "call back at 12/05/2026 14:30", "Rückruf am 3.12. um 9h".
_WHEN = re.compile(
    r"(?<![\w+])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})"
    r"(?:[T\s,]*(?:at|um|à|om|o|saat)?\s*\d{1,2}[:.h]\d{2}(?::\d{2})?\s*(?:[ap]\.?m\.?)?"
    r"(?:Z|\s?[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Disposition:
    """How a call ended: our `code`, and what follows for the row that tells it.

    `action` is `route` (worth a dealer's time), `history` (kept with the customer) or `suppress`
    (nobody calls this person again).
    """

    code: str
    action: str


_ALL = (
    ("not_called", "route"),
    ("interested", "route"),
    ("call_back", "route"),
    ("appointment", "route"),
    ("reached", "route"),
    ("transferred", "route"),
    ("no_answer", "history"),
    ("busy", "history"),
    ("voicemail", "history"),
    ("gatekeeper", "history"),
    ("unreachable", "history"),
    ("dropped", "history"),
    ("not_interested", "history"),
    ("not_eligible", "history"),
    ("wrong_number", "history"),
    ("already_customer", "history"),
    ("sale", "history"),
    ("duplicate_call", "history"),
    ("resolved", "history"),
    ("do_not_call", "suppress"),
)
#: By code, in the order in which a person is shown them.
DISPOSITIONS: Mapping[str, Disposition] = MappingProxyType(
    {code: Disposition(code, action) for code, action in _ALL}
)
# Where a text says several things: who must not be called comes first, then what a dealer can do
# something with, and what says least last.
_FIRST = (
    "do_not_call", "wrong_number", "already_customer", "sale", "call_back", "not_interested",
    "not_eligible", "appointment", "interested", "transferred", "duplicate_call", "voicemail",
    "gatekeeper", "busy", "dropped", "unreachable", "no_answer", "not_called", "reached",
    "resolved",
)  # fmt: skip
_RANK = {code: rank for rank, code in enumerate(_FIRST)}


@lru_cache(maxsize=4_096)
def disposition(text: str) -> Disposition | None:
    """The disposition that a cell tells, in any language shipped or a dialler's code.

    Case, accents, punctuation and digits don't matter: `CALLBK`, `Call-back` and `1. call back at
    3/12` are one. None where the words are not known, or there are none.
    """
    plain = _DIGITS.sub(" ", text[:MAX_LENGTH].translate(_BRACKETS))
    words = words_of(plain)[:_MOST_WORDS]
    if not words:
        return None
    code = _book().get(words) or _spelt(words)
    if not code:
        clauses = map(words_of, _BETWEEN_CLAUSES.split(plain))
        told = [each for clause in clauses for each in _among(clause[:_MOST_WORDS])]
        code = min(told, key=_RANK.__getitem__, default="")
    return DISPOSITIONS[code] if code else None


def told_time(text: str) -> str:
    """The date, and the time of day where one follows it, that a disposition's own text names."""
    found = _WHEN.search(text[:MAX_LENGTH])
    return found[0].strip() if found else ""


def _spelt(words: tuple[str, ...]) -> str:
    """By the letters alone (`NOANSWER`), a slip allowed in all but the shortest."""
    letters, spellings = "".join(words), _spellings()
    if letters in spellings or not _SHORTEST_TYPO <= len(letters) <= 40:
        return _book()[spellings[letters]] if letters in spellings else ""
    best = process.extractOne(
        letters, spellings.keys(), scorer=fuzz.ratio, score_cutoff=_TYPO_LIKENESS
    )
    if best is None or len(best[0]) < _SHORTEST_TYPO:
        return ""
    meant = spellings[best[0]]
    # An "un-" or a "no" more or less is no slip.
    if letters.endswith(best[0]) or best[0].endswith(letters):
        return ""
    return _book()[meant] if bool(_DENIED & {*words}) == bool(_DENIED & {*meant}) else ""


def _among(words: tuple[str, ...]) -> list[str]:
    """What longer words tell: the codes of the phrases in them that no longer phrase holds
    ("interested" within "not interested"), and of what is denied its opposite, if it has one."""
    book = _book()
    told: list[str] = []
    taken = 0
    for start in range(len(words)):
        for end in range(min(len(words), start + _longest()), max(start, taken), -1):
            phrase = words[start:end]
            if (code := book.get(phrase)) and (len(phrase) > 1 or _tells(phrase[0])):
                taken = end
                if _is_denied(words, start, end):
                    # Who is not yet interested may be still.
                    code = "" if "yet" in words[:start] else _DENIAL_OF.get(code, "")
                elif code == "do_not_call" and not _NOT_YET.isdisjoint(words[end : end + 1]):
                    code = "call_back"
                told += [code] if code else []
                break
    return told


def _tells(word: str) -> bool:
    """Whether a word means something among others, too: a dialler's letters do so alone only, for
    "a" is an article. But nobody means another thing by DNC."""
    return len(word) > (4 if word.isascii() else 3) or word in _DIALLERS_WORDS


def _is_denied(words: tuple[str, ...], start: int, end: int) -> bool:
    """Whether a denial stands before or after the words from `start` to `end`."""
    before = start - 1
    while before > start - 1 - _MOST_BETWEEN and before >= 0 and words[before] in _SOFT:
        before -= 1
    if before >= 0 and words[before] in _DENIED_BEFORE:
        return True
    # "Termin nicht erreicht": the denial may be another phrase's.
    begins = any(words[end:last] in _book() for last in range(end + 2, end + 1 + _longest()))
    return not _DENIED_AFTER.isdisjoint(words[end : end + 1]) and not begins


@lru_cache(maxsize=1)
def _book() -> Mapping[tuple[str, ...], str]:
    """{folded words: code} of every phrase, and of every dialler's mark as one word."""
    data = json.loads(files(__package__).joinpath("dispositions.json").read_text(encoding="utf-8"))
    book = {words_of(code): code for code in DISPOSITIONS}
    for code, languages in data["words"].items():
        for phrases in languages.values():
            for phrase in phrases.split("|"):
                book.setdefault(words_of(phrase), code)
    for code, marks in data["codes"].items():
        for mark in marks.split():
            book.setdefault((mark.casefold(),), code)
    return book


@lru_cache(maxsize=1)
def _spellings() -> Mapping[str, tuple[str, ...]]:
    spelt: dict[str, tuple[str, ...]] = {}
    for words in _book():
        spelt.setdefault("".join(words), words)
    return spelt


@lru_cache(maxsize=1)
def _longest() -> int:
    return max(map(len, _book()))
