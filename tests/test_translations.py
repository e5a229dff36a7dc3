"""Every text in every shipped locale, and the rules that make one readable in any of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from babel.support import Translations

from lmt import i18n
from lmt.config import LOCALES
from lmt.labels import LABELS, label
from tools import catalogues


def test_every_locale_is_complete() -> None:
    assert catalogues.check() == []


def test_the_tool_and_the_product_ship_the_same_locales() -> None:
    assert catalogues.LOCALES == LOCALES


@pytest.mark.parametrize("locale", [code for code in LOCALES if code != "en"])
def test_codes_have_words_of_their_own_in_every_language(locale: str) -> None:
    """A few words are the same in two languages; a catalogue that is English is none."""
    same = []
    for kind, words in LABELS.items():
        for code, english in words.items():
            with i18n.reading("en"):
                wanted = str(english)
            with i18n.reading(locale):
                if label(kind, code) == wanted:
                    same.append(wanted)
    assert len(same) < 15, same


@pytest.mark.parametrize(
    ("num", "contains"), [(0, ""), (1, ""), (2, ""), (5, "5"), (11, "11"), (100, "100")]
)
def test_arabic_has_a_form_for_every_kind_of_number(num: int, contains: str) -> None:
    with i18n.reading("ar"):
        text = i18n.ngettext("%(num)s lead", "%(num)s leads", num)
    assert contains in text


CATALOGUES = sorted(catalogues.FOLDER.glob("*/LC_MESSAGES/messages.po"))
NUMBERS = (0, 1, 2, 3, 4, 5, 10, 11, 12, 21, 22, 25, 99, 100, 101, 102, 103, 111)
CATEGORIES = {"ar": ("zero", "one", "two", "few", "other", "many"), "pl": ("one", "few", "many")}
"""CLDR's, in the order in which a catalogue writes its forms. Whole numbers have no more."""


@cache
def rule_of(locale: str) -> Callable[[int], int]:
    """Which form a number has, by the catalogue as it is loaded."""
    rule: Callable[[int], int] = Translations.load(str(i18n.CATALOGUES), [locale]).plural
    return rule


@cache
def of_one_number(locale: str) -> frozenset[int]:
    """The forms that one number alone has: they may say it in a word."""
    chosen = Counter(rule_of(locale)(num) for num in range(200))
    return frozenset(form for form, times in chosen.items() if times == 1)


@pytest.mark.parametrize("num", NUMBERS)
@pytest.mark.parametrize("locale", sorted(CATEGORIES))
def test_the_form_of_a_number_is_the_one_that_its_language_has(locale: str, num: int) -> None:
    """By the rules of Unicode."""
    assert CATEGORIES[locale][rule_of(locale)(num)] == Locale(locale).plural_form(num)


def forms_of(text: Any) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, tuple | list) else (str(text),)


def translated(path: Path) -> list[tuple[str, Message]]:
    """(locale, message) of every text of a catalogue that has a translation."""
    locale = path.parent.parent.name
    with path.open("rb") as file:
        catalogue = read_po(file, locale=locale)
    return [(locale, each) for each in catalogue if each.id and all(forms_of(each.string))]


MESSAGES = [each for path in CATALOGUES for each in translated(path)]
_FILLED = re.compile(r"%\(\w+\)[a-z]|\{\{.*?\}\}|\{%.*?%\}")
_KEPT = re.compile(r"https?://(?:[\w/-]|\.(?=\w))*|<[^<>]+>")


def test_every_plural_has_all_its_forms() -> None:
    """Nought, one and two in a word are different words; beside a number the noun may stay."""
    wrong = []
    for locale, message in MESSAGES:
        forms = forms_of(message.string)
        if locale not in CATEGORIES or "%(num)s" not in forms_of(message.id)[-1]:
            continue
        if not isinstance(message.id, tuple | list):
            continue
        in_a_word = [form for form in forms if "%(num)s" not in form]
        if len(forms) != len(CATEGORIES[locale]) or len(set(in_a_word)) != len(in_a_word):
            wrong.append((locale, message.id[0], forms))
    assert wrong == []


def test_what_is_filled_in_is_filled_in_by_every_form() -> None:
    wrong = []
    for locale, message in MESSAGES:
        sources, forms = forms_of(message.id), forms_of(message.string)
        wanted = set(_FILLED.findall(sources[-1]))
        for number, form in enumerate(forms):
            told = set(_FILLED.findall(form))
            in_a_word = len(forms) > 1 and number in of_one_number(locale)
            if told != wanted and not (in_a_word and told < wanted):
                wrong.append((locale, sources[-1], form))
    assert wrong == []


def test_translations_keep_markup_addresses_and_the_space_around_them() -> None:
    wrong = []
    for locale, message in MESSAGES:
        source = forms_of(message.id)[-1]
        for form in forms_of(message.string):
            same_space = (source[:1].isspace(), source[-1:].isspace()) == (
                form[:1].isspace(), form[-1:].isspace(),
            )  # fmt: skip
            if not same_space or Counter(_KEPT.findall(source)) != Counter(_KEPT.findall(form)):
                wrong.append((locale, source, form))
    assert wrong == []


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "Sunday, March 8, 9:00 AM"),
        ("de", "Sonntag, 8. März"),
        ("fr", "dimanche 8 mars"),
        ("pl", "niedziela"),
        ("ar", "الأحد"),
    ],
)
def test_a_deadline_is_told_as_a_person_would_say_it(locale: str, words: str) -> None:
    with i18n.reading(locale, "Asia/Riyadh"):
        text = i18n.format_day_time(datetime(2026, 3, 8, 6, 0, tzinfo=UTC))
    assert words in text.replace("\u202f", " ")


def test_an_unknown_language_falls_back_to_english() -> None:
    with i18n.reading("xx"):
        assert i18n.reader().locale == "en"
    assert i18n.best_locale(["ar-SA", "en"]) == "ar"
    assert i18n.direction("ar") == "rtl"


def test_no_layout_names_left_or_right() -> None:
    """Logical properties alone turn round in right-to-left pages."""
    found = [
        f"{path.name}: {line.strip()}"
        for path in Path("lmt").rglob("*.css")
        if "vendor" not in path.parts
        for line in path.read_text().splitlines()
        if any(
            word in line
            for word in ("margin-left", "margin-right", "padding-left", "padding-right",
                         "text-align: left", "text-align: right", "float: left", "border-left",
                         "border-right")
        )
    ]  # fmt: skip
    assert found == []
