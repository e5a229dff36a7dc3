"""Headquarters' markets: set up by the centre, changed by whoever looks after them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from zoneinfo import available_timezones

from babel import Locale
from babel.numbers import list_currencies
from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from lmt import markets as verbs
from lmt import web
from lmt.config import LOCALES
from lmt.dealerchanges import BadValues, NotNow
from lmt.hq.blueprint import blueprint
from lmt.hq.history import flash_saved
from lmt.i18n import country_name, language_name, reader
from lmt.i18n import gettext as _
from lmt.models import Market
from lmt.weekform import BadWeek, day_names, draft_from, draft_of, hours_from, only_redraws

Given = dict[str, str]


@blueprint.get("/markets")
@web.require(verbs.PERMISSION)
def markets() -> ResponseReturnValue:
    rows = web.db().scalars(
        select(Market)
        .options(selectinload(Market.countries))
        .where(verbs.edited_by(web.actor()))
        .order_by(Market.name)
        .limit(500)
    )
    return render_template(
        "hq/markets.html",
        rows=rows.all(),
        may_create=verbs.may_create(web.actor()),
        country_name=country_name,
        language_name=language_name,
    )


@blueprint.get("/markets/new")
@web.require(verbs.PERMISSION)
def new_market() -> ResponseReturnValue:
    if not verbs.may_create(web.actor()):
        abort(404)
    given = {"same_need_days": "30", "customer_may_move": "yes", "asks_feedback": "yes"}
    return _page(None, given, hours="Mo-Fr 09:00-18:00; PH off", countries=(), languages=())


@blueprint.post("/markets/new")
@web.require(verbs.PERMISSION)
def create_market() -> ResponseReturnValue:
    return _save(None)


@blueprint.get("/markets/<code>")
@web.require(verbs.PERMISSION)
def market(code: str) -> ResponseReturnValue:
    row = _edited(code)
    terms = verbs.terms_of(row)
    given = {
        "name": terms.name,
        "code": row.code,
        "seen": verbs.mark_of(terms),
        "default_language": terms.default_language,
        "timezone": terms.timezone,
        "currency": terms.currency,
        "week_start": str(terms.week_start),
        "desk_country": terms.desk_country,
        "same_need_days": str(terms.same_need_days),
        "confirmed_purposes": ", ".join(terms.confirmed_purposes),
        "customer_may_move": "yes" if terms.customer_may_move else "",
        "asks_feedback": "yes" if terms.asks_feedback else "",
    }
    return _page(
        row, given, hours=terms.desk_hours, countries=terms.countries, languages=terms.languages
    )


@blueprint.post("/markets/<code>")
@web.require(verbs.PERMISSION)
def save_market(code: str) -> ResponseReturnValue:
    return _save(_edited(code))


def _save(row: Market | None) -> ResponseReturnValue:
    form = request.form
    given = {name: value.strip() for name, value in form.items()}
    session, at, actor = web.db(), web.at(), web.actor()
    if row is None and not verbs.may_create(actor):
        abort(404)
    if only_redraws(form):
        return _page(row, given)
    move = bool(given.get("move_countries"))
    code = row.code if row is not None else given.get("code", "").upper()
    try:
        terms = _terms(given, row)
        if row is None:
            verbs.create_market(session, code, terms, move_countries=move, at=at, actor=actor)
            flash(_("The market was set up."), "success")
            return redirect(url_for("hq.market", code=code))
        changed = verbs.change_market(
            session,
            code,
            terms,
            move_countries=move,
            seen=given.get("seen", ""),
            at=at,
            actor=actor,
        )
    except BadWeek as bad:
        session.rollback()
        return _page(_again(row), given, bad.problems), 422
    except BadValues as bad:
        session.rollback()
        return _page(_again(row), given, bad.problems), 422
    except NotNow as refused:
        session.rollback()
        return _page(_again(row), given, {"": str(refused)}), 409
    except LookupError:
        abort(404)
    flash_saved("market", code, changed)
    return redirect(url_for("hq.market", code=code))


def _again(row: Market | None) -> Market | None:
    """A roll-back lets go of what was read."""
    return None if row is None else _edited(row.code)


def _edited(code: str) -> Market:
    try:
        return verbs.edited_market(web.db(), code, web.actor())
    except LookupError:
        abort(404)


def _terms(given: Mapping[str, str], row: Market | None) -> verbs.MarketTerms:
    """As typed; what can't be is for the verbs to say. Languages keep their order."""
    ticked = request.form.getlist("languages")
    known = dict.fromkeys([*(row.languages if row is not None else ()), *LOCALES])
    return verbs.MarketTerms(
        name=given.get("name", ""),
        countries=tuple(sorted(set(request.form.getlist("countries")))),
        languages=tuple(code for code in known if code in ticked),
        default_language=given.get("default_language", ""),
        timezone=given.get("timezone", ""),
        currency=given.get("currency", ""),
        week_start=_number(given.get("week_start", "")),
        desk_hours=hours_from(given),
        desk_country=given.get("desk_country", ""),
        same_need_days=_number(given.get("same_need_days", "")),
        confirmed_purposes=tuple(
            dict.fromkeys(re.findall(r"[^\s,;]+", given.get("confirmed_purposes", "").lower()))
        ),
        customer_may_move=given.get("customer_may_move") == "yes",
        asks_feedback=given.get("asks_feedback") == "yes",
    )


def _number(typed: str) -> int:
    """-1 stands for what is no number; it is refused as one below nothing."""
    return int(typed) if typed.isdecimal() and len(typed) < 6 else -1


def _page(
    row: Market | None,
    given: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    *,
    hours: str | None = None,
    countries: tuple[str, ...] | None = None,
    languages: tuple[str, ...] | None = None,
) -> str:
    """Without `hours`, `countries` and `languages` they are as typed."""
    told = dict(problems or {})
    if "desk_hours" in told:
        told["hours"] = told["desk_hours"]
    held = set(request.form.getlist("countries") if countries is None else countries)
    spoken = set(request.form.getlist("languages") if languages is None else languages)
    by_name = {code: country_name(code) for code in _countries()}
    named = sorted(by_name.items(), key=lambda each: each[1])
    return render_template(
        "hq/market_edit.html",
        market=row,
        given=given,
        problems=told,
        week=draft_from(given, told) if hours is None else draft_of(hours),
        week_start=_week_start(given),
        held=[(code, name) for code, name in named if code in held],
        others=[(code, name) for code, name in named if code not in held],
        countries=named,
        tongues=[(code, language_name(code), code in spoken) for code in LOCALES],
        timezones=sorted(available_timezones()),
        currencies=sorted(list_currencies()),
        days=[(str(number), name) for number, name in enumerate(day_names())],
        locale=reader().locale,
    )


def _week_start(given: Mapping[str, str]) -> int:
    typed = _number(given.get("week_start", "0"))
    return typed if typed in range(7) else 0


def _countries() -> list[str]:
    """ISO 3166 alpha-2, as CLDR names them, without what is no country."""
    return [
        code
        for code in map(str, Locale("en").territories)
        if len(code) == 2 and code.isalpha() and code not in {"EU", "EZ", "UN", "XA", "XB", "ZZ"}
    ]
