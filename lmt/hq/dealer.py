"""Headquarters' page of one dealer: what holds of it, changing that, days closed, who is away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import absences, web
from lmt import dealers as verbs
from lmt.calendars import dealer_calendar
from lmt.dealers import BadValues, NotNow
from lmt.hoursmending import mended
from lmt.hq.blueprint import blueprint
from lmt.hq.dealerform import day_of, filled_in, instant_of, row_of, terms_of
from lmt.hq.dealerterms import ASSIGN_WORDS, FIELD_WORDS, value_words
from lmt.hq.dealerview import dealer_view
from lmt.hq.findingwords import days_name
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.models import Dealer, DealerTerms
from lmt.weekform import (
    BadWeek,
    coming_holidays,
    draft_from,
    draft_of,
    only_redraws,
    week_start,
)
from lmt.workhours import next_opening


@blueprint.get("/dealers/<code>")
@web.require("lead.assign")
def dealer(code: str) -> ResponseReturnValue:
    return _page(code)


@blueprint.get("/dealers/<code>/edit")
@web.require(verbs.PERMISSION)
def edit_dealer(code: str) -> ResponseReturnValue:
    row, terms = edited(code)
    if web.at() not in terms.valid:
        flash(_("This dealer has ended."), "warning")
        return redirect(url_for("hq.dealer", code=code))
    return _form(row, terms, filled_in(terms))


@blueprint.post("/dealers/<code>/edit")
@web.require(verbs.PERMISSION)
def save_dealer(code: str) -> ResponseReturnValue:
    row, terms = edited(code)
    given = typed()
    if only_redraws(given):
        return _form(row, terms, given)
    try:
        done = verbs.edit_terms(
            web.db(),
            code,
            terms_of(given),
            seen=given.get("seen", ""),
            at=web.at(),
            actor=web.actor(),
        )
    except BadWeek as bad:
        return _form(row, terms, given, bad.problems), 422
    except BadValues as bad:
        web.db().rollback()
        if "hours" not in bad.problems:
            given["hours"] = given.get("suggested") or given.get("hours", "")
        return _form(*edited(code), given, bad.problems), 422
    except NotNow as why:
        return not_now(code, why)
    if not done.changed:
        flash(_("Nothing was changed."), "info")
    else:
        flash(saved(done.offers_moved), "success")
        _warn_of_hours(row.id)
    return redirect(url_for("hq.dealer", code=code))


@blueprint.post("/dealers/<code>/closures")
@web.require(verbs.PERMISSION)
def add_closure(code: str) -> ResponseReturnValue:
    edited(code)
    given = typed()
    first, last = day_of(given.get("first", "")), day_of(given.get("last", ""))
    if first is None or last is None:
        days = {"first": first, "last": last}
        problems = {name: _("Enter a date.") for name, day in days.items() if day is None}
        return _page(code, closure=(given, problems)), 422
    try:
        done = verbs.add_closure(
            web.db(),
            code,
            first=first,
            last=last,
            reason=given.get("reason", ""),
            at=web.at(),
            actor=web.actor(),
        )
    except BadValues as bad:
        web.db().rollback()
        return _page(code, closure=(given, bad.problems)), 422
    except NotNow as why:
        return not_now(code, why)
    flash(saved(done.offers_moved), "success")
    return redirect(url_for("hq.dealer", code=code, _anchor="h-days"))


@blueprint.post("/dealers/<code>/closures/end")
@web.require(verbs.PERMISSION)
def end_closure(code: str) -> ResponseReturnValue:
    row = row_of(request.form.get("row", ""))
    try:
        if row is None:
            raise LookupError("no row")
        done = verbs.end_closure(web.db(), code, row, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    flash(saved(done.offers_moved), "success")
    return redirect(url_for("hq.dealer", code=code, _anchor="h-days"))


@blueprint.post("/dealers/<code>/absences")
@web.require(verbs.PERMISSION)
def add_absence(code: str) -> ResponseReturnValue:
    row, terms = edited(code)
    given = typed()
    starts_at = instant_of(given.get("starts", ""), terms.timezone)
    ends_at = instant_of(given.get("ends", ""), terms.timezone)
    if starts_at is None or ends_at is None:
        spans = {"starts": starts_at, "ends": ends_at}
        problems = {name: _("Enter a day and a time.") for name, at in spans.items() if at is None}
        return _page(code, absence=(given, problems)), 422
    deputy = given.get("deputy", "")
    try:
        entered = absences.add_absence(
            web.db(),
            row.id,
            user_id=row_of(given.get("person", "")) or 0,
            starts_at=starts_at,
            ends_at=ends_at,
            deputy_id=(row_of(deputy) or 0) if deputy else None,
            reason=given.get("reason", ""),
            at=web.at(),
            actor=web.actor(),
        )
    except absences.BadAbsence as bad:
        web.db().rollback()
        return _page(code, absence=(given, {bad.field: bad.reason})), 422
    flash(_("The absence was entered."), "success")
    if entered.warning:
        flash(entered.warning, "warning")
    return redirect(url_for("hq.dealer", code=code, _anchor="h-away"))


@blueprint.post("/dealers/<code>/absences/end")
@web.require(verbs.PERMISSION)
def end_absence(code: str) -> ResponseReturnValue:
    row, _terms = edited(code)
    number = row_of(request.form.get("row", ""))
    try:
        if number is None:
            raise LookupError("no row")
        absences.end_absence(web.db(), row.id, number, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    flash(_("The absence was ended."), "success")
    return redirect(url_for("hq.dealer", code=code, _anchor="h-away"))


def edited(code: str) -> tuple[Dealer, DealerTerms]:
    """A dealer the actor may change, with its terms; else 404."""
    try:
        row = verbs.edited_dealer(web.db(), code, web.actor())
    except LookupError:
        abort(404)
    terms = verbs.terms_now(web.db(), row.id, web.at())
    if terms is None:
        abort(404)
    return row, terms


def typed() -> dict[str, str]:
    return {name: value.strip() for name, value in request.form.items()}


def not_now(code: str, why: NotNow) -> ResponseReturnValue:
    web.db().rollback()
    flash(str(why), "warning")
    return redirect(url_for("hq.dealer", code=code))


def saved(offers_moved: int) -> str:
    told = _("Saved. Leads go by it from now on.")
    if not offers_moved:
        return told
    moved = ngettext(
        "%(num)s running offer was counted anew.",
        "%(num)s running offers were counted anew.",
        offers_moved,
    )
    return f"{told} {moved}"


def _warn_of_hours(dealer_id: int) -> None:
    if next_opening(dealer_calendar(web.db(), dealer_id, web.at()), web.at()) is None:
        flash(_("With these hours the dealer doesn't open within a year."), "warning")


_Typed = tuple[Mapping[str, str], Mapping[str, str]]
_NOTHING: _Typed = ({}, {})


def _page(code: str, *, closure: _Typed = _NOTHING, absence: _Typed = _NOTHING) -> str:
    """`closure`, `absence`: what was typed there, and its problems."""
    view = dealer_view(web.db(), code, web.at())
    if view is None:
        abort(404)
    return render_template(
        "hq/dealer.html",
        view=view,
        dealer=view.dealer,
        terms=view.terms,
        told=_told(view.terms),
        may_edit=verbs.may_edit(view.dealer, web.actor()),
        days_name=days_name,
        closure=closure,
        absence=absence,
    )


def _form(
    row: Dealer,
    terms: DealerTerms,
    given: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
) -> str:
    problems = problems or {}
    person = web.user()
    return render_template(
        "hq/dealer_edit.html",
        week=draft_from(given, problems) if "seen" in given else draft_of(terms.hours),
        week_start=week_start(person.week_start, row.market.week_start),
        holidays=coming_holidays(dealer_calendar(web.db(), row.id, web.at()), web.at()),
        dealer=row,
        terms=terms,
        given=given,
        seen=given.get("seen") or verbs.mark_of(terms),
        problems=problems,
        suggested=mended(given["hours"]) if "hours" in problems else None,
        words=FIELD_WORDS,
        assign_to=[(code, words) for code, words in ASSIGN_WORDS.items()],
    )


def _told(terms: DealerTerms) -> Callable[[str], str]:
    return lambda name: value_words(name, getattr(terms, name))
