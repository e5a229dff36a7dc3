"""Past leads under other rules: who would have got them, told without writing a row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt.db import SessionFactory
from lmt.models import (
    Competence,
    Customer,
    Dealer,
    DealerTerms,
    Job,
    Lead,
    Offer,
    PolicyDraft,
    RoutingDecision,
    RoutingPolicy,
    Source,
)
from lmt.models.validity import since
from lmt.replay.command import replay_command
from lmt.replay.question import BadQuestion, Question, question_from
from lmt.replay.service import Replay, replay, run_replay_job
from lmt.replay.whatif import BadChange
from lmt.routing.candidate import LeadFacts
from lmt.routing.decision import Decision
from lmt.routing.policy import PolicyError
from lmt.scope import SYSTEM, act_as
from tests.world import World

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
"""A week of which every test takes some hours; Warsaw is an hour ahead."""
NOW = MONDAY + timedelta(days=14)
NEAR_1 = (52.2410, 21.0310)
"""A hundred metres from PL-WAW-1; PL-WAW-2 is 5 km away."""


def on(day: int, hour: float) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


@dataclass
class Past:
    """A history in the making: leads as routing would have left them."""

    session: Session
    world: World
    customer_id: int
    source_id: int
    references: list[str] = field(default_factory=list)

    def lead(
        self,
        at: datetime,
        dealer: str = "PL-WAW-1",
        *,
        place: tuple[float, float] | None = NEAR_1,
        band: str = "hot",
        postcode: str = "",
        answered_after_minutes: int | None = None,
        closed_at: datetime | None = None,
        **facts: Any,
    ) -> str:
        lat, lon = place or (None, None)
        known = LeadFacts(
            lat=lat, lon=lon, service="sales", band=band, asked_at=at, country="PL",
            postcode=postcode, brand="aurel", **facts,
        )  # fmt: skip
        reference = f"PAST-{len(self.references):04}"
        self.references.append(reference)
        answered = answered_after_minutes is not None
        dealer_id = self.world.dealers[dealer]
        lead = Lead(
            reference=reference, market_id=self.world.markets["PL"], source_id=self.source_id,
            customer_id=self.customer_id, created_at=at, band=band, lat=lat, lon=lon,
            request_type="test_drive", service="sales", dealer_id=dealer_id, closed_at=closed_at,
            status="lost" if closed_at else "accepted" if answered else "offered",
        )  # fmt: skip
        self.session.add(lead)
        self.session.flush()
        result = Decision(at, 1, known, chosen=dealer, chosen_id=dealer_id, how="nearest").to_json()
        decision = RoutingDecision(
            lead_id=lead.id, at=at, dealer_id=dealer_id, inputs=result.pop("lead"), result=result
        )
        self.session.add(decision)
        self.session.flush()
        taken = answered or closed_at is not None
        self.session.add(
            Offer(
                lead_id=lead.id, dealer_id=dealer_id, decision_id=decision.id, offered_at=at,
                expires_at=at + timedelta(hours=1), state="accepted" if taken else "open",
                closed_at=at + timedelta(minutes=answered_after_minutes or 1) if taken else None,
            )
        )  # fmt: skip
        self.session.commit()
        return reference

    def dealer(self, code: str, lat: float, lon: float, hours: str) -> None:
        row = Dealer(code=code, market_id=self.world.markets["PL"])
        self.session.add(row)
        self.session.flush()
        self.session.add(
            DealerTerms(
                dealer_id=row.id, name=code.title(), email="x@dealers.example", language="pl",
                city="", country="PL", lat=lat, lon=lon, timezone="Europe/Warsaw", hours=hours,
                valid=since(None),
            )
        )  # fmt: skip
        self.session.add(
            Competence(
                dealer_id=row.id, brand_id=self.world.brand_id, service="sales", valid=since(None)
            )
        )
        self.session.commit()
        self.world.dealers[code] = row.id

    def edit(self, code: str, at: datetime, **changes: Any) -> None:
        terms = self.session.scalars(
            select(DealerTerms).where(
                DealerTerms.dealer_id == self.world.dealers[code], DealerTerms.holds_at(at)
            )
        ).one()
        terms.replace(self.session, at, **changes)
        self.session.commit()

    def replayed(
        self,
        settings: dict[str, Any] | None = None,
        changes: dict[str, dict[str, Any]] | None = None,
        **narrowed: Any,
    ) -> Replay:
        question = Question(
            self.world.markets["PL"],
            **{"from_at": MONDAY, "to_at": NOW, **narrowed},
            settings=settings,
            changes=changes or {},
        )
        return replay(self.session, question, NOW)


@pytest.fixture
def past(session: Session, world: World) -> Past:
    customer = Customer(full_name="Jan Kowal", created_at=MONDAY)
    session.add(customer)
    session.commit()
    source = session.scalars(select(Source).where(Source.code == "api-pl")).one()
    return Past(session, World(**{**vars(world), "dealers": dict(world.dealers)}),
                customer.id, source.id)  # fmt: skip


def who(found: Replay, side: str = "after") -> dict[str, str]:
    """Reference to dealer's code, or the cause in brackets."""
    codes = {}
    for result in found.results:
        choice = getattr(result, side).choice
        number = choice.dealer_id
        codes[result.case.reference] = (
            f"({choice.cause})" if number is None else found.dealers[number].code
        )
    return codes


def moves(found: Replay) -> dict[str, str]:
    return {r.case.reference: who(found)[r.case.reference] for r in found.moves()}


# --- who moves ----------------------------------------------------------------------------------


def test_the_policy_that_held_moves_nobody(past: Past) -> None:
    for day in range(5):
        for hour in (2, 9, 12.5, 20):
            past.lead(on(day, hour), band="warm" if day % 2 else "hot")
    found = past.replayed({"fallback_dealer": "PL-CARE"})
    assert found.figures.leads == 20
    assert found.figures.moved == 0
    assert found.figures.before == found.figures.after
    assert found.figures.points == ()


def test_a_larger_bonus_moves_exactly_the_leads_of_the_night(past: Past) -> None:
    past.dealer("PL-LDZ-1", 51.77, 19.46, "24/7")
    days = [past.lead(on(day, 10)) for day in range(3)]
    nights = [past.lead(on(day, 23)) for day in range(3)]
    cold = past.lead(on(3, 23), band="cold")
    found = past.replayed({"open_bonus_km": {"hot": 150, "cold": 0}})
    assert moves(found) == dict.fromkeys(nights, "PL-LDZ-1")
    assert set(who(found, "before").values()) == {"PL-WAW-1"}
    assert {who(found)[each] for each in (*days, cold)} == {"PL-WAW-1"}

    before, after = found.figures.before, found.figures.after
    assert before.open_at_once == 3
    assert after.open_at_once == 6
    assert before.km.mean == pytest.approx(0.13, abs=0.01)
    assert after.km.total > 3 * 100
    # Four nights until nine in Warsaw, then only the cold one's.
    assert before.wait_minutes.total == 4 * 9 * 60
    assert after.wait_minutes.total == 9 * 60
    assert after.answer_minutes.total == before.answer_minutes.total - 3 * 9 * 60
    changes = {d.code: (d.before, d.after, d.gained, d.lost) for d in found.figures.dealers}
    assert changes == {"PL-WAW-1": (7, 4, 0, 3), "PL-LDZ-1": (0, 3, 3, 0)}
    [flow] = found.figures.flows
    assert (flow.from_id, flow.to_id, flow.leads) == (
        past.world.dealers["PL-WAW-1"],
        past.world.dealers["PL-LDZ-1"],
        3,
    )
    assert [point.reference for point in found.figures.points] == nights
    assert (found.figures.points[0].lat, found.figures.points[0].lon) == NEAR_1


def test_a_smaller_radius_leaves_the_far_ones_to_nobody(past: Past) -> None:
    near, far = past.lead(on(0, 10)), past.lead(on(0, 11), place=(51.25, 22.57))
    found = past.replayed({"radius_km": 50, "rings_km": []})
    assert who(found) == {near: "PL-WAW-1", far: "(out_of_range)"}
    assert found.figures.after.nobody == {"out_of_range": 1}
    assert found.figures.before.nobody == {}
    assert found.figures.moved == 1
    assert found.figures.points[0].to_id is None


def test_a_cap_lets_the_rest_of_the_day_drip_over(past: Past) -> None:
    monday = [past.lead(on(0, 8 + number * 0.75)) for number in range(5)]
    # 23:30 on Monday in London is Tuesday in Warsaw.
    tuesday = [past.lead(on(0, 23.5)), past.lead(on(1, 9)), past.lead(on(1, 10))]
    found = past.replayed(changes={"PL-WAW-1": {"day_cap": 2}})
    assert moves(found) == dict.fromkeys([*monday[2:], tuesday[2]], "PL-WAW-2")
    both = past.replayed(changes={"PL-WAW-1": {"day_cap": 2}, "PL-WAW-2": {"day_cap": 1}})
    assert [who(both)[each] for each in monday[2:]] == ["PL-WAW-2", "(all_capped)", "(all_capped)"]
    assert both.figures.after.nobody == {"all_capped": 2}


def test_a_month_cap_begins_anew_on_the_first(past: Past) -> None:
    march = [past.lead(on(day, 9)) for day in (27, 28)]
    april = past.lead(on(30, 9))
    found = past.replayed(changes={"PL-WAW-1": {"month_cap": 1}}, to_at=on(40, 0))
    assert moves(found) == {march[1]: "PL-WAW-2"}
    assert who(found)[april] == "PL-WAW-1"


def test_caps_start_from_what_the_dealers_had_by_then(past: Past) -> None:
    past.lead(on(0, 7))
    past.lead(on(0, 8), closed_at=on(0, 8.5))
    first, second = past.lead(on(0, 9)), past.lead(on(0, 10))
    for cap, expected in (
        ({"day_cap": 3}, ["PL-WAW-1", "PL-WAW-2"]),
        ({"day_cap": 2}, ["PL-WAW-2", "PL-WAW-2"]),
        ({"open_cap": 2}, ["PL-WAW-1", "PL-WAW-2"]),
    ):
        found = past.replayed(changes={"PL-WAW-1": cap}, from_at=on(0, 8.75))
        assert who(found) == dict(zip([first, second], expected, strict=True)), cap


def test_an_open_place_is_given_back_when_the_lead_was_really_closed(past: Past) -> None:
    first = past.lead(on(0, 8), closed_at=on(0, 10))
    meanwhile, later = past.lead(on(0, 9)), past.lead(on(0, 11))
    found = past.replayed(changes={"PL-WAW-1": {"open_cap": 1}})
    assert who(found) == {first: "PL-WAW-1", meanwhile: "PL-WAW-2", later: "PL-WAW-1"}


def test_a_territory_moves_the_leads_that_lie_in_it(past: Past) -> None:
    inside, outside = (
        past.lead(on(0, 9), postcode="00-950"),
        past.lead(on(0, 10), postcode="03-100"),
    )
    found = past.replayed(changes={"PL-WAW-2": {"territories": [{"postcodes": ["00"]}]}})
    assert moves(found) == {inside: "PL-WAW-2"}
    assert who(found)[outside] == "PL-WAW-1"
    around = [[21.02, 52.23], [21.04, 52.23], [21.04, 52.25], [21.02, 52.25], [21.02, 52.23]]
    area = {"type": "Polygon", "coordinates": [around]}
    found = past.replayed(changes={"PL-WAW-2": {"territories": [{"area": area}]}})
    assert set(moves(found)) == {inside, outside}


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"paused": True}, True),
        ({"active": False}, True),
        ({"closures": [["2026-03-01", "2026-03-03"]]}, True),
        ({"closures": [["2026-03-03", "2026-03-04"]]}, False),
        ({"hours": "Mo-Fr 17:00-19:00"}, True),
        ({"weight": 5, "quality": 0.9}, False),
    ],
)
def test_other_settings_of_a_dealer(past: Past, changes: dict[str, Any], moved: bool) -> None:
    past.lead(on(0, 10))
    assert past.replayed(changes={"PL-WAW-1": changes}).figures.moved == moved


# --- as it was known then -----------------------------------------------------------------------


def test_dealers_are_replayed_as_they_were(past: Past) -> None:
    early = past.lead(on(0, 9))
    past.edit("PL-WAW-1", on(1, 0), lat=50.06, lon=19.94)
    moved_away = past.lead(on(1, 9))
    past.edit("PL-WAW-1", on(2, 0), lat=52.24, lon=21.03, paused=True)
    paused = past.lead(on(2, 9))
    past.edit("PL-WAW-1", on(3, 0), paused=False)
    back = past.lead(on(3, 9))
    past.edit("PL-WAW-1", on(10, 0), paused=True)
    found = past.replayed({})
    assert found.figures.moved == 0
    assert who(found) == {
        early: "PL-WAW-1", moved_away: "PL-WAW-2", paused: "PL-WAW-2", back: "PL-WAW-1",
    }  # fmt: skip


def test_a_tried_change_outlives_the_edits_of_the_time(past: Past) -> None:
    first = past.lead(on(0, 9))
    past.edit("PL-WAW-1", on(1, 0), quality=0.9)
    second = past.lead(on(1, 9))
    found = past.replayed(changes={"PL-WAW-1": {"paused": True}})
    assert moves(found) == {first: "PL-WAW-2", second: "PL-WAW-2"}


def test_the_policies_that_held_are_what_a_draft_is_compared_with(past: Past) -> None:
    session = past.session
    market_id = past.world.markets["PL"]
    old = session.scalars(select(RoutingPolicy).where(RoutingPolicy.market_id == market_id)).one()
    old.end(on(1, 0))
    session.flush()
    strict = {"radius_km": 50, "rings_km": []}
    session.add(
        RoutingPolicy(market_id=market_id, version=2, settings=strict, valid=since(on(1, 0)))
    )
    session.commit()
    first = past.lead(on(0, 9), place=(51.25, 22.57))
    second = past.lead(on(1, 9), place=(51.25, 22.57))
    found = past.replayed(strict)
    assert who(found, "before") == {first: "PL-WAW-1", second: "(out_of_range)"}
    assert moves(found) == {first: "(out_of_range)"}


def test_a_lead_that_the_real_road_decided_is_replayed(
    past: Past, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead(at=on(4, 9))
    past.session.expire_all()
    found = past.replayed({})
    assert who(found, "before") == {lead.reference: "PL-WAW-1"}
    assert found.results[0].case.dealer_id == past.world.dealers["PL-WAW-1"]


# --- promises -----------------------------------------------------------------------------------


def test_promises_are_judged_by_what_happened_or_by_the_dealers_usual_answer(past: Past) -> None:
    """Half an hour for hot leads. PL-WAW-2 usually takes 20 minutes, PL-WAW-1 never 40."""
    quick = past.lead(on(0, 9), answered_after_minutes=10)
    late = past.lead(on(0, 9.5), answered_after_minutes=40)
    never = past.lead(on(0, 10))
    others = [past.lead(on(0, 11), "PL-WAW-2", place=(52.23, 20.961), answered_after_minutes=20)]
    before = past.replayed({}).figures.before.promises
    assert (before.judged, before.kept, before.estimated) == (4, 2, 0)
    assert before.share == 0.5

    found = past.replayed(changes={"PL-WAW-1": {"paused": True}})
    assert set(moves(found)) == {quick, late, never}
    after = found.figures.after.promises
    assert (after.judged, after.kept, after.estimated) == (4, 4, 3)

    stricter = past.replayed({"respond_within_minutes": {"hot": 15}}).figures.after.promises
    assert (stricter.judged, stricter.kept, stricter.estimated) == (4, 1, 0)
    assert others == [past.references[-1]]


def test_a_promise_whose_time_has_not_come_is_not_judged(past: Past) -> None:
    past.lead(NOW - timedelta(minutes=5) + timedelta(hours=9))
    question = Question(past.world.markets["PL"], MONDAY, NOW + timedelta(days=1), settings={})
    found = replay(past.session, question, NOW + timedelta(hours=9))
    assert found.figures.leads == 1
    assert found.figures.before.promises.judged == 0


# --- what is asked ------------------------------------------------------------------------------


def test_leads_left_out_of_the_figures_still_take_their_places(past: Past) -> None:
    past.lead(on(0, 9), band="warm")
    hot = past.lead(on(0, 10))
    found = past.replayed(changes={"PL-WAW-1": {"day_cap": 1}}, bands=("hot",))
    assert who(found) == {hot: "PL-WAW-2"}
    assert found.figures.leads == 1
    for nothing in (
        {"brands": ("vega",)},
        {"request_types": ("quote",)},
        {"sources": ("adf-pl",)},
        {"dealers": ("PL-WAW-2",)},
        {"from_at": on(1, 0)},
        {"to_at": on(0, 1)},
    ):
        assert past.replayed({}, **nothing).figures.leads == 0, nothing
    named = {"brands": ("aurel",), "request_types": ("test_drive",), "dealers": ("PL-WAW-1",)}
    assert past.replayed({}, sources=("api-pl",), **named).figures.leads == 2


def test_leads_given_by_hand_and_test_leads_are_left_out(past: Past) -> None:
    for each in (past.lead(on(0, 9)), past.lead(on(0, 10))):
        lead = past.session.scalars(select(Lead).where(Lead.reference == each)).one()
        if each.endswith("0"):
            lead.test = True
        else:
            decision = past.session.scalars(
                select(RoutingDecision).where(RoutingDecision.lead_id == lead.id)
            ).one()
            decision.result = {**decision.result, "how": "by_hand"}
    past.session.commit()
    assert past.replayed({}).figures.leads == 0


@pytest.mark.parametrize(
    ("settings", "changes", "problem"),
    [
        ({"radius_km": -1}, {}, PolicyError),
        ({"no_such": 1}, {}, PolicyError),
        ({}, {"PL-NOBODY": {"paused": True}}, BadChange),
        ({}, {"SA-RUH-1": {"paused": True}}, BadChange),
        ({}, {"PL-WAW-1": {"colour": "red"}}, BadChange),
        ({}, {"PL-WAW-1": {"hours": "whenever"}}, BadChange),
        ({}, {"PL-WAW-1": {"day_cap": -1}}, BadChange),
        ({}, {"PL-WAW-1": {"day_cap": True}}, BadChange),
        ({}, {"PL-WAW-1": {"paused": "yes"}}, BadChange),
        ({}, {"PL-WAW-1": {"weight": 0}}, BadChange),
        ({}, {"PL-WAW-1": {"closures": [["2026-03-03", "2026-03-01"]]}}, BadChange),
        ({}, {"PL-WAW-1": {"territories": [{"postcode": ["00"]}]}}, BadChange),
        ({}, {"PL-WAW-1": {"territories": [{"area": {"type": "Blob"}}]}}, BadChange),
    ],
)
def test_what_can_not_be_tried_is_refused(
    past: Past,
    settings: dict[str, Any],
    changes: dict[str, dict[str, Any]],
    problem: type[Exception],
) -> None:
    past.lead(on(0, 9))
    with pytest.raises(problem):
        past.replayed(settings, changes)


def test_the_arguments_of_a_job_are_read_back(world: World) -> None:
    question = Question(
        world.markets["PL"], MONDAY, NOW, settings={"radius_km": 90}, bands=("hot",),
        changes={"PL-WAW-1": {"day_cap": None}},
    )  # fmt: skip
    plain = json.loads(json.dumps(question.to_json()))
    assert question_from(plain, world.markets["PL"], NOW) == question
    usual = question_from({}, world.markets["PL"], NOW)
    assert (usual.from_at, usual.to_at) == (NOW - timedelta(days=30), NOW)
    for bad in ({"from": "soon"}, {"colour": 1}, {"from": "2026-05-01T00:00:00+00:00"},
                {"to": "2026-05-01"}):  # fmt: skip
        with pytest.raises(BadQuestion):
            question_from(bad, world.markets["PL"], NOW)


# --- nothing is written -------------------------------------------------------------------------


def rows_of_all_tables(session: Session) -> dict[str, tuple[int, str]]:
    """Per table how many rows there are, and which transactions wrote them."""
    tables = session.scalars(
        text(
            "SELECT relname FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
    ).all()
    found = {}
    for table in tables:
        written = "md5(string_agg(xmin || ctid::text, ' ' ORDER BY ctid))"
        row = session.execute(text(f'SELECT count(*), {written} FROM "{table}"')).one()
        found[table] = tuple(row)
    return found


def test_nothing_is_written(past: Past) -> None:
    for hour in range(8, 12):
        past.lead(on(0, hour), answered_after_minutes=5)
    before = rows_of_all_tables(past.session)
    past.replayed({"radius_km": 20, "open_bonus_km": {}}, {"PL-WAW-1": {"day_cap": 1}})
    past.session.commit()
    assert rows_of_all_tables(past.session) == before


# --- as a job, and at a terminal ----------------------------------------------------------------


def job_of(past: Past, **arguments: Any) -> Job:
    job = Job(
        kind="replay", market_id=past.world.markets["PL"], arguments=arguments, created_at=NOW
    )
    past.session.add(job)
    past.session.commit()
    return job


def draft_of(past: Past, **settings: Any) -> PolicyDraft:
    draft = PolicyDraft(
        market_id=past.world.markets["PL"], name="Try", settings=settings, created_at=NOW,
        changed_at=NOW,
    )  # fmt: skip
    past.session.add(draft)
    past.session.commit()
    return draft


def test_a_job_replays_a_draft_and_says_how_far_it_is(past: Past, sessions: SessionFactory) -> None:
    past.lead(on(0, 9))
    past.lead(on(0, 10), place=(51.25, 22.57))
    draft = draft_of(past, radius_km=50, rings_km=[])
    job = job_of(past, draft=draft.id, **{"from": MONDAY.isoformat()})
    with act_as(sessions(), SYSTEM) as own:
        run_replay_job(own, own.get_one(Job, job.id))
    past.session.refresh(job)
    assert (job.done, job.total, job.problem) == (2, 2, "")
    assert job.finished_at is not None
    assert job.lease_until is None
    assert job.result is not None
    assert (job.result["leads"], job.result["moved"]) == (2, 1)
    assert job.result["after"]["nobody"] == {"out_of_range": 1}
    assert job.result["points"][0]["reference"] == past.references[1]


def test_a_job_that_can_not_be_replayed_says_why(past: Past, sessions: SessionFactory) -> None:
    for arguments in (
        {"settings": {"radius_km": -5}},
        {"draft": 4711},
        {"changes": {"PL-WAW-1": {"colour": "red"}}},
        {"from": "soon"},
    ):
        job = job_of(past, **arguments)
        with act_as(sessions(), SYSTEM) as own:
            run_replay_job(own, own.get_one(Job, job.id))
        past.session.refresh(job)
        assert job.finished_at is not None
        assert job.problem, arguments
        assert job.result is None


class Opened:
    """What the command is given: a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @contextmanager
    def session(self) -> Iterator[Session]:
        yield self._session


def test_the_command_prints_figures_and_writes_the_moved_leads(past: Past, tmp_path: Path) -> None:
    past.lead(on(0, 9))
    far = past.lead(on(0, 10), place=(51.25, 22.57))
    draft = draft_of(past, radius_km=50, rings_km=[])
    span = ["--from", "2026-03-01", "--to", "2026-04-01"]

    def run(*arguments: str) -> str:
        answer = CliRunner().invoke(replay_command, [*arguments, *span], obj=Opened(past.session))
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    moved = tmp_path / "moved.csv"
    shown = run(str(draft.id), "--csv", str(moved))
    assert "2 leads, 1 moved (50.0%)" in shown
    assert "PL-WAW-1" in shown
    [line] = csv.DictReader(moved.read_text().splitlines())
    assert (line["reference"], line["from_dealer"], line["to_dealer"]) == (far, "PL-WAW-1", "")
    assert line["to_cause"] == "out_of_range"

    settings, changes = tmp_path / "policy.json", tmp_path / "changes.json"
    settings.write_text("{}")
    changes.write_text(json.dumps({"PL-WAW-1": {"paused": True}}))
    plain = json.loads(
        run(
            str(settings), "--market", "PL", "--changes", str(changes), "--json", "--brand", "aurel"
        )
    )
    assert plain["moved"] == 2


def test_the_command_says_what_is_wrong(past: Past, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"radius_km": -1}')
    for arguments, said in (
        (["4711"], "4711"),
        ([str(tmp_path / "none.json"), "--market", "PL"], "none.json"),
        ([str(bad), "--market", "PL"], "radius_km"),
        ([str(bad), "--market", "XX"], "XX"),
        ([str(bad)], "Name a market"),
    ):
        answer = CliRunner().invoke(replay_command, arguments, obj=Opened(past.session))
        assert answer.exit_code == 1
        assert said in answer.output, arguments
