"""Headquarters' pages of forms: begun, published, put on sites, rolled back, archived."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.models import Form, FormCount, FormVersion, Lead, SettingChange, Source, User
from tests.world import World

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
Enter = Callable[[str], FlaskClient]


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


@pytest.fixture
def form(session: Session) -> Form:
    return session.scalars(select(Form).where(Form.code == "contact-pl")).one()


def seen(html: str) -> str:
    """The words of a page, as a reader sees them."""
    return " ".join(unescape(re.sub("<[^>]+>", " ", html)).split())


def page_of(client: FlaskClient, address: str = "/hq/forms/contact-pl") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return seen(answer.text)


def edit(session: Session, form: Form, title: str) -> None:
    form.draft = {**form.draft, "title": {"pl": title, "en": title}}
    session.commit()


def test_a_form_begins_with_the_contact_form_of_its_market(
    enter: Enter, session: Session, world: World
) -> None:
    client = enter("hana")
    assert client.get("/hq/forms/new").text.count("<option") == 1, "there is one place for it"
    given = {"name": "Spring drive", "home": "source:form-pl", "start": "contact"}
    answer = client.post("/hq/forms/new", data=given)
    assert answer.location == "/hq/forms/spring-drive"
    row = session.scalars(select(Form).where(Form.code == "spring-drive")).one()
    assert (row.draft["languages"], row.draft["default_language"]) == (["pl", "en"], "pl")
    page = page_of(client, answer.location)
    assert "Not published yet" in page
    client.post("/hq/forms/spring-drive/publish", data={"note": "", "number": "1"})
    assert "Version 1." in page_of(client, answer.location)
    listed = page_of(client, "/hq/forms")
    assert listed.index("Spring drive") < listed.index("contact-pl")


def test_the_first_form_of_a_market_brings_its_source(
    enter: Enter, session: Session, world: World
) -> None:
    client = enter("omar")
    home = f"market:{world.markets['GULF']}"
    given = {"name": "Gulf contact", "home": home, "start": "empty"}
    assert client.post("/hq/forms/new", data=given).status_code == 302
    row = session.scalars(select(Form).where(Form.code == "gulf-contact")).one()
    assert (row.source.kind, row.source.market_id) == ("form", world.markets["GULF"])
    page = page_of(client, "/hq/forms/gulf-contact")
    assert "The form asks nothing yet" in page
    assert "What changed" not in page, "there is nothing to publish"
    refused = client.post("/hq/forms/gulf-contact/publish", data={"number": "1"})
    assert refused.status_code == 422
    assert session.scalars(select(FormVersion).where(FormVersion.form_id == row.id)).first() is None


IMPOSSIBLE = [
    ({"name": ""}, "Enter a name."),
    ({"code": "Contact PL"}, "Use small letters"),
    ({"code": "contact-pl"}, "This code is taken."),
    ({"home": "source:api-pl"}, "Choose one of these."),
    ({"home": "market:2"}, "Choose one of these."),
    ({"home": ""}, "Choose one of these."),
    ({"start": "magic"}, "Choose one of these."),
]


def test_what_a_form_can_not_be(enter: Enter, session: Session) -> None:
    client = enter("hana")
    for changes, told in IMPOSSIBLE:
        given = {"name": "New", "home": "source:form-pl", "start": "empty", **changes}
        answer = client.post("/hq/forms/new", data=given)
        assert answer.status_code == 422, changes
        assert told in seen(answer.text), changes
    assert len(session.scalars(select(Form)).all()) == 1
    sources = session.scalars(select(Source).where(Source.kind == "form")).all()
    assert [source.code for source in sources] == ["form-pl"]


def test_a_version_is_published_rolled_back_and_told(
    enter: Enter, session: Session, form: Form
) -> None:
    client = enter("hana")
    assert "The draft is the same as this version." in page_of(client)
    edit(session, form, "Jazda próbna")
    number = str(form.draft_number)
    assert "changes that visitors don't see yet" in page_of(client)
    client.post("/hq/forms/contact-pl/publish", data={"note": "Nowy tytuł", "number": number})
    page = page_of(client)
    assert "Version 2. Nowy tytuł" in page
    assert client.post("/hq/forms/contact-pl/roll-back", data={"version": "1"}).status_code == 302
    page = page_of(client)
    assert "What visitors see Version 1." in page
    assert "Version that visitors see: 2 1" in page
    assert client.post("/hq/forms/contact-pl/roll-back", data={"version": "9"}).status_code == 404
    notes = session.scalars(select(SettingChange).where(SettingChange.kind == "form")).all()
    assert [(note.before, note.after) for note in notes] == [
        ({"version": 1}, {"version": 2}),
        ({"version": 2}, {"version": 1}),
    ]
    assert {note.user_id for note in notes} == {
        session.scalars(select(User.id).where(User.email.like("hana%"))).one()
    }


def test_what_was_edited_meanwhile_is_not_published_unseen(
    enter: Enter, session: Session, form: Form
) -> None:
    client, number = enter("hana"), form.draft_number
    form.draft_number = number + 1
    session.commit()
    answer = client.post(
        "/hq/forms/contact-pl/publish", data={"number": str(number)}, follow_redirects=True
    )
    assert "Somebody changed the draft meanwhile" in seen(answer.text)
    assert len(session.scalars(select(FormVersion)).all()) == 1


def test_a_draft_that_is_no_form_says_why(enter: Enter, session: Session, form: Form) -> None:
    form.draft = {**form.draft, "steps": form.draft["steps"] * 2}
    session.commit()
    assert "two have one key" in page_of(enter("hana"))


def test_the_lines_for_a_site_s_developers(
    enter: Enter, session: Session, form: Form, settings: Settings
) -> None:
    client, base = enter("hana"), settings.base_url.rstrip("/")
    page = page_of(client)
    for line in (
        f'<script async src="{base}/embed/contact-pl.js?lang=pl"></script>',
        '<lmt-form form="contact-pl" lang="pl"></lmt-form>',
        f'<iframe data-lmt-form="contact-pl" src="{base}/embed/contact-pl?lang=pl"',
        f"script-src {base}; connect-src {base}",
        f"frame-src {base}",
        f"{base}/forms/contact-pl",
    ):
        assert line in page, line
    assert "No site is named yet" in page
    typed = "https://WWW.aurel.example/\nhttps://aurel.example"
    client.post("/hq/forms/contact-pl/origins", data={"origins": typed})
    session.refresh(form)
    assert form.origins == ["https://www.aurel.example", "https://aurel.example"]
    wrong = "https://aurel.example\nhttp://other.example"
    answer = client.post("/hq/forms/contact-pl/origins", data={"origins": wrong})
    assert answer.status_code == 422
    assert "“http://other.example” can't be such an address" in seen(answer.text)
    assert "http://other.example</textarea>" in answer.text, "what was typed stays"
    session.refresh(form)
    assert len(form.origins) == 2


def test_figures_by_version_with_refused_answers_in_words(
    enter: Enter, session: Session, form: Form, sent_lead: Callable[..., Lead]
) -> None:
    version_id = form.published_id
    lead = sent_lead()
    lead.form_version_id = version_id
    for day, kind, field, times in (
        (date(2026, 1, 2), "seen", "", 500),
        (date(2026, 3, 9), "seen", "", 123),
        (date(2026, 3, 9), "started", "", 80),
        (date(2026, 3, 9), "sent", "", 60),
        (date(2026, 3, 9), "review", "", 3),
        (date(2026, 3, 10), "error", "phone", 7),
    ):
        session.add(FormCount(version_id=version_id, day=day, kind=kind, field=field, times=times))
    session.commit()
    client = enter("hana")
    answer = client.get("/hq/forms/contact-pl")
    assert re.search(r"123 80 60 75\s?% 3 Phone : 7 1 ", seen(answer.text))
    assert 'href="/hq/leads?form=contact-pl&amp;version=1"' in answer.text
    assert " 623 80 60 " in page_of(client, "/hq/forms/contact-pl?days=90")
    assert " 123 60" in page_of(client, "/hq/forms")


def test_a_copy_and_another_name(enter: Enter, session: Session, form: Form) -> None:
    client = enter("hana")
    answer = client.post("/hq/forms/contact-pl/duplicate", data={"name": "Fleet contact"})
    assert answer.location == "/hq/forms/fleet-contact"
    answer = client.post("/hq/forms/contact-pl/duplicate", data={"name": "Fleet contact"})
    assert answer.status_code == 422
    assert "This code is taken." in seen(answer.text)
    client.post("/hq/forms/fleet-contact/name", data={"name": "Firmy"})
    assert "Firmy" in page_of(client, "/hq/forms")


def test_an_archived_form_is_shown_to_nobody(
    enter: Enter, session: Session, form: Form, app: Flask
) -> None:
    client = enter("hana")
    assert app.test_client().get("/forms/contact-pl").status_code == 200
    client.post("/hq/forms/contact-pl/state", data={"do": "archive"})
    assert "the form is archived" in page_of(client)
    assert app.test_client().get("/forms/contact-pl").status_code == 404
    client.post("/hq/forms/contact-pl/state", data={"do": "restore"})
    assert app.test_client().get("/forms/contact-pl").status_code == 200
    assert client.post("/hq/forms/contact-pl/state", data={"do": "burn"}).status_code == 400


def test_another_market_s_form_can_not_be_found(
    enter: Enter, session: Session, world: World
) -> None:
    source = Source(
        code="form-gulf", kind="form", name="Gulf site", market_id=world.markets["GULF"]
    )
    session.add(source)
    session.flush()
    session.add(Form(code="gulf", name="Gulf secret", source_id=source.id, draft={}))
    session.commit()
    client = enter("hana")
    assert "Gulf secret" not in client.get("/hq/forms").text
    assert "form-gulf" not in client.get("/hq/forms/new").text
    for method, address in (
        ("GET", ""),
        ("POST", "/publish"),
        ("POST", "/roll-back"),
        ("POST", "/duplicate"),
        ("POST", "/name"),
        ("POST", "/origins"),
        ("POST", "/state"),
    ):
        answer = client.open(f"/hq/forms/gulf{address}", method=method, data={"do": "archive"})
        assert answer.status_code == 404, address
    assert "Gulf secret" in enter("omar").get("/hq/forms").text


def test_forms_are_headquarters_business(enter: Enter) -> None:
    for name in ("bert", "cem"):
        client = enter(name)
        for address in ("/hq/forms", "/hq/forms/new", "/hq/forms/contact-pl", "/hq/form-fields"):
            assert client.get(address).status_code == 403, (name, address)


def test_the_list_is_found_through_and_paged(
    enter: Enter, session: Session, form: Form, count_queries: list[str]
) -> None:
    session.add_all(
        Form(code=f"form-{number:02}", name=f"Form {number:02}", source_id=form.source_id, draft={})
        for number in range(60)
    )
    session.commit()
    client = enter("hana")
    count_queries.clear()
    answer = client.get("/hq/forms")
    full = len(count_queries)
    assert answer.text.count('class="chip chip-new"') == 50
    following = re.search(r'href="(/hq/forms\?[^"]*after=[^"]*)"', answer.text)
    assert following
    assert "contact-pl" in client.get(unescape(following[1])).text
    count_queries.clear()
    one = client.get("/hq/forms?search=orm+07")
    assert full <= len(count_queries) + 1, "as many queries for fifty rows as for one"
    assert one.text.count('class="chip chip-new"') == 1
    assert "Nothing fits" in page_of(client, "/hq/forms?search=100%25")
    assert "Form 07" in page_of(client, "/hq/forms?source=form-pl&search=07")
    assert "Form 07" not in client.get("/hq/forms?source=other").text
