"""What people call the columns of a list of dealers, and what they write into them, by language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lmt.mapping.folding import words_of

SERVICES = ("sales", "used", "after_sales", "parts", "fleet", "finance", "care")
KINDS = ("showroom", "workshop", "team")
_PHRASE_WORDS = 4


def field_named(column: str) -> str:
    """The field that a column's name is called after; "" where it is none that is known."""
    return _fields().get("".join(words_of(column)), "")


def service_named(text: str) -> str:
    """A service by its code or what people call it; "" for none."""
    return _by_letters("services").get("".join(words_of(text)), "")


def kind_named(text: str) -> str:
    """A dealer's kind by its code or what people call it; "" for none."""
    return _by_letters("kinds").get("".join(words_of(text)), "")


def yes_or_no(text: str) -> bool | None:
    """None for what is neither."""
    said = text.strip().casefold()
    if said in _signs("yes"):
        return True
    return False if said in _signs("no") else None


def service_within(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The service that some neighbouring words name, and the words left; ("", words) for none."""
    for length in range(min(_PHRASE_WORDS, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            service = _by_letters("services").get("".join(words[start : start + length]), "")
            if service:
                return service, (*words[:start], *words[start + length :])
    return "", words


@lru_cache(maxsize=1)
def _book() -> Mapping[str, Any]:
    text = files(__package__).joinpath("synonyms.json").read_text(encoding="utf-8")
    book: Mapping[str, Any] = json.loads(text)
    return book


@lru_cache(maxsize=1)
def _fields() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, languages in _book()["fields"].items():
        found["".join(words_of(name))] = name
        for listed in languages.values():
            for synonym in listed.split("|"):
                found.setdefault("".join(words_of(synonym)), name)
    return found


@lru_cache(maxsize=2)
def _by_letters(table: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for code, listed in _book()[table].items():
        for word in (code, *listed.split("|")):
            found.setdefault("".join(words_of(word)), code)
    found.pop("", None)
    return found


@lru_cache(maxsize=2)
def _signs(answer: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _book()[answer].split("|"))
