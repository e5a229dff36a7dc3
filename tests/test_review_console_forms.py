"""What a second reader found in the console's side of forms, and what holds it mended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Signal
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from lmt import publishing, schema
from lmt.attributes import answers_shown, says
from lmt.confirming import agreements
from lmt.db import SessionFactory, engine_for, sessions_for
from lmt.forms.definition import FormDefinition
from lmt.forms.fields import field_from
from lmt.forms.lead import consent_text_version
from lmt.ingest.ownfields import misfit
from lmt.models import (
    Consent,
    CustomField,
    Event,
    Form,
    FormCount,
    FormFile,
    FormVersion,
    Lead,
    Market,
    User,
)
from lmt.retention import forget_all
from lmt.scope import SYSTEM, act_as, actor_of
from tests.world import FRIDAY, World, build, send, somebody, warsaw_lead

Login = Callable[[FlaskClient, User], FlaskClient]
HOME = "/hq/forms/contact-pl"


@pytest.fixture
def hana(client: FlaskClient, login: Login, cast: dict[str, User]) -> FlaskClient:
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    client.application.testing = False
    return login(client, cast["hana"])


def form_of(session: Session) -> Form:
    session.expire_all()
    return session.scalars(select(Form).where(Form.code == "contact-pl")).one()


def _field(**changes: Any) -> dict[str, Any]:
    return {
        "title": {"en": "T"},
        "languages": ["pl", "en"],
        "default_language": "pl",
        "steps": [
            {"key": "a", "fields": [{"key": "x", "type": "text", "label": {"en": "X"}, **changes}]}
        ],
    }


BROKEN: dict[str, Any] = {
    "nothing": {},
    "step_number": {"steps": [1]},
    "step_no_fields": {"steps": [{"key": "a"}]},
    "field_bare": {"steps": [{"key": "a", "fields": [{}]}]},
    "field_type": _field(type="nonsense"),
    "label_text": _field(label="abc"),
    "label_numbers": _field(label={"en": 5}),
    "least_text": _field(type="number", least="abc"),
    "options_bare": _field(type="choice", options=[{}]),
    "option_label": _field(type="choice", options=[{"id": "a", "label": {"en": 4}}]),
    "shows_numbers": _field(shows=[["desk"]]),
    "condition_text": _field(shown_when="abc"),
    "languages_text": {**_field(), "languages": "pl"},
    "default_language": {**_field(), "default_language": ["pl"]},
    "theme_list": {**_field(), "theme": ["accent"]},
    "theme_css": {**_field(), "theme": {"accent": "red;}*{display:none", "font": "comic"}},
    "same_keys": {**_field(), "steps": [{"key": "x", "fields": []}, {"key": "x", "fields": []}]},
}
PAGES = ("", "/build?at=field/x", "/preview", "/preview.js", "/preview.css", "/texts")
SENT = (
    ("/preview", {"step": "a"}),
    ("/preview/embed/preview/send", {"x": "1"}),
    ("/texts", {"number": "1", "text|en|form/title": "New"}),
)


def failing(hana: FlaskClient) -> set[str]:
    """Addresses of the form that answer with an error of ours."""
    read = {path for path in PAGES if hana.get(HOME + path).status_code >= 500}
    return read | {
        path for path, typed in SENT if hana.post(HOME + path, data=typed).status_code >= 500
    }


def test_every_page_survives_a_broken_draft(hana: FlaskClient, session: Session) -> None:
    bad = {}
    for name, broken in BROKEN.items():
        session.execute(update(Form).values(draft=broken, draft_number=1))
        session.commit()
        if found := failing(hana):
            bad[name] = found
        number = form_of(session).draft_number
        typed = {"number": str(number), "do": "add:blank/text"}
        if hana.post(HOME + "/build", data=typed).status_code >= 500:
            bad[f"{name} add"] = {"add"}
    assert bad == {}
    assert hana.get("/hq/forms").status_code == 200


def test_undo_takes_nothing_broken(hana: FlaskClient, session: Session) -> None:
    bad = {}
    deep = "[" * 100_000
    for name, former in [*((n, json.dumps(b)) for n, b in BROKEN.items()), ("deep", deep)]:
        number = str(form_of(session).draft_number)
        typed = {"number": number, "do": "undo", "former": former}
        if hana.post(HOME + "/build", data=typed).status_code >= 500:
            bad[name] = {"undo"}
        if form_of(session).draft_number != int(number) and (found := failing(hana)):
            bad[name] = found
        number = str(form_of(session).draft_number)
        answer = hana.post(HOME + "/publish", data={"number": number})
        if answer.status_code >= 500:
            bad[name + " publish"] = {"publish"}
        if answer.status_code == 302:
            for address in ("/forms/contact-pl", "/embed/contact-pl.js"):
                if hana.get(address).status_code >= 500:
                    bad[name] = {address}
    assert bad == {}


def test_a_text_in_a_language_the_form_does_not_speak_is_not_kept(
    hana: FlaskClient, session: Session
) -> None:
    typed = {"number": "1", "text|<b>|form/title": "X", "text|en|form/title": "New"}
    assert hana.post(HOME + "/texts", data=typed).status_code == 302
    title = form_of(session).draft["title"]
    assert title["en"] == "New"
    assert "<b>" not in title


def own_field(session: Session, world: World, key: str, **changes: Any) -> None:
    whole = field_from({"key": key, "type": "text", "label": {"en": key.title()}, **changes})
    session.add(CustomField(market_id=world.markets["PL"], key=key, definition=whole.to_json()))
    session.commit()


def lead_with(session: Session, source: str = "api-pl", **attributes: Any) -> Lead:
    return send(session, source, {**warsaw_lead(**somebody()), "attributes": attributes}, FRIDAY)


def test_an_option_is_found_by_what_it_is_called(
    hana: FlaskClient, session: Session, world: World
) -> None:
    options = [
        {"id": "opt-1", "label": {"pl": "Żółty 100%", "en": "Yellow"}},
        {"id": "opt-2", "label": {"pl": "Czerwony", "en": "Red"}},
    ]
    own_field(session, world, "colour", type="choice", options=options)
    own_field(session, world, "extras", type="choices", options=options)
    one, many = lead_with(session, colour="opt-1"), lead_with(session, extras=["opt-1", "opt-2"])
    abroad = {"address": {"country": "AE"}, "attributes": {"colour": "opt-1"}}
    gulf = send(session, "api-gulf", {**warsaw_lead(**somebody()), **abroad}, FRIDAY)
    for words, found in (
        ("żółty", {one.id, many.id}),
        ("Yellow", {one.id, many.id}),
        ("red", {many.id}),
        ("Żółty 100%", {one.id, many.id}),
        ("100%", set()),
        ("%%", set()),
        ("", set()),
        ("__", set()),
        ("'; --", set()),
    ):
        assert set(session.scalars(select(Lead.id).where(says(words)))) == found, words
    listed = hana.get("/hq/leads", query_string={"search": "yellow"}).text
    assert one.reference in listed
    assert gulf.reference not in listed


def test_what_is_not_for_downloads_leaves_in_no_column(
    hana: FlaskClient, session: Session, world: World
) -> None:
    own_field(session, world, "income", shows=["desk"])
    own_field(session, world, "hobby")
    lead_with(session, income="a-secret", hobby="sailing", other="thing")
    listed = hana.get("/hq/leads.csv").get_data().decode("utf-8-sig")
    assert "sailing" in listed
    assert "thing" in listed
    assert "a-secret" not in listed


def test_a_field_called_like_something_of_machines_is_shown(session: Session, world: World) -> None:
    market = world.markets["PL"]
    given = {"attributes": {"provider": "Enea", "vendor": "of a machine"}}
    assert answers_shown(session, market, given, "desk") == []
    own_field(session, world, "provider")
    assert [a.value for a in answers_shown(session, market, given, "desk")] == ["Enea"]


@pytest.mark.parametrize("attributes", ["note", ["note"], None], ids=["text", "list", "null"])
def test_answers_of_another_shape_do_not_hold_up_the_forgetting(
    attributes: Any, session: Session, sessions: SessionFactory, world: World
) -> None:
    own_field(session, world, "note", retention_days=1)
    odd, plain = lead_with(session), lead_with(session, note="x", hobby="y")
    odd.given = {**odd.given, "attributes": attributes}
    session.commit()
    at = FRIDAY + timedelta(days=2)
    assert forget_all(sessions, at) == 1
    session.expire_all()
    assert plain.given["attributes"] == {"hobby": "y"}
    assert odd.given["attributes"] == attributes
    assert forget_all(sessions, at) == 0


def test_a_consent_is_proven_where_the_lead_is_another_markets(
    session: Session, cast: dict[str, User], world: World
) -> None:
    actor = actor_of(cast["hana"])
    version = publishing.publish(session, form_of(session), "", at=FRIDAY, actor=actor)
    form = FormDefinition.from_json(version.definition)
    item = next(each for each in form.fields if each.type == "consent")
    said = {
        "purpose": item.purpose,
        "given": True,
        "text_version": consent_text_version(form, item, "pl"),
    }
    session.get_one(Market, world.markets["GULF"]).confirmed_purposes = [item.purpose]
    session.commit()
    data = {**warsaw_lead(**somebody()), "consents": [said], "form": {"version_id": version.id}}
    data["address"] = {"city": "Dubai", "country": "AE"}
    lead = send(session, "form-pl", data, FRIDAY)
    assert lead.market_id == world.markets["GULF"]
    consent = session.scalars(select(Consent).where(Consent.lead_id == lead.id)).one()
    words = form.words(item.label, "pl")
    assert consent.text_hash == hashlib.sha256(words.encode()).hexdigest()
    assert [each.text for each in agreements(session, lead)] == [words]


def test_forms_go_down_a_version_and_up_again(empty_url: str) -> None:
    engine = engine_for(empty_url)
    schema.upgrade(engine)
    build(engine)
    with act_as(sessions_for(engine)(), SYSTEM) as session:
        form = session.scalars(select(Form)).one()
        version = session.get_one(FormVersion, form.published_id)
        asked = [item.key for item in FormDefinition.from_json(version.definition).fields]
        session.add(Form(code="never", name="Never published", source_id=form.source_id))
        session.add(FormCount(version_id=version.id, day=FRIDAY.date(), kind="seen", field=""))
        session.add(
            FormFile(
                form_id=form.id, field="photo", name="a", content_type="b", data=b"",
                created_at=FRIDAY,
            )
        )  # fmt: skip
        session.add(CustomField(market_id=None, key="x", definition={}))
        data = {**warsaw_lead(), "form": {"version_id": version.id}}
        assert send(session, "form-pl", data, FRIDAY).form_version_id == version.id
        session.commit()
    schema.downgrade(engine, "0004")
    with engine.connect() as connection:
        (kept,) = connection.scalars(text("SELECT definition FROM form"))
    assert [item["key"] for item in kept["fields"]] == asked
    assert "steps" not in kept
    schema.upgrade(engine)
    with act_as(sessions_for(engine)(), SYSTEM) as session:
        (version,) = session.scalars(select(FormVersion))
        assert [item.key for item in FormDefinition.from_json(version.definition).fields] == asked
        assert session.scalars(select(Form)).one().published_id == version.id
        assert session.scalars(select(Lead)).one().form_version_id is None
    engine.dispose()


OPTIONS = [{"id": "red", "label": {"en": "Red"}}, {"id": "blue", "label": {"en": "Blue"}}]
MISFITS = [
    ("choice", "red", ""),
    ("choice", "green", "option_not_known"),
    ("choice", ["red"], "option_not_known"),
    ("choice", 5, "option_not_known"),
    ("choice", "", ""),
    ("choices", ["red", "blue"], ""),
    ("choices", "red", ""),
    ("choices", ["red", "green"], "option_not_known"),
    ("choices", [["red"]], "option_not_known"),
    ("number", 5, ""),
    ("number", "12,5", ""),
    ("number", "many", "not_a_number"),
    ("number", True, "not_a_number"),
    ("number", [1], "not_a_number"),
    ("date", "2026-02-28", ""),
    ("date", "2026-02-30", "date_not_known"),
    ("date", "soon", "date_not_known"),
    ("date", {"day": 1}, "date_not_known"),
    ("date", None, ""),
    ("text", {"any": "thing"}, ""),
]


@pytest.mark.parametrize(("kind", "value", "code"), MISFITS, ids=str)
def test_an_answer_fits_its_field_or_not(kind: str, value: Any, code: str) -> None:
    options = OPTIONS if kind in {"choice", "choices"} else []
    item = field_from({"key": "x", "type": kind, "options": options})
    assert misfit(item, value) == code


def test_a_partners_answer_that_is_none_is_taken_and_noted(session: Session, world: World) -> None:
    def noted(lead: Lead) -> list[dict[str, str]]:
        wanted = select(Event).where(Event.lead_id == lead.id, Event.kind == "received")
        return list(session.scalars(wanted).one().data["problems"])

    told = {"field": "attributes.colour", "code": "option_not_known"}
    assert noted(lead_with(session, colour="green")) == []
    own_field(session, world, "colour", type="choice", options=OPTIONS)
    # A process hears of the change with the next delivery, and reads that one as before.
    lead_with(session)
    lead = lead_with(session, colour="green", other=5)
    assert noted(lead) == [told]
    assert lead.given["attributes"] == {"colour": "green", "other": 5}
    assert noted(lead_with(session, colour="red")) == []
    # Of a retired field nobody is told any more.
    session.execute(update(CustomField).values(active=False))
    session.commit()
    lead_with(session)
    assert noted(lead_with(session, colour="green")) == []


def test_a_file_goes_with_the_answer_that_named_it(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    own_field(session, world, "photo", type="file", retention_days=1)
    kept = {"content_type": "image/png", "data": b"x", "created_at": FRIDAY, "name": "a.png"}
    form = form_of(session)
    photo, other = (FormFile(form_id=form.id, field=f, **kept) for f in ("photo", "other"))
    session.add_all([photo, other])
    session.flush()
    lead_with(session, photo={"file": str(photo.id), "name": "a.png", "size": 1})
    # Nobody has another's file forgotten by naming it.
    lead_with(session, photo={"file": str(other.id)})
    lead_with(session, photo={"file": "../etc"})
    assert forget_all(sessions, FRIDAY + timedelta(days=2)) == 3
    assert list(session.scalars(select(FormFile.field))) == ["other"]


def test_a_version_that_can_not_be_read_holds_up_nobody(
    hana: FlaskClient, session: Session, sessions: SessionFactory
) -> None:
    broken = {"code": "contact-pl", "steps": [{"key": "a"}], "x": "retention_days"}
    form = form_of(session)
    version = FormVersion(form_id=form.id, number=2, definition=broken, published_at=FRIDAY)
    session.add(version)
    session.flush()
    session.add(
        FormCount(version_id=version.id, day=FRIDAY.date(), kind="error", field="x", times=2)
    )
    said = {"purpose": "contact", "given": True, "text_version": "pl:0"}
    answers = {"form": {"version_id": version.id}, "attributes": {"hobby": "sailing"}}
    data = {**warsaw_lead(**somebody()), **answers, "consents": [said]}
    lead = send(session, "form-pl", data, FRIDAY)
    assert "sailing" in hana.get(f"/hq/leads/{lead.id}").text
    assert "sailing" in hana.get("/hq/leads.csv").text
    assert hana.get(HOME + "?days=365").status_code == 200
    assert agreements(session, lead) == []
    assert forget_all(sessions, FRIDAY) == 0


def test_two_first_forms_of_a_market_share_their_source(
    session: Session, sessions: SessionFactory, cast: dict[str, User], world: World
) -> None:
    market, omar = world.markets["GULF"], actor_of(cast["omar"])

    def begin(own: Session, code: str) -> str:
        source = publishing.form_source(own, market, FRIDAY, omar)
        started.set()
        return publishing.create_form(own, source, code, code, at=FRIDAY, actor=omar).source.code

    def other() -> str:
        with act_as(sessions(), omar) as own:
            return begin(own, "second")

    started = Signal()
    with act_as(sessions(), omar) as own, ThreadPoolExecutor(1) as threads:
        first = publishing.form_source(own, market, FRIDAY, omar)
        waiting = threads.submit(other)
        assert not started.wait(0.3)
        made = publishing.create_form(own, first, "first", "First", at=FRIDAY, actor=omar)
        assert waiting.result(20) == made.source.code
