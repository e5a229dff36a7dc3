"""What a dealer's manager sets and sees: hours, days that differ, a pause, people, own figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lmt import dealerdesk, dealers, pipeline
from lmt.calendars import dealer_calendar
from lmt.db import SessionFactory, uuid7
from lmt.dealerchanges import mark_of
from lmt.models import (
    Absence,
    Closure,
    Dealer,
    DealerGroup,
    DealerTerms,
    Lead,
    Offer,
    SettingChange,
    SpecialHours,
    User,
    UserScope,
)
from lmt.reports.owncomparison import standing
from lmt.reports.ownfigures import market_middle
from lmt.reports.refresh import refresh
from lmt.scope import SYSTEM, act_as, actor_of
from lmt.workhours import is_open
from tests.world import World, somebody

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
"""Tuesday 10:00 in Warsaw: its dealers are open."""
WAW, OTHER = "PL-WAW-1", "PL-WAW-2"
HOURS = "Mo-Fr 09:00-13:00,14:00-18:00; Sa 09:00-14:00; PH off"

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


def fresh(session: Session) -> Session:
    session.rollback()
    act_as(session, SYSTEM)
    session.expire_all()
    return session


def terms_rows(session: Session, world: World, code: str = WAW) -> list[DealerTerms]:
    return list(
        fresh(session).scalars(
            select(DealerTerms)
            .where(DealerTerms.dealer_id == world.dealers[code], ~func.isempty(DealerTerms.valid))
            .order_by(func.lower(DealerTerms.valid).nulls_first())
        )
    )


def terms_in_force(session: Session, world: World, at: datetime = NOW) -> DealerTerms:
    return next(row for row in terms_rows(session, world) if at in row.valid)


def seen(session: Session, world: World) -> dict[str, str]:
    return {"seen": mark_of(terms_in_force(session, world))}


def told(answer: Any) -> str:
    """The page's text; the narrow blank before AM and PM is one like any other."""
    return unescape(answer.text).replace("\u202f", " ")


def week(opens: str, closes: str) -> dict[str, str]:
    """What a browser sends of the editor: these hours from Monday to Friday."""
    form = {"week": "days", "ph": "closed", "hours": HOURS, "hours-was": HOURS}
    for key in ("mo", "tu", "we", "th", "fr"):
        form |= {f"{key}-opens-0": opens, f"{key}-closes-0": closes}
    return {**form, "sa-closed": "yes", "su-closed": "yes"}


def changes_of(session: Session, kind: str = "dealer") -> list[tuple[Any, ...]]:
    rows = fresh(session).scalars(
        select(SettingChange).where(SettingChange.kind == kind).order_by(SettingChange.id)
    )
    return [(row.subject, row.user_id, row.before, row.after) for row in rows]


# Who may


def test_only_managers_of_the_dealer_enter(enter: Enter) -> None:
    for page in ("hours", "team", "figures"):
        assert enter("bert").get(f"/desk/{page}").status_code == 200
        assert enter("bert").get(f"/desk/{page}?dealer={WAW}").status_code == 200
        assert enter("bert").get(f"/desk/{page}?dealer={OTHER}").status_code == 404
        for name in ("anna", "carla", "hana", "cem"):
            assert enter(name).get(f"/desk/{page}?dealer={WAW}").status_code == 403


def test_nobody_changes_another_dealer(
    enter: Enter, session: Session, world: World, cast: dict[str, User]
) -> None:
    bert = enter("bert")
    for path, data in (
        ("hours", {**week("10:00", "16:00"), "do": "save"}),
        ("hours/closures", {"first": "2026-03-20"}),
        ("hours/closures/end", {"row": "1"}),
        ("hours/special", {"first": "2026-03-20", "opens-0": "10:00", "closes-0": "12:00"}),
        ("hours/special/end", {"row": "1"}),
        ("hours/pause", {"do": "pause"}),
        ("hours/caps", {"day_cap": "1"}),
        ("team/assignment", {"assign_to": "colleague"}),
        (f"team/{world.users['carla']}", {"skills": "sales"}),
        (f"team/{world.users['carla']}/hand-over", {}),
    ):
        assert bert.post(f"/desk/{path}", data={**data, "dealer": OTHER}).status_code == 404, path
    # Carla is nobody of Bert's own dealer either.
    for path in ("", "/absences", "/hand-over"):
        data = {"first": "2026-03-20", "last": "2026-03-21"}
        address = f"/desk/team/{world.users['carla']}{path}"
        assert bert.post(address, data=data).status_code == 404, path
    assert len(terms_rows(session, world, OTHER)) == 1
    assert changes_of(session) == changes_of(session, "user") == []


def test_a_groups_manager_chooses_the_dealer(enter: Enter, session: Session, world: World) -> None:
    group = DealerGroup(code="north", name="North")
    session.add(group)
    session.flush()
    for code in (WAW, OTHER):
        session.get_one(Dealer, world.dealers[code]).group_id = group.id
    scope = session.scalars(select(UserScope).where(UserScope.user_id == world.users["bert"])).one()
    scope.dealer_id, scope.group_id = None, group.id
    session.commit()
    bert = enter("bert")
    page = told(bert.get("/desk/hours"))
    assert "Aurel Centrum (PL-WAW-1)" in page
    assert "Aurel Wola (PL-WAW-2)" in page
    saved = bert.post("/desk/hours/caps", data={"dealer": OTHER, "day_cap": "3", "seen": mark_of(
        terms_rows(session, world, OTHER)[-1])})  # fmt: skip
    assert saved.headers["Location"].startswith(f"/desk/hours?dealer={OTHER}")
    assert terms_rows(session, world, OTHER)[-1].day_cap == 3
    assert terms_rows(session, world, WAW)[-1].day_cap is None


# Hours


def test_hours_are_looked_at_and_then_saved(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead(at=NOW)
    until = fresh(session).scalars(select(Offer.expires_at).where(Offer.lead_id == lead.id)).one()
    bert = enter("bert")
    page = told(bert.get("/desk/hours"))
    assert 'name="mo-opens-1" value="14:00"' in page
    assert "Easter Monday" in page
    assert "Friday, opens" in page
    preview = told(bert.post("/desk/hours", data={**week("12:00", "16:00"), "do": "preview"}))
    assert "This is how it would be" in preview
    assert "12:00 PM" in preview
    assert "instead of" in preview
    assert lead.reference in preview
    assert "Its time stays as it is" in preview
    assert len(terms_rows(session, world)) == 1
    bert.post("/desk/hours", data={
        **seen(session, world), "do": "save", "hours": "Mo-Fr 12:00-16:00; PH off"})  # fmt: skip
    assert terms_in_force(session, world).hours == "Mo-Fr 12:00-16:00; PH off"
    # What the dealer itself changes gives it no more time.
    assert fresh(session).get_one(Lead, lead.id).status == "offered"
    assert session.scalars(select(Offer.expires_at).where(Offer.lead_id == lead.id)).one() == until
    assert changes_of(session) == [
        (WAW, world.users["bert"], {"hours": HOURS}, {"hours": "Mo-Fr 12:00-16:00; PH off"})
    ]


def test_closing_and_other_hours_extend_no_running_offer_of_ones_own(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead],
) -> None:  # fmt: skip
    lead = offered_lead(at=NOW)
    asked = select(Offer.expires_at).where(Offer.lead_id == lead.id)
    until = fresh(session).scalars(asked).one()
    bert = enter("bert")
    bert.post("/desk/hours/closures", data={"first": "2026-03-10", "last": "2026-03-12"})
    bert.post("/desk/hours/special", data={
        "first": "2026-03-13", "opens-0": "10:00", "closes-0": "11:00"})  # fmt: skip
    assert fresh(session).scalars(asked).one() == until
    calendar = dealer_calendar(session, world.dealers[WAW], NOW)
    assert not is_open(calendar, NOW)
    enter("hana").post(f"/hq/dealers/{WAW}/closures", data={
        "first": "2026-03-13", "last": "2026-03-13"})  # fmt: skip
    assert fresh(session).scalars(asked).one() > until


def test_hours_that_make_no_week_are_told_at_their_day(
    enter: Enter, session: Session, world: World
) -> None:
    bert = enter("bert")
    bad = bert.post("/desk/hours", data={**week("09:00", "18:00"), "tu-opens-0": ""})
    assert bad.status_code == 422
    assert 'id="w-tu-error"' in bad.text
    assert 'aria-describedby="w-tu-error"' in bad.text
    assert 'value="18:00"' in bad.text
    text = bert.post("/desk/hours", data={**week("09:00", "18:00"), "hours": "when we like"})
    assert text.status_code == 422
    assert 'id="f-hours-error"' in text.text
    more = bert.post("/desk/hours", data={**week("09:00", "18:00"), "week-redraw": "add-tu"})
    assert more.status_code == 200
    assert 'name="tu-opens-1"' in more.text
    assert 'name="we-opens-1"' not in more.text
    assert len(terms_rows(session, world)) == 1


def test_hours_too_rich_for_a_week_stay_text(enter: Enter, session: Session, world: World) -> None:
    rich = "Apr-Sep Mo-Fr 08:00-20:00; Oct-Mar Mo-Fr 09:00-17:00"
    session.execute(update(DealerTerms).values(hours=rich))
    session.commit()
    page = told(enter("bert").get("/desk/hours"))
    assert "say more than a week can show" in page
    assert rich in page
    assert 'name="mo-opens-0"' not in page
    shown = enter("bert").post("/desk/hours", data={"hours": "Mo 10:00-12:00", "hours-was": rich})
    assert "This is how it would be" in shown.text


def test_a_week_begins_where_the_reader_begins_it(enter: Enter, session: Session) -> None:
    def first_day() -> str:
        page = enter("bert").get("/desk/hours").text
        return page.split('data-week-day="')[1][:2]

    assert first_day() == "mo"
    session.execute(update(User).values(week_start=6))
    session.commit()
    assert first_day() == "su"


def test_days_that_differ_come_and_go(enter: Enter, session: Session, world: World) -> None:
    bert = enter("bert")
    page = told(bert.post("/desk/hours/closures", data={
        "first": "2026-03-20", "reason": "Inventory <all>"}, follow_redirects=True))  # fmt: skip
    assert "Inventory <all>" in page
    closure = fresh(session).scalars(select(Closure)).one()
    assert (closure.starts_on, closure.ends_on) == (date(2026, 3, 20), date(2026, 3, 20))
    page = told(bert.post("/desk/hours/special", data={
        "first": "2026-03-22", "last": "2026-03-22", "name": "Open Sunday", "opens-0": "10:00",
        "closes-0": "12:00", "opens-1": "13:00", "closes-1": "00:00"},
        follow_redirects=True))  # fmt: skip
    assert "Open Sunday" in page
    special = fresh(session).scalars(select(SpecialHours)).one()
    assert special.hours == "10:00-12:00,13:00-24:00"
    sunday = datetime(2026, 3, 22, 10, 0, tzinfo=UTC)
    assert is_open(dealer_calendar(session, world.dealers[WAW], NOW), sunday)
    bert.post("/desk/hours/closures/end", data={"row": closure.id})
    bert.post("/desk/hours/special/end", data={"row": special.id})
    assert not is_open(dealer_calendar(fresh(session), world.dealers[WAW], NOW), sunday)
    assert [len(row) for row in changes_of(session)] == [4] * 4
    assert bert.post("/desk/hours/closures/end", data={"row": "99"}).status_code == 404


BAD_DAYS: list[tuple[str, dict[str, str], str]] = [
    ("closures", {"first": ""}, "Enter a date."),
    ("closures", {"first": "2026-03-21", "last": "2026-03-20"}, "before the first"),
    ("closures", {"first": "2026-03-01"}, "These days are over."),
    ("closures", {"first": "2026-03-20", "last": "2027-04-01"}, "a year at most"),
    ("special", {"first": "2026-03-20"}, "when you open and close"),
    ("special", {"first": "", "opens-0": "10:00", "closes-0": "12:00"}, "Enter a date."),
    ("special", {"first": "2026-03-01", "opens-0": "10:00", "closes-0": "12:00"}, "are over"),
    ("special", {"first": "2026-03-20", "opens-0": "10:00"}, "when you open and close"),
    ("pause", {"do": "pause", "until": "2026-03-10"}, "This time is over."),
    ("pause", {"do": "pause", "until": "soon"}, "Enter a date."),
    ("caps", {"day_cap": "many"}, "Enter a whole number"),
    ("caps", {"day_cap": "9", "month_cap": "3"}, "never be reached"),
]


def test_what_cant_be_kept_is_said_beside_the_field(
    enter: Enter, session: Session, world: World
) -> None:
    bert, mark = enter("bert"), seen(session, world)
    for form, data, words in BAD_DAYS:
        answer = bert.post(f"/desk/hours/{form}", data={**mark, **data})
        assert answer.status_code == 422, data
        assert words in told(answer), data
    assert changes_of(session) == []


# Pause and caps


def test_a_pause_ends_by_itself_and_says_so_loudly(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead],
    clock: time_machine.Traveller,
) -> None:  # fmt: skip
    bert = enter("bert")
    page = told(bert.post("/desk/hours/pause", data={
        "do": "pause", "until": "2026-03-12"}, follow_redirects=True))  # fmt: skip
    assert "Paused: you get no new leads." in page
    assert "They come again from Thursday, March 12, 12:00 AM on." in page
    lead = offered_lead(at=NOW, **somebody())
    assert lead.dealer_id != world.dealers[WAW]
    back = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
    lead = offered_lead(at=back, **somebody())
    assert lead.dealer_id == world.dealers[WAW]
    clock.move_to(back)
    assert "Paused" not in told(bert.get("/desk/hours")).split("<h2")[0]
    assert changes_of(session)[0][2:] == (
        {"paused": False}, {"paused": "2026-03-11T23:00:00+00:00"}
    )  # fmt: skip


def test_what_changes_during_a_pause_holds_after_it(
    enter: Enter, session: Session, world: World, cast: dict[str, User]
) -> None:
    bert = enter("bert")
    bert.post("/desk/hours/pause", data={"do": "pause", "until": "2026-03-12"})
    bert.post("/desk/hours/pause", data={"do": "pause", "until": "2026-03-20"})
    bert.post("/desk/hours/caps", data={**seen(session, world), "day_cap": "4"})
    rows = terms_rows(session, world)
    assert [(row.paused, row.day_cap) for row in rows[-2:]] == [(True, 4), (False, 4)]
    assert rows[-1].valid.lower == datetime(2026, 3, 19, 23, 0, tzinfo=UTC)
    bert.post("/desk/hours/pause", data={"do": "resume"})
    row = terms_rows(session, world)[-1]
    assert (row.paused, row.day_cap, row.valid.upper) == (False, 4, None)
    bert.post("/desk/hours/pause", data={"do": "pause"})
    assert "Until further notice" in bert.get("/desk/hours").text
    # Headquarters ends it for good.
    terms = terms_in_force(session, world)
    act_as(session, hana := actor_of(cast["hana"]))
    values = dealers.Terms(
        hours=HOURS, email=terms.email, day_cap=None, month_cap=None, open_cap=None, weight=1,
        paused=False, assign_to="team",
    )  # fmt: skip
    dealers.edit_terms(session, WAW, values, seen=mark_of(terms), at=NOW, actor=hana)
    assert not terms_in_force(session, world).paused


def test_a_manager_sets_only_what_is_the_dealers_own(
    session: Session, world: World, cast: dict[str, User]
) -> None:
    bert = actor_of(cast["bert"])
    mark = seen(session, world)["seen"]
    act_as(session, bert)
    with pytest.raises(ValueError, match="own"):
        dealerdesk.set_own(session, WAW, {"weight": 9.0}, seen=mark, at=NOW, actor=bert)


def test_two_managers_dont_overwrite_each_other(
    enter: Enter, session: Session, world: World
) -> None:
    mark = seen(session, world)
    bert = enter("bert")
    bert.post("/desk/hours/caps", data={**mark, "day_cap": "4"})
    late = bert.post("/desk/hours/caps", data={**mark, "day_cap": "5"}, follow_redirects=True)
    assert "Somebody changed this dealer meanwhile." in late.text
    assert terms_in_force(session, world).day_cap == 4


# Team


def test_the_team_shows_who_has_how_much(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead],
    cast: dict[str, User], count_queries: list[str],
) -> None:  # fmt: skip
    bert = enter("bert")
    bert.get("/desk/team")
    count_queries.clear()
    bert.get("/desk/team")
    few = len(count_queries)
    anna = actor_of(cast["anna"])
    for _number in range(2):
        lead_id = offered_lead(at=NOW, **somebody()).id
        act_as(session, anna)
        plan = pipeline.PlanInput("call", NOW + timedelta(hours=2), "")
        pipeline.accept(session, lead_id, plan=plan, at=NOW, actor=anna)
        act_as(session, SYSTEM)
    offered_lead(at=NOW, **somebody())
    count_queries.clear()
    page = bert.get("/desk/team").text
    assert len(count_queries) == few
    anna_id = world.users["anna"]
    row = page.split(f"/desk/team/{anna_id}?")[1].split("</tr>")[0]
    assert f"/desk/?tab=all&amp;who={anna_id}" in row
    assert ">2</a>" in row
    assert 'data-label="Planned today">2<' in row
    assert "who=none" in page


def test_an_absent_persons_leads_go_to_a_colleague(
    enter: Enter, session: Session, world: World, offered_lead: Callable[..., Lead],
    cast: dict[str, User],
) -> None:  # fmt: skip
    bert, own = enter("bert"), f"/desk/team/{world.users['anna']}"
    anna = actor_of(cast["anna"])
    lead_id = offered_lead(at=NOW).id
    act_as(session, anna)
    pipeline.accept(session, lead_id, plan=None, at=NOW, actor=anna)
    act_as(session, SYSTEM)
    entered = bert.post(f"{own}/absences", data={
        "first": "2026-03-10", "last": "2026-03-12", "deputy": str(world.users["bert"])},
        follow_redirects=True)  # fmt: skip
    assert "Away now" in entered.text
    absence = fresh(session).scalars(select(Absence)).one()
    assert absence.starts_at == datetime(2026, 3, 9, 23, 0, tzinfo=UTC)
    assert absence.ends_at == datetime(2026, 3, 12, 23, 0, tzinfo=UTC)
    assert "Bert stands in" in bert.get("/desk/team").text
    handed = bert.post(f"{own}/hand-over", data={"to": str(world.users["bert"])},
                       follow_redirects=True)  # fmt: skip
    assert "1 lead was handed over." in handed.text
    assert fresh(session).get_one(Lead, lead_id).owner_id == world.users["bert"]
    bert.post(f"{own}/absences/end", data={"row": absence.id})
    assert "Away now" not in bert.get(own).text
    bad = bert.post(f"{own}/absences", data={"first": "2026-03-12", "last": "2026-03-11"})
    assert bad.status_code == 422
    assert "The end is before the beginning." in bad.text


def test_skills_languages_and_the_way_leads_are_given(
    enter: Enter, session: Session, world: World
) -> None:
    bert, own = enter("bert"), f"/desk/team/{world.users['anna']}"
    saved = bert.post(own, data={"skills": ["used", "magic"], "languages": ["pl", "en", "xx"]})
    assert saved.status_code == 302
    anna = fresh(session).get_one(User, world.users["anna"])
    assert (anna.skills, anna.languages) == (["used"], ["en", "pl"])
    assert changes_of(session, "user")[0][1:] == (
        world.users["bert"],
        {"skills": [], "languages": []},
        {"skills": ["used"], "languages": ["en", "pl"]},
    )
    data = {**seen(session, world), "assign_to": "colleague"}
    bert.post("/desk/team/assignment", data=data)
    assert terms_in_force(session, world).assign_to == "colleague"
    odd = bert.post("/desk/team/assignment", data={
        **seen(session, world), "assign_to": "me"}, follow_redirects=True)  # fmt: skip
    assert "Choose one of these." in odd.text


# Own figures


DAYS = (date(2026, 2, 9), date(2026, 3, 10))


def add_leads(session: Session, world: World, dealer_id: int, states: str) -> None:
    """Leads of a fortnight ago: `w` sold, `a` contacted after half an hour, `d` declined, `e`
    expired, each offered to the dealer when it arrived."""
    for state in states:
        at = NOW - timedelta(days=14)
        held = state in "wa"
        lead = Lead(
            reference=uuid7().hex[-12:], market_id=world.markets["PL"], created_at=at,
            source_id=world.sources["api-pl"], customer_id=1, status={"w": "won", "a": "contacted"}
            .get(state, "unrouted"), dealer_id=dealer_id if held else None,
            contacted_at=at + timedelta(minutes=30) if held else None,
        )  # fmt: skip
        session.add(lead)
        session.flush()
        session.add(
            Offer(
                lead_id=lead.id, dealer_id=dealer_id, offered_at=at, expires_at=at,
                state="accepted" if held else {"d": "declined", "e": "expired"}[state],
            )
        )  # fmt: skip
    session.commit()


def rivals(session: Session, world: World, number: int, states: str) -> None:
    for position in range(number):
        dealer = Dealer(code=f"PL-R-{position}", market_id=world.markets["PL"], kind="showroom")
        session.add(dealer)
        session.flush()
        add_leads(session, world, dealer.id, states)


def test_own_figures_stand_beside_the_markets_middle(
    enter: Enter, sessions: SessionFactory, session: Session, world: World,
    offered_lead: Callable[..., Lead], cast: dict[str, User], clock: time_machine.Traveller,
) -> None:  # fmt: skip
    offered_lead(at=NOW - timedelta(days=60))  # the customer of all the others
    add_leads(session, world, world.dealers[WAW], "wwaade" * 2)
    rivals(session, world, 3, "waadd" * 2)
    refresh(sessions, NOW)
    act_as(session, actor_of(cast["bert"]))
    few = market_middle(session, world.markets["PL"], *DAYS)
    assert (few.dealers, few.is_told, few.value("acceptance")) == (4, False, None)
    bert = enter("bert")
    assert "The market's middle isn't shown" in told(bert.get("/desk/figures"))
    act_as(session, SYSTEM)
    rival = Dealer(code="PL-R-9", market_id=world.markets["PL"], kind="showroom")
    session.add(rival)
    session.flush()
    add_leads(session, world, rival.id, "wddddddddd")
    refresh(sessions, NOW)
    act_as(session, actor_of(cast["bert"]))
    # Asked once an hour.
    assert "The market's middle isn't shown" in told(bert.get("/desk/figures"))
    clock.shift(timedelta(hours=1))
    middle = market_middle(session, world.markets["PL"], *DAYS)
    assert (middle.dealers, middle.is_told) == (5, True)
    assert middle.value("acceptance") == pytest.approx(0.6)
    assert middle.value("conversion") == pytest.approx(1 / 3)
    # Nobody answered yet: of fewer dealers than it takes nothing is told.
    assert middle.value("score") is None
    page = told(bert.get("/desk/figures"))
    assert "Market's middle: 60" in page
    assert "66.7" in page
    assert "median of 5 dealers with 10 leads or more" in page
    assert "PL-R-" not in page


def test_each_number_of_the_own_figures_leads_to_its_leads(
    enter: Enter, sessions: SessionFactory, session: Session, world: World,
    offered_lead: Callable[..., Lead],
) -> None:  # fmt: skip
    offered_lead(at=NOW - timedelta(days=60))
    add_leads(session, world, world.dealers[WAW], "wddee")
    refresh(sessions, NOW)
    bert = enter("bert")
    page = told(bert.get("/desk/figures"))
    links = re.findall(r'href="(/reports/leads[^"]*figure=(\w+))"', page)
    figures = {figure: bert.get(link).text for link, figure in links}
    assert {"leads", "offers", "decline", "timeout", "contacted", "sold"} <= set(figures)
    for state, figure in (("declined", "decline"), ("expired", "timeout")):
        references = fresh(session).scalars(
            select(Lead.reference).join(Offer).where(Offer.state == state)
        )
        assert all(reference in figures[figure] for reference in references)


def test_better_is_told_by_what_is_better() -> None:
    share, minutes = "conversion", "response"
    assert standing(share, 0.6, 0.5) == standing(minutes, 30, 60) == "better"
    assert standing(share, 0.4, 0.5) == standing(minutes, 90, 60) == "worse"
    assert standing(share, 0.5, 0.5) == standing(share, None, 0.5) == standing(share, 1, None) == ""
