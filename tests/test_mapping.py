"""A stranger's fields become a lead's, by a table that is checked before it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.i18n import reading
from lmt.ingest.leadinput import TEXT_LENGTHS
from lmt.ingest.normalise import understand
from lmt.ingest.schemafields import MAX_ATTRIBUTES as SCHEMA_ATTRIBUTES
from lmt.ingest.schemafields import MAX_ATTRIBUTES_BYTES as SCHEMA_BYTES
from lmt.ingest.schemafields import check_attributes
from lmt.mapping.apply import MAX_ATTRIBUTES, MAX_ATTRIBUTES_BYTES, mapped
from lmt.mapping.flatten import MAX_PATHS, MAX_TEXT, flat, titles
from lmt.mapping.model import Line, Mapping, MappingError, errors_in
from lmt.mapping.payload import records
from lmt.mapping.presets import PRESETS
from lmt.mapping.targets import TARGETS, target_of
from lmt.mapping.withheld import is_machinery, is_secret
from lmt.mapping.words import mapping_words

# -- flat -----------------------------------------------------------------------------------------

ANSWER = {"id": "a", "type": "x", "ref": "r-1"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"a": "x", "b": {"c": 1}}, {"a": "x", "b.c": "1"}),
        ({"1.3": "Elif", "1.6": "Şahin"}, {"1.3": "Elif", "1.6": "Şahin"}),
        ({"t": True, "f": False, "n": None}, {"t": "true", "f": "false", "n": ""}),
        ({"id": 9007199254740993123}, {"id": "9007199254740993123"}),
        ({"many": ["a", "b", 3]}, {"many": "a, b, 3"}),
        ({"none": []}, {"none": ""}),
        ({"a.b": "1", "a": {"b": "2"}}, {"a.b": "1", "a.b[2]": "2"}),
        ({"l": [{"x": 1}, {"x": 2}]}, {"l.x": "1", "l[2].x": "2"}),
        ({"l": [{"x": 1}]}, {"l.x": "1"}),
        ({"l": [[1, 2], [3]]}, {"l": "1, 2", "l[2]": "3"}),
        (
            {"fields": [{"objectTypeId": "0-1", "name": "email", "value": "e"}]},
            {"fields.email": "e"},
        ),
        (
            {"fields": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]},
            {"fields.a": "1", "fields.a[2]": "2"},
        ),
        (
            {
                "user_column_data": [
                    {"column_id": "CITY", "column_name": "City", "string_value": "x"}
                ]
            },
            {"user_column_data.CITY": "x"},
        ),
        ({"field_data": [{"name": "m", "values": ["a", "b"]}]}, {"field_data.m": "a, b"}),
        ({"changes": [{"field": "name", "value": "Jo"}]}, {"changes.name": "Jo"}),
        ({"answers": [{"type": "text", "text": "T", "field": ANSWER}]}, {"answers.r-1": "T"}),
        ({"answers": [{"type": "number", "number": 7, "field": ANSWER}]}, {"answers.r-1": "7"}),
        (
            {"answers": [{"type": "boolean", "boolean": False, "field": ANSWER}]},
            {"answers.r-1": "false"},
        ),
        (
            {
                "answers": [
                    {"type": "choice", "choice": {"id": "c", "label": "SUV"}, "field": ANSWER}
                ]
            },
            {"answers.r-1": "SUV"},
        ),
        (
            {
                "answers": [
                    {
                        "type": "choices",
                        "choices": {"labels": ["A", "B"], "other": "C"},
                        "field": ANSWER,
                    }
                ]
            },
            {"answers.r-1": "A, B, C"},
        ),
        (
            {"answers": [{"type": "phone_number", "phone_number": "+1", "field": {"id": "i9"}}]},
            {"answers.i9": "+1"},
        ),
        (
            {"data": {"fields": [{"key": "q_9xK", "label": "Email", "type": "T", "value": "e"}]}},
            {"data.fields.q_9xK": "e", "data.fields.q_9xK.label": "Email"},
        ),
        (
            {
                "answers": [
                    {"questionId": 4, "answerDetails": {"textQuestionAnswer": {"answer": "y"}}}
                ]
            },
            {"answers.4": "y"},
        ),
        (
            {"entry": [{"id": 1, "time": 5, "changes": []}]},
            {"entry.id": "1", "entry.time": "5", "entry.changes": ""},
        ),
        ({"cars": [{"make": "A", "model": "B"}]}, {"cars.make": "A", "cars.model": "B"}),
        ({"a\x00b": "c\x00\ud800d"}, {"ab": "cd"}),
        ("only text", {"value": "only text"}),
        ([{"a": 1}], {"a": "1"}),
    ],
)
def test_every_shape_becomes_a_table(record: Any, expected: dict[str, str]) -> None:
    assert flat(record) == expected
    assert flat(expected) == expected


def test_a_table_has_bounds() -> None:
    deep: Any = "bottom"
    for _ in range(10_000):
        deep = {"d": deep}
    assert flat({"a": "1", "deep": deep}) == {"a": "1"}
    assert len(flat({str(number): "x" for number in range(5 * MAX_PATHS)})) == MAX_PATHS
    assert len(flat({"a": "x" * 50_000})["a"]) == MAX_TEXT
    assert sum(map(len, flat({str(n): "x" * 20_000 for n in range(1_000)}).values())) <= 2_000_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "value", "type", "field", "ref", "text", "id"]) | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(record=JSON)
def test_anything_can_be_mapped(record: Any) -> None:
    table = flat(record)
    assert flat(table) == table
    result = mapped(Mapping((Line("customer.full_name", tuple(table)[:1]),)), record)
    json.dumps(result.lead, allow_nan=False).encode()
    assert not result.left_off
    check_attributes(result.lead.get("attributes", {}))


# -- mapped ---------------------------------------------------------------------------------------

APPLIED: list[tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]] = [
    ([{"target": "customer.email", "paths": ["a", "b"]}], {"a": " ", "b": "x@example.com"},
     {"customer": {"email": "x@example.com"}}),
    ([{"target": "customer.full_name", "paths": ["f", "l"], "how": "join"}],
     {"f": "Ann", "l": "Bo"}, {"customer": {"full_name": "Ann Bo"}}),
    ([{"target": "request.comments", "paths": ["f", "l"], "how": "join"}],
     {"f": "One", "l": "Two"}, {"request": {"comments": "One\nTwo"}}),
    ([{"target": "request.type", "paths": ["t"], "values": {"Probefahrt": "test_drive"}}],
     {"t": "PROBEFAHRT "}, {"request": {"type": "test_drive"}}),
    ([{"target": "request.model", "paths": ["t", "u"], "values": {"Select": ""}}],
     {"t": "select", "u": "Elvaro"}, {"request": {"model": "Elvaro"}}),
    ([{"target": "request.type", "fixed": "quote"}], {"a": ""}, {"request": {"type": "quote"}}),
    ([{"target": "request.type", "paths": ["t"], "fixed": "quote"}], {"t": "brochure"},
     {"request": {"type": "brochure"}}),
    ([{"target": "campaign.platform_ids", "paths": ["c"], "prefix": "x:campaign:"},
      {"target": "campaign.platform_ids", "paths": ["f"], "prefix": "x:form:"}],
     {"c": 7, "f": 8}, {"campaign": {"platform_ids": "x:campaign:7 x:form:8"}}),
    ([{"target": "vehicle.trade_in.make", "paths": ["m"]}], {"m": "Sorrel"},
     {"vehicle": {"trade_in": {"make": "Sorrel"}}}),
    ([{"target": "consents.contact", "paths": ["ok"]},
      {"target": "consents.contact.at", "paths": ["at"]},
      {"target": "consents.contact.text_version", "fixed": "2"}],
     {"ok": True, "at": 1772788320},
     {"consents": [
         {"purpose": "contact", "given": "true", "at": 1772788320, "text_version": "2"}]}),
    ([{"target": "attributes.colour", "paths": ["c"]}], {"c": "red", "d": "4"},
     {"attributes": {"colour": "red", "d": "4"}}),
    ([{"target": "sent_at", "paths": ["at"]}], {"at": "1772788320"}, {"sent_at": 1772788320}),
    ([{"target": "customer.email", "paths": ["email"]}], {"Email": "x@example.com"},
     {"customer": {"email": "x@example.com"}}),
    ([{"target": "customer.email", "paths": ["e"]}], {"e": "x", "deep": {"er": ["1", "2"]}},
     {"customer": {"email": "x"}, "attributes": {"deep.er": "1, 2"}}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "record", "lead"), APPLIED)
def test_lines_fill_the_lead(
    lines: list[dict[str, Any]], record: dict[str, Any], lead: dict[str, Any]
) -> None:
    assert mapped(Mapping.from_json({"lines": lines}), record).lead == lead


def test_secrets_stay_out_and_nothing_else_is_lost() -> None:
    secrets = {
        "google_key": "s", "token": "s", "verify_token": "s", "user_password": "s", "Passwort": "s",
        "g-recaptcha-response": "s", "captcha_settings": {"keyname": "s"}, "api-key": "s",
        "auth": {"client_secret": "s"}, "contraseña": "s",
    }  # fmt: skip
    kept = {"hutk": "h", "tokens_wanted": "no", "pin": "110001", "company_secretary": "Bo"}
    result = mapped(Mapping(), {**secrets, **kept, "_wpcf7": "4", "empty": ""})
    assert result.lead == {"attributes": kept}
    assert result.rest == kept
    assert not result.used


def test_attributes_have_the_limits_of_the_api_and_say_what_is_left_off() -> None:
    assert (MAX_ATTRIBUTES, MAX_ATTRIBUTES_BYTES) == (SCHEMA_ATTRIBUTES, SCHEMA_BYTES)
    many = mapped(Mapping(), {f"k{n}": "\x07ä" * 30 for n in range(150)})
    check_attributes(many.lead["attributes"])
    assert len(many.lead["attributes"]) == 100
    assert many.left_off == tuple(f"k{n}" for n in range(100, 150))
    large = mapped(Mapping(), {"big": "x" * 19_990, "small": "y", "more": "z" * 100})
    check_attributes(large.lead["attributes"])
    assert large.left_off == ("more",) or large.left_off == ("big",)
    assert large.rest["big"] == "x" * 19_990


def test_an_attribute_is_called_what_the_form_asked() -> None:
    record = {
        "form_response": {
            "definition": {
                "fields": [{"id": "f", "ref": "9d2c", "type": "yes_no", "title": "Charge?"}]
            },
            "answers": [{"type": "boolean", "boolean": True, "field": {"ref": "9d2c"}}],
        }
    }
    assert titles(flat(record)) == {"form_response.answers.9d2c": "Charge?"}
    assert mapped(Mapping(), record).lead["attributes"] == {"Charge?": "true"}


# -- the table itself -----------------------------------------------------------------------------


def test_every_field_of_a_lead_can_be_filled_and_is_called_something() -> None:
    for section, texts in TEXT_LENGTHS.items():
        for name in texts:
            assert f"{section}.{name}" in TARGETS
    for path, target in TARGETS.items():
        assert target_of(path) is target
        assert str(target.words)
    lead: dict[str, Any] = mapped(
        Mapping(tuple(Line(path, fixed="1") for path in TARGETS)), {}
    ).lead
    unknown = [p.field for p in understand(lead).problems if p.code == "unknown_field"]
    assert unknown in ([], ["campaign.platform_ids"])


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("attributes.Favourite colour", "free"),
        ("vehicle.trade_in.doors", "free"),
        ("consents.sms", "consent"),
        ("consents.sms.at", "instant"),
        ("attributes.", None),
        ("attributes. ", None),
        ("consents.SMS", None),
        ("consents.sms.given", None),
        ("customer", None),
        ("customer.shoe_size", None),
        ("", None),
    ],
)
def test_targets_with_free_names(path: str, kind: str | None) -> None:
    target = target_of(path)
    assert (target.kind if target else None) == kind


GOOD = {"target": "customer.email", "paths": ["a"]}
WRONG: list[tuple[Any, tuple[int, str, str]]] = [
    ([], (0, "", "no_object")),
    ({"lines": {}, "preset": 3}, (0, "preset", "no_text")),
    ({"lines": "x"}, (0, "lines", "no_list")),
    ({"lines": [GOOD] * 201}, (0, "lines", "too_many")),
    ({"lines": ["x"]}, (1, "", "no_object")),
    ({"lines": [GOOD, {"paths": ["a"]}]}, (2, "target", "no_target")),
    ({"lines": [GOOD, {"target": "a.hat", "paths": ["a"]}]}, (2, "target", "unknown_target")),
    ({"lines": [GOOD, GOOD]}, (2, "target", "target_twice")),
    ({"lines": [{"target": "customer.email"}]}, (1, "paths", "empty_line")),
    ({"lines": [{"target": "customer.email", "paths": []}]}, (1, "paths", "empty_line")),
    ({"lines": [{"target": "customer.email", "paths": [""]}]}, (1, "paths", "empty_path")),
    ({"lines": [{"target": "customer.email", "paths": ["token"]}]}, (1, "paths", "secret_path")),
    ({"lines": [{"target": "attributes.pwd", "paths": ["a"]}]}, (1, "target", "secret_target")),
    ({"lines": [{"target": "customer.email", "paths": "a"}]}, (1, "paths", "no_list")),
    ({"lines": [{"target": "customer.email", "paths": [3]}]}, (1, "paths", "no_text")),
    ({"lines": [{"target": "customer.email", "paths": ["a"] * 21}]}, (1, "paths", "too_many")),
    ({"lines": [{**GOOD, "how": "last"}]}, (1, "how", "unknown_how")),
    ({"lines": [{**GOOD, "values": ["a"]}]}, (1, "values", "no_object")),
    ({"lines": [{**GOOD, "values": {"a": 1}}]}, (1, "values", "no_text")),
    ({"lines": [{**GOOD, "fixed": None}]}, (1, "fixed", "no_text")),
    ({"lines": [{**GOOD, "prefix": "x" * 1_001}]}, (1, "prefix", "too_long")),
    ({"lines": [{**GOOD, "fixed": "\x00"}]}, (1, "fixed", "no_text")),
    ({"lines": [{**GOOD, "path": "a"}]}, (1, "path", "unknown_field")),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), WRONG)
def test_a_table_that_cannot_work_is_refused_by_name(
    data: Any, expected: tuple[int, str, str]
) -> None:
    with pytest.raises(MappingError) as caught:
        Mapping.from_json(data)
    error = caught.value
    assert (error.line_number, error.field, error.reason) == expected
    with reading("en"):
        assert mapping_words(error).endswith(".")


def test_all_faults_of_a_table_are_told_at_once() -> None:
    data = {"lines": [{"target": "x.y", "paths": ["a"]}, GOOD, {**GOOD, "how": "?"}]}
    found = [(error.line_number, error.reason) for error in errors_in(data)]
    assert found == [(1, "unknown_target"), (3, "target_twice"), (3, "unknown_how")]


def test_a_table_survives_being_kept() -> None:
    assert Mapping.from_json({}) == Mapping()
    for preset in PRESETS.values():
        kept = json.loads(json.dumps(preset.mapping.to_json()))
        assert Mapping.from_json(kept) == preset.mapping


# -- presets --------------------------------------------------------------------------------------

UNDERSTOOD: dict[str, Callable[[Any], bool]] = {
    "google": lambda lead: lead.test and lead.request.model == "Elvaro",
    "meta": lambda lead: lead.customer.full_name == "Camille Girard" and lead.sent_at,
    "tiktok": lambda lead: lead.id == "7300112233445566001" and lead.address.city == "İzmir",
    "linkedin": lambda lead: (
        (lead.customer.first_name, lead.customer.last_name) == ("Femke", "de Vries")
    ),
    "web_to_lead": lambda lead: lead.address.country == "DE" and lead.attributes["00N000000000002"],
    "hubspot": lambda lead: lead.consents[0].given and lead.campaign.landing_page,
    "typeform": lambda lead: lead.attributes["Can you charge at home?"] == "true",
    "webflow": lambda lead: lead.attributes["Trekhaak gewenst"] == "ja" and lead.request.comments,
    "gravity": lambda lead: lead.customer.last_name == "Şahin" and lead.address.country == "TR",
    "contact_form_7": lambda lead: lead.customer.language == "pl" and "\n" in lead.request.comments,
}


@pytest.mark.parametrize("code", PRESETS)
def test_the_sample_of_every_preset_becomes_a_lead_somebody_can_answer(code: str) -> None:
    preset = PRESETS[code]
    (record,) = records(preset.sample.encode(), preset.sample_type)
    lead = understand(mapped(preset.mapping, record).lead)
    assert lead.reachable
    assert UNDERSTOOD[code](lead)
    used = mapped(preset.mapping, record).used
    assert not any(is_secret(path) or is_machinery(path) for path in used if path[0] != "_")


def test_webflow_of_both_ages() -> None:
    data = {"Name": "Bo", "email": "bo@example.com"}
    first = {"name": "Contact", "site": "s", "_id": "7", "data": data}
    second = {"triggerType": "form_submission", "payload": {"id": "7", "data": data}}
    for record in (first, second):
        lead = mapped(PRESETS["webflow"].mapping, record).lead
        assert lead["id"] == "7"
        assert lead["customer"] == {"full_name": "Bo", "email": "bo@example.com"}
