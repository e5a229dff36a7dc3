"""Leads that a platform only announced are fetched, whatever the platform says at first."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.i18n import reading
from lmt.ingest.accept import Delivery
from lmt.ingest.fetching import WAITS, Announced, Notice
from lmt.ingest.notices import keep_notice
from lmt.ingest.quarantine import take_again
from lmt.ingest.retrievals import fetch_due, remedy
from lmt.ingest.signatures import appsecret_proof
from lmt.models import Event, Intake, Lead, Retrieval, Source
from lmt.scope import SYSTEM
from lmt.sealing import seal
from tests.stand_ins import Asked, Reply, StandIn, in_turn, stand_in
from tests.world import World

AT = datetime(2026, 3, 6, 9, tzinfo=UTC)
TOKEN = "EAAB-token"


def graph_lead(number: str = "7", **facts: Any) -> dict[str, Any]:
    answers = {"full_name": "Ada Nowak", "email": f"ada{number}@example.com", "budget": "40k"}
    return {
        "id": number,
        "created_time": "2026-03-06T08:00:00+0000",
        "campaign_id": "991",
        "field_data": [{"name": name, "values": [text]} for name, text in answers.items()],
        **facts,
    }


def of_its_own(asked: Asked) -> Reply:
    return Reply(graph_lead(asked.path.rsplit("/", 1)[1]))


class Platform:
    """A source, its platform's stand-in, and the worker's step."""

    def __init__(
        self, session: Session, sessions: SessionFactory, settings: Settings, server: StandIn
    ):
        self.session, self.sessions, self.server = session, sessions, server
        self.settings = replace(settings, private_targets=frozenset({server.target}))
        self.source: Source

    def announce(self, *numbers: str, at: datetime = AT, **context: str) -> uuid.UUID | None:
        leads = tuple(Announced(number, context) for number in numbers)
        body = json.dumps([*numbers, at.isoformat()]).encode()
        return keep_notice(self.session, self.source, Delivery(body=body), Notice(leads), at)

    def delete(self, *numbers: str) -> None:
        keep_notice(self.session, self.source, Delivery(body=b"{}"), Notice((), numbers), AT)

    def fetch(self, after: timedelta = timedelta()) -> int:
        return fetch_due(self.sessions, self.settings, AT + after)

    def rows(self, model: Any) -> list[Any]:
        self.session.rollback()
        self.session.expire_all()
        return list(self.session.scalars(select(model).order_by(model.id)))

    def states(self) -> dict[str, tuple[str, str]]:
        return {row.remote_id: (row.status, row.problem) for row in self.rows(Retrieval)}

    def notice(self) -> Intake:
        notice: Intake = self.rows(Intake)[0]
        return notice


@pytest.fixture
def asking() -> Iterator[StandIn]:
    with stand_in(of_its_own) as running:
        yield running


@pytest.fixture
def platform(
    session: Session,
    sessions: SessionFactory,
    settings: Settings,
    world: World,
    asking: StandIn,
) -> Callable[..., Platform]:
    def made(kind: str = "meta", *, token: bool = True) -> Platform:
        own = Platform(session, sessions, settings, asking)
        secrets = {"app_secret": "app secret"} | ({"access_token": TOKEN} if token else {})
        address = {"meta": "graph_url", "linkedin": "linkedin_url"}[kind]
        own.source = Source(
            code="ads", kind=kind, name="Ads", market_id=world.markets["PL"],
            brand_id=world.brand_id, country="PL", settings={address: asking.url},
            secrets={name: seal(settings.secret_key, text) for name, text in secrets.items()},
        )  # fmt: skip
        session.add(own.source)
        session.commit()
        return own

    return made


def test_an_announced_lead_is_fetched_and_taken_in(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    meta = platform()
    meta.announce("7", form_id="55", page_id="3")
    assert meta.fetch() == 1
    (asked,) = asking.asked
    assert asked.path == "/v24.0/7"
    assert "field_data" in asked.query["fields"].split(",")
    assert asked.query["appsecret_proof"] == appsecret_proof("app secret", TOKEN)
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in asked.path + str(asked.query)
    (lead,) = meta.rows(Lead)
    assert (lead.full_name, lead.email) == ("Ada Nowak", "ada7@example.com")
    assert lead.given["attributes"]["budget"] == "40k"
    tokens = lead.given["campaign"]["platform_ids"].split()
    assert {"meta:campaign:991", "meta:form:55", "meta:page:3"} <= set(tokens)
    notice, answer = meta.rows(Intake)
    assert (notice.status, answer.status) == ("accepted", "accepted")
    assert json.loads(answer.body) == graph_lead("7")
    assert meta.states() == {"7": ("done", "")}
    assert meta.fetch(timedelta(days=1)) == 0


def test_a_lead_that_is_announced_again_is_not_fetched_again(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    meta = platform()
    meta.announce("7")
    meta.fetch()
    assert meta.announce("7", at=AT + timedelta(hours=1)) is None
    assert meta.announce("7", "8", at=AT + timedelta(hours=2)) is not None
    assert meta.fetch(timedelta(hours=3)) == 1
    assert len(asking.asked) == len(meta.rows(Lead)) == 2


def test_a_platform_that_fails_is_asked_again_for_a_day_and_a_half(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    asking.reply = Reply({"error": {"code": 4}}, status=400)
    meta = platform()
    meta.announce("7", "8")
    assert meta.fetch() == 0
    # The second of them waits for its own turn: a platform that is busy is not pressed.
    assert len(asking.asked) == 1
    after = timedelta()
    for wait in WAITS:
        after += wait * 1.2 + timedelta(seconds=1)
        meta.fetch(after)
        meta.fetch(after)
    assert meta.states()["7"] == ("failed", "platform_busy")
    notice = meta.notice()
    assert (notice.status, notice.problem["code"]) == ("quarantined", "fetch_failed")
    assert notice.problem["cause"] == "platform_busy"
    assert meta.rows(Lead) == []


def test_a_platform_that_is_back_gives_the_lead(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    asking.reply = in_turn(
        Reply(b"<html>", status=502), Reply({"error": {"code": 2}}, status=500),
        Reply(b"not json"), Reply(graph_lead()),
    )  # fmt: skip
    meta = platform()
    meta.announce("7")
    done = [meta.fetch(timedelta(minutes=minutes)) for minutes in (0, 1, 5, 60)]
    assert done == [0, 0, 0, 1]
    assert meta.notice().status == "accepted"


def test_a_platform_says_when_to_come_again(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    asking.reply = in_turn(Reply({}, 429, {"Retry-After": "3600"}), Reply(graph_lead()))
    meta = platform()
    meta.announce("7")
    assert [meta.fetch(timedelta(minutes=m)) for m in (0, 30, 61)] == [0, 0, 1]


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [(190, "platform_token", "token"), (200, "platform_permission", "permission"),
     (100, "platform_refused", "fetch")],
)  # fmt: skip
def test_what_asking_again_cannot_mend_is_shown_at_once(
    platform: Callable[..., Platform], asking: StandIn, code: int, cause: str, words: str
) -> None:
    asking.reply = lambda asked: (
        Reply({"error": {"code": code}}, status=400)
        if asked.path.endswith("7")
        else of_its_own(asked)
    )
    meta = platform()
    meta.announce("7", "8")
    assert meta.fetch() == 1
    assert meta.states() == {"7": ("failed", cause), "8": ("done", "")}
    notice = meta.notice()
    assert (notice.status, notice.problem["cause"]) == ("quarantined", cause)
    (error,) = notice.problem["errors"]
    assert error["field"] == "7"
    with reading("pl"):
        assert error["message"] == remedy(cause), "in the language of the market"
    with reading("en"):
        assert words in remedy(cause)


def test_a_lead_that_was_refused_is_fetched_once_its_cause_is_mended(
    platform: Callable[..., Platform], asking: StandIn, session: Session
) -> None:
    asking.reply = Reply({"error": {"code": 190}}, status=400)
    meta = platform()
    meta.announce("7")
    meta.fetch()
    asking.reply = of_its_own
    later = AT + timedelta(days=3)
    receipt = take_again(session, meta.notice().id, at=later, actor=SYSTEM)
    assert receipt.lead_ids == ()
    assert meta.fetch(timedelta(days=3)) == 1
    assert meta.notice().status == "accepted"
    assert len(meta.rows(Lead)) == 1


def test_without_a_token_nobody_is_asked(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    meta = platform(token=False)
    meta.announce("7")
    assert meta.fetch() == 0
    assert asking.asked == []
    assert meta.notice().problem["cause"] == "secret_missing"


def test_an_inner_address_is_not_asked(platform: Callable[..., Platform], asking: StandIn) -> None:
    meta = platform()
    meta.settings = replace(meta.settings, private_targets=frozenset())
    meta.announce("7")
    assert meta.fetch() == 0
    assert asking.asked == []
    assert meta.notice().problem["cause"] == "platform_refused"


def test_an_answer_that_no_mapping_reads_is_kept_as_it_came(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    asking.reply = Reply({"field_data": [{"name": "colour", "values": ["red"]}]})
    meta = platform()
    meta.announce("7")
    assert meta.fetch() == 1
    notice, answer = meta.rows(Intake)
    assert notice.status == "accepted"
    assert (answer.status, answer.problem["code"]) == ("quarantined", "mapping")
    assert answer.problem["key"] == "meta:7"


def test_an_answer_without_its_id_is_still_the_lead_that_was_asked_for(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    asking.reply = Reply({k: v for k, v in graph_lead().items() if k != "id"})
    meta = platform()
    meta.announce("7")
    meta.fetch()
    (lead,) = meta.rows(Lead)
    assert lead.given["id"] == "7"


def test_many_workers_fetch_each_lead_once(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    meta = platform()
    meta.announce(*(str(number) for number in range(12)))
    threads = [threading.Thread(target=meta.fetch) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asking.asked) == len(meta.rows(Lead)) == 12
    assert meta.notice().status == "accepted"


def test_a_worker_that_died_is_followed_by_another(
    platform: Callable[..., Platform], session: Session
) -> None:
    meta = platform()
    meta.announce("7")
    (row,) = meta.rows(Retrieval)
    row.lease_token, row.lease_until = uuid.uuid4(), AT + timedelta(seconds=60)
    session.commit()
    assert meta.fetch(timedelta(seconds=30)) == 0
    assert meta.fetch(timedelta(seconds=61)) == 1


def linkedin_answer(asked: Asked) -> Reply:
    number = asked.path.rsplit("/", 1)[1]
    text = {"textQuestionAnswer": {"answer": f"{number}@example.com"}}
    return Reply(
        {
            "id": number,
            "submittedAt": 1772784000000,
            "formResponse": {"answers": [{"questionId": 1, "answerDetails": text}]},
            "form": {"content": {"questions": [{"questionId": 1, "predefinedField": "EMAIL"}]}},
        }
    )


def test_linkedin_is_asked_in_its_own_manner(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    asking.reply = linkedin_answer
    linkedin = platform("linkedin")
    linkedin.announce("a-1")
    assert linkedin.fetch() == 1
    (asked,) = asking.asked
    assert asked.path == "/rest/leadFormResponses/a-1"
    assert asked.headers["linkedin-version"] == "202601"
    assert asked.headers["x-restli-protocol-version"] == "2.0.0"
    (lead,) = linkedin.rows(Lead)
    assert lead.email == "a-1@example.com"


def test_a_lead_that_its_platform_deleted_stays_and_its_history_tells(
    platform: Callable[..., Platform], asking: StandIn
) -> None:
    asking.reply = linkedin_answer
    linkedin = platform("linkedin")
    linkedin.announce("a-1")
    linkedin.fetch()
    for _time in range(2):
        linkedin.delete("a-1")
    assert [event.kind for event in linkedin.rows(Event)].count("sender_deleted") == 1
    assert len(linkedin.rows(Lead)) == 1


def test_a_lead_deleted_while_it_is_fetched_is_not_lost_and_told(
    platform: Callable[..., Platform], asking: StandIn, sessions: SessionFactory
) -> None:
    linkedin = platform("linkedin")

    def deleted_meanwhile(asked: Asked) -> Reply:
        linkedin.delete("a-1")
        return linkedin_answer(asked)

    asking.reply = deleted_meanwhile
    linkedin.announce("a-1")
    linkedin.fetch()
    assert linkedin.states() == {"a-1": ("done", "deleted")}
    assert linkedin.rows(Lead) == []
    assert linkedin.notice().status == "accepted"
