"""The dealer's desk: its list of leads. The other rooms are imported so that they are there."""

from __future__ import annotations

from flask import abort, make_response, render_template, request
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.desk import exporting, files, leadroutes, queries
from lmt.desk.blueprint import blueprint

__all__ = ["blueprint", "leadroutes"]

exporting.add_to(blueprint)
files.add_to(blueprint)

LONGEST_SEARCH = 100


@blueprint.get("/")
@web.require("lead.work")
def inbox() -> ResponseReturnValue:
    tab = request.args.get("tab", "new")
    if tab not in queries.TABS:
        abort(404)
    search = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    person = web.user()
    found = queries.inbox(
        web.db(),
        tab=tab,
        user_id=person.id,
        at=web.at(),
        timezone=person.timezone,
        search=search,
        after=request.args.get("after", ""),
    )
    template = "desk/_inbox.html" if request.headers.get("HX-Request") else "desk/inbox.html"
    response = make_response(render_template(template, inbox=found, tab=tab, search=search))
    response.vary.add("HX-Request")
    return response
