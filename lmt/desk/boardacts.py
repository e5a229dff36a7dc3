"""The room of the desk that shows where its leads stand."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.desk.blueprint import blueprint
from lmt.desk.board import CLOSED_DAYS, board
from lmt.desk.choices import market_statuses
from lmt.desk.inboxconditions import Reader


@blueprint.get("/board", endpoint="board")
@web.require("lead.work")
def board_room() -> ResponseReturnValue:
    person = web.user()
    mine = request.args.get("who") == "me"
    reader = Reader(person.id, web.at(), person.timezone)
    return render_template(
        "desk/board.html",
        columns=board(web.db(), web.actor(), reader, mine=mine),
        names=market_statuses(web.db()),
        mine=mine,
        closed_days=CLOSED_DAYS,
    )
