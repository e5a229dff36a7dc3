"""The dealer's desk: its list of leads. The other rooms are imported so that they are there."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import abort, make_response, render_template, request, session
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.desk import (
    asking,
    boardacts,
    bookable,
    bulkacts,
    exporting,
    files,
    handingover,
    hours,
    leadroutes,
    ownfigures,
    planning,
    queries,
    replying,
    team,
    verdicting,
    viewacts,
)
from lmt.desk.blueprint import blueprint
from lmt.desk.choices import choices, market_statuses
from lmt.desk.inboxconditions import Reader
from lmt.desk.inboxfilter import TABS, InboxFilter, sorts_for
from lmt.savedviews import views_of

__all__ = [
    "asking",
    "blueprint",
    "boardacts",
    "bookable",
    "handingover",
    "hours",
    "leadroutes",
    "ownfigures",
    "planning",
    "replying",
    "team",
    "verdicting",
]

exporting.add_to(blueprint)
files.add_to(blueprint)


@blueprint.get("/")
@web.require("lead.work")
def inbox() -> ResponseReturnValue:
    wanted = InboxFilter.of(request.args)
    if wanted.tab not in TABS:
        abort(404)
    person, database = web.user(), web.db()
    reader = Reader(person.id, web.at(), person.timezone)
    found = queries.inbox(database, web.actor(), wanted, reader, request.args.get("after", ""))
    names = market_statuses(database)
    if request.headers.get("HX-Request"):
        page = render_template("desk/_inbox.html", inbox=found, wanted=wanted, names=names)
    else:
        page = render_template(
            "desk/inbox.html",
            inbox=found,
            wanted=wanted,
            names=names,
            offered=choices(database, web.actor(), web.at()),
            sorts=sorts_for(wanted, web.actor()),
            views=views_of(database, person.id, viewacts.ROOM),
            undo=session.pop(bulkacts.UNDO, ()),
            view_undo=session.pop(viewacts.UNDO, None),
            tomorrow=(web.at().astimezone(ZoneInfo(person.timezone)) + timedelta(days=1)).date(),
        )
    response = make_response(page)
    response.vary.add("HX-Request")
    return response
