"""The builder's pages without scripts: edited by plain posts, previewed, translated, published."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.forms.definition import FormDefinition
from lmt.forms.scriptfiles import runtime
from lmt.models import Form, FormCount, FormFile, FormVersion, Intake, Lead, User

Login = Callable[[FlaskClient, User], FlaskClient]
BUILD, PREVIEW = "/hq/forms/contact-pl/build", "/hq/forms/contact-pl/preview"


@pytest.fixture
def hana(client: FlaskClient, login: Login, cast: dict[str, User]) -> FlaskClient:
    return login(client, cast["hana"])


@pytest.fixture
def edit(hana: FlaskClient, session: Session) -> Callable[..., str]:
    """Press a button of the builder with some inputs; the page that follows."""

    def press(do: str, status: int = 200, **typed: Any) -> str:
        data = {"number": str(draft(session).draft_number), "do": do, **typed}
        answer = hana.post(BUILD, data={name.replace("__", "."): v for name, v in data.items()})
        assert answer.status_code == status, answer.text[:2000]
        return html.unescape(answer.text)

    return press


def draft(session: Session) -> Form:
    session.expire_all()
    return session.scalars(select(Form).where(Form.code == "contact-pl")).one()


def keys(session: Session) -> list[str]:
    return [f["key"] for step in draft(session).draft["steps"] for f in step["fields"]]


def counted(session: Session) -> dict[str, int]:
    tables = (Lead, Intake, FormCount, FormFile, FormVersion)
    return {t.__name__: session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}


def test_fields_are_added_named_moved_and_removed(
    edit: Callable[..., str], session: Session
) -> None:
    page = edit("add:blank/text")
    assert "“text” was added." in page
    assert keys(session)[-1] == "text"
    edit("save", editing="field/text", key="licence", label__pl="Prawo jazdy", label__en="Licence")
    assert draft(session).draft["steps"][0]["fields"][-1]["label"] == {
        "en": "Licence",
        "pl": "Prawo jazdy",
    }
    before = keys(session)
    page = edit("up:licence")
    assert re.search(r"“Licence” is now \d+ of \d+ in “Step 1”", page)
    assert keys(session) == [*before[:-2], before[-1], before[-2]]
    assert draft(session).drafted_by is not None
    assert "“Licence” was removed." in edit("remove:licence")
    assert "licence" not in keys(session)


def test_what_is_typed_is_kept_whichever_button_is_pressed(
    edit: Callable[..., str], session: Session
) -> None:
    edit("open:theme", editing="field/name", label__pl="Jak się nazywasz?")
    (name,) = [f for s in draft(session).draft["steps"] for f in s["fields"] if f["key"] == "name"]
    assert name["label"]["pl"] == "Jak się nazywasz?"


def test_an_edit_that_cannot_be_is_told_and_nothing_is_lost(
    edit: Callable[..., str], session: Session
) -> None:
    number = draft(session).draft_number
    page = edit("save", 422, editing="form", title__pl="Nowy", languages="pl",
                default_language="pl", redirect="http://plain.example")  # fmt: skip
    assert "The address must begin with https://." in page
    assert 'value="http://plain.example"' in page
    assert 'value="Nowy"' in page
    assert draft(session).draft_number == number


def test_two_who_edit_one_draft_notice_each_other(hana: FlaskClient, session: Session) -> None:
    number = draft(session).draft_number
    typed = {"number": number, "do": "save", "editing": "field/name", "label.pl": "Pierwszy"}
    assert hana.post(BUILD, data=typed).status_code == 200
    answer = hana.post(BUILD, data={**typed, "label.pl": "Drugi"})
    assert answer.status_code == 409
    assert "Somebody else has changed this form" in answer.text
    assert "Load their version" in answer.text
    assert 'value="Drugi"' in answer.text
    assert "Pierwszy" in str(draft(session).draft)


def test_the_last_change_is_undone(edit: Callable[..., str], session: Session) -> None:
    before = draft(session).draft["steps"]
    page = edit("remove:name")
    former = re.search(r'<textarea name="former" hidden>(.*?)</textarea>', page, re.S)
    assert former is not None
    assert "The last change was undone." in edit("undo", former=former[1])
    assert [f["key"] for f in draft(session).draft["steps"][0]["fields"]] == [
        f["key"] for f in before[0]["fields"]
    ]
    assert edit("undo", 422, former="{}")


def test_a_draft_is_published_once_nothing_must_be_mended(
    hana: FlaskClient, edit: Callable[..., str], session: Session
) -> None:
    edit("remove:phone")
    page = edit("remove:email")
    assert "Nobody could be reached" in page
    assert "This can't be published yet." in edit("publish", 422)
    assert draft(session).published.number == 1
    edit("add:system/phone")
    number = str(draft(session).draft_number)
    told = hana.post(
        BUILD, data={"number": number, "do": "publish", "note": "Phone only"},
        headers={"HX-Request": "true"},
    )  # fmt: skip
    assert "Version 2 is shown" in told.text
    published = draft(session).published
    assert published is not None
    assert (published.number, published.note) == (2, "Phone only")
    assert "email" not in str([f["key"] for f in published.definition["steps"][0]["fields"]])
    edit("publish", 302, note="Without scripts")
    assert draft(session).published.number == 3


def test_a_preview_answers_and_writes_nothing(hana: FlaskClient, session: Session) -> None:
    before = counted(session)
    page = hana.get(f"{PREVIEW}?language=pl")
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    assert 'lang="pl"' in page.text
    wrong = hana.post(PREVIEW, data={"lang": "en"})
    assert wrong.status_code == 422
    assert 'class="summary"' in wrong.text
    good = {
        "lang": "en", "name": "Jan", "phone": "+48 601 234 567", "city": "Warszawa",
        "request_type": "test_drive", "consent": "yes", "postcode": "00-001",
    }  # fmt: skip
    thanks = hana.post(PREVIEW, data=good)
    assert thanks.status_code == 200, thanks.text
    assert "Nothing was sent" in thanks.text
    by_script = hana.post(f"{PREVIEW}/embed/preview/send", data=good)
    assert "Nothing was sent" in by_script.get_json()["html"]
    refused = hana.post(f"{PREVIEW}/embed/preview/send", data={"lang": "pl"})
    assert refused.status_code == 422
    assert "name" in refused.get_json()["errors"]
    program = runtime(FormDefinition.from_json(draft(session).draft))
    assert program in hana.get("/hq/forms/contact-pl/preview.js?language=pl").text
    assert "--lmt-" in hana.get("/hq/forms/contact-pl/preview.css").text
    assert counted(session) == before


@pytest.mark.parametrize("page", ["build", "texts", "preview", "preview.js", "preview.css"])
def test_pages_are_for_those_who_keep_the_form(
    app: Flask, login: Login, cast: dict[str, User], page: str
) -> None:
    address = f"/hq/forms/contact-pl/{page}"
    assert login(app.test_client(), cast["anna"]).get(address).status_code == 403
    assert login(app.test_client(), cast["hana"]).get(address).status_code == 200
    other = login(app.test_client(), cast["hana"]).get(address.replace("contact-pl", "other"))
    assert other.status_code == 404


def test_texts_are_translated_in_one_go(hana: FlaskClient, session: Session) -> None:
    address = "/hq/forms/contact-pl/texts"
    number = draft(session).draft_number
    answer = hana.post(
        address,
        data={
            "number": number,
            "text|de|field/name/label": "Wie heißen Sie?",
            "text|en|field/name/help": "As in your passport",
            "text|en|field/gone/help": "Nowhere",
        },
    )
    assert answer.status_code == 302
    (name,) = [f for s in draft(session).draft["steps"] for f in s["fields"] if f["key"] == "name"]
    assert name["label"]["de"] == "Wie heißen Sie?"
    assert name["help"] == {"en": "As in your passport"}
    missing = hana.get(f"{address}?missing=1").text
    assert "field/name/help" in missing
    assert "field/name/label" not in missing
    stale = hana.post(address, data={"number": number, "text|de|field/name/label": "Zu spät"})
    assert stale.status_code == 409
    assert "Zu spät" in stale.text


def test_a_condition_is_built_from_rows(edit: Callable[..., str], session: Session) -> None:
    edit(
        "save", editing="field/comments", when=["0", "1"], when__kind="any",
        **{"when__0__field": "request_type", "when__0__test": "is", "when__0__value": "A quote",
           "when__1__field": "phone", "when__1__test": "empty", "when__1__value": ""},
    )  # fmt: skip
    (item,) = [
        f for s in draft(session).draft["steps"] for f in s["fields"] if f["key"] == "comments"
    ]
    assert item["shown_when"] == {
        "any": [{"field": "request_type", "is": ["quote"]}, {"field": "phone", "filled": ["no"]}]
    }
    page = edit(
        "save",
        422,
        editing="field/comments",
        when=["0"],
        **{"when__0__field": "request_type", "when__0__test": "is", "when__0__value": "Nonsense"},
    )
    assert "“Nonsense” is none of the options of this field." in page
    page = edit("remove:request_type")
    assert "was removed, and with it the conditions on it" in page
