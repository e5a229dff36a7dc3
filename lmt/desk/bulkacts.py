"""One act on several leads of the list: each by its own verb, and told which could not be."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lmt import closing, handing, pipeline, web
from lmt.calendars import dealer_calendar
from lmt.convert import service as converting
from lmt.desk import forms, leadpage
from lmt.desk.blueprint import blueprint
from lmt.desk.inboxfilter import InboxFilter
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.labels import label
from lmt.lifecycle import IllegalStep
from lmt.models import Lead
from lmt.workhours import next_opening

MOST_LEADS = 50
MOST_TOLD = 10
UNDO = "desk_undo"
"""In the login's session: the leads that a page may offer to open again."""


@dataclass(frozen=True, slots=True)
class Done:
    """Which leads it was done to, and why not to the others: reference and words."""

    leads: list[uuid.UUID]
    refused: list[tuple[str, str]]


@blueprint.post("/bulk")
@web.require("lead.work")
def bulk() -> ResponseReturnValue:
    back = redirect(url_for("desk.inbox", **InboxFilter.of(request.args).address()))
    leads = _chosen(request.form.getlist("lead"))
    if not leads:
        flash(_("Select leads first."), "warning")
        return back
    asked = request.form.get("act", "")
    if asked not in _VERBS:
        abort(400)
    try:
        done = for_each(web.db(), leads, _VERBS[asked]())
    except forms.Unclear as unclear:
        flash(" ".join(unclear.problems.values()), "warning")
        return back
    _tell(asked, done)
    if asked == "lost" and done.leads:
        session[UNDO] = [id.hex for id in done.leads]
    return back


def for_each(
    database: Session, leads: Iterable[uuid.UUID], verb: Callable[[uuid.UUID], object]
) -> Done:
    """Run a verb that commits, lead by lead; one that refuses holds up no other."""
    done = Done([], [])
    for lead_id in leads:
        try:
            verb(lead_id)
        except (IllegalStep, handing.NoColleague, forms.Unclear) as refused:
            database.rollback()
            lead = database.get(Lead, lead_id)
            done.refused.append((lead.reference if lead else "", _why(refused)))
        except LookupError:
            database.rollback()
            done.refused.append(("", _("It is no longer with you.")))
        else:
            done.leads.append(lead_id)
    return done


def _hand() -> Callable[[uuid.UUID], object]:
    given = request.form.get("to", "")
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise forms.Unclear({"to": _("Please choose a colleague.")})
    user_id = int(given)
    return lambda lead_id: handing.hand_to(
        web.db(), lead_id, user_id=user_id, at=web.at(), actor=web.actor()
    )


def _rest() -> Callable[[uuid.UUID], object]:
    forms.rest(request.form, zone=web.user().timezone, at=web.at())

    def rest(lead_id: uuid.UUID) -> None:
        lead = web.db().get(Lead, lead_id)
        if lead is None or lead.dealer_id is None:
            raise LookupError(lead_id)
        zone = leadpage.zone_of(web.db(), lead, web.at())
        given = forms.rest(request.form, zone=zone, at=web.at())
        day = datetime.combine(given.until, time(), ZoneInfo(zone))
        calendar = dealer_calendar(web.db(), lead.dealer_id, web.at())
        until = next_opening(calendar, day) or day
        pipeline.rest(
            web.db(), lead_id, until=until, note=given.note, at=web.at(), actor=web.actor()
        )

    return rest


def _lost() -> Callable[[uuid.UUID], object]:
    given = forms.loss(request.form)
    return lambda lead_id: closing.lost(
        web.db(), lead_id, reason=given.reason, note=given.note, at=web.at(), actor=web.actor()
    )


def _reopen() -> Callable[[uuid.UUID], object]:
    return lambda lead_id: converting.reopen(web.db(), lead_id, at=web.at(), actor=web.actor())


_VERBS: dict[str, Callable[[], Callable[[uuid.UUID], object]]] = {
    "hand": _hand,
    "rest": _rest,
    "lost": _lost,
    "reopen": _reopen,
}


def _chosen(given: Iterable[str]) -> list[uuid.UUID]:
    """The leads that were ticked, each once, no more than a page holds."""
    found: dict[uuid.UUID, None] = {}
    for text in given:
        try:
            found[uuid.UUID(text)] = None
        except ValueError:
            continue
    return list(found)[:MOST_LEADS]


def _why(refused: Exception) -> str:
    if isinstance(refused, IllegalStep):
        return _("Its status is “%(status)s”.", status=label("status", refused.status))
    if isinstance(refused, handing.NoColleague):
        return _("This colleague doesn't work on the leads of its dealer.")
    return str(refused)


def _tell(asked: str, done: Done) -> None:
    number = len(done.leads)
    words = {
        "hand": ngettext("%(num)s lead was handed over.", "Leads handed over: %(num)s.", number),
        "rest": ngettext("%(num)s lead rests.", "Leads that rest now: %(num)s.", number),
        "lost": ngettext(
            "%(num)s lead was closed as lost.", "Leads closed as lost: %(num)s.", number
        ),
        "reopen": ngettext("%(num)s lead is open again.", "Leads open again: %(num)s.", number),
    }
    if number:
        flash(words[asked], "success")
    if done.refused:
        told = [f"{reference}: {why}" if reference else why for reference, why in done.refused]
        left = ngettext(
            "%(num)s lead was left as it is.", "Leads left as they are: %(num)s.", len(told)
        )
        flash(" ".join([left, *dict.fromkeys(told[:MOST_TOLD])]), "warning")
