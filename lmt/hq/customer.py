"""One customer with all their leads: what finds them, what was joined or parted, and undoing it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session, joinedload

from lmt import customers as verbs
from lmt import web
from lmt.customerrows import LONGEST_REASON
from lmt.hq.blueprint import blueprint
from lmt.hq.duplicates import Side, sides_of
from lmt.hq.queries import dealer_names
from lmt.i18n import gettext as _
from lmt.models import CallRecord, CustomerMove, Inquiry, Lead, Market, Source, User

MOST_LEADS = 100
MOST_MOVES = 50
MOST_INQUIRIES = 100
MOST_CALLS = 100
LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A move with the other customer's name and who did it; "" where not known."""

    move: CustomerMove
    is_inquiry: bool
    who: str
    undone_by: str


@dataclass(frozen=True, slots=True)
class CustomerView:
    """The customer as the actor sees them: leads newest first, the latest `MOST_LEADS`."""

    side: Side
    leads: Sequence[Lead]
    dealers: Mapping[int, str]
    inquiries: Mapping[uuid.UUID, Sequence[Inquiry]]
    moves: Sequence[MoveRow]
    calls: Sequence[Row[CallRecord, str, str]]
    """Calls that others made, newest first, with the source's name and its market's zone."""


@blueprint.get("/customers/<int:customer_id>")
@web.require(verbs.PERMISSION)
def customer(customer_id: int) -> ResponseReturnValue:
    session = web.db()
    with_whom = joined_with(session, customer_id)
    if with_whom != customer_id:
        return redirect(url_for("hq.customer", customer_id=with_whom))
    return _page(customer_id)


@blueprint.post("/customers/<int:customer_id>/split")
@web.require(verbs.PERMISSION)
def split_customer(customer_id: int) -> ResponseReturnValue:
    session = web.db()
    chosen = request.form.getlist("lead", type=uuid.UUID)
    if not chosen:
        return _page(customer_id, problem=_("Choose the leads of the other person.")), 422
    reason = request.form.get("reason", "").strip()[:LONGEST_REASON]
    try:
        verbs.split(session, chosen, at=web.at(), actor=web.actor(), reason=reason)
    except LookupError:
        abort(404)
    except verbs.NotNow as refused:
        session.rollback()
        if refused.code == "all":
            return _page(customer_id, problem=_("Leave at least one lead with this customer.")), 422
        return _moved_on(customer_id)
    flash(_("The leads have a customer of their own now. You can undo this below."), "success")
    return redirect(url_for("hq.customer", customer_id=customer_id))


@blueprint.post("/customers/<int:customer_id>/moves/<int:move_id>/undo")
@web.require(verbs.PERMISSION)
def undo_move(customer_id: int, move_id: int) -> ResponseReturnValue:
    session = web.db()
    try:
        verbs.undo(session, move_id, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except verbs.NotNow as refused:
        session.rollback()
        words = {
            "later": _("Undo the later change first."),
            "worked": _("That lead is closed with an outcome, so it stays."),
        }
        if refused.code not in words:
            return _moved_on(customer_id)
        flash(words[refused.code], "warning")
    else:
        flash(_("It is as it was before."), "success")
    return redirect(url_for("hq.customer", customer_id=customer_id))


@blueprint.post("/inquiries/<uuid:inquiry_id>/split")
@web.require(verbs.PERMISSION)
def split_inquiry(inquiry_id: uuid.UUID) -> ResponseReturnValue:
    session = web.db()
    try:
        lead_id = verbs.split_inquiry(session, inquiry_id, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except verbs.NotNow:
        session.rollback()
        inquiry = session.get_one(Inquiry, inquiry_id)
        flash(_("Somebody has made it a lead already."), "info")
        lead_id = inquiry.split_into_id or inquiry.lead_id
    else:
        flash(_("It is a lead of its own now, and finds its dealer in a moment."), "success")
    return redirect(url_for("hq.lead", lead_id=lead_id))


def joined_with(session: Session, customer_id: int) -> int:
    """The customer whom this one was joined to, as far as the actor sees them; else itself."""
    seen = {customer_id}
    while True:
        move = session.scalars(
            select(CustomerMove.to_id)
            .where(
                CustomerMove.from_id == customer_id,
                CustomerMove.kind == "merge",
                CustomerMove.undone_at.is_(None),
            )
            .order_by(CustomerMove.id.desc())
            .limit(1)
        ).first()
        if move is None or move in seen:
            return customer_id
        seen.add(move)
        customer_id = move


def customer_view(session: Session, customer_id: int) -> CustomerView | None:
    """None where there is no such customer, or none that the actor may see."""
    side = sides_of(session, {customer_id}).get(customer_id)
    if side is None:
        return None
    leads = session.scalars(
        select(Lead)
        .options(joinedload(Lead.market), joinedload(Lead.brand), joinedload(Lead.source))
        .where(Lead.customer_id == customer_id)
        .order_by(Lead.created_at.desc(), Lead.id.desc())
        .limit(MOST_LEADS)
    ).all()
    inquiries: dict[uuid.UUID, list[Inquiry]] = {}
    for inquiry in session.scalars(
        select(Inquiry)
        .options(joinedload(Inquiry.source))
        .where(Inquiry.lead_id.in_([lead.id for lead in leads]))
        .order_by(Inquiry.at.desc())
        .limit(MOST_INQUIRIES)
    ):
        inquiries.setdefault(inquiry.lead_id, []).append(inquiry)
    moves = session.scalars(
        select(CustomerMove)
        .where(or_(CustomerMove.from_id == customer_id, CustomerMove.to_id == customer_id))
        .order_by(CustomerMove.id.desc())
        .limit(MOST_MOVES)
    ).all()
    calls = session.execute(
        select(CallRecord, Source.name, Market.timezone)
        .join(Source, Source.id == CallRecord.source_id)
        .join(Market, Market.id == Source.market_id)
        .where(CallRecord.customer_id == customer_id)
        .order_by(CallRecord.at.desc().nulls_last(), CallRecord.id.desc())
        .limit(MOST_CALLS)
    ).all()
    people = _people(session, moves)
    return CustomerView(
        calls=calls,
        side=side,
        leads=leads,
        dealers=dealer_names(session, {lead.dealer_id for lead in leads}, at=web.at()),
        inquiries=inquiries,
        moves=[
            MoveRow(
                move,
                move.from_id == move.to_id,
                people.get(move.actor_id or 0, ""),
                people.get(move.undone_by or 0, ""),
            )
            for move in moves
        ],
    )


def _page(customer_id: int, *, problem: str = "") -> str:
    session = web.db()
    view = customer_view(session, customer_id)
    if view is None:
        abort(404)
    return render_template(
        "hq/customer.html",
        view=view,
        customer=view.side.customer,
        problem=problem,
        chosen=request.form.getlist("lead"),
        most=MOST_LEADS,
        most_calls=MOST_CALLS,
        longest_note=LONGEST_NOTE,
        longest=LONGEST_REASON,
    )


def _moved_on(customer_id: int) -> ResponseReturnValue:
    flash(_("This has changed in the meantime. This is how it stands now."), "warning")
    return redirect(url_for("hq.customer", customer_id=customer_id))


def _people(session: Session, moves: Sequence[CustomerMove]) -> dict[int, str]:
    ids = {id for move in moves for id in (move.actor_id, move.undone_by)} - {None}
    people = session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return dict(people.all())
