"""What a form asks for in an address: only what the country's people have and a dealer needs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import pytest
from babel import Locale
from playwright.sync_api import sync_playwright

from lmt.config import LOCALES
from lmt.forms.countryaddresses import PARTS, AddressPart, address_parts, part_label
from lmt.forms.fields import in_words
from lmt.ingest.regionnames import REGION_NAMES, region_name

COUNTRIES = sorted(
    code for code in Locale("en").territories if len(code) == 2 and code.isalpha() and code != "ZZ"
)

#: Country: the parts in order, an asterisk where an address needs it.
ASKED = {
    "PL": "street postcode* city",
    "DE": "street postcode* city",
    "IT": "street postcode* city",
    "ES": "street postcode* city",
    "GB": "street city postcode*",
    "US": "street city postcode*",
    "IE": "street city* region* postcode",
    "TR": "street postcode city* region*",
    "AE": "street region* city",
    "QA": "street city*",
    "SA": "street city* postcode",
    "KW": "street postcode city*",
    "EG": "street city* region* postcode",
    "HK": "region* city street",
    "JP": "postcode* city street",
}


def parts(country: str, language: str = "en") -> dict[str, AddressPart]:
    return {each.part: each for each in address_parts(country, language)}


@pytest.mark.parametrize(("country", "asked"), ASKED.items())
def test_each_country_is_asked_for_what_it_has(country: str, asked: str) -> None:
    told = [each.part + "*" * each.required for each in address_parts(country)]
    assert told == asked.split()


@pytest.mark.parametrize(
    ("country", "given", "fits"),
    [
        ("PL", "00-950", True),
        ("PL", "00 950", True),
        ("PL", "00950", True),
        ("PL", "0950", False),
        ("GB", "SW1A 1AA", True),
        ("GB", "sw1a1aa", True),
        ("GB", "12345", False),
        ("NL", "1012 AB", True),
        ("NL", "1012", False),
        ("US", "90210-1234", True),
        ("SA", "11564", True),
        ("BH", "1216", True),
        ("BH", "0216", False),
        ("IE", "D02 X285", True),
    ],
)
def test_a_postcode_is_taken_as_people_write_it(country: str, given: str, fits: bool) -> None:
    pattern = parts(country)["postcode"].pattern
    assert bool(re.fullmatch(pattern, given, re.IGNORECASE | re.ASCII)) is fits


def test_emirates_are_offered_in_both_scripts_and_sent_by_the_name_that_routing_knows() -> None:
    emirates = parts("AE", "ar")["region"].areas
    assert len(emirates) == 7
    known = {spellings.split("|")[0] for spellings in REGION_NAMES["AE"]}
    assert {region_name(value, "AE") for value, _words in emirates} == known
    in_arabic = {value: in_words(words, "ar") for value, words in emirates}
    assert in_arabic["Dubai"] == "دبي"
    assert in_words(dict(emirates)["Dubai"], "pl") == "Dubai"


def test_provinces_stand_in_the_order_of_their_letters() -> None:
    provinces = [value for value, _words in parts("TR", "tr")["region"].areas]
    assert len(provinces) == 81
    for earlier, later in [("Bursa", "Çanakkale"), ("Çorum", "Denizli"), ("Iğdır", "İzmir")]:
        assert provinces.index(earlier) < provinces.index(later)


def test_words_follow_the_country_and_the_reader() -> None:
    assert part_label(parts("IE")["postcode"].label, "en") == "Eircode"
    assert part_label(parts("AE")["region"].label, "en") == "Emirate"
    assert part_label(parts("AE")["city"].label, "en") == "City or area"
    assert part_label(parts("PL")["postcode"].label, "en") == "Postcode"
    for country in COUNTRIES:
        for each in address_parts(country):
            for language in LOCALES:
                assert part_label(each.label, language)


@pytest.mark.parametrize("country", ["XX", "ZZ", "", "pl"])
def test_a_country_that_nobody_knows_is_asked_for_a_city(country: str) -> None:
    assert "city" in parts(country)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_can_say_where_somebody_lives(country: str) -> None:
    found = address_parts(country)
    names = [each.part for each in found]
    assert len(set(names)) == len(names)
    assert set(names) <= set(PARTS)
    assert "city" in names
    assert not next(each for each in found if each.part == "street").required
    for each in found:
        re.compile(each.pattern)
        values = [value for value, _words in each.areas]
        assert len(set(values)) == len(values)
        assert all(value.strip() for value in values)


@pytest.fixture(scope="module")
def evaluate() -> Iterator[object]:
    with sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=installed)
        yield browser.new_page().evaluate
        browser.close()


@pytest.mark.browser
def test_the_browser_reads_the_patterns_alike(evaluate) -> None:
    """Every country's pattern, against postcodes of every country, with each flag it may get."""
    written = ["00-950", "00950", "SW1A 1AA", "1012 ab", "11564", "1216", "D02 X285", "12345-6789"]
    written += ["100-0001", "K1A 0B1", "PC 112", "BFPO 1", "", "x", "123", "1234", "123456", "12\n"]
    patterns = sorted({each.pattern for c in COUNTRIES for each in address_parts(c)} - {""})
    in_browser = evaluate(
        """([patterns, written]) => patterns.map((pattern) => ["i", "iu"].map((flags) => {
            const all = new RegExp(`^(?:${pattern})$`, flags);
            return written.map((text) => all.test(text));
        }))""",
        json.loads(json.dumps([patterns, written])),
    )
    for pattern, answers in zip(patterns, in_browser, strict=True):
        here = [bool(re.fullmatch(pattern, text, re.I | re.A)) for text in written]
        assert answers == [here, here], pattern
