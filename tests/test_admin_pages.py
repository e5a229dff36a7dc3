"""Headquarters' administration: markets, brands, statuses, groups and competences."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt.accounts.service import Scope, create_user
from lmt.db import SessionFactory
from lmt.dealergroups import edited_by
from lmt.ingest.books import books
from lmt.models import (
    Competence,
    Dealer,
    DealerGroup,
    Lead,
    Market,
    MarketCountry,
    MarketStatus,
    SettingChange,
    User,
    UserScope,
    VehicleModel,
)
from lmt.routing.directory import stamp_of
from lmt.scope import SYSTEM, act_as, actor_of
from tests.world import World

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
Enter = Callable[[str], FlaskClient]
POLAND = {
    "name": "Poland", "countries": ["PL"], "languages": ["pl", "en"], "default_language": "pl",
    "timezone": "Europe/Warsaw", "currency": "PLN", "week_start": "0", "same_need_days": "30",
    "hours": "Mo-Fr 09:00-18:00", "customer_may_move": "yes", "asks_feedback": "yes",
}  # fmt: skip


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


def told_at(page: str, field: str) -> str:
    found = re.search(rf'id="{re.escape(field)}-error">([^<]+)<', page)
    assert found is not None, field
    return unescape(found[1])


def words(page: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", page)).split())


def undo_address(page: str) -> str:
    found = re.search(r'action="(/hq/history/\d+/undo)"', page)
    assert found is not None
    return found[1]


def test_a_market_is_changed_and_taken_back(enter: Enter, session: Session) -> None:
    client = enter("hana")
    assert "Poland" in client.get("/hq/markets").text
    assert "Gulf" not in words(client.get("/hq/markets").text)
    shown = client.get("/hq/markets/PL")
    assert 'value="PL" checked' in shown.text
    given = {**POLAND, "currency": "EUR", "countries": ["PL", "LT"], "hours": "Mo-Sa 08:00-16:00"}
    saved = client.post("/hq/markets/PL", data=given, follow_redirects=True)
    assert saved.status_code == 200
    market = session.scalars(select(Market).where(Market.code == "PL")).one()
    assert (market.currency, market.desk_hours) == ("EUR", "Mo-Sa 08:00-16:00")
    assert [each.country for each in market.countries] == ["LT", "PL"]
    # What deliveries go by is read anew.
    assert books(session).market_of_country["LT"] == market.id
    assert market.languages == ["pl", "en"]
    back = client.post(undo_address(saved.text), follow_redirects=True)
    assert "It is as it was before." in back.text
    session.expire_all()
    assert (market.currency, [each.country for each in market.countries]) == ("PLN", ["PL"])


def test_what_a_market_cannot_be_is_told_at_its_field(enter: Enter, session: Session) -> None:
    client = enter("hana")
    refused = client.post(
        "/hq/markets/PL",
        data={**POLAND, "name": "", "currency": "XQX", "timezone": "Mars/Dome", "hours": "soon"},
    )
    assert refused.status_code == 422
    for field in ("f-name", "f-currency", "f-timezone", "f-hours"):
        assert told_at(refused.text, field)
    stale = client.post("/hq/markets/PL", data={**POLAND, "seen": "of yesterday"})
    assert stale.status_code == 409
    assert session.scalars(select(SettingChange)).first() is None


def test_a_country_moves_only_knowingly_and_only_between_ones_own_markets(
    enter: Enter, session: Session, world: World
) -> None:
    taking = {**POLAND, "countries": ["PL", "AE"]}
    refused = enter("hana").post("/hq/markets/PL", data={**taking, "move_countries": "yes"})
    assert "belongs to Gulf" in told_at(refused.text, "countries")
    omar = enter("omar")
    asked = omar.post("/hq/markets/PL", data=taking)
    assert asked.status_code == 422
    assert "Tick the box" in told_at(asked.text, "countries")
    assert omar.post("/hq/markets/PL", data={**taking, "move_countries": "yes"}).status_code == 302
    assert session.get_one(MarketCountry, "AE").market_id == world.markets["PL"]
    noted = session.scalars(select(SettingChange).order_by(SettingChange.id)).all()
    assert [row.subject for row in noted] == ["GULF", "PL"]


def test_of_two_markets_that_take_one_country_at_once_the_second_is_told(
    enter: Enter, session: Session, sessions: SessionFactory, world: World
) -> None:
    session.commit()
    omar = enter("omar")
    waits = text(
        "SELECT count(*) FROM pg_locks"
        " WHERE NOT granted AND transactionid = CAST(pg_current_xact_id() AS xid)"
    )
    with act_as(sessions(), SYSTEM) as other, ThreadPoolExecutor(1) as pool:
        other.add(MarketCountry(country="LT", market_id=world.markets["GULF"]))
        other.flush()
        answer = pool.submit(
            omar.post, "/hq/markets/PL", data={**POLAND, "countries": ["PL", "LT"]}
        )
        until = time.monotonic() + 20
        while not other.scalar(waits):
            assert time.monotonic() < until
        other.commit()
        refused = answer.result(20)
    assert refused.status_code == 422
    assert "belongs to Gulf" in told_at(refused.text, "countries")


def test_markets_are_set_up_by_the_centre_alone(enter: Enter, session: Session) -> None:
    new = {**POLAND, "code": "BALT", "name": "Baltics", "countries": ["LT", "LV"]}
    hana, omar = enter("hana"), enter("omar")
    assert hana.get("/hq/markets/new").status_code == 404
    assert hana.post("/hq/markets/new", data=new).status_code == 404
    assert hana.get("/hq/markets/GULF").status_code == 404
    assert omar.get("/hq/markets/new").status_code == 200
    assert omar.post("/hq/markets/new", data=new).status_code == 302
    assert omar.post("/hq/markets/new", data={**new, "countries": []}).status_code == 422
    market = session.scalars(select(Market).where(Market.code == "BALT")).one()
    assert market.customer_may_move
    assert market.week_start == 0
    for name in ("anna", "cem"):
        assert enter(name).get("/hq/markets").status_code == 403


def test_the_catalogue_learns_words_and_names_conflicts(enter: Enter, session: Session) -> None:
    client = enter("omar")
    mira = {"code": "mira", "name": "Mira", "aliases": "Mira EV\nمیرا"}
    assert client.post("/hq/brands/aurel/models/mira", data=mira).status_code == 302
    lyra = {"code": "lyra", "name": "Lyra", "aliases": "MIRA-ev", "aliases.GULF": "ليرا"}
    refused = client.post("/hq/brands/aurel/models/new", data=lyra)
    assert refused.status_code == 422
    assert "already means Mira" in told_at(refused.text, "f-aliases")
    kept = client.post("/hq/brands/aurel/models/new", data={**lyra, "aliases": "", "markets": "PL"})
    assert kept.status_code == 302
    page = client.get("/hq/brands/aurel?text=mira ev 2024&market=PL").text
    assert "Aurel Mira" in words(page)
    assert "ليرا" in page
    assert "Neither a brand nor a model" in client.get("/hq/brands?text=submarine").text


def test_used_codes_stay_and_used_models_are_only_sold_no_longer(
    enter: Enter, session: Session, sent_lead: Callable[..., Lead]
) -> None:
    sent_lead()
    client = enter("omar")
    refused = client.post("/hq/brands/aurel/models/mira", data={"code": "mira2", "name": "Mira"})
    assert "stays" in told_at(refused.text, "f-code")
    brand = client.post("/hq/brands/aurel", data={"code": "aurum", "name": "Aurel"})
    assert "stays" in told_at(brand.text, "f-code")
    kept = client.post("/hq/brands/aurel/models/mira/delete", follow_redirects=True)
    assert "Leads or dealers go by this model" in kept.text
    client.post("/hq/brands/aurel/models/new", data={"code": "lyra", "name": "Lyra"})
    assert client.post("/hq/brands/aurel/models/lyra/delete").status_code == 302
    assert session.scalars(select(VehicleModel.code)).all() == ["mira"]


def test_a_market_writes_its_own_words_and_no_others(enter: Enter, session: Session) -> None:
    client = enter("hana")
    address = "/hq/brands/aurel/models/mira"
    assert client.get(address).status_code == 200
    assert client.post(address, data={"market": "PL", "aliases.PL": "Mirka"}).status_code == 302
    assert client.post(address, data={"market": "GULF", "aliases.GULF": "x"}).status_code == 404
    model = session.scalars(select(VehicleModel)).one()
    assert model.market_aliases == {"PL": ["Mirka"]}
    for path in ("/hq/brands/new", "/hq/brands/aurel"):
        assert client.post(path, data={"code": "nova", "name": "Nova"}).status_code == 404
    assert client.post(f"{address}/delete").status_code == 404


def test_statuses_are_kept_ordered_and_switched_off(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead]
) -> None:
    client = enter("hana")
    nameless = client.post("/hq/statuses/PL", data={"code": "bank", "status": "accepted"})
    assert nameless.status_code == 422
    assert "Polish" in told_at(nameless.text, "f-new-pl")
    for code, name in (("bank", "Czeka na bank"), ("papers", "Papiery")):
        given = {"code": code, "status": "accepted", "names.pl": name}
        assert client.post("/hq/statuses/PL", data=given).status_code == 302
    assert client.post("/hq/statuses/PL", data=given).status_code == 422
    client.post("/hq/statuses/PL/papers", data={"do": "up"})
    shown = client.get("/hq/statuses?market=PL").text
    assert shown.index("Papiery") < shown.index("Czeka na bank")
    lead = offered_lead()
    lead.market_status = "bank"
    session.commit()
    kept = client.post("/hq/statuses/PL/bank", data={"do": "delete"}, follow_redirects=True)
    assert "Switch it off instead" in kept.text
    off = client.post("/hq/statuses/PL/bank", data={"do": "off"}, follow_redirects=True)
    assert "Switched off" in off.text
    assert client.post("/hq/statuses/PL/papers", data={"do": "delete"}).status_code == 302
    session.expire_all()
    row = session.scalars(select(MarketStatus)).one()
    assert (row.code, row.active) == ("bank", False)
    assert client.post("/hq/statuses/GULF", data=given).status_code == 404
    assert client.get("/hq/statuses?market=GULF").status_code == 404


def test_groups_hold_ones_own_dealers_and_tell_who_sees_them(
    enter: Enter, session: Session, world: World
) -> None:
    client = enter("hana")
    assert client.get("/hq/groups").status_code == 200
    given = {"name": "Wisla Auto", "dealers": "PL-WAW-1 PL-WAW-2"}
    assert client.post("/hq/groups", data=given).status_code == 302
    group = session.scalars(select(DealerGroup)).one()
    assert group.code == "wisla-auto"
    session.add(UserScope(user_id=world.users["carla"], group_id=group.id))
    session.commit()
    assert "Carla" in client.get("/hq/groups").text
    foreign = client.post("/hq/groups/wisla-auto", data={**given, "dealers": "SA-RUH-1"})
    assert "SA-RUH-1" in told_at(foreign.text, "f-dealers-wisla-auto")
    saved = client.post(
        "/hq/groups/wisla-auto", data={**given, "dealers": "PL-WAW-2"}, follow_redirects=True
    )
    client.post(undo_address(saved.text))
    dealers = session.scalars(select(Dealer.code).where(Dealer.group_id == group.id))
    assert set(dealers) == {"PL-WAW-1", "PL-WAW-2"}
    second = client.post("/hq/groups", data={"name": "Other", "dealers": "PL-WAW-1"})
    assert "Wisla Auto" in told_at(second.text, "f-dealers")
    assert (
        "dealers"
        in client.post("/hq/groups/wisla-auto", data={"do": "delete"}, follow_redirects=True).text
    )
    # A group with a dealer of another market is the centre's.
    mixed = {"name": "Mixed", "dealers": "SA-RUH-1"}
    enter("omar").post("/hq/groups", data=mixed)
    assert "Mixed" not in client.get("/hq/groups").text
    assert client.post("/hq/groups/mixed", data=given).status_code == 404
    assert enter("bert").get("/hq/groups").status_code == 403


def test_an_empty_group_is_the_markets_that_emptied_it(
    enter: Enter, session: Session, world: World
) -> None:
    hana, omar = enter("hana"), enter("omar")
    hana.post("/hq/groups", data={"name": "Wisla", "dealers": "PL-WAW-1"})
    saved = hana.post("/hq/groups/wisla", data={"name": "Wisla"}, follow_redirects=True)
    assert "Wisla" in words(saved.text)
    omar.post("/hq/groups", data={"name": "Central house"})
    assert "Central house" in omar.get("/hq/groups").text
    assert "Central house" not in hana.get("/hq/groups").text
    assert hana.post("/hq/groups/central-house", data={"do": "delete"}).status_code == 404
    # A colleague of the same market may end what she began; people elsewhere may not.
    yusuf = create_user(
        session, "yusuf@lmt.example", "Yusuf", None, ["headquarters"],
        [Scope(market_id=world.markets["GULF"])], "en", "UTC",
    )  # fmt: skip
    session.commit()
    gulf = actor_of(yusuf)
    assert session.scalars(select(DealerGroup.code).where(edited_by(gulf))).all() == []
    assert hana.post("/hq/groups/wisla", data={"do": "delete"}).status_code == 302
    assert session.scalars(select(DealerGroup.code)).all() == ["central-house"]


def test_competences_end_at_an_instant_and_routing_hears_of_it(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead]
) -> None:
    offered_lead()
    client = enter("hana")
    address = "/hq/dealers/PL-WAW-1/competences"
    shown = client.get(address)
    assert "New-car sales" in shown.text
    seen = re.search(r'name="seen" value="([^"]+)"', shown.text)
    assert seen is not None
    mark, version = unescape(seen[1]), stamp_of(session).version
    session.rollback()
    end = {"do": "end", "was": "aurel|used|", "seen": mark}
    saved = client.post(address, data=end, follow_redirects=True)
    assert saved.status_code == 200
    assert client.post(address, data=end).status_code == 409
    assert stamp_of(session).version > version
    rows = session.scalars(
        select(Competence).where(Competence.dealer_id == world.dealers["PL-WAW-1"])
    ).all()
    assert {(row.service, row.valid.upper) for row in rows} == {("sales", None), ("used", NOW)}
    client.post(undo_address(saved.text))
    session.expire_all()
    held = select(Competence.service).where(
        Competence.dealer_id == world.dealers["PL-WAW-1"], Competence.holds_at(NOW)
    )
    assert set(session.scalars(held)) == {"sales", "used"}
    twice = {"do": "add", "brand": "aurel", "service": "sales", "seen": mark}
    refused = client.post(address, data=twice)
    assert "already" in told_at(refused.text, "f-service-aurel")
    assert client.get("/hq/dealers/SA-RUH-1/competences").status_code == 404


def test_leads_that_only_one_dealer_could_serve_are_counted(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead]
) -> None:
    offered_lead()
    rival = session.scalars(
        select(Competence).where(
            Competence.dealer_id == world.dealers["PL-WAW-2"], Competence.service == "sales"
        )
    ).one()
    client = enter("hana")
    address = "/hq/dealers/PL-WAW-1/competences"
    assert "would find nobody" not in client.get(address).text
    rival.end(NOW)
    session.commit()
    assert "would find nobody" in client.get(address).text


def test_administration_asks_a_bounded_number_of_queries(
    enter: Enter, session: Session, world: World, count_queries: list[str]
) -> None:
    client = enter("omar")
    pages = ("markets", "brands", "brands/aurel", "statuses?market=PL", "groups", "rules?market=PL")
    for page in (*pages, "history", "dealers/PL-WAW-1/competences"):
        client.get(f"/hq/{page}")
        count_queries.clear()
        assert client.get(f"/hq/{page}").status_code == 200
        assert len(count_queries) <= 14, page
