"""Inside the dealer: the colleague who gets the lead, where the dealer hands leads to persons.

By skill, language, presence and load; whoever is off duty is stood in for by their deputy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lmt.routing.candidate import LeadFacts

REASONS = ("absent", "skill", "language", "load", "last_given", "id")
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Away:
    """Off duty from `starts_at` until just before `ends_at`, with who stands in, if anybody."""

    starts_at: datetime
    ends_at: datetime
    deputy_id: int | None = None


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person of the dealer who takes leads.

    `skills` are services, `languages` ISO 639 codes; empty for all. `open_leads` is how many they
    work on, `last_given_at` when they were last given one.
    """

    id: int
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    absences: tuple[Away, ...] = ()
    open_leads: int = 0
    last_given_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ColleagueChoice:
    """Who gets the lead; None leaves it to the team. `others` are the rest by id, each with what
    they lost by: one of REASONS. `instead_of` is the absent one whose deputy had to step in."""

    id: int | None
    others: tuple[tuple[int, str], ...] = ()
    instead_of: int | None = None


def colleague_for(
    lead: LeadFacts, colleagues: Sequence[Colleague], at: datetime
) -> ColleagueChoice:
    """The colleague for a lead of these, in any order, with ids of their own.

    Of those there, who has the skill; of these who speaks the customer's language, if anybody
    does; of these the one with the fewest open leads, then who was given one longest ago, then
    the lowest id. A deputy has, beside their own, the skills and languages of whom they stand in
    for.
    """
    present = {each.id: each for each in colleagues if _absence(each, at) is None}
    standing_in = _standing_in(colleagues, present, at)
    lost = {each.id: "absent" for each in colleagues if each.id not in present}
    left = sorted(present.values(), key=lambda each: each.id)

    def keep(chosen: Iterable[Colleague], reason: str) -> list[Colleague]:
        kept = list(chosen)
        ids = {each.id for each in kept}
        lost.update({each.id: reason for each in left if each.id not in ids})
        return kept

    def roles(colleague: Colleague) -> list[Colleague]:
        return [colleague, *standing_in.get(colleague.id, ())]

    left = keep((each for each in left if any(_has_skill(r, lead) for r in roles(each))), "skill")
    speaking = [
        each for each in left if any(_has_skill(r, lead) and _speaks(r, lead) for r in roles(each))
    ]
    left = keep(speaking or left, "language")
    if not left:
        return ColleagueChoice(None, tuple(sorted(lost.items())))
    fewest = min(each.open_leads for each in left)
    left = keep((each for each in left if each.open_leads == fewest), "load")
    longest_ago = min(each.last_given_at or _NEVER for each in left)
    left = keep((e for e in left if (e.last_given_at or _NEVER) == longest_ago), "last_given")
    (chosen,) = keep(left[:1], "id")
    fitting = [role for role in roles(chosen) if _has_skill(role, lead)]
    role = next((role for role in fitting if _speaks(role, lead)), fitting[0])
    instead_of = None if role is chosen else role.id
    return ColleagueChoice(chosen.id, tuple(sorted(lost.items())), instead_of)


def deputy_of(colleague: Colleague, colleagues: Iterable[Colleague], at: datetime) -> int | None:
    """Who stands in for an absent colleague at `at`: the deputy, or an absent deputy's own deputy;
    None where nobody there does, or where the colleague is there."""
    by_id = {each.id: each for each in colleagues}
    seen = {colleague.id}
    absence = _absence(colleague, at)
    while absence is not None and absence.deputy_id is not None:
        deputy = by_id.get(absence.deputy_id)
        if deputy is None or deputy.id in seen:
            return None
        seen.add(deputy.id)
        absence = _absence(deputy, at)
        if absence is None:
            return deputy.id
    return None


def _absence(colleague: Colleague, at: datetime) -> Away | None:
    """The absence under way; of several the one that names a deputy."""
    now = [away for away in colleague.absences if away.starts_at <= at < away.ends_at]
    return next((away for away in now if away.deputy_id is not None), now[0] if now else None)


def _standing_in(
    colleagues: Sequence[Colleague], present: Iterable[int], at: datetime
) -> dict[int, list[Colleague]]:
    """The absent colleagues that each one stands in for."""
    there = set(present)
    found: dict[int, list[Colleague]] = {}
    for each in sorted(colleagues, key=lambda each: each.id):
        if each.id not in there:
            deputy = deputy_of(each, colleagues, at)
            if deputy is not None:
                found.setdefault(deputy, []).append(each)
    return found


def _has_skill(colleague: Colleague, lead: LeadFacts) -> bool:
    return not colleague.skills or lead.service in colleague.skills


def _speaks(colleague: Colleague, lead: LeadFacts) -> bool:
    return not lead.language or not colleague.languages or lead.language in colleague.languages
