"""Why this dealer, and why not the others: a stored decision in words, for headquarters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lmt.i18n import (
    country_name,
    format_date,
    format_day_time,
    format_duration,
    format_km,
    format_number,
    language_name,
)
from lmt.i18n import gettext as _
from lmt.labels import label


@dataclass(frozen=True, slots=True)
class RankedWords:
    place: int
    dealer: str
    code: str
    distance: str
    road: str
    """The way by road, where it counted; else ""."""
    hours: str
    why: str
    """Why it stands behind the first; "" for the first."""
    chosen: bool


@dataclass(frozen=True, slots=True)
class RefusedWords:
    dealer: str
    code: str
    distance: str
    reason: str
    figures: str


@dataclass(frozen=True, slots=True)
class DecisionWords:
    ranked: tuple[RankedWords, ...]
    refused: tuple[RefusedWords, ...]
    more_refused: int
    how: str
    cause: str
    respond_by: datetime | None
    ring: str
    look_again_at: datetime | None
    """When time alone may next find a dealer for it."""
    policy: str
    """The version it was made by, with the case; "" for the defaults."""


def dealer_ids(results: Iterable[Mapping[str, Any]]) -> set[int]:
    """The ids of all dealers that stored decisions speak of."""
    ids = set()
    for result in results:
        for item in (*result.get("ranked", ()), *result.get("refused", ())):
            if item.get("id") is not None:
                ids.add(int(item["id"]))
        if result.get("chosen_id") is not None:
            ids.add(int(result["chosen_id"]))
    return ids


def in_words(
    result: Mapping[str, Any], names: Mapping[int, str], *, cause: str = "", policy: str = ""
) -> DecisionWords:
    """A decision as stored (`RoutingDecision.result`) for the reader; `names` by dealer id.

    `policy` is what `policy_words` says of the version it was made by.
    """
    chosen = result.get("chosen")
    cause = cause or str(result.get("cause") or "")
    how = str(result.get("how") or "")
    return DecisionWords(
        ranked=tuple(
            _ranked(place, item, names, chosen)
            for place, item in enumerate(result.get("ranked", ()), 1)
        ),
        refused=tuple(_refused(item, names) for item in result.get("refused", ())),
        more_refused=int(result.get("more_refused") or 0),
        how=label("how", how) if how else "",
        cause=label("cause", cause) if cause else "",
        respond_by=_instant(result.get("respond_by")),
        ring=_km(result.get("ring_km")),
        look_again_at=_instant(result.get("look_again_at")),
        policy=policy,
    )


def _ranked(
    place: int, item: Mapping[str, Any], names: Mapping[int, str], chosen: object
) -> RankedWords:
    opens_at = _instant(item.get("opens_at"))
    hours = _("Open") if item.get("open_now") else _("Closed")
    if opens_at and not item.get("open_now"):
        hours = _("Closed until %(when)s", when=format_day_time(opens_at))
    why = str(item.get("why") or "")
    return RankedWords(
        place=place,
        dealer=_name(item, names),
        code=str(item.get("code", "")),
        distance=_km(item.get("distance_km")),
        road=_road(item.get("road_km"), item.get("road_minutes")),
        hours=hours,
        why=label("why", why) if why else "",
        chosen=item.get("code") == chosen,
    )


def _refused(item: Mapping[str, Any], names: Mapping[int, str]) -> RefusedWords:
    reason = str(item.get("reason", ""))
    figures = item.get("figures") or {}
    words = _FIGURES.get(reason)
    return RefusedWords(
        dealer=_name(item, names),
        code=str(item.get("code", "")),
        distance=_km(item.get("about_km")),
        reason=label("refusal", reason),
        figures=words(figures) if words and figures else "",
    )


def _name(item: Mapping[str, Any], names: Mapping[int, str]) -> str:
    id = item.get("id")
    return names.get(int(id), "") if id is not None else ""


def _km(distance_km: object) -> str:
    return format_km(float(distance_km)) if isinstance(distance_km, int | float) else ""


def _road(km: object, minutes: object) -> str:
    if not isinstance(km, int | float) or not isinstance(minutes, int | float):
        return ""
    return _(
        "%(km)s by road, %(time)s", km=format_km(float(km)), time=format_duration(float(minutes))
    )


def _instant(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


def _used(figures: Mapping[str, Any]) -> str:
    return _(
        "%(used)s of %(cap)s",
        used=format_number(figures.get("used", 0)),
        cap=format_number(figures.get("cap", 0)),
    )


def _competence(figures: Mapping[str, Any]) -> str:
    brand, service = figures.get("brand") or "", str(figures.get("service") or "")
    return " · ".join(
        part for part in (brand, label("service", service) if service else "") if part
    )


def _closure(figures: Mapping[str, Any]) -> str:
    last_day = date.fromisoformat(figures["last_day"])
    return _("until %(day)s", day=format_date(last_day))


def _no_opening(figures: Mapping[str, Any]) -> str:
    opens_at = _instant(figures.get("opens_at"))
    wait = format_number(figures.get("max_wait_hours") or 0)
    if opens_at is None:
        return _("does not open at all")
    return _(
        "opens %(when)s; the policy waits %(hours)s hours",
        when=format_day_time(opens_at),
        hours=wait,
    )


def _country(figures: Mapping[str, Any]) -> str:
    return country_name(str(figures.get("dealer") or ""))


def _range(figures: Mapping[str, Any]) -> str:
    return _("reach: %(km)s", km=_km(figures.get("widest_km")))


def _language(figures: Mapping[str, Any]) -> str:
    return language_name(str(figures.get("language") or ""))


def _model(figures: Mapping[str, Any]) -> str:
    return str(figures.get("model") or "")


def _owner(figures: Mapping[str, Any]) -> str:
    return str(figures.get("owner") or "")


_FIGURES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "no_competence": _competence,
    "model": _model,
    "day_cap": _used,
    "month_cap": _used,
    "open_cap": _used,
    "on_closure": _closure,
    "no_opening": _no_opening,
    "country": _country,
    "out_of_range": _range,
    "language": _language,
    "territory_of_other": _owner,
}
