"""Accounts and roles in the console: nobody gives away more than they hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.accounts.service import Scope, create_user
from lmt.config import Settings
from lmt.models import Dealer, DealerGroup, Market, Role, SettingChange, User
from lmt.notify.mailbox import list_mails, read_mail
from lmt.scope import actor_of
from tests.world import World

Login = Callable[[FlaskClient, User], FlaskClient]


def csrf_of(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, page: str, **given: object) -> tuple[int, str]:
    answer = client.post(
        path, data={"csrf_token": csrf_of(client, page), **given}, follow_redirects=True
    )
    return answer.status_code, unescape(re.sub(r"<[^>]+>|\s+", " ", answer.text))


def market_id(session: Session, code: str) -> int:
    return session.scalars(select(Market.id).where(Market.code == code)).one()


@pytest.fixture
def hana(client: FlaskClient, cast: dict[str, User], login: Login, session: Session) -> FlaskClient:
    session.commit()
    return login(client, cast["hana"])


AGENT = {
    "name": "Ewa Nowa",
    "email": "ewa@lmt.example",
    "language": "pl",
    "timezone": "Europe/Warsaw",
    "roles": ["agent"],
    "dealers": "PL-WAW-2",
}


def test_a_new_account_gets_a_mail_to_choose_its_password(
    hana: FlaskClient, session: Session, settings: Settings
) -> None:
    status, page = post(hana, "/hq/people/new", "/hq/people/new", **AGENT)
    assert status == 200
    assert "The account was made." in page
    ewa = session.scalars(select(User).where(User.email == "ewa@lmt.example")).one()
    assert [role.name for role in ewa.roles] == ["agent"]
    waw2 = session.scalars(select(Dealer.id).where(Dealer.code == "PL-WAW-2")).one()
    assert actor_of(ewa).dealers == {waw2}
    mail = read_mail(settings, list_mails(settings)[0].id)
    assert mail is not None
    assert "ewa@lmt.example" in str(mail["To"])
    changed = session.scalars(select(SettingChange).where(SettingChange.kind == "account")).one()
    assert (changed.subject, changed.after["parts"]) == ("ewa@lmt.example", ["PL-WAW-2"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"roles": ["administrator"]}, "it may do more than you"),
        ({"roles": ["central"], "dealers": "", "markets": "PL"}, "it may do more than you"),
        ({"roles": ["agent"], "dealers": "", "markets": "PL"}, "it may do more than you"),
        ({"dealers": "", "markets": "GULF"}, "what you don't look after"),
        ({"dealers": "SA-RUH-1"}, "There is no dealer SA-RUH-1"),
        ({"dealers": "", "everything": "yes"}, "what you don't look after"),
        ({"dealers": ""}, "which markets, groups or dealers"),
        ({"roles": []}, "Please choose a role."),
        ({"email": "anna@lmt.example"}, "There is an account with this address."),
        ({"email": "nobody"}, "Please enter a mail address."),
        ({"timezone": "Europe/Nowhere"}, "Please choose a time zone"),
        ({"name": " "}, "Please enter a name."),
    ],
    ids=lambda value: None if isinstance(value, dict) else value,
)
def test_nobody_gives_more_than_they_hold(
    hana: FlaskClient, session: Session, given: dict[str, object], told: str
) -> None:
    if "markets" in given:
        given = {**given, "markets": str(market_id(session, str(given["markets"])))}
    status, page = post(hana, "/hq/people/new", "/hq/people/new", **{**AGENT, **given})
    assert status == 422
    assert told in page
    assert not session.scalars(select(User).where(User.email == "ewa@lmt.example")).all()


def test_accounts_of_other_markets_and_of_those_who_may_more_are_not_hers(
    hana: FlaskClient, cast: dict[str, User], session: Session
) -> None:
    listed = hana.get("/hq/people").text
    assert "anna@lmt.example" in listed
    assert "cem@lmt.example" in listed
    assert "omar@lmt.example" not in listed
    assert hana.get(f"/hq/people/{cast['omar'].id}").status_code == 404
    boss = create_user(
        session, "boss@lmt.example", "Boss", None, ["administrator"],
        [Scope(market_id=market_id(session, "PL"))],
    )  # fmt: skip
    session.commit()
    page = f"/hq/people/{cast['anna'].id}"
    taken_over = post(hana, f"/hq/people/{boss.id}", page, **AGENT)
    shut_out = post(hana, f"/hq/people/{boss.id}/active", page, active="no")
    assert (taken_over[0], shut_out[0]) == (404, 404)
    session.refresh(boss)
    assert boss.active
    assert boss.name == "Boss"


def test_who_is_shut_out_is_out_at_once_and_may_be_let_in_again(
    app: Flask, hana: FlaskClient, cast: dict[str, User], login: Login, session: Session
) -> None:
    anna = login(app.test_client(), cast["anna"])
    assert anna.get("/desk/").status_code == 200
    page = f"/hq/people/{cast['anna'].id}"
    _status, told = post(hana, f"{page}/active", page, active="no")
    assert "They can't log in any more." in told
    assert anna.get("/desk/").status_code == 302
    _status, told = post(hana, f"{page}/active", page, active="yes")
    session.refresh(cast["anna"])
    assert "They may log in again." in told
    assert cast["anna"].active


def test_of_two_who_edit_an_account_the_second_is_told(hana: FlaskClient, session: Session) -> None:
    post(hana, "/hq/people/new", "/hq/people/new", **AGENT)
    ewa = session.scalars(select(User).where(User.email == "ewa@lmt.example")).one()
    path = f"/hq/people/{ewa.id}"
    found = re.search(r'name="seen" value="([^"]+)"', hana.get(path).text)
    assert found
    both = {**AGENT, "seen": found[1]}
    assert post(hana, path, path, **{**both, "name": "Ewa First"})[0] == 200
    status, page = post(hana, path, path, **{**both, "dealers": "PL-WAW-1"})
    assert status == 409
    assert "Somebody changed this meanwhile." in page
    session.expire_all()
    assert ewa.name == "Ewa First"
    waw2 = session.scalars(select(Dealer.id).where(Dealer.code == "PL-WAW-2")).one()
    assert [scope.dealer_id for scope in ewa.scopes] == [waw2]


def test_nobody_changes_or_ends_their_own_access(
    hana: FlaskClient, cast: dict[str, User], session: Session
) -> None:
    page = f"/hq/people/{cast['hana'].id}"
    _status, told = post(hana, f"{page}/active", page, active="no")
    assert "You can't shut yourself out." in told
    pl = str(market_id(session, "PL"))
    status, told = post(
        hana, page, page, **{**AGENT, "roles": ["headquarters", "call_centre"],
                             "dealers": "", "markets": pl},
    )  # fmt: skip
    assert status == 422
    assert "Somebody else has to change your own roles" in told


def test_who_looks_after_a_group_sees_the_leads_of_its_dealers(
    cast: dict[str, User], session: Session, world: World
) -> None:
    group = DealerGroup(code="nord", name="Nord")
    session.add(group)
    session.flush()
    dealers = session.scalars(select(Dealer).where(Dealer.code.in_(("PL-WAW-1", "PL-WAW-2")))).all()
    for dealer in dealers:
        dealer.group_id = group.id
    gina = create_user(
        session, "gina@lmt.example", "Gina", None, ["manager"], [Scope(group_id=group.id)]
    )
    session.commit()
    assert actor_of(gina).dealers == {dealer.id for dealer in dealers}
    dealers[0].group_id = None
    session.commit()
    session.expire(gina)
    assert actor_of(gina).dealers == {dealers[1].id}


def test_the_last_administrator_stays(
    client: FlaskClient, cast: dict[str, User], login: Login, session: Session
) -> None:
    root = create_user(session, "root@lmt.example", "Root", None, ["administrator"], [Scope()])
    session.commit()
    door = login(client, root)
    kept = ["lead.read", "lead.work"]
    status, told = post(
        door, "/hq/roles/administrator", "/hq/roles/administrator", permissions=kept
    )
    assert status == 422
    assert "Nobody could administrate the installation any more." in told
    role = session.scalars(select(Role).where(Role.name == "administrator")).one()
    assert "admin" in role.permissions
    status, told = post(
        door, "/hq/roles/agent", "/hq/roles/agent", permissions=[*kept, "lead.export"]
    )
    assert status == 200
    assert "Saved." in told
    assert login(client, cast["hana"]).get("/hq/roles").status_code == 403


def test_the_list_makes_a_fixed_number_of_queries(
    hana: FlaskClient, session: Session, count_queries: list[str]
) -> None:
    hana.get("/hq/people")
    count_queries.clear()
    hana.get("/hq/people")
    few = len(count_queries)
    waw1 = session.scalars(select(Dealer.id).where(Dealer.code == "PL-WAW-1")).one()
    for number in range(20):
        create_user(
            session, f"p{number}@lmt.example", f"P{number}", None, ["agent"],
            [Scope(dealer_id=waw1)],
        )  # fmt: skip
    session.commit()
    count_queries.clear()
    assert "p19@lmt.example" in hana.get("/hq/people").text
    assert len(count_queries) <= few + 1


@pytest.mark.parametrize(
    ("style", "written"),
    [("", "1,234,567.5"), ("de", "1.234.567,5"), ("ar_EG", "١٬٢٣٤٬٥٦٧٫٥")],
)
def test_numbers_are_written_as_their_reader_wants(
    client: FlaskClient, cast: dict[str, User], login: Login, session: Session,
    style: str, written: str,
) -> None:  # fmt: skip
    from lmt.i18n import format_number, reading, set_reader

    session.commit()
    door = login(client, cast["anna"])
    status, _page = post(
        door, "/account/preferences", "/account/preferences",
        name="Anna", language="en", timezone="Europe/Warsaw", week_start="6", number_style=style,
    )  # fmt: skip
    session.refresh(cast["anna"])
    assert status == 200
    assert (cast["anna"].number_style, cast["anna"].week_start) == (style, 6)
    with reading("en"):
        set_reader("en", "UTC", style)
        assert format_number(1234567.5) == written
