"""What the dealer says a lead was worth."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from lmt import verdicts, web
from lmt.desk import forms
from lmt.desk.acting import do
from lmt.desk.blueprint import blueprint
from lmt.i18n import gettext as _


@blueprint.post("/leads/<uuid:lead_id>/verdict")
@web.require("lead.work")
def verdict(lead_id: uuid.UUID) -> ResponseReturnValue:
    def act(**who: Any) -> None:
        given = forms.verdict(request.form)
        try:
            verdicts.give(web.db(), lead_id, verdict=given.reason, note=given.note, **who)
        except verdicts.Contested as contested:
            problem = _("The source contests your verdict. Headquarters decides.")
            raise forms.Unclear({"verdict": problem}) from contested

    return do(lead_id, "verdict", act, _("Thank you. Your verdict helps to mend the source."))
