"""No text of a page or a mail is written in the program itself: all of them can be translated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from babel.numbers import list_currencies
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Environment
from sqlalchemy import select
from sqlalchemy.orm import Session

import lmt
from lmt import i18n
from lmt.config import LOCALES
from lmt.forms.defaults import TITLE
from lmt.hq.importpage import ENCODINGS
from lmt.models import (
    Brand,
    Campaign,
    Customer,
    CustomField,
    Dealer,
    DealerTerms,
    Form,
    Lead,
    Market,
    Message,
    Place,
    Rule,
    Source,
    Upload,
    User,
    VehicleModel,
)
from lmt.notify.mails import KINDS
from lmt.publicholidays import holidays_of
from tests.busy_morning import Town
from tests.everypage import every_page, page_endpoints, town
from tests.pseudolocale import LOCALE, Data, PseudoTranslations, visible
from tests.test_mail_snapshots import FACTS, MORE, mail
from tests.world import FRIDAY

__all__ = ["town"]


@pytest.fixture(autouse=True)
def accents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every catalogue there is: LMT's, and those of the login."""
    pseudo = PseudoTranslations()
    monkeypatch.setattr(i18n, "_catalogue", lambda _locale: pseudo)
    monkeypatch.setattr("flask_babel.Domain.get_translations", lambda _domain: pseudo)


OF_OTHERS = {
    # Products and programs.
    "Contact Form 7", "Gravity Forms", "HubSpot", "Typeform", "Webflow", "WhatsApp",
    # The demo's brand and its cars.
    "Aurel", "AUREL", "Belisa", "Doriva", "Elvaro", "Kestrano", "Osmira",
    # Of web addresses and of the network, as programs write them.
    "application/json", "application/x-www-form-urlencoded", "multipart/form-data",
    "google:campaign:", "utm_campaign", "utm_medium", "utm_source", "INBOX", "leads", "localhost",
    # In the first line of files that are imported, and under it.
    "code", "name", "PL-WAW-9", "Verkaufsdatum", "Telefon",
    # Of countries for which Babel has no name in Arabic.
    "CQ",
}  # fmt: skip
"""Names that no language translates."""


def data_of(session: Session) -> Data:
    """What the world has to say in plain letters: names, addresses and codes."""
    columns = (
        Brand.code, Brand.name, VehicleModel.code, VehicleModel.name, Market.code, Market.name,
        Market.currency, Dealer.code, DealerTerms.name, DealerTerms.email, DealerTerms.city,
        DealerTerms.hours, Source.code, Source.name, Form.code, Lead.reference, Lead.full_name,
        Lead.email, Customer.full_name, User.name, User.email, Campaign.code, Place.name,
        Message.recipient, CustomField.key, Upload.name,
        # Rules are named by who writes them; those that come with LMT are in English.
        Rule.name,
    )  # fmt: skip
    of_world = {str(value) for column in columns for value in session.scalars(select(column))}
    languages = {Locale(code).get_display_name() or code for code in LOCALES}
    codes = (
        {*LOCALES, *(code.upper() for code in LOCALES)}
        | set(list_currencies())
        | {e.upper() for e in ENCODINGS}
    )
    # The calendar of public holidays has them in no Arabic but that of Arabic countries.
    days = set(holidays_of("PL", FRIDAY.year, LOCALE).values())
    own = {
        word for rule in session.scalars(select(Rule)) for word in words_of([rule.when, rule.then])
    }
    # A field that visitors don't see has no words; one is called by its key.
    drafts = session.scalars(select(Form.draft))
    hidden = {
        str(field["key"]) for draft in drafts for step in draft["steps"] for field in step["fields"]
        if field["type"] == "hidden"
    }  # fmt: skip
    return Data(
        of_world | hidden | languages | {name.capitalize() for name in languages} | codes
        | days | own | OF_OTHERS | set(TITLE.values())
    )  # fmt: skip


def words_of(value: Any) -> Iterator[str]:
    """Every text within a document, without codes."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from words_of(each)
    elif isinstance(value, str):
        yield value


def foreign_texts(page: str, data: Data) -> list[tuple[str, str]]:
    return [(where, plain) for where, text in visible(page) if (plain := data.foreign(text))]


def test_every_text_of_a_page_can_be_translated(
    app: Flask, session: Session, town: Town, cast: dict[str, User],
    login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    clients = {name: login(app.test_client(), cast[name]) for name in cast}
    clients["nobody"], data = app.test_client(), data_of(session)
    shown: set[str] = set()
    found: dict[str, set[str]] = {}
    for page in every_page(app, town, cast, LOCALE):
        answers = (clients[name].get(page.address) for name in page.people)
        answer = next(each for each in answers if each.status_code != 403)
        if answer.status_code == 200:
            shown.add(page.endpoint)
        for where, text in foreign_texts(answer.text, data):
            found.setdefault(f"{where}: {text}", set()).add(page.endpoint)
    assert sorted(page_endpoints(app) - shown) == []
    assert found == {}


def test_every_text_of_a_mail_can_be_translated() -> None:
    lines = {line for text in words_of([FACTS, MORE]) for line in text.splitlines()}
    told = {line for line in lines if not re.fullmatch("[a-z_]+", line)}
    data = Data(told)
    found = {}
    for kind in KINDS:
        written = mail(kind, language=LOCALE)
        texts = [("subject", written.subject), ("text", written.text), *visible(written.html)]
        plain = [(where, text) for where, each in texts if (text := data.foreign(each))]
        if plain:
            found[kind] = plain
    assert found == {}


_CLASSES = re.compile(r"{%-? block main_class -?%}[\w -]*{%-? endblock -?%}")
"""They stand within a tag, wherever they are written; so do texts with `="` in them."""
TEMPLATES = sorted(Path(lmt.__file__).parent.rglob("templates/**/*.html"))


def test_no_template_has_words_of_its_own() -> None:
    """Branches that no page above took included."""
    environment, data = Environment(extensions=["jinja2.ext.i18n"]), Data(OF_OTHERS)
    found = {}
    for path in TEMPLATES:
        source = _CLASSES.sub("", path.read_text())
        tokens = environment.lex(source)
        page = "".join(
            value if kind == "data" else "·" * (kind == "variable_begin")
            for _line, kind, value in tokens
        )
        plain = [each for each in foreign_texts(page, data) if '="' not in each[1]]
        if plain:
            found[path.name] = plain
    assert len(TEMPLATES) > 100
    assert found == {}
