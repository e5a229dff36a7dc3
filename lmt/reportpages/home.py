"""The entrance to the reports: the standard ones, those that were saved, those that are mailed."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.reportpages.asking import may_see
from lmt.reportpages.blueprint import blueprint
from lmt.reports.standard import STANDARD
from lmt.reportschedules import schedules_of
from lmt.savedreports import saved_of

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
        schedules=[each for each in schedules_of(web.db(), person.id) if each.active],
    )
