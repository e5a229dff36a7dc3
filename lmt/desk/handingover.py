"""A lead handed to a colleague, and the market's own status of it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from lmt import handing, statuses, web
from lmt.desk import forms
from lmt.desk.acting import do, lead_here
from lmt.desk.blueprint import blueprint
from lmt.i18n import gettext as _


@blueprint.post("/leads/<uuid:lead_id>/hand")
@web.require("lead.work")
def hand(lead_id: uuid.UUID) -> ResponseReturnValue:
    """To whom the form says; undoing it names them in the address."""
    undo: list[str] = []

    def act(**who: Any) -> None:
        before = lead_here(lead_id).owner_id
        to, note = forms.colleague(request.values), forms.short_note(request.form)
        try:
            handing.hand_to(web.db(), lead_id, user_id=to, note=note, **who)
        except handing.NoColleague as nobody:
            raise forms.Unclear({"to": _("Please choose a colleague.")}) from nobody
        if request.form.get("to"):
            undo.append(url_for("desk.hand", lead_id=lead_id, to=before or forms.TEAM))

    def told() -> str:
        owner = lead_here(lead_id).owner
        if owner is None:
            return _("The whole team has the lead now.")
        return _("%(name)s has the lead now.", name=owner.name)

    return do(lead_id, "hand", act, told, undo=lambda: "".join(undo))


@blueprint.post("/leads/<uuid:lead_id>/status")
@web.require("lead.work")
def set_status(lead_id: uuid.UUID) -> ResponseReturnValue:
    """One of the market's own statuses, or none."""
    undo: list[str] = []

    def act(**who: Any) -> None:
        code = request.form.get("code", request.args.get("code", ""))
        try:
            before = statuses.set_market_status(web.db(), lead_id, code=code, **who)
        except statuses.UnknownStatus as unknown:
            raise forms.Unclear({"code": _("Please choose a status from the list.")}) from unknown
        if "code" in request.form:
            undo.append(url_for("desk.set_status", lead_id=lead_id, code=before))

    return do(lead_id, "set_status", act, _("Status set."), undo=lambda: "".join(undo))
