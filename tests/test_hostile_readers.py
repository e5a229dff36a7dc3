"""Whatever arrives, a reader says which leads are in it or why none are, and nothing else."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.ingest.accept import Delivery, Receipt, accept
from lmt.ingest.door import Leads, Unreadable
from lmt.ingest.kinds import KINDS, reader_of
from lmt.ingest.leadinput import TEXT_LENGTHS
from lmt.ingest.linkedin import linkedin_notice
from lmt.ingest.meta import meta_notice
from lmt.ingest.platforms import NoLead
from lmt.ingest.redaction import redacted, without_google_key
from lmt.mapping.payload import PayloadError, records
from lmt.mapping.presets import PRESETS
from lmt.models import Source
from tests.hostile import BODIES, DOORS, MAPPING, lead_of
from tests.world import FRIDAY

CASES = int(os.environ.get("LMT_FUZZ_CASES", "60"))
bounded = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=CASES <= 100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
on_rows = settings(
    bounded,
    max_examples=min(CASES, 40) if CASES <= 100 else CASES,
    suppress_health_check=[*HealthCheck],
)

TYPES = st.sampled_from(
    [
        "",
        "application/json",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded; charset=windows-1256",
        "multipart/form-data; boundary=b",
        "text/xml",
    ]
) | st.text(max_size=60)

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        ["\ud800", "\0", "\u202e", "=cmd()", "9" * 400, "٠١٢٣٤٥٦٧٨", "<script>", "%00"]
    )
)
NAMES = st.text(max_size=8) | st.sampled_from(
    [
        *("lead_id", "google_key", "user_column_data", "column_id", "string_value"),
        *("entry", "changes", "field", "field_data", "name", "value", "values"),
        *("leadAction", "leadGenFormResponse", "formResponse", "answers", "questionId", "form"),
        *("id", "oid", "retURL", "email", "customer", "phone", "consents", "attributes", "test"),
    ]
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)
SEEDS = [
    *(each.body for each in BODIES.values() if len(each.body) < 5_000),
    *(preset.sample.encode() for preset in PRESETS.values()),
    *(lead_of(door, "Eve\r\nBcc: eve@evil.example")[0] for door in DOORS.values()),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sender's body with a piece of it cut out, doubled or replaced."""
    body = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 40)))
    return body[:start] + draw(st.binary(max_size=12) | st.just(body[start:end] * 2)) + body[end:]


BYTES = st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()) | damaged()


@pytest.mark.parametrize("kind", KINDS)
@bounded
@given(body=BYTES, content_type=TYPES)
def test_a_reader_finds_leads_or_says_why_there_are_none(
    kind: str, body: bytes, content_type: str
) -> None:
    mapping = MAPPING if kind == "json" else {}
    source = Source(code="s", kind=kind, mapping=mapping, settings={}, secrets={})
    leads: Leads = []
    why: Unreadable | None = None
    try:
        leads = reader_of(source, content_type)(body)
    except Unreadable as problem:
        why = problem
    assert all(isinstance(lead, Mapping) for lead in leads)
    if why is not None:
        assert why.code
        assert all(set(error) == {"field", "message"} for error in why.errors)
        assert all(isinstance(text, str) for error in why.errors for text in error.values())


@pytest.mark.parametrize("read", [meta_notice, linkedin_notice])
@bounded
@given(record=JSON)
@example(record={"leadAction": []})
@example(record={"entry": [{"changes": [{"field": []}]}]})
def test_a_notice_announces_leads_or_is_none(read: Callable[[Any], Any], record: Any) -> None:
    try:
        notice = read(record)
    except NoLead:
        return
    assert all(each.remote_id for each in notice.announced)


@bounded
@given(body=BYTES, names=st.sets(st.sampled_from(["google_key", "email", "a.name", "é", ""])))
def test_blacking_out_fails_on_nothing_and_leaves_the_rest(body: bytes, names: set[str]) -> None:
    kept = redacted(body, names)
    assert redacted(kept, names) == kept
    if not names - {""}:
        assert kept == body


@bounded
@given(
    record=st.dictionaries(NAMES, JSON, max_size=4), encoding=st.sampled_from(["utf-8", "utf-16"])
)
def test_a_google_key_is_blacked_out_wherever_it_stands(record: Any, encoding: str) -> None:
    key = "k3y-" * 8
    told = {**record, "google_key": key, "more": [record, {"again": f"{key}!"}]}
    body = json.dumps(told).encode(encoding)
    try:
        read = records(body, "")[0]
    except PayloadError:
        return
    kept = without_google_key(redacted(body, ["google_key"]), read)
    assert key not in json.dumps(records(kept, ""))
    assert key.encode() not in kept


def texts(section: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(sorted(TEXT_LENGTHS[section])), LEAVES, max_size=6)


LEADS = st.fixed_dictionaries(
    {},
    optional={
        **{name: texts(name) | LEAVES for name in TEXT_LENGTHS},
        "id": LEAVES,
        "sent_at": LEAVES,
        "test": LEAVES,
        "consents": st.lists(
            st.dictionaries(st.sampled_from(["purpose", "given", "at", "text_version"]), LEAVES)
            | LEAVES,
            max_size=3,
        ),
        "attributes": JSON,
        "odd": JSON,
    },
)


def test_any_lead_that_a_reader_lets_through_is_accepted(session: Session) -> None:
    source = session.scalars(select(Source).where(Source.code == "api-pl")).one()

    @on_rows
    @given(leads=st.lists(LEADS, min_size=1, max_size=2))
    def accepted(leads: list[dict[str, Any]]) -> None:
        receipt = accept(session, source, Delivery(uuid.uuid4().bytes), leads, FRIDAY)
        assert isinstance(receipt, Receipt)
        assert len(receipt.lead_ids) == len(leads)

    accepted()
