"""What headquarters sees of deliveries that could not be read, and does about them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html as lxml_html
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import clock, jobs
from lmt.db import SessionFactory
from lmt.ingest import kinds
from lmt.ingest.accept import Delivery
from lmt.ingest.door import Quarantined, receive
from lmt.models import Intake, Job, Lead, Source, SourceAlert, User
from tests.world import World

JSON = "application/json"
MAPPING = {
    "lines": [
        {"target": "customer.full_name", "paths": ["who"]},
        {"target": "customer.email", "paths": ["mail"]},
    ]
}
Enter = Callable[[str], FlaskClient]
Kept = Callable[..., uuid.UUID]


@pytest.fixture
def enter(
    client: FlaskClient, login: Callable[[FlaskClient, User], FlaskClient], cast: dict[str, User]
) -> Enter:
    return lambda name: login(client, cast[name])


@pytest.fixture
def source(session: Session, world: World) -> Source:
    row = Source(
        code="landing-pl",
        kind="json",
        name="Landing page",
        market_id=world.markets["PL"],
        brand_id=world.brand_id,
        country="PL",
        language="pl",
        mapping=MAPPING,
    )
    session.add(row)
    session.commit()
    return row


@pytest.fixture
def kept(session: Session, source: Source) -> Kept:
    def keep(body: bytes, times: int = 1, of: Source = source) -> uuid.UUID:
        delivery = Delivery(body=body, content_type=JSON)
        for _each in range(times):
            with pytest.raises(Quarantined) as caught:
                receive(session, of, delivery, kinds.reader_of(of, JSON), clock.now())
        return caught.value.intake_id

    return keep


def body(number: int, **values: Any) -> bytes:
    given = {"who": f"Person {number}", "mail": f"person{number}@mail.example"} | values
    return json.dumps(given).encode()


def text_of(page: str) -> str:
    return " ".join(lxml_html.document_fromstring(page).text_content().split())


def row_of(session: Session, intake_id: uuid.UUID) -> Intake:
    session.expire_all()
    return session.get_one(Intake, intake_id)


def test_the_list_groups_what_waits_by_source_and_cause(
    enter: Enter, kept: Kept, session: Session, world: World
) -> None:
    for n in range(3):
        kept(body(n, mail="nobody"))
    kept(b"{", times=4)
    other = session.get_one(Source, world.sources["adf-pl"])
    kept(b"<html></html>", of=other)
    hana = enter("hana")
    page = hana.get("/hq/intake").text
    groups = lxml_html.document_fromstring(page).xpath("//ul[contains(@class,'groups')]/li")
    told = [" ".join(each.text_content().split()) for each in groups]
    assert [re.sub(r", last seen.*", "", each) for each in told] == [
        "Landing page · The mapping doesn't fit 3 deliveries",
        "Landing page · Not JSON 1 delivery",
        "adf-pl · Not ADF 1 delivery",
    ]
    assert len(lxml_html.document_fromstring(page).xpath("//tbody/tr")) == 5
    for query, number in {
        "source=landing-pl": 4,
        "cause=no_json": 1,
        "source=landing-pl&cause=mapping": 3,
        "since=2999-01-01": 0,
        "since=2020-01-01": 5,
        "status=dismissed": 0,
        "source=nobody&cause=%27": 0,
        "since=yesterday": 5,
    }.items():
        found = hana.get(f"/hq/intake?{query}").text
        assert len(lxml_html.document_fromstring(found).xpath("//tbody/tr")) == number, query


def test_a_delivery_tells_its_cause_the_field_and_what_to_do(enter: Enter, kept: Kept) -> None:
    intake_id = kept(body(1, mail="nobody"), times=2)
    page = enter("hana").get(f"/hq/intake/{intake_id}").text
    told = text_of(page)
    for words in (
        "The mapping doesn't fit",
        "customer.email",
        "Mend the mapping of the source",
        "2 times, byte for byte the same",
        "Landing page",
    ):
        assert words in told
    assert 'href="/hq/sources/landing-pl/mapping"' in page


def test_what_was_wrong_is_told_in_the_readers_language(enter: Enter, kept: Kept) -> None:
    intake_id = kept(body(1)[:-1])
    hana = enter("hana")
    english = text_of(hana.get(f"/hq/intake/{intake_id}?lang=en").text)
    german = text_of(hana.get(f"/hq/intake/{intake_id}?lang=de").text)
    assert "says that it is JSON" in english
    assert "says that it is JSON" not in german
    assert "Die Lieferung gibt sich als JSON aus" in german


def test_a_delivery_is_mended_previewed_and_taken_in(
    enter: Enter, kept: Kept, session: Session
) -> None:
    broken = body(1)[:-1]
    intake_id = kept(broken)
    hana, address = enter("hana"), f"/hq/intake/{intake_id}/mend"
    shown = hana.get(f"/hq/intake/{intake_id}").text
    typed = lxml_html.document_fromstring(shown).xpath("//textarea[@name='text']")[0]
    assert typed.text.lstrip("\n") == broken.decode()
    still = hana.post(address, data={"text": broken.decode(), "do": "preview"})
    assert "This would not be taken in." in text_of(still.text)
    mended = body(1, who="Łucja <b>").decode()
    previewed = hana.post(address, data={"text": mended, "do": "preview"})
    assert previewed.status_code == 200
    assert "It would become 1 lead" in text_of(previewed.text)
    assert "Łucja <b>" in text_of(previewed.text)
    assert "<b>" not in previewed.text
    assert row_of(session, intake_id).status == "quarantined"
    assert session.scalars(select(Lead)).all() == []
    refused = hana.post(address, data={"text": broken.decode(), "do": "mend"})
    assert refused.status_code == 422
    assert "aria-invalid" in refused.text
    taken = hana.post(address, data={"text": mended, "do": "mend"}, follow_redirects=True)
    [lead] = session.scalars(select(Lead)).all()
    assert f"/hq/leads/{lead.id}" in taken.text
    assert "Taken in: 1 lead." in text_of(taken.text)
    row = row_of(session, intake_id)
    assert (bytes(row.body), bytes(row.mended or b"")) == (broken, mended.encode())


@pytest.mark.parametrize(
    ("came", "typed", "kept_as"),
    [
        (b'{\n"a": 1', '{\r\n"who": "A B", "mail": "a@mail.example"}', b"\n"),
        (b'{\r\n"a": 1', '{\r\n"who": "A B", "mail": "a@mail.example"}', b"\r\n"),
    ],
)
def test_line_ends_stay_those_of_the_original(
    enter: Enter, kept: Kept, session: Session, came: bytes, typed: str, kept_as: bytes
) -> None:
    intake_id = kept(came)
    enter("hana").post(f"/hq/intake/{intake_id}/mend", data={"text": typed, "do": "mend"})
    assert bytes(row_of(session, intake_id).mended or b"")[1:3].startswith(kept_as)


def test_what_is_no_text_or_too_long_is_not_for_the_editor(enter: Enter, kept: Kept) -> None:
    hana = enter("hana")
    for raw in (b"\xff\xfe\x00{", b"[" + b" " * 70_000, b"{\x00"):
        page = hana.get(f"/hq/intake/{kept(raw)}").text
        assert "<textarea" not in page
    intake_id = kept(b"{")
    long = hana.post(f"/hq/intake/{intake_id}/mend", data={"text": "x" * 70_000, "do": "mend"})
    assert long.status_code == 422


def test_a_delivery_is_dismissed_for_a_reason_and_put_back(
    enter: Enter, kept: Kept, session: Session, cast: dict[str, User]
) -> None:
    intake_id, hana = kept(b"junk"), enter("hana")
    none = hana.post(f"/hq/intake/{intake_id}/dismiss", data={"reason": " "})
    assert none.status_code == 422
    assert "Say why" in none.text
    done = hana.post(
        f"/hq/intake/{intake_id}/dismiss", data={"reason": "A robot"}, follow_redirects=True
    )
    assert "A robot" in text_of(done.text)
    row = row_of(session, intake_id)
    assert (row.status, row.answered_by) == ("dismissed", cast["hana"].id)
    listed = hana.get("/hq/intake?status=dismissed").text
    assert str(intake_id) in listed
    assert hana.post(f"/hq/intake/{intake_id}/replay").status_code == 302
    assert row_of(session, intake_id).status == "dismissed"
    hana.post(f"/hq/intake/{intake_id}/restore")
    assert row_of(session, intake_id).status == "quarantined"


def test_all_of_a_cause_are_replayed_by_the_worker(
    enter: Enter, kept: Kept, session: Session, sessions: SessionFactory, source: Source
) -> None:
    for n in range(3):
        kept(body(n, mail="", post=f"person{n}@mail.example"))
    left = kept(b"{")
    lines = [*MAPPING["lines"][:1], {"target": "customer.email", "paths": ["post"]}]
    source.mapping = {"lines": lines}
    session.commit()
    hana = enter("hana")
    asked = hana.post("/hq/intake/replay", data={"source": "landing-pl", "cause": "mapping"})
    address = asked.headers["Location"]
    assert "Waiting for the worker" in hana.get(address).text
    live = hana.get(address, headers={"HX-Request": "true"})
    assert "<html" not in live.text
    while jobs.work(sessions, clock.now()):
        pass
    done = text_of(hana.get(address).text)
    assert "Taken in3" in done
    assert hana.get(address, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    assert len(session.scalars(select(Lead)).all()) == 3
    assert row_of(session, left).status == "quarantined"


def test_who_may_do_what(
    enter: Enter, kept: Kept, session: Session, client: FlaskClient, world: World, source: Source
) -> None:
    intake_id = kept(b"{")
    verbs = ("replay", "mend", "dismiss", "restore")
    for name in ("anna", "cem"):
        visitor = enter(name)
        assert visitor.get(f"/hq/intake/{intake_id}").status_code == 403
        for verb in verbs:
            assert visitor.post(f"/hq/intake/{intake_id}/{verb}").status_code == 403
        assert visitor.post("/hq/intake/replay", data={"source": source.code}).status_code == 403
        visitor.post("/logout")
    source.market_id = world.markets["GULF"]
    session.commit()
    hana = enter("hana")
    given = {"reason": "no", "text": "{}", "do": "preview"}
    for verb in verbs:
        assert hana.post(f"/hq/intake/{intake_id}/{verb}", data=given).status_code == 404
    assert hana.post("/hq/intake/replay", data={"source": source.code}).status_code == 404
    job = Job(kind="replay_intake", arguments={"source_id": source.id}, created_at=clock.now())
    session.add(job)
    session.commit()
    assert hana.get(f"/hq/intake/replays/{job.id}").status_code == 404
    assert hana.get(f"/hq/intake/replays/{uuid.uuid4()}").status_code == 404


def test_the_overview_counts_sources_in_trouble_in_scope(
    enter: Enter, session: Session, world: World
) -> None:
    at = clock.now()
    for code, kind in (("api-pl", "silent"), ("adf-pl", "failing"), ("api-gulf", "failing")):
        session.add(SourceAlert(source_id=world.sources[code], kind=kind, began_at=at))
    session.add(
        SourceAlert(
            source_id=world.sources["form-pl"],
            kind="silent",
            began_at=at - timedelta(days=1),
            ended_at=at,
        )
    )
    session.commit()
    page = lxml_html.document_fromstring(enter("hana").get("/hq/").text)
    tiles = page.xpath("//a[contains(@class,'tile')]")
    told = {tile.get("href"): tile.xpath("string(./strong)") for tile in tiles}
    assert told["/hq/sources?alert=silent"] == "1"
    assert told["/hq/sources?alert=failing"] == "1"
