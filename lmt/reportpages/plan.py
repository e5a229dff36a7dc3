"""A market's plan, a year at a time: targets and exchange rates by month."""

from __future__ import annotations

from collections.abc import Mapping

from babel.dates import get_month_names
from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import plans, web
from lmt.dealerchanges import BadValues
from lmt.i18n import gettext as _
from lmt.i18n import ngettext, reader
from lmt.markets import PERMISSION, edited_markets
from lmt.models import Market
from lmt.reportpages.asking import reader_today
from lmt.reportpages.blueprint import blueprint
from lmt.reports.figures import BY_CODE


@blueprint.get("/plan")
@web.require(PERMISSION)
def plan() -> ResponseReturnValue:
    return _page()


@blueprint.post("/plan")
@web.require(PERMISSION)
def save_plan() -> ResponseReturnValue:
    session, typed = web.db(), request.form.to_dict()
    code, year = _market().code, _year()
    try:
        changed = plans.save_year(session, code, year, typed, at=web.at(), actor=web.actor())
    except BadValues as bad:
        session.rollback()
        return _page(typed, bad.problems), 422
    if changed:
        flash(ngettext("%(num)s month was changed.", "%(num)s months were changed.", changed),
              "success")  # fmt: skip
    else:
        flash(_("Nothing was changed."), "info")
    return redirect(url_for("reports.plan", market=code, year=year))


def _page(typed: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None) -> str:
    """What was `typed` where it could not be kept, else what stands."""
    market, year = _market(), _year()
    rated = market.currency != web.settings().currency
    entries = plans.year_of(web.db(), market.id, year)
    kept = {
        f"{entry.month.month}.{name}": plans.as_entered(name, entry.values.get(name))
        for entry in entries
        for name in plans.NAMES
    }
    return render_template(
        "reports/plan.html",
        market=market,
        markets=[(each.code, each.name) for each in edited_markets(web.db(), web.actor())],
        year=year,
        years=[each for each in (year - 1, year + 1) if _is_year(each)],
        months=list(get_month_names("wide", "stand-alone", reader().locale).items()),
        names=[(name, _words(name, market)) for name in plans.NAMES if name != plans.RATE or rated],
        given={**kept, **(typed or {})},
        problems=problems or {},
        rated=rated,
    )


def _market() -> Market:
    """The one that is named, else the first by name, of those that the reader may change."""
    found = edited_markets(web.db(), web.actor())
    code = request.values.get("market", "")
    chosen = next((each for each in found if each.code == code or not code), None)
    if chosen is None:
        abort(404)
    return chosen


def _year() -> int:
    text = request.values.get("year", "")
    if not text:
        return reader_today().year
    if not (text.isascii() and text.isdigit() and _is_year(int(text[:6]))):
        abort(404)
    return int(text)


def _is_year(year: int) -> bool:
    return plans.FIRST_YEAR <= year <= plans.LAST_YEAR


def _words(name: str, market: Market) -> str:
    if name == plans.RATE:
        return _(
            "1 %(currency)s in %(other)s", currency=market.currency, other=web.settings().currency
        )
    words = str(BY_CODE[name].name)
    if name in plans.SHARES:
        return _("%(figure)s, in percent", figure=words)
    return (
        _("%(figure)s, in %(currency)s", figure=words, currency=market.currency)
        if (name == "value")
        else words
    )
