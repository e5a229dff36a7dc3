"""Faults that a hostile reader found in the administration's and the manager's pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lmt import dealerdesk, dealers, markets, people
from lmt.accounts.service import Scope, create_user
from lmt.brands import save_brand
from lmt.dealerchanges import BadValues, Edited, mark_of
from lmt.dealerfiles import service
from lmt.files.table import opened
from lmt.hq.mailtexts import MOST_TESTS
from lmt.models import (
    Brand,
    Competence,
    Dealer,
    DealerGroup,
    DealerTerms,
    Lead,
    MailText,
    Market,
    MarketCountry,
    Message,
    SettingChange,
    User,
)
from lmt.placeholders import problems
from lmt.ruleedit import MOST_VALUES, RuleTerms, publish, rules_of
from lmt.scope import SYSTEM, act_as, actor_of
from lmt.settinghistory import undo
from lmt.settingundo import CantUndo
from tests.world import World

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
BACK = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
WAW = "PL-WAW-1"
EWA = {
    "name": "Ewa Nowa",
    "email": "ewa@lmt.example",
    "language": "pl",
    "timezone": "Europe/Warsaw",
    "roles": ["agent"],
}
Enter = Callable[[str], FlaskClient]


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


def fresh(session: Session) -> Session:
    session.rollback()
    act_as(session, SYSTEM)
    session.expire_all()
    return session


def last(session: Session, kind: str = "dealer") -> SettingChange:
    return (
        fresh(session)
        .scalars(
            select(SettingChange)
            .where(SettingChange.kind == kind)
            .order_by(SettingChange.id.desc())
            .limit(1)
        )
        .one()
    )


def terms_at(session: Session, at: datetime) -> DealerTerms:
    return (
        fresh(session)
        .scalars(
            select(DealerTerms)
            .join(Dealer, Dealer.id == DealerTerms.dealer_id)
            .where(Dealer.code == WAW, DealerTerms.holds_at(at))
        )
        .one()
    )


def set_by_headquarters(session: Session, at: datetime, **changed: Any) -> Edited:
    present = terms_at(session, at)
    names = dealers.Terms.__dataclass_fields__
    values = {name: getattr(present, name) for name in names} | changed
    return dealers.edit_terms(
        session, WAW, dealers.Terms(**values), seen=mark_of(present), at=at, actor=SYSTEM
    )


# Accounts


def test_a_group_with_dealers_elsewhere_is_nobodys_to_give(
    enter: Enter, session: Session, cast: dict[str, User]
) -> None:
    group = DealerGroup(code="mixed", name="Mixed")
    session.add(group)
    session.flush()
    session.execute(
        update(Dealer).where(Dealer.code.in_([WAW, "SA-RUH-1"])).values(group_id=group.id)
    )
    create_user(
        session, "of.both@lmt.example", "Of Both", None, ["agent"], [Scope(group_id=group.id)]
    )
    session.commit()
    client = enter("hana")
    assert "Mixed" not in client.get("/hq/people/new").text
    answer = client.post("/hq/people/new", data={**EWA, "groups": str(group.id)})
    assert answer.status_code == 422
    assert "Of Both" not in client.get("/hq/people").text


@pytest.mark.parametrize("field", ["groups", "markets", "brands"])
@pytest.mark.parametrize("number", ["999", "99999999999999999999", "-1"])
@pytest.mark.parametrize("name", ["omar", "hana"])
def test_parts_that_arent_there_are_refused(
    enter: Enter, name: str, field: str, number: str
) -> None:
    answer = enter(name).post("/hq/people/new", data={**EWA, "dealers": WAW, field: number})
    assert answer.status_code == 422


def test_a_new_name_leaves_parts_alone_that_the_form_cant_say(
    enter: Enter, session: Session, world: World
) -> None:
    brand = session.scalars(select(Brand.id).limit(1)).one()
    parts = [
        Scope(market_id=world.markets["PL"], brand_id=brand),
        Scope(dealer_id=world.dealers[WAW]),
    ]
    person = create_user(session, "two@lmt.example", "Two Parts", None, ["expert"], parts)
    session.commit()
    given = {
        **EWA, "name": "Another Name", "roles": "expert", "dealers": WAW,
        "markets": str(world.markets["PL"]), "brands": str(brand),
    }  # fmt: skip
    assert enter("hana").post(f"/hq/people/{person.id}", data=given).status_code == 302
    row = fresh(session).get_one(User, person.id)
    assert row.name == "Another Name"
    assert set(people.parts_of(row)) == set(parts)


# Pauses that end by themselves


def pause(session: Session, cast: dict[str, User]) -> None:
    bert = actor_of(cast["bert"])
    act_as(session, bert)
    dealerdesk.pause(session, WAW, until=BACK, at=NOW, actor=bert)


def test_what_headquarters_changes_after_ending_a_pause_stays(
    session: Session, cast: dict[str, User]
) -> None:
    pause(session, cast)
    set_by_headquarters(session, NOW, paused=False)
    set_by_headquarters(session, LATER, hours="Mo-Fr 07:00-15:00")
    row = terms_at(session, BACK)
    assert (row.hours, row.paused, row.valid.upper) == ("Mo-Fr 07:00-15:00", False, None)


@pytest.mark.parametrize(("paused", "then"), [("", False), ("no", False)], ids=["stays", "ends"])
def test_a_list_of_dealers_holds_after_a_pause(
    session: Session, cast: dict[str, User], tmp_path: Path, paused: str, then: bool
) -> None:
    pause(session, cast)
    fresh(session)
    path = tmp_path / "list"
    header, line = "code;hours;day_cap;competences", f"{WAW};Mo-Fr 07:00-15:00;9;aurel:sales"
    if paused:
        header, line = f"{header};paused", f"{line};{paused}"
    path.write_text(f"{header}\n{line}\n", encoding="utf-8")
    order = service.Order(market="PL", name="list.csv")
    table = opened(path, tmp_path)
    rows = service.read_rows(
        session, table, service.suggested_columns(session, table.layout.columns), LATER.date()
    )
    plan, _book = service.plan_import(session, rows, order, at=LATER, actor=SYSTEM)
    service.apply_import(session, rows, order, at=LATER, actor=SYSTEM, reason="", seen=plan.mark())
    session.commit()
    assert terms_at(session, LATER).paused is (not paused)
    row = terms_at(session, BACK)
    assert (row.hours, row.day_cap, row.paused) == ("Mo-Fr 07:00-15:00", 9, then)
    assert row.valid.upper is None
    offered = session.scalars(
        select(func.count(Competence.id)).where(
            Competence.dealer_id == row.dealer_id, Competence.holds_at(BACK)
        )
    ).one()
    assert offered == 1


# Undo


def test_a_pause_until_an_instant_and_closed_days_are_not_undone_here(
    session: Session, cast: dict[str, User], enter: Enter
) -> None:
    pause(session, cast)
    with pytest.raises(CantUndo, match="ends by itself"):
        undo(session, last(session).id, at=NOW, actor=SYSTEM)
    set_by_headquarters(session, LATER, paused=False)
    with pytest.raises(CantUndo, match="ends by itself"):
        undo(session, last(session).id, at=LATER, actor=SYSTEM)
    enter("bert").post("/desk/hours/closures", data={"first": "2026-03-20"})
    with pytest.raises(CantUndo, match="Days that differ"):
        undo(session, last(session).id, at=LATER, actor=SYSTEM)
    assert enter("hana").get("/hq/history").status_code == 200
    assert not terms_at(session, LATER).paused


def test_a_cap_of_none_is_no_cap_that_is_gone(session: Session) -> None:
    set_by_headquarters(session, NOW, day_cap=5)
    set_by_headquarters(session, NOW.replace(minute=1), day_cap=None)
    removed = last(session)
    set_by_headquarters(session, NOW.replace(minute=2), day_cap=0)
    with pytest.raises(CantUndo, match="changed again"):
        undo(session, removed.id, at=LATER, actor=SYSTEM)
    assert terms_at(session, LATER).day_cap == 0


def test_a_country_goes_back_to_the_market_it_came_from(session: Session) -> None:
    countries = dict(session.execute(select(MarketCountry.country, Market.code).join(Market)).all())
    assert countries["PL"] == "PL"
    home, taker = "GULF", "PL"
    moved = next(country for country, code in countries.items() if code == home)

    def homes() -> dict[str, str]:
        rows = fresh(session).execute(select(MarketCountry.country, Market.code).join(Market))
        return dict(rows.all())

    terms = markets.terms_of(markets.edited_market(session, taker, SYSTEM))
    values = {**markets.plain(terms), "countries": [*terms.countries, moved]}
    more = markets.terms_from(values)
    markets.change_market(session, taker, more, move_countries=True, at=NOW, actor=SYSTEM)
    taken = last(session, "market")
    lost = session.scalars(
        select(SettingChange).where(SettingChange.kind == "market", SettingChange.subject == home)
    ).one()
    assert taken.subject == taker
    with pytest.raises(CantUndo, match="came from GULF"):
        undo(session, taken.id, at=LATER, actor=SYSTEM)
    assert homes()[moved] == taker
    number = undo(session, lost.id, at=LATER, actor=SYSTEM)
    assert homes() == countries
    # What says so is the change of the market that was asked for, not of the other.
    assert session.get_one(SettingChange, number).subject == home


# Odd input


@pytest.mark.parametrize(
    ("page", "given"),
    [
        ("team", {"first": "9999-12-31", "last": "9999-12-31"}),
        ("team", {"first": "0001-01-01", "last": "0001-01-02"}),
        ("pause", {"do": "pause", "until": "0001-01-01"}),
        ("pause", {"do": "pause", "until": "9999-12-31"}),
        ("closures", {"first": "9999-12-31"}),
        ("special", {"first": "9999-12-31", "opens-0": "09:00", "closes-0": "10:00"}),
    ],
    ids=["away_last", "away_first", "pause_first", "pause_last", "closed", "special"],
)
def test_days_that_nobody_means_are_told_at_their_field(
    enter: Enter, world: World, page: str, given: dict[str, str]
) -> None:
    path = f"/desk/team/{world.users['anna']}/absences" if page == "team" else f"/desk/hours/{page}"
    answer = enter("bert").post(path, data=given)
    assert answer.status_code == 422
    assert "Enter a date." in answer.text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{{{{ {'9' * 5000} }}}}", "syntax"),
        ('{{ name or "\\ud800" }}', "fallback"),
    ],
    ids=["number", "half_a_character"],
)
def test_what_no_mail_can_hold_is_told_to_its_author(enter: Enter, text: str, code: str) -> None:
    assert [each.code for each in problems(text, {"name"})] == [code]
    client, page = enter("hana"), "/hq/mail-texts/customer_received/PL"
    given = {"language": "pl", "opening": text, "do": "publish"}
    assert client.post(page, data=given).status_code == 422
    assert client.get(f"{page}/preview?language=pl").status_code == 200


def test_a_name_without_a_letter_is_no_brands(session: Session) -> None:
    with pytest.raises(BadValues) as refused:
        save_brand(session, None, "dashes", "---", [], at=NOW, actor=SYSTEM)
    assert list(refused.value.problems) == ["name"]


def test_a_set_of_rules_has_a_bounded_number_of_words(session: Session) -> None:
    words = tuple(f"word {number}" for number in range(MOST_VALUES))
    when = tuple({"field": "comments", "contains": list(words)} for _ in range(9))
    rules = [RuleTerms(f"Rule {number}", when, {"points": 1}) for number in range(3)]
    market = session.scalars(select(Market).where(Market.code == "PL")).one()
    seen = rules_of(session, market.id).mark
    with pytest.raises(BadValues):
        publish(session, "PL", rules, seen=seen, at=NOW, actor=SYSTEM)


# Mail texts


def test_two_who_write_two_languages_keep_both(enter: Enter, session: Session) -> None:
    client, page = enter("hana"), "/hq/mail-texts/customer_received/PL"
    client.post(page, data={"language": "pl", "heading": "Witamy"})
    client.post(page, data={"language": "en", "heading": "Welcome"})
    draft = fresh(session).scalars(select(MailText.draft)).one()
    assert draft is not None
    assert set(draft["languages"]) == {"pl", "en"}


def test_nobody_floods_their_mailbox_with_tests(enter: Enter, session: Session) -> None:
    client, page = enter("hana"), "/hq/mail-texts/customer_received/PL"
    for _ in range(MOST_TESTS + 2):
        client.post(f"{page}/test", data={"language": "pl"})
    sent = select(func.count(Message.id)).where(Message.kind == "mail_text_test")
    assert fresh(session).scalars(sent).one() == MOST_TESTS


# The team


def test_leads_of_who_left_are_seen_and_handed_over(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead(at=NOW)
    lead.owner_id = world.users["anna"]
    session.get_one(User, world.users["anna"]).active = False
    session.commit()
    client, anna = enter("bert"), f"/desk/team/{world.users['anna']}"
    assert "Not in this team" in client.get("/desk/team").text
    page = client.get(anna).text
    assert "Hand over" in page
    assert "Enter an absence" not in page
    assert client.post(f"{anna}/hand-over", data={"to": ""}).status_code == 302
    assert fresh(session).get_one(Lead, lead.id).owner_id is None
    assert client.get(anna).status_code == 404
    assert client.get(f"/desk/team/{world.users['carla']}").status_code == 404


# The dealer's page


def test_headquarters_saves_hours_that_no_week_can_say(enter: Enter, session: Session) -> None:
    rich = 'Apr-Sep Mo-Fr 09:00-18:00; Oct-Mar Mo-Fr 10:00-17:00; Dec 24 off "by the yard"'
    client, page = enter("hana"), f"/hq/dealers/{WAW}/edit"
    present = terms_at(session, NOW)
    given = {
        "seen": mark_of(present), "email": present.email, "weight": "1", "assign_to": "team",
        "hours": rich, "hours-was": present.hours,
    }  # fmt: skip
    assert client.post(page, data=given).status_code == 302
    kept = terms_at(session, NOW)
    assert kept.hours == rich
    # Another field is saved: what the grid can't show stays as it is.
    again = {**given, "seen": mark_of(kept), "hours-was": rich, "day_cap": "7"}
    assert client.post(page, data=again).status_code == 302
    assert (terms_at(session, NOW).hours, terms_at(session, NOW).day_cap) == (rich, 7)
    assert f"/hq/dealers/{WAW}/competences" in client.get(f"/hq/dealers/{WAW}").text
