"""A market's routing policy: what an open door, a kilometre and an hour are worth to its leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from lmt.escalation import (
    DEFAULT_STEPS,
    Step,
    default_steps,
    minutes_to_answer,
    steps_to_json,
)
from lmt.routing.settings import (
    CUSTOMER_KINDS,
    PolicyError,
    read_setting,
    refuse_contradictions,
)

__all__ = ["CUSTOMER_KINDS", "Policy", "PolicyError"]


def _default_bonus() -> dict[str, float]:
    return {"hot": 30.0, "warm": 15.0, "cold": 0.0}


def _default_respond() -> dict[str, int]:
    return {"hot": 30, "warm": 60, "cold": 240}


@dataclass(frozen=True, slots=True)
class Policy:
    """The routing settings for one kind of lead of a market. A plain value; refuses contradictions.

    `rings_km` widen `radius_km` when nobody inside it can take the lead. `open_bonus_km` is what
    a dealer that is open now is worth in km, per priority band. Dealers within `tolerance_km`, or
    within `tolerance_share` of the best one's distance (the larger counts), are equally near.
    `respond_within_minutes` and `contact_within_minutes` are the receiving dealer's own working
    minutes; `cap_wait_minutes` are elapsed ones. `cross_border` lists (customer's country,
    dealer's country) pairs that may be crossed. `team_for` are kinds of customers, `duty_desk`
    and `fallback_dealer` codes of dealers or "". `release_per_hour` spreads imported leads over
    time; None lets all of them go at once. `escalation` left out gives the usual steps that
    can come with these deadlines.
    """

    version: int = 0
    radius_km: float = 150.0
    rings_km: tuple[float, ...] = (300.0,)
    open_bonus_km: Mapping[str, float] = field(default_factory=_default_bonus)
    tolerance_km: float = 1.0
    tolerance_share: float = 0.0
    use_road: bool = False
    accept_mode: str = "offer"
    respond_within_minutes: Mapping[str, int] = field(default_factory=_default_respond)
    contact_within_minutes: Mapping[str, int] = field(default_factory=dict)
    escalation: tuple[Step, ...] = DEFAULT_STEPS
    max_accuracy_km: float = 40.0
    max_wait_hours: float = 72.0
    cap_wait_minutes: int = 30
    max_hops: int = 5
    fallback_dealer: str = ""
    duty_desk: str = ""
    team_for: tuple[str, ...] = ("fleet",)
    language_required: bool = False
    cross_border: frozenset[tuple[str, str]] = frozenset()
    release_per_hour: int | None = None
    shown_ranked: int = 5
    shown_refusals: int = 20

    def __post_init__(self) -> None:
        if self.escalation is DEFAULT_STEPS:
            object.__setattr__(self, "escalation", self._usual_steps())
        refuse_contradictions(self)

    @property
    def reaches_km(self) -> tuple[float, ...]:
        """The radius, then each ring, growing."""
        return (self.radius_km, *self.rings_km)

    @property
    def steps_are_usual(self) -> bool:
        """Whether the escalation is the one of a market that names no steps."""
        return self.escalation == self._usual_steps()

    def bonus_km(self, band: str) -> float:
        """Extra km an open dealer is worth; 0 for a band the policy doesn't name."""
        return self.open_bonus_km.get(band, 0.0)

    def respond_minutes(self, band: str, hop: int = 1) -> int:
        """Working minutes in which the `hop`-th dealer answers an offer.

        The first escalation step that would take it away, else `respond_within_minutes`, whose
        longest counts for a band the policy doesn't name.
        """
        known = self.respond_within_minutes
        otherwise = known[band] if band in known else max(known.values())
        return minutes_to_answer(self.escalation, band, hop, otherwise)

    def contact_minutes(self, band: str) -> int:
        """Working minutes to the first contact, where leads are assigned and not offered."""
        known = self.contact_within_minutes or self.respond_within_minutes
        return known[band] if band in known else max(known.values())

    def promise_minutes(self, band: str, hop: int = 1) -> int:
        """Working minutes until the dealer has to do something, by the mode of acceptance."""
        if self.accept_mode == "assign":
            return self.contact_minutes(band)
        return self.respond_minutes(band, hop)

    def may_serve(self, customer_country: str, dealer_country: str) -> bool:
        """Whether a dealer there may serve a customer here; an unknown country is no border."""
        if not customer_country or not dealer_country or customer_country == dealer_country:
            return True
        return (customer_country, dealer_country) in self.cross_border

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Policy:
        """Read JSON settings; what is absent takes its default.

        Raises PolicyError (a ValueError) naming the field that is unknown, of the wrong type, or
        in contradiction with another.
        """
        return cls(**{name: read_setting(name, value) for name, value in settings.items()})

    def to_settings(self) -> dict[str, Any]:
        """The same as JSON values; `from_settings` reads them back."""
        settings: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        for name in ("rings_km", "team_for"):
            settings[name] = list(settings[name])
        for name in ("open_bonus_km", "respond_within_minutes", "contact_within_minutes"):
            settings[name] = dict(settings[name])
        settings["cross_border"] = [list(pair) for pair in sorted(self.cross_border)]
        settings["escalation"] = steps_to_json(self.escalation)
        return settings

    def _usual_steps(self) -> tuple[Step, ...]:
        steps = default_steps(self.respond_within_minutes)
        if self.accept_mode == "assign":
            return tuple(step for step in steps if step.state != "offered")
        return steps
