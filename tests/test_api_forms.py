"""Forms for other systems: fields, schema, and answers that their own server sends."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.forms.fields import field_from
from lmt.models import CustomField, Form, FormVersion, Inquiry, Lead, Source
from tests.world import ADF_KEY, API_KEY, GULF_KEY, World, somebody

SUBMISSIONS = "/api/v1/forms/contact-pl/submissions"


def as_(key: str = API_KEY, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", **headers}


def answers(**changes: Any) -> dict[str, Any]:
    person = somebody()
    given = {
        "request_type": "test_drive",
        "model": "aurel/mira",
        "name": "Jan Kowal",
        "phone": person["phone"],
        "email": person["email"],
        "city": "Warszawa",
        "consent": True,
    }
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def test_a_partner_learns_the_fields_of_its_market(
    client: FlaskClient, session: Session, world: World
) -> None:
    for market, key, active in (
        ("PL", "colour", True),
        ("PL", "retired", False),
        ("GULF", "sand", True),
        (None, "everywhere", True),
    ):
        definition = field_from(
            {
                "key": key,
                "type": "choice",
                "label": {"en": key.title(), "pl": "Kolor"},
                "options": [{"id": "red", "label": {"en": "Red", "pl": "Czerwony"}}],
            }
        )
        market_id = None if market is None else world.markets[market]
        session.add(
            CustomField(
                market_id=market_id, key=key, definition=definition.to_json(), active=active
            )
        )
    session.commit()
    found = client.get("/api/v1/fields", headers=as_(**{"Accept-Language": "pl"})).json["fields"]
    assert [item["key"] for item in found] == ["colour", "everywhere"]
    assert found[0]["label"] == "Kolor"
    assert found[0]["labels"]["en"] == "Colour"
    assert found[0]["options"] == [
        {"id": "red", "label": "Czerwony", "labels": {"en": "Red", "pl": "Czerwony"}}
    ]
    assert client.get("/api/v1/fields").status_code == 401


def test_a_partner_reads_what_a_form_takes(client: FlaskClient) -> None:
    answer = client.get("/api/v1/forms/contact-pl/schema", headers=as_())
    assert answer.status_code == 200
    assert answer.mimetype == "application/schema+json"
    assert answer.json["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "request_type" in str(answer.json)


def test_answers_from_a_server_are_a_lead_of_the_form(
    client: FlaskClient, session: Session
) -> None:
    body = {
        "answers": answers(),
        "language": "pl",
        "campaign": {"utm_source": "newsletter", "utm_term": "mira"},
    }
    answer = client.post(SUBMISSIONS, json=body, headers=as_(Prefer="wait=5"))
    assert answer.status_code == 200, answer.text
    assert answer.json["dealer"]["code"]
    lead = session.get_one(Lead, answer.json["id"])
    version = session.scalars(select(FormVersion)).one()
    assert lead.source.code == "form-pl"
    assert lead.form_version_id == version.id
    assert (lead.language, lead.request_type, lead.model) == ("pl", "test_drive", "Mira")
    assert lead.given["campaign"]["utm_source"] == "newsletter"
    assert lead.given["attributes"]["utm_term"] == "mira"
    told = client.get(answer.json["status_url"], headers=as_())
    assert told.json["reference"] == lead.reference
    assert client.get(answer.json["status_url"], headers=as_(GULF_KEY)).status_code == 404
    assert client.get(answer.json["status_url"], headers=as_(ADF_KEY)).status_code == 404


def test_sent_twice_it_is_one_lead(client: FlaskClient, session: Session) -> None:
    body = {"answers": answers()}
    first = client.post(SUBMISSIONS, json=body, headers=as_(**{"Idempotency-Key": "1"}))
    again = client.post(SUBMISSIONS, json=body, headers=as_(**{"Idempotency-Key": "1"}))
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json["id"] == first.json["id"]
    assert again.json["repeated"] is True
    other = client.post(
        SUBMISSIONS, json={"answers": answers()}, headers=as_(**{"Idempotency-Key": "1"})
    )
    assert other.status_code == 422
    assert other.json["code"] == "key_reused"
    assert len(session.scalars(select(Lead)).all()) == 1
    assert session.scalars(select(Inquiry)).all() == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"answers": answers(email="nonsense")}, ["answers.email"]),
        ({"answers": answers(request_type="bribe")}, ["answers.request_type"]),
        ({"answers": answers(consent=None)}, ["answers.consent"]),
        ({"answers": answers(shoe_size=43)}, ["answers.shoe_size"]),
        ({"answers": []}, ["answers"]),
        ({}, ["answers"]),
        ({"answers": answers(), "campaign": {"wrong": "1"}}, ["campaign.wrong"]),
        ({"answers": answers(), "spam": 1}, ["spam"]),
    ],
    ids=["mail", "option", "consent", "unknown", "no object", "nothing", "campaign", "beside"],
)
def test_what_is_wrong_is_named_by_field(
    client: FlaskClient, session: Session, body: dict[str, Any], fields: list[str]
) -> None:
    answer = client.post(SUBMISSIONS, json=body, headers=as_(**{"Accept-Language": "en"}))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert [error["field"] for error in answer.json["errors"]] == fields
    assert all(error["message"] for error in answer.json["errors"])
    assert session.scalars(select(Lead)).all() == []


def test_errors_speak_the_callers_language(client: FlaskClient) -> None:
    said = set()
    for language in ("en", "ar"):
        headers = as_(**{"Accept-Language": language})
        body = {"answers": answers(email="nonsense")}
        said.add(client.post(SUBMISSIONS, json=body, headers=headers).json["errors"][0]["message"])
    assert len(said) == 2


def test_only_partners_of_the_forms_market_may_send(client: FlaskClient, session: Session) -> None:
    body = {"answers": answers()}
    assert client.post(SUBMISSIONS, json=body).status_code == 401
    assert client.post(SUBMISSIONS, json=body, headers=as_(ADF_KEY)).status_code == 401
    assert client.post(SUBMISSIONS, json=body, headers=as_(GULF_KEY)).status_code == 404
    elsewhere = SUBMISSIONS.replace("contact-pl", "nothing")
    assert client.post(elsewhere, json=body, headers=as_()).status_code == 404
    assert client.post(SUBMISSIONS, data="{", headers=as_()).status_code == 422
    session.scalars(select(Form)).one().active = False
    session.commit()
    assert client.post(SUBMISSIONS, json=body, headers=as_()).status_code == 404


def test_an_answer_to_an_old_version_stays_one(client: FlaskClient, session: Session) -> None:
    form = session.scalars(select(Form)).one()
    first = form.published
    assert first is not None
    form.published = FormVersion(
        form_id=form.id, number=2, definition=first.definition, published_at=first.published_at
    )
    session.commit()
    for number, version in ((1, first.id), (None, form.published_id)):
        body = {"answers": answers(), "version": number} if number else {"answers": answers()}
        answer = client.post(SUBMISSIONS, json=body, headers=as_())
        assert answer.status_code == 202, answer.text
        assert session.get_one(Lead, answer.json["id"]).form_version_id == version
    body = {"answers": answers(), "version": 9}
    assert client.post(SUBMISSIONS, json=body, headers=as_()).status_code == 404


def test_the_api_describes_them(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    paths = document["paths"]
    assert "get" in paths["/api/v1/fields"]
    assert "get" in paths["/api/v1/forms/{code}/schema"]
    body = paths["/api/v1/forms/{code}/submissions"]["post"]["requestBody"]
    name = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    assert set(document["components"]["schemas"][name]["properties"]) == {
        "answers",
        "language",
        "campaign",
        "version",
    }


def test_a_form_of_a_retired_source_takes_nothing(client: FlaskClient, session: Session) -> None:
    session.scalars(select(Source).where(Source.code == "form-pl")).one().active = False
    session.commit()
    assert client.post(SUBMISSIONS, json={"answers": answers()}, headers=as_()).status_code == 404
