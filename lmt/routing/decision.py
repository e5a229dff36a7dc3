"""The stored result of routing: who gets the lead, by when, and the reason for everybody else.

It holds its inputs, so that it can be explained and replayed later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from lmt.routing.candidate import LeadFacts

HOWS = ("preferred", "serving", "territory", "nearest")
CAUSES = (
    "unlocated",
    "no_competence",
    "out_of_range",
    "all_capped",
    "no_opening",
    "all_refused",
)
REFUSALS = (
    "unknown_dealer",
    "no_competence",
    "inactive",
    "country",
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
)
LOSSES = ("farther", "closed", "fair_share", "quality", "code")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A dealer who could take the lead, in the order in which they would be asked.

    `distance_km` is the exact geodesic, `effective_km` that less the bonus for being open; both
    None where the lead has no usable place. `opens_at` is None while open. `share` is leads
    received divided by weight (None for a weight of 0). `why` says why it lost against the first:
    one of LOSSES, "" for the first itself.
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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A dealer who can't take the lead: the first reason met, and the figures that show it.

    `id` is None for a chosen code that no dealer has. `about_km` is the distance to 0.1 km.
    """

    code: str
    id: int | None
    reason: str
    about_km: float | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """Who gets the lead, or why nobody does.

    Either `chosen` with `how` (one of HOWS) or a `cause` (one of CAUSES). `respond_by` is counted
    in the chosen dealer's own working time; `opens_at` is None while it is open. `ring_km` is the
    radius that sufficed, for the nearest only.

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

    def to_json(self) -> dict[str, Any]:
        """JSON values only; instants as ISO 8601."""
        plain = asdict(self)
        plain["lead"]["tried"] = sorted(self.lead.tried)
        plain["lead"]["asked_at"] = self.lead.asked_at.isoformat()
        for name in ("at", "opens_at", "respond_by"):
            plain[name] = _iso(plain[name])
        for ranked in plain["ranked"]:
            ranked["opens_at"] = _iso(ranked["opens_at"])
        for refusal in plain["refused"]:
            refusal["figures"] = {
                name: _iso(value) if isinstance(value, datetime) else value
                for name, value in refusal["figures"].items()
            }
        plain["ranked"] = list(plain["ranked"])
        plain["refused"] = list(plain["refused"])
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Decision:
        """Read what `to_json` wrote; a field written by a later version is passed over."""
        known = _known(cls, plain)
        lead = _known(LeadFacts, plain["lead"])
        lead["tried"] = frozenset(lead.get("tried", ()))
        lead["asked_at"] = datetime.fromisoformat(lead["asked_at"])
        known["lead"] = LeadFacts(**lead)
        for name in ("at", "opens_at", "respond_by"):
            known[name] = _instant(known.get(name))
        ranked = [_known(Ranked, item) for item in known.get("ranked", ())]
        known["ranked"] = tuple(
            Ranked(**{**item, "opens_at": _instant(item["opens_at"])}) for item in ranked
        )
        known["refused"] = tuple(
            Refusal(**_known(Refusal, item)) for item in known.get("refused", ())
        )
        return cls(**known)


def _known(cls: type[Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    names = {item.name for item in fields(cls)}
    return {name: value for name, value in plain.items() if name in names}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
