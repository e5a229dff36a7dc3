"""Escalation as a table: which steps have come, when the next one does, which lists are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.escalation import (
    DEFAULT_STEPS,
    NEVER_OPEN_WAIT,
    REPEAT_MINUTES,
    Step,
    StepError,
    default_steps,
    due_steps,
    minutes_to_answer,
    never_fires,
    next_instant,
    steps_from,
    steps_to_json,
)
from lmt.followup.plans import reminder_at
from lmt.workhours import Calendar, is_open, working_minutes_between

WARSAW = ZoneInfo("Europe/Warsaw")
OFFICE = Calendar("Mo-Fr 09:00-18:00", "Europe/Warsaw")
NEVER = Calendar("off", "Europe/Warsaw")
MONDAY = 9
"""9 March 2026."""


def at(day: int, clock: str) -> datetime:
    """`day` counts from Monday 9 March 2026, 1 for that Monday."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 3, MONDAY + day - 1, hour, minute, tzinfo=WARSAW).astimezone(UTC)


def step(**given: Any) -> dict[str, Any]:
    return {"state": "offered", "after_minutes": 20, "action": "remind_dealer", **given}


def names(steps: tuple[Step, ...]) -> list[str]:
    return [f"{each.after_minutes} {each.action}" for each in steps]


EXAMPLE = steps_from(
    [
        step(hop=1, after_minutes=30, action="reroute"),
        step(hop=2, after_minutes=20, action="notify_manager"),
        step(hop=2, after_minutes=50, action="notify_headquarters"),
        step(hop=2, after_minutes=60, action="reroute"),
    ]
)
"""Not taken in 30 minutes: next dealer; in 20 more: the manager; in 30 more: management."""


@pytest.mark.parametrize(
    ("state", "band", "hop", "since", "done", "now", "due", "next_at"),
    [
        # The hot lead of Tuesday 10:00 that is offered.
        ("offered", "hot", 1, at(2, "10:00"), 0, at(2, "10:19"), [], at(2, "10:20")),
        ("offered", "hot", 1, at(2, "10:00"), 0, at(2, "10:20"), ["20 remind_dealer"], None),
        ("offered", "hot", 1, at(2, "10:00"), 20, at(2, "10:25"), [], None),
        # A warm one; nights don't count, and a span that fits up to closing ends there.
        ("offered", "warm", 1, at(2, "17:50"), 0, at(3, "09:29"), [], at(3, "09:30")),
        ("offered", "warm", 1, at(2, "17:20"), 0, at(2, "17:30"), [], at(2, "18:00")),
        # Accepted on Friday 17:30: an hour's work ends on Monday.
        ("accepted", "hot", 1, at(5, "17:30"), 0, at(7, "12:00"), [], at(8, "09:30")),
        ("accepted", "hot", 1, at(5, "17:30"), 0, at(8, "09:30"), ["60 remind_dealer"], None),
        # The worker was away: what was missed comes once, in order.
        ("accepted", "hot", 1, at(2, "09:00"), 0, at(3, "09:00"),
         ["60 remind_dealer", "240 notify_manager", "480 notify_headquarters"], None),
        ("accepted", "hot", 1, at(2, "09:00"), 240, at(3, "09:00"),
         ["480 notify_headquarters"], None),
        # A plan that lies ahead counts from its instant, not from now.
        ("plan_overdue", "warm", 2, at(3, "15:00"), 0, at(2, "10:00"), [], at(3, "16:00")),
        ("plan_overdue", "warm", 2, at(3, "17:30"), 0, at(4, "09:30"), ["60 remind_dealer"], None),
        # Forty hours of work.
        ("contacted", "cold", 1, at(2, "09:00"), 0, at(2, "09:00"), [], at(8, "13:00")),
    ],
)  # fmt: skip
def test_which_steps_have_come_and_when_the_next_one_does(
    state: str,
    band: str,
    hop: int,
    since: datetime,
    done: int,
    now: datetime,
    due: list[str],
    next_at: datetime | None,
) -> None:
    asked: dict[str, Any] = {
        "state": state, "band": band, "hop": hop, "since": since, "calendar": OFFICE, "at": now,
    }  # fmt: skip
    come, reached = due_steps(DEFAULT_STEPS, done_minutes=done, **asked)
    assert names(come) == due
    instant = next_instant(DEFAULT_STEPS, done_minutes=reached, **asked)
    assert instant > now
    if next_at is not None:
        assert instant == next_at


@pytest.mark.parametrize(
    ("hop", "minutes", "due"),
    [
        (1, 29, []),
        (1, 30, ["30 reroute"]),
        (2, 20, ["20 notify_manager"]),
        (2, 49, ["20 notify_manager"]),
        (2, 50, ["20 notify_manager", "50 notify_headquarters"]),
        (3, 500, []),
    ],
)
def test_the_example_of_thirty_twenty_and_thirty_minutes(
    hop: int, minutes: int, due: list[str]
) -> None:
    since = at(2, "09:00")
    come, _ = due_steps(
        EXAMPLE, state="offered", band="hot", hop=hop, since=since, done_minutes=0,
        calendar=OFFICE, at=since + timedelta(minutes=minutes),
    )  # fmt: skip
    assert names(come) == due


def test_the_deadline_of_an_offer_is_its_first_reroute() -> None:
    assert [minutes_to_answer(EXAMPLE, "hot", hop, 45) for hop in (1, 2, 3)] == [30, 60, 45]


def test_after_the_last_step_its_last_notice_comes_again_each_week_of_work() -> None:
    since, always = at(1, "09:00"), Calendar("24/7", "UTC")
    done, seen = 0, []
    now = since
    for _ in range(6):
        now = next_instant(
            DEFAULT_STEPS, state="accepted", band="hot", hop=1, since=since, done_minutes=done,
            calendar=always, at=now,
        )  # fmt: skip
        come, done = due_steps(
            DEFAULT_STEPS, state="accepted", band="hot", hop=1, since=since, done_minutes=done,
            calendar=always, at=now,
        )  # fmt: skip
        seen += names(come)
    repeated = [f"{480 + n * REPEAT_MINUTES} notify_headquarters" for n in (1, 2, 3)]
    first = ["60 remind_dealer", "240 notify_manager", "480 notify_headquarters"]
    assert seen == first + repeated
    # Long away, the latest counts.
    late, reached = due_steps(
        DEFAULT_STEPS, state="accepted", band="hot", hop=1, since=since, done_minutes=480,
        calendar=always, at=since + timedelta(minutes=480 + 5 * REPEAT_MINUTES + 1),
    )  # fmt: skip
    assert (names(late), reached) == (
        [f"{480 + 5 * REPEAT_MINUTES} notify_headquarters"],
        480 + 5 * REPEAT_MINUTES,
    )


def test_a_dealer_that_never_opens_is_looked_at_again_after_a_week() -> None:
    now = at(2, "10:00")
    asked: dict[str, Any] = {
        "state": "accepted", "band": "hot", "hop": 1, "since": now - timedelta(days=900),
        "done_minutes": 0, "calendar": NEVER, "at": now,
    }  # fmt: skip
    assert due_steps(DEFAULT_STEPS, **asked) == ((), 0)
    assert next_instant(DEFAULT_STEPS, **asked) == now + NEVER_OPEN_WAIT


def test_without_any_step_there_still_is_a_next_instant() -> None:
    since = at(1, "09:00")
    asked: dict[str, Any] = {
        "state": "accepted", "band": "hot", "hop": 1, "since": since, "calendar": OFFICE,
    }  # fmt: skip
    first = next_instant((), done_minutes=0, at=since, **asked)
    assert working_minutes_between(OFFICE, since, first) == REPEAT_MINUTES
    come, reached = due_steps((), done_minutes=0, at=first, **asked)
    assert (come, reached) == ((), REPEAT_MINUTES)
    second = next_instant((), done_minutes=reached, at=first, **asked)
    assert working_minutes_between(OFFICE, since, second) == 2 * REPEAT_MINUTES


_steps = st.builds(
    Step,
    st.just("accepted"),
    st.integers(1, 900),
    st.sampled_from(["remind_dealer", "notify_manager", "notify_headquarters"]),
    st.sampled_from([(), ("hot",), ("warm", "cold")]),
    st.sampled_from([None, 1, 2]),
)


@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(_steps, max_size=6),
    minutes=st.integers(0, 7 * 24 * 60),
    looks=st.lists(st.integers(1, 3000), max_size=8),
)
def test_however_often_it_is_looked_each_step_comes_once_and_never_early(
    steps: list[Step], minutes: int, looks: list[int]
) -> None:
    since = at(1, "00:00") + timedelta(minutes=minutes)
    now, done = since, 0
    seen: list[Step] = []
    for look in looks:
        now += timedelta(minutes=look)
        come, done = due_steps(
            steps, state="accepted", band="hot", hop=1, since=since, done_minutes=done,
            calendar=OFFICE, at=now,
        )  # fmt: skip
        worked = working_minutes_between(OFFICE, since, now)
        assert all(each.after_minutes <= worked for each in come)
        seen += come
        following = next_instant(
            steps, state="accepted", band="hot", hop=1, since=since, done_minutes=done,
            calendar=OFFICE, at=now,
        )  # fmt: skip
        assert following > now
        assert is_open(OFFICE, following - timedelta(microseconds=1))
    worked = working_minutes_between(OFFICE, since, now)
    mine = [s for s in steps if s.applies("accepted", "hot", 1) and s.after_minutes <= worked]
    last = max((s.after_minutes for s in steps if s.applies("accepted", "hot", 1)), default=0)
    first_round = [each for each in seen if each.after_minutes <= last]
    assert sorted(map(str, first_round)) == sorted(map(str, mine))


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ([step(state="lost")], "no state"),
        ([step(action="phone")], "no action"),
        ([step(band=["tepid"])], "bands"),
        ([step(band="hot")], "bands"),
        ([step(after_minutes=0)], "after_minutes"),
        ([step(after_minutes=-5)], "after_minutes"),
        ([step(after_minutes="20")], "after_minutes"),
        ([step(after_minutes=True)], "after_minutes"),
        ([step(after_minutes=2.5)], "after_minutes"),
        ([step(hop=0)], "hop"),
        ([step(who="bert")], "'who'"),
        (["remind"], "object"),
        ([step(state="contacted", action="reroute")], "not routed on"),
        ([step(state="plan_overdue", action="reroute")], "not routed on"),
        ([step(), step()], "twice"),
        ([step(band=["hot", "warm"]), step(band=["warm"])], "twice"),
        ([step(hop=2), step()], "twice"),
        # At or after the reroute that ends the offer.
        ([step(after_minutes=30), step(after_minutes=30, action="reroute")], "never comes"),
        ([step(after_minutes=31, band=["hot", "cold"]),
          step(after_minutes=30, action="reroute", band=["hot"])], "never comes"),
        ([step(after_minutes=60, action="reroute"),
          step(after_minutes=30, action="reroute")], "never comes"),
        ([step(state="accepted", after_minutes=90),
          step(state="accepted", after_minutes=60, action="reroute")], "never comes"),
    ],
)  # fmt: skip
def test_steps_that_make_no_sense_are_refused_with_the_reason(plain: Any, words: str) -> None:
    with pytest.raises(StepError, match=words):
        steps_from(plain)


@pytest.mark.parametrize(
    "plain",
    [
        [],
        [step(after_minutes=29), step(after_minutes=30, action="reroute")],
        # Another dealer's offer lasts longer.
        [step(after_minutes=40), step(after_minutes=30, action="reroute", hop=1)],
        [step(after_minutes=40, band=["cold"]),
         step(after_minutes=30, action="reroute", band=["hot"])],
        [step(hop=1), step(hop=2)],
        [step(band=["hot"]), step(band=["cold"])],
        [step(), step(action="notify_manager")],
        [step(state="accepted", after_minutes=90, action="reroute"), step()],
    ],
)  # fmt: skip
def test_steps_that_can_come_are_read_and_written(plain: list[dict[str, Any]]) -> None:
    steps = steps_from(plain)
    assert steps_from(steps_to_json(steps)) == steps


def test_a_step_behind_the_policys_own_deadline_never_comes() -> None:
    steps = steps_from([step(after_minutes=45, band=["hot"])])
    assert never_fires(steps, {"hot": 30}) == steps[0]
    assert never_fires(steps, {"hot": 46}) is None


def test_shorter_deadlines_keep_the_default_steps_that_can_come() -> None:
    kept = default_steps({"hot": 15, "warm": 60, "cold": 240})
    assert set(DEFAULT_STEPS) - set(kept) == {DEFAULT_STEPS[0]}
    assert default_steps({"hot": 30, "warm": 60, "cold": 240}) == DEFAULT_STEPS
    assert never_fires(DEFAULT_STEPS, {}) is None
    assert steps_from(steps_to_json(DEFAULT_STEPS)) == DEFAULT_STEPS


@pytest.mark.parametrize(
    ("planned", "due", "reminder"),
    [
        (at(1, "10:00"), at(2, "15:00"), at(2, "14:30")),
        (at(1, "10:00"), at(2, "09:15"), at(1, "17:45")),
        (at(1, "20:00"), at(2, "09:15"), at(2, "09:00")),
        (at(1, "20:00"), at(2, "08:00"), None),
        (at(2, "14:45"), at(2, "15:00"), None),
        # A visit on Sunday is told of on Friday.
        (at(1, "10:00"), at(7, "11:00"), at(5, "17:45")),
        (at(5, "17:50"), at(7, "11:00"), at(5, "17:50")),
        (at(5, "18:00"), at(7, "11:00"), None),
    ],
)
def test_when_a_planned_action_is_reminded_of(
    planned: datetime, due: datetime, reminder: datetime | None
) -> None:
    assert reminder_at(OFFICE, due, planned) == reminder
