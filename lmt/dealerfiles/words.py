"""An import of dealers in the reader's words: its fields, its problems, what changes from what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from babel.support import LazyProxy

from lmt.dealerfiles.areas import BadFeature
from lmt.dealerfiles.columnmap import PLAIN_FIELDS, RUNS, BadColumnMap
from lmt.dealerfiles.row import Problem
from lmt.dealerfiles.vocabulary import SERVICES
from lmt.dealerfiles.weekdays import CODES
from lmt.files.problems import ROW_PROBLEMS, row_problem_words
from lmt.i18n import country_name, format_date, format_km, format_number, language_name, reader
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import label

FIELD_WORDS: Mapping[str, LazyProxy] = {
    "code": _l("Code"),
    "name": _l("Name"),
    "group": _l("Group"),
    "kind": _l("Kind"),
    "market": _l("Market"),
    "place": _l("Coordinates"),
    "lat": _l("Latitude"),
    "lon": _l("Longitude"),
    "street": _l("Street"),
    "postcode": _l("Postcode"),
    "city": _l("City"),
    "region": _l("Region"),
    "country": _l("Country"),
    "phone": _l("Phone"),
    "email": _l("Mail address"),
    "language": _l("Language of its mails"),
    "languages": _l("Languages"),
    "timezone": _l("Time zone"),
    "hours": _l("Hours"),
    "closures": _l("Days closed"),
    "day_cap": _l("Leads a day at most"),
    "month_cap": _l("Leads a month at most"),
    "open_cap": _l("Open leads at most"),
    "weight": _l("Weight"),
    "active": _l("Active"),
    "paused": _l("Paused"),
    "competences": _l("Competences"),
    "brands": _l("Brands"),
    "services": _l("Services"),
    "models": _l("Models"),
    "postcodes.exclusive": _l("Postcodes, its alone"),
    "postcodes.shared": _l("Postcodes, shared"),
    "exclusive": _l("Postcodes, its alone"),
    "shared": _l("Postcodes, shared"),
    "areas": _l("Areas on the map"),
}
KIND_WORDS: Mapping[str, LazyProxy] = {
    "showroom": _l("Showroom"),
    "workshop": _l("Workshop"),
    "team": _l("Team of the market"),
}
_LONGEST_LIST = 8


def field_words(name: str) -> str:
    """A field, a weekday's hours, or a column of one service."""
    if name.startswith("hours."):
        return _("Hours: %(days)s", days=days_words(name.removeprefix("hours.")))
    if name.startswith("offer:"):
        _offer, brand, service = name.split(":")
        words = label("service", service)
        return f"{brand}: {words}" if brand else words
    return str(FIELD_WORDS.get(name, name))


def days_words(run: str) -> str:
    """A weekday, or a run of them, in the reader's language."""
    days = reader_weekdays()
    return " – ".join(days.get(day, day) for day in run.split("-"))


def reader_weekdays() -> dict[str, str]:
    """What the days of `CODES` are called."""
    from babel.dates import get_day_names

    names = get_day_names("wide", "stand-alone", reader().locale)
    return {**{code: names[number] for number, code in enumerate(CODES[:7])},
            "ph": _("public holidays")}  # fmt: skip


def field_choices(brands: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What a column may be: (field, words), for brands as (code, name)."""
    plain = [(name, field_words(name)) for name in PLAIN_FIELDS]
    days = [(f"hours.{run}", field_words(f"hours.{run}")) for run in RUNS]
    services = [(f"offer::{service}", label("service", service)) for service in SERVICES]
    offers = [
        (f"offer:{code}:{service}", f"{name}: {label('service', service)}")
        for code, name in (brands if len(brands) > 1 else ())
        for service in SERVICES
    ]
    return [*plain, *days, *services, *offers]


def value_words(name: str, value: Any) -> str:
    """A field of a dealer as it is read."""
    if value is None:
        return _("no cap")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in {"lat", "lon"}:
        return f"{value:.5f}"
    if isinstance(value, int | float):
        return format_number(value)
    if name == "kind":
        return str(KIND_WORDS.get(value, value))
    if name == "country":
        return country_name(value) if value else "–"
    if name == "language":
        return language_name(value) if value else "–"
    if isinstance(value, tuple | frozenset):
        return _listed([_part(name, each) for each in sorted(value)])
    return str(value) or "–"


def _part(name: str, value: Any) -> str:
    if name == "languages":
        return language_name(value)
    if name == "closures":
        return span_words(value)
    if name == "competences":
        brand, service, models = value
        words = f"{brand}: {label('service', service)}"
        return f"{words} ({', '.join(models)})" if models else words
    if name == "areas":
        return _("an area of its own") if value[0] else _("a shared area")
    return str(value)


def span_words(span: tuple[date, date, str]) -> str:
    first, last, reason = span
    days = format_date(first) if first == last else f"{format_date(first)} – {format_date(last)}"
    return f"{days} ({reason})" if reason else days


def _listed(words: list[str]) -> str:
    if not words:
        return "–"
    shown = ", ".join(words[:_LONGEST_LIST])
    more = len(words) - _LONGEST_LIST
    return _("%(shown)s and %(num)s more", shown=shown, num=more) if more > 0 else shown


def problem_words(problem: Problem) -> str:
    """A whole sentence on what is wrong, or was done, with what stood there."""
    if problem.code in ROW_PROBLEMS:
        return row_problem_words(problem.code)
    return _PROBLEMS[problem.code](problem)


def obstacle_words(code: str) -> str:
    """Why a dealer that the file doesn't name is not ended."""
    return str(_OBSTACLES[code])


def bad_map_words(bad: BadColumnMap) -> str:
    """Why a table of columns can't be used."""
    return _MAP_PROBLEMS[bad.code](bad.about)


def bad_feature_words(bad: BadFeature) -> str:
    """Why a feature of the map's file is left out."""
    words = str(_FEATURES[bad.code])
    return _("Area %(number)s (%(dealer)s): %(why)s", number=bad.number, dealer=bad.named or "–",
             why=words)  # fmt: skip


def _why_hours(problem: Problem) -> str:
    why = str(problem.figures.get("why", ""))
    return f"{_('The hours “%(given)s” are not understood.', given=problem.given)} {_(why)}"


def _located(problem: Problem) -> str:
    methods = {
        "postcode": _("Has no coordinates: put at the middle of its postcode, %(place)s,"
                      " to within %(km)s."),
        "city": _("Has no coordinates: put at the middle of %(place)s, to within %(km)s."),
    }  # fmt: skip
    words = methods.get(str(problem.figures["method"]))
    words = words or _("Has no coordinates: put at %(place)s, to within %(km)s.")
    return words % {"place": problem.given, "km": format_km(problem.figures["km"])}


def _place_ambiguous(problem: Problem) -> str:
    guesses = problem.figures.get("guesses")
    told = _("Has no coordinates, and several places could be meant: “%(given)s”.",
             given=problem.given)  # fmt: skip
    return f"{told} {guesses}" if guesses else told


def _simple(words: LazyProxy) -> Callable[[Problem], str]:
    return lambda problem: str(words) % {
        "given": problem.given, "field": field_words(problem.field), **problem.figures
    }  # fmt: skip


_PROBLEMS: Mapping[str, Callable[[Problem], str]] = {
    "missing": _simple(_l("Missing: %(field)s.")),
    "bad_code": _simple(_l("“%(given)s” can't be a code: 40 signs at most, no blanks or slashes.")),
    "repeated": _simple(_l("The code %(given)s stands in line %(row)s already.")),
    "ended": _simple(_l("The dealer %(given)s has ended, or doesn't begin before later.")),
    "too_long": _simple(_l("%(field)s is too long: “%(given)s…”.")),
    "unknown_market": _simple(_l("There is no market “%(given)s”.")),
    "no_market": _simple(_l("No market has this country (“%(given)s”). Say which market it is.")),
    "other_market": _simple(_l("Belongs to another market (%(given)s).")),
    "market_closed": _simple(_l("You may not change dealers of the market %(given)s.")),
    "country_elsewhere": _simple(_l("The country %(given)s is none of the market's.")),
    "unknown_country": _simple(_l("“%(given)s” is no country that is known.")),
    "unknown_kind": _simple(_l("“%(given)s” is no kind of dealer: showroom, workshop or team.")),
    "unknown_language": _simple(_l("“%(given)s” holds a language that isn't known.")),
    "unknown_timezone": _simple(_l("“%(given)s” is no time zone such as Europe/Warsaw.")),
    "no_timezone": _simple(_l("No time zone is known at %(given)s. Is this place at sea?")),
    "not_a_mail": _simple(_l("“%(given)s” can't be a mail address.")),
    "not_a_phone": _simple(_l("“%(given)s” can't be dialled; it is kept as it is.")),
    "not_coordinates": _simple(_l("“%(given)s” are no coordinates in degrees.")),
    "place_nothing_given": _simple(_l("Has no coordinates, and no postcode or city to go by.")),
    "place_unknown": _simple(_l("Has no coordinates, and “%(given)s” is not in the gazetteer.")),
    "place_ambiguous": _place_ambiguous,
    "place_conflict": _simple(
        _l("Has no coordinates, and its postcode and city lie far apart (“%(given)s”).")
    ),
    "place_vague": lambda problem: _(
        "Has no coordinates, and its address tells no more than %(place)s, to within %(km)s.",
        place=problem.given,
        km=format_km(problem.figures["km"]),
    ),
    "located": _located,
    "not_hours": _why_hours,
    "hours_mended": _simple(_l("The hours “%(given)s” are read as “%(read)s”.")),
    "not_day_hours": _simple(
        _l("“%(given)s” (%(field)s) could mean more than one thing: write 09:00-18:00, or closed.")
    ),
    "not_dates": _simple(_l("“%(given)s” are no days such as 2026-12-24 to 2026-12-31.")),
    "ambiguous_date": _simple(
        _l("“%(given)s”: is the day or the month first? Say so, or write 2026-12-24.")
    ),
    "days_reversed": _simple(_l("“%(given)s”: the last day is before the first.")),
    "closures_over": _simple(_l("Days closed that are over are left out (“%(given)s”).")),
    "not_a_cap": _simple(_l("%(field)s: “%(given)s” is no whole number from 0 on.")),
    "day_above_month": _simple(
        _l("More leads in a day than in a month: this cap would never be reached.")
    ),
    "not_a_weight": _simple(_l("“%(given)s” is no weight: a number above 0, 1,000 at most.")),
    "not_yes_or_no": _simple(_l("%(field)s: “%(given)s” is neither yes nor no.")),
    "unknown_brand": _simple(_l("“%(given)s” is no brand that is known.")),
    "unknown_service": _simple(_l("“%(given)s” is no service that is known.")),
    "unknown_model": _simple(_l("“%(given)s” is no model of the brand.")),
    "no_brand": _simple(_l("“%(given)s”: of which brand?")),
    "no_service": _simple(_l("“%(given)s”: for which services?")),
    "not_competences": _simple(_l("“%(given)s” are no competences such as brand:sales,parts.")),
    "no_competence": _simple(_l("Has no competence, so no lead goes there.")),
    "bad_postcodes": _simple(
        _l("“%(given)s” is neither a postcode, nor the beginning of one, nor a range of them.")
    ),
    "area_of_nobody": _simple(
        _l("The map's file has an area of %(given)s, which is not in the list.")
    ),
}
PROBLEM_CODES = frozenset(_PROBLEMS)

_OBSTACLES: Mapping[str, LazyProxy] = {
    "team": _l("A team of the market: end it on its own page."),
    "fallback": _l("A policy of the market counts on it: change the policy first."),
    "planned_already": _l("Its end is planned already."),
    "lines_without_code": _l("The file has lines without a code, which could be this dealer."),
}
_MAP_PROBLEMS: Mapping[str, Callable[[str], str]] = {
    "not_table": lambda _about: _("This is no table of columns and fields."),
    "unknown_field": lambda about: _("There is no field “%(field)s”.", field=about),
    "unknown_column": lambda about: _("The file has no column “%(column)s”.", column=about),
    "twice": lambda about: _("Two columns are given to “%(field)s”.", field=field_words(about)),
    "not_default": lambda about: _(
        "“%(field)s” can't be the same for all dealers.", field=field_words(about)
    ),
}
_FEATURES: Mapping[str, LazyProxy] = {
    "no_dealer": _l("it names no dealer."),
    "not_an_area": _l("it is no polygon."),
    "crosses_itself": _l("its border crosses itself."),
    "off_the_map": _l("it lies off the map: are latitude and longitude the wrong way round?"),
}


def bad_areas_words(code: str) -> str:
    """Why the map's file can't be read at all."""
    return str(_AREAS[code])


_AREAS: Mapping[str, LazyProxy] = {
    "not_geojson": _l("This is no GeoJSON file with a FeatureCollection."),
    "too_many_features": _l("The map's file has too many areas."),
    "too_many_points": _l("The map's file has too many points. Simplify its areas."),
}
