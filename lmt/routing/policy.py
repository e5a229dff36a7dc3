"""A market's routing policy: what an open door, a kilometre and an hour are worth to its leads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


class PolicyError(ValueError):
    """Settings that contradict each other or make no sense; `field` names the one to mend."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def _default_bonus() -> dict[str, float]:
    return {"hot": 30.0, "warm": 15.0, "cold": 0.0}


def _default_respond() -> dict[str, int]:
    return {"hot": 30, "warm": 60, "cold": 240}


@dataclass(frozen=True, slots=True)
class Policy:
    """The versioned routing settings of a market. A plain value; refuses contradictions.

    `rings_km` widen `radius_km` when nobody inside it can take the lead. `open_bonus_km` is what
    a dealer that is open now is worth in km, per priority band. Dealers within `tolerance_km`, or
    within `tolerance_share` of the best one's distance (the larger counts), are equally near.
    `respond_within_minutes` are the receiving dealer's own working minutes. `cross_border` lists
    (customer's country, dealer's country) pairs that may be crossed.
    """

    version: int = 0
    radius_km: float = 150.0
    rings_km: tuple[float, ...] = (300.0,)
    open_bonus_km: Mapping[str, float] = field(default_factory=_default_bonus)
    tolerance_km: float = 1.0
    tolerance_share: float = 0.0
    respond_within_minutes: Mapping[str, int] = field(default_factory=_default_respond)
    max_accuracy_km: float = 40.0
    max_wait_hours: float = 72.0
    fallback_dealer: str = ""
    language_required: bool = False
    cross_border: frozenset[tuple[str, str]] = frozenset()
    shown_ranked: int = 5
    shown_refusals: int = 20

    def __post_init__(self) -> None:
        _refuse_nonsense(self)

    @property
    def reaches_km(self) -> tuple[float, ...]:
        """The radius, then each ring, growing."""
        return (self.radius_km, *self.rings_km)

    def bonus_km(self, band: str) -> float:
        """Extra km an open dealer is worth; 0 for a band the policy doesn't name."""
        return self.open_bonus_km.get(band, 0.0)

    def respond_minutes(self, band: str) -> int:
        """Working minutes to answer; a band the policy doesn't name gets the longest."""
        known = self.respond_within_minutes
        return known[band] if band in known else max(known.values())

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
        known = {item.name for item in fields(cls)}
        for name in settings:
            if name not in known:
                raise PolicyError(name, "no such setting")
        return cls(**{name: _read(name, value) for name, value in settings.items()})

    def to_settings(self) -> dict[str, Any]:
        """The same as JSON values; `from_settings` reads them back."""
        settings: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        settings["rings_km"] = list(self.rings_km)
        settings["open_bonus_km"] = dict(self.open_bonus_km)
        settings["respond_within_minutes"] = dict(self.respond_within_minutes)
        settings["cross_border"] = [list(pair) for pair in sorted(self.cross_border)]
        return settings


_WHOLE = {"version", "shown_ranked", "shown_refusals"}


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PolicyError(name, f"a number is needed, not {value!r}")
    return float(value)


def _whole(name: str, value: Any) -> int:
    number = _number(name, value)
    if not number.is_integer():
        raise PolicyError(name, f"a whole number is needed, not {value!r}")
    return int(number)


def _sequence(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise PolicyError(name, f"a list is needed, not {value!r}")
    return list(value)


def _per_band(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(band, str) for band in value):
        raise PolicyError(name, f"a value for each band is needed, not {value!r}")
    return dict(value)


def _pair(name: str, value: Any) -> tuple[str, str]:
    match value:
        case [str(customer), str(dealer)]:
            return customer, dealer
    raise PolicyError(name, f"pairs of countries are needed, not {value!r}")


def _read(name: str, value: Any) -> Any:
    if name in _WHOLE:
        return _whole(name, value)
    if name == "rings_km":
        return tuple(_number(name, ring) for ring in _sequence(name, value))
    if name == "open_bonus_km":
        return {band: _number(name, km) for band, km in _per_band(name, value).items()}
    if name == "respond_within_minutes":
        return {band: _whole(name, minutes) for band, minutes in _per_band(name, value).items()}
    if name == "cross_border":
        return frozenset(_pair(name, pair) for pair in _sequence(name, value))
    if name == "fallback_dealer":
        if not isinstance(value, str):
            raise PolicyError(name, f"a dealer's code is needed, not {value!r}")
        return value
    if name == "language_required":
        if not isinstance(value, bool):
            raise PolicyError(name, f"true or false is needed, not {value!r}")
        return value
    return _number(name, value)


def _refuse_nonsense(policy: Policy) -> None:
    def need(holds: bool, name: str, reason: str) -> None:
        if not holds:
            raise PolicyError(name, reason)

    need(0 < policy.radius_km < math.inf, "radius_km", "must be more than 0 km")
    before = policy.radius_km
    for ring in policy.rings_km:
        need(before < ring < math.inf, "rings_km", f"{ring:g} km doesn't widen {before:g} km")
        before = ring
    for band, km in policy.open_bonus_km.items():
        need(0 <= km < math.inf, "open_bonus_km", f"{band} must be 0 km or more")
        need(
            km <= policy.radius_km,
            "open_bonus_km",
            f"{band} must not exceed the radius of {policy.radius_km:g} km",
        )
    need(0 <= policy.tolerance_km < math.inf, "tolerance_km", "must be 0 km or more")
    need(
        policy.tolerance_km <= policy.radius_km,
        "tolerance_km",
        f"must not exceed the radius of {policy.radius_km:g} km",
    )
    need(0 <= policy.tolerance_share <= 1, "tolerance_share", "must lie between 0 and 1")
    need(bool(policy.respond_within_minutes), "respond_within_minutes", "must name a band")
    for band, minutes in policy.respond_within_minutes.items():
        need(minutes > 0, "respond_within_minutes", f"{band} must be more than 0 minutes")
    need(0 < policy.max_accuracy_km < math.inf, "max_accuracy_km", "must be more than 0 km")
    need(0 <= policy.max_wait_hours < math.inf, "max_wait_hours", "must be 0 hours or more")
    for customer, dealer in policy.cross_border:
        need(customer != dealer, "cross_border", f"{customer} to {dealer} crosses no border")
    need(policy.shown_ranked > 0, "shown_ranked", "must be more than 0")
    need(policy.shown_refusals >= 0, "shown_refusals", "must be 0 or more")
