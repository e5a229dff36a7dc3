"""The dealer's desk: what a salesperson sees and does, with forms that need no script."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.desk import forms, queries
from lmt.desk.reach import whatsapp
from lmt.desk.why import why
from lmt.i18n import reading
from lmt.models import Contest, Lead, Offer, Outcome, PlannedAction, User
from lmt.templating import deadline, timer_state
from tests.world import FRIDAY, World

Login = Callable[[FlaskClient, User], FlaskClient]
MakeLead = Callable[..., Lead]

NINE = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)
"""9:05 in Warsaw: the dealer is open, its offer runs until 9:30."""


@pytest.fixture(autouse=True)
def morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def anna(client: FlaskClient, cast: dict[str, User], login: Login) -> FlaskClient:
    return login(client, cast["anna"])


@pytest.fixture
def carla(app: Flask, cast: dict[str, User], login: Login) -> FlaskClient:
    return login(app.test_client(), cast["carla"])


def post(client: FlaskClient, lead: Lead, verb: str, **data: str) -> str:
    """What the page says after a form was sent."""
    answer = client.post(f"/desk/leads/{lead.id}/{verb}", data=data, follow_redirects=True)
    return answer.text


def begin_clock(session: Session, lead: Lead) -> Offer:
    """As when the mail that tells of the offer was accepted at once."""
    offer = session.scalars(select(Offer).where(Offer.lead_id == lead.id)).one()
    offer.clock_at = offer.offered_at
    session.commit()
    return offer


def notices(page: str) -> str:
    found = re.findall(r'<div class="notice.*?</div>|<div class="invalid-.*?</div>', page, re.S)
    return " ".join(re.sub(r"<[^>]+>|\s+", " ", each).strip() for each in found)


def names(page: str) -> list[str]:
    return re.findall(r'<td class="who"><a [^>]*><bdi>(.*?)</bdi>', page)


def test_a_new_lead_lies_in_the_inbox_with_its_clock(
    anna: FlaskClient, offered_lead: MakeLead
) -> None:
    offered_lead()
    page = anna.get("/desk/").text
    assert names(page) == ["Jan Kowal"]
    for words in ("Test drive", "Mira", "api-pl", "Hot", "25 minutes left", "9:30"):
        assert words in page


def test_logging_in_leads_a_dealer_to_the_desk(anna: FlaskClient) -> None:
    page = anna.get("/", follow_redirects=True)
    assert page.request.path == "/desk/"
    assert "No new leads" in page.text


def test_another_dealer_never_meets_the_lead(
    app: Flask,
    carla: FlaskClient,
    anna: FlaskClient,
    session: Session,
    offered_lead: MakeLead,
) -> None:
    lead = offered_lead()
    post(anna, lead, "accept", kind="call", due_at="2026-03-06T10:20")
    plan_id = session.scalars(select(PlannedAction.id)).one()
    for tab in queries.TABS:
        assert names(carla.get(f"/desk/?tab={tab}").text) == []
    assert names(carla.get("/desk/?q=Kowal").text) == []
    routes = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("desk.")]
    tried = 0
    for rule in routes:
        if not rule.arguments:
            continue
        address = rule.rule.replace("<uuid:lead_id>", str(lead.id))
        address = address.replace("<int:plan_id>", str(plan_id))
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        given = {"reason": "other", "how": "phone", "result": "reached", "note": "x"}
        step = {"kind": "call", "due_at": "2026-03-06T10:20"}
        answer = carla.open(address, method=method, data={**given, **step})
        assert answer.status_code == 404, rule.rule
        assert "Kowal" not in answer.text
        tried += 1
    assert tried >= 11
    session.expire_all()
    assert lead.status == "accepted"


def test_headquarters_has_no_desk(client: FlaskClient, cast: dict[str, User], login: Login) -> None:
    login(client, cast["hana"])
    assert client.get("/desk/").status_code == 403


def test_the_inbox_asks_as_much_for_thirty_leads_as_for_three(
    anna: FlaskClient, offered_lead: MakeLead, count_queries: list[str]
) -> None:
    def asked(leads: int) -> dict[str, int]:
        for number in range(leads):
            offered_lead(phone=f"+48 512 345 {number:03}", email=f"c{number}{leads}@example.com")
        counts = {}
        for tab in ("new", "all"):
            count_queries.clear()
            page = anna.get(f"/desk/?tab={tab}")
            counts[tab] = len([s for s in count_queries if s.startswith("SELECT")])
            assert len(names(page.text)) >= leads
        return counts

    few = asked(3)
    assert asked(27) == few
    assert max(few.values()) <= 13


def test_a_lead_page_tells_who_what_and_why(
    anna: FlaskClient, offered_lead: MakeLead, session: Session
) -> None:
    lead = offered_lead()
    page = anna.get(f"/desk/leads/{lead.id}").text
    for words in (
        'href="tel:+48512345678"',
        'href="https://wa.me/48512345678"',
        'href="mailto:jan@example.com"',
        "Cześć",
        lead.reference,
        "The closest eligible dealer",
        "Place 1 of 2 dealers",
        "Dealer A (",
        "You will be in touch by",
        "Received",
    ):
        assert words in page
    for secret in ("PL-WAW-2", "Aurel Wola", "Carla"):
        assert secret not in page


def test_accepting_makes_the_lead_mine_with_the_next_step(
    anna: FlaskClient, offered_lead: MakeLead, session: Session, cast: dict[str, User]
) -> None:
    lead = offered_lead()
    page = post(anna, lead, "accept", kind="call", due_at="2026-03-06T10:20", note="ask for Jan")
    assert "The lead is yours" in notices(page)
    session.refresh(lead)
    assert (lead.status, lead.owner_id) == ("accepted", cast["anna"].id)
    step = session.scalars(select(PlannedAction)).one()
    # What was typed is the time on the dealer's wall.
    assert step.due_at == datetime(2026, 3, 6, 9, 20, tzinfo=UTC)
    assert "ask for Jan" in page
    assert names(anna.get("/desk/?tab=mine").text) == ["Jan Kowal"]
    assert names(anna.get("/desk/?tab=due").text) == ["Jan Kowal"]
    assert names(anna.get("/desk/?tab=new").text) == []


def test_too_late_is_said_in_words(
    anna: FlaskClient,
    offered_lead: MakeLead,
    session: Session,
    morning: time_machine.Traveller,
) -> None:
    lead = offered_lead()
    begin_clock(session, lead)
    morning.move_to(NINE + timedelta(minutes=30))
    assert "goes to another dealer" in notices(post(anna, lead, "accept"))
    session.refresh(lead)
    assert lead.status == "offered"


def test_a_colleague_who_was_quicker_is_said_in_words(
    app: Flask, anna: FlaskClient, cast: dict[str, User], login: Login, offered_lead: MakeLead
) -> None:
    lead = offered_lead()
    bert = login(app.test_client(), cast["bert"])
    post(bert, lead, "accept")
    assert "A colleague has answered" in notices(post(anna, lead, "accept"))


def test_declining_sends_it_on(
    anna: FlaskClient, carla: FlaskClient, offered_lead: MakeLead, session: Session
) -> None:
    lead = offered_lead()
    page = post(anna, lead, "decline", reason="no_capacity")
    assert "goes to another dealer" in notices(page)
    assert names(page) == []
    assert names(carla.get("/desk/").text) == ["Jan Kowal"]
    assert "no longer with you" in anna.get(f"/desk/leads/{lead.id}").text
    assert "no longer with you" in post(anna, lead, "accept")


def test_a_lead_from_acceptance_to_sale_and_back(
    anna: FlaskClient, offered_lead: MakeLead, session: Session
) -> None:
    lead = offered_lead()
    post(anna, lead, "accept")
    page = post(anna, lead, "contacted", how="phone", result="reached", note="Tuesday <b>")
    assert "Tuesday &lt;b&gt;" in page
    post(anna, lead, "plan", kind="test_drive", due_at="2026-03-10T17:00")
    post(anna, lead, "note", note="brings the old car")
    page = post(anna, lead, "won", model="Mira", order_number="A-7", value="132.500,50")
    assert "Congratulations" in notices(page)
    sale = session.scalars(select(Outcome)).one()
    assert (sale.kind, sale.value, sale.currency) == ("won", Decimal("132500.50"), "PLN")
    assert names(anna.get("/desk/?tab=closed").text) == ["Jan Kowal"]
    assert "can&#39;t be done any more" in notices(post(anna, lead, "lost", reason="price"))
    assert "open again" in notices(post(anna, lead, "reopen"))
    page = post(anna, lead, "lost", reason="price")
    assert "Closed as lost" in notices(page)
    for words in ("Test drive", "brings the old car", "Reopened", "Sold", "Price"):
        assert words in page


@pytest.mark.parametrize(
    ("verb", "given", "told"),
    [
        ("decline", {}, "choose a reason"),
        ("decline", {"reason": "bribe"}, "choose a reason"),
        ("accept", {"kind": "call"}, "day and a time"),
        ("accept", {"due_at": "2026-03-06T10:20"}, "choose what to do"),
        ("accept", {"kind": "call", "due_at": "2026-03-06T09:00"}, "has passed"),
        ("accept", {"kind": "call", "due_at": "9999-12-31T23:59"}, "too far"),
        ("plan", {"kind": "call", "due_at": "tomorrow"}, "day and a time"),
        ("contacted", {"how": "phone"}, "what came of it"),
        ("note", {"note": " "}, "write something"),
        ("note", {"note": "x" * 5000}, "too long"),
        ("lost", {"reason": ""}, "choose a reason"),
        ("won", {"value": "a lot"}, "enter an amount"),
    ],
)
def test_what_is_missing_is_said_beside_the_field(
    anna: FlaskClient,
    offered_lead: MakeLead,
    session: Session,
    verb: str,
    given: dict[str, str],
    told: str,
) -> None:
    lead = offered_lead()
    if verb not in {"accept", "decline"}:
        post(anna, lead, "accept")
    session.refresh(lead)
    before = lead.status
    answer = anna.post(f"/desk/leads/{lead.id}/{verb}", data=given)
    assert answer.status_code == 422
    assert told in notices(answer.text)
    assert 'aria-invalid="true"' in answer.text
    session.refresh(lead)
    assert lead.status == before


def test_a_planned_step_goes_into_a_calendar(
    anna: FlaskClient, offered_lead: MakeLead, session: Session
) -> None:
    lead = offered_lead()
    post(anna, lead, "accept", kind="test_drive", due_at="2026-03-29T10:00", note="the red one")
    step = session.scalars(select(PlannedAction)).one()
    answer = anna.get(f"/desk/plans/{step.id}.ics")
    assert answer.mimetype == "text/calendar"
    entry = Calendar.from_ical(answer.text).walk("VEVENT")[0]
    # The first day of summer time: ten on the wall is eight in UTC.
    assert entry.decoded("dtstart").astimezone(UTC) == datetime(2026, 3, 29, 8, tzinfo=UTC)
    assert "Jan Kowal" in str(entry["summary"])
    anna.post(f"/desk/plans/{step.id}/done")
    session.refresh(step)
    assert step.done_at == NINE


@pytest.mark.parametrize(
    ("days", "tab"), [(0, "due"), (1, "overdue"), (-1, "")], ids=["today", "later", "not yet"]
)
def test_a_planned_step_is_listed_on_its_day(
    anna: FlaskClient,
    offered_lead: MakeLead,
    session: Session,
    morning: time_machine.Traveller,
    days: int,
    tab: str,
) -> None:
    lead = offered_lead()
    day = NINE.date() + timedelta(days=max(-days, 0))
    post(anna, lead, "accept", kind="visit", due_at=f"{day}T17:00")
    post(anna, lead, "contacted", how="phone", result="reached")
    morning.move_to(NINE + timedelta(days=max(days, 0)))
    for name in ("due", "overdue"):
        assert names(anna.get(f"/desk/?tab={name}").text) == (["Jan Kowal"] if name == tab else [])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("kow", True),
        ("jan mir", True),
        ("512 345 678", True),
        ("+48 512 345", True),
        ("0512345678", True),
        ("٥١٢٣٤٥٦٧٨", True),
        ("JAN@", True),
        ("owal", False),
        ("kow wola", False),
        ("512 345 679", False),
    ],
)
def test_search_finds_a_lead(
    anna: FlaskClient, offered_lead: MakeLead, words: str, found: bool
) -> None:
    offered_lead()
    page = anna.get("/desk/", query_string={"q": words}).text
    assert names(page) == (["Jan Kowal"] if found else [])


@pytest.mark.parametrize("tab", ["new", "all"])
def test_pages_show_every_lead_once(
    anna: FlaskClient, offered_lead: MakeLead, monkeypatch: pytest.MonkeyPatch, tab: str
) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 2)
    made = {f"Person {n}" for n in range(5)}
    for name in sorted(made):
        offered_lead(full_name=name, phone="", email=f"{name[-1]}@example.com")
    seen: list[str] = []
    address: str | None = f"/desk/?tab={tab}"
    while address:
        page = anna.get(address).text
        seen += names(page)
        further = re.search(r'href="([^"]+)" rel="next"', page)
        address = further[1].replace("&amp;", "&") if further else None
    assert sorted(seen) == sorted(made)


def test_the_list_refreshes_alone(anna: FlaskClient, app: Flask, offered_lead: MakeLead) -> None:
    offered_lead()
    part = anna.get("/desk/?tab=new", headers={"HX-Request": "true"})
    assert names(part.text) == ["Jan Kowal"]
    assert "<html" not in part.text
    assert 'hx-get="/desk/?tab=new"' in part.text
    stranger = app.test_client().get("/desk/", headers={"HX-Request": "true"})
    assert (stranger.status_code, stranger.headers["HX-Redirect"]) == (401, "/login")


def test_pages_carry_no_inline_script_or_style(anna: FlaskClient, offered_lead: MakeLead) -> None:
    lead = offered_lead()
    for address in ("/desk/", f"/desk/leads/{lead.id}", "/account/preferences"):
        page = anna.get(address).text
        data = '<script type="application/json"'
        code = page.replace(data, "")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", code)


def test_arabic_reads_from_the_right(anna: FlaskClient, offered_lead: MakeLead) -> None:
    lead = offered_lead()
    page = anna.get(f"/desk/leads/{lead.id}?lang=ar").text
    assert '<html lang="ar" dir="rtl">' in page
    assert "tabler.rtl.min.css" in page
    # A choice of language lasts.
    assert '<html lang="ar" dir="rtl">' in anna.get("/desk/").text


def decision(**changes: Any) -> dict[str, Any]:
    def ranked(id: int, km: float | None, reason: str, **more: Any) -> dict[str, Any]:
        return {"id": id, "code": f"D{id}", "distance_km": km, "why": reason, **more}

    plain = {
        "how": "nearest",
        "ranked": [
            ranked(1, 4.2, "", open_now=True, opens_at=None),
            ranked(2, 12.34, "farther"),
        ],
        "refused": [{"id": 3, "code": "D3", "reason": "day_cap", "about_km": 3.1}],
        "more_refused": 0,
    }
    return {**plain, **changes}


@pytest.mark.parametrize(
    ("result", "own", "rivals"),
    [
        (
            decision(),
            ("nearest", 1, 2, 4.2),
            [("A", 3, "refusal", "day_cap", False), ("B", 12, "why", "farther", False)],
        ),
        (
            decision(ranked=list(reversed(decision()["ranked"])), refused=[]),
            ("nearest", 2, 2, 4.2),
            [("A", 12, "why", "farther", True)],
        ),
        (
            decision(how="by_hand", ranked=[], refused=[], distance_km=8.0),
            ("by_hand", None, 0, 8.0),
            [],
        ),
        ({}, ("", None, 0, None), []),
        (
            decision(refused=[{"id": None, "code": "X", "reason": "inactive", "about_km": None}]),
            ("nearest", 1, 2, 4.2),
            [("A", 12, "why", "farther", False), ("B", None, "refusal", "inactive", False)],
        ),
    ],
    ids=["first", "second", "by hand", "nothing stored", "no distance"],
)
def test_why_this_dealer(
    result: dict[str, Any], own: tuple[Any, ...], rivals: list[tuple[Any, ...]]
) -> None:
    told = why(result, dealer_id=1)
    assert (told.how, told.place, told.of, told.distance_km) == own
    assert [(r.letter, r.distance_km, r.kind, r.code, r.ahead) for r in told.rivals] == rivals


def test_why_keeps_the_list_short() -> None:
    many = [{"id": n, "reason": "tried", "about_km": float(n)} for n in range(10, 22)]
    told = why(decision(refused=many, more_refused=3), dealer_id=1)
    assert len(told.rivals) == 6
    assert told.more_rivals == 13 - 6 + 3


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("32500", "32500.00"),
        ("32 500", "32500.00"),
        ("32.500", "32500.00"),
        ("32,500", "32500.00"),
        ("32.500,50", "32500.50"),
        ("32,500.5", "32500.50"),
        ("1.234.567", "1234567.00"),
        ("32500,5", "32500.50"),
        ("32'500.00", "32500.00"),
        ("٣٢٥٠٠", "32500.00"),
        ("٣٢٬٥٠٠٫٥", "32500.50"),
        ("0", "0.00"),
        ("-5", None),
        ("1e9", None),
        ("12.34.56", None),
        ("PLN 100", None),
        ("9" * 30, None),
        (".", None),
    ],
)
def test_amounts_as_people_type_them(typed: str, value: str | None) -> None:
    assert forms.amount(typed) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("typed", "due_at"),
    [
        ("2026-03-28T10:20", "2026-03-28T09:20"),
        ("2026-03-29T10:20", "2026-03-29T08:20"),
        ("2026-03-29T02:30", "2026-03-29T01:30"),
        ("2026-10-25T02:30", "2026-10-25T00:30"),
    ],
    ids=["winter", "summer", "skipped hour", "repeated hour"],
)
def test_a_step_is_planned_on_the_dealers_wall(typed: str, due_at: str) -> None:
    step = forms.plan({"kind": "call", "due_at": typed}, zone="Europe/Warsaw", at=NINE)
    assert step.due_at == datetime.fromisoformat(due_at).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "state"),
    [(60, "fine"), (15.1, "fine"), (15, "soon"), (0.1, "soon"), (0, "overdue"), (-5, "overdue")],
)
def test_a_clock_has_three_states(minutes: float, state: str) -> None:
    assert timer_state(NINE + timedelta(minutes=minutes), NINE) == state


@pytest.mark.parametrize(
    ("phone", "address"),
    [
        ("+48512345678", "https://wa.me/48512345678"),
        ("512 345 678", ""),
        ("", ""),
        ("+4851", ""),
        ("+٤٨٥١٢٣٤٥٦٧٨", ""),
    ],
)
def test_a_chat_needs_an_international_number(phone: str, address: str) -> None:
    assert whatsapp(phone) == address


def test_a_deadline_names_its_day_unless_it_is_today(app: Flask) -> None:
    with app.test_request_context(), reading("en", "Asia/Riyadh"):
        assert deadline(NINE + timedelta(hours=2)) == "1:05\u202fPM"
        assert deadline(NINE + timedelta(days=2)).startswith("Sun")
        assert deadline(NINE + timedelta(hours=14), "Europe/Warsaw") == "11:05\u202fPM"
        assert deadline(NINE + timedelta(hours=14), "Asia/Riyadh").startswith("Sat")


def test_an_offer_that_ran_out_shows_as_overdue(
    anna: FlaskClient, offered_lead: MakeLead, session: Session
) -> None:
    lead = offered_lead(at=FRIDAY)
    offer = session.scalars(select(Offer).where(Offer.lead_id == lead.id)).one()
    offer.expires_at, offer.clock_at = NINE - timedelta(minutes=1), FRIDAY
    session.commit()
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert "Overdue" in page
    assert "any moment" in page


def test_words_of_an_unknown_tab_are_no_page(anna: FlaskClient, world: World) -> None:
    assert anna.get("/desk/?tab=nothing").status_code == 404
    assert anna.get("/desk/?tab=all&after=nonsense").status_code == 200


def test_the_clock_begins_when_a_person_of_the_dealer_sees_the_lead(
    app: Flask,
    anna: FlaskClient,
    carla: FlaskClient,
    cast: dict[str, User],
    login: Login,
    offered_lead: MakeLead,
    session: Session,
    morning: time_machine.Traveller,
) -> None:
    lead = offered_lead()
    offer = session.scalars(select(Offer).where(Offer.lead_id == lead.id)).one()
    address = f"/desk/leads/{lead.id}"
    anna.get(address, headers={"Sec-Purpose": "prefetch;prerender"})
    anna.head(address)
    carla.get(address)
    login(app.test_client(), cast["hana"]).get(f"/hq/leads/{lead.id}")
    session.refresh(offer)
    assert offer.clock_at is None
    page = anna.get(address).text
    assert "30 minutes left" in page, "the time to answer begins anew"
    session.refresh(offer)
    assert offer.clock_at == NINE
    morning.move_to(NINE + timedelta(minutes=10))
    assert "20 minutes left" in anna.get(address).text, "and only once"


def test_a_lead_rests_until_the_dealer_opens_on_that_day(
    anna: FlaskClient, offered_lead: MakeLead, session: Session
) -> None:
    lead = offered_lead()
    assert 'name="until"' not in anna.get(f"/desk/leads/{lead.id}").text
    post(anna, lead, "accept")
    assert "from tomorrow on" in post(anna, lead, "rest", until="2026-03-06")
    assert "Please give a day" in post(anna, lead, "rest", until="soon")
    page = post(anna, lead, "rest", until="2026-03-15", note="After the holidays")
    session.refresh(lead)
    assert lead.status == "resting"
    # The 15th is a Sunday: PL-WAW-1 opens on Monday at 9.
    assert lead.resting_until == datetime(2026, 3, 16, 8, 0, tzinfo=UTC)
    assert "After the holidays" in page
    assert "Monday" in page
    assert names(anna.get("/desk/?tab=resting").text) == ["Jan Kowal"]
    post(anna, lead, "wake")
    session.refresh(lead)
    assert lead.status == "accepted"
    assert names(anna.get("/desk/?tab=resting").text) == []


def test_a_decision_is_contested_with_one_click_and_answered(
    app: Flask,
    anna: FlaskClient,
    carla: FlaskClient,
    cast: dict[str, User],
    login: Login,
    offered_lead: MakeLead,
    session: Session,
) -> None:
    lead = offered_lead()
    assert carla.post(f"/desk/leads/{lead.id}/contest").status_code == 404
    page = post(anna, lead, "contest")
    assert "Contested" in notices(page)
    assert "You contested this" in page
    assert "Contest this" not in page
    post(anna, lead, "contest", note="Twice")
    contest = session.scalars(select(Contest)).one()
    assert (contest.dealer_id, contest.user_id, contest.note) == (
        lead.dealer_id,
        cast["anna"].id,
        "",
    )
    hana = login(app.test_client(), cast["hana"])
    assert "Aurel Centrum" in hana.get("/hq/contests").text
    assert "contests this" in hana.get(f"/hq/leads/{lead.id}").text
    empty = hana.post(f"/hq/contests/{contest.id}/answer", data={"answer": " "})
    assert empty.status_code == 422
    assert "Write an answer." in empty.text
    given = {"answer": "It is the closest to you."}
    hana.post(f"/hq/contests/{contest.id}/answer", data=given)
    again = hana.post(
        f"/hq/contests/{contest.id}/answer", data={"answer": "No"}, follow_redirects=True
    )
    assert "answered this already" in again.text
    assert "Nothing contested" in hana.get("/hq/contests").text
    assert "It is the closest to you." in hana.get("/hq/contests?show=answered").text
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert "Headquarters answered" in page
    assert "It is the closest to you." in page


def test_the_map_shows_the_dealer_and_about_the_customer_and_no_rival(
    anna: FlaskClient, offered_lead: MakeLead
) -> None:
    lead = offered_lead()
    page = anna.get(f"/desk/leads/{lead.id}").text
    drawn = re.search(r'id="why-map-data">(.*?)</script>', page, re.S)
    assert drawn is not None
    shown = json.loads(drawn[1])
    assert [(p["kind"], p["lat"], p["lon"]) for p in shown["points"]] == [
        ("lead", 52.23, 21.01),
        ("own", 52.24, 21.03),
    ]
    assert shown["points"][0]["within_km"] >= 1
