"""What a visitor agreed to counts once they confirm it by mail, where a market asks for that."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import pipeline, web
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.forms.definition import FormDefinition
from lmt.forms.lead import consent_text_version
from lmt.links import confirm_token, status_token
from lmt.models import Consent, Event, FormVersion, Lead, Market, Message, SettingChange, User
from lmt.notify.gather import gather
from lmt.notify.mails import render
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

Login = Callable[[FlaskClient, User], FlaskClient]


@pytest.fixture
def confirms(session: Session, world: World) -> None:
    """Poland wants the consent of its form confirmed."""
    session.get_one(Market, world.markets["PL"]).confirmed_purposes = ["contact"]
    session.commit()


@pytest.fixture
def agreed(session: Session, sessions: SessionFactory) -> Callable[..., Lead]:
    """A lead by the form whose customer ticked the box, or not; the road has handled it."""

    def make(source: str = "form-pl", given: bool = True, **customer: str) -> Lead:
        version = session.scalars(select(FormVersion)).one()
        form = FormDefinition.from_json(version.definition)
        item = next(each for each in form.fields if each.type == "consent")
        consent = {
            "purpose": item.purpose,
            "given": given,
            "text_version": consent_text_version(form, item, "pl"),
        }
        data = {**warsaw_lead(**{**somebody(), **customer}), "consents": [consent]}
        lead = send(session, source, {**data, "form": {"version_id": version.id}}, FRIDAY)
        pipeline.advance(sessions, lead.id, FRIDAY)
        pipeline.advance(sessions, lead.id, FRIDAY + timedelta(minutes=1))
        session.expire_all()
        return lead

    return make


def asked(session: Session) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.kind == "customer_confirm")))


def words(session: Session) -> str:
    form = FormDefinition.from_json(session.scalars(select(FormVersion.definition)).one())
    item = next(each for each in form.fields if each.type == "consent")
    return form.words(item.label, "pl")


def test_the_request_goes_on_and_one_mail_asks(
    confirms: None, session: Session, agreed: Callable[..., Lead], settings: Settings
) -> None:
    lead = agreed()
    assert lead.status == "offered"
    [message] = asked(session)
    assert (message.recipient, message.language) == (lead.email, "pl")
    facts = gather(session, message, settings, FRIDAY)
    mail = render(
        message.kind,
        facts,
        language="en",
        timezone="Europe/Warsaw",
        base_url=settings.base_url,
    )
    token = confirm_token(settings.secret_key, lead.id, FRIDAY)
    assert f"{settings.base_url}/r/confirm/{token}" in mail.text
    [consent] = session.scalars(select(Consent))
    assert not consent.holds
    assert session.scalars(select(Consent.id).where(Consent.holds)).all() == []


@pytest.mark.parametrize(
    ("purposes", "case"),
    [
        (["contact"], {"source": "api-pl"}),
        (["contact"], {"given": False}),
        (["contact"], {"email": ""}),
        (["marketing"], {}),
        ([], {}),
    ],
    ids=["a partner's lead", "refused", "no address", "another purpose", "no purpose"],
)
def test_nobody_else_is_asked(
    session: Session,
    world: World,
    agreed: Callable[..., Lead],
    purposes: list[str],
    case: dict[str, Any],
) -> None:
    session.get_one(Market, world.markets["PL"]).confirmed_purposes = purposes
    session.commit()
    assert agreed(**case).status == "offered"
    assert asked(session) == []


def test_looking_confirms_nothing_and_pressing_does(
    confirms: None,
    session: Session,
    agreed: Callable[..., Lead],
    client: FlaskClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web, "at", lambda: FRIDAY + timedelta(days=1))
    lead = agreed()
    address = f"/r/confirm/{confirm_token(settings.secret_key, lead.id, FRIDAY)}"
    page = client.get(address)
    assert page.status_code == 200
    assert words(session) in page.text
    assert lead.full_name not in page.text
    assert '<html lang="pl"' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    assert session.scalars(select(Consent.confirmed_at)).one() is None
    shown = re.search(r'name="latest" value="(\d+)"', page.text)
    assert shown
    unread = client.post(f"{address}?lang=en", data={"latest": int(shown[1]) - 1})
    assert "<button" in unread.text
    done = client.post(f"{address}?lang=en", data={"latest": shown[1]})
    assert "What you agreed to is confirmed." in done.text
    assert "<button" not in done.text
    session.expire_all()
    [consent] = session.scalars(select(Consent))
    assert consent.holds
    assert consent.confirmed_at == FRIDAY + timedelta(days=1)
    monkeypatch.setattr(web, "at", lambda: FRIDAY + timedelta(days=2))
    for again in (client.get(f"{address}?lang=en"), client.post(f"{address}?lang=en")):
        assert again.status_code == 200
        assert "confirmed" in again.text
    session.expire_all()
    assert session.scalars(select(Consent.confirmed_at)).one() == FRIDAY + timedelta(days=1)
    told = session.scalars(select(Event).where(Event.kind == "consent_confirmed")).all()
    assert [event.data["text"] for event in told] == ["contact"]


def test_an_old_or_another_link_leads_nowhere(
    confirms: None,
    session: Session,
    agreed: Callable[..., Lead],
    client: FlaskClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lead = agreed()
    at = FRIDAY + timedelta(days=31)
    monkeypatch.setattr(web, "at", lambda: at)
    for token in (
        confirm_token(settings.secret_key, lead.id, FRIDAY),
        status_token(settings.secret_key, lead.id, at),
        confirm_token("another secret", lead.id, at),
        "nonsense",
    ):
        for answer in (
            client.get(f"/r/confirm/{token}?lang=en"),
            client.post(f"/r/confirm/{token}?lang=en"),
        ):
            assert answer.status_code == 404
            assert "Nothing was confirmed" in answer.text
    assert session.scalars(select(Consent.confirmed_at)).one() is None


def test_who_reads_the_lead_sees_that_it_waits(
    confirms: None,
    session: Session,
    agreed: Callable[..., Lead],
    app: Flask,
    cast: dict[str, User],
    login: Login,
) -> None:
    lead = agreed()
    bert, hana = (login(app.test_client(), cast[name]) for name in ("bert", "hana"))
    pages = ((bert, f"/desk/leads/{lead.id}"), (hana, f"/hq/leads/{lead.id}"))
    for reader, address in pages:
        assert "waits for confirmation" in reader.get(address).text
    assert "contact: waits for confirmation" in hana.get("/hq/leads.csv").text
    session.execute(Consent.__table__.update().values(confirmed_at=FRIDAY))
    session.commit()
    for reader, address in pages:
        assert "waits for confirmation" not in reader.get(address).text
    assert "contact: yes" in hana.get("/hq/leads.csv").text


def test_headquarters_says_what_is_confirmed(
    session: Session, app: Flask, cast: dict[str, User], login: Login, world: World
) -> None:
    hana = login(app.test_client(), cast["hana"])
    address = "/hq/consent-texts/confirmed"
    saved = hana.post(
        address, data={"market": "PL", "purposes": "Marketing, newsletter; marketing"}
    )
    assert saved.status_code == 302
    market = session.get_one(Market, world.markets["PL"])
    assert market.confirmed_purposes == ["marketing", "newsletter"]
    assert 'value="marketing, newsletter"' in hana.get("/hq/consent-texts").text
    change = session.scalars(select(SettingChange).where(SettingChange.kind == "market")).one()
    assert (change.subject, change.user_id) == ("PL", cast["hana"].id)
    assert change.after == {"confirmed_purposes": ["marketing", "newsletter"]}
    wrong = hana.post(address, data={"market": "PL", "purposes": "müll & more"})
    assert wrong.status_code == 422
    assert "f-confirmed-PL-error" in wrong.text
    assert hana.post(address, data={"market": "GULF", "purposes": ""}).status_code == 404
    anna = login(app.test_client(), cast["anna"])
    assert anna.post(address, data={"market": "PL", "purposes": ""}).status_code == 403
    hana.post(address, data={"market": "PL", "purposes": " "})
    session.expire_all()
    assert session.get_one(Market, world.markets["PL"]).confirmed_purposes == []
