"""What the API takes for a lead, and how it names what it does not take."""

from __future__ import annotations

from typing import Any

import pytest

from lmt.i18n import reading
from lmt.ingest.normalise import understand
from lmt.ingest.schemas import LeadSchema, errors_as_list

#: The documented shape, every key present.
DOCUMENTED: dict[str, Any] = {
    "id": "the sender's own id",
    "sent_at": "2026-03-06T09:12:00+03:00",
    "test": False,
    "customer": {
        "title": "", "first_name": "", "last_name": "", "full_name": "", "company": "",
        "email": "", "phone": "٠٥٠١٢٣٤٥٦٧", "language": "ar",
    },
    "address": {
        "street": "", "postcode": "", "city": "الرياض", "region": "", "country": "SA",
        "lat": None, "lon": None,
    },
    "request": {
        "type": "test_drive", "brand": "", "model": "", "timeframe": "", "comments": "",
        "preferred_dealer": "", "contact_time": "",
    },
    "vehicle": {"condition": "new", "year": None, "vin": "", "trade_in": {}},
    "campaign": {
        "code": "", "utm_source": "", "utm_medium": "", "utm_campaign": "", "gclid": "",
        "referrer": "", "landing_page": "",
    },
    "consents": [{"purpose": "contact", "given": True, "text_version": "", "at": ""}],
    "attributes": {"any_custom_field": "…"},
}  # fmt: skip
PERSON = {"email": "zofia@example.com"}


def refused(lead: Any) -> list[str]:
    return [error["field"] for error in errors_as_list(LeadSchema().validate(lead))]


def test_the_documented_lead_is_taken_and_understood() -> None:
    loaded = LeadSchema().load(DOCUMENTED)
    assert loaded == DOCUMENTED
    lead = understand(loaded)
    assert lead.problems == ()
    assert lead.customer.phone == "+966501234567"


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"customer": {**PERSON, "phone": None}},
        {"address": {"country": "Germany"}},
        {"address": {"country": "المملكة العربية السعودية"}},
        {"address": {"country": "Deutschland", "lat": 52.5, "lon": 13.4}},
        {"address": None, "vehicle": None, "consents": None, "attributes": None},
        {"request": {"type": "Probefahrt"}},
        {"request": {"type": "winter_check", "comments": "two\nlines\tand a tab"}},
        {"sent_at": "", "id": None, "test": None},
        {"vehicle": {"year": 2026, "trade_in": {"make": "Borea", "options": {"a": ["b"]}}}},
        {"attributes": {"a": {"b": ["c"]}}},
        {"customer": {"phone": "393-999-3922"}},
    ],
)
def test_taken(part: dict[str, Any]) -> None:
    assert refused({"customer": PERSON, **part}) == []


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ({"custommer": {}}, ["custommer"]),
        ({"customer": {**PERSON, "nick": "Z"}}, ["customer.nick"]),
        ({"customer": "Zofia"}, ["customer"]),
        ({"customer": {}}, ["customer.email", "customer.phone"]),
        ({"customer": None}, ["customer.email", "customer.phone"]),
        ({"customer": {"email": " ", "phone": ""}}, ["customer.email", "customer.phone"]),
        ({"customer": {"email": "zofia@"}}, ["customer.email"]),
        ({"customer": {"phone": "12"}}, ["customer.phone"]),
        ({"customer": {**PERSON, "first_name": "x" * 201}}, ["customer.first_name"]),
        ({"customer": {**PERSON, "first_name": "Zo\x00fia"}}, ["customer.first_name"]),
        ({"customer": {**PERSON, "first_name": "Zo\nfia"}}, ["customer.first_name"]),
        ({"customer": {**PERSON, "first_name": 7}}, ["customer.first_name"]),
        ({"customer": {**PERSON, "language": "Klingonish"}}, ["customer.language"]),
        ({"request": {"comments": "x" * 10_001}}, ["request.comments"]),
        ({"request": {"comments": "bell \x07"}}, ["request.comments"]),
        ({"request": {"type": "I would like to rent!"}}, ["request.type"]),
        ({"address": {"country": "Atlantis"}}, ["address.country"]),
        ({"address": {"lat": 91, "lon": 0}}, ["address.lat"]),
        ({"address": {"lat": 1, "lon": -180.5}}, ["address.lon"]),
        ({"address": {"lat": 1}}, ["address.lon"]),
        ({"address": {"lon": 1}}, ["address.lat"]),
        ({"address": {"lat": True, "lon": 1}}, ["address.lat"]),
        ({"address": {"lat": "north", "lon": 1}}, ["address.lat"]),
        ({"sent_at": "2026-03-06T09:12:00"}, ["sent_at"]),
        ({"sent_at": 1772777520}, ["sent_at"]),
        ({"test": "perhaps"}, ["test"]),
        ({"vehicle": {"year": 1700}}, ["vehicle.year"]),
        ({"vehicle": {"year": "2026"}}, ["vehicle.year"]),
        ({"vehicle": {"condition": "shiny"}}, ["vehicle.condition"]),
        ({"vehicle": {"trade_in": "a Borea"}}, ["vehicle.trade_in"]),
        ({"consents": {}}, ["consents"]),
        ({"consents": [{"purpose": "contact"}]}, ["consents.0.given"]),
        ({"consents": [{"given": True}]}, ["consents.0.purpose"]),
        ({"consents": [7]}, ["consents.0"]),
        ({"consents": [{"purpose": "a", "given": True}] * 51}, ["consents"]),
        ({"attributes": []}, ["attributes"]),
        ({"attributes": {str(key): 1 for key in range(101)}}, ["attributes"]),
        ({"attributes": {"a": "x" * 20_001}}, ["attributes"]),
        ({"attributes": {"a": {"b": {"c": {}}}}}, ["attributes"]),
        ({"attributes": {"a\x00": 1}}, ["attributes"]),
        ({"attributes": {"a": ["\x00"]}}, ["attributes"]),
        ({"attributes": {"a": float("inf")}}, ["attributes"]),
    ],
)
def test_refused_with_the_field_named(part: dict[str, Any], fields: list[str]) -> None:
    assert refused({"customer": PERSON, **part}) == fields


@pytest.mark.parametrize("body", [[], "lead", 7, None])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert errors_as_list(LeadSchema().validate(body)) == [
        {"field": "", "message": "Give an object."}
    ]


def test_errors_wrapped_by_the_web_layer_name_the_same_fields() -> None:
    messages = LeadSchema().validate({"customer": {"email": "x"}, "json": 1})
    assert errors_as_list({"json": messages}) == errors_as_list(messages)


def test_messages_are_written_when_they_are_raised() -> None:
    with reading("en"):
        (error,) = errors_as_list(LeadSchema().validate({"customer": PERSON, "foo": 1}))
    assert error == {"field": "foo", "message": "This field is not known."}
