"""What dealers contest, with the decision beside it, and headquarters' answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lmt import contests as verbs
from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.hq.explain import DecisionWords, dealer_ids, in_words
from lmt.hq.queries import dealer_names
from lmt.i18n import gettext as _
from lmt.models import Contest, Lead, RoutingDecision, User

PAGE_ROWS = 25


@dataclass(frozen=True, slots=True)
class ContestRow:
    """`who` contested, `answered_by` of headquarters; "" where not known or not yet."""

    contest: Contest
    lead: Lead
    decision: tuple[RoutingDecision, DecisionWords]
    who: str
    answered_by: str


@blueprint.get("/contests")
@web.require("lead.assign")
def contests() -> ResponseReturnValue:
    return _page()


@blueprint.post("/contests/<int:contest_id>/answer")
@web.require("lead.assign")
def answer_contest(contest_id: int) -> ResponseReturnValue:
    said = request.form.get("answer", "")
    try:
        verbs.answer(web.db(), contest_id, text=said, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except verbs.AlreadyAnswered:
        web.db().rollback()
        flash(_("Somebody has answered this already."), "info")
    except ValueError:
        web.db().rollback()
        if not said.strip():
            problem = _("Write an answer.")
        else:
            most = verbs.LONGEST_TEXT
            problem = _("Shorten this to %(most)s characters or fewer.", most=most)
        return _page(wrong=contest_id, said=said, problem=problem), 422
    else:
        flash(_("The dealer reads your answer in the lead's history."), "success")
    return redirect(url_for("hq.contests"))


def _page(*, wrong: int = 0, said: str = "", problem: str = "") -> str:
    session = web.db()
    shown = "answered" if request.args.get("show") == "answered" else "open"
    after = request.args.get("after", "")
    found = contests_in_scope(
        session,
        answered=shown == "answered",
        before=int(after) if after.isascii() and after.isdecimal() and len(after) < 10 else None,
    )
    rows, more = found[:PAGE_ROWS], len(found) > PAGE_ROWS
    names = dealer_names(
        session,
        {
            *(contest.dealer_id for contest, _lead, _decision in rows),
            *(decision.dealer_id for _contest, _lead, decision in rows),
            *dealer_ids(decision.result for _contest, _lead, decision in rows),
        },
        at=web.at(),
    )
    people = _people(session, [contest for contest, _lead, _decision in rows])
    return render_template(
        "hq/contests.html",
        rows=[
            ContestRow(
                contest,
                lead,
                (decision, in_words(decision.result, names, cause=decision.cause)),
                people.get(contest.user_id or 0, ""),
                people.get(contest.answered_by or 0, ""),
            )
            for contest, lead, decision in rows
        ],
        names=names,
        shown=shown,
        wrong=wrong,
        said=said,
        problem=problem,
        next_address=url_for("hq.contests", show=shown, after=rows[-1][0].id) if more else "",
        first_address=url_for("hq.contests", show=shown) if after else "",
    )


def contests_in_scope(
    session: Session, *, answered: bool, before: int | None = None
) -> Sequence[tuple[Contest, Lead, RoutingDecision]]:
    """The newest first, one more than a page where there are more."""
    wanted = (
        select(Contest, Lead, RoutingDecision)
        .join(Lead, Lead.id == Contest.lead_id)
        .join(RoutingDecision, RoutingDecision.id == Contest.decision_id)
        .options(joinedload(Lead.market), joinedload(Lead.brand))
        .where(Contest.answered_at.is_not(None) if answered else Contest.answered_at.is_(None))
        .order_by(Contest.id.desc())
        .limit(PAGE_ROWS + 1)
    )
    if before is not None:
        wanted = wanted.where(Contest.id < before)
    return [(row[0], row[1], row[2]) for row in session.execute(wanted)]


def _people(session: Session, found: Sequence[Contest]) -> dict[int, str]:
    ids = {id for contest in found for id in (contest.user_id, contest.answered_by)} - {None}
    people = session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return dict(people.all())
