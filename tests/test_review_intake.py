"""What a hostile reading of the intake found: each once wrong, and held here."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import clock, customers, jobs, pipeline, web
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.ingest import arrival, kinds, notices
from lmt.ingest.accept import Delivery, Receipt, accept
from lmt.ingest.door import Paused, receive
from lmt.ingest.fetching import FETCH_FAILED, Announced, Notice
from lmt.ingest.quarantine import ask_replay_all, take_again
from lmt.ingest.sourcehealth import health_of, watch
from lmt.links import stop_token
from lmt.models import (
    Campaign,
    Consent,
    Customer,
    CustomerKey,
    Dealer,
    DealerSystem,
    Inquiry,
    Intake,
    Job,
    Lead,
    Retrieval,
    SettingChange,
    Source,
    User,
)
from lmt.notify.posting import post_due
from lmt.notify.systemsettings import set_up
from lmt.outside import Answer, Outside
from lmt.scope import SYSTEM, act_as, actor_of
from tests.world import FRIDAY, World, send, warsaw_lead

HOUR = timedelta(hours=1)
Login = Callable[[FlaskClient, User], FlaskClient]
JAN = {"full_name": "Jan Kowal", "phone": "+48 512 345 678", "email": "jan@poczta.pl"}
OTHER = {"full_name": "J. Kowal", "phone": "+48 601 222 333", "email": "j.kowal@firma.pl"}


def fresh(session: Session, model: Any) -> list[Any]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(select(model).order_by(model.id)))


# Customers joined while they ask again


def test_a_lead_never_lands_with_a_customer_who_is_being_joined_to_another(
    session: Session,
    sessions: SessionFactory,
    cast: dict[str, User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = send(session, "api-pl", warsaw_lead(**JAN), FRIDAY).customer_id
    merged = send(session, "api-pl", warsaw_lead(**OTHER), FRIDAY).customer_id
    assert kept != merged
    hana = actor_of(cast["hana"])

    def join() -> None:
        with act_as(sessions(), hana) as own:
            customers.merge(own, kept, merged, at=FRIDAY, actor=hana)

    joining = threading.Thread(target=join)
    recognise = arrival.recognise

    def recognise_while_they_are_joined(*arguments: Any) -> Any:
        found = recognise(*arguments)
        if not joining.ident:
            joining.start()
            # Where nothing holds it back, it is done long before.
            joining.join(timeout=0.5)
        return found

    monkeypatch.setattr(arrival, "recognise", recognise_while_they_are_joined)
    asked = warsaw_lead(**OTHER, brand="") | {"request": {"type": "after_sales"}}
    body = json.dumps(asked).encode()
    source = session.scalars(select(Source).where(Source.code == "api-pl")).one()
    accept(session, source, Delivery(body), [asked], FRIDAY + HOUR)
    joining.join(timeout=20)
    assert not joining.is_alive()
    owners = {lead.customer_id for lead in fresh(session, Lead)}
    assert owners == {kept}, "the lead that came meanwhile went along"
    assert session.get_one(Customer, merged).merged_into_id == kept


def test_who_was_parted_is_found_by_their_place_where_the_source_names_no_country(
    session: Session, world: World, sessions: SessionFactory, cast: dict[str, User]
) -> None:
    source = session.scalars(select(Source).where(Source.code == "api-pl")).one()
    source.country = ""
    session.commit()
    leads = []
    for number, kind in enumerate(("test_drive", "after_sales")):
        data = warsaw_lead(**JAN)
        data["address"].pop("country", None)
        data["request"] = {"type": kind}
        body = json.dumps([number, data]).encode()
        (lead_id,) = accept(session, source, Delivery(body), [data], FRIDAY).lead_ids
        leads.append(session.get_one(Lead, lead_id))
    hana = actor_of(cast["hana"])
    with act_as(sessions(), hana) as own:
        customers.split(own, [leads[1].id], at=FRIDAY, actor=hana)
    session.expire_all()

    def places(lead: Lead) -> set[str]:
        rows = select(CustomerKey.value).where(
            CustomerKey.customer_id == lead.customer_id, CustomerKey.kind == "name_place"
        )
        return set(session.scalars(rows))

    assert leads[0].customer_id != leads[1].customer_id
    assert places(leads[0]) == places(leads[1]) != set()


def test_a_phone_that_was_given_only_when_asking_again_reaches_the_dealer(
    session: Session,
) -> None:
    mail_only = {**JAN, "phone": ""}
    lead = send(session, "api-pl", warsaw_lead(**mail_only), FRIDAY)
    assert lead.phone == ""
    assert send(session, "api-pl", warsaw_lead(**JAN), FRIDAY + HOUR).id == lead.id
    session.expire_all()
    assert lead.phone == "+48512345678"
    other = JAN | {"phone": "+48 700 100 200"}
    assert send(session, "api-pl", warsaw_lead(**other), FRIDAY + 2 * HOUR).id == lead.id
    session.expire_all()
    assert lead.phone == "+48512345678", "what they said first stays"


# Leads that a platform announced


def ads(session: Session, world: World) -> Source:
    source = Source(
        code="ads", kind="linkedin", name="Ads", market_id=world.markets["PL"], country="PL"
    )
    session.add(source)
    session.commit()
    return source


def announce(session: Session, source: Source, *numbers: str) -> uuid.UUID:
    notice = Notice(tuple(Announced(number) for number in numbers))
    intake_id = notices.keep_notice(session, source, Delivery(b"news"), notice, FRIDAY)
    assert intake_id is not None
    return intake_id


def deletes(session: Session, source: Source, *numbers: str) -> None:
    notices.keep_notice(session, source, Delivery(b"gone"), Notice((), numbers), FRIDAY)


@pytest.mark.parametrize("replayed", [False, True])
def test_a_notice_whose_lead_was_deleted_after_it_failed_waits_for_nothing(
    session: Session, world: World, *, replayed: bool
) -> None:
    source = ads(session, world)
    intake_id = announce(session, source, "a-1")
    (row,) = fresh(session, Retrieval)
    row.status = "failed"
    kept = session.get_one(Intake, intake_id)
    kept.status, kept.problem = "quarantined", {"code": FETCH_FAILED, "cause": "platform_gone"}
    session.commit()
    if replayed:
        row.status = "done"
        session.commit()
        take_again(session, intake_id, at=FRIDAY, actor=SYSTEM)
    else:
        deletes(session, source, "a-1")
    assert [each.status for each in fresh(session, Intake)] == ["accepted"]


def test_two_workers_that_fetch_the_last_leads_of_a_notice_at_once_settle_it(
    session: Session, world: World, sessions: SessionFactory
) -> None:
    intake_id = announce(session, ads(session, world), "a-1", "a-2")

    def finish(own: Session, remote_id: str) -> None:
        row = own.scalars(select(Retrieval).where(Retrieval.remote_id == remote_id)).one()
        row.status = "done"
        own.flush()
        notices.settle(own, intake_id)

    def second() -> None:
        with act_as(sessions(), SYSTEM) as own:
            finish(own, "a-2")
            own.commit()

    with act_as(sessions(), SYSTEM) as own:
        finish(own, "a-1")
        other = threading.Thread(target=second)
        other.start()
        other.join(timeout=0.3)
        own.commit()
    other.join(timeout=20)
    assert [each.status for each in fresh(session, Intake)] == ["accepted"]


# What waits while a source is paused


@pytest.fixture
def form(session: Session, world: World) -> Source:
    lines = [("customer.full_name", "who"), ("customer.email", "mail"), ("address.city", "town")]
    row = Source(
        code="landing-pl",
        kind="json",
        name="Landing page",
        market_id=world.markets["PL"],
        brand_id=world.brand_id,
        country="PL",
        mapping={"lines": [{"target": target, "paths": [path]} for target, path in lines]},
    )
    session.add(row)
    session.commit()
    return row


def paused_delivery(
    session: Session, source: Source, number: int, at: datetime, key: str | None = None
) -> uuid.UUID:
    data = {"who": f"Person {number}", "mail": f"p{number}@mail.example", "town": "Łódź"}
    delivery = Delivery(json.dumps(data).encode(), "application/json", key)
    with pytest.raises(Paused) as kept:
        receive(session, source, delivery, kinds.reader_of(source, "application/json"), at)
    return kept.value.intake_id


def test_what_came_in_a_second_pause_is_taken_in_by_the_replay_that_still_waits(
    session: Session, sessions: SessionFactory, form: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        form.paused_at = FRIDAY
        session.commit()
        at = FRIDAY + number * HOUR
        paused_delivery(session, form, number, at)
        form.paused_at = None
        # No worker runs meanwhile.
        ask_replay_all(session, form, at, SYSTEM, code="paused")
        session.commit()
    monkeypatch.setattr(clock, "now", lambda: FRIDAY + 3 * HOUR)
    while jobs.work(sessions, FRIDAY + 3 * HOUR):
        pass
    assert [each.status for each in fresh(session, Intake)] == ["accepted", "accepted"]


def test_what_was_kept_while_its_source_went_on_is_not_left_behind(
    session: Session, sessions: SessionFactory, form: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    form.paused_at = FRIDAY
    session.commit()
    paused_delivery(session, form, 1, FRIDAY)
    watch(sessions, FRIDAY + HOUR)
    assert fresh(session, Job) == [], "it still rests"
    form.paused_at = None
    session.commit()
    for _time in range(2):
        watch(sessions, FRIDAY + HOUR)
    monkeypatch.setattr(clock, "now", lambda: FRIDAY + HOUR)
    assert jobs.work(sessions, FRIDAY + HOUR)
    assert not jobs.work(sessions, FRIDAY + HOUR), "asked for once"
    assert [each.status for each in fresh(session, Intake)] == ["accepted"]


def test_a_test_from_our_own_pages_stays_one_when_it_is_taken_in_later(
    session: Session, form: Source
) -> None:
    form.paused_at = FRIDAY
    session.commit()
    intake_id = paused_delivery(session, form, 1, FRIDAY, f"{kinds.TEST_KEY}{uuid.uuid4().hex}")
    form.paused_at = None
    session.commit()
    receipt: Receipt = take_again(session, intake_id, at=FRIDAY, actor=SYSTEM)
    assert session.get_one(Lead, receipt.lead_ids[0]).test


# Doors


@pytest.fixture
def morning() -> Iterator[None]:
    with time_machine.travel(FRIDAY, tick=False):
        yield


def test_a_mail_service_that_presses_for_many_customers_is_heard_for_each(
    client: FlaskClient, settings: Settings, session: Session, morning: None
) -> None:
    web.limiter.reset()
    lead = send(session, "api-pl", warsaw_lead(**JAN), FRIDAY)
    other = send(session, "api-pl", warsaw_lead(**OTHER), FRIDAY)

    def press(lead_id: uuid.UUID) -> int:
        token = stop_token(settings.secret_key, lead_id, FRIDAY)
        return client.post(f"/r/stop/{token}", data={"List-Unsubscribe": "One-Click"}).status_code

    assert [press(lead.id) for _time in range(21)] == [200] * 20 + [429]
    assert press(other.id) == 200


def test_a_retired_web_to_lead_source_doesnt_stand_before_the_one_in_its_place(
    client: FlaskClient, session: Session, world: World, morning: None
) -> None:
    web.limiter.reset()
    for code, active in (("old", False), ("new", True)):
        session.add(
            Source(
                code=code, kind="web_to_lead", name=code, market_id=world.markets["PL"],
                brand_id=world.brand_id, country="PL", active=active,
                settings={"oid": "00D0000000abcDE"},
            )
        )  # fmt: skip
        session.commit()
    fields = {"oid": "00D0000000abcDE", "last_name": "Nowak", "email": "ada@example.com"}
    assert client.post("/servlet/servlet.WebToLead", data=fields).status_code == 200
    assert [lead.source.code for lead in fresh(session, Lead)] == ["new"]


# What is told


def test_a_test_says_nothing_of_what_a_source_brings(session: Session, form: Source) -> None:
    data = {"who": "Ada Nowak", "mail": "ada@mail.example", "town": "Łódź"}
    body = json.dumps(data).encode()
    read = kinds.reader_of(form, "application/json", test=True)
    receive(session, form, Delivery(body, "application/json"), read, FRIDAY)
    found = health_of(session, [form], FRIDAY + HOUR)[form.id]
    assert (found.state, found.today, found.last_at) == ("new", 0, None)
    read = kinds.reader_of(form, "application/json")
    receive(session, form, Delivery(body + b" ", "application/json"), read, FRIDAY + HOUR)
    found = health_of(session, [form], FRIDAY + 2 * HOUR)[form.id]
    assert (found.today, found.last_at) == (1, FRIDAY + HOUR)


def test_a_campaign_runs_by_the_day_of_its_market(
    app: Flask, session: Session, world: World, cast: dict[str, User], login: Login
) -> None:
    session.add(
        Campaign(
            code="spring", name="Spring", market_id=world.markets["PL"],
            starts_on=date(2026, 3, 6), ends_on=date(2026, 3, 6),
        )
    )  # fmt: skip
    session.commit()
    # Half past midnight in Warsaw, still the fifth in Greenwich.
    with time_machine.travel(datetime(2026, 3, 5, 23, 30, tzinfo=UTC), tick=False):
        page = login(app.test_client(), cast["hana"]).get("/hq/campaigns").text
    assert "Runs" in page
    assert "Planned" not in page


def test_what_was_agreed_to_goes_along_when_a_repeat_becomes_a_lead_of_its_own(
    session: Session, sessions: SessionFactory, cast: dict[str, User]
) -> None:
    lead = send(session, "api-pl", warsaw_lead(**JAN), FRIDAY)
    asked = warsaw_lead(**JAN)
    asked["consents"] = [{"purpose": "marketing_email", "given": True, "text_version": "7"}]
    assert send(session, "api-pl", asked, FRIDAY + HOUR).id == lead.id
    (inquiry,) = fresh(session, Inquiry)
    hana = actor_of(cast["hana"])
    with act_as(sessions(), hana) as own:
        own_id = customers.split_inquiry(own, inquiry.id, at=FRIDAY + 2 * HOUR, actor=hana)
    given = session.scalars(select(Consent).where(Consent.lead_id == own_id)).all()
    assert ("marketing_email", True, "7") in [
        (each.purpose, each.given, each.text_version) for each in given
    ]


# Secrets


def test_a_dealers_authorization_is_not_sent_to_another_server(
    session: Session, world: World, settings: Settings
) -> None:
    dealer = session.get_one(Dealer, world.dealers["PL-WAW-1"])

    def set_to(address: str, authorization: str | None = None) -> bool:
        system = set_up(
            session, dealer, transport="post", address=address, authorization=authorization,
            secret_key=settings.secret_key, at=FRIDAY, actor=SYSTEM,
        )  # fmt: skip
        return bool(system.secrets)

    assert set_to("https://crm.example/leads", "Bearer of the dealer's")
    assert set_to("https://crm.example/other")
    assert not set_to("https://crm.example.evil.example/other")
    assert set_to("https://crm.example/leads", "Bearer of the dealer's")
    (change,) = session.scalars(
        select(SettingChange).order_by(SettingChange.id.desc()).limit(1)
    ).all()
    assert change.after["authorization"] == "set"
    assert "dealer's" not in str(change.after)


def test_an_address_that_is_gone_doesnt_switch_off_the_one_named_in_its_place(
    session: Session, sessions: SessionFactory, world: World, settings: Settings
) -> None:
    dealer = session.get_one(Dealer, world.dealers["PL-WAW-1"])

    def named(address: str) -> None:
        set_up(
            session, dealer, transport="post", address=address, authorization=None,
            secret_key=settings.secret_key, at=FRIDAY, actor=SYSTEM,
        )  # fmt: skip

    named("https://old.example/leads")
    send(session, "api-pl", warsaw_lead(**JAN) | {"request": {"preferred_dealer": dealer.code}},
         FRIDAY)  # fmt: skip
    pipeline.advance(sessions, fresh(session, Lead)[0].id, FRIDAY)

    asked: list[int] = []

    class Gone(Outside):
        """Says that it is gone, while a person names another address."""

        def ask(self, *_question: Any, **_options: Any) -> Answer:
            asked.append(1)
            named("https://new.example/leads")
            return Answer(410, {}, b"")

    post_due(sessions, settings, FRIDAY, Gone())
    session.expire_all()
    system = session.get_one(DealerSystem, dealer.id)
    assert asked == [1]
    assert (system.address, system.active) == ("https://new.example/leads", True)
