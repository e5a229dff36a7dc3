"""Headquarters' calendars: what is wrong with them, which days ahead are different, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from lmt import web
from lmt.calendarpacks import Pack, pack_of, ramadans, same_ramadan
from lmt.hoursmending import mended
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.hq.findingwords import SEVERITY_WORDS, days_name, finding_words
from lmt.i18n import country_name, ngettext, reader
from lmt.i18n import gettext as _
from lmt.models import Dealer, DealerTerms, Market, SpecialHours
from lmt.publicholidays import holiday_name
from lmt.routing.lint import SEVERITIES, Finding
from lmt.routing.linting import lint_market
from lmt.specialdays import BadDays, apply_pack, end_days, set_days

AHEAD = timedelta(weeks=8)
PACK_YEARS = 3
MOST_SHOWN = 25
"""Findings of one severity on the page; the rest are counted."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """A run of days that differ: a public holiday (without hours), or special days."""

    first: date
    last: date
    name: str
    hours: str


@dataclass(frozen=True, slots=True)
class CountryRow:
    """`years`: of Ramadans in the pack that the market has never had."""

    code: str
    name: str
    pack: Pack
    days: list[DayRow]
    years: list[int]


@blueprint.get("/calendars")
@web.require("lead.assign")
def calendars() -> ResponseReturnValue:
    markets = q.choices_for(web.db()).markets
    code = request.args.get("market", "") or (markets[0][0] if markets else "")
    if not markets:
        return render_template("hq/calendars.html", market=None, markets=markets)
    market = _market(code)
    found = lint_market(web.db(), market.id, web.at())
    by_severity = {s: [f for f in found if f.severity == s] for s in SEVERITIES}
    entries = _entries(market)
    return render_template(
        "hq/calendars.html",
        market=market,
        markets=markets,
        groups=[
            (severity, SEVERITY_WORDS[severity], group[:MOST_SHOWN], len(group))
            for severity, group in by_severity.items()
            if group
        ],
        words=lambda finding: finding_words(finding, market.timezone),
        names=_dealer_names(found),
        entries=[entry for entry in entries if entry.ends_on >= web.at().date()],
        countries=[_country(each.country, entries) for each in market.countries],
        days_name=days_name,
        may_edit=_may_edit(market),
    )


@blueprint.post("/calendars/<market>/pack")
@web.require("network.edit")
def calendar_pack(market: str) -> ResponseReturnValue:
    row, country = _edited_market(market), request.form.get("country", "")
    today = web.at().date()
    try:
        added = apply_pack(
            web.db(), row.id, country, range(today.year, today.year + PACK_YEARS), web.at()
        )
    except LookupError:
        abort(404)
    if added:
        flash(
            ngettext(
                "%(num)s Ramadan was entered. Adjust its days and hours as you need.",
                "%(num)s Ramadans were entered. Adjust their days and hours as you need.",
                len(added),
            ),
            "success",
        )
    else:
        flash(_("The market has had all of these days before; nothing was changed."), "info")
    return redirect(url_for("hq.calendars", market=row.code))


@blueprint.get("/calendars/<market>/days")
@web.require("network.edit")
def calendar_days(market: str) -> ResponseReturnValue:
    row = _edited_market(market)
    entry = _entry(row, request.args.get("row", type=int))
    given = {"country": row.countries[0].country if row.countries else ""}
    if entry is not None:
        given = {
            "row": str(entry.id),
            "country": entry.country,
            "first": entry.starts_on.isoformat(),
            "last": entry.ends_on.isoformat(),
            "hours": entry.hours,
            "name": entry.name,
        }
    return _days_form(row, given)


@blueprint.post("/calendars/<market>/days")
@web.require("network.edit")
def set_calendar_days(market: str) -> ResponseReturnValue:
    row = _edited_market(market)
    given = {name: value.strip() for name, value in request.form.items()}
    given["hours"] = given.pop("suggested", "") or given.get("hours", "")
    first, last = _day(given.get("first", "")), _day(given.get("last", ""))
    errors = {
        name: _("Enter a date.") for name, day in (("first", first), ("last", last)) if day is None
    }
    entry = _entry(row, request.form.get("row", type=int))
    if first is not None and last is not None:
        try:
            set_days(
                web.db(),
                row.id,
                entry.country if entry else given.get("country", ""),
                first,
                last,
                given["hours"],
                given.get("name", ""),
                web.at(),
                instead_of=entry.id if entry else None,
            )
        except BadDays as bad:
            errors[bad.field] = _(bad.reason)
        except LookupError:
            abort(404)
    if errors:
        web.db().rollback()
        return _days_form(_market(market), given, errors), 422
    flash(_("The days were saved. Leads go by them from now on."), "success")
    return redirect(url_for("hq.calendars", market=market))


@blueprint.post("/calendars/<market>/days/<int:row_id>/end")
@web.require("network.edit")
def end_calendar_days(market: str, row_id: int) -> ResponseReturnValue:
    row = _edited_market(market)
    try:
        end_days(web.db(), row.id, row_id, web.at())
    except LookupError:
        abort(404)
    flash(_("The normal hours hold again on these days."), "success")
    return redirect(url_for("hq.calendars", market=row.code))


def _days_form(
    market: Market, given: Mapping[str, Any], errors: Mapping[str, str] | None = None
) -> str:
    errors = errors or {}
    return render_template(
        "hq/calendars_days.html",
        market=market,
        given=given,
        errors=errors,
        suggested=mended(given["hours"]) if "hours" in errors else None,
        countries=[(each.country, country_name(each.country)) for each in market.countries],
    )


def _market(code: str) -> Market:
    """A market of the reader's, or 404."""
    session = web.db()
    row = session.scalars(
        select(Market).where(Market.code == code).options(selectinload(Market.countries))
    ).one_or_none()
    if row is None or code not in {known for known, _name in q.choices_for(session).markets}:
        abort(404)
    return row


def _edited_market(code: str) -> Market:
    """A market whose days the reader may change, or 404."""
    row = _market(code)
    if not _may_edit(row):
        abort(404)
    return row


def _may_edit(market: Market) -> bool:
    """Who looks after one brand, or one dealer, decides nothing for a whole market."""
    own = web.actor().whole_markets("network.edit")
    return own is None or market.id in own


def _entries(market: Market) -> Sequence[SpecialHours]:
    """A country's days, not single dealers'; past ones too."""
    return (
        web.db()
        .scalars(
            select(SpecialHours)
            .where(
                SpecialHours.market_id == market.id,
                SpecialHours.dealer_id.is_(None),
                SpecialHours.holds_at(web.at()),
            )
            .order_by(SpecialHours.starts_on, SpecialHours.country)
        )
        .all()
    )


def _entry(market: Market, row_id: int | None) -> SpecialHours | None:
    if row_id is None:
        return None
    found = next((entry for entry in _entries(market) if entry.id == row_id), None)
    if found is None:
        abort(404)
    return found


def _country(code: str, entries: Sequence[SpecialHours]) -> CountryRow:
    today = web.at().date()
    own = [entry for entry in entries if entry.country == code]
    days = [
        DayRow(entry.starts_on, entry.ends_on, days_name(entry.name), entry.hours)
        for entry in own
        if entry.ends_on >= today and entry.starts_on <= today + AHEAD
    ]
    language = reader().locale.split("_")[0]
    ahead = (today + timedelta(days=n) for n in range(AHEAD.days))
    named = [(day, holiday_name(code, day, language)) for day in ahead]
    for name, run in groupby((pair for pair in named if pair[1]), key=lambda pair: pair[1]):
        holidays = [day for day, _name in run]
        days.append(DayRow(holidays[0], holidays[-1], name or "", ""))
    missing = [
        year
        for year in range(today.year, today.year + PACK_YEARS)
        if any(
            month.last >= today
            and not any(same_ramadan(entry.starts_on, month.first) for entry in own)
            for month in ramadans(code, year)
        )
    ]
    days.sort(key=lambda row: (row.first, row.hours))
    return CountryRow(code, country_name(code), pack_of(code), days, missing)


def _dealer_names(found: Sequence[Finding]) -> dict[str, str]:
    codes = {code for finding in found for code in finding.dealers}
    rows = web.db().execute(
        select(Dealer.code, DealerTerms.name)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(Dealer.code.in_(codes), DealerTerms.holds_at(web.at()))
    )
    return dict(rows.all())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
