"""What customers answered beside a lead's columns: read, found, exported, counted, forgotten."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.attributes import answered, answers_shown, in_plain_words, raw_value, says
from lmt.db import SessionFactory
from lmt.forms.fields import field_from
from lmt.i18n import reading
from lmt.models import (
    CustomField,
    Event,
    Form,
    FormFile,
    FormVersion,
    Inquiry,
    Lead,
    SettingChange,
    User,
)
from lmt.reports.refresh import refresh
from lmt.retention import forget_all
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

Login = Callable[[FlaskClient, User], FlaskClient]

FIELDS: dict[str, dict[str, Any]] = {
    "colour": {
        "type": "choice",
        "label": {"en": "Colour", "pl": "Kolor", "ar": "اللون"},
        "options": [
            {"id": "red", "label": {"en": "Red", "pl": "Czerwony", "ar": "أحمر"}},
            {"id": "blue", "label": {"en": "Blue", "pl": "Niebieski", "ar": "أزرق"}},
        ],
    },
    "extras": {
        "type": "choices",
        "label": {"en": "Extras", "pl": "Dodatki"},
        "options": [
            {"id": "roof", "label": {"en": "Glass roof", "pl": "Szklany dach"}},
            {"id": "hook", "label": {"en": "Tow bar", "pl": "Hak"}},
        ],
    },
    "mileage": {"type": "number", "label": {"en": "Mileage"}, "shows": ["desk", "exports"]},
    "pickup": {"type": "date", "label": {"en": "Pick-up"}},
    "note": {"type": "text", "label": {"en": "Note"}, "retention_days": 30},
    "secret": {"type": "text", "label": {"en": "Secret"}, "shows": ["reports"]},
    "photo": {"type": "file", "label": {"en": "Photo"}},
}
ANSWERS = {
    "colour": "red",
    "extras": ["roof", "hook"],
    "mileage": 12500,
    "pickup": "2026-04-01",
    "note": "Żółty dach, zażółć",
    "secret": "for headquarters' figures",
    "how_found": "by a friend",
    "fbclid": "of a machine",
}


@pytest.fixture
def fields(session: Session, world: World) -> None:
    """The Polish market's own fields."""
    for key, definition in FIELDS.items():
        whole = field_from({"key": key, **definition}).to_json()
        session.add(CustomField(market_id=world.markets["PL"], key=key, definition=whole))
    session.commit()


@pytest.fixture
def answering(sessions: SessionFactory, session: Session) -> Callable[..., Lead]:
    """A lead with answers, offered to PL-WAW-1."""

    def make(source: str = "api-pl", at: datetime = FRIDAY, **attributes: Any) -> Lead:
        data = {**warsaw_lead(**somebody()), "attributes": attributes}
        lead = send(session, source, data, at)
        pipeline.advance(sessions, lead.id, at)
        session.expire_all()
        return lead

    return make


@pytest.fixture
def as_(app: Flask, cast: dict[str, User], login: Login) -> Callable[[str], FlaskClient]:
    return lambda name: login(app.test_client(), cast[name])


def rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text[:300]
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


# In words


@pytest.mark.parametrize(
    ("key", "value", "locale", "words"),
    [
        ("colour", "red", "pl", "Czerwony"),
        ("colour", "red", "ar", "أحمر"),
        ("colour", "red", "de", "Red"),
        ("colour", "gone", "en", "gone"),
        ("extras", ["roof", "hook"], "en", "Glass roof and Tow bar"),
        ("extras", ["roof", "hook"], "pl", "Szklany dach i Hak"),
        ("extras", [], "en", ""),
        ("mileage", 12500, "de", "12.500"),
        ("mileage", 12500.5, "en", "12,500.5"),
        ("pickup", "2026-04-01", "en", "Apr 1, 2026"),
        ("pickup", "soon", "en", "soon"),
        ("note", True, "en", "yes"),
        ("note", {"nested": 1}, "en", ""),
        (None, 2026, "en", "2026"),
        (None, ["a", "b"], "en", "a and b"),
    ],
    ids=str,
)
def test_an_answer_is_read_in_the_readers_words(
    key: str | None, value: Any, locale: str, words: str
) -> None:
    item = None if key is None else field_from({"key": key, **FIELDS[key]})
    with reading(locale):
        assert in_plain_words(item, value) == words


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ("red", "red"),
        (["roof", "hook"], "roof; hook"),
        (12.5, 12.5),
        (True, "true"),
        (None, ""),
        ({"file": "1", "name": "a.jpg"}, "a.jpg"),
        ({"b": 1}, '{"b": 1}'),
    ],
    ids=str,
)
def test_an_answer_leaves_the_house_as_it_was_given(value: Any, raw: Any) -> None:
    assert raw_value(value) == raw


def test_the_dealer_reads_the_answers_in_the_fields_order(
    fields: None, answering: Callable[..., Lead], as_: Callable[[str], FlaskClient]
) -> None:
    lead = answering(**dict(reversed(ANSWERS.items())))
    page = as_("anna").get(f"/desk/leads/{lead.id}?lang=pl").text
    places = [page.find(words) for words in ("Kolor", "Dodatki", "Mileage", "how_found")]
    assert -1 not in places
    assert places == sorted(places)
    assert "Czerwony" in page
    assert "by a friend" in page
    assert "for headquarters" not in page
    assert "of a machine" not in page
    assert "Glass roof and Tow bar" in as_("hana").get(f"/hq/leads/{lead.id}?lang=en").text


def test_what_a_form_called_it_stands_where_the_market_has_no_field(
    session: Session, world: World
) -> None:
    """A dealer sees no form, and is told all the same."""
    version = session.scalars(select(FormVersion)).one()
    definition = {**version.definition}
    own = {"key": "wish", "type": "text", "label": {"en": "Your wish", "pl": "Życzenie"}}
    definition["steps"] = [
        {**step, "fields": [*step["fields"], own]} for step in definition["steps"]
    ]
    second = FormVersion(
        form_id=version.form_id, number=2, definition=definition, published_at=FRIDAY
    )
    session.add(second)
    session.flush()
    given = {"attributes": {"wish": "a test drive at night"}}
    for locale, label in (("pl", "Życzenie"), ("en", "Your wish")):
        with reading(locale):
            [shown] = answers_shown(
                session, world.markets["PL"], given, "desk", form_version_id=second.id
            )
        assert (shown.label, shown.value) == (label, "a test drive at night")


# Files


@pytest.fixture
def photo(session: Session, world: World) -> FormFile:
    form = session.scalars(select(Form)).one()
    file = FormFile(
        id=uuid.uuid4(),
        form_id=form.id,
        field="photo",
        name="mój dach.jpg",
        content_type="image/jpeg",
        data=b"\xff\xd8\xff made up",
        created_at=FRIDAY,
    )
    session.add(file)
    session.commit()
    return file


def test_a_customers_file_is_had_through_its_lead_alone(
    fields: None,
    photo: FormFile,
    answering: Callable[..., Lead],
    as_: Callable[[str], FlaskClient],
) -> None:
    told = {"file": str(photo.id), "name": photo.name, "size": 1_234_567}
    lead, other = answering(photo=told), answering(colour="red")
    address = f"/desk/leads/{lead.id}/files/{photo.id}"
    page = as_("anna").get(f"/desk/leads/{lead.id}").text
    assert address in page
    assert "1.2 MB" in page
    for name in ("anna", "hana"):
        answer = as_(name).get(address)
        assert answer.status_code == 200
        assert answer.data == photo.data
        assert answer.mimetype == "image/jpeg"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
    assert as_("carla").get(address).status_code == 404
    assert as_("anna").get(f"/desk/leads/{other.id}/files/{photo.id}").status_code == 404
    assert as_("anna").get(f"/desk/leads/{lead.id}/files/{uuid.uuid4()}").status_code == 404


# Found again


def test_a_search_finds_leads_by_their_answers(
    fields: None, answering: Callable[..., Lead], as_: Callable[[str], FlaskClient]
) -> None:
    lead, other = answering(**ANSWERS), answering(note="nothing of it")
    for name, path in (("anna", "/desk/?q="), ("hana", "/hq/leads?search=")):
        client = as_(name)
        for words in ("zażółć", "dach żółty", "ŻÓŁTY da", "friend", "12500"):
            page = client.get(path + words).text
            assert lead.reference in page or str(lead.id) in page, words
            assert other.reference not in page
            assert str(other.id) not in page


def test_a_search_for_anything_is_no_error(
    fields: None, answering: Callable[..., Lead], session: Session
) -> None:
    answering(**ANSWERS)
    for words in ("", "' & | !", ":*", "\\", "żaden"):
        assert session.scalars(select(Lead).where(says(words))).all() == [], words


def test_headquarters_asks_for_one_answer(
    fields: None, answering: Callable[..., Lead], as_: Callable[[str], FlaskClient]
) -> None:
    lead = answering(**ANSWERS)
    client = as_("hana")
    for key, value, found in (
        ("colour", "red", True),
        ("colour", "blue", False),
        ("extras", "hook", True),
        ("mileage", "12500", True),
        ("mileage", "12500.0", True),
        ("mileage", "0", False),
        ("note", '"; DROP', False),
        ("nothing", "red", False),
    ):
        query = {"field": key, "value": value}
        page = client.get("/hq/leads", query_string=query).text
        assert (lead.reference in page) is found, query
        listed = rows(client.get("/hq/leads.csv", query_string=query))
        assert [row["Reference"] for row in listed] == [lead.reference] * found
    assert (
        '<option value="colour" selected>Colour</option>'
        in client.get("/hq/leads?field=colour&value=red").text
    )


def test_headquarters_asks_for_one_form_or_version(
    session: Session, sessions: SessionFactory, as_: Callable[[str], FlaskClient]
) -> None:
    version = session.scalars(select(FormVersion)).one()
    by_form = {**warsaw_lead(**somebody()), "form": {"version_id": version.id}}
    lead = send(session, "form-pl", by_form, FRIDAY)
    other = send(session, "api-pl", warsaw_lead(**somebody()), FRIDAY)
    client = as_("hana")
    for query, expected in (
        ("form=contact-pl", True),
        ("form=contact-pl&version=1", True),
        ("form=contact-pl&version=2", False),
        ("form=nothing", False),
    ):
        page = client.get(f"/hq/leads?{query}").text
        assert (lead.reference in page) is expected
        assert other.reference not in page
        listed = rows(client.get(f"/hq/leads.csv?{query.replace('form=', 'by_form=')}"))
        assert [row["Reference"] for row in listed] == [lead.reference] * expected
        assert "by_form=" in page or not expected


def test_the_indexes_serve(session: Session, world: World) -> None:
    lead = send(session, "api-pl", {**warsaw_lead(), "attributes": ANSWERS}, FRIDAY)
    columns = [c.name for c in Lead.__table__.columns if c.name not in {"id", "reference"}]
    listed = ", ".join(f'"{name}"' for name in columns)
    chosen = listed.replace(
        '"given"',
        """CASE WHEN n % 50 = 0 THEN jsonb_build_object('attributes',
           jsonb_build_object('note', 'word' || n)) ELSE '{"attributes": {}}'::jsonb END""",
    )
    session.execute(
        text(
            f"INSERT INTO lead (id, reference, {listed}) SELECT gen_random_uuid(), 'R' || n,"
            f" {chosen} FROM lead, generate_series(1, 5000) n WHERE lead.id = :id"
        ),
        {"id": lead.id},
    )
    session.commit()
    session.execute(text("ANALYZE lead"))
    session.execute(text("SET LOCAL enable_seqscan = off"))
    for condition, index in (
        (says("word4950"), "ix_lead_attributes_words"),
        (answered("note", "word4950"), "ix_lead_attributes"),
    ):
        asked = select(Lead.id).where(condition)
        compiled = asked.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = "\n".join(session.scalars(text("EXPLAIN " + str(compiled).replace(":*", "\\:*"))))
        assert f"{index} " in plan or f"{index}\n" in plan
        assert len(session.scalars(asked).all()) == 1


# Taken away


def test_an_export_has_a_column_for_each_field(
    fields: None, answering: Callable[..., Lead], as_: Callable[[str], FlaskClient]
) -> None:
    answering(**ANSWERS)
    for name, path in (("hana", "/hq/leads.csv"), ("bert", "/desk/leads.csv?tab=new")):
        client = as_(name)
        [row] = rows(client.get(f"{path}{'&' if '?' in path else '?'}lang=pl"))
        assert row["Kolor"] == "red"
        assert row["Dodatki"] == "roof; hook"
        assert row["Mileage"] == "12500"
        assert "Secret" not in row
        assert list(row)[-6:-2] == ["Kolor", "Dodatki", "Mileage", "Pick-up"]


def test_the_gulf_has_no_columns_of_poland(
    fields: None, session: Session, as_: Callable[[str], FlaskClient]
) -> None:
    send(session, "api-gulf", warsaw_lead(**somebody()), FRIDAY)
    listed = as_("omar").get("/hq/leads.csv?market=GULF")
    assert listed.status_code == 200
    assert "Colour" not in listed.text


def test_what_was_asked_for_is_not_told_by_name(
    fields: None,
    answering: Callable[..., Lead],
    session: Session,
    as_: Callable[[str], FlaskClient],
) -> None:
    answering(**ANSWERS)
    as_("hana").get("/hq/leads.csv?field=note&value=Jan+Kowal").get_data()
    change = session.scalars(select(SettingChange).where(SettingChange.kind == "export")).one()
    assert "Kowal" not in str(change.after)


# Counted


def counted(client: FlaskClient, sessions: SessionFactory, by: str) -> dict[str, str]:
    """How many leads the report of March counts for each answer, and for all together."""
    refresh(sessions, FRIDAY)
    asked = {"rows": f"field:{by}", "figures": "leads", "from": "2026-03-01", "to": "2026-03-31"}
    page = html.fromstring(client.get("/reports/show", query_string=asked).text)
    assert page.xpath("//select[@name='rows']//option[@selected]/@value") == [f"field:{by}"]
    assert not page.xpath("//option[@value='field:mileage']")
    found = page.xpath("//table[contains(@class,'report-table')]//tr[td]")
    return {
        row.xpath("string(th)"): row.xpath("string(td//*[@class='number']/a/text())")
        for row in found
    }


def test_the_report_counts_by_answer(
    fields: None,
    answering: Callable[..., Lead],
    sessions: SessionFactory,
    as_: Callable[[str], FlaskClient],
) -> None:
    for colour in ("red", "red", "blue", "of old"):
        answering(colour=colour)
    answering()
    assert counted(as_("hana"), sessions, "colour") == {
        "Red": "2", "Blue": "1", "of old": "1", "No answer": "1", "All together": "5",
    }  # fmt: skip


def test_a_lead_with_several_answers_counts_for_each_and_once_in_all(
    fields: None,
    answering: Callable[..., Lead],
    sessions: SessionFactory,
    as_: Callable[[str], FlaskClient],
) -> None:
    answering(extras=["roof", "hook"])
    answering(extras=["roof"])
    answering(extras=[])
    assert counted(as_("hana"), sessions, "extras") == {
        "Glass roof": "2", "Tow bar": "1", "No answer": "1", "All together": "3",
    }  # fmt: skip


def test_free_text_is_counted_as_far_as_it_comes_again(
    fields: None,
    answering: Callable[..., Lead],
    sessions: SessionFactory,
    as_: Callable[[str], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lmt.reports.ownanswers.MOST_ANSWERS", 1)
    for words in ("often", "often", "once", "rarely"):
        answering(note=words)
    assert counted(as_("hana"), sessions, "note") == {
        "often": "2", "Others": "2", "All together": "4",
    }  # fmt: skip


# Forgotten


def test_answers_are_forgotten_when_their_time_is_over(
    fields: None,
    session: Session,
    sessions: SessionFactory,
    answering: Callable[..., Lead],
    photo: FormFile,
) -> None:
    old, young = answering(**ANSWERS), answering(at=FRIDAY + timedelta(days=20), **ANSWERS)
    session.add(
        Inquiry(
            lead_id=young.id,
            source_id=young.source_id,
            at=FRIDAY,
            given={"attributes": {"note": "old", "colour": "red"}},
        )
    )
    photo.forget_at = FRIDAY + timedelta(days=31)
    session.commit()
    at = FRIDAY + timedelta(days=31)
    assert forget_all(sessions, FRIDAY + timedelta(days=29)) == 0
    assert forget_all(sessions, at) == 3
    session.expire_all()
    assert "note" not in old.given["attributes"]
    assert old.given["attributes"]["colour"] == "red"
    assert young.given["attributes"]["note"] == ANSWERS["note"]
    assert session.scalars(select(Inquiry.given)).one() == {"attributes": {"colour": "red"}}
    assert session.scalars(select(FormFile)).all() == []
    told = session.scalars(select(Event).where(Event.kind == "answers_forgotten")).all()
    assert {(event.lead_id, event.data["text"]) for event in told} == {
        (old.id, "note"),
        (young.id, "note"),
    }
    assert forget_all(sessions, at) == 0
