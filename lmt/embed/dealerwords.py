"""The dealers near a visitor in the visitor's words: how far, open now or when, and why not."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel import dates

from lmt import i18n
from lmt.forms.dealerlist import DealerList, DealerRow
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.nearby import Nearby, NearbyDealer

WITHIN_DAYS = 6
"""So far ahead the name of a day says which one it is."""


def place_problem(code: str, typed: str) -> str:
    """Why no place was found, by the code of UnknownPlace."""
    if code == "missing":
        return _("Type a postcode or a place first.")
    if not typed:
        return _("We know no place near where you are.")
    return _("We know no place called %(name)s here. Try a larger town nearby.", name=typed)


def dealers_in_words(found: Nearby, typed: str, at: datetime) -> DealerList:
    """What was found for the text `typed` ("": for coordinates), as it stands at `at`."""
    place = found.place_name
    is_clear = not (found.guessed or found.alternatives)
    return DealerList(
        place=place,
        typed=typed if typed and is_clear else place,
        hint="" if is_clear else _("We looked around %(place)s.", place=place),
        summary=_summary(found),
        lat=found.lat,
        lon=found.lon,
        alternatives=found.alternatives,
        rows=tuple(_row(each, at) for each in found.dealers),
    )


def _summary(found: Nearby) -> str:
    takers = [each for each in found.dealers if each.takes]
    if not takers:
        return _(
            "No dealer near %(place)s can take your request now."
            " Send it all the same, and we will find one for you.",
            place=found.place_name,
        )
    if not found.dealers[0].takes:
        return _(
            "%(nearest)s can't take your request now."
            " The next one is %(dealer)s, %(distance)s away.",
            nearest=found.dealers[0].name,
            dealer=takers[0].name,
            distance=i18n.format_km(takers[0].distance_km),
        )
    return ngettext(
        "%(num)s dealer near %(place)s can take your request.",
        "%(num)s dealers near %(place)s can take your request.",
        len(takers),
        place=found.place_name,
    )


def _row(dealer: NearbyDealer, at: datetime) -> DealerRow:
    return DealerRow(
        code=dealer.code,
        name=dealer.name,
        address=", ".join(part for part in (dealer.street, dealer.city) if part),
        phone=dealer.phone,
        distance=i18n.format_km(dealer.distance_km),
        hours=_hours(dealer, at) if dealer.why != "competence" else "",
        problem=_why(dealer.why),
        lat=dealer.lat,
        lon=dealer.lon,
    )


def _why(why: str) -> str:
    return {
        "full": _("Takes no more requests at present"),
        "paused": _("Takes no requests at present"),
        "closed": _("Closed for some days"),
        "competence": _("Does not offer what you ask for"),
    }.get(why, "")


def _hours(dealer: NearbyDealer, at: datetime) -> str:
    """Open or not, on the dealer's own clock."""
    zone = ZoneInfo(dealer.timezone)
    opens_at, closes_at = dealer.opens_at, dealer.closes_at
    today = at.astimezone(zone).date()
    if opens_at is None:
        if dealer.why == "closed":
            return ""
        if closes_at is None or closes_at.astimezone(zone).date() != today:
            return _("Open now")
        return _("Open now, until %(time)s", time=i18n.format_time(closes_at, dealer.timezone))
    day = opens_at.astimezone(zone).date()
    time = i18n.format_time(opens_at, dealer.timezone)
    if day == today:
        return _("Opens today at %(time)s", time=time)
    if (day - today).days > WITHIN_DAYS:
        return _("Opens %(opening)s", opening=i18n.format_day_time(opens_at, dealer.timezone))
    weekday = dates.format_date(day, "EEE", locale=i18n.reader().locale)
    return _("Opens %(opening)s", opening=f"{weekday} {time}")
