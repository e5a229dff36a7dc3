"""The dealers of a network to take away: where, when and how much, as it holds today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from lmt.exports.listing import Column, Listing, Record, Wanted
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.models import Dealer, DealerGroup, DealerLoad, DealerTerms, Market

_market = aliased(Market)


@dataclass(frozen=True, slots=True)
class DealerLine:
    """A dealer's row, with leads counted for the day and month it is where the dealer is."""

    row: Record
    today: int
    this_month: int


def dealers_listing(conditions: Iterable[ColumnElement[bool]], at: datetime) -> Listing[DealerLine]:
    """The dealers that fit and hold at `at`, by code."""
    wanted = _DEALERS.where(DealerTerms.holds_at(at), *conditions)
    lines = partial(_lines, at)
    return Listing(
        "dealers", _l("Dealers"), COLUMNS, wanted, Dealer.code, lines, latest_first=False
    )


def _lines(at: datetime, _session: Session, rows: Sequence[Record]) -> list[DealerLine]:
    found = []
    for row in rows:
        today = at.astimezone(ZoneInfo(row.timezone)).date()
        of_month = row.day is not None and (row.day.year, row.day.month) == today.timetuple()[:2]
        found.append(
            DealerLine(
                row, row.day_used if row.day == today else 0, row.month_used if of_month else 0
            )
        )
    return found


def _state(line: DealerLine) -> str:
    if not line.row.active:
        return _("Not active")
    return _("Paused") if line.row.paused else _("Active")


def _kind(line: DealerLine) -> str:
    words = {"showroom": _("Showroom"), "workshop": _("Workshop"), "team": _("Team")}
    return words[line.row.kind]


_DEALERS: Wanted = (
    select(
        Dealer.code,
        Dealer.kind,
        DealerTerms.name,
        DealerTerms.active,
        DealerTerms.paused,
        DealerTerms.street,
        DealerTerms.postcode,
        DealerTerms.city,
        DealerTerms.country,
        DealerTerms.lat,
        DealerTerms.lon,
        DealerTerms.email,
        DealerTerms.phone,
        DealerTerms.language,
        DealerTerms.languages,
        DealerTerms.timezone,
        DealerTerms.hours,
        DealerTerms.day_cap,
        DealerTerms.month_cap,
        DealerTerms.open_cap,
        DealerLoad.day,
        DealerLoad.day_used,
        DealerLoad.month_used,
        DealerLoad.open_used,
        _market.name.label("market"),
        DealerGroup.name.label("group"),
    )
    .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
    .join(_market, _market.id == Dealer.market_id)
    .outerjoin(DealerGroup, DealerGroup.id == Dealer.group_id)
    .outerjoin(DealerLoad, DealerLoad.dealer_id == Dealer.id)
)

COLUMNS: tuple[Column[DealerLine], ...] = (
    Column(_l("Dealer's code"), lambda line: line.row.code),
    Column(_l("Dealer"), lambda line: line.row.name),
    Column(_l("Kind"), _kind),
    Column(_l("State"), _state),
    Column(_l("Market"), lambda line: line.row.market),
    Column(_l("Group"), lambda line: line.row.group),
    Column(_l("Street"), lambda line: line.row.street),
    Column(_l("Postcode"), lambda line: line.row.postcode),
    Column(_l("City"), lambda line: line.row.city),
    Column(_l("Country"), lambda line: line.row.country),
    Column(_l("Latitude"), lambda line: line.row.lat),
    Column(_l("Longitude"), lambda line: line.row.lon),
    Column(_l("Mail address"), lambda line: line.row.email),
    Column(_l("Phone"), lambda line: line.row.phone),
    Column(_l("Language"), lambda line: line.row.language),
    Column(_l("Languages spoken"), lambda line: ", ".join(line.row.languages)),
    Column(_l("Time zone"), lambda line: line.row.timezone),
    Column(_l("Hours"), lambda line: line.row.hours),
    Column(_l("Leads today"), lambda line: line.today),
    Column(_l("Most a day"), lambda line: line.row.day_cap),
    Column(_l("Leads this month"), lambda line: line.this_month),
    Column(_l("Most a month"), lambda line: line.row.month_cap),
    Column(_l("Open leads"), lambda line: line.row.open_used or 0),
    Column(_l("Most open"), lambda line: line.row.open_cap),
)
