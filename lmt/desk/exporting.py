"""The desk's leads as a file: those of a tab or of a search, every row instead of a page."""

from __future__ import annotations

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.attributes import fields_at_hand
from lmt.desk.inboxconditions import Reader, conditions
from lmt.desk.inboxfilter import TABS, InboxFilter
from lmt.exports import answers
from lmt.exports.leads import leads_listing
from lmt.exports.service import PERMISSION


def add_to(blueprint: Blueprint) -> None:
    """Hang the file beside the inbox."""
    view = answers.limited(web.require(PERMISSION)(web.require("lead.work")(export_inbox)))
    blueprint.add_url_rule("/leads.<any(csv,xlsx):form>", "export_inbox", view)


def export_inbox(form: str) -> ResponseReturnValue:
    wanted = InboxFilter.of(request.args)
    if wanted.tab not in TABS or wanted.place == "passed":
        abort(404)
    person = web.user()
    fitting = conditions(wanted, Reader(person.id, web.at(), person.timezone))
    back = url_for("desk.inbox", **wanted.address())
    listing = leads_listing(fitting, web.at(), fields_at_hand(web.db()))
    return answers.answer(listing, form, wanted.address(), back)
