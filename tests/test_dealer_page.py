"""Headquarters' page of a dealer: what it shows, changes, ends; and who is away there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from lmt import absences, dealers, handover, pipeline
from lmt.absences import BadAbsence
from lmt.accounts.service import Scope, create_user
from lmt.db import SessionFactory
from lmt.dealers import NotNow
from lmt.models import (
    Absence,
    Closure,
    Competence,
    Dealer,
    DealerTerms,
    Handover,
    Lead,
    Offer,
    SpecialHours,
    Territory,
    User,
)
from lmt.models.validity import since
from lmt.routing.directory import dealers_changed
from lmt.scope import SYSTEM, Actor, act_as, actor_of
from tests.world import FRIDAY, PASSWORD, World

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
"""Tuesday 10:00 in Warsaw: its dealers are open."""
TOMORROW = NOW + timedelta(days=1)
WAW, OTHER, RIYADH = "PL-WAW-1", "PL-WAW-2", "SA-RUH-1"
PAGE = f"/hq/dealers/{WAW}"
HOURS = "Mo-Fr 09:00-13:00,14:00-18:00; Sa 09:00-14:00; PH off"
TYPED = {
    "hours": HOURS,
    "email": "pl-waw-1@dealers.example",
    "day_cap": "",
    "month_cap": "",
    "open_cap": "",
    "weight": "1",
    "assign_to": "team",
}
AWAY = {"starts": "2026-03-10T12:00", "ends": "2026-03-12T08:00"}
ENDING = {
    "do": "preview",
    "when": "2026-03-11T10:00",
    "reason": "The house closes",
    "way": "successor",
    "successor": OTHER,
}

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
def hana(cast: dict[str, User]) -> Actor:
    return actor_of(cast["hana"])


def fresh(session: Session) -> Session:
    session.rollback()
    act_as(session, SYSTEM)
    session.expire_all()
    return session


def terms_rows(session: Session, world: World, code: str = WAW) -> list[DealerTerms]:
    return list(
        fresh(session).scalars(
            select(DealerTerms)
            .where(DealerTerms.dealer_id == world.dealers[code])
            .order_by(func.lower(DealerTerms.valid).nulls_first())
        )
    )


def seen(session: Session, world: World) -> dict[str, str]:
    return {"seen": dealers.mark_of(terms_rows(session, world)[-1])}


def told(answer: Any) -> str:
    """The page's text; the narrow blank before AM and PM is one like any other."""
    return unescape(answer.text).replace("\u202f", " ")


# What it shows


def test_the_page_tells_what_holds_of_a_dealer(
    enter: Enter, session: Session, offered_lead: Callable[..., Lead], world: World,
    clock: time_machine.Traveller,
) -> None:  # fmt: skip
    offered_lead(at=NOW)
    own = world.dealers[WAW]
    session.add_all(
        [
            Closure(dealer_id=own, starts_on=date(2026, 3, 20), ends_on=date(2026, 3, 21),
                    reason="Inventory <all>", valid=since(FRIDAY)),
            SpecialHours(market_id=world.markets["PL"], dealer_id=own, starts_on=date(2026, 4, 2),
                         ends_on=date(2026, 4, 2), hours="09:00-12:00", valid=since(FRIDAY)),
            SpecialHours(market_id=world.markets["PL"], country="PL", starts_on=date(2026, 12, 24),
                         ends_on=date(2026, 12, 24), hours="09:00-11:00", valid=since(FRIDAY)),
            Territory(dealer_id=own, postcodes=["00", "01"], valid=since(FRIDAY)),
            Territory(dealer_id=own, postcodes=[f"{n:02}" for n in range(20, 40)], exclusive=False,
                      valid=since(FRIDAY)),
        ]
    )  # fmt: skip
    held = session.scalars(select(Competence).where(Competence.dealer_id == own)).first()
    assert held is not None
    held.models = ["mira"]
    session.commit()
    page = told(enter("hana").get(PAGE))
    for words in (
        "Aurel Centrum", HOURS, "Open until Tuesday, March 10, 1:00 PM", "pl-waw-1@dealers.example",
        "Inventory <all>", "09:00-12:00", "09:00-11:00", "whole country",
        "Alone: postcodes that begin with 00, 01", "and 8 more", "Mira", "All models", "1 lead",
        "Anna", "Bert", "From the beginning",
    ):  # fmt: skip
        assert words in page, words
    assert "Carla" not in page
    clock.move_to(NOW + timedelta(hours=3, minutes=30))
    assert "Opens Tuesday, March 10, 2:00 PM" in told(enter("hana").get(PAGE))  # after the break
    clock.move_to(NOW + timedelta(hours=10))
    assert "Opens Wednesday, March 11, 9:00 AM" in told(enter("hana").get(PAGE))


def test_the_list_leads_to_the_page_and_the_room_stays_marked(enter: Enter) -> None:
    hana = enter("hana")
    assert f'href="{PAGE}"' in hana.get("/hq/dealers").text
    assert 'aria-current="page"' in hana.get(PAGE).text


POSTS = ("edit", "closures", "closures/end", "absences", "absences/end", "end", "end/cancel")
WHO_MAY = [
    ("hana", WAW, 200, 200),
    ("hana", RIYADH, 404, 404),
    ("hana", "nobody", 404, 404),
    ("omar", RIYADH, 200, 200),
    ("cem", WAW, 200, 403),
    ("bea", WAW, 200, 404),
    ("anna", WAW, 403, 403),
    ("bert", WAW, 403, 403),
]


def test_who_may_see_a_dealer_and_who_may_change_it(
    enter: Enter, session: Session, world: World, cast: dict[str, User]
) -> None:
    # Looks after one brand of the market, not after its dealers.
    cast["bea"] = create_user(
        session, "bea@lmt.example", "Bea", PASSWORD, roles=["headquarters"],
        scopes=[Scope(market_id=world.markets["PL"], brand_id=world.brand_id)],
    )  # fmt: skip
    session.commit()
    days = {"first": "2026-04-01", "last": "2026-04-01"}
    data = {**TYPED, **AWAY, **ENDING, **days, "do": "confirm", "row": "1"}
    for who, code, page, form in WHO_MAY:
        browser, address = enter(who), f"/hq/dealers/{code}"
        assert browser.get(address).status_code == page
        assert browser.get(f"{address}/edit").status_code == form
        assert browser.get(f"{address}/end").status_code == form
        if page == 200:
            assert (f"{address}/edit" in browser.get(address).text) is (form == 200)
        for path in POSTS if form != 200 else ():
            answer = browser.post(f"{address}/{path}", data=data)
            assert answer.status_code == form, (who, code, path)
    for model in (Closure, Absence, Handover):
        assert fresh(session).scalars(select(func.count()).select_from(model)).one() == 0
    assert len(terms_rows(session, world)) == 1


def test_a_stranger_logs_in_first(client: FlaskClient) -> None:
    for path in ("", "/edit", "/end"):
        assert client.get(PAGE + path).status_code == 302


def test_the_page_asks_a_fixed_number_of_questions(
    enter: Enter, session: Session, world: World, count_queries: list[str],
) -> None:  # fmt: skip
    hana = enter("hana")
    hana.get(PAGE)
    count_queries.clear()
    hana.get(PAGE)
    few = len(count_queries)
    fresh(session)
    for number in range(12):
        person = create_user(
            session, f"p{number}@lmt.example", f"Person {number}", None, roles=["agent"],
            scopes=[Scope(dealer_id=world.dealers[WAW])],
        )  # fmt: skip
        session.add(
            Absence(user_id=person.id, starts_at=NOW, ends_at=TOMORROW,
                    deputy_id=world.users["anna"])
        )  # fmt: skip
        session.add(
            Closure(dealer_id=world.dealers[WAW], starts_on=date(2026, 4, number + 1),
                    ends_on=date(2026, 4, number + 1), valid=since(FRIDAY))
        )  # fmt: skip
        session.add(
            Handover(dealer_id=world.dealers[WAW], at=FRIDAY, done_at=FRIDAY, reason="x",
                     created_at=FRIDAY, successor_id=world.dealers[OTHER])
        )  # fmt: skip
    session.commit()
    count_queries.clear()
    assert "Person 11" in hana.get(PAGE).text
    assert len(count_queries) <= few + 2  # scopes and roles of deputies
    assert few <= 25


# Terms


def test_an_edit_holds_from_now_on_and_keeps_what_was(
    enter: Enter, session: Session, world: World
) -> None:
    hana = enter("hana")
    assert "pl-waw-1@dealers.example" in hana.get(f"{PAGE}/edit").text
    answer = hana.post(
        f"{PAGE}/edit",
        data={
            **TYPED, **seen(session, world), "hours": "Mo-Fr 08:00-20:00", "day_cap": "5",
            "month_cap": "100", "weight": "1,5", "paused": "yes", "assign_to": "colleague",
            "email": "desk@dealers.example",
        },
        follow_redirects=True,
    )  # fmt: skip
    page = told(answer)
    assert "Saved. Leads go by it from now on." in page
    assert "0 of 5" in page
    old, new = terms_rows(session, world)
    assert (old.hours, old.valid.upper, new.valid.lower, new.valid.upper) == (
        HOURS, NOW, NOW, None,
    )  # fmt: skip
    assert (new.hours, new.day_cap, new.month_cap, new.open_cap) == (
        "Mo-Fr 08:00-20:00", 5, 100, None,
    )  # fmt: skip
    assert (new.weight, new.paused, new.assign_to, new.email) == (
        1.5, True, "colleague", "desk@dealers.example",
    )  # fmt: skip
    assert (new.name, new.city, new.lat) == (old.name, old.city, old.lat)
    # The history tells each change.
    for words in ("Leads a day at most", "one colleague", "Since 3/10/26, 10:00 AM"):
        assert words in page, words


def test_saving_what_holds_already_changes_nothing(
    enter: Enter, session: Session, world: World
) -> None:
    data = {**TYPED, **seen(session, world)}
    answer = enter("hana").post(f"{PAGE}/edit", data=data, follow_redirects=True)
    assert "Nothing was changed." in answer.text
    assert len(terms_rows(session, world)) == 1


BAD_TERMS = [
    ("hours", "", "missing"),
    ("hours", "when we like", "cannot be read"),
    ("email", "", "A dealer without one gets no leads"),
    ("email", "desk at dealers", "can't be right"),
    ("day_cap", "-1", "Enter a whole number"),
    ("month_cap", "many", "Enter a whole number"),
    ("open_cap", "1.5", "Enter a whole number"),
    ("open_cap", "9" * 30, "Enter a whole number"),
    ("day_cap", "101", "More in a day than in a month"),
    ("weight", "0", "Enter a number above 0"),
    ("weight", "nan", "Enter a number above 0"),
    ("weight", "heavy", "Enter a number above 0"),
    ("weight", "1e300", "Enter a number above 0"),
    ("assign_to", "the boss", "Choose one of these"),
]


def test_what_cant_be_kept_is_named_at_its_field(
    enter: Enter, session: Session, world: World
) -> None:
    hana = enter("hana")
    for field, value, words in BAD_TERMS:
        data = {**TYPED, **seen(session, world), "month_cap": "100", field: value}
        answer = hana.post(f"{PAGE}/edit", data=data)
        assert answer.status_code == 422, words
        page = told(answer)
        assert words in page
        assert f'id="f-{field}-error"' in page
        assert page.count('-error"') == 2  # the field's own, and the reference to it
        assert len(terms_rows(session, world)) == 1


SLOPPY = [
    ("10-18", "10:00-18:00"),
    ("Mo-Fr 9.00-17.00", "Mo-Fr 09:00-17:00"),
    ("9am-5pm", "09:00-17:00"),
]


def test_sloppy_hours_are_offered_in_corrected_form(
    enter: Enter, session: Session, world: World, clock: time_machine.Traveller
) -> None:
    hana = enter("hana")
    for sloppy, meant in SLOPPY:
        clock.shift(60)
        data = {**TYPED, **seen(session, world), "hours": sloppy, "open_cap": "7"}
        refused = hana.post(f"{PAGE}/edit", data=data)
        assert refused.status_code == 422
        assert f'Do you mean “<bdi dir="ltr">{meant}</bdi>”?' in told(refused)
        assert f'name="suggested" value="{meant}"' in refused.text
        assert 'value="7"' in refused.text
        assert terms_rows(session, world)[-1].hours != meant
        assert hana.post(f"{PAGE}/edit", data={**data, "suggested": meant}).status_code == 302
        new = terms_rows(session, world)[-1]
        assert (new.hours, new.open_cap) == (meant, 7)


def test_hours_that_leave_a_guess_get_no_suggestion(
    enter: Enter, session: Session, world: World
) -> None:
    data = {**TYPED, **seen(session, world), "hours": "Di 9-12"}
    assert "Do you mean" not in enter("hana").post(f"{PAGE}/edit", data=data).text


def test_the_suggested_hours_stay_when_another_field_is_wrong(
    enter: Enter, session: Session, world: World
) -> None:
    data = {**TYPED, **seen(session, world), "hours": "10-18", "suggested": "10:00-18:00"}
    answer = enter("hana").post(f"{PAGE}/edit", data={**data, "day_cap": "x"})
    assert answer.status_code == 422
    assert 'value="10:00-18:00"' in answer.text


def test_who_edits_what_another_changed_meanwhile_is_told(
    enter: Enter, session: Session, world: World, clock: time_machine.Traveller
) -> None:
    hana = enter("hana")
    data = {**TYPED, **seen(session, world)}
    assert hana.post(f"{PAGE}/edit", data={**data, "day_cap": "5"}).status_code == 302
    clock.shift(60)
    answer = hana.post(f"{PAGE}/edit", data={**data, "day_cap": "9"}, follow_redirects=True)
    assert "Somebody changed this dealer meanwhile" in answer.text
    assert terms_rows(session, world)[-1].day_cap == 5


def test_hours_that_never_come_are_saved_with_a_warning(
    enter: Enter, session: Session, world: World
) -> None:
    data = {**TYPED, **seen(session, world), "hours": "off"}
    page = told(enter("hana").post(f"{PAGE}/edit", data=data, follow_redirects=True))
    assert "With these hours the dealer doesn't open within a year." in page


def test_the_next_lead_goes_by_the_edit(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead]
) -> None:
    assert offered_lead(at=NOW).dealer_id == world.dealers[WAW]
    data = {**TYPED, **seen(session, world), "paused": "yes"}
    enter("hana").post(f"{PAGE}/edit", data=data)
    later = offered_lead(at=NOW, email="ewa@example.com", phone="+48 512 345 111")
    assert later.dealer_id == world.dealers[OTHER]


@pytest.mark.parametrize(
    ("path", "data", "minutes"),
    [
        # Open from 11:00 today: the half hour counts from there.
        ("edit", {**TYPED, "hours": "Mo-Fr 11:00-18:00"}, 90),
        ("edit", {**TYPED, "day_cap": "7"}, 30),
        # Closed today; Wednesday 9:00 is the next opening.
        ("closures", {"first": "2026-03-10", "last": "2026-03-10"}, 23 * 60 + 30),
    ],
)
def test_running_offers_are_counted_by_headquarters_new_hours(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead],
    path: str, data: dict[str, str], minutes: int,
) -> None:  # fmt: skip
    lead = offered_lead(at=NOW)
    offer = session.scalars(select(Offer).where(Offer.lead_id == lead.id)).one()
    assert offer.expires_at == NOW + timedelta(minutes=30)
    given = {**data, **seen(session, world)}
    answer = enter("hana").post(f"{PAGE}/{path}", data=given, follow_redirects=True)
    assert ("1 running offer was counted anew." in answer.text) is (minutes != 30)
    fresh(session)
    assert session.get_one(Offer, offer.id).expires_at == NOW + timedelta(minutes=minutes)
    assert session.get_one(Lead, lead.id).promise_at == NOW + timedelta(minutes=30)


# Closures


def test_a_closure_is_entered_and_taken_back(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead]
) -> None:
    hana = enter("hana")
    data = {"first": "2026-03-10", "last": "2026-03-12", "reason": "Water"}
    answer = hana.post(f"{PAGE}/closures", data=data, follow_redirects=True)
    assert "Water" in answer.text
    assert offered_lead(at=NOW).dealer_id == world.dealers[OTHER]
    row = fresh(session).scalars(select(Closure)).one()
    elsewhere = hana.post(f"/hq/dealers/{OTHER}/closures/end", data={"row": row.id})
    assert elsewhere.status_code == 404
    assert hana.post(f"{PAGE}/closures/end", data={"row": "x"}).status_code == 404
    answer = hana.post(f"{PAGE}/closures/end", data={"row": row.id}, follow_redirects=True)
    assert "Water" not in answer.text
    fresh(session)
    assert hana.post(f"{PAGE}/closures/end", data={"row": row.id}).status_code == 404
    again = offered_lead(at=NOW, email="ewa@example.com", phone="+48 512 345 111")
    assert again.dealer_id == world.dealers[WAW]


BAD_CLOSURES: list[tuple[dict[str, str], str]] = [
    ({"first": "soon"}, "Enter a date."),
    ({"last": ""}, "Enter a date."),
    ({"last": "2026-03-10"}, "before the first"),
    ({"first": "2026-03-01", "last": "2026-03-09"}, "These days are over."),
    ({"last": "2027-05-01"}, "a year at most"),
    ({"reason": "x" * 301}, "too long"),
]


def test_a_closure_that_cant_be_kept_says_why(enter: Enter, session: Session) -> None:
    hana = enter("hana")
    for change, words in BAD_CLOSURES:
        data = {"first": "2026-03-11", "last": "2026-03-12", "reason": "Water", **change}
        answer = hana.post(f"{PAGE}/closures", data=data)
        assert answer.status_code == 422, words
        assert words in told(answer)
        assert 'class="act" open' in answer.text
    assert fresh(session).scalars(select(func.count(Closure.id))).one() == 0


# The end of a dealer


def test_the_end_of_a_dealer_is_looked_at_planned_and_moves_its_leads(
    enter: Enter, session: Session, sessions: SessionFactory, world: World, cast: dict[str, User],
    offered_lead: Callable[..., Lead],
) -> None:  # fmt: skip
    lead = offered_lead(at=NOW - timedelta(minutes=5))
    pipeline.accept(session, lead.id, at=NOW, actor=actor_of(cast["anna"]))
    session.commit()
    hana = enter("hana")
    form = hana.get(f"{PAGE}/end").text
    assert f'value="{OTHER}"' in form
    assert RIYADH not in form
    assert "PL-CARE" not in form
    looked = told(hana.post(f"{PAGE}/end", data=ENDING))
    for words in ("Goes to Aurel Wola, Warszawa as it is", "Wednesday, March 11, 10:00 AM",
                  "The house closes", "Plan this end"):  # fmt: skip
        assert words in looked, words
    assert fresh(session).scalars(select(func.count(Handover.id))).one() == 0
    changed = hana.post(f"{PAGE}/end", data={**ENDING, "do": "change"}).text
    assert 'value="The house closes"' in changed
    page = told(hana.post(f"{PAGE}/end", data={**ENDING, "do": "confirm"}, follow_redirects=True))
    assert "The end is planned. Its open leads move then." in page
    assert "open leads go to Aurel Wola" in page
    assert "Hana" in page
    assert handover.carry_out(sessions, TOMORROW - timedelta(seconds=1)) == 0
    assert handover.carry_out(sessions, TOMORROW) == 1
    fresh(session)
    assert session.get_one(Lead, lead.id).dealer_id == world.dealers[OTHER]
    assert session.get_one(Lead, lead.id).status == "accepted"


def test_a_dealer_that_has_ended_is_shown_but_no_longer_changed(
    enter: Enter, session: Session, world: World, clock: time_machine.Traveller
) -> None:
    hana = enter("hana")
    at_once = {**ENDING, "when": "", "way": "reroute", "successor": ""}
    assert "At once" in hana.post(f"{PAGE}/end", data=at_once).text
    mark = seen(session, world)
    page = hana.post(f"{PAGE}/end", data={**at_once, "do": "confirm"}, follow_redirects=True)
    assert "It has ended." in page.text
    clock.shift(60)
    page = hana.get(PAGE)
    assert page.status_code == 200
    assert "Ended" in page.text
    assert f"{PAGE}/edit" not in page.text
    answer = hana.post(f"{PAGE}/edit", data={**TYPED, **mark}, follow_redirects=True)
    assert "This dealer has ended." in answer.text
    answer = hana.get(f"{PAGE}/edit", follow_redirects=True)
    assert "This dealer has ended." in answer.text
    data = {"first": "2026-04-01", "last": "2026-04-01"}
    answer = hana.post(f"{PAGE}/closures", data=data, follow_redirects=True)
    assert "This dealer has ended." in answer.text


def test_one_competence_ends_at_its_instant(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
) -> None:  # fmt: skip
    lead = offered_lead(at=NOW)
    hana = enter("hana")
    assert f"{PAGE}/end?brand=aurel&service=sales" in told(hana.get(PAGE))
    assert hana.get(f"{PAGE}/end?brand=aurel&service=parts").status_code == 404
    data = {**ENDING, "brand": "aurel", "service": "sales", "way": "reroute", "do": "preview"}
    looked = told(hana.post(f"{PAGE}/end", data=data))
    assert "End Aurel · New-car sales at Aurel Centrum" in looked
    assert "Each is routed anew." in looked
    hana.post(f"{PAGE}/end", data={**data, "do": "confirm"})
    page = told(hana.get(PAGE))
    assert "Aurel · New-car sales ends" in page
    assert handover.carry_out(sessions, TOMORROW) == 1
    fresh(session)
    assert session.get_one(Lead, lead.id).dealer_id == world.dealers[OTHER]
    assert terms_rows(session, world)[-1].valid.upper is None


BAD_ENDS: list[tuple[dict[str, str], str, str]] = [
    ({"when": "2026-03-10T09:59"}, "when", "This time is over."),
    ({"when": "someday"}, "when", "Enter a day and a time"),
    ({"when": "9999-12-31T23:59+99:99"}, "when", "Enter a day and a time"),
    ({"reason": ""}, "reason", "Say why"),
    ({"reason": "x" * 301}, "reason", "Shorten this"),
    ({"way": ""}, "way", "Say where its open leads go."),
    ({"way": "successor", "successor": ""}, "successor", "Choose a dealer."),
    ({"successor": "nobody"}, "successor", "no such dealer in this market"),
    ({"successor": RIYADH}, "successor", "no such dealer in this market"),
    ({"successor": WAW}, "successor", "This is the dealer that ends."),
    (
        {"successor": "PL-CARE", "brand": "aurel", "service": "sales"},
        "successor",
        "lacks the competence",
    ),
]


def test_an_end_that_cant_be_planned_says_why(enter: Enter, session: Session) -> None:
    hana = enter("hana")
    for change, field, words in BAD_ENDS:
        for do in ("preview", "confirm"):
            answer = hana.post(f"{PAGE}/end", data={**ENDING, "do": do, **change})
            assert answer.status_code == 422, words
            page = told(answer)
            assert words in page
            assert f'id="f-{field}-error"' in page
    assert fresh(session).scalars(select(func.count(Handover.id))).one() == 0


def test_a_successor_that_takes_no_leads_then_is_refused(
    enter: Enter, session: Session, world: World
) -> None:
    session.execute(
        update(DealerTerms)
        .where(DealerTerms.dealer_id == world.dealers[OTHER])
        .values(valid=func.tstzrange(None, NOW + timedelta(hours=1)))
    )
    session.commit()
    answer = enter("hana").post(f"{PAGE}/end", data=ENDING)
    assert answer.status_code == 422
    assert "This dealer takes no leads at that time." in answer.text


def test_a_second_end_is_refused_until_the_first_is_called_off(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
) -> None:  # fmt: skip
    fresh(session).add(
        Territory(dealer_id=world.dealers[WAW], postcodes=["00"], valid=since(FRIDAY))
    )
    session.commit()
    hana = enter("hana")
    confirmed = {**ENDING, "do": "confirm"}
    hana.post(f"{PAGE}/end", data=confirmed)
    again = hana.post(f"{PAGE}/end", data=confirmed)
    assert again.status_code == 422
    assert "An end is planned already." in again.text
    planned = fresh(session).scalars(select(Handover)).one()
    # An edit before the end keeps the end, and stays when that is called off.
    edit = {**TYPED, **seen(session, world), "day_cap": "9"}
    assert hana.post(f"{PAGE}/edit", data=edit).status_code == 302
    assert terms_rows(session, world)[-1].valid.upper == TOMORROW
    assert hana.post(f"{PAGE}/end/cancel", data={"row": "x"}).status_code == 404
    other = hana.post(f"/hq/dealers/{OTHER}/end/cancel", data={"row": planned.id})
    assert other.status_code == 404
    page = told(hana.post(f"{PAGE}/end/cancel", data={"row": planned.id}, follow_redirects=True))
    assert "The end was called off. The dealer goes on as before." in page
    assert "The house closes · Called off by Hana" in page
    assert "An end is planned" not in page
    assert terms_rows(session, world)[-1].valid.upper is None
    assert terms_rows(session, world)[-1].day_cap == 9
    for model in (Competence, Territory):
        of_dealer = select(model).where(model.dealer_id == world.dealers[WAW])
        rows: list[Any] = list(session.scalars(of_dealer))
        assert {row.valid.upper for row in rows} == {None}
    assert handover.carry_out(sessions, TOMORROW) == 0
    assert offered_lead(at=TOMORROW).dealer_id == world.dealers[WAW]
    answer = hana.post(f"{PAGE}/end/cancel", data={"row": planned.id}, follow_redirects=True)
    assert "called off or carried out already" in answer.text
    assert hana.post(f"{PAGE}/end", data=confirmed).status_code == 302


def planned_end(session: Session, hana: Actor, **given: Any) -> Handover:
    values: dict[str, Any] = {"ends_at": TOMORROW, "reason": "closes", "at": NOW, "reroute": True}
    return handover.plan_end(session, WAW, **{**values, **given}, actor=hana)


def test_an_end_that_has_come_is_not_called_off(session: Session, hana: Actor) -> None:
    planned = planned_end(session, hana)
    with pytest.raises(NotNow, match="has come"):
        dealers.cancel_end(session, planned.id, TOMORROW, hana)
    with pytest.raises(LookupError):
        dealers.cancel_end(session, planned.id + 1, NOW, hana)


def test_calling_off_an_end_gives_back_its_own_competence_only(
    session: Session, world: World, hana: Actor
) -> None:
    one = planned_end(session, hana, brand="aurel", service="sales")
    planned_end(session, hana, brand="aurel", service="used")
    dealers.cancel_end(session, one.id, NOW, hana)
    fresh(session)
    rows = session.scalars(select(Competence).where(Competence.dealer_id == world.dealers[WAW]))
    assert {row.service: row.valid.upper for row in rows} == {"sales": None, "used": TOMORROW}


@pytest.mark.parametrize("whole", [True, False])
def test_an_end_whose_dealer_was_changed_since_is_not_called_off(
    session: Session, world: World, hana: Actor, whole: bool
) -> None:
    given = {} if whole else {"brand": "aurel", "service": "sales"}
    planned = planned_end(session, hana, **given)
    session.add(
        Competence(dealer_id=world.dealers[WAW], brand_id=world.brand_id, service="sales",
                   valid=since(TOMORROW + timedelta(days=30)))
    )  # fmt: skip
    dealers_changed(session, NOW, [world.dealers[WAW]])
    session.commit()
    with pytest.raises(NotNow, match="changed since"):
        dealers.cancel_end(session, planned.id, NOW, hana)
    fresh(session)
    assert session.get_one(Handover, planned.id).done_at is None


# Absences


def test_an_absence_is_entered_shown_and_ended(
    enter: Enter, session: Session, world: World, clock: time_machine.Traveller
) -> None:
    hana = enter("hana")
    anna, bert = world.users["anna"], world.users["bert"]
    data = {**AWAY, "person": str(anna), "deputy": str(bert), "reason": "Holiday"}
    page = told(hana.post(f"{PAGE}/absences", data=data, follow_redirects=True))
    for words in ("The absence was entered.", "Will be away", "Bert stands in", "Holiday"):
        assert words in page, words
    # Why somebody is away is for those who manage them.
    seen_by_others = told(enter("cem").get(PAGE))
    assert "Will be away" in seen_by_others
    assert "Holiday" not in seen_by_others
    row = fresh(session).scalars(select(Absence)).one()
    assert (row.user_id, row.deputy_id) == (anna, bert)
    assert row.starts_at == datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
    assert row.ends_at == datetime(2026, 3, 12, 7, 0, tzinfo=UTC)
    again = hana.post(f"{PAGE}/absences", data=data)
    assert again.status_code == 422
    assert "Anna is away then already." in again.text
    clock.shift(timedelta(hours=3))
    assert "Away now" in hana.get(PAGE).text
    elsewhere = hana.post(f"/hq/dealers/{OTHER}/absences/end", data={"row": row.id})
    assert elsewhere.status_code == 404
    assert hana.post(f"{PAGE}/absences/end", data={"row": "x"}).status_code == 404
    hana.post(f"{PAGE}/absences/end", data={"row": row.id})
    assert fresh(session).scalars(select(Absence.ends_at)).one() == NOW + timedelta(hours=3)
    assert "Away now" not in hana.get(PAGE).text
    # One that has not begun is simply gone.
    hana.post(f"{PAGE}/absences", data={**data, "starts": "2026-03-11T12:00"})
    ahead = fresh(session).scalars(select(Absence.id).order_by(Absence.id.desc())).first()
    hana.post(f"{PAGE}/absences/end", data={"row": ahead})
    assert fresh(session).scalars(select(Absence.id)).all() == [row.id]


BAD_ABSENCES: list[tuple[dict[str, str], str, str]] = [
    ({"starts": ""}, "starts", "Enter a day and a time."),
    ({"ends": "later"}, "ends", "Enter a day and a time."),
    ({"ends": "2026-03-10T12:00"}, "ends", "The end is before the beginning."),
    ({"starts": "2026-03-01T09:00", "ends": "2026-03-10T09:59"}, "ends", "This time is over."),
    ({"ends": "2027-04-01T09:00"}, "ends", "An absence spans a year at most."),
    (
        {"starts": "2029-03-01T09:00", "ends": "2029-03-02T09:00"},
        "starts",
        "more than two years ahead",
    ),
    ({"person": "carla"}, "person", "Choose somebody of this dealer."),
    ({"person": "nobody"}, "person", "Choose somebody of this dealer."),
    ({"deputy": "carla"}, "deputy", "Choose somebody of this dealer."),
    ({"deputy": "nobody"}, "deputy", "Choose somebody of this dealer."),
    ({"deputy": "anna"}, "deputy", "Nobody stands in for themselves."),
    ({"reason": "x" * 301}, "reason", "This is too long."),
]


def test_an_absence_that_cant_be_kept_says_why(
    enter: Enter, session: Session, world: World
) -> None:
    hana = enter("hana")
    for change, field, words in BAD_ABSENCES:
        data = {**AWAY, "person": "anna", "deputy": "", "reason": "", **change}
        for name in ("person", "deputy"):
            data[name] = str(world.users.get(data[name], data[name]))
        answer = hana.post(f"{PAGE}/absences", data=data)
        assert answer.status_code == 422, words
        page = told(answer)
        assert words in page
        assert f'id="f-away-{field}-error"' in page
    assert fresh(session).scalars(select(func.count(Absence.id))).one() == 0


AWAY_TOO: list[tuple[list[tuple[int, int]], str]] = [
    ([(0, 24)], ""),
    ([(24, 36)], "for a part of this time"),
    ([(24, 36), (40, 60)], "for a part of this time"),
    ([(24, 36), (36, 60)], "the whole time"),
    ([(0, 72)], "the whole time"),
]
"""Hours from now in which the deputy is away; the colleague is from the 24th to the 48th."""


def test_a_deputy_who_is_away_too_is_warned_of(session: Session, world: World, hana: Actor) -> None:
    bert = world.users["bert"]
    for spans, warning in AWAY_TOO:
        session.execute(delete(Absence))
        for first, last in spans:
            begins, ends = NOW + timedelta(hours=first), NOW + timedelta(hours=last)
            session.add(Absence(user_id=bert, starts_at=begins, ends_at=ends))
        entered = absences.add_absence(
            session, world.dealers[WAW], user_id=world.users["anna"], deputy_id=bert,
            starts_at=TOMORROW, ends_at=TOMORROW + timedelta(days=1), at=NOW, actor=hana,
        )  # fmt: skip
        assert warning in entered.warning
        assert bool(entered.warning) is bool(warning), spans


MANAGERS = [
    ("bert", WAW, True),
    ("bert", OTHER, False),
    ("anna", WAW, False),
    ("hana", WAW, True),
    ("hana", RIYADH, False),
    ("cem", WAW, False),
    ("omar", RIYADH, True),
]


def test_managers_and_headquarters_enter_absences_of_their_own(
    session: Session, world: World, cast: dict[str, User]
) -> None:
    actors = {name: actor_of(user) for name, user in cast.items()}
    dora = create_user(
        session, "dora@lmt.example", "Dora", None, roles=["agent"],
        scopes=[Scope(dealer_id=world.dealers[code]) for code in (WAW, OTHER, RIYADH)],
    ).id  # fmt: skip
    session.commit()
    for who, code, may in MANAGERS:
        actor, dealer_id = actors[who], world.dealers[code]
        act_as(session, actor)
        span: dict[str, Any] = {"user_id": dora, "starts_at": NOW, "ends_at": TOMORROW}
        if may:
            row = absences.add_absence(session, dealer_id, **span, at=NOW, actor=actor).absence
            absences.end_absence(session, dealer_id, row.id, at=NOW, actor=actor)
        else:
            with pytest.raises(LookupError):
                absences.add_absence(session, dealer_id, **span, at=NOW, actor=actor)
            with pytest.raises(LookupError):
                absences.end_absence(session, dealer_id, 1, at=NOW, actor=actor)
    assert session.scalars(select(Absence)).all() == []


def test_an_account_that_was_closed_is_no_colleague(
    session: Session, world: World, hana: Actor
) -> None:
    session.execute(update(User).where(User.id == world.users["anna"]).values(active=False))
    session.commit()
    with pytest.raises(BadAbsence) as bad:
        absences.add_absence(
            session, world.dealers[WAW], user_id=world.users["anna"], starts_at=NOW,
            ends_at=TOMORROW, at=NOW, actor=hana,
        )  # fmt: skip
    assert bad.value.field == "person"
    assert session.scalars(select(Dealer.id).where(Dealer.code == WAW)).one()
