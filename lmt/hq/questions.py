"""What dealers ask headquarters and experts about a lead, and the answers.

Whoever may not see the lead reads what it is about, never whose it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import RowMapping, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from lmt import helping, web
from lmt.hq.blueprint import blueprint
from lmt.hq.filters import Position, position
from lmt.i18n import gettext as _
from lmt.models import Brand, DealerTerms, HelpPost, HelpThread, Lead

PAGE_ROWS = 25
SHOWN = ("open", "answered", "closed")
SEES_LEADS = "lead.assign"
"""Who holds it sees the leads of their part; an expert only reads what is asked."""


@dataclass(frozen=True, slots=True)
class Row:
    """A thread with what its lead is about, and the name of the dealer that asks."""

    thread: HelpThread
    about: Mapping[str, str]
    dealer: str


@blueprint.get("/questions")
@web.require(helping.PERMISSION)
def questions() -> ResponseReturnValue:
    shown = request.args.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    mine = request.args.get("of") == "me"
    after = request.args.get("after", "")
    session = web.db()
    found = _threads(session, shown, mine=mine, after=after)
    rows, more = found[:PAGE_ROWS], len(found) > PAGE_ROWS
    of = "me" if mine else None
    last = rows[-1] if rows else None
    place = str(Position(last.opened_at, last.id)) if last and more else ""
    return render_template(
        "hq/questions.html",
        rows=_rows(session, rows),
        shown=shown,
        mine=mine,
        next_address=url_for("hq.questions", show=shown, of=of, after=place) if place else "",
        first_address=url_for("hq.questions", show=shown, of=of) if after else "",
    )


@blueprint.get("/questions/<uuid:thread_id>")
@web.require(helping.PERMISSION)
def question(thread_id: uuid.UUID) -> ResponseReturnValue:
    return _page(thread_id)


@blueprint.post("/questions/<uuid:thread_id>/answer")
@web.require(helping.PERMISSION)
def answer_question(thread_id: uuid.UUID) -> ResponseReturnValue:
    said = request.form.get("answer", "")
    try:
        helping.post(web.db(), thread_id, text=said, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except helping.Closed:
        web.db().rollback()
        flash(_("The question was closed meanwhile."), "warning")
    except ValueError:
        web.db().rollback()
        most = helping.LONGEST_TEXT
        problem = (
            _("Shorten this to %(most)s characters or fewer.", most=most)
            if said.strip()
            else _("Write an answer.")
        )
        return _page(thread_id, said=said, problem=problem), 422
    else:
        flash(_("Answered. The dealer reads it on the lead's page, and gets a mail."), "success")
    return redirect(url_for("hq.question", thread_id=thread_id))


@blueprint.post("/questions/<uuid:thread_id>/close")
@web.require(helping.PERMISSION)
def close_question(thread_id: uuid.UUID) -> ResponseReturnValue:
    try:
        helping.close(web.db(), thread_id, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    flash(_("The question is closed."), "success")
    return redirect(url_for("hq.questions"))


def _page(thread_id: uuid.UUID, *, said: str = "", problem: str = "") -> str:
    session = web.db()
    thread = session.scalars(
        select(HelpThread)
        .where(HelpThread.id == thread_id)
        .options(
            joinedload(HelpThread.expert),
            joinedload(HelpThread.asker),
            selectinload(HelpThread.posts).joinedload(HelpPost.author),
        )
    ).first()
    if thread is None:
        abort(404)
    lead = session.get(Lead, thread.lead_id) if web.may(SEES_LEADS) else None
    return render_template(
        "hq/question.html",
        row=_rows(session, [thread])[0],
        thread=thread,
        lead=lead,
        me=web.user().id,
        said=said,
        problem=problem,
    )


def _threads(session: Session, shown: str, *, mine: bool, after: str) -> Sequence[HelpThread]:
    """One more than a page where there are more: what waits longest first, else the newest."""
    states = {
        "open": and_(HelpThread.closed_at.is_(None), HelpThread.answered_at.is_(None)),
        "answered": and_(HelpThread.closed_at.is_(None), HelpThread.answered_at.is_not(None)),
        "closed": HelpThread.closed_at.is_not(None),
    }
    wanted = (
        select(HelpThread)
        .where(states[shown])
        .options(
            joinedload(HelpThread.expert),
            joinedload(HelpThread.asker),
            selectinload(HelpThread.posts),
        )
        .limit(PAGE_ROWS + 1)
    )
    if mine:
        wanted = wanted.where(HelpThread.expert_id == web.user().id)
    here = tuple_(HelpThread.opened_at, HelpThread.id)
    ascending = shown == "open"
    place = position(after)
    if place is not None:
        there = tuple_(place.created_at, place.lead_id)
        wanted = wanted.where(here > there if ascending else here < there)
    order = (HelpThread.opened_at, HelpThread.id)
    wanted = wanted.order_by(*(each if ascending else each.desc() for each in order))
    return session.scalars(wanted).unique().all()


def _rows(session: Session, threads: Sequence[HelpThread]) -> list[Row]:
    about = _about(session, [thread.lead_id for thread in threads])
    dealers = _dealers(session, {thread.dealer_id for thread in threads})
    return [
        Row(thread, {**about[thread.lead_id]}, dealers.get(thread.dealer_id, ""))
        for thread in threads
    ]


def _about(session: Session, lead_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, RowMapping]:
    """What the leads are about, of those whose threads the reader sees: the bare tables, and no
    column that tells of a person."""
    lead, brand = Lead.__table__.c, Brand.__table__.c
    found = session.execute(
        select(
            lead.id,
            lead.reference,
            lead.request_type,
            lead.service,
            lead.model,
            lead.status,
            lead.country,
            lead.language,
            func.coalesce(brand.name, "").label("brand"),
        )
        .select_from(Lead.__table__.outerjoin(Brand.__table__, brand.id == lead.brand_id))
        .where(lead.id.in_(lead_ids))
    )
    return {row["id"]: row for row in found.mappings()}


def _dealers(session: Session, dealer_ids: set[int]) -> dict[int, str]:
    """Their latest names; by the bare table, as an expert sees no dealer at all."""
    terms = DealerTerms.__table__.c
    begins_at = func.lower(terms.valid)
    found = session.execute(
        select(terms.dealer_id, terms.name)
        .where(terms.dealer_id.in_(dealer_ids), or_(begins_at.is_(None), begins_at <= web.at()))
        .order_by(begins_at.nulls_first())
    )
    return {row.dealer_id: row.name for row in found}
