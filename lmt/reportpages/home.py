"""The entrance to the reports: the standard ones, those that were saved, those that are mailed."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from lmt import web
from lmt.models import ReportSchedule, SavedReport
from lmt.reportpages.asking import may_see
from lmt.reportpages.blueprint import blueprint
from lmt.reports.standard import STANDARD
from lmt.savedreports import saved_of

MOST_SCHEDULES = 50
ICONS = {
    "conversion": "filter", "categories": "tags", "response": "clock", "dealers": "building-store",
    "campaigns": "rocket", "fair_share": "scale", "sources": "plug", "coverage": "map-2",
    "call_centre": "phone", "month": "calendar",
}  # fmt: skip


@blueprint.get("/")
@web.require("report.read")
def home() -> ResponseReturnValue:
    person = web.user()
    saved = saved_of(web.db(), person.id)
    return render_template(
        "reports/home.html",
        standard=[each for each in STANDARD if may_see(each)],
        icons=ICONS,
        own=[each for each in saved if each.user_id == person.id],
        shared=[each for each in saved if each.user_id != person.id],
        schedules=schedules_of(person.id),
        has=lambda endpoint: endpoint in current_app.view_functions,
    )


def schedules_of(user_id: int) -> Sequence[ReportSchedule]:
    """What the person had scheduled and goes on, the next to come first."""
    return (
        web.db()
        .scalars(
            select(ReportSchedule)
            .join(SavedReport)
            .where(ReportSchedule.user_id == user_id, ReportSchedule.active)
            .options(contains_eager(ReportSchedule.report))
            .order_by(ReportSchedule.next_at, ReportSchedule.id)
            .limit(MOST_SCHEDULES)
        )
        .all()
    )
