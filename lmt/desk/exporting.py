"""The desk's leads as a file: those of a tab or of a search, every row instead of a page."""

from __future__ import annotations

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.attributes import fields_at_hand
from lmt.desk import queries
from lmt.exports import answers
from lmt.exports.leads import leads_listing
from lmt.exports.service import PERMISSION

LONGEST_SEARCH = 100


def add_to(blueprint: Blueprint) -> None:
    """Hang the file beside the inbox."""
    view = answers.limited(web.require(PERMISSION)(web.require("lead.work")(export_inbox)))
    blueprint.add_url_rule("/leads.<any(csv,xlsx):form>", "export_inbox", view)


def export_inbox(form: str) -> ResponseReturnValue:
    tab = request.args.get("tab", "new")
    if tab not in queries.TABS:
        abort(404)
    search = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    person = web.user()
    fitting = queries.inbox_conditions(tab, search, person.id, web.at(), person.timezone)
    filters = {"search": search} if search else {"tab": tab}
    back = url_for("desk.inbox", q=search) if search else url_for("desk.inbox", tab=tab)
    listing = leads_listing(fitting, web.at(), fields_at_hand(web.db()))
    return answers.answer(listing, form, filters, back)
