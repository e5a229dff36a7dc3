"""What a second reader found in the console's side of forms, and what holds it mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt.models import Form, User

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
    "steps_text": {"steps": "abc"},
    "steps_number": {"steps": 3},
    "step_number": {"steps": [1]},
    "step_no_fields": {"steps": [{"key": "a"}]},
    "step_no_key": {"steps": [{"fields": []}]},
    "fields_text": {"steps": [{"key": "a", "fields": "xyz"}]},
    "field_bare": {"steps": [{"key": "a", "fields": [{}]}]},
    "field_type": _field(type="nonsense"),
    "field_key": _field(key="Ünmöglich <b>"),
    "label_text": _field(label="abc"),
    "label_list": _field(label=["abc"]),
    "label_numbers": _field(label={"en": 5}),
    "label_none": _field(label={"en": None}),
    "label_nested": _field(label={"en": {"en": "x"}}),
    "help_number": _field(help={"en": 5}),
    "least_text": _field(type="number", least="abc"),
    "least_infinite": _field(type="number", least=1e999),
    "least_list": _field(type="number", least=[]),
    "max_length": _field(max_length="x"),
    "options_text": _field(type="choice", options="abc"),
    "options_bare": _field(type="choice", options=[{}]),
    "option_label": _field(type="choice", options=[{"id": "a", "label": {"en": 4}}]),
    "option_group": _field(type="choice", options=[{"id": "a", "label": {"en": "a"}, "group": 3}]),
    "option_ids": _field(type="choice", options=[{"id": 5, "label": {"en": "a"}}]),
    "shows_number": _field(shows=3),
    "shows_numbers": _field(shows=[["desk"]]),
    "condition_text": _field(shown_when="abc"),
    "condition_number": _field(shown_when=7),
    "condition_list": _field(shown_when=["all"]),
    "condition_deep": _field(shown_when={"all": [{"all": [{"all": [{"all": []}]}]}]}),
    "condition_all_text": _field(shown_when={"all": "abc"}),
    "condition_self": _field(shown_when={"field": "x", "is": ["1"]}),
    "languages_text": {**_field(), "languages": "pl"},
    "languages_number": {**_field(), "languages": 4},
    "languages_numbers": {**_field(), "languages": [4, "pl"]},
    "languages_foreign": {**_field(), "languages": ["pl", "../x", "tlh"]},
    "default_language": {**_field(), "default_language": ["pl"]},
    "theme_list": {**_field(), "theme": ["accent"]},
    "theme_css": {**_field(), "theme": {"accent": "red;}*{display:none", "font": "comic"}},
    "theme_numbers": {**_field(), "theme": {"radius": 4}},
    "title_text": {**_field(), "title": "abc"},
    "title_none": {**_field(), "title": None},
    "title_pairs": {**_field(), "title": [["en", "T"]]},
    "intro_number": {**_field(), "intro": {"en": 4}},
    "step_title": {**_field(), "steps": [{"key": "a", "title": "abc", "fields": []}]},
    "redirect": {**_field(), "redirect": "javascript:alert(1)"},
    "countries": _field(type="address", countries="PL"),
    "many_steps": {**_field(), "steps": [{"key": f"s{n}", "fields": []} for n in range(40)]},
    "same_keys": {**_field(), "steps": [{"key": "x", "fields": []}, {"key": "x", "fields": []}]},
}
PAGES = (
    "", "/build", "/build?at=field/x", "/build?at=step/a", "/build?at=theme", "/preview",
    "/preview?at=field/x&language=en", "/preview.js", "/preview.css", "/texts", "/texts?missing=1",
)  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_every_page_survives_a_broken_draft(
    name: str, hana: FlaskClient, session: Session
) -> None:
    session.execute(update(Form).values(draft=json.loads(json.dumps(BROKEN[name]).replace("Infinity", "1e300"))))
    session.commit()
    bad = []
    for path in PAGES:
        answer = hana.get(HOME + path)
        if answer.status_code >= 500:
            bad.append(path)
    for path, typed in (
        ("/preview", {"step": "a"}),
        ("/preview/embed/preview/send", {"x": "1"}),
        ("/texts", {"number": "1", "text|en|form/title": "New"}),
        ("/build", {"number": "1", "do": "save", "editing": "form"}),
        ("/build", {"number": "1", "do": "add:blank/text"}),
        ("/publish", {"number": "1", "note": ""}),
        ("/duplicate", {"name": f"copy {name}"}),
    ):
        answer = hana.post(HOME + path, data=typed)
        if answer.status_code >= 500:
            bad.append(f"POST {path} {typed}")
    assert bad == []
    assert hana.get("/hq/forms").status_code == 200


@pytest.mark.parametrize("name", BROKEN)
def test_undo_takes_nothing_broken(name: str, hana: FlaskClient, session: Session) -> None:
    answer = hana.post(
        HOME + "/build", data={"number": "1", "do": "undo", "former": json.dumps(BROKEN[name])}
    )
    assert answer.status_code in {200, 422}
    bad = [path for path in PAGES if hana.get(HOME + path).status_code >= 500]
    n = str(form_of(session).draft_number)
    if hana.post(HOME + "/publish", data={"number": n, "note": ""}).status_code == 500:
        bad.append("publish")
    for path in ("", "/embed"):
      for a in ("/forms/contact-pl", "/embed/contact-pl.js"):
        if hana.get(a).status_code >= 500:
            bad.append(a)
    assert bad == []
