"""A policy's life: drafted, refused where it contradicts itself, published, rolled back, scoped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import jobs, policies
from lmt.db import SessionFactory
from lmt.hq.policyform import change_rows, rows, settings_from, typed_from
from lmt.hq.policywords import SETTINGS, differences
from lmt.i18n import reading
from lmt.models import Job, Lead, Market, PolicyDraft, RoutingPolicy, User
from lmt.policies import NotNow
from lmt.routing.policy import Policy, PolicyError
from lmt.routing.policybook import PolicyBook
from lmt.scope import Actor, Part
from tests.two_markets import parsed
from tests.world import FRIDAY, World

Login = Callable[[FlaskClient, User], FlaskClient]
LATER = FRIDAY + timedelta(days=3)
EDITOR = Actor(user_id=None, permissions=frozenset({policies.PERMISSION}), parts=(Part(),))


def settings_of(session: Session, market_id: int, at: datetime) -> dict[str, Any]:
    row = policies.version_in_force(session, market_id, at)
    return {} if row is None else row.settings


@pytest.fixture
def poland(session: Session, world: World) -> Market:
    return session.get_one(Market, world.markets["PL"])


def drafted(session: Session, market: Market, at: datetime = FRIDAY, **settings: Any) -> int:
    draft = policies.start_draft(session, market, "Try", at, EDITOR)
    changed = draft.settings | settings
    policies.save_draft(session, draft.id, changed, name="Try", at=at, actor=EDITOR)
    return draft.id


def test_a_draft_begins_as_a_copy_of_what_holds(session: Session, poland: Market) -> None:
    draft = policies.start_draft(session, poland, "  ", FRIDAY, EDITOR)
    assert draft.settings == {"fallback_dealer": "PL-CARE"}
    assert draft.based_on == 1
    assert draft.name == "Draft"
    with pytest.raises(LookupError):
        policies.start_draft(session, poland, "x", FRIDAY, EDITOR, from_version=7)


def test_what_is_published_holds_from_its_instant_and_the_one_before_until_then(
    session: Session, poland: Market
) -> None:
    draft_id = drafted(session, poland, radius_km=80)
    published = policies.publish(
        session, draft_id, at=FRIDAY, holds_from=LATER, note="Closer", actor=EDITOR
    )
    assert published.version == 2
    assert published.settings["version"] == 2
    assert published.published_at == FRIDAY
    assert "radius_km" not in settings_of(session, poland.id, LATER - timedelta(seconds=1))
    assert settings_of(session, poland.id, LATER)["radius_km"] == 80
    assert session.get_one(PolicyDraft, draft_id).state == "published"
    with pytest.raises(NotNow, match="published already"):
        policies.publish(session, draft_id, at=FRIDAY, note="Again", actor=EDITOR)


def test_only_one_version_is_planned_at_a_time_and_it_can_be_withdrawn(
    session: Session, poland: Market
) -> None:
    first, second = drafted(session, poland, radius_km=80), drafted(session, poland, radius_km=90)
    policies.publish(session, first, at=FRIDAY, holds_from=LATER, note="Closer", actor=EDITOR)
    with pytest.raises(NotNow, match="Version 2 is planned already"):
        policies.publish(session, second, at=FRIDAY, note="Nearer", actor=EDITOR)
    session.rollback()
    policies.withdraw_planned(session, poland.id, 2, at=FRIDAY, note="Too near", actor=EDITOR)
    assert "radius_km" not in settings_of(session, poland.id, LATER)
    kept = policies.version_of(session, poland.id, 2)
    assert kept is not None
    assert "Too near" in kept.note
    published = policies.publish(session, second, at=FRIDAY, note="Nearer", actor=EDITOR)
    assert published.version == 3
    assert settings_of(session, poland.id, LATER)["radius_km"] == 90


@pytest.mark.parametrize(
    ("note", "holds_from", "told"),
    [("  ", None, "Say why"), ("Because", FRIDAY - timedelta(minutes=1), "has passed")],
)
def test_a_version_needs_a_reason_and_an_instant_ahead(
    session: Session, poland: Market, note: str, holds_from: datetime | None, told: str
) -> None:
    draft_id = drafted(session, poland)
    with pytest.raises(NotNow, match=told):
        policies.publish(
            session, draft_id, at=FRIDAY, holds_from=holds_from, note=note, actor=EDITOR
        )
    session.rollback()
    assert session.get_one(PolicyDraft, draft_id).state == "draft"


def test_rolling_back_brings_old_settings_as_a_new_version_at_once(
    session: Session, poland: Market
) -> None:
    policies.publish(
        session, drafted(session, poland, radius_km=80), at=FRIDAY, note="Closer", actor=EDITOR
    )
    back = policies.roll_back(session, poland.id, 1, at=LATER, note="Worse", actor=EDITOR)
    assert back.version == 3
    assert policies.plain_settings(back.settings) == {"fallback_dealer": "PL-CARE"}
    assert settings_of(session, poland.id, LATER - timedelta(minutes=1))["radius_km"] == 80
    assert "radius_km" not in settings_of(session, poland.id, LATER)
    with pytest.raises(NotNow, match="in force already"):
        policies.roll_back(session, poland.id, 1, at=LATER, note="Worse", actor=EDITOR)
    with pytest.raises(LookupError):
        policies.roll_back(session, poland.id, 9, at=LATER, note="Worse", actor=EDITOR)


def test_a_plan_outlives_a_roll_back(session: Session, poland: Market) -> None:
    policies.publish(
        session, drafted(session, poland, radius_km=80), at=FRIDAY, note="Closer", actor=EDITOR
    )
    policies.publish(
        session,
        drafted(session, poland, radius_km=70),
        at=FRIDAY,
        holds_from=LATER,
        note="Closest",
        actor=EDITOR,
    )
    soon = FRIDAY + timedelta(hours=1)
    policies.roll_back(session, poland.id, 1, at=soon, note="Worse", actor=EDITOR)
    assert "radius_km" not in settings_of(session, poland.id, soon)
    assert settings_of(session, poland.id, LATER)["radius_km"] == 70


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"rings_km": [10]}, "rings_km"),
        ({"fallback_dealer": "SA-RUH-1"}, "fallback_dealer"),
        ({"duty_desk": "NOBODY"}, "duty_desk"),
        ({"cases": [{"name": "x", "when": {}, "settings": {}}]}, "cases"),
    ],
)
def test_settings_that_contradict_each_other_are_not_kept(
    session: Session, poland: Market, settings: dict[str, Any], field: str
) -> None:
    draft = policies.start_draft(session, poland, "Try", FRIDAY, EDITOR)
    with pytest.raises(PolicyError) as refused:
        policies.save_draft(
            session, draft.id, draft.settings | settings, name="Try", at=FRIDAY, actor=EDITOR
        )
    assert refused.value.field == field


@pytest.mark.parametrize(
    "parts", [(Part(market_id=-1),), (Part(market_id=1, brand_id=1),), (Part(dealer_id=1),), ()]
)
def test_who_looks_after_less_than_the_market_changes_nothing(
    session: Session, poland: Market, parts: tuple[Part, ...]
) -> None:
    draft_id = drafted(session, poland)
    outsider = Actor(None, frozenset({policies.PERMISSION}), parts)
    with pytest.raises(LookupError):
        policies.start_draft(session, poland, "x", FRIDAY, outsider)
    with pytest.raises(LookupError):
        policies.publish(session, draft_id, at=FRIDAY, note="x", actor=outsider)
    with pytest.raises(LookupError):
        policies.roll_back(session, poland.id, 1, at=FRIDAY, note="x", actor=outsider)


# The form


BOOK = PolicyBook.from_settings(
    {
        "radius_km": 120,
        "rings_km": [200, 300.5],
        "tolerance_share": 0.075,
        "cross_border": [["AE", "SA"]],
        "team_for": ["fleet", "business"],
        "use_road": True,
        "escalation": [
            {"state": "accepted", "after_minutes": 90, "action": "notify_manager", "band": ["hot"]},
            {"state": "offered", "after_minutes": 20, "action": "reroute", "hop": 2},
        ],
        "cases": [
            {
                "name": "Fleets",
                "when": {"customer_kind": ["fleet"], "band": ["hot", "warm"]},
                "settings": {"team_for": [], "use_road": False, "radius_km": 140.0},
            }
        ],
    }
).to_settings()  # fmt: skip


def test_the_form_says_every_setting_and_reads_it_back() -> None:
    plain = policies.plain_settings(BOOK)
    settings, problems = settings_from(typed_from(plain, "Try"))
    assert problems == {}
    again = PolicyBook.from_settings(settings).to_settings()
    assert policies.plain_settings(again) == plain


def test_the_editor_has_a_field_for_every_setting_there_is() -> None:
    assert set(SETTINGS) == set(Policy().to_settings()) - {"version"}


def test_usual_steps_stay_usual_when_deadlines_change() -> None:
    typed = typed_from({}, "Try")
    for band in ("hot", "warm", "cold"):
        typed[f"respond_within_minutes.{band}"] = "10"
    assert rows(typed, "step-row"), "they are listed to start from"
    settings, problems = settings_from(typed)
    assert problems == {}
    assert "escalation" not in settings
    assert PolicyBook.from_settings(settings).base.steps_are_usual


@pytest.mark.parametrize(
    ("field", "typed", "problem"),
    [
        ("radius_km", "far", "Enter a number."),
        ("radius_km", "nan", "Enter a smaller number."),
        ("max_hops", "2.5", "Enter a whole number."),
        ("open_bonus_km.hot", "x", "Enter a number."),
        ("cross_border", "AE SAU", "Write two countries a line, such as AE SA."),
    ],
)
def test_what_cannot_be_read_is_told_beside_its_field(field: str, typed: str, problem: str) -> None:
    form = typed_from({}, "Try")
    form[field] = typed
    _settings, problems = settings_from(form)
    assert problems == {field: problem}


def test_rows_come_and_go_without_losing_what_was_typed() -> None:
    form = typed_from({"escalation": []}, "Try")
    assert change_rows(form, "add-step:") == "step.0.state"
    form["step.0.after_minutes"] = "15"
    change_rows(form, "add-step:")
    assert change_rows(form, "add-case") == "case.0.name"
    change_rows(form, "add-case")
    change_rows(form, "add-step:case.1.")
    change_rows(form, "drop-step:/1")
    change_rows(form, "raise-case:/1")
    assert rows(form, "step-row") == ["0"]
    assert rows(form, "case-row") == ["1", "0"]
    assert rows(form, "case.1.step-row") == ["0"]
    assert form["step.0.after_minutes"] == "15"
    change_rows(form, "drop-case:/1")
    assert rows(form, "case-row") == ["0"]


def test_a_case_takes_the_bands_it_leaves_empty_from_the_base() -> None:
    form = typed_from({"open_bonus_km": {"hot": 30, "warm": 20, "cold": 5}}, "Try")
    change_rows(form, "add-case")
    form["case.0.name"] = "Used cars"
    form.setlist("case.0.when.request_type", ["used_car"])
    form["case.0.open_bonus_km.hot"] = "50"
    settings, problems = settings_from(form)
    assert problems == {}
    assert settings["cases"] == [
        {
            "name": "Used cars",
            "when": {"request_type": ["used_car"]},
            "settings": {"open_bonus_km": {"hot": 50.0, "warm": 20.0, "cold": 5.0}},
        }
    ]


def test_differences_are_told_in_words() -> None:
    before = policies.plain_settings(PolicyBook.from_settings({}).to_settings())
    changed = {"radius_km": 80, "open_bonus_km": {"hot": 10, "warm": 5, "cold": 0}}
    after = PolicyBook.from_settings(changed | {"cases": BOOK["cases"]}).to_settings()
    with reading("en"):
        told = {d.words: (d.before, d.after) for d in differences(before, after, {})}
    assert told["Radius"] == ("150 km", "80 km")
    assert told["What an open door is worth"][1] == "Hot 10 km, Warm 5.0 km, Cold 0.0 km"
    assert told["Case “Fleets”"][0] == ""
    assert "Customer: Fleet customer; Priority: " in told["Case “Fleets”"][1]


# The pages


@pytest.fixture
def hana(app: Flask, login: Login, cast: dict[str, User]) -> FlaskClient:
    return login(app.test_client(), cast["hana"])


def form_on(page: str, action_ends: str) -> dict[str, list[str]]:
    """What a browser would send of a page's form, untouched."""
    form = next(f for f in parsed(page).forms if f.action.endswith(action_ends))
    given: dict[str, list[str]] = {}
    for name, value in form.form_values():
        given.setdefault(name, []).append(value)
    return given


def test_headquarters_drafts_publishes_and_rolls_back(
    hana: FlaskClient, session: Session, world: World
) -> None:
    assert "Poland" in hana.get("/hq/policies").text
    started = hana.post("/hq/policies/PL/drafts", data={"name": "Nearer"})
    address = started.headers["Location"]
    page = hana.get(address).text
    given = form_on(page, address) | {"radius_km": ["90"], "do": ["save"]}
    assert hana.post(address, data=given).status_code == 302
    page = hana.get(address).text
    assert "150 km" in page
    assert "90 km" in page
    published = hana.post(f"{address}/publish", data={"note": "Too far"}, follow_redirects=True)
    assert "Version 2 holds now." in published.text
    assert "In force: version 2" in published.text
    assert "Too far" in published.text
    assert "Hana" in published.text
    back = hana.post(
        "/hq/policies/PL/roll-back", data={"version": "1", "note": "No"}, follow_redirects=True
    )
    assert "In force: version 3" in back.text
    held = session.scalars(
        select(RoutingPolicy).where(RoutingPolicy.market_id == world.markets["PL"])
    ).all()
    assert {row.version for row in held} == {1, 2, 3}
    assert {row.author_id for row in held} == {None, world.users["hana"]}


def test_a_contradiction_is_told_beside_its_field_and_nothing_is_lost(hana: FlaskClient) -> None:
    address = hana.post("/hq/policies/PL/drafts", data={"name": "x"}).headers["Location"]
    given = form_on(hana.get(address).text, address)
    answer = hana.post(address, data=given | {"rings_km": ["20"], "do": ["save"]})
    assert answer.status_code == 422
    tree = parsed(answer.text)
    assert tree.xpath("//*[@id='problems']//a/@href") == ["#f-rings_km"]
    field = tree.get_element_by_id("f-rings_km")
    assert field.get("value") == "20"
    assert field.get("aria-invalid") == "true"
    assert "doesn't widen" in tree.get_element_by_id("f-rings_km-error").text_content()


def test_rows_are_added_without_scripts(hana: FlaskClient) -> None:
    address = hana.post("/hq/policies/PL/drafts", data={"name": "x"}).headers["Location"]
    given = form_on(hana.get(address).text, address) | {"radius_km": ["91"]}
    page = hana.post(address, data=given | {"do": ["add-case"]}).text
    given = form_on(page, address)
    assert given["radius_km"] == ["91"]
    assert given["case-row"] == ["0"]
    page = hana.post(address, data=given | {"do": ["add-step:case.0."]}).text
    assert form_on(page, address)["case.0.step-row"] == ["0"]


def test_a_plan_is_made_in_the_markets_own_time(
    app: Flask, login: Login, cast: dict[str, User], session: Session, world: World
) -> None:
    with time_machine.travel(FRIDAY, tick=False):
        omar = login(app.test_client(), cast["omar"])
        address = omar.post("/hq/policies/GULF/drafts", data={"name": "x"}).headers["Location"]
        given = {"note": "Ramadan", "holds_from": "2026-03-08T09:00"}
        page = omar.post(f"{address}/publish", data=given, follow_redirects=True).text
        assert "Version 2 is planned." in page
        planned = policies.planned_version(session, world.markets["GULF"], FRIDAY)
        assert planned is not None
        assert planned.valid.lower == datetime(2026, 3, 8, 6, 0, tzinfo=UTC)
        nonsense = given | {"holds_from": "tomorrow"}
        again = omar.post("/hq/policies/GULF/drafts", data={"name": "y"}).headers["Location"]
        told = omar.post(f"{again}/publish", data=nonsense, follow_redirects=True).text
        assert "Give the day and the time" in told
        gone = omar.post(
            "/hq/policies/GULF/withdraw", data={"version": "2", "note": "No"}, follow_redirects=True
        )
        assert "The planned version was withdrawn." in gone.text


def test_nobody_reaches_the_policy_of_another_market(
    app: Flask, login: Login, cast: dict[str, User], session: Session, world: World
) -> None:
    gulf = session.get_one(Market, world.markets["GULF"])
    draft = policies.start_draft(session, gulf, "Secret", FRIDAY, EDITOR)
    hana, anna, cem = (login(app.test_client(), cast[name]) for name in ("hana", "anna", "cem"))
    here = f"/hq/policies/drafts/{draft.id}"
    for address in ("/hq/policies/GULF", here, "/hq/policies/drafts/999999"):
        assert hana.get(address).status_code == 404
    for address in (here, f"{here}/publish", f"{here}/drop", "/hq/policies/GULF/drafts"):
        assert hana.post(address, data={"note": "x"}).status_code == 404
    given = {"version": "1", "note": "x"}
    for address in ("/hq/policies/GULF/roll-back", "/hq/policies/GULF/withdraw"):
        assert hana.post(address, data=given).status_code == 404
    assert "Gulf" not in hana.get("/hq/policies").text
    for other in (anna, cem):
        assert other.get("/hq/policies").status_code == 403
        assert other.post(f"{here}/publish", data={"note": "x"}).status_code == 403
    assert session.get_one(PolicyDraft, draft.id).state == "draft"


def test_a_draft_is_replayed_in_the_background_and_published_from_there(
    app: Flask,
    login: Login,
    cast: dict[str, User],
    session: Session,
    sessions: SessionFactory,
    offered_lead: Callable[..., Lead],
) -> None:
    with time_machine.travel(FRIDAY + timedelta(hours=1), tick=False):
        lead = offered_lead()
        hana = login(app.test_client(), cast["hana"])
        draft = hana.post("/hq/policies/PL/drafts", data={"name": "x"}).headers["Location"]
        draft_id = int(draft.rsplit("/", 1)[1])
        policies.save_draft(
            session,
            draft_id,
            {"radius_km": 1.5, "rings_km": [], "open_bonus_km": {}, "tolerance_km": 0},
            name="x",
            at=FRIDAY,
            actor=EDITOR,
        )
        assert "2026-03-06" in hana.get(f"{draft}/replay").text
        days = {"from": "2026-03-06", "to": "2026-03-06"}
        wrong = hana.post(f"{draft}/replay", data=days | {"from": "6 March"})
        assert wrong.status_code == 422
        assert "Write days as" in wrong.text
        here = hana.post(f"{draft}/replay", data=days | {"bands": "hot"}).headers["Location"]
        waiting = hana.get(here).text
        assert "Waiting for the worker." in waiting
        assert 'hx-trigger="every 1s"' in waiting
        at = FRIDAY + timedelta(hours=1)
        while jobs.work(sessions, at):
            pass
        part = hana.get(here, headers={"HX-Request": "true"})
        assert part.headers["HX-Refresh"] == "true"
        page = hana.get(here).text
        assert "1 lead replayed" in page
        assert lead.reference in page
        assert "Aurel Centrum" in page
        for what in ("dealers", "leads"):
            file = hana.get(f"{here}/{what}.csv")
            assert file.mimetype == "text/csv"
            assert "PL-WAW-1" in file.text
        assert hana.get(f"{here}?sort=nonsense").status_code == 200
        note = {"note": "Replayed", "replay": "yes"}
        published = hana.post(f"{draft}/publish", data=note, follow_redirects=True)
        assert "Version 2 holds now." in published.text


def test_a_replay_of_another_market_is_not_to_be_seen(
    app: Flask, login: Login, cast: dict[str, User], session: Session, world: World
) -> None:
    gulf = session.get_one(Market, world.markets["GULF"])
    draft = policies.start_draft(session, gulf, "Secret", FRIDAY, EDITOR)
    job = Job(kind="replay", market_id=gulf.id, arguments={"draft": draft.id}, created_at=FRIDAY)
    session.add(job)
    session.commit()
    hana = login(app.test_client(), cast["hana"])
    for address in (f"/hq/replays/{job.id}", f"/hq/replays/{job.id}/leads.csv"):
        assert hana.get(address).status_code == 404
    assert hana.get(f"/hq/policies/drafts/{draft.id}/replay").status_code == 404
    assert hana.post(f"/hq/policies/drafts/{draft.id}/replay").status_code == 404
