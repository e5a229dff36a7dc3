"""Runs past leads through the rules that held and through those that would: the same way for both,
so that what differs comes from the rules and not from the simulation.

Caps start from the counts of the first instant, begin anew at each dealer's midnight, and an open
place is given back when the lead was really closed. Only first decisions are replayed: that a
dealer would have declined or slept is nobody's to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from lmt.replay.cases import Case, Replayed, Rules, Stretch, Turn
from lmt.routing.batch import decide_batch
from lmt.routing.candidate import Load
from lmt.routing.network import Network
from lmt.routing.tally import Tally
from lmt.workhours import working_minutes_between

AT_ONCE = 2_000
"""Leads between two reports of progress."""


def replayed(
    stretches: Iterable[Stretch],
    loads: Mapping[int, Load],
    began_at: datetime,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Replayed]:
    """Every counted case under both rules, in order. `loads` are the counts at `began_at`.

    `progress` is told how many cases are done.
    """
    before, after = Tally(began_at, loads), Tally(began_at, loads)
    done = 0
    for stretch in stretches:
        for first in range(0, len(stretch.cases), AT_ONCE):
            cases = stretch.cases[first : first + AT_ONCE]
            turns = zip(
                cases,
                _turns(cases, stretch.before, before),
                _turns(cases, stretch.after, after),
                strict=True,
            )
            for case, was, would_be in turns:
                if case.counted:
                    minutes = _response_minutes(case, stretch.before.network)
                    yield Replayed(case, was, would_be, minutes)
            done += len(cases)
            if progress is not None:
                progress(done)


def _turns(cases: Sequence[Case], rules: Rules, tally: Tally) -> list[Turn]:
    choices = decide_batch(
        rules.network,
        [case.lead for case in cases],
        rules.book,
        [case.at for case in cases],
        tally=tally,
        open_until=[case.closed_at for case in cases],
    )
    minutes: dict[tuple[int, str, int], int] = {}
    turns: list[Turn] = []
    for case, choice in zip(cases, choices, strict=True):
        policy = rules.book.policy_for(case.lead)
        key = id(policy), case.lead.band, case.lead.hop
        if key not in minutes:
            minutes[key] = policy.promise_minutes(case.lead.band, case.lead.hop)
        turns.append(Turn(choice, minutes[key]))
    return turns


def _response_minutes(case: Case, network: Network) -> float | None:
    if case.dealer_id is None or case.answered_at is None:
        return None
    dealer = network.by_id(case.dealer_id)
    if dealer is None:
        return None
    return working_minutes_between(dealer.calendar, case.at, case.answered_at)
