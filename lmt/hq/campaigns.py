"""Headquarters' campaigns: when each runs, what it costs, how leads find it and how many did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import list_currencies
from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from lmt import campaigning as verbs
from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.hq.sourceform import suggested_code
from lmt.hq.sourcewords import changes_of
from lmt.i18n import gettext as _
from lmt.models import Brand, Campaign, Lead, Market

PAGE_ROWS = 50
NO_COST = Decimal(-1)
"""Stands for what is no amount; it is refused as one below nothing."""


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """`state`: `planned`, `runs` or `over`; `leads` that found it, without tests."""

    campaign: Campaign
    state: str
    leads: int


@blueprint.get("/campaigns")
@web.require(verbs.PERMISSION)
def campaigns() -> ResponseReturnValue:
    session = web.db()
    market, after = request.args.get("market", "")[:100], request.args.get("after", "")
    wanted = (
        select(Campaign)
        .where(verbs.kept_by(web.actor()))
        .order_by(Campaign.id.desc())
        .limit(PAGE_ROWS + 1)
    )
    if market:
        wanted = wanted.where(
            Campaign.market_id.in_(select(Market.id).where(Market.code == market))
        )
    if after.isascii() and after.isdecimal() and len(after) < 10:
        wanted = wanted.where(Campaign.id < int(after))
    found = session.scalars(wanted).all()
    shown = found[:PAGE_ROWS]
    counted = session.execute(
        select(Lead.campaign_id, func.count())
        .where(Lead.campaign_id.in_([each.id for each in shown]), ~Lead.test)
        .group_by(Lead.campaign_id)
    )
    leads = dict(counted.all())
    address: dict[str, Any] = {"market": market} if market else {}
    homes = {
        row.id: row for row in session.execute(select(Market.id, Market.name, Market.timezone))
    }
    return render_template(
        "hq/campaigns.html",
        rows=[
            CampaignRow(each, _state(each, homes[each.market_id].timezone), leads.get(each.id, 0))
            for each in shown
        ],
        names={id: home.name for id, home in homes.items()},
        brands=dict(session.execute(select(Brand.id, Brand.name)).all()),
        market=market,
        markets=[(code, name) for _id, code, name in _markets()],
        next_address=(
            url_for("hq.campaigns", **address, after=shown[-1].id)
            if len(found) > len(shown)
            else ""
        ),
        first_address=url_for("hq.campaigns", **address) if after else "",
    )


@blueprint.get("/campaigns/new")
@web.require(verbs.PERMISSION)
def new_campaign() -> ResponseReturnValue:
    markets = _markets()
    given = {"starts_on": web.at().date().isoformat()}
    if len(markets) == 1:
        given["market"] = str(markets[0][0])
    return _form(given, None)


@blueprint.post("/campaigns/new")
@web.require(verbs.PERMISSION)
def create_campaign() -> ResponseReturnValue:
    given = _typed()
    code = given.get("code", "") or suggested_code(given.get("name", ""), "campaign")
    terms, problems = _terms({**given, "code": code})
    try:
        if problems:
            raise verbs.BadCampaign(problems)
        verbs.create_campaign(web.db(), terms, web.at(), web.actor())
    except verbs.BadCampaign as bad:
        web.db().rollback()
        return _form({**given, "code": code}, None, {**bad.problems, **problems}), 422
    flash(_("The campaign was set up. Leads find it from now on."), "success")
    return redirect(url_for("hq.campaigns"))


@blueprint.get("/campaigns/<code>")
@web.require(verbs.PERMISSION)
def campaign(code: str) -> ResponseReturnValue:
    row = _kept(code)
    return _form(_filled_in(row), row)


@blueprint.post("/campaigns/<code>")
@web.require(verbs.PERMISSION)
def save_campaign(code: str) -> ResponseReturnValue:
    row, given = _kept(code), _typed()
    terms, problems = _terms({**given, "code": code})
    try:
        if problems:
            raise verbs.BadCampaign(problems)
        changed = verbs.change_campaign(web.db(), row, terms, web.at(), web.actor())
    except verbs.BadCampaign as bad:
        web.db().rollback()
        return _form(given, _kept(code), {**bad.problems, **problems}), 422
    flash(_("Saved.") if changed else _("Nothing was changed."), "success" if changed else "info")
    return redirect(url_for("hq.campaigns"))


def _kept(code: str) -> Campaign:
    try:
        return verbs.kept_campaign(web.db(), code, web.actor())
    except LookupError:
        abort(404)


def _typed() -> dict[str, str]:
    return {name: value.strip() for name, value in request.form.items()}


def _terms(given: Mapping[str, str]) -> tuple[verbs.CampaignTerms, dict[str, str]]:
    """As typed, with what can't be read at all; everything else is the verbs' to judge."""
    problems = {}
    starts_on, ends_on = _day(given.get("starts_on", "")), _day(given.get("ends_on", ""))
    if starts_on is None:
        problems["starts_on"] = _("Enter a date.")
    if given.get("ends_on") and ends_on is None:
        problems["ends_on"] = _("Enter a date, or nothing.")
    cost = _amount(given.get("cost", ""))
    terms = verbs.CampaignTerms(
        code=given.get("code", ""),
        name=given.get("name", ""),
        market_id=_id(given.get("market", "")) or 0,
        brand_id=_id(given.get("brand", "")),
        starts_on=starts_on or web.at().date(),
        ends_on=ends_on,
        utm_source=given.get("utm_source", ""),
        utm_medium=given.get("utm_medium", ""),
        utm_campaign=given.get("utm_campaign", ""),
        platform_ids=tuple(dict.fromkeys(given.get("platform_ids", "").split())),
        cost=cost,
        currency=given.get("currency", "") or None if cost is not None else None,
    )
    return terms, problems


def _filled_in(row: Campaign) -> dict[str, str]:
    return {
        "code": row.code,
        "name": row.name,
        "market": str(row.market_id),
        "brand": str(row.brand_id or ""),
        "starts_on": row.starts_on.isoformat(),
        "ends_on": row.ends_on.isoformat() if row.ends_on else "",
        "utm_source": row.utm_source,
        "utm_medium": row.utm_medium,
        "utm_campaign": row.utm_campaign,
        "platform_ids": "\n".join(row.platform_ids),
        "cost": "" if row.cost is None else f"{row.cost:f}",
        "currency": row.currency or "",
    }


def _form(
    given: Mapping[str, str], row: Campaign | None, problems: Mapping[str, str] | None = None
) -> str:
    markets, session = _markets(), web.db()
    brands = session.execute(select(Brand.id, Brand.name).order_by(Brand.name))
    currencies = session.scalars(select(Market.currency).distinct().order_by(Market.currency))
    first = list(currencies)
    return render_template(
        "hq/campaign_edit.html",
        campaign=row,
        given=given,
        problems=problems or {},
        markets=[(str(id), name) for id, _code, name in markets],
        brands=[(str(id), name) for id, name in brands],
        currencies=[(code, code) for code in [*first, *sorted(list_currencies() - set(first))]],
        history=changes_of(session, "campaign", row.code) if row is not None else [],
    )


def _markets() -> list[tuple[int, str, str]]:
    own = verbs.edited_markets(web.actor())
    wanted = select(Market.id, Market.code, Market.name).order_by(Market.name)
    found = web.db().execute(wanted if own is None else wanted.where(Market.id.in_(own)))
    return [(id, code, name) for id, code, name in found]


def _state(row: Campaign, timezone: str) -> str:
    """By the market's day, as its leads find it."""
    today = web.at().astimezone(ZoneInfo(timezone)).date()
    if row.starts_on > today:
        return "planned"
    return "over" if row.ends_on is not None and row.ends_on < today else "runs"


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


def _amount(typed: str) -> Decimal | None:
    if not typed:
        return None
    try:
        amount = Decimal(typed.replace(" ", "").replace(",", ".").replace("٫", "."))
    except InvalidOperation:
        return NO_COST
    return round(amount, 2) if amount.is_finite() and abs(amount) < 10**15 else NO_COST


def _id(typed: str) -> int | None:
    if not typed:
        return None
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0
