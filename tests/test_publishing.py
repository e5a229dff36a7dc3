"""Forms as headquarters keeps them: drafts, versions that stay, what is shown, and where."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lmt import publishing
from lmt.db import SessionFactory
from lmt.forms.definition import FormDefinition
from lmt.forms.lead import consent_text_version
from lmt.forms.origins import BadOrigin, clean_origin
from lmt.ingest.books import books
from lmt.models import (
    ConsentText,
    Form,
    FormCount,
    SettingChange,
    User,
)
from lmt.scope import SYSTEM, Actor, act_as, actor_of
from tests.world import World

AT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
def hana(session: Session, cast: dict[str, User]) -> Actor:
    """Headquarters of Poland; the session is hers from here."""
    actor = actor_of(cast["hana"])
    act_as(session, actor)
    return actor


@pytest.fixture
def form(session: Session, hana: Actor) -> Form:
    return session.scalars(select(Form).where(Form.code == "contact-pl")).one()


def titled(form: Form, title: str) -> dict[str, Any]:
    return {**form.draft, "title": {"pl": title, "en": title}}


def changes(session: Session, code: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    rows = session.scalars(
        select(SettingChange)
        .where(SettingChange.kind == "form", SettingChange.subject == code)
        .order_by(SettingChange.id)
    )
    return [(row.before, row.after) for row in rows]


def test_a_version_is_shown_and_the_one_before_can_be_shown_again(
    session: Session, form: Form, hana: Actor
) -> None:
    first = form.published
    assert first is not None
    number = publishing.save_draft(
        session, form, titled(form, "Jazda"), number=form.draft_number, at=AT, actor=hana
    )
    assert (form.draft_number, form.drafted_at, form.drafted_by) == (number, AT, hana.user_id)
    assert form.published is first, "a draft is shown to nobody"
    second = publishing.publish(session, form, "Shorter title", at=AT, actor=hana)
    assert (second.number, second.note, second.published_by) == (2, "Shorter title", hana.user_id)
    assert form.published_id == second.id
    assert FormDefinition.from_json(second.definition).title["pl"] == "Jazda"
    publishing.roll_back(session, form, first, at=AT, actor=hana)
    assert form.published_id == first.id
    assert form.draft["title"]["pl"] == "Jazda", "rolling back leaves the draft"
    third = publishing.publish(session, form, "", at=AT, actor=hana)
    assert third.number == 3
    assert changes(session, "contact-pl") == [
        ({"version": 1}, {"version": 2}),
        ({"version": 2}, {"version": 1}),
        ({"version": 1}, {"version": 3}),
    ]


def test_a_published_version_never_changes(session: Session, form: Form) -> None:
    with pytest.raises(DBAPIError, match="never changes"):
        session.execute(text("UPDATE form_version SET note = 'other'"))


def test_of_two_who_edit_a_draft_the_second_is_told(
    session: Session, form: Form, hana: Actor
) -> None:
    number = form.draft_number
    publishing.save_draft(session, form, titled(form, "A"), number=number, at=AT, actor=hana)
    with pytest.raises(publishing.StaleDraft):
        publishing.save_draft(session, form, titled(form, "B"), number=number, at=AT, actor=hana)
    session.rollback()
    assert form.draft["title"]["pl"] == "A"
    with pytest.raises(publishing.StaleDraft):
        publishing.publish(session, form, "", number=number, at=AT, actor=hana)


def test_a_draft_may_be_anything_but_only_a_form_is_published(
    session: Session, form: Form, hana: Actor
) -> None:
    twice = {**form.draft, "steps": form.draft["steps"] * 2}
    publishing.save_draft(session, form, twice, number=form.draft_number, at=AT, actor=hana)
    with pytest.raises(publishing.Unpublishable) as refused:
        publishing.publish(session, form, "", at=AT, actor=hana)
    assert "two have one key" in refused.value.reason
    session.rollback()
    empty = {**form.draft, "steps": [{"key": "one", "title": {}, "fields": []}]}
    publishing.save_draft(session, form, empty, number=form.draft_number, at=AT, actor=hana)
    with pytest.raises(publishing.Unpublishable) as refused:
        publishing.publish(session, form, "", at=AT, actor=hana)
    assert any(each.severity == "error" for each in refused.value.findings)


def test_the_words_of_a_consent_are_kept_for_every_language(
    session: Session, form: Form, hana: Actor, world: World
) -> None:
    publishing.publish(session, form, "", at=AT, actor=hana)
    kept = {row.language: row for row in session.scalars(select(ConsentText))}
    definition = FormDefinition.from_json(form.draft)
    consent = definition.field("consent")
    assert consent is not None
    assert set(kept) == set(definition.languages)
    words = consent.label["ar"]
    version = consent_text_version(definition, consent, "ar")
    assert (kept["ar"].version, kept["ar"].text) == (version, words)
    # The same words again are the same text.
    publishing.publish(session, form, "", at=AT, actor=hana)
    assert len(session.scalars(select(ConsentText)).all()) == len(kept)
    digest = hashlib.sha256(words.encode()).hexdigest()
    act_as(session, SYSTEM)
    assert books(session).consent_hash(world.markets["PL"], "contact", version, "ar") == digest


def test_a_form_is_made_for_a_market_without_any(
    session: Session, cast: dict[str, User], world: World
) -> None:
    omar = actor_of(cast["omar"])
    act_as(session, omar)
    source = publishing.form_source(session, world.markets["GULF"], AT, omar)
    form = publishing.create_form(session, source, "test-drive", "Test drive", at=AT, actor=omar)
    assert (source.kind, form.source_id, form.published_id) == ("form", source.id, None)
    assert (form.draft["default_language"], form.draft["languages"]) == ("ar", ["ar", "en"])
    assert publishing.form_source(session, world.markets["GULF"], AT, omar).id == source.id
    with pytest.raises(publishing.BadSettings) as refused:
        publishing.create_form(session, source, "test-drive", "Other", at=AT, actor=omar)
    assert "code" in refused.value.problems


def test_a_form_needs_a_code_and_a_name(session: Session, form: Form, hana: Actor) -> None:
    for code, name, wrong in [
        ("Test", "Test", {"code"}),
        ("-test", "Test", {"code"}),
        ("new", "Test", {"code"}),
        ("fields", "Test", {"code"}),
        ("a" * 61, "Test", {"code"}),
        ("test", "", {"name"}),
        ("", "n" * 101, {"code", "name"}),
    ]:
        with pytest.raises(publishing.BadSettings) as refused:
            publishing.create_form(session, form.source, code, name, at=AT, actor=hana)
        assert set(refused.value.problems) == wrong, (code, name)


def test_a_copy_has_the_draft_and_nothing_else(session: Session, form: Form, hana: Actor) -> None:
    publishing.set_origins(session, form, ["https://www.aurel.example"], at=AT, actor=hana)
    copy = publishing.duplicate(session, form, "contact-2", "Contact, again", at=AT, actor=hana)
    assert copy.draft == {**form.draft, "code": "contact-2"}
    assert (copy.source_id, copy.published_id, copy.origins) == (form.source_id, None, [])


def test_another_market_s_form_is_nobody_s_to_touch(
    session: Session, cast: dict[str, User], world: World
) -> None:
    omar, hana = actor_of(cast["omar"]), actor_of(cast["hana"])
    act_as(session, omar)
    source = publishing.form_source(session, world.markets["GULF"], AT, omar)
    gulf = publishing.create_form(session, source, "gulf", "Gulf", at=AT, actor=omar)
    act_as(session, hana)
    with pytest.raises(LookupError):
        publishing.kept_form(session, "gulf", hana)
    for attempt in (
        lambda: publishing.save_draft(session, gulf, {}, number=1, at=AT, actor=hana),
        lambda: publishing.publish(session, gulf, "", at=AT, actor=hana),
        lambda: publishing.set_origins(session, gulf, [], at=AT, actor=hana),
        lambda: publishing.set_active(session, gulf, False, at=AT, actor=hana),
        lambda: publishing.duplicate(session, gulf, "mine", "Mine", at=AT, actor=hana),
        lambda: publishing.create_form(session, source, "mine", "Mine", at=AT, actor=hana),
        lambda: publishing.form_source(session, world.markets["GULF"], AT, hana),
    ):
        with pytest.raises(LookupError):
            attempt()


def test_a_salesperson_keeps_no_form(session: Session, cast: dict[str, User]) -> None:
    bert = actor_of(cast["bert"])
    act_as(session, bert)
    with pytest.raises(LookupError):
        publishing.kept_form(session, "contact-pl", bert)


def test_a_version_of_another_form_is_not_rolled_back_to(
    session: Session, form: Form, hana: Actor
) -> None:
    copy = publishing.duplicate(session, form, "contact-2", "Again", at=AT, actor=hana)
    other = publishing.publish(session, copy, "", at=AT, actor=hana)
    with pytest.raises(LookupError):
        publishing.roll_back(session, form, other, at=AT, actor=hana)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://www.aurel.example", "https://www.aurel.example"),
        (" HTTPS://Www.Aurel.Example/ ", "https://www.aurel.example"),
        ("https://aurel.example:443", "https://aurel.example"),
        ("https://aurel.example:8443", "https://aurel.example:8443"),
        ("https://żabka.example", "https://xn--abka-99a.example"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://www.aurel.example", None),
        ("https://aurel.example/path", None),
        ("https://user@aurel.example", None),
        ("https://*.aurel.example", None),
        ("https://aurel.example:0", None),
        ("https://aurel.example:70000", None),
        ("https://aurel..example", None),
        ("https://aurel", None),
        ("aurel.example", None),
        ("null", None),
        ("*", None),
        ("https://aurel.example; script-src *", None),
        ("javascript://aurel.example", None),
        ("", None),
    ],
)
def test_an_origin_is_what_browsers_send(typed: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(BadOrigin):
            clean_origin(typed)
    else:
        assert clean_origin(typed) == kept


def test_origins_and_archiving_are_noted(session: Session, form: Form, hana: Actor) -> None:
    given = ["https://WWW.aurel.example/", "https://www.aurel.example", "http://localhost:5000"]
    publishing.set_origins(session, form, given, at=AT, actor=hana)
    assert form.origins == ["https://www.aurel.example", "http://localhost:5000"]
    with pytest.raises(publishing.BadSettings) as refused:
        publishing.set_origins(session, form, ["http://aurel.example"], at=AT, actor=hana)
    assert "http://aurel.example" in refused.value.problems["origins"]
    session.rollback()
    publishing.set_active(session, form, False, at=AT, actor=hana)
    assert not form.active
    assert [after for _before, after in changes(session, "contact-pl")] == [
        {"origins": ["https://www.aurel.example", "http://localhost:5000"]},
        {"state": "archived"},
    ]


def test_figures_of_a_version(
    session: Session, form: Form, hana: Actor, sessions: SessionFactory
) -> None:
    version = form.published
    assert version is not None
    for day, kind, field, times in (
        (date(2026, 3, 1), "seen", "", 50),
        (date(2026, 3, 9), "seen", "", 40),
        (date(2026, 3, 9), "started", "", 20),
        (date(2026, 3, 9), "sent", "", 15),
        (date(2026, 3, 10), "error", "phone", 7),
        (date(2026, 3, 10), "error", "name", 2),
    ):
        session.add(FormCount(version_id=version.id, day=day, kind=kind, field=field, times=times))
    session.commit()
    empty = publishing.publish(session, form, "", at=AT, actor=hana)
    found = publishing.figures(session, form, [version, empty], since=date(2026, 3, 9))
    assert (found[version.id].seen, found[version.id].started, found[version.id].sent) == (
        40,
        20,
        15,
    )
    assert found[version.id].completion == 0.75
    assert found[version.id].errors == {"phone": 7, "name": 2}
    assert (found[empty.id].seen, found[empty.id].completion) == (0, None)
    assert publishing.figures(session, form, [version])[version.id].seen == 90


def test_the_ready_questions_of_a_market(session: Session, form: Form, world: World) -> None:
    by_key = {item.key: item for item in publishing.ready_fields(session, world.markets["GULF"])}
    assert [option.id for option in by_key["model"].options] == ["aurel", "aurel/mira"]
    assert [option.id for option in by_key["country"].options] == ["AE", "SA"]
    assert by_key["address"].countries == ("AE", "SA")
    for item in by_key.values():
        assert set(item.label) >= {"en", "fr", "de", "es", "pl", "nl", "tr", "ar"}, item.key
