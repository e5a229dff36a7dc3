"""Stage 5, pure: a market's escalation steps, and which of them are due for a lead that waits.

A step says: after so many of the holder's working minutes in a state, somebody is reminded or told,
or the lead moves on. Steps are data of the routing policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lmt.workhours import Calendar, add_working_minutes, working_minutes_between

STATES = ("offered", "accepted", "contacted", "plan_overdue")
ACTIONS = ("remind_dealer", "notify_manager", "notify_headquarters", "reroute", "raise_priority")
BANDS = ("hot", "warm", "cold")
REROUTED = frozenset({"offered", "accepted"})
"""States that a step may end by giving the lead to another dealer."""
NOTICES = frozenset({"notify_manager", "notify_headquarters"})
REPEAT_MINUTES = 2400
"""Working minutes, a week of eight-hour days: after the last step its last notice comes again."""
NEVER_OPEN_WAIT = timedelta(days=7)
"""When a lead is looked at again whose holder's calendar has no working time ahead."""


class StepError(ValueError):
    """Steps that contradict each other or make no sense."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Step:
    """`action`, once `after_minutes` of the holder's working time have passed in `state`.

    An empty `band` stands for every band. `hop` counts the dealers that had the lead, 1 for the
    first; None for all of them. In `plan_overdue` time counts from the planned instant, in
    `offered` from when the offer's clock began, else from the holder's last act.
    """

    state: str
    after_minutes: int
    action: str
    band: tuple[str, ...] = ()
    hop: int | None = None

    def applies(self, state: str, band: str, hop: int) -> bool:
        return (
            self.state == state and (not self.band or band in self.band) and self.hop in {None, hop}
        )

    def __str__(self) -> str:
        where = "/".join(self.band) or "every band"
        hop = "" if self.hop is None else f", dealer {self.hop}"
        return f"{self.state} {self.after_minutes} min {self.action} ({where}{hop})"


DEFAULT_STEPS: tuple[Step, ...] = (
    Step("offered", 20, "remind_dealer", ("hot",)),
    Step("offered", 40, "remind_dealer", ("warm",)),
    Step("offered", 180, "remind_dealer", ("cold",)),
    Step("accepted", 60, "remind_dealer", ("hot",)),
    Step("accepted", 240, "notify_manager", ("hot",)),
    Step("accepted", 480, "notify_headquarters", ("hot",)),
    Step("accepted", 240, "remind_dealer", ("warm",)),
    Step("accepted", 480, "notify_manager", ("warm",)),
    Step("accepted", 960, "notify_headquarters", ("warm",)),
    Step("accepted", 480, "remind_dealer", ("cold",)),
    Step("accepted", 960, "notify_manager", ("cold",)),
    Step("contacted", 2400, "remind_dealer"),
    Step("contacted", 4800, "notify_manager"),
    Step("plan_overdue", 60, "remind_dealer"),
    Step("plan_overdue", 480, "notify_manager"),
)


def default_steps(respond_within_minutes: Mapping[str, int]) -> tuple[Step, ...]:
    """DEFAULT_STEPS, less those of an offer that these deadlines (working minutes by band) end
    before: a market that shortens its deadlines needn't name steps of its own."""
    return tuple(step for step in DEFAULT_STEPS if _fires([step], step, respond_within_minutes))


def steps_from(plain: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Steps from JSON objects {"state", "after_minutes", "action", "band": [], "hop": null}.

    Raises StepError for one that is malformed, unknown, there twice, or can never come because
    the lead has been routed on by then.
    """
    steps = tuple(_read(each) for each in plain)
    for number, step in enumerate(steps):
        for other in steps[:number]:
            if _same(step, other):
                raise StepError(f"{step} is there twice")
    problem = never_fires(steps, {})
    if problem is not None:
        raise StepError(f"{problem} never comes: the lead has moved on by then")
    return steps


def steps_to_json(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """The same as JSON values; `steps_from` reads them back."""
    return [
        {
            "state": step.state,
            "band": list(step.band),
            "hop": step.hop,
            "after_minutes": step.after_minutes,
            "action": step.action,
        }
        for step in steps
    ]


def never_fires(steps: Iterable[Step], respond_within_minutes: Mapping[str, int]) -> Step | None:
    """The first step that comes too late, whichever dealer has the lead: at or after the instant
    at which the steps, or the deadlines of offers (working minutes by band), end its state."""
    every = list(steps)
    return next((step for step in every if not _fires(every, step, respond_within_minutes)), None)


def minutes_to_answer(steps: Iterable[Step], band: str, hop: int, otherwise: int) -> int:
    """Working minutes of the `hop`-th dealer's offer: the first step that re-routes it, else
    `otherwise`."""
    return min(_reroutes(steps, "offered", band, hop), default=otherwise)


def due_steps(
    steps: Iterable[Step],
    *,
    state: str,
    band: str,
    hop: int,
    since: datetime,
    done_minutes: int,
    calendar: Calendar,
    at: datetime,
) -> tuple[tuple[Step, ...], int]:
    """The steps that have come since `done_minutes`, in order, and the minutes reached by them.

    Pass the minutes reached as `done_minutes` the next time. `calendar` is the holder's. A
    repeated notice carries the minutes at which it comes; of several missed, the latest counts.
    """
    elapsed = working_minutes_between(calendar, since, at)
    mine = _mine(steps, state, band, hop)
    due = [step for step in mine if done_minutes < step.after_minutes <= elapsed]
    reached = max([done_minutes, *(step.after_minutes for step in due)])
    last = mine[-1].after_minutes if mine else 0
    rounds = int((elapsed - last) // REPEAT_MINUTES)
    if rounds >= 1 and (again := last + rounds * REPEAT_MINUTES) > reached:
        notices = [step for step in mine if step.action in NOTICES]
        due += [replace(notices[-1], after_minutes=again)] if notices else []
        reached = again
    return tuple(due), reached


def next_instant(
    steps: Iterable[Step],
    *,
    state: str,
    band: str,
    hop: int,
    since: datetime,
    done_minutes: int,
    calendar: Calendar,
    at: datetime,
) -> datetime:
    """When the next step comes, in the holder's working time; there always is one.

    `at` where it is due already. Where the calendar never opens, a week from `at`.
    """
    mine = _mine(steps, state, band, hop)
    following = [step.after_minutes for step in mine if step.after_minutes > done_minutes]
    if following:
        minutes = following[0]
    else:
        last = mine[-1].after_minutes if mine else 0
        rounds = max(done_minutes - last, 0) // REPEAT_MINUTES + 1
        minutes = last + rounds * REPEAT_MINUTES
    # Counted from now, since a calendar is followed for a year at most.
    now = max(at, since)
    left = minutes - working_minutes_between(calendar, since, now)
    return add_working_minutes(calendar, now, max(left, 0)) or now + NEVER_OPEN_WAIT


def _mine(steps: Iterable[Step], state: str, band: str, hop: int) -> list[Step]:
    mine = [step for step in steps if step.applies(state, band, hop)]
    return sorted(mine, key=lambda step: step.after_minutes)


def _reroutes(steps: Iterable[Step], state: str, band: str, hop: int) -> Iterator[int]:
    for step in steps:
        if step.action == "reroute" and step.applies(state, band, hop):
            yield step.after_minutes


def _fires(steps: list[Step], step: Step, deadlines: Mapping[str, int]) -> bool:
    """Whether every band that the step names can see it, at one dealer at least."""
    hops = (
        [step.hop]
        if step.hop
        else sorted({1, *(s.hop + n for s in steps if s.hop for n in (0, 1))})
    )

    def seen(band: str) -> bool:
        return any(step.after_minutes < _end(steps, step, band, hop, deadlines) for hop in hops)

    if step.band:
        return all(seen(band) for band in step.band)
    return any(seen(band) for band in BANDS)


def _end(steps: list[Step], step: Step, band: str, hop: int, deadlines: Mapping[str, int]) -> float:
    """After how many minutes the step's state is over, by others' doing."""
    others = [other for other in steps if other is not step]
    ends = list(_reroutes(others, step.state, band, hop))
    if step.action == "reroute" or step.state != "offered" or ends:
        return min(ends, default=float("inf"))
    return deadlines.get(band, float("inf"))


def _same(one: Step, other: Step) -> bool:
    """Whether both would do the same thing at the same time to some lead."""
    alike = (one.state, one.action, one.after_minutes) == (
        other.state,
        other.action,
        other.after_minutes,
    )
    bands = not one.band or not other.band or bool(set(one.band) & set(other.band))
    return alike and bands and (None in {one.hop, other.hop} or one.hop == other.hop)


def _read(plain: Mapping[str, Any]) -> Step:
    if not isinstance(plain, Mapping):
        raise StepError(f"a step is an object, not {plain!r}")
    if unknown := set(plain) - {"state", "band", "hop", "after_minutes", "action"}:
        raise StepError(f"a step has no {min(map(str, unknown))!r}")
    state, action = plain.get("state"), plain.get("action")
    if state not in STATES:
        raise StepError(f"there is no state {state!r}; one of {', '.join(STATES)}")
    if action not in ACTIONS:
        raise StepError(f"there is no action {action!r}; one of {', '.join(ACTIONS)}")
    if action == "reroute" and state not in REROUTED:
        raise StepError(f"a lead in state {state} is not routed on by a step")
    bands = plain.get("band") or []
    if not isinstance(bands, list | tuple) or not all(band in BANDS for band in bands):
        raise StepError(f"bands are a list of {', '.join(BANDS)}, not {bands!r}")
    hop = plain.get("hop")
    return Step(
        state,
        _whole("after_minutes", plain.get("after_minutes")),
        action,
        tuple(band for band in BANDS if band in bands),
        None if hop is None else _whole("hop", hop),
    )


def _whole(name: str, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise StepError(f"{name} must be a whole number above 0, not {value!r}")
    return value
