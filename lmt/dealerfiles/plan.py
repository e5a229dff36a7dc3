"""What an import of dealers would do: compares the lines of a file with the network as it is.

Pure. Whatever can't be done is in the plan with its reason, never left out silently.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lmt.dealerfiles.areas import DrawnAreas
from lmt.dealerfiles.row import NOTE, DealerRow, Problem
from lmt.dealerfiles.state import DealerState, changed_fields, plain_value

TEAM = "team"
NEEDED = ("name", "email", "hours")
"""Without these nobody can be given a lead."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A dealer as it stands. `standing` False: it has ended, or doesn't begin before later.
    `keeps` says why it can't be closed by leaving it out of a file, as a code: fallback,
    planned_already, "" where it can."""

    state: DealerState
    standing: bool = True
    open_leads: int = 0
    keeps: str = ""


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """What of a market a plan goes by; `open_to` False: whoever imports may not change it."""

    code: str
    countries: tuple[str, ...]
    language: str
    open_to: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """A dealer added (`before` None) or changed in `fields`."""

    number: int
    before: DealerState | None
    after: DealerState
    fields: tuple[str, ...] = ()
    notes: tuple[Problem, ...] = ()

    @property
    def changes(self) -> list[tuple[str, Any, Any]]:
        """(field, from, to)."""
        before = self.before or self.after
        return [(name, getattr(before, name), getattr(self.after, name)) for name in self.fields]


@dataclass(frozen=True, slots=True)
class Rejected:
    number: int
    code: str
    name: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """A dealer that isn't in the file. `obstacle` "" where it will be ended, its open leads routed
    anew; else why it isn't: team, fallback, planned_already, lines_without_code."""

    state: DealerState
    open_leads: int
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """`unchanged` are codes; `notes` of lines that change nothing are in `told`."""

    added: tuple[Step, ...] = ()
    changed: tuple[Step, ...] = ()
    unchanged: tuple[str, ...] = ()
    closing: tuple[Closing, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    told: tuple[tuple[str, Problem], ...] = field(default=())

    @property
    def steps(self) -> tuple[Step, ...]:
        return (*self.added, *self.changed)

    @property
    def ending(self) -> tuple[Closing, ...]:
        return tuple(each for each in self.closing if not each.obstacle)

    @property
    def rows(self) -> int:
        """Lines of the file."""
        return len(self.steps) + len(self.unchanged) + len(self.rejected)

    def mark(self) -> str:
        """Tells whether a plan is still the one that somebody looked at."""
        steps = [
            (step.number, {name: plain_value(value) for name, _, value in step.changes})
            if step.before
            else (step.number, [plain_value(getattr(step.after, n)) for n in _ALL])
            for step in self.steps
        ]
        ending = [(each.state.code, each.open_leads > 0) for each in self.ending]
        text = json.dumps([steps, ending], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


_ALL = tuple(DealerState.__dataclass_fields__)


def planned(
    rows: Sequence[DealerRow],
    standing: Mapping[str, Standing],
    markets: Mapping[str, MarketFacts],
    *,
    market: str = "",
    areas: DrawnAreas | None = None,
    close_missing: bool = False,
) -> Plan:
    """`standing` by code: at least the dealers that the rows name and, to close those that are
    missing, all of `market`, which closing needs. Without a `market` each row goes to that of its
    column or country."""
    if close_missing and not market:
        raise ValueError("which market's dealers are missing?")
    added, changed, rejected = [], [], []
    unchanged: list[str] = []
    told: list[tuple[str, Problem]] = []
    first_lines: dict[str, int] = {}
    for row in rows:
        errors = list(row.errors)
        if row.code:
            first = first_lines.setdefault(row.code.casefold(), row.number)
            if first != row.number:
                errors.append(Problem("repeated", "code", given=row.code, figures={"row": first}))
        known = standing.get(row.code)
        state, problems = _wanted(row, known, markets, market, areas)
        errors += problems
        if errors or state is None:
            rejected.append(Rejected(row.number, row.code, _name(row, known), tuple(errors)))
            continue
        notes = tuple(each for each in row.problems if each.kind == NOTE)
        if not state.competences and (known is None or known.state.competences):
            notes += (Problem("no_competence", "competences", kind=NOTE),)
        if known is None:
            added.append(Step(row.number, None, state, notes=notes))
        elif fields := changed_fields(known.state, state):
            changed.append(Step(row.number, known.state, state, fields, notes))
        else:
            unchanged.append(row.code)
            told += [(row.code, note) for note in notes]
    named = {row.code for row in rows}
    told += [
        (code, Problem("area_of_nobody", "areas", given=code, kind=NOTE))
        for code in sorted((areas.codes if areas else frozenset()) - named)
    ]
    closing: tuple[Closing, ...] = ()
    if close_missing:
        nameless = any(not row.code for row in rows)
        closing = tuple(_missing(standing, market, named, nameless))
    return Plan(
        tuple(added), tuple(changed), tuple(unchanged), closing, tuple(rejected), tuple(told)
    )


def _name(row: DealerRow, known: Standing | None) -> str:
    return row.name or (known.state.name if known else "")


def _wanted(
    row: DealerRow,
    known: Standing | None,
    markets: Mapping[str, MarketFacts],
    market: str,
    areas: DrawnAreas | None,
) -> tuple[DealerState | None, list[Problem]]:
    """The dealer as the row wants it, or what speaks against it."""
    errors: list[Problem] = []
    if known is not None and not known.standing:
        return None, [Problem("ended", "code", given=row.code)]
    facts = _market(row, known, markets, market)
    if isinstance(facts, Problem):
        return None, [facts]
    values = dict(row.values)
    values.pop("market", None)
    if known is None:
        stated = {each.field.split(".")[0] for each in row.errors}
        errors += [
            Problem("missing", name)
            for name in NEEDED
            if not values.get(name) and name not in stated
        ]
        told = stated & {"place", "lat", "lon"}
        if not told and not {"lat", "postcode", "city"} & values.keys():
            errors.append(Problem("place_nothing_given", "place"))
        # What can't be located says so already.
        if errors or not {"name", "email", "hours", "lat", "lon", "timezone"} <= values.keys():
            return None, errors
        before = DealerState(code=row.code, market=facts.code, name="", language=facts.language)
        if len(facts.countries) == 1:
            before = replace(before, country=facts.countries[0])
    else:
        before = known.state
    spoken = values.get("languages")
    if spoken and before.language not in spoken:
        values["language"] = spoken[0]
    if areas is not None and row.code in areas.by_dealer:
        values["areas"] = areas.by_dealer[row.code]
    state = replace(before, **values)
    if not state.country:
        errors.append(Problem("missing", "country"))
    elif state.country not in facts.countries:
        errors.append(Problem("country_elsewhere", "country", given=state.country))
    if state.day_cap is not None and state.month_cap is not None:
        known_already = any(each.code == "day_above_month" for each in row.errors)
        if state.day_cap > state.month_cap and not known_already:
            errors.append(Problem("day_above_month", "day_cap", given=str(state.day_cap)))
    return state, errors


def _market(
    row: DealerRow, known: Standing | None, markets: Mapping[str, MarketFacts], market: str
) -> MarketFacts | Problem:
    """The market the row belongs to: the one chosen, its own column's, its country's."""
    named = str(row.values.get("market", ""))
    if named and named not in markets:
        return Problem("unknown_market", "market", given=named)
    country = row.values.get("country", "")
    code = market or named or (known.state.market if known else "")
    if not code:
        code = next((each.code for each in markets.values() if country in each.countries), "")
    if not code and len(markets) == 1:
        code = next(iter(markets))
    if not code:
        return Problem("no_market", "country", given=str(country))
    if (named and named != code) or (known is not None and known.state.market != code):
        return Problem("other_market", "market", given=known.state.market if known else named)
    facts = markets.get(code)
    if facts is None or not facts.open_to:
        return Problem("market_closed", "market", given=code)
    return facts


def _missing(
    standing: Mapping[str, Standing], market: str, named: set[str], nameless: bool
) -> Iterator[Closing]:
    for code, known in sorted(standing.items()):
        if not known.standing or known.state.market != market or code in named:
            continue
        obstacle = known.keeps
        if not obstacle and known.state.kind == TEAM:
            obstacle = "team"
        if not obstacle and nameless:
            obstacle = "lines_without_code"
        yield Closing(known.state, known.open_leads, obstacle)
