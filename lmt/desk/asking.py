"""Asking for help on a lead, and going on with it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import abort, request
from flask.typing import ResponseReturnValue

from lmt import helping, web
from lmt.desk import forms
from lmt.desk.acting import do
from lmt.desk.blueprint import blueprint
from lmt.i18n import gettext as _
from lmt.models import HelpThread


@blueprint.post("/leads/<uuid:lead_id>/help")
@web.require("lead.work")
def ask(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        text, expert_id = forms.question(request.form)
        try:
            helping.ask(web.db(), lead_id, text=text, expert_id=expert_id, **who)
        except helping.NoExpert as nobody:
            raise forms.Unclear({"expert": _("Please choose whom to ask.")}) from nobody

    return do(lead_id, "ask", act, _("Asked. The answer appears here, and you get a mail."))


@blueprint.post("/questions/<uuid:thread_id>/post")
@web.require("lead.work")
def post_help(thread_id: uuid.UUID) -> ResponseReturnValue:
    """The dealer adds a word to its question."""

    def act(**who: Any) -> None:
        text, _expert = forms.question({"question": request.form.get("question", "")})
        try:
            helping.post(web.db(), thread_id, text=text, **who)
        except helping.Closed as closed:
            problem = _("This question is closed. Please ask anew.")
            raise forms.Unclear({"question": problem}) from closed

    lead_id = _own_thread(thread_id).lead_id
    return do(lead_id, f"post-{thread_id}", act, _("Sent."))


@blueprint.post("/questions/<uuid:thread_id>/close")
@web.require("lead.work")
def close_help(thread_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        helping.close(web.db(), thread_id, **who)

    return do(_own_thread(thread_id).lead_id, "close", act, _("The question is closed."))


def _own_thread(thread_id: uuid.UUID) -> HelpThread:
    """Of the reader's own dealer; 404 for any other."""
    found = web.db().get(HelpThread, thread_id)
    if found is None or found.dealer_id not in web.actor().dealers:
        abort(404)
    return found
