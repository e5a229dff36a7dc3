"""What the linter of calendars found, in the reader's words: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from babel.support import LazyProxy

from lmt.calendarpacks import RAMADAN
from lmt.i18n import country_name, format_date, format_day_time, format_km, format_number, ngettext
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import label
from lmt.routing.lint import Finding

SEVERITY_WORDS: Mapping[str, LazyProxy] = {
    "error": _l("To be mended"),
    "warning": _l("To be checked"),
    "note": _l("Good to know"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """`remedy` says what to do."""

    what: str
    remedy: str


def finding_words(finding: Finding, zone: str) -> Words:
    """Whole sentences; instants on the wall clock of the place they speak of, else of `zone`."""
    figures = dict(finding.figures)
    return _WORDS[finding.code](figures, finding, zone)


def days_name(name: str) -> str:
    """What special days are called: a pack's in the reader's language, else as typed."""
    return _("Ramadan") if name == RAMADAN else name


def span_words(first: Any, last: Any) -> str:
    """One day, or two with all between."""
    if first == last:
        return format_date(first)
    return _("%(first)s to %(last)s", first=format_date(first), last=format_date(last))


def _hours_unreadable(figures: dict[str, Any], _finding: Finding, _zone: str) -> Words:
    what = _("The hours “%(hours)s” can't be read, so leads wait.", hours=figures["hours"])
    return Words(what, _suggestion(figures))


def _special_unreadable(figures: dict[str, Any], _finding: Finding, _zone: str) -> Words:
    what = _(
        "The special hours “%(hours)s” of %(days)s can't be read: closed on these days.",
        hours=figures["hours"],
        days=span_words(figures["first"], figures["last"]),
    )
    return Words(what, _suggestion(figures))


def _suggestion(figures: Mapping[str, Any]) -> str:
    if figures["suggested"]:
        return _("Do you mean “%(hours)s”?", hours=figures["suggested"])
    return _(figures["problem"])


def _never_open(figures: dict[str, Any], _finding: Finding, _zone: str) -> Words:
    return Words(
        _("Never opens within a year (“%(hours)s”).", hours=figures["hours"]),
        _("Correct hours and closures, or end the dealer."),
    )


def _long_closed(figures: dict[str, Any], _finding: Finding, _zone: str) -> Words:
    return Words(
        _("Doesn't open before %(day)s.", day=format_date(figures["opens_on"])),
        _("Pause the dealer, so that no lead is offered to it meanwhile."),
    )


def _unreachable(_figures: dict[str, Any], _finding: Finding, _zone: str) -> Words:
    return Words(
        _("Can't be reached: there is no address for its mail."),
        _("Enter an address; until then no lead is offered."),
    )


def _no_place(_figures: dict[str, Any], _finding: Finding, _zone: str) -> Words:
    return Words(
        _("Has no usable coordinates, so no distance can be measured."),
        _("Enter latitude and longitude."),
    )


def _outside_country(figures: dict[str, Any], finding: Finding, _zone: str) -> Words:
    return Words(
        _(
            "Lies near %(place)s in %(found)s, yet belongs to %(country)s.",
            place=figures["place"],
            found=country_name(figures["found"]),
            country=country_name(finding.country),
        ),
        _("Check latitude, longitude and country."),
    )


def _special_past(figures: dict[str, Any], finding: Finding, _zone: str) -> Words:
    return Words(
        _(
            "The special days of %(days)s are over (%(name)s).",
            days=span_words(figures["first"], figures["last"]),
            name=days_name(figures["name"]) or country_name(finding.country),
        ),
        _("Enter the next ones, if they come again."),
    )


def _ramadan_missing(figures: dict[str, Any], finding: Finding, _zone: str) -> Words:
    days = span_words(figures["first"], figures["last"])
    if figures["estimated"]:
        days = _("%(days)s (estimated)", days=days)
    return Words(
        _("Ramadan has no hours of its own in %(country)s: %(days)s.",
          country=country_name(finding.country), days=days),
        _("Take the hours of the country's calendar, or enter your own."),
    )  # fmt: skip


def _postcodes_overlap(figures: dict[str, Any], _finding: Finding, _zone: str) -> Words:
    return Words(
        ngettext(
            "Both own the postcode %(prefixes)s alone.",
            "Both own the postcodes %(prefixes)s alone.",
            figures["count"],
            prefixes=figures["prefixes"],
        ),
        _("Give it to one of them, or let both share it."),
    )


def _areas_overlap(figures: dict[str, Any], _finding: Finding, _zone: str) -> Words:
    return Words(
        _("Both own the same %(km2)s km² alone.", km2=format_number(figures["km2"], 1)),
        _("Redraw one of the territories, or let both share it."),
    )


def _nobody_there(figures: dict[str, Any], _finding: Finding, zone: str) -> Words:
    return Words(
        ngettext(
            "Nobody is there from %(start)s until %(end)s: %(name)s is away without a deputy.",
            "Nobody is there from %(start)s until %(end)s: %(name)s are away without a deputy.",
            figures["count"],
            start=format_day_time(figures["starts_at"], zone),
            end=format_day_time(figures["ends_at"], zone),
            name=figures["name"],
        ),
        _("Name a deputy, or pause the dealer."),
    )


def _services(figures: Mapping[str, Any]) -> str:
    return ", ".join(label("service", service) for service in figures["services"])


def _closure_strands(figures: dict[str, Any], _finding: Finding, _zone: str) -> Words:
    service = label("service", figures["service"])
    return Words(
        ngettext(
            "%(service)s: nobody within %(km)s works on %(days)s for %(num)s place (%(worst)s).",
            "%(service)s: nobody within %(km)s works on %(days)s for %(num)s places,"
            " %(worst)s among them.",
            figures["places"],
            service=service,
            km=format_km(figures["km"]),
            days=span_words(figures["first"], figures["last"]),
            worst=figures["worst"],
        ),
        _("Let one of them stay open, or agree with a dealer farther away."),
    )


def _nobody_near(figures: dict[str, Any], _finding: Finding, _zone: str) -> Words:
    return Words(
        ngettext(
            "%(service)s: %(num)s place has no dealer within %(km)s: %(worst)s (%(nearest)s away).",
            "%(service)s: %(num)s places have no dealer within %(km)s, the largest is %(worst)s"
            " (%(nearest)s away).",
            figures["places"],
            service=_services(figures),
            km=format_km(figures["km"]),
            worst=figures["worst"],
            nearest=format_km(figures["nearest_km"]),
        ),
        _("Leads from there go far, or to the market's fallback."),
    )


def _nobody_open(figures: dict[str, Any], _finding: Finding, zone: str) -> Words:
    zone = figures["timezone"] or zone
    return Words(
        ngettext(
            "%(service)s: from %(start)s until %(end)s nobody within %(km)s is open for"
            " %(num)s place (%(worst)s).",
            "%(service)s: from %(start)s until %(end)s nobody within %(km)s is open for"
            " %(num)s places, %(worst)s the largest.",
            figures["places"],
            service=_services(figures),
            start=format_day_time(figures["starts_at"], zone),
            end=format_day_time(figures["ends_at"], zone),
            km=format_km(figures["km"]),
            worst=figures["worst"],
        ),
        _("A dealer open at that time, or the duty desk, would answer these leads."),
    )


_WORDS: Mapping[str, Callable[[dict[str, Any], Finding, str], Words]] = {
    "areas_overlap": _areas_overlap,
    "closure_strands": _closure_strands,
    "hours_unreadable": _hours_unreadable,
    "long_closed": _long_closed,
    "never_open": _never_open,
    "no_place": _no_place,
    "nobody_near": _nobody_near,
    "nobody_open": _nobody_open,
    "nobody_there": _nobody_there,
    "outside_country": _outside_country,
    "postcodes_overlap": _postcodes_overlap,
    "ramadan_missing": _ramadan_missing,
    "special_past": _special_past,
    "special_unreadable": _special_unreadable,
    "unreachable": _unreachable,
}
CODES = frozenset(_WORDS)
