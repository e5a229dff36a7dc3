"""Headquarters' pages of sources: set up, connect, map a stranger's fields, test, pause, end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lmt import pipeline
from lmt import sources as verbs
from lmt.db import SessionFactory
from lmt.hq.mappingform import MappingForm
from lmt.mapping.presets import PRESETS
from lmt.models import Intake, Job, Lead, Offer, Source, User
from lmt.scope import actor_of
from tests.world import World

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
"""Tuesday 10:00 in Warsaw: its dealers are open."""
STRANGER = {
    "wizytowka": {"imie": "Zofia", "nazwisko": "Brzoza", "komórka": "+48 512 777 888"},
    "e-mail": "zofia.brzoza@mail.example",
    "miasto": "Warszawa",
    "temat": "Umów jazdę",
    "auto": "Aurel Mira",
    "kolor": "zielony",
    "api_key": "never to be read",
}
LINES = [
    ("wizytowka.imie", "customer.first_name"),
    ("wizytowka.nazwisko", "customer.last_name"),
    ("wizytowka.komórka", "customer.phone"),
    ("e-mail", "customer.email"),
    ("miasto", "address.city"),
    ("temat", "request.type"),
    ("auto", "request.model"),
    ("kolor", ""),
]

Enter = Callable[[str], FlaskClient]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def enter(
    app: Flask,
    cast: dict[str, User],
    clock: time_machine.Traveller,
    login: Callable[[FlaskClient, User], FlaskClient],
) -> Enter:
    """A browser in which a person is logged in."""
    return lambda name: login(app.test_client(), cast[name])


@pytest.fixture
def spring(session: Session, world: World, cast: dict[str, User]) -> Source:
    """A source of Poland for any form, without a mapping."""
    source, _key = verbs.create_source(
        session,
        code="spring",
        kind="json",
        name="Spring form",
        market_id=world.markets["PL"],
        brand_id=world.brand_id,
        country="PL",
        language="pl",
        at=NOW,
        actor=actor_of(cast["omar"]),
    )
    return source


def text(answer: TestResponse) -> str:
    """What a person reads of a page, on one line."""
    bare = re.sub(r"<[^>]+>", " ", answer.text.split("<main", 1)[-1])
    return " ".join(unescape(bare).split())


def typed(
    lines: list[tuple[str, str]] = LINES, payload: Any = STRANGER, **others: Any
) -> dict[str, Any]:
    """The mapping page's form as a browser sends it."""
    body = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    return {
        "payload": body,
        "content_type": "",
        "preset": "",
        "seen": "1",
        "rank": [str(number) for number in range(len(lines))],
        "path": [path for path, _target in lines],
        "target": [target for _path, target in lines],
        "prefix": [""] * len(lines),
        "why": [""] * len(lines),
        **others,
    }


def chosen(answer: TestResponse) -> dict[str, str]:
    """Path → our field, as the table of the page has it."""
    paths = [unescape(each) for each in re.findall(r'name="path" value="([^"]*)"', answer.text)]
    selects = re.findall(r'<select[^>]*name="target".*?</select>', answer.text, re.S)
    picked = [re.search(r'value="([^"]*)" selected', each) for each in selects]
    return dict(zip(paths, [each[1] if each else "" for each in picked], strict=True))


def test_each_sees_the_sources_of_their_markets(enter: Enter, session: Session) -> None:
    hana, omar = enter("hana").get("/hq/sources"), enter("omar").get("/hq/sources")
    assert "api-pl" in hana.text
    assert "api-gulf" not in hana.text
    assert "api-gulf" in omar.text
    filtered = enter("omar").get("/hq/sources?market=PL&kind=adf")
    assert "/hq/sources/adf-pl" in filtered.text
    assert "/hq/sources/api-pl" not in filtered.text
    assert enter("hana").get("/hq/sources/api-gulf").status_code == 404
    assert enter("hana").get("/hq/sources/api-gulf/edit").status_code == 404


def test_dealers_and_the_call_centre_stay_out(enter: Enter, spring: Source) -> None:
    for name in ("anna", "bert", "carla", "cem"):
        client = enter(name)
        for address in ("", "/new", "/spring", "/spring/edit", "/spring/mapping", "/spring/test"):
            assert client.get(f"/hq/sources{address}").status_code == 403, (name, address)
        for address in ("/state", "/key", "/secrets", "/mapping", "/mapping/preview", "/test"):
            assert client.post(f"/hq/sources/spring{address}").status_code == 403, (name, address)


def test_the_list_asks_as_often_for_many_as_for_one(
    enter: Enter, session: Session, world: World, cast: dict[str, User], count_queries: list[str]
) -> None:
    client = enter("omar")
    client.get("/hq/sources")
    count_queries.clear()
    client.get("/hq/sources")
    few = len(count_queries)
    for number in range(12):
        verbs.create_source(
            session,
            code=f"more-{number}",
            kind="json",
            name=f"More {number}",
            market_id=world.markets["GULF"],
            at=NOW,
            actor=actor_of(cast["omar"]),
        )
    count_queries.clear()
    assert "More 11" in client.get("/hq/sources").text
    assert len(count_queries) == few


def test_a_source_is_set_up_and_its_key_shown_once(
    enter: Enter, session: Session, world: World
) -> None:
    client = enter("hana")
    kinds = client.get("/hq/sources/new")
    assert "Salesforce Web-to-Lead" in kinds.text
    form = client.get("/hq/sources/new?kind=google")
    assert "New source: Google Ads" in text(form)
    given = {"kind": "google", "name": "", "market": str(world.markets["PL"]), "preset": "google"}
    refused = client.post("/hq/sources/new", data=given)
    assert refused.status_code == 422
    assert 'id="f-name-error"' in refused.text
    made = client.post("/hq/sources/new", data={**given, "name": "Wiosna: jazdy próbne"})
    assert made.headers["Location"] == "/hq/sources/wiosna-jazdy-probne"
    page = client.get(made.headers["Location"])
    key = re.search(r'id="the-key"[^>]*>(lmt_[^<]+)<', page.text)
    assert key is not None
    assert page.headers["Cache-Control"] == "no-store"
    assert page.text.count(key[1]) >= 3  # beside its label, in what to type, in the trial line
    assert "/ingest/google/wiosna-jazdy-probne" in page.text
    again = client.get(made.headers["Location"])
    assert key[1] not in again.text
    assert "YOUR-KEY" in again.text
    source = session.scalars(select(Source).where(Source.code == "wiosna-jazdy-probne")).one()
    assert source.mapping["preset"] == "google"


def test_settings_of_a_kind_are_checked_at_their_fields(
    enter: Enter, session: Session, world: World
) -> None:
    client = enter("hana")
    given = {
        "kind": "web_to_lead",
        "name": "Old forms",
        "market": str(world.markets["PL"]),
        "settings.oid": "short",
        "settings.redirect_hosts": "www.brand.example\nnot a host!",
        "settings.return_url": "javascript:alert(1)",
    }
    refused = client.post("/hq/sources/new", data=given)
    assert refused.status_code == 422
    for name in ("oid", "redirect_hosts", "return_url"):
        assert f'id="f-settings.{name}-error"' in refused.text
    good = {
        "settings.oid": "00D000000000001",
        "settings.redirect_hosts": "www.brand.example",
        "settings.return_url": "https://www.brand.example/thanks",
    }
    assert client.post("/hq/sources/new", data={**given, **good}).status_code == 302
    page = client.get("/hq/sources/old-forms/edit")
    assert "00D000000000001" in page.text
    source = session.scalars(select(Source).where(Source.code == "old-forms")).one()
    assert source.settings["redirect_hosts"] == ["www.brand.example"]


def test_a_change_tells_who_made_it(enter: Enter, session: Session, spring: Source) -> None:
    client = enter("hana")
    given = {
        "seen": "1",
        "name": "Summer form",
        "market": str(spring.market_id),
        "brand": str(spring.brand_id),
        "country": "PL",
        "language": "pl",
        "solicited": "yes",
        "default.request.type": "test_drive",
    }
    assert client.post("/hq/sources/spring/edit", data=given).status_code == 302
    page = text(client.get("/hq/sources/spring"))
    assert "Saved." in page
    assert "Hana" in page
    assert "Name: Spring form Summer form" in page
    assert "Its people did not ask us: no yes" in page
    late = client.post("/hq/sources/spring/edit", data={**given, "name": "Winter form"})
    assert late.headers["Location"] == "/hq/sources/spring/edit"
    session.expire_all()
    assert (spring.name, spring.defaults) == ("Summer form", {"request.type": "test_drive"})


def test_pausing_going_on_and_ending(enter: Enter, session: Session, spring: Source) -> None:
    client = enter("hana")

    def press(what: str) -> str:
        client.post("/hq/sources/spring/state", data={"do": what})
        session.expire_all()
        return text(client.get("/hq/sources/spring"))

    assert "What arrives is kept until the source goes on." in press("pause")
    assert spring.paused_at == NOW
    assert "The source runs." in press("resume")
    job = session.scalars(select(Job).where(Job.kind == "replay_intake")).one()
    assert job.arguments["source_id"] == spring.id
    assert "Its deliveries are refused from now on." in press("retire")
    assert not spring.active
    assert "The source runs." in press("resume")
    assert "This source runs already." in press("resume")
    assert client.post("/hq/sources/spring/state", data={"do": "burn"}).status_code == 400


def test_a_new_key_is_made_only_when_sure(enter: Enter, session: Session, spring: Source) -> None:
    client, before = enter("hana"), spring.key_hash
    unsure = client.post("/hq/sources/spring/key")
    assert unsure.status_code == 422
    assert 'id="f-sure-error"' in unsure.text
    client.post("/hq/sources/spring/key", data={"sure": "yes"})
    assert 'id="the-key"' in client.get("/hq/sources/spring").text
    session.expire_all()
    assert spring.key_hash != before


def test_a_secret_is_set_and_never_shown(enter: Enter, session: Session, spring: Source) -> None:
    client = enter("hana")
    assert "Signing secret · not set" in text(client.get("/hq/sources/spring"))
    empty = client.post("/hq/sources/spring/secrets", data={"name": "signing_secret"})
    assert empty.status_code == 422
    kept = {"name": "signing_secret", "secret": "hush-hush"}
    client.post("/hq/sources/spring/secrets", data=kept)
    page = client.get("/hq/sources/spring")
    assert "Signing secret · set" in text(page)
    assert "hush-hush" not in page.text
    session.expire_all()
    assert "hush-hush" not in str(spring.secrets)
    wrong = {"name": "app_secret", "secret": "of another kind"}
    assert client.post("/hq/sources/spring/secrets", data=wrong).status_code == 404


def test_a_strangers_payload_is_laid_beside_our_fields(enter: Enter, spring: Source) -> None:
    client = enter("hana")
    page = client.post("/hq/sources/spring/mapping", data=typed([], do="check"))
    table = chosen(page)
    assert list(table) == [path for path, _target in LINES]
    assert set(table.values()) == {""}
    assert "Zofia" in page.text
    assert "never to be read" not in page.text.split("</textarea>", 1)[1]
    assert "Never read, as they hold secrets: api_key" in text(page)
    taken = chosen(client.post("/hq/sources/spring/mapping", data=typed([], do="suggest")))
    assert taken["e-mail"] == "customer.email"
    assert taken["miasto"] == "address.city"
    assert taken["kolor"] == ""


def test_the_preview_is_what_production_would_understand(
    enter: Enter, session: Session, spring: Source
) -> None:
    client = enter("hana")
    values = {"field": ["request.type"], "values.request.type": "Umów jazdę = test_drive"}
    answer = client.post(
        "/hq/sources/spring/mapping/preview", data=typed(**values), headers={"HX-Request": "true"}
    )
    told = text(answer)
    for words in ("Zofia Brzoza", "+48512777888", "Test drive", "Aurel", "Mira", "Can be reached"):
        assert words in told, words
    assert "Kept beside the lead kolor zielony" in told
    assert 'id="mapping-fields" hx-swap-oob="true"' in answer.text
    without = typed([line for line in LINES if "mail" not in line[0] and "kom" not in line[0]])
    unreachable = text(client.post("/hq/sources/spring/mapping/preview", data=without))
    assert "Could not be reached" in unreachable
    assert "Zofia Brzoza" in unreachable
    odd = typed([("e-mail", "customer.phone"), ("kolor", "address.country"), LINES[2]])
    odd["payload"] = json.dumps({**STRANGER, "e-mail": "zofia(at)mail"})
    problems = text(client.post("/hq/sources/spring/mapping/preview", data=odd))
    assert "Country: “zielony” is no country we know" in problems
    session.expire_all()
    assert spring.version == 1
    assert session.scalar(select(func.count()).select_from(Intake)) == 0


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"lines": [("api_key", "customer.phone")]}, r"target-\d+", "holds a secret"),
    ({"lines": [("e-mail", "customer.shoe_size")]}, r"target-\d+", "no such field"),
    (
        {"field": ["request.type"], "values.request.type": "Umów jazdę"},
        "values-request-type",
        "one translation a line",
    ),
    (
        {"field": ["request.type"], "values.request.type": "Umów jazdę = Probefahrt"},
        "values-request-type",
        "no kind of request",
    ),
    (
        {"field": ["request.model"], "fixed.request.model": "x" * 1_001},
        "fixed-request-model",
        "Use at most",
    ),
]
"""What is typed, the input at which it is refused, and words of the reason."""


def test_what_is_wrong_with_a_mapping_is_told_at_its_field(
    enter: Enter, session: Session, spring: Source
) -> None:
    client = enter("hana")
    for given, place, words in WRONG:
        refused = client.post("/hq/sources/spring/mapping", data=typed(**given))
        assert refused.status_code == 422
        told = re.search(rf'id="({place})-error">([^<]+)<', refused.text)
        assert told is not None, given
        assert words in unescape(told[2]), given
        wired = re.search(
            rf'id="{re.escape(told[1])}"[^>]*aria-describedby="([^"]+)"', refused.text
        )
        assert wired is not None, given
        assert f"{told[1]}-error" in wired[1].split()
    session.expire_all()
    assert spring.mapping == {}


def test_a_mapping_is_saved_and_opened_again(
    enter: Enter, session: Session, spring: Source
) -> None:
    client = enter("hana")
    lines = [*LINES[:7], ("kolor", "request.comments"), ("auto", "request.comments")]
    given = typed(
        lines,
        field=["request.comments", "campaign.code", "request.type"],
        **{
            "how.request.comments": "join",
            "fixed.campaign.code": "spring",
            "values.request.type": "Umów jazdę = test_drive\nOferta = quote",
        },
    )
    assert client.post("/hq/sources/spring/mapping", data=given).status_code == 302
    session.expire_all()
    kept = {line["target"]: line for line in spring.mapping["lines"]}
    assert kept["request.comments"]["paths"] == ["kolor", "auto"]
    assert kept["request.comments"]["how"] == "join"
    assert kept["campaign.code"] == {"target": "campaign.code", "fixed": "spring"}
    assert kept["request.type"]["values"] == {"Umów jazdę": "test_drive", "Oferta": "quote"}
    page = client.get("/hq/sources/spring/mapping")
    assert chosen(page)["wizytowka.komórka"] == "customer.phone"
    assert "Oferta = quote" in page.text
    stale = client.post("/hq/sources/spring/mapping", data={**given, "seen": "1"})
    assert stale.status_code == 409
    first = client.post(
        "/hq/sources/spring/mapping", data={**given, "do": "first:request.comments|auto"}
    )
    assert re.search(r"from\s+auto\s*,\s*kolor", text(first))


def test_a_ready_made_mapping_brings_its_sample(enter: Enter, spring: Source) -> None:
    client = enter("hana")
    page = client.post(
        "/hq/sources/spring/mapping", data=typed([], "", do="preset", ready="contact_form_7")
    )
    assert "your-name" in page.text
    assert "Can be reached" in text(page)


def test_suggestions_come_beside_a_ready_made_mapping_that_finds_nothing() -> None:
    form = MappingForm.of(PRESETS["hubspot"].mapping)
    form.show([{"visitor.mobile": "512 777 888", "e-mail": "zofia@mail.example"}])
    assert form.take_hints() == 2
    targets = {row.path: row.target for row in form.rows}
    assert targets["visitor.mobile"] == "customer.phone"
    assert targets["e-mail"] == "customer.email"
    assert {each.target for each in form.fields if each.here} == {
        "customer.phone",
        "customer.email",
    }


def test_a_payload_that_cannot_be_read_says_so(enter: Enter, spring: Source) -> None:
    client = enter("hana")
    for payload in ('{"name": ', "[[[[", "x" * 70_000):
        page = client.post("/hq/sources/spring/mapping", data=typed([], payload, do="check"))
        assert page.status_code == 200
        assert re.search(r'id="payload-error">[^<]+<', page.text)


def test_the_latest_delivery_can_be_looked_at(
    enter: Enter, session: Session, spring: Source
) -> None:
    client = enter("hana")
    none = client.post("/hq/sources/spring/mapping", data=typed([], "", do="latest"))
    assert "Nothing has arrived by this source yet." in text(none)
    session.add(
        Intake(
            source_id=spring.id,
            received_at=NOW,
            content_type="application/json",
            body=json.dumps(STRANGER).encode(),
            body_hash=b"1",
            status="quarantined",
            problem={"code": "mapping"},
        )
    )
    session.commit()
    page = client.post("/hq/sources/spring/mapping", data=typed([], "", do="latest"))
    assert "wizytowka.nazwisko" in chosen(page)


def test_a_test_lead_arrives_and_nobody_gets_it(
    enter: Enter, session: Session, sessions: SessionFactory, spring: Source
) -> None:
    client = enter("hana")
    values = {"field": ["request.type"], "values.request.type": "Umów jazdę = test_drive"}
    client.post("/hq/sources/spring/mapping", data=typed(**values))
    sent = client.post("/hq/sources/spring/test", data=typed())
    assert sent.status_code == 302, text(sent)
    page = client.get(sent.headers["Location"])
    assert "Being decided…" in text(page)
    assert "every 1s" in page.text
    lead = session.scalars(select(Lead).where(Lead.source_id == spring.id)).one()
    assert lead.test
    pipeline.advance(sessions, lead.id, NOW)
    part = client.get(sent.headers["Location"], headers={"HX-Request": "true"})
    told = text(part)
    assert "every 1s" not in part.text
    assert "Who would have got it, and why" in told
    assert "Aurel" in told
    assert session.scalar(select(func.count()).select_from(Offer)) == 0
    again = client.post("/hq/sources/spring/test", data=typed())
    assert again.headers["Location"] != sent.headers["Location"]
    deliveries = text(client.get("/hq/sources/spring"))
    assert "Zofia Brzoza" in deliveries


def test_a_test_for_another_market_says_so(enter: Enter, session: Session, spring: Source) -> None:
    client = enter("hana")
    lines = [*LINES[:4], ("kolor", "address.country")]
    client.post("/hq/sources/spring/mapping", data=typed(lines))
    abroad = typed(lines, {**STRANGER, "kolor": "SA"})
    sent = client.post("/hq/sources/spring/test", data=abroad)
    assert sent.headers["Location"] == "/hq/sources/spring"
    assert "The test arrived in another market" in text(client.get("/hq/sources/spring"))


def test_a_test_that_cannot_be_read_leaves_nothing_behind(
    enter: Enter, session: Session, spring: Source
) -> None:
    client = enter("hana")
    unmapped = client.post("/hq/sources/spring/test", data=typed())
    assert unmapped.status_code == 422
    assert "This source has no mapping yet" in text(unmapped)
    client.post("/hq/sources/spring/state", data={"do": "pause"})
    paused = client.post("/hq/sources/spring/test", data=typed())
    assert paused.status_code == 422
    assert "Let it go on first." in text(paused)
    assert session.scalar(select(func.count()).select_from(Intake)) == 0
