"""A market's policy and its exceptions: one lead goes by one case of them, or by the base.

Cases part leads by request type, brand, customer kind and priority band; the first whose
conditions all hold wins, and its settings stand in for those of the base.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from lmt.escalation import BANDS, Step, never_fires, steps_to_json
from lmt.openinghours import N_
from lmt.routing.candidate import LeadFacts
from lmt.routing.policy import CUSTOMER_KINDS, Policy, PolicyError

CONDITIONS = ("request_type", "brand", "customer_kind", "band")
_CLOSED_LISTS: Mapping[str, tuple[str, ...]] = {"customer_kind": CUSTOMER_KINDS, "band": BANDS}
_ANY_OTHER = "\0"


@dataclass(frozen=True, slots=True)
class Case:
    """An exception: `when` allows values per condition, `settings` are its overrides as JSON
    values, `policy` the base with them laid over. A condition that isn't named always holds."""

    name: str
    when: Mapping[str, frozenset[str]]
    settings: Mapping[str, Any]
    policy: Policy

    def holds(self, values: Mapping[str, str]) -> bool:
        """Whether the case is for a lead of these values, one for each of CONDITIONS."""
        return all(values[name] in allowed for name, allowed in self.when.items())


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """The base policy of a market, and its cases in the order in which they are tried."""

    base: Policy
    cases: tuple[Case, ...] = ()

    def policy_for(self, lead: LeadFacts) -> Policy:
        """The policy that the lead goes by."""
        case = self.case_for(lead) if self.cases else None
        return self.base if case is None else case.policy

    def case_for(self, lead: LeadFacts) -> Case | None:
        """The case that the lead goes by; None for the base."""
        values = {name: getattr(lead, name) for name in CONDITIONS}
        return next((case for case in self.cases if case.holds(values)), None)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> PolicyBook:
        """Read JSON settings of a policy with `cases` [{"name", "when": {condition: [values]},
        "settings": {overrides}}].

        Raises PolicyError: as `Policy.from_settings` does, its `case` the name of the case whose
        overrides are meant, and with field `cases` for a case that is malformed or never holds.
        """
        plain = dict(settings)
        listed = plain.pop("cases", [])
        base = Policy.from_settings(plain)
        if not isinstance(listed, list | tuple):
            raise PolicyError("cases", N_("A list is needed, not %(value)s."), value=repr(listed))
        cases: list[Case] = []
        for each in listed:
            try:
                cases.append(_case(each, base, cases))
            except PolicyError as error:
                named = each.get("name") if isinstance(each, Mapping) else None
                raise error.within(str(named or f"#{len(cases) + 1}")) from error
        return cls(base, tuple(cases))

    def to_settings(self) -> dict[str, Any]:
        """The same as JSON values; `from_settings` reads them back."""
        settings = self.base.to_settings()
        if self.cases:
            settings["cases"] = [
                {
                    "name": case.name,
                    "when": {name: sorted(values) for name, values in case.when.items()},
                    "settings": dict(case.settings),
                }
                for case in self.cases
            ]
        return settings


def _case(plain: Any, base: Policy, earlier: Sequence[Case]) -> Case:
    if not isinstance(plain, Mapping) or set(plain) - {"name", "when", "settings"}:
        message = N_("A case has a name, conditions and settings, not %(value)s.")
        raise PolicyError("cases", message, value=repr(plain))
    name, overrides = plain.get("name"), plain.get("settings", {})
    if not isinstance(name, str) or not name.strip():
        raise PolicyError("cases", N_("A case needs a name."))
    if any(name == other.name for other in earlier):
        raise PolicyError("cases", N_("Two cases have the same name."))
    if not isinstance(overrides, Mapping):
        raise PolicyError("cases", N_("Settings are needed, not %(value)s."), value=repr(overrides))
    case = Case(name, _when(plain.get("when")), dict(overrides), _overridden(base, overrides))
    if covering := _covering(case, earlier):
        message = N_("It never holds: the cases before it take all its leads (%(cases)s).")
        raise PolicyError("cases", message, cases=", ".join(other.name for other in covering))
    return case


def _when(plain: Any) -> dict[str, frozenset[str]]:
    if not isinstance(plain, Mapping) or not plain:
        raise PolicyError("cases", N_("A case needs a condition."))
    when: dict[str, frozenset[str]] = {}
    for name, values in plain.items():
        if name not in CONDITIONS:
            raise PolicyError("cases", N_("There is no condition %(value)s."), value=repr(name))
        readable = isinstance(values, list | tuple | set | frozenset) and values
        if not readable or not all(isinstance(value, str) and value for value in values):
            message = N_("The condition %(condition)s needs a list of values.")
            raise PolicyError("cases", message, condition=name)
        known = _CLOSED_LISTS.get(name)
        unknown = set(values) - set(known or values)
        if known and unknown:
            message = N_("%(value)s is not one of %(known)s.")
            raise PolicyError("cases", message, value=repr(min(unknown)), known=", ".join(known))
        when[name] = frozenset(values)
    return when


def _overridden(base: Policy, overrides: Mapping[str, Any]) -> Policy:
    if "version" in overrides:
        raise PolicyError("version", N_("A case has no version of its own."))
    settings = {**base.to_settings(), **overrides}
    if "escalation" not in overrides:
        # Inherited steps give way to the case's own deadlines; stated ones have to fit.
        del settings["escalation"]
        if not base.steps_are_usual:
            fitting = _fitting(base.escalation, Policy.from_settings(settings))
            settings["escalation"] = steps_to_json(fitting)
    return Policy.from_settings(settings)


def _fitting(steps: Iterable[Step], policy: Policy) -> list[Step]:
    left = [
        step
        for step in steps
        if (step.state != "offered" or policy.accept_mode == "offer")
        and (step.hop is None or step.hop <= policy.max_hops)
    ]
    while (late := never_fires(left, policy.respond_within_minutes)) is not None:
        left.remove(late)
    return left


def _covering(case: Case, earlier: Sequence[Case]) -> list[Case]:
    """The earlier cases that together take every lead of this one; none where some are left."""
    named = {
        name: {value for other in (*earlier, case) for value in other.when.get(name, ())}
        for name in CONDITIONS
    }
    choices = [
        sorted(case.when.get(name, _CLOSED_LISTS.get(name, {*named[name], _ANY_OTHER})))
        for name in CONDITIONS
    ]
    covering: list[Case] = []
    for values in product(*choices):
        lead = dict(zip(CONDITIONS, values, strict=True))
        taker = next((other for other in earlier if other.holds(lead)), None)
        if taker is None:
            return []
        if taker not in covering:
            covering.append(taker)
    return covering
