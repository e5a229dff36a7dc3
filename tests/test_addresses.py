"""Postcodes, regions and towns, each in its own field and as its country writes it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.ingest.normalise import understand
from lmt.ingest.postcodes import SHAPES, WITHOUT, Postcode, code_and_town, postcode
from lmt.ingest.regionnames import region_name

BOX, NONE_THERE = "postcode_is_po_box", "country_has_no_postcodes"
COMPLETED, FOREIGN = "postcode_completed", "postcode_not_of_country"


@pytest.mark.parametrize(
    ("text", "country", "code", "town", "problem"),
    [
        ("1012ab", "NL", "1012 AB", "", ""),
        ("1012 AB Amsterdam", "NL", "1012 AB", "Amsterdam", ""),
        ("NL-1012AB", "NL", "1012 AB", "", ""),
        ("1012", "NL", "1012", "", ""),
        ("00-001", "PL", "00-001", "", ""),
        ("00001", "PL", "00-001", "", ""),
        ("00 001", "PL", "00-001", "", ""),
        ("Warszawa 00-001", "PL", "00-001", "Warszawa", ""),
        ("00-001 Nowa Wieś", "PL", "00-001", "Nowa Wieś", ""),
        ("75008 Paris", "FR", "75008", "Paris", ""),
        ("F-75008", "FR", "75008", "", ""),
        ("D-10115", "DE", "10115", "", ""),
        ("10 115", "DE", "10115", "", ""),
        ("sw1a1aa", "GB", "SW1A 1AA", "", ""),
        ("m1 1ae", "GB", "M1 1AE", "", ""),
        ("11455", "SE", "114 55", "", ""),
        ("k1a0b1", "CA", "K1A 0B1", "", ""),
        ("١٢٣٤٥", "SA", "12345", "", ""),
        ("12345-6789", "SA", "12345-6789", "", ""),
        # Noughts that a spreadsheet lost.
        ("1069", "DE", "01069", "", COMPLETED),
        ("1000", "FR", "01000", "", COMPLETED),
        ("8001", "ES", "08001", "", COMPLETED),
        ("1010", "TR", "01010", "", COMPLETED),
        ("950", "PL", "00-950", "", COMPLETED),
        ("1069", "AT", "1069", "", ""),
        ("106", "DE", "106", "", FOREIGN),
        # No postcodes.
        ("12345", "AE", "", "", NONE_THERE),
        ("00000", "QA", "", "", NONE_THERE),
        ("P.O. Box 1234", "SA", "", "", BOX),
        ("PO Box 99", "AE", "", "", BOX),
        ("ص.ب 123", "SA", "", "", BOX),
        ("Postfach 12", "DE", "", "", BOX),
        ("00000", "DE", "", "", FOREIGN),
        # Kept as given.
        ("1012 AB", "DE", "1012 AB", "", FOREIGN),
        ("101150", "DE", "101150", "", FOREIGN),
        ("X1 77", "ZZ", "X1 77", "", ""),
        ("X1 77", "", "X1 77", "", ""),
        ("", "DE", "", "", ""),
    ],
)
def test_postcodes(text: str, country: str, code: str, town: str, problem: str) -> None:
    assert postcode(text, country) == Postcode(code, town, problem)


def test_noughts_are_put_back_only_where_the_country_is_certain() -> None:
    assert postcode("1069", "DE", certain=False) == Postcode("1069", problem=FOREIGN)
    asked = {"address": {"postcode": "1069"}}
    assert understand(asked, country="DE").address.postcode == "1069"
    assert understand(asked, country="DE", market_country="DE").address.postcode == "01069"
    stated = {"address": {"postcode": "1069", "country": "Deutschland"}}
    assert understand(stated).address.postcode == "01069"


@pytest.mark.parametrize(
    ("given", "country", "postcode_and_city"),
    [
        ({"postcode": "75008 Paris"}, "FR", ("75008", "Paris")),
        ({"postcode": "75008 Paris", "city": "Paris"}, "FR", ("75008", "Paris")),
        ({"city": "75008 Paris"}, "FR", ("75008", "Paris")),
        ({"postcode": "75008", "city": "75008 Paris"}, "FR", ("75008", "Paris")),
        ({"postcode": "69001", "city": "75008 Paris"}, "FR", ("69001", "75008 Paris")),
        ({"postcode": "1012 AB Amsterdam-Centrum en omgeving"}, "NL",
         ("1012 AB", "Amsterdam-Centrum en omgeving")),
        ({"city": "Dubai", "postcode": "00000"}, "AE", ("", "Dubai")),
        ({"city": "Paris 15"}, "FR", ("", "Paris 15")),
        ({"postcode": 10115}, "DE", ("10115", "")),
        ({"postcode": ["10115"]}, "DE", ("10115", "")),
    ],
)  # fmt: skip
def test_postcode_and_town_find_their_fields(
    given: dict[str, object], country: str, postcode_and_city: tuple[str, str]
) -> None:
    lead = understand({"address": given}, country=country)
    assert (lead.address.postcode, lead.address.city) == postcode_and_city
    assert lead.given == {"address": given}


@pytest.mark.parametrize(
    ("text", "country", "name"),
    [
        ("دبي", "AE", "Dubai"), ("DUBAI", "AE", "Dubai"), ("إمارة دبي", "AE", "Dubai"),
        ("Emirate of Abu Dhabi", "AE", "Abu Dhabi"), ("أبو ظبي", "AE", "Abu Dhabi"),
        ("Ras al-Khaimah", "AE", "Ras Al Khaimah"), ("الشارقة", "AE", "Sharjah"),
        ("UAQ", "AE", "Umm Al Quwain"), ("المنطقة الشرقية", "SA", "Eastern Province"),
        ("Mecca", "SA", "Makkah"), ("مكة المكرمة", "SA", "Makkah"), ("الرياض", "SA", "Riyadh"),
        ("Dubai", "SA", "Dubai"), ("Bayern", "DE", "Bayern"), ("elsewhere", "AE", "elsewhere"),
        ("", "AE", ""),
    ],
)  # fmt: skip
def test_regions_have_one_spelling(text: str, country: str, name: str) -> None:
    assert region_name(text, country) == name


def test_a_region_is_read_by_the_country_of_the_source() -> None:
    lead = understand({"address": {"region": "دبي"}}, country="AE")
    assert (lead.address.region, lead.address.country) == ("Dubai", "")
    assert lead.given["address"]["region"] == "دبي"


@settings(max_examples=150, deadline=None)
@given(st.text(), st.sampled_from([*sorted(SHAPES), *sorted(WITHOUT), "", "XX"]))
def test_any_place_is_read_without_raising(text: str, country: str) -> None:
    postcode(text, country)
    postcode(f"1234 {text}", country)
    code_and_town(text, country)
    region_name(text, country)
