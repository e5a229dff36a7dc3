"""The fair-share ledger as a page and a file: is anybody left behind, and why?"""

from __future__ import annotations

from flask import Response, abort, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import web
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.hq.reporting import address_of, question_of, reader_today
from lmt.i18n import gettext as _
from lmt.models import Market
from lmt.reports.ledger import CAUSES
from lmt.reports.ledgerservice import Line, csv_lines, ledger
from lmt.reports.service import Question


def cause_names() -> list[tuple[str, str]]:
    """Why leads were missed, in the order of the columns."""
    words = {
        "closed": _("Closed"),
        "cap": _("Cap reached"),
        "paused": _("Paused"),
        "declined": _("Declined"),
        "timed_out": _("Time ran out"),
        "turn": _("Another's turn"),
    }
    return [(code, words[code]) for code in CAUSES]


@blueprint.get("/reports/fair-share")
@web.require("lead.assign")
def fair_share() -> ResponseReturnValue:
    markets = q.choices_for(web.db()).markets
    question, problem, lines = _asked(markets)
    return render_template(
        "hq/fairshare.html",
        question=question,
        problem=problem,
        lines=lines,
        causes=cause_names(),
        markets=markets,
        csv_address=url_for("hq.fair_share_csv", **address_of(question)),
    )


@blueprint.get("/reports/fair-share.csv")
@web.require("lead.assign")
def fair_share_csv() -> ResponseReturnValue:
    question, _problem, lines = _asked(q.choices_for(web.db()).markets)
    name = f"fair-share-{question.market}-{question.first}-{question.last}.csv"
    return Response(
        stream_with_context(csv_lines(lines)),
        mimetype="text/csv",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def _asked(markets: list[tuple[str, str]]) -> tuple[Question, str, list[Line]]:
    """The question in the address, of the first market where it names none, and its answer."""
    if not markets:
        abort(404)
    given = request.args.to_dict()
    given["market"] = given.get("market") or markets[0][0]
    if given["market"] not in dict(markets):
        abort(404)
    question, problem = question_of(given, reader_today())
    session = web.db()
    market_id = session.scalars(select(Market.id).where(Market.code == question.market)).one()
    return question, problem, ledger(session, market_id, *question.period)
