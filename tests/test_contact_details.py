"""Phones and mail addresses as people, forms and spreadsheets give them."""

from __future__ import annotations

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.ingest.emails import email_address, likely_address
from lmt.ingest.normalise import understand
from lmt.ingest.phones import REACHABLE_DIGITS, Phone, e164, number_of_digits, phone_number


@pytest.mark.parametrize(
    ("text", "countries", "expected"),
    [
        ("0049 (0)30 901820", [], ("+4930901820", "", "")),
        ("(0048) 601 234 567", [], ("+48601234567", "", "")),
        ("+0048601234567", [], ("+48601234567", "", "")),
        ("+971 (0)50 123 4567", ["SA"], ("+971501234567", "", "")),
        ("+966 0501234567", [], ("+966501234567", "", "")),
        ("050 123 4567", ["AE"], ("+971501234567", "", "AE")),
        ("50 123 4567", ["AE"], ("+971501234567", "", "AE")),
        ("0501234567", ["SA"], ("+966501234567", "", "SA")),
        ("050 123 4567", ["DE", "AE"], ("+971501234567", "", "AE")),
        ("050 123 4567", ["", "AE"], ("+971501234567", "", "AE")),
        ("050 123 4567", [], ("", "", "")),
        ("०५०१२३४५६७", ["AE"], ("+971501234567", "", "AE")),
        ("０５０１２３４５６７", ["SA"], ("+966501234567", "", "SA")),
        ("۰۵۳۲ ۱۲۳ ۴۵ ۶۷", ["TR"], ("+905321234567", "", "TR")),
        ("030/901820", ["DE"], ("+4930901820", "", "DE")),
        ("030 / 9018200", ["DE"], ("+49309018200", "", "DE")),
        ("601.234.567", ["PL"], ("+48601234567", "", "PL")),
        ("48 601 234 567", ["PL"], ("+48601234567", "", "PL")),
        ("+39 06 698 12345", ["DE"], ("+390669812345", "", "")),
        ("011 48 22 555 01 00", ["US"], ("+48225550100", "", "US")),
        # Spreadsheets.
        ("'0501234567", ["SA"], ("+966501234567", "", "SA")),
        ('="0501234567"', ["SA"], ("+966501234567", "", "SA")),
        ("48501234567.0", ["PL"], ("+48501234567", "", "PL")),
        ("4.85E+10", ["PL"], ("", "", "")),
        ("4.8501234567E+10", ["PL"], ("", "", "")),
        ("4,8501234567e10", ["PL"], ("", "", "")),
        # Extensions.
        ("tel:+48-601-234-567;ext=12", [], ("+48601234567", "12", "")),
        ("22 555 01 00 wew. 12", ["PL"], ("+48225550100", "12", "PL")),
        ("0212 251 12 12 dahili 5", ["TR"], ("+902122511212", "5", "TR")),
        # Several: the first mobile, else the first valid.
        ("601 234 567 / 602 345 678", ["PL"], ("+48601234567", "", "PL")),
        ("22 555 01 00 / 601 234 567", ["PL"], ("+48601234567", "", "PL")),
        ("01 42 68 53 00 - 06 12 34 56 78", ["FR"], ("+33612345678", "", "FR")),
        ("22 555 01 00, 22 555 01 01", ["PL"], ("+48225550100", "", "PL")),
        ("000 000 000 / 601 234 567", ["PL"], ("+48601234567", "", "PL")),
        ("601234567 602345678", ["PL"], ("+48601234567", "", "PL")),
        ("٠٥٠١٢٣٤٥٦٧ أو ٠٥٥١٢٣٤٥٦٧", ["SA"], ("+966501234567", "", "SA")),
        # Among words.
        ("WhatsApp: 0501234567", ["SA"], ("+966501234567", "", "SA")),
        ("call after 5pm 601 234 567", ["PL"], ("+48601234567", "", "PL")),
        # None.
        ("0000000000", ["PL"], ("", "", "")),
        ("05O1234567", ["SA"], ("", "", "")),
        ("999999999999999999999", ["PL"], ("", "", "")),
    ],
)
def test_numbers(text: str, countries: list[str], expected: tuple[str, str, str]) -> None:
    assert phone_number(text, countries) == Phone(*expected)
    assert e164(text, countries) == expected[:2]


REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(REGIONS), st.integers(1, 10**11), st.sampled_from(["+", "0", "", "code"]))
def test_the_quick_way_says_what_the_library_says(region: str, tail: int, front: str) -> None:
    example = phonenumbers.example_number(region)
    start = str(example.national_number)[:5] if example else ""
    code = str(phonenumbers.country_code_for_region(region))
    text = {"+": f"+{code}", "0": "0", "": "", "code": code}[front] + start + str(tail)[:6]
    try:
        parsed = phonenumbers.parse(text, region)
        valid = phonenumbers.is_valid_number(parsed)
    except phonenumbers.NumberParseException:
        valid = False
    # A few digits are nobody's number to us, though Tokelau has some that are as short.
    valid = valid and number_of_digits(text) >= REACHABLE_DIGITS
    plain = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if valid else ""
    assert e164(text, [region])[0] == plain


def test_a_number_of_another_country_than_the_customers_is_noted() -> None:
    lead = understand(
        {"customer": {"phone": "050 123 4567"}, "address": {"country": "DE"}}, country="AE"
    )
    assert lead.customer.phone == "+971501234567"
    assert [(p.code, p.given) for p in lead.problems] == [("phone_of_other_country", "AE")]


def test_the_only_country_of_the_market_helps_last() -> None:
    lead = understand({"customer": {"phone": "601 234 567"}}, market_country="PL")
    assert lead.customer.phone == "+48601234567"
    assert not lead.problems


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mailto:anna@example.com?subject=Hi", "anna@example.com"),
        ("anna@example.com, jan@example.com", "anna@example.com"),
        ("anna@example.com / jan@example.com", "anna@example.com"),
        ("nothing@, jan@example.com", "jan@example.com"),
        ("anna@example.com\njan@example.com", "anna@example.com"),
        ("'anna@example.com'", "anna@example.com"),
        ("[anna@example.com]", "anna@example.com"),
        ("Anna Nowak <ANNA@EXAMPLE.COM>; Jan", "ANNA@example.com"),
        ("anna@example.com,", "anna@example.com"),
        ("anna＠example.com", "anna@example.com"),
        ("anna@EXAMPLE.travel", "anna@example.travel"),
        ("زهرة@example.com", "زهرة@example.com"),
        ("anna@localhost", ""),
        ("anna@example", ""),
        ("anna..nowak@example.com", ""),
        ("anna@-example.com", ""),
        ("x" * 2_000 + "@example.com", ""),
    ],
)
def test_addresses(text: str, address: str) -> None:
    assert email_address(text) == address


@settings(max_examples=150, deadline=None)
@given(st.from_regex(r"\A[a-zA-Z0-9.+_-]{1,12}@([a-zA-Z0-9-]{1,8}\.){1,3}[a-zA-Z]{1,8}\Z"))
def test_the_quick_way_says_what_the_validator_says(text: str) -> None:
    try:
        expected = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        expected = None
    if expected is not None:
        assert email_address(text) == expected.normalized
    elif not text.startswith("-"):
        assert email_address(text) in ("", email_address(text.rstrip(".")))


@pytest.mark.parametrize(
    ("address", "likely"),
    [
        ("anna@gmial.com", "anna@gmail.com"), ("anna@gmail.con", "anna@gmail.com"),
        ("anna@hotmai.com", "anna@hotmail.com"), ("anna@outlok.com", "anna@outlook.com"),
        ("anna@gmail.com", ""), ("anna@hotmail.be", ""), ("anna@ymail.com", ""),
        ("anna@gmx.de", ""), ("anna@example.com", ""), ("anna", ""),
    ],
)  # fmt: skip
def test_a_mistyped_mailbox_is_suggested(address: str, likely: str) -> None:
    assert likely_address(address) == likely


def test_a_mistyped_mailbox_is_never_changed() -> None:
    lead = understand({"customer": {"email": "anna@gmial.com"}})
    assert lead.customer.email == "anna@gmial.com"
    assert [(p.field, p.code, p.given) for p in lead.problems] == [
        ("customer.email", "email_mistyped", "anna@gmail.com")
    ]


@settings(max_examples=150, deadline=None)
@given(st.text(), st.lists(st.sampled_from(["", "DE", "SA", "XX", "nonsense"]), max_size=3))
def test_any_contact_is_read_without_raising(text: str, countries: list[str]) -> None:
    phone_number(text, countries)
    phone_number(f"0{text}1234567", countries)
    likely_address(email_address(text) or text)
    email_address(f"{text}@{text}")
