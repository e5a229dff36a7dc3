"""When saved reports are mailed, to whom: set, stopped, left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from zoneinfo import available_timezones

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func

from lmt import reportschedules as verbs
from lmt import web
from lmt.dealers import BadValues
from lmt.i18n import format_day_time, week_days
from lmt.i18n import gettext as _
from lmt.models import ReportSchedule, SavedReport, User
from lmt.notify.mutes import mute, of_schedule, unmute
from lmt.reportpages.blueprint import blueprint
from lmt.savedreports import own_report

MOST_SHOWN = 40
"""People to tick; whoever is not among them is named by mail address."""


@blueprint.get("/schedules")
@web.require(verbs.PERMISSION)
def schedules() -> ResponseReturnValue:
    person = web.user()
    own = verbs.schedules_of(web.db(), person.id)
    return render_template(
        "reports/schedules.html",
        own=[(each, _when(each)) for each in own],
        others=verbs.mailed_to(web.db(), person),
    )


@blueprint.get("/saved/<int:report_id>/schedule")
@web.require(verbs.PERMISSION)
def new_schedule(report_id: int) -> ResponseReturnValue:
    person = web.user()
    given = {
        "every": "week",
        "weekday": "0",
        "monthday": "1",
        "time": "08:00",
        "timezone": person.timezone,
    }
    return _form(_own(report_id), given, {person.id}, {"xlsx"})


@blueprint.post("/saved/<int:report_id>/schedule")
@web.require(verbs.PERMISSION)
def add_schedule(report_id: int) -> ResponseReturnValue:
    return _save(_own(report_id), None)


@blueprint.get("/schedules/<int:schedule_id>")
@web.require(verbs.PERMISSION)
def schedule(schedule_id: int) -> ResponseReturnValue:
    row = _own_schedule(schedule_id)
    given = {
        "every": row.every,
        "weekday": str(row.day if row.every == "week" else 0),
        "monthday": str(row.day if row.every == "month" else 1),
        "time": f"{row.minute // 60:02}:{row.minute % 60:02}",
        "timezone": row.timezone,
    }
    return _form(row.report, given, set(row.recipients), set(row.files), row)


@blueprint.post("/schedules/<int:schedule_id>")
@web.require(verbs.PERMISSION)
def save_schedule(schedule_id: int) -> ResponseReturnValue:
    row = _own_schedule(schedule_id)
    return _save(row.report, row)


@blueprint.post("/schedules/<int:schedule_id>/stop")
@web.require(verbs.PERMISSION)
def stop_schedule(schedule_id: int) -> ResponseReturnValue:
    """No more mails, or (`again`) again."""
    _own_schedule(schedule_id)
    if "again" in request.form:
        verbs.resume(web.db(), schedule_id, at=web.at(), actor=web.actor())
        flash(_("It is mailed again."), "success")
    else:
        verbs.stop(web.db(), schedule_id, actor=web.actor())
        flash(_("It is mailed no more."), "success")
    return redirect(url_for("reports.schedules"))


@blueprint.post("/schedules/<int:schedule_id>/delete")
@web.require(verbs.PERMISSION)
def delete_schedule(schedule_id: int) -> ResponseReturnValue:
    _own_schedule(schedule_id)
    verbs.delete(web.db(), schedule_id, actor=web.actor())
    flash(_("The schedule is deleted."), "success")
    return redirect(url_for("reports.schedules"))


@blueprint.post("/schedules/<int:schedule_id>/leave")
@web.require(verbs.PERMISSION)
def leave_schedule(schedule_id: int) -> ResponseReturnValue:
    """Whoever gets somebody else's wants it no more, or (`again`) again."""
    session, person = web.db(), web.user()
    if not verbs.is_mailed_to(session, schedule_id, person):
        abort(404)
    if "again" in request.form:
        unmute(session, person.email, of_schedule(schedule_id))
        flash(_("You get it again."), "success")
    else:
        mute(session, person.email, of_schedule(schedule_id), web.at())
        flash(_("You get it no more."), "success")
    session.commit()
    return redirect(url_for("reports.schedules"))


def _save(report: SavedReport, row: ReportSchedule | None) -> ResponseReturnValue:
    recipients, unknown = _recipients()
    form = request.form
    terms = verbs.Terms(
        every=form.get("every", ""),
        day=_number(form.get({"week": "weekday"}.get(form.get("every", ""), "monthday"), "")),
        minute=_minute(form.get("time", "")),
        timezone=form.get("timezone", "").strip(),
        recipients=tuple(recipients),
        files=tuple(form.getlist("files")),
    )
    try:
        if unknown:
            raise BadValues(
                {"others": _("These are nobody's that you know: %(who)s", who=", ".join(unknown))}
            )
        kept = verbs.set_schedule(
            web.db(),
            report.id,
            terms,
            at=web.at(),
            actor=web.actor(),
            schedule_id=row.id if row else None,
        )
    except BadValues as bad:
        page = _form(report, form, set(recipients), set(terms.files), row, bad.problems)
        return page, 422
    flash(_("The next mail leaves on %(when)s.", when=format_day_time(kept.next_at)), "success")
    return redirect(url_for("reports.schedules"))


def _form(
    report: SavedReport,
    given: Mapping[str, str],
    recipients: set[int],
    files: set[str],
    row: ReportSchedule | None = None,
    problems: Mapping[str, str] | None = None,
) -> str:
    people, more = _people(recipients)
    return render_template(
        "reports/schedule.html",
        report=report,
        row=row,
        given=given,
        recipients=recipients,
        files=files,
        problems=problems or {},
        people=people,
        more=more,
        every=[("day", _("Day")), ("week", _("Week")), ("month", _("Month"))],
        weekdays=week_days(),
        forms=[
            ("xlsx", _("Excel (XLSX)")),
            ("csv", _("CSV")),
            ("pdf", _("A page as PDF")),
        ],
        zones=sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"),
    )


def _people(chosen: set[int]) -> tuple[list[User], bool]:
    """Whom to tick: the chosen, the reader, then others by name; whether there are more."""
    person = web.user()
    known = verbs.people_known(web.db(), web.actor()).order_by(None)
    wanted = known.order_by(
        User.id.in_(chosen | {person.id}).desc(),
        (User.id == person.id).desc(),
        func.lower(User.name),
        User.id,
    ).limit(MOST_SHOWN + 1)
    found = list(web.db().scalars(wanted))
    return found[:MOST_SHOWN], len(found) > MOST_SHOWN


def _recipients() -> tuple[list[int], list[str]]:
    """Who was ticked, and whose address was written; addresses of nobody that the reader knows."""
    ticked = [_number(id) for id in request.form.getlist("recipients")][: verbs.MOST_RECIPIENTS + 1]
    typed = [line.strip().lower() for line in request.form.get("others", "").split()]
    typed = list(dict.fromkeys(typed))[: verbs.MOST_RECIPIENTS + 1]
    if not typed:
        return ticked, []
    known = verbs.people_known(web.db(), web.actor()).where(func.lower(User.email).in_(typed))
    found = {person.email.lower(): person.id for person in web.db().scalars(known)}
    unknown = [address for address in typed if address not in found]
    return [*ticked, *(found[address] for address in typed if address in found)], unknown


def _when(row: ReportSchedule) -> str:
    """How often it is mailed, as a person says it."""
    clock = time(row.minute // 60, row.minute % 60).strftime("%H:%M")
    match row.every:
        case "day":
            return _("Every day at %(time)s, %(zone)s", time=clock, zone=row.timezone)
        case "week":
            day = dict(week_days())[str(row.day)]
            return _(
                "Every week on %(day)s at %(time)s, %(zone)s",
                day=day,
                time=clock,
                zone=row.timezone,
            )
    return _(
        "Every month on day %(day)s at %(time)s, %(zone)s",
        day=row.day,
        time=clock,
        zone=row.timezone,
    )


def _own(report_id: int) -> SavedReport:
    try:
        return own_report(web.db(), report_id, web.actor())
    except LookupError:
        abort(404)


def _own_schedule(schedule_id: int) -> ReportSchedule:
    try:
        return verbs.own_schedule(web.db(), schedule_id, web.actor())
    except LookupError:
        abort(404)


def _number(text: str) -> int:
    """-1 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _minute(text: str) -> int:
    """Of the day; -1 for what is no time."""
    try:
        told = time.fromisoformat(text.strip())
    except ValueError:
        return -1
    return told.hour * 60 + told.minute
