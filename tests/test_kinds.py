"""What each kind of source makes of a body: the same for deliveries, previews and replays."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest

from lmt.ingest.batches import entries_of
from lmt.ingest.door import Unreadable
from lmt.ingest.fetching import WAITS, wait_after
from lmt.ingest.kinds import KINDS, delivery_key, reader_of
from lmt.ingest.linkedin import linkedin_notice, linkedin_verdict
from lmt.ingest.meta import meta_notice, meta_verdict
from lmt.ingest.platforms import NoLead, last_of_urn, text_id
from lmt.mapping.presets import PRESETS
from lmt.models import Source
from lmt.outside import Answer

PERSON: dict[str, str] = {"name": "Ada Nowak", "email": "ada@example.com"}


def source(kind: str, mapping: dict[str, Any] | None = None) -> Source:
    return Source(code=f"{kind}-1", kind=kind, mapping=mapping or {}, settings={}, secrets={})


def read(kind: str, body: Any, content_type: str = "application/json", **options: Any) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = source(kind, options.pop("mapping", None))
    return list(reader_of(own, content_type, **options)(raw))


def why(kind: str, body: Any, content_type: str = "application/json", **options: Any) -> Any:
    with pytest.raises(Unreadable) as caught:
        read(kind, body, content_type, **options)
    assert all(error["message"] for error in caught.value.errors)
    return caught.value.code, [error["field"] for error in caught.value.errors]


def google(**facts: Any) -> dict[str, Any]:
    columns = facts.pop("columns", {"EMAIL": PERSON["email"], "FULL_NAME": PERSON["name"]})
    answers = [{"column_id": name, "string_value": text} for name, text in columns.items()]
    return {"lead_id": "g-1", "google_key": "s3cret", "user_column_data": answers, **facts}


def test_every_kind_that_is_set_up_has_a_reader() -> None:
    assert set(KINDS) == {
        "api", "call_centre", "campaign", "adf", "form",
        "google", "meta", "tiktok", "linkedin", "web_to_lead", "json", "mailbox",
    }  # fmt: skip
    with pytest.raises(LookupError):
        reader_of(source("file"), "text/csv")


@pytest.mark.parametrize("kind", ["google", "meta", "tiktok", "linkedin", "web_to_lead"])
def test_a_kind_s_own_mapping_reads_its_sample(kind: str) -> None:
    preset = PRESETS[KINDS[kind].preset]
    (lead,) = read(kind, preset.sample.encode(), preset.sample_type)
    assert lead["customer"]["email"].endswith("@example.com")
    (tested,) = read(kind, preset.sample.encode(), preset.sample_type, test=True)
    assert tested["test"] is True


def test_a_form_of_our_own_and_an_api_lead_are_read_by_the_same_door() -> None:
    lead = {"customer": {"email": "ada@example.com"}}
    assert read("form", {"form": "contact", "lead": lead}) == [lead]
    assert read("api", lead, test=True) == [{**lead, "test": True}]
    assert why("form", {"form": "contact"})[0] == "no_object"
    assert why("api", [])[0] == "no_object"


def test_what_google_tells_besides_the_answers_is_kept() -> None:
    (lead,) = read(
        "google",
        google(
            lead_id="TeSt-" + "x" * 90,
            campaign_id=991, form_id="77", is_test=True, gcl_id="click",
            lead_submit_time="2026-03-06T09:12:00Z",
            columns={"EMAIL": "ada@example.com", "which_colour?": "green"},
        ),
    )  # fmt: skip
    assert lead["id"] == "TeSt-" + "x" * 90
    assert lead["test"] is True
    assert lead["sent_at"] == "2026-03-06T09:12:00+00:00"
    assert lead["campaign"]["platform_ids"].split() == ["google:campaign:991", "google:form:77"]
    assert lead["campaign"]["gclid"] == "click"
    assert "green" in lead["attributes"].values()
    assert "s3cret" not in json.dumps(lead)


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("google", [], ("no_fields", [""])),
        ("google", [1], ("no_object", [""])),
        ("google", b"{", ("no_json", [""])),
        ("google", b"\xff\xfe", ("empty", [""])),
        ("google", google(lead_id=None), ("no_lead_id", ["lead_id"])),
        ("google", google(lead_id=True), ("no_lead_id", ["lead_id"])),
        ("google", google(columns={}), ("mapping", ["customer.email", "customer.phone"])),
        ("meta", {"object": "page", "entry": []}, ("announcement", ["entry"])),
        ("meta", {"id": "1"}, ("no_answers", ["field_data"])),
        ("linkedin", {"leadAction": "CREATED"}, ("announcement", ["leadAction"])),
        ("linkedin", {"formResponse": {}}, ("no_answers", ["formResponse.answers"])),
        ("tiktok", {"object": 1}, ("no_entry", ["entry"])),
        ("tiktok", {"entry": [{"id": 1}]}, ("no_answers", ["entry.0.changes"])),
        ("tiktok", {"entry": [{"changes": []}] * 201}, ("too_many_leads", ["entry"])),
    ],
)
def test_what_is_no_lead_is_named(kind: str, body: Any, expected: Any) -> None:
    assert why(kind, body) == expected


def test_a_platform_s_test_may_have_made_up_answers() -> None:
    answers = [
        {"name": "email", "values": ["<test lead: dummy data for email>"]},
        {"name": "full_name", "values": ["<test lead: dummy data for full_name>"]},
    ]
    (lead,) = read("meta", {"id": "1", "created_time": "2026-03-06T09:12:00+0000",
                            "field_data": answers})  # fmt: skip
    assert lead["test"] is True
    assert lead["sent_at"] == "2026-03-06T09:12:00+00:00"


def test_linkedin_s_answers_get_the_names_of_their_questions() -> None:
    (lead,) = read(
        "linkedin",
        {
            "id": "uuid-1",
            "submittedAt": 1772788320000,
            "testLead": True,
            "versionedLeadGenFormUrn": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:55,1)",
            "formResponse": {
                "answers": [
                    {"questionId": 1, "answerDetails": {"textQuestionAnswer": {"answer": "Ada"}}},
                    {"questionId": 2, "answerDetails": {"multipleChoiceAnswer": {"options": [2]}}},
                    {"questionId": 9, "answerDetails": {"textQuestionAnswer": {"answer": "?"}}},
                ]
            },
            "form": {
                "hiddenFields": [{"name": "shop", "value": "north"}],
                "content": {
                    "questions": [
                        {"questionId": 1, "predefinedField": "FIRST_NAME", "name": "q1"},
                        {
                            "questionId": 2,
                            "name": "fuel",
                            "questionDetails": {
                                "multipleChoiceQuestionDetails": {
                                    "options": [
                                        {"id": 2, "text": {"localized": {"de_DE": "Strom"}}}
                                    ]
                                }
                            },
                        },
                    ]
                },
            },
        },
    )
    assert lead["customer"]["first_name"] == "Ada"
    assert lead["test"] is True
    assert {"Strom", "north", "?"} <= set(lead["attributes"].values())
    assert "linkedin:form:55" in lead["campaign"]["platform_ids"].split()


def test_without_a_mapping_nothing_is_guessed() -> None:
    assert why("json", {"email": "ada@example.com"}) == ("mapping", [""])
    broken = {"lines": [{"target": "no.such.field", "paths": ["a"]}]}
    assert why("json", {"a": 1}, mapping=broken)[0] == "mapping"


def test_one_mapping_reads_json_forms_and_lists() -> None:
    mapping = {
        "lines": [
            {"target": "customer.full_name", "paths": ["name"]},
            {"target": "customer.email", "paths": ["email"]},
        ]
    }
    form = b"name=Ada+Nowak&email=ada%40example.com"
    kinds = [
        (json.dumps(PERSON).encode(), "application/json"),
        (json.dumps(PERSON).encode("utf-16"), "application/json"),
        (form, "application/x-www-form-urlencoded"),
        (form, ""),
    ]
    for body, content_type in kinds:
        (lead,) = read("json", body, content_type, mapping=mapping)
        assert lead["customer"] == {"full_name": "Ada Nowak", "email": "ada@example.com"}
    assert len(read("json", [PERSON, PERSON], mapping=mapping)) == 2
    assert why("json", [PERSON] * 201, mapping=mapping)[0] == "too_many_leads"
    assert why("json", {"name": "Ada"}, mapping=mapping)[0] == "mapping"


def test_a_delivery_is_known_by_the_id_that_its_sender_gave_it() -> None:
    assert delivery_key(source("google"), [{"id": "7"}]) == "google:7"
    assert delivery_key(source("json"), [{"id": "7"}]) == "own:7"
    assert delivery_key(source("api"), [{}]) is None
    assert delivery_key(source("tiktok"), [{"id": "7"}, {"id": "8"}]) is None


def entry(number: Any, **answers: str) -> dict[str, Any]:
    changes = [{"field": name, "value": text} for name, text in answers.items()]
    return {"id": number, "changes": changes}


def test_several_tiktok_leads_are_kept_each_with_its_own_bytes() -> None:
    one, two = entry(71, name="Ada"), entry("72", name='"},{"')
    both = json.dumps({"object": 1, "x": [{}], "entry": [one, two]}, indent=1).encode()
    parts = entries_of(both)
    assert [number for number, _body in parts] == ["71", "72"]
    for (_number, part), given in zip(parts, (one, two), strict=True):
        assert json.loads(part)["entry"] == [given]
        assert part[21:-2].strip() in both
    alone = json.dumps({"time": 5, "entry": [one]}, indent=1).encode()
    assert [number for number, _body in entries_of(alone)] == ["71"]
    twice = b'{"entry":[{"id":1,"changes":[]}],"entry":[{"id":2,"changes":[]}]}'
    assert entries_of(twice) == [("", twice)]
    for odd in (b"", b"[]", b'{"entry":[{}]}', b"\xff", b'{"entry":' * 5_000):
        assert entries_of(odd) == [("", odd)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(7, "7"), ("7", "7"), (2**63, str(2**63)), (2**64, ""), (-1, ""), (True, ""), (1.5, ""),
     (None, ""), (" a ", "a"), ("a\nb", ""), ("x" * 201, ""), ([], "")],
)  # fmt: skip
def test_an_id_is_a_number_or_a_text(value: Any, text: str) -> None:
    assert text_id(value) == text


@pytest.mark.parametrize(
    ("urn", "last"),
    [("urn:li:leadGenFormResponse:1", "1"), ("urn:li:x:(urn:li:leadGenForm:3,1)", "3"),
     ("bare-id-4", "bare-id-4"), (None, ""), (12, "12")],
)  # fmt: skip
def test_the_last_of_a_urn(urn: Any, last: str) -> None:
    assert last_of_urn(urn) == last


def change(**value: Any) -> dict[str, Any]:
    return {"field": "leadgen", "value": value}


def test_a_notice_of_meta_is_taken_apart() -> None:
    notice = meta_notice(
        {
            "object": "page",
            "entry": [
                {"id": 10, "changes": [change(leadgen_id=7, form_id="9"), change(leadgen_id="8")]},
                {"id": 10, "changes": [{"field": "feed"}, change(form_id=9), change(leadgen_id=7)]},
                {"id": 11, "changes": [change(leadgen_id=5)]},
                {"id": 10, "changes": "?"},
                "?",
            ],
        },
        page_ids=["10"],
    )
    assert [each.remote_id for each in notice.announced] == ["7", "8"]
    assert notice.announced[0].context == {"form_id": "9", "page_id": "10"}
    assert notice.missing == ("entry.1.changes.1.value.leadgen_id",)
    assert (notice.others, notice.foreign) == (1, 1)


@pytest.mark.parametrize(
    "record", [{}, {"entry": {}}, [], "x", {"entry": [{"changes": [{}] * 2_000}]}]
)
def test_what_is_no_notice_of_meta_is_named(record: Any) -> None:
    with pytest.raises(NoLead):
        meta_notice(record)


def test_a_notice_of_linkedin_is_taken_apart() -> None:
    def told(action: str, urn: Any) -> dict[str, Any]:
        return {"type": "LEAD_ACTION", "leadAction": action, "leadGenFormResponse": urn}

    notice = linkedin_notice(
        [
            told("CREATED", "urn:li:leadGenFormResponse:a-1"),
            told("DELETED", "urn:li:leadGenFormResponse:b-2"),
            told("CREATED", None),
            told("RENAMED", "urn:li:leadGenFormResponse:c-3"),
        ]
    )
    assert [each.remote_id for each in notice.announced] == ["a-1"]
    assert notice.deleted == ("b-2",)
    assert notice.missing == ("2.leadGenFormResponse",)
    assert notice.others == 1
    with pytest.raises(NoLead):
        linkedin_notice("x")


def graph(status: int, **error: Any) -> Answer:
    return Answer(status, {}, json.dumps({"error": error} if error else {}).encode())


@pytest.mark.parametrize(
    ("answer", "code", "again"),
    [
        (Answer(200, {}, b'{"field_data": []}'), "", False),
        (Answer(200, {}, b"{}"), "unreadable", True),
        (Answer(200, {}, b"<html>"), "unreadable", True),
        (graph(400, code=190, error_subcode=463), "token", False),
        (graph(401, code=102), "token", False),
        (graph(403, code=10), "permission", False),
        (graph(400, code=200), "permission", False),
        (graph(400, code=100, error_subcode=33), "gone", False),
        (graph(400, code=100), "refused", False),
        (graph(400, code=4), "busy", True),
        (graph(403, code=613), "busy", True),
        (graph(400, code=80005), "busy", True),
        (graph(500, code=1), "unavailable", True),
        (graph(400, code=2), "unavailable", True),
        (graph(400, code=7777, is_transient=True), "unavailable", True),
        (graph(400, code="x"), "refused", False),
        (graph(429), "busy", True),
        (graph(503), "unavailable", True),
        (graph(302), "unavailable", True),
        (graph(401), "token", False),
        (graph(404), "gone", False),
    ],
)
def test_what_meta_answers(answer: Answer, code: str, again: bool) -> None:
    assert (meta_verdict(answer).code, meta_verdict(answer).again) == (code, again)


@pytest.mark.parametrize(
    ("status", "body", "code", "again"),
    [
        (200, b'{"formResponse": {}}', "", False),
        (200, b"[]", "unreadable", True),
        (401, b"", "token", False),
        (403, b"", "permission", False),
        (404, b"", "gone", True),
        (426, b"", "version", False),
        (429, b"", "busy", True),
        (500, b"", "unavailable", True),
    ],
)
def test_what_linkedin_answers(status: int, body: bytes, code: str, again: bool) -> None:
    verdict = linkedin_verdict(Answer(status, {}, body))
    assert (verdict.code, verdict.again) == (code, again)


def test_a_platform_is_asked_for_a_day_and_a_half_and_no_two_leads_at_once() -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    waits = [wait_after(attempt, one) for attempt in range(1, len(WAITS) + 1)]
    total = sum((wait for wait in waits if wait is not None), timedelta())
    assert timedelta(hours=29) < total <= timedelta(hours=36)
    assert wait_after(len(WAITS) + 1, one) is None
    assert wait_after(1, one) != wait_after(1, two)
    assert wait_after(1, one, "600") == timedelta(minutes=10)
    assert wait_after(1, one, "99999999") == timedelta(hours=6)
    assert wait_after(1, one, "tomorrow") == wait_after(1, one)
