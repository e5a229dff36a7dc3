"""How a policy's settings are read from JSON, and which of them contradict each other.

Reasons are English sentences to be translated where they are shown, with their figures apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lmt.escalation import BANDS, StepError, never_fires, steps_from
from lmt.openinghours import N_

if TYPE_CHECKING:
    from lmt.routing.policy import Policy

CUSTOMER_KINDS = ("private", "business", "fleet")
ACCEPT_MODES = ("offer", "assign")
MOST_RELEASED_PER_HOUR = 1_000_000


class PolicyError(ValueError):
    """Settings that contradict each other or make no sense.

    `field` names the one to mend, `case` the policy's case it stands in ("" for the base).
    `message` % `values` is the reason; translate the message, then fill in the values.
    """

    def __init__(self, field: str, message: str, **values: object) -> None:
        super().__init__(field, message, values)
        self.field, self.message, self.values, self.case = field, message, values, ""

    @property
    def reason(self) -> str:
        """In English."""
        return self.message % self.values

    def within(self, case: str) -> PolicyError:
        """The same, said of a case of the policy."""
        error = PolicyError(self.field, self.message, **self.values)
        error.case = case
        return error

    def __str__(self) -> str:
        where = f"{self.case}: {self.field}" if self.case else self.field
        return f"{where}: {self.reason}"


def read_setting(name: str, value: Any) -> Any:
    """The value of a setting from its JSON form; PolicyError where that can't be read."""
    reader = _READERS.get(name)
    if reader is None:
        raise PolicyError(name, N_("There is no such setting."))
    return reader(name, value)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PolicyError(name, N_("A number is needed, not %(value)s."), value=repr(value))
    return float(value)


def _whole(name: str, value: Any) -> int:
    number = _number(name, value)
    if not number.is_integer():
        raise PolicyError(name, N_("A whole number is needed, not %(value)s."), value=repr(value))
    return int(number)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise PolicyError(name, N_("True or false is needed, not %(value)s."), value=repr(value))
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise PolicyError(name, N_("A text is needed, not %(value)s."), value=repr(value))
    return value


def _sequence(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise PolicyError(name, N_("A list is needed, not %(value)s."), value=repr(value))
    return list(value)


def _per_band(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(band, str) for band in value):
        message = N_("A value for each priority is needed, not %(value)s.")
        raise PolicyError(name, message, value=repr(value))
    return dict(value)


def _minutes(name: str, value: Any) -> dict[str, int]:
    return {band: _whole(name, minutes) for band, minutes in _per_band(name, value).items()}


def _pair(name: str, value: Any) -> tuple[str, str]:
    match value:
        case [str(customer), str(dealer)]:
            return customer, dealer
    message = N_("Pairs of countries are needed, not %(value)s.")
    raise PolicyError(name, message, value=repr(value))


def _steps(name: str, value: Any) -> Any:
    try:
        return steps_from(_sequence(name, value))
    except StepError as error:
        message = N_("The steps don't fit together: %(problem)s.")
        raise PolicyError(name, message, problem=error.reason) from error


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "version": _whole,
    "radius_km": _number,
    "rings_km": lambda name, value: tuple(_number(name, ring) for ring in _sequence(name, value)),
    "open_bonus_km": lambda name, value: {
        band: _number(name, km) for band, km in _per_band(name, value).items()
    },
    "tolerance_km": _number,
    "tolerance_share": _number,
    "use_road": _flag,
    "accept_mode": _text,
    "respond_within_minutes": _minutes,
    "contact_within_minutes": _minutes,
    "escalation": _steps,
    "max_accuracy_km": _number,
    "max_wait_hours": _number,
    "cap_wait_minutes": _whole,
    "max_hops": _whole,
    "fallback_dealer": _text,
    "duty_desk": _text,
    "team_for": lambda name, value: tuple(_text(name, kind) for kind in _sequence(name, value)),
    "language_required": _flag,
    "cross_border": lambda name, value: frozenset(
        _pair(name, pair) for pair in _sequence(name, value)
    ),
    "release_per_hour": lambda name, value: None if value is None else _whole(name, value),
    "shown_ranked": _whole,
    "shown_refusals": _whole,
}


def refuse_contradictions(policy: Policy) -> None:
    """Raise PolicyError for the first setting that makes no sense beside the others."""
    _one_of("accept_mode", policy.accept_mode, ACCEPT_MODES)
    for kind in policy.team_for:
        _one_of("team_for", kind, CUSTOMER_KINDS)
    _refuse_distances(policy)
    _refuse_times(policy)
    _refuse_steps(policy)
    for customer, dealer in policy.cross_border:
        message = N_("%(customer)s to %(dealer)s crosses no border.")
        _need(customer != dealer, "cross_border", message, customer=customer, dealer=dealer)
    for name, least in (("max_hops", 1), ("shown_ranked", 1), ("shown_refusals", 0)):
        _need(getattr(policy, name) >= least, name, _AT_LEAST, least=least)
    if policy.release_per_hour is not None:
        _need(policy.release_per_hour >= 1, "release_per_hour", _AT_LEAST, least=1)
        most = policy.release_per_hour <= MOST_RELEASED_PER_HOUR
        _need(most, "release_per_hour", _AT_MOST, most=MOST_RELEASED_PER_HOUR)


_AT_LEAST = N_("It must be at least %(least)s.")
_AT_MOST = N_("It must be at most %(most)s.")
_MORE_THAN_0 = N_("It must be more than 0.")


def _need(holds: bool, name: str, message: str, **values: object) -> None:
    if not holds:
        raise PolicyError(name, message, **values)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    message = N_("%(value)s is not one of %(known)s.")
    _need(value in known, name, message, value=repr(value), known=", ".join(known))


def _refuse_distances(policy: Policy) -> None:
    radius = f"{policy.radius_km:g}"
    _need(0 < policy.radius_km < math.inf, "radius_km", _MORE_THAN_0)
    before = policy.radius_km
    for ring in policy.rings_km:
        message = N_("%(ring)s km doesn't widen %(before)s km.")
        widens = before < ring < math.inf
        _need(widens, "rings_km", message, ring=f"{ring:g}", before=f"{before:g}")
        before = ring
    beyond = N_("%(km)s km is more than the radius of %(radius)s km.")
    for band, km in policy.open_bonus_km.items():
        _one_of("open_bonus_km", band, BANDS)
        _need(0 <= km < math.inf, "open_bonus_km", _AT_LEAST, least=0)
        _need(km <= policy.radius_km, "open_bonus_km", beyond, km=f"{km:g}", radius=radius)
    _need(0 <= policy.tolerance_km < math.inf, "tolerance_km", _AT_LEAST, least=0)
    close = policy.tolerance_km <= policy.radius_km
    _need(close, "tolerance_km", beyond, km=f"{policy.tolerance_km:g}", radius=radius)
    share = 0 <= policy.tolerance_share <= 1
    _need(share, "tolerance_share", N_("It must lie between 0 and 1."))
    _need(0 < policy.max_accuracy_km < math.inf, "max_accuracy_km", _MORE_THAN_0)


def _refuse_times(policy: Policy) -> None:
    _need(bool(policy.respond_within_minutes), "respond_within_minutes", N_("A value is missing."))
    for name in ("respond_within_minutes", "contact_within_minutes"):
        minutes: Mapping[str, int] = getattr(policy, name)
        for band, value in minutes.items():
            _one_of(name, band, BANDS)
            _need(value > 0, name, _MORE_THAN_0)
        named = [minutes[band] for band in BANDS if band in minutes]
        message = N_("A hotter lead must not wait longer than a colder one.")
        _need(named == sorted(named), name, message)
    _need(0 <= policy.max_wait_hours < math.inf, "max_wait_hours", _AT_LEAST, least=0)
    _need(policy.cap_wait_minutes >= 0, "cap_wait_minutes", _AT_LEAST, least=0)


def _refuse_steps(policy: Policy) -> None:
    late = never_fires(policy.escalation, policy.respond_within_minutes)
    message = N_("The step “%(step)s” never comes: the lead has moved on by then.")
    _need(late is None, "escalation", message, step=late)
    for step in policy.escalation:
        message = N_("The step “%(step)s” never comes: there are %(hops)s dealers at most.")
        reached = step.hop is None or step.hop <= policy.max_hops
        _need(reached, "escalation", message, step=step, hops=policy.max_hops)
        message = N_("The step “%(step)s” never comes: leads are assigned, not offered.")
        offered = step.state != "offered" or policy.accept_mode == "offer"
        _need(offered, "escalation", message, step=step)
        message = N_("The step “%(step)s” changes nothing: a hot lead can't become hotter.")
        changes = step.action != "raise_priority" or step.band != ("hot",)
        _need(changes, "escalation", message, step=step)
