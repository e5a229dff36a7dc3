"""The stored result of routing: who gets the lead, by when, and the reason for everybody else.

It holds its inputs, so that it can be explained and replayed later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from lmt.routing.candidate import LeadFacts

HOWS = (
    "preferred",
    "serving",
    "team",
    "territory",
    "nearest",
    "fallback",
    "duty_desk",
    "by_hand",
    "customer",
)
CAUSES = (
    "unlocated",
    "all_capped",
    "no_opening",
    "all_refused",
    "all_tried",
    "out_of_range",
    "no_competence",
)
"""The one that says most comes first."""

REFUSALS = (
    "unknown_dealer",
    "no_competence",
    "model",
    "inactive",
    "country",
    "team_only",
    "language",
    "not_reachable",
    "paused",
    "on_closure",
    "tried",
    "day_cap",
    "month_cap",
    "open_cap",
    "no_opening",
    "no_location",
    "out_of_range",
    "territory_of_other",
    "not_a_team",
)
LOSSES = ("no_road", "farther", "closed", "fair_share", "quality", "code")

_INSTANTS = ("at", "opens_at", "respond_by", "look_again_at")


class Ranked(NamedTuple):
    """A dealer who could take the lead, in the order in which they would be asked.

    `distance_km` is the exact geodesic, `effective_km` that less the bonus for being open; both
    None where the lead has no usable place. Where the way by road is known and counts, it is
    `road_km` and `road_minutes`, and `effective_km` starts from it. `opens_at` is None while
    open. `share` is leads received divided by weight (None for a weight of 0). `why` says why it
    lost against the first: one of LOSSES, "" for the first itself.
    """

    code: str
    id: int
    distance_km: float | None
    effective_km: float | None
    open_now: bool
    opens_at: datetime | None
    received: int
    weight: float
    share: float | None
    quality: float
    why: str
    road_km: float | None = None
    road_minutes: float | None = None


class Refusal(NamedTuple):
    """A dealer who can't take the lead: the first reason met, and the figures that show it.

    `id` is None for a chosen code that no dealer has. `about_km` is the distance to 0.1 km.
    """

    code: str
    id: int | None
    reason: str
    about_km: float | None = None
    figures: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Decision:
    """Who gets the lead, or why nobody does.

    Either `chosen` with `how` (one of HOWS) or a `cause` (one of CAUSES). `respond_by` is counted
    in the chosen dealer's own working time; `opens_at` is None while it is open. `ring_km` is the
    radius that sufficed, for the nearest only.

    With nobody chosen, `waits_for` are the ids of dealers whom a cap alone keeps from it, and
    `look_again_at` is the first instant at which time alone may find one: an opening comes within
    the policy's hours, a closure ends, a day or a month begins. None where time mends nothing.

    `refused` holds the refused customer's choice, serving dealer and territory owner first, then
    dealers no farther than the chosen one (or, with nobody chosen, within the widest ring) by
    nearness, those without the competence last; `more_refused` counts the ones left off.
    """

    at: datetime
    policy_version: int
    lead: LeadFacts
    chosen: str | None = None
    chosen_id: int | None = None
    how: str | None = None
    cause: str | None = None
    distance_km: float | None = None
    opens_at: datetime | None = None
    respond_by: datetime | None = None
    ring_km: float | None = None
    ranked: tuple[Ranked, ...] = ()
    refused: tuple[Refusal, ...] = ()
    more_refused: int = 0
    look_again_at: datetime | None = None
    waits_for: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON values only; instants as ISO 8601."""
        lead = {item.name: getattr(self.lead, item.name) for item in fields(self.lead)}
        lead["tried"] = sorted(self.lead.tried)
        lead["asked_at"] = self.lead.asked_at.isoformat()
        lead["road"] = {str(id): list(leg) for id, leg in self.lead.road.items()}
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        plain["lead"] = lead
        for name in _INSTANTS:
            plain[name] = _iso(plain[name])
        plain["ranked"] = [
            {**each._asdict(), "opens_at": _iso(each.opens_at)} for each in self.ranked
        ]
        plain["refused"] = [
            {**each._asdict(), "figures": _plain(each.figures)} for each in self.refused
        ]
        plain["waits_for"] = list(self.waits_for)
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Decision:
        """Read what `to_json` wrote; a field written by a later version is passed over."""
        known = _known([item.name for item in fields(cls)], plain)
        lead = _known([item.name for item in fields(LeadFacts)], plain["lead"])
        lead["tried"] = frozenset(lead.get("tried", ()))
        lead["asked_at"] = datetime.fromisoformat(lead["asked_at"])
        lead["road"] = {int(id): (km, by) for id, (km, by) in lead.get("road", {}).items()}
        known["lead"] = LeadFacts(**lead)
        for name in _INSTANTS:
            known[name] = _instant(known.get(name))
        ranked = [_known(Ranked._fields, item) for item in known.get("ranked", ())]
        known["ranked"] = tuple(
            Ranked(**{**item, "opens_at": _instant(item["opens_at"])}) for item in ranked
        )
        known["refused"] = tuple(
            Refusal(**_known(Refusal._fields, item)) for item in known.get("refused", ())
        )
        known["waits_for"] = tuple(known.get("waits_for", ()))
        return cls(**known)


def _known(names: Iterable[str], plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain[name] for name in names if name in plain}


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _iso(value) if isinstance(value, datetime) else value
        for name, value in figures.items()
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
