"""Classify and prioritise a lead by a market's rules: pure, and every effect names its rule.

A rule holds when all its conditions hold; then its effects apply, in the order of the rules:
the first to name a request type or a service decides it, tags add up, points add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

OPERATORS = ("is", "in", "contains", "given")
EFFECTS = ("request_type", "service", "tags", "points")
FACTS = (
    "request_type",
    "comments",
    "brand",
    "model",
    "channel",
    "source",
    "campaign",
    "timeframe",
    "condition",
    "trade_in",
    "company",
    "email",
    "phone",
    "language",
    "country",
    "preferred_dealer",
    "repeated",
)

HOT_POINTS = 50
WARM_POINTS = 20
DEFAULT_TYPE = "information"

SERVICES: Mapping[str, str] = {
    "used_car": "used",
    "after_sales": "after_sales",
    "parts": "parts",
    "finance": "finance",
    "fleet": "fleet",
    "complaint": "care",
}
"""The competence that a request type needs; every other asks for new-car sales."""


class BadRule(ValueError):
    """A rule that can't be read; the message says where."""


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One rule as data: `when` conditions {"field", operator: value}, `then` effects."""

    name: str
    when: tuple[Mapping[str, Any], ...]
    then: Mapping[str, Any]

    def __post_init__(self) -> None:
        for condition in self.when:
            if condition.get("field") not in FACTS:
                raise BadRule(f"{self.name}: there is no field {condition.get('field')!r}")
            if len([o for o in OPERATORS if o in condition]) != 1:
                raise BadRule(f"{self.name}: a condition needs one of {', '.join(OPERATORS)}")
        for effect in self.then:
            if effect not in EFFECTS:
                raise BadRule(f"{self.name}: there is no effect {effect!r}")


@dataclass(frozen=True, slots=True)
class Qualification:
    """The result: what is wanted, the competence it needs, how urgent it is, and why."""

    request_type: str
    service: str
    tags: tuple[str, ...]
    points: int
    band: str
    rules: tuple[str, ...] = field(default=())
    """Names of the rules that held, in order."""


def qualify(facts: Mapping[str, str], rules: Iterable[RuleSpec]) -> Qualification:
    """What `rules` make of a lead's `facts` (see FACTS; a fact left out is empty)."""
    request_type, service, points = facts.get("request_type", ""), "", 0
    tags: list[str] = []
    held: list[str] = []
    for rule in rules:
        if not all(_holds(condition, facts) for condition in rule.when):
            continue
        held.append(rule.name)
        request_type = request_type or rule.then.get("request_type", "")
        service = service or rule.then.get("service", "")
        points += rule.then.get("points", 0)
        tags += [tag for tag in rule.then.get("tags", ()) if tag not in tags]
    request_type = request_type or DEFAULT_TYPE
    return Qualification(
        request_type=request_type,
        service=service or SERVICES.get(request_type, "sales"),
        tags=tuple(tags),
        points=points,
        band=band(points),
        rules=tuple(held),
    )


def band(points: int) -> str:
    """`hot`, `warm` or `cold`: the priority band that routing and deadlines speak of."""
    if points >= HOT_POINTS:
        return "hot"
    return "warm" if points >= WARM_POINTS else "cold"


def _holds(condition: Mapping[str, Any], facts: Mapping[str, str]) -> bool:
    value = facts.get(condition["field"], "").casefold()
    if "given" in condition:
        return bool(value) is bool(condition["given"])
    if "is" in condition:
        return value == str(condition["is"]).casefold()
    if "in" in condition:
        return value in {str(each).casefold() for each in condition["in"]}
    if not value:
        # Most leads say nothing, and no word is in that.
        return "" in [*condition["contains"]]
    return any(str(word).casefold() in value for word in condition["contains"])
