"""Keeping the filters of the inbox under a name, and forgetting them again."""

from __future__ import annotations

from flask import abort, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from lmt import web
from lmt.desk.blueprint import blueprint
from lmt.desk.inboxfilter import InboxFilter
from lmt.i18n import gettext as _
from lmt.savedviews import LONGEST_NAME, MOST_VIEWS, BadView, forget_view, keep_view

ROOM = "desk"
UNDO = "desk_view_undo"
"""In the login's session: the view that was deleted last, until the next page offers it."""


@blueprint.post("/views")
@web.require("lead.work")
def save_view() -> ResponseReturnValue:
    """The form holds a name and the filters, as the address of the list has them."""
    wanted = InboxFilter.of(request.form)
    try:
        name = request.form.get("name", "")
        view = keep_view(web.db(), web.user().id, ROOM, name, wanted.address(), web.at())
    except BadView as bad:
        flash(_problem(bad.cause), "warning")
    else:
        flash(_("The view “%(name)s” is kept.", name=view.name), "success")
    return redirect(url_for("desk.inbox", **wanted.address()))


@blueprint.post("/views/<int:view_id>/delete")
@web.require("lead.work")
def delete_view(view_id: int) -> ResponseReturnValue:
    try:
        name, filters = forget_view(web.db(), web.user().id, ROOM, view_id)
    except LookupError:
        abort(404)
    session[UNDO] = {"name": name, "filters": filters}
    return redirect(url_for("desk.inbox"))


def _problem(cause: str) -> str:
    if cause == "unnamed":
        return _("Give the view a name.")
    if cause == "long":
        return _("The name is too long: %(most)s letters at most.", most=LONGEST_NAME)
    if cause == "known":
        return _("You have a view of this name. Choose another name, or delete that view first.")
    return _("You keep %(most)s views, the most there can be. Delete one first.", most=MOST_VIEWS)
