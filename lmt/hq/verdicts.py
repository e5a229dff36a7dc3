"""What dealers say leads were worth, and what their sources contest of it: headquarters decides."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import and_, select
from sqlalchemy.orm import Session, joinedload

from lmt import verdicts as verbs
from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.hq.queries import dealer_names
from lmt.i18n import gettext as _
from lmt.labels import LABELS
from lmt.models import Lead, User, Verdict

PAGE_ROWS = 25
SHOWN = ("contested", "answered", "all")


@dataclass(frozen=True, slots=True)
class Row:
    """`dealer` gave the verdict; `who` of them, and `answered_by`, are "" where not known."""

    verdict: Verdict
    lead: Lead
    dealer: str
    who: str
    answered_by: str


@blueprint.get("/verdicts")
@web.require("lead.assign")
def verdicts() -> ResponseReturnValue:
    return _page()


@blueprint.post("/leads/<uuid:lead_id>/verdicts/<int:verdict_id>/contest")
@web.require("lead.assign")
def contest_verdict(lead_id: uuid.UUID, verdict_id: int) -> ResponseReturnValue:
    """Headquarters doubts it, for the source."""
    found = web.db().get(Verdict, verdict_id)
    if found is None or found.lead_id != lead_id:
        abort(404)
    verbs.contest(
        web.db(),
        lead_id,
        found.dealer_id,
        note=request.form.get("note", ""),
        by=web.user().name,
        at=web.at(),
        actor=web.actor(),
    )
    flash(_("Contested. It waits here for a decision."), "success")
    return redirect(url_for("hq.verdicts"))


@blueprint.post("/verdicts/<int:verdict_id>/answer")
@web.require("lead.assign")
def answer_verdict(verdict_id: int) -> ResponseReturnValue:
    given = request.form
    chosen, note = given.get("verdict", ""), given.get("note", "")
    problems = {}
    if chosen not in LABELS["verdict"]:
        problems["verdict"] = _("Please choose a verdict.")
    if not note.strip():
        problems["note"] = _("Say why: the dealer reads it.")
    elif len(note.strip()) > verbs.LONGEST_TEXT:
        most = verbs.LONGEST_TEXT
        problems["note"] = _("Shorten this to %(most)s characters or fewer.", most=most)
    if problems:
        return _page(wrong=verdict_id, problems=problems), 422
    try:
        row = verbs.answer(
            web.db(), verdict_id, verdict=chosen, note=note, at=web.at(), actor=web.actor()
        )
    except LookupError:
        abort(404)
    except verbs.AlreadyAnswered:
        web.db().rollback()
        flash(_("Somebody has answered this already."), "info")
    else:
        stands = row.answer == "upheld"
        flash(_("The verdict stands.") if stands else _("The verdict was changed."), "success")
    return redirect(url_for("hq.verdicts"))


def _page(*, wrong: int = 0, problems: dict[str, str] | None = None) -> str:
    session = web.db()
    shown = request.args.get("show", "contested")
    shown = shown if shown in SHOWN else "contested"
    after = request.args.get("after", "")
    before = int(after) if after.isascii() and after.isdecimal() and len(after) < 10 else None
    found = verdicts_in_scope(session, shown, before)
    rows, more = found[:PAGE_ROWS], len(found) > PAGE_ROWS
    names = dealer_names(session, {verdict.dealer_id for verdict, _lead in rows}, at=web.at())
    people = _people(session, [verdict for verdict, _lead in rows])
    return render_template(
        "hq/verdicts.html",
        rows=[
            Row(
                verdict,
                lead,
                names[verdict.dealer_id],
                people.get(verdict.user_id or 0, ""),
                people.get(verdict.answered_by or 0, ""),
            )
            for verdict, lead in rows
        ],
        shown=shown,
        wrong=wrong,
        given=request.form if wrong else {},
        problems=problems or {},
        next_address=url_for("hq.verdicts", show=shown, after=rows[-1][0].id) if more else "",
        first_address=url_for("hq.verdicts", show=shown) if after else "",
    )


def verdicts_in_scope(
    session: Session, shown: str, before: int | None = None
) -> Sequence[tuple[Verdict, Lead]]:
    """The newest first, one more than a page where there are more."""
    wanted = (
        select(Verdict, Lead)
        .join(Lead, Lead.id == Verdict.lead_id)
        .options(joinedload(Lead.market), joinedload(Lead.brand), joinedload(Lead.source))
        .order_by(Verdict.id.desc())
        .limit(PAGE_ROWS + 1)
    )
    contested = Verdict.contested_at.is_not(None)
    if shown == "contested":
        wanted = wanted.where(and_(contested, Verdict.answered_at.is_(None)))
    elif shown == "answered":
        wanted = wanted.where(and_(contested, Verdict.answered_at.is_not(None)))
    if before is not None:
        wanted = wanted.where(Verdict.id < before)
    return [(row[0], row[1]) for row in session.execute(wanted)]


def _people(session: Session, found: Sequence[Verdict]) -> dict[int, str]:
    ids = {id for verdict in found for id in (verdict.user_id, verdict.answered_by)} - {None}
    people = session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return dict(people.all())
