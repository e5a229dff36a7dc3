"""Every text in every shipped locale, and the rules that make one readable in any of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

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
