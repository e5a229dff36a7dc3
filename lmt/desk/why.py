"""Why this dealer got the lead, told to the dealer: its own place, its rivals without names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from string import ascii_uppercase
from typing import Any

from lmt.i18n import format_km
from lmt.i18n import gettext as _
from lmt.maps import Line, Map, Point

MOST_RIVALS = 6
LEAST_CIRCLE_KM = 1.0
"""On the map a customer's place is never more exact than this."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Another dealer, by a letter. `kind` and `code` name the words of `lmt.labels`."""

    letter: str
    distance_km: float | None
    kind: str
    code: str
    ahead: bool


@dataclass(frozen=True, slots=True)
class Why:
    """`place` counts from 1 among `of` dealers that could take the lead; None if not ranked."""

    how: str
    place: int | None
    of: int
    distance_km: float | None
    road_km: float | None
    road_minutes: float | None
    open_now: bool | None
    opens_at: datetime | None
    rivals: tuple[Rival, ...]
    more_rivals: int


def why(result: Mapping[str, Any], dealer_id: int) -> Why:
    """Reads a stored decision (`lmt.routing.decision`) from the view of `dealer_id`.

    Rivals come nearest first and are lettered in that order, so that a letter tells nothing
    but the distance; distances of rivals are whole kilometres.
    """
    ranked: list[Mapping[str, Any]] = list(result.get("ranked") or ())
    places = [place for place, item in enumerate(ranked, 1) if item.get("id") == dealer_id]
    place = places[0] if places else None
    own: Mapping[str, Any] = ranked[place - 1] if place else {}
    rivals = _rivals(result, ranked, dealer_id, place)
    shown = rivals[:MOST_RIVALS]
    return Why(
        how=str(result.get("how") or ""),
        place=place,
        of=len(ranked),
        distance_km=own.get("distance_km", result.get("distance_km")),
        road_km=own.get("road_km"),
        road_minutes=own.get("road_minutes"),
        open_now=own.get("open_now"),
        opens_at=_instant(own.get("opens_at")),
        rivals=tuple(
            Rival(letter, distance_km, kind, code, ahead)
            for letter, (distance_km, kind, code, ahead) in zip(
                ascii_uppercase, shown, strict=False
            )
        ),
        more_rivals=len(rivals) - len(shown) + int(result.get("more_refused") or 0),
    )


def dealer_map(
    inputs: Mapping[str, Any], place: tuple[float, float] | None, distance_km: float | None
) -> Map | None:
    """The dealer's own place and about where the customer is; never a rival. None where either is
    not known. `inputs` are the decision's (`RoutingDecision.inputs`)."""
    lat, lon = inputs.get("lat"), inputs.get("lon")
    if place is None or lat is None or lon is None:
        return None
    about = round(float(lat), 2), round(float(lon), 2)
    within_km = max(LEAST_CIRCLE_KM, float(inputs.get("accuracy_km") or 0.0))
    away = "" if distance_km is None else format_km(distance_km)
    return Map(
        (
            Point(*about, "lead", _("The customer, about here"), within_km=within_km),
            Point(*place, "own", _("You"), away),
        ),
        (Line(about, place, "straight", away),),
    )


_Told = tuple[float | None, str, str, bool]


def _rivals(
    result: Mapping[str, Any],
    ranked: list[Mapping[str, Any]],
    dealer_id: int,
    own_place: int | None,
) -> list[_Told]:
    found: list[_Told] = []
    for place, item in enumerate(ranked, 1):
        if item.get("id") != dealer_id:
            ahead = own_place is not None and place < own_place
            code = str(item.get("why") or ("first" if ahead else "rank"))
            found.append((_whole(item.get("distance_km")), "why", code, ahead))
    for item in result.get("refused") or ():
        if item.get("id") != dealer_id:
            distance = _whole(item.get("about_km"))
            found.append((distance, "refusal", str(item.get("reason") or ""), False))
    return sorted(found, key=lambda told: (told[0] is None, told[0] or 0.0))


def _whole(distance_km: object) -> float | None:
    return float(round(distance_km)) if isinstance(distance_km, int | float) else None


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
