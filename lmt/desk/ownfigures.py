"""A manager's page of the dealer's own figures, beside the market's middle and the month before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import render_template
from flask.typing import ResponseReturnValue

from lmt import dealerdesk, web
from lmt.desk.blueprint import blueprint
from lmt.desk.managing import house, midnight
from lmt.i18n import format_percent
from lmt.reports.oldfigures import response_time
from lmt.reports.owncomparison import RATES, Rate, standing
from lmt.reports.ownfigures import Period, colleagues_figures, middle_of_the_hour, own_figures

DAYS = 30


@dataclass(frozen=True, slots=True)
class Shown:
    """A rate in words: now, in the period before, and in the market's middle ("" for unknown)."""

    rate: Rate
    now: str
    before: str
    middle: str
    standing: str
    change: str


@blueprint.get("/figures")
@web.require(dealerdesk.PERMISSION)
def figures() -> ResponseReturnValue:
    here, session, at = house(), web.db(), web.at()
    # Whole days of the reader's, by which the inbox filters what is linked here.
    zone = web.user().timezone
    tomorrow = at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    first, last = tomorrow - timedelta(days=DAYS), tomorrow - timedelta(days=1)
    period = Period(midnight(first, zone), midnight(tomorrow, zone))
    earlier = Period(midnight(first - timedelta(days=DAYS), zone), period.since)
    now = own_figures(session, here.dealer.id, period, at)
    before = own_figures(session, here.dealer.id, earlier, at)
    middle = middle_of_the_hour(session, here.dealer.market_id, period, at)
    shown = []
    for rate in RATES:
        values = [getattr(each, rate.code) for each in (now, before, middle)]
        if not middle.is_told:
            values[2] = None
        told = [_words(rate, value) for value in values]
        versus = [standing(rate, values[0], other) for other in (values[2], values[1])]
        shown.append(Shown(rate, told[0], told[1], told[2], versus[0], versus[1]))
    return render_template(
        "desk/figures.html",
        here=here,
        first=first,
        last=last,
        days=DAYS,
        now=now,
        before=before,
        middle=middle,
        rates=shown,
        colleagues=colleagues_figures(session, here.dealer.id, period),
    )


def _words(rate: Rate, value: float | None) -> str:
    if value is None:
        return ""
    return format_percent(value) if rate.unit == "share" else response_time(value)
