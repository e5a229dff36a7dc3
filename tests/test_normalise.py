"""Understanding a delivery: names, numbers, places and wishes, in any script; nothing raises."""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.ingest.countries import country_code
from lmt.ingest.emails import email_address
from lmt.ingest.languages import language_code
from lmt.ingest.leadinput import Consent, LeadInput
from lmt.ingest.names import person_name
from lmt.ingest.normalise import understand
from lmt.ingest.phones import e164
from lmt.ingest.requesttypes import REQUEST_TYPES, request_type

ROOT = Path(__file__).parent.parent


def problems(lead: LeadInput) -> set[tuple[str, str]]:
    return {(problem.field, problem.code) for problem in lead.problems}


@pytest.mark.parametrize(
    ("text", "countries", "number"),
    [
        ("+48 22 555 01 00", [], "+48225550100"),
        ("0048 22 555 01 00", [], "+48225550100"),
        ("050 123 4567", ["SA"], "+966501234567"),
        ("٠٥٠ ١٢٣ ٤٥٦٧", ["SA"], "+966501234567"),
        ("۰۵۰۱۲۳۴۵۶۷", ["SA"], "+966501234567"),
        ("٠٠٩٦٦٥٠١٢٣٤٥٦٧", [], "+966501234567"),
        ("＋９６６５０１２３４５６７", [], "+966501234567"),
        ("\u202a+966 50 123 4567\u202c", [], "+966501234567"),
        ("966501234567", ["SA"], "+966501234567"),
        ("501234567.0", ["SA"], "+966501234567"),
        ("tel:+966-50-123-4567", [], "+966501234567"),
        ("p:+966501234567", ["PL"], "+966501234567"),
        ("06 12 34 56 78", ["FR"], "+33612345678"),
        ("06 12 34 56 78", ["", "FR"], "+33612345678"),
        ("+49 (0) 30 901820", ["DE"], "+4930901820"),
        ("n/a or 06 12 34 56 78", ["FR"], "+33612345678"),
        ("393-999-3922", ["US"], ""),
        ("22111111", [], ""),
        ("12345", ["PL"], ""),
        ("call me", ["PL"], ""),
        ("", ["PL"], ""),
    ],
)
def test_phones(text: str, countries: list[str], number: str) -> None:
    assert e164(text, countries)[0] == number


@pytest.mark.parametrize(
    ("phone", "reachable", "kept"),
    [
        ("393-999-3922", True, "393-999-3922"),
        ("٢٢١١١١١١", True, "٢٢١١١١١١"),
        (22111111, True, "22111111"),
        (22111111.0, True, "22111111"),
        ("123", False, "123"),
        ("none of yours", False, "none of yours"),
    ],
)
def test_a_number_that_is_not_valid_is_kept(phone: Any, reachable: bool, kept: str) -> None:
    lead = understand({"customer": {"phone": phone}})
    assert lead.customer.phone == kept
    assert problems(lead) == {("customer.phone", "phone_not_valid")}
    assert lead.reachable is reachable


def test_the_country_of_the_address_comes_before_the_default() -> None:
    customer = {"phone": "050 123 4567"}
    lead = understand({"customer": customer, "address": {"country": "UAE"}}, country="SA")
    assert lead.customer.phone == "+971501234567"
    assert understand({"customer": customer}, country="SA").customer.phone == "+966501234567"


def test_an_extension_is_not_lost() -> None:
    lead = understand({"customer": {"phone": "+48 22 555 01 00 ext. 12"}})
    assert lead.customer.phone == "+48225550100"
    assert [(p.code, p.given) for p in lead.problems] == [("phone_extension", "12")]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Zofia@EXAMPLE.com", "Zofia@example.com"),
        (" zofia @ example.com ", "zofia@example.com"),
        ("mailto:zofia@example.com", "zofia@example.com"),
        ("Zofia <zofia@example.com>", "zofia@example.com"),
        ("zofia@example.com.", "zofia@example.com"),
        ("info@Müller.de", "info@müller.de"),
        ("info@xn--mller-kva.de", "info@müller.de"),
        ("anna@dealer.test", "anna@dealer.test"),
        ("zofia@", ""),
        ("zofia.example.com", ""),
        ("zo fia@example.com", ""),
        ("a@b@example.com", ""),
        ("", ""),
    ],
)
def test_emails(text: str, address: str) -> None:
    assert email_address(text) == address


def test_an_email_that_is_none_is_no_way_to_reach_and_is_shown() -> None:
    lead = understand({"customer": {"email": "zofia@gmail,com"}})
    assert lead.customer.email == ""
    assert [(p.field, p.code, p.given) for p in lead.problems] == [
        ("customer.email", "email_not_valid", "zofia@gmail,com")
    ]
    assert not lead.reachable
    assert understand({"customer": {"email": "z@example.com"}}).reachable


@pytest.mark.parametrize(
    ("full", "language", "title", "first", "last", "shown"),
    [
        ("John Smith", "", "", "John", "Smith", "John Smith"),
        ("Mr. John Smith", "", "Mr.", "John", "Smith", "John Smith"),
        ("Herr Prof. Dr. Karl Maier", "de", "Herr Prof. Dr.", "Karl", "Maier", "Karl Maier"),
        ("Frau Müller", "de", "Frau", "", "Müller", "Müller"),
        ("Mme Claire Dubois", "fr", "Mme", "Claire", "Dubois", "Claire Dubois"),
        ("M. Jean Dubois", "fr", "M.", "Jean", "Dubois", "Jean Dubois"),
        ("M. Jean Dubois", "en", "", "M. Jean", "Dubois", "M. Jean Dubois"),
        ("Pan Jan Nowak", "pl", "Pan", "Jan", "Nowak", "Jan Nowak"),
        ("Pan Wei", "en", "", "Pan", "Wei", "Pan Wei"),
        ("Sayın Ayşe Yılmaz", "tr", "Sayın", "Ayşe", "Yılmaz", "Ayşe Yılmaz"),
        ("Ayşe Yılmaz Hanım", "tr", "Hanım", "Ayşe", "Yılmaz", "Ayşe Yılmaz"),
        ("Dhr. Jan van der Berg", "nl", "Dhr.", "Jan", "van der Berg", "Jan van der Berg"),
        ("Ludwig van Beethoven", "", "", "Ludwig", "van Beethoven", "Ludwig van Beethoven"),
        ("Juan de la Cruz", "es", "", "Juan", "de la Cruz", "Juan de la Cruz"),
        ("Juan Carlos García López", "es", "", "Juan Carlos", "García López", None),
        ("María del Carmen Ruiz Vega", "es", "", "María del Carmen", "Ruiz Vega", None),
        ("José Ortega y Gasset", "es", "", "José", "Ortega y Gasset", None),
        ("Mohammed bin Salman", "", "", "Mohammed", "bin Salman", None),
        ("Fahad al-Otaibi", "", "", "Fahad", "al-Otaibi", None),
        ("Abdul Rahman Khan", "", "", "Abdul Rahman", "Khan", None),
        ("Abdul Rahman", "", "", "Abdul Rahman", "", None),
        ("Mary Ann Smith Jr.", "", "", "Mary Ann", "Smith Jr.", None),
        ("Smith, John", "", "", "John", "Smith", "John Smith"),
        ("Acme, Inc.", "", "", "", "", ""),
        ("Madonna", "", "", "Madonna", "", "Madonna"),
        ("Dr", "", "", "Dr", "", "Dr"),
        ("محمد العتيبي", "ar", "", "محمد", "العتيبي", "محمد العتيبي"),
        ("عبد الله بن سعود", "ar", "", "عبد الله", "بن سعود", None),
        ("عبد الله", "ar", "", "عبد الله", "", None),
        ("السيد البدوي", "ar", "", "السيد", "البدوي", "السيد البدوي"),
        ("السيد/ أحمد علي", "ar", "السيد", "أحمد", "علي", "أحمد علي"),
        ("د. أحمد علي", "ar", "د.", "أحمد", "علي", "أحمد علي"),
        ("王小明", "zh", "", "", "", "王小明"),
        ("田中 太郎", "ja", "", "", "", "田中 太郎"),
        ("김 철수", "ko", "", "", "", "김 철수"),
        ("", "", "", "", "", ""),
    ],
)
def test_full_names(
    full: str, language: str, title: str, first: str, last: str, shown: str | None
) -> None:
    name = person_name(full=full, language=language)
    assert (name.title, name.first, name.last) == (title, first, last)
    assert name.full == (full if shown is None else shown)


@pytest.mark.parametrize(
    ("first", "last", "full"),
    [
        ("Zofia", "Łęcka", "Zofia Łęcka"),
        ("Zofia", "", "Zofia"),
        ("", "Łęcka", "Łęcka"),
        ("Mr. John", "Smith", "John Smith"),
        ("小明", "王", "王小明"),
        ("محمد", "العتيبي", "محمد العتيبي"),
    ],
)
def test_names_given_in_parts_are_composed(first: str, last: str, full: str) -> None:
    assert person_name(first=first, last=last).full == full


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SA", "SA"), ("sa", "SA"), ("SAU", "SA"), ("682", "SA"), ("KSA", "SA"),
        ("Saudi Arabia", "SA"), ("السعودية", "SA"), ("المملكة العربية السعودية", "SA"),
        ("الامارات", "AE"), ("الإمارات العربية المتحدة", "AE"), ("UAE", "AE"), ("قطر", "QA"),
        ("UK", "GB"), ("U.K.", "GB"), ("England", "GB"), ("USA", "US"), ("U.S.A.", "US"),
        ("United States of America", "US"), ("Deutschland", "DE"), ("Allemagne", "DE"),
        ("Alemania", "DE"), ("Niemcy", "DE"), ("Duitsland", "DE"), ("Almanya", "DE"),
        ("ألمانيا", "DE"), ("Polska", "PL"), ("POLSKA", "PL"), ("Türkiye", "TR"), ("Turkey", "TR"),
        ("Turkiye", "TR"), ("The Netherlands", "NL"), ("Holland", "NL"), ("Österreich", "AT"),
        ("Osterreich", "AT"), ("Italia", "IT"), ("日本", "JP"), ("Česko", "CZ"), ("Россия", "RU"),
        ("ایران", "IR"), ("Atlantis", ""), ("XX", ""), ("ZZ", ""), ("EU", ""), ("", ""), ("-", ""),
    ],
)  # fmt: skip
def test_countries(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ar", "ar"), ("ar-SA", "ar"), ("AR_sa", "ar"), ("ara", "ar"), ("deu", "de"),
        ("pt-BR", "pt"), ("zh-Hant-TW", "zh"), ("Deutsch", "de"), ("العربية", "ar"),
        ("Polish", "pl"), ("Türkçe", "tr"), ("de-DE,de;q=0.9,en;q=0.8", "de"), ("iw", "he"),
        ("xx", ""), ("Klingonish", ""), ("", ""),
    ],
)  # fmt: skip
def test_languages(text: str, code: str) -> None:
    assert language_code(text) == code


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        *((slug, slug) for slug in REQUEST_TYPES),
        ("Test Drive", "test_drive"), ("testdrive", "test_drive"), ("TEST-DRIVE", "test_drive"),
        ("Probefahrt", "test_drive"), ("essai", "test_drive"), ("jazda próbna", "test_drive"),
        ("proefrit", "test_drive"), ("deneme sürüşü", "test_drive"),
        ("تجربة قيادة", "test_drive"), ("prueba de manejo", "test_drive"),
        ("Angebot", "quote"), ("devis", "quote"), ("عرض سعر", "quote"), ("Wycena", "quote"),
        ("Part Exchange", "trade_in"), ("Gebrauchtwagen", "used_car"), ("صيانة", "after_sales"),
        ("Reklamation", "complaint"), ("Şikayet", "complaint"), ("شكوى", "complaint"),
        ("Rückruf", "callback"), ("something unheard of", ""), ("", ""),
    ],
)  # fmt: skip
def test_request_types(text: str, slug: str) -> None:
    assert request_type(text) == slug


@pytest.mark.parametrize(
    ("given", "understood", "has_problem"),
    [
        ("Probefahrt", "test_drive", False),
        ("winter_check", "winter_check", True),
        ("I want to rent one", "", True),
        ("", "", False),
        (None, "", False),
    ],
)
def test_a_request_type_of_the_markets_own_is_kept(
    given: Any, understood: str, has_problem: bool
) -> None:
    lead = understand({"request": {"type": given}})
    assert lead.request.type == understood
    assert (("request.type", "request_type_not_known") in problems(lead)) is has_problem


@pytest.mark.parametrize(
    ("lat", "lon", "point", "code"),
    [
        (24.7, 46.7, (24.7, 46.7), None),
        ("24,7", "46.7", (24.7, 46.7), None),
        ("٢٤٫٧", "٤٦٫٧", (24.7, 46.7), None),
        (0.0, 9.4, (0.0, 9.4), None),
        (0, 0, (None, None), ("address.lat", "coordinates_zero")),
        (91, 0, (None, None), ("address.lat", "coordinate_out_of_range")),
        (1, 181, (None, None), ("address.lon", "coordinate_out_of_range")),
        (1, None, (None, None), ("address.lon", "coordinate_missing")),
        ("north", 1, (None, None), ("address.lat", "not_a_number")),
        (True, 1, (None, None), ("address.lat", "not_a_number")),
        (float("nan"), 1, (None, None), ("address.lat", "not_a_number")),
        (None, None, (None, None), None),
        ("", "", (None, None), None),
    ],
)
def test_coordinates(
    lat: Any, lon: Any, point: tuple[float | None, float | None], code: tuple[str, str] | None
) -> None:
    lead = understand({"address": {"lat": lat, "lon": lon}})
    assert (lead.address.lat, lead.address.lon) == point
    assert code in problems(lead) if code else not lead.problems


@pytest.mark.parametrize(
    ("sent_at", "understood"),
    [
        ("2026-03-06T09:12:00+03:00", datetime(2026, 3, 6, 6, 12, tzinfo=UTC)),
        (1772777520, datetime(2026, 3, 6, 6, 12, tzinfo=UTC)),
        (1772777520000, datetime(2026, 3, 6, 6, 12, tzinfo=UTC)),
        ("2026-03-06T09:12:00", None),
        ("soon", None),
        (-5, None),
        (float("inf"), None),
        ([], None),
    ],
)
def test_instants_are_in_utc_or_a_problem(sent_at: Any, understood: datetime | None) -> None:
    lead = understand({"sent_at": sent_at})
    assert lead.sent_at == understood
    assert (problems(lead) == {("sent_at", "instant_not_known")}) is (understood is None)


def test_text_is_cleaned_and_lines_are_kept_only_where_they_matter() -> None:
    lead = understand(
        {
            "customer": {"first_name": " Zo\x00fia\u202e\n ", "last_name": "Łe\u0328cka"},
            "request": {"comments": "one\r\n  two \u200f\n\n\n\nthree", "model": "Lumo\nGT"},
            "campaign": {"gclid": "-"},
        }
    )
    assert lead.customer.full_name == "Zofia Łęcka"
    assert lead.request.comments == "one\ntwo\n\nthree"
    assert lead.request.model == "Lumo GT"
    assert lead.campaign.gclid == ""
    assert not lead.problems


def test_what_can_not_be_understood_is_kept_and_listed() -> None:
    given = {
        "surprise": 1,
        "customer": {"nick": "Z", "language": "Klingonish", "last_name": "x" * 300},
        "address": {"country": "Atlantis"},
        "request": "a car",
        "vehicle": {"year": "soon", "vin": "ABC", "condition": "shiny", "trade_in": "my Borea"},
        "consents": [{"purpose": "contact"}, {"purpose": "news", "given": "yes"}],
        "attributes": [1],
    }
    lead = understand(given)
    assert problems(lead) == {
        ("surprise", "unknown_field"),
        ("customer.nick", "unknown_field"),
        ("customer.language", "language_not_known"),
        ("customer.last_name", "too_long"),
        ("address.country", "country_not_known"),
        ("request", "not_an_object"),
        ("vehicle.year", "year_not_known"),
        ("vehicle.vin", "vin_not_valid"),
        ("vehicle.condition", "condition_not_known"),
        ("consents.0", "consent_incomplete"),
        ("attributes", "not_an_object"),
    }
    assert lead.given == given
    assert lead.vehicle.vin == "ABC"
    assert lead.vehicle.trade_in == {"description": "my Borea"}
    assert lead.consents == (Consent("news", True),)
    assert lead.attributes == {"value": [1]}


def test_the_source_gives_the_language_where_the_lead_gives_none() -> None:
    assert understand({}, language="ar").customer.language == "ar"
    lead = understand({"customer": {"language": "pl-PL"}}, language="ar")
    assert lead.customer.language == "pl"


def test_what_is_given_can_be_stored_as_json() -> None:
    lead = understand({"a\x00": "b\x00\ud800", "attributes": {"n": float("nan"), "t": (1, 2)}})
    assert lead.given == {"a": "b?", "attributes": {"n": "nan", "t": [1, 2]}}
    assert lead.attributes == {"n": "nan", "t": [1, 2]}


_KEYS = st.sampled_from(
    ["id", "sent_at", "test", "customer", "address", "request", "vehicle", "campaign", "consents",
     "attributes", "email", "phone", "full_name", "language", "country", "lat", "lon", "type",
     "comments", "year", "vin", "trade_in", "condition", "purpose", "given", "at"]
)  # fmt: skip
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-9, 9).map(lambda number: number * 10**5000)
    | st.floats()
    | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_KEYS | st.text(), inner, max_size=6)
    ),
    max_leaves=25,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(_KEYS | st.text(), _JSON, max_size=8))
def test_any_json_is_understood_without_raising(data: dict[str, Any]) -> None:
    lead = understand(data, country="SA", language="ar")
    understand(data, market_country="DE", languages=("ar", "en", "de"), zone=UTC)
    stored = json.dumps([lead.given, lead.attributes, lead.vehicle.trade_in], allow_nan=False)
    assert "\\u0000" not in stored
    stored.encode()


def test_every_code_of_a_problem_is_documented() -> None:
    documented = (ROOT / "docs/normalising.md").read_text(encoding="utf-8")
    noted = set()
    for path in (ROOT / "lmt/ingest").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                code = node.args[1] if node.func.attr == "note" and len(node.args) > 1 else None
                noted |= {code.value} if isinstance(code, ast.Constant) else set()
            elif isinstance(node, ast.keyword) and node.arg == "problem":
                noted |= {node.value.value} if isinstance(node.value, ast.Constant) else set()
    assert len(noted) > 20
    assert not {code for code in noted if code and f"`{code}`" not in documented}


def test_any_depth_is_understood_without_raising() -> None:
    deep: dict[str, Any] = {}
    for _ in range(50_000):
        deep = {"customer": deep, "attributes": [deep]} if len(deep) < 1 else {"attributes": deep}
    assert understand(deep).attributes
