"""Forms made for Salesforce Web-to-Lead: the lead is kept, and the visitor goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import web
from lmt.models import Intake, Lead, Message, Source
from tests.world import World

OID = "00D0000000abcDE"
SALESFORCE = "/servlet/servlet.WebToLead"
OURS = "/ingest/web-to-lead/site"
FORM = "application/x-www-form-urlencoded"
FIELDS = {"oid": OID, "first_name": "Ada", "last_name": "Nowak", "email": "ada@example.com"}


@pytest.fixture(autouse=True)
def morning() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 3, 6, 8, 5, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def site(session: Session, world: World) -> Callable[..., Source]:
    def made(code: str = "site", **settings: Any) -> Source:
        source = Source(
            code=code, kind="web_to_lead", name=code, market_id=world.markets["PL"],
            brand_id=world.brand_id, country="PL", settings={"oid": OID, **settings},
        )  # fmt: skip
        session.add(source)
        session.commit()
        return source

    return made


def post(client: FlaskClient, fields: Any, path: str = OURS, **options: Any) -> Any:
    data = fields if isinstance(fields, bytes) else urlencode(fields, doseq=True).encode()
    return client.post(path, data=data, content_type=options.pop("content_type", FORM), **options)


def leads(session: Session) -> list[Lead]:
    session.rollback()
    return list(session.scalars(select(Lead).order_by(Lead.id)))


def intakes(session: Session) -> list[Intake]:
    session.rollback()
    return list(session.scalars(select(Intake).order_by(Intake.id)))


def test_a_site_changes_the_host_of_its_form_and_nothing_else(
    client: FlaskClient, session: Session, site: Callable[..., Source]
) -> None:
    site()
    fields = FIELDS | {"oid": OID + "EAB", "00N000000000001": ["red", "blue"], "debug": "0"}
    answer = post(client, fields, f"{SALESFORCE}?encoding=UTF-8")
    assert answer.status_code == 200
    (lead,) = leads(session)
    assert (lead.full_name, lead.email) == ("Ada Nowak", "ada@example.com")
    assert lead.given["attributes"]["00N000000000001"] == "red, blue"


@pytest.mark.parametrize("path", [OURS.replace("site", "other"), SALESFORCE])
def test_a_form_that_belongs_to_no_source_gets_a_page_and_leaves_nothing(
    client: FlaskClient, session: Session, site: Callable[..., Source], path: str
) -> None:
    site()
    answer = post(client, FIELDS | {"oid": "00D000000000000"}, path)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert intakes(session) == []


def test_visitors_are_sent_where_the_source_allows_it_and_nowhere_else(
    client: FlaskClient, site: Callable[..., Source]
) -> None:
    site(redirect_hosts=["brand.example", "brand.example:8443"], return_url="https://home.example/")
    for wanted in ("https://brand.example/thanks?a=1", "https://brand.example:8443/"):
        answer = post(client, FIELDS | {"retURL": wanted})
        assert (answer.status_code, answer.headers["Location"]) == (303, wanted)
    for wanted in (
        "https://evil.example/",
        "https://brand.example.evil.example/",
        "https://brand.example@evil.example/",
        "https://evil.example\\@brand.example/",
        "http://brand.example/",
        "//brand.example/",
        "javascript:alert(1)",
        "https://brand.example/\r\nSet-Cookie: a=b",
        "",
    ):
        answer = post(client, FIELDS | {"retURL": wanted})
        assert (answer.status_code, answer.headers["Location"]) == (303, "https://home.example/")
        assert "Set-Cookie" not in answer.headers


def test_without_an_address_to_go_to_there_is_a_page_in_the_visitor_s_language(
    client: FlaskClient, site: Callable[..., Source]
) -> None:
    site()
    answer = post(
        client, FIELDS | {"retURL": "https://evil.example/"}, headers={"Accept-Language": "ar"}
    )
    assert answer.status_code == 200
    assert 'lang="ar" dir="rtl"' in answer.text
    assert "evil.example" not in answer.text


def test_a_form_with_mistakes_is_kept_and_its_visitor_sees_none_of_it(
    client: FlaskClient, session: Session, site: Callable[..., Source]
) -> None:
    site(redirect_hosts=["brand.example"])
    bodies = [
        urlencode({"last_name": "Nowak", "retURL": "https://brand.example/"}).encode(),
        b"",
        b"\x00\xff\xfe",
        b"--x\r\nnot a part",
    ]
    for body in bodies:
        assert post(client, body).status_code in {200, 303}
    kept = intakes(session)
    assert [row.body for row in kept] == bodies
    assert {row.status for row in kept} == {"quarantined"}
    assert kept[0].problem["code"] == "mapping"
    assert leads(session) == []


@pytest.mark.parametrize(
    ("encoding", "where"),
    [("windows-1250", "body"), ("ISO-8859-2", "address"), ("windows-1250", "_charset_")],
)
def test_text_is_read_in_the_charset_that_the_form_states(
    client: FlaskClient, session: Session, site: Callable[..., Source], encoding: str, where: str
) -> None:
    site()
    name = {"body": "encoding", "_charset_": "_charset_"}.get(where)
    fields = {**FIELDS, "last_name": "Żółć", **({name: encoding} if name else {})}
    body = urlencode(fields, encoding=encoding).encode()
    query = f"?encoding={encoding}" if where == "address" else ""
    post(client, body, OURS + query)
    assert [lead.full_name for lead in leads(session)] == ["Ada Żółć"]


def test_parts_of_a_form_are_read_as_well(
    client: FlaskClient, session: Session, site: Callable[..., Source]
) -> None:
    site()
    client.post(OURS, data={**FIELDS, "email": "ada@example.com"})
    assert [lead.email for lead in leads(session)] == ["ada@example.com"]


def test_pressing_twice_is_one_lead(
    client: FlaskClient, session: Session, site: Callable[..., Source]
) -> None:
    site()
    for path in (OURS, OURS, SALESFORCE):
        assert post(client, FIELDS, path).status_code == 200
    assert len(leads(session)) == len(intakes(session)) == 1


def test_a_form_in_debugging_mails_nobody(
    client: FlaskClient, session: Session, site: Callable[..., Source]
) -> None:
    site()
    post(client, FIELDS | {"debug": "1", "debugEmail": "dev@example.com"})
    assert leads(session)
    assert session.scalars(select(Message)).all() == []


def test_a_paused_source_keeps_the_form(
    client: FlaskClient, session: Session, site: Callable[..., Source]
) -> None:
    source = site()
    source.paused_at = datetime(2026, 3, 6, tzinfo=UTC)
    session.commit()
    assert post(client, FIELDS).status_code == 200
    assert [row.problem["code"] for row in intakes(session)] == ["paused"]


def test_one_address_can_not_send_forms_without_end(
    client: FlaskClient, session: Session, site: Callable[..., Source]
) -> None:
    site()
    web.limiter.reset()
    answers = [post(client, FIELDS).status_code for _time in range(122)]
    assert answers[:120] == [200] * 120
    page = post(client, FIELDS)
    assert (page.status_code, page.mimetype) == (429, "text/html")
    web.limiter.reset()
