"""Reports under a name: kept, changed, shared and thrown away again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import savedreports as verbs
from lmt import web
from lmt.i18n import gettext as _
from lmt.models import Market, ReportSchedule, SavedReport
from lmt.reportpages.asking import address_of, asked
from lmt.reportpages.blueprint import blueprint


@blueprint.post("/save")
@web.require(verbs.PERMISSION)
def save() -> ResponseReturnValue:
    """The question of this address, under the name that the form gives it."""
    question, _problems = asked()
    address: dict[str, Any] = address_of(question)
    try:
        report = verbs.keep(
            web.db(), request.form.get("name", ""), address, at=web.at(), actor=web.actor()
        )
    except verbs.BadReport as bad:
        flash(problem_words(bad), "danger")
        return redirect(url_for("reports.report", **address))
    flash(_("Saved. It moves on with time: it is asked anew whenever you open it."), "success")
    return redirect(url_for("reports.report", saved=report.id))


@blueprint.post("/saved/<int:report_id>/question")
@web.require(verbs.PERMISSION)
def save_question(report_id: int) -> ResponseReturnValue:
    """The question of this address in the place of the one that was saved."""
    question, _problems = asked()
    address = address_of(question)
    return _done(
        lambda: verbs.change(web.db(), report_id, address, at=web.at(), actor=web.actor()),
        _("Saved."),
        url_for("reports.report", saved=report_id),
    )


@blueprint.get("/saved/<int:report_id>")
@web.require(verbs.PERMISSION)
def saved(report_id: int) -> ResponseReturnValue:
    """What can be set of one's own; one that is shared is opened."""
    report = _open(report_id)
    if report.user_id != web.user().id:
        return redirect(url_for("reports.report", saved=report.id))
    return _page(report)


@blueprint.post("/saved/<int:report_id>/name")
@web.require(verbs.PERMISSION)
def rename_saved(report_id: int) -> ResponseReturnValue:
    name = request.form.get("name", "")
    try:
        verbs.rename(web.db(), report_id, name, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except verbs.BadReport as bad:
        web.db().rollback()
        return _page(_open(report_id), {"name": problem_words(bad)}), 422
    flash(_("Saved."), "success")
    return redirect(url_for("reports.saved", report_id=report_id))


@blueprint.post("/saved/<int:report_id>/share")
@web.require(verbs.PERMISSION)
def share_saved(report_id: int) -> ResponseReturnValue:
    shared, _colon, market = request.form.get("shared", "").partition(":")
    market_id = int(market) if market.isascii() and market.isdigit() and len(market) < 10 else None
    return _done(
        lambda: verbs.share(
            web.db(), report_id, shared, market_id=market_id, at=web.at(), actor=web.actor()
        ),
        _("Saved."),
        url_for("reports.saved", report_id=report_id),
    )


@blueprint.post("/saved/<int:report_id>/copy")
@web.require(verbs.PERMISSION)
def copy_saved(report_id: int) -> ResponseReturnValue:
    try:
        own = verbs.copy(web.db(), report_id, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except verbs.BadReport as bad:
        flash(problem_words(bad), "danger")
        return redirect(url_for("reports.report", saved=report_id))
    flash(_("This report is now yours, too: change it as you like."), "success")
    return redirect(url_for("reports.saved", report_id=own.id))


@blueprint.post("/saved/<int:report_id>/delete")
@web.require(verbs.PERMISSION)
def delete_saved(report_id: int) -> ResponseReturnValue:
    try:
        name = verbs.delete(web.db(), report_id, actor=web.actor())
    except LookupError:
        abort(404)
    flash(_("“%(name)s” is deleted.", name=name), "success")
    return redirect(url_for("reports.home"))


def problem_words(bad: verbs.BadReport) -> str:
    match bad.cause:
        case "unnamed":
            return _("Please enter a name.")
        case "long":
            most = verbs.LONGEST_NAME
            return _("Shorten this to %(most)s characters or fewer.", most=most)
        case "known":
            return _("You have a report of this name. Choose another name.")
        case "many":
            return _("You have too many reports. Delete one first.")
        case "market":
            return _("You can share it where you see all reports only.")
        case _:
            return _("There is too much in this question. Take some filters away.")


def _done(verb: Callable[[], None], words: str, onward: str) -> ResponseReturnValue:
    try:
        verb()
    except LookupError:
        abort(404)
    except verbs.BadReport as bad:
        flash(problem_words(bad), "danger")
    else:
        flash(words, "success")
    return redirect(onward)


def _open(report_id: int) -> SavedReport:
    try:
        return verbs.open_report(web.db(), report_id, web.actor())
    except LookupError:
        abort(404)


def _page(report: SavedReport, problems: dict[str, str] | None = None) -> str:
    schedules = web.db().scalars(
        select(ReportSchedule)
        .where(ReportSchedule.report_id == report.id, ReportSchedule.user_id == web.user().id)
        .order_by(ReportSchedule.id)
    )
    return render_template(
        "reports/saved.html",
        report=report,
        name=request.form.get("name", report.name),
        problems=problems or {},
        shared=f"market:{report.market_id}" if report.shared == "market" else report.shared,
        circles=_circles(),
        schedules=schedules.all(),
    )


def _circles() -> list[tuple[str, str]]:
    """With whom the reader may share."""
    circles = [("", _("Nobody"))]
    whole = web.actor().whole_markets(verbs.PERMISSION)
    markets = select(Market.id, Market.name).order_by(Market.name)
    if whole is not None:
        markets = markets.where(Market.id.in_(whole))
    for id, name in web.db().execute(markets):
        circles.append((f"market:{id}", _("All who see reports of %(market)s", market=name)))
    if whole is None:
        circles.append(("all", _("All who see reports")))
    return circles
