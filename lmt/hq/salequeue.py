"""Sales that wait for a person: one at a time, beside the leads it may have come of."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.hq.sales import CHIPS_OF_SALES, LARGEST, PERMISSION, number_asked
from lmt.i18n import gettext as _
from lmt.models import Lead, Market, Sale, SalesFile, User
from lmt.sales import deciding
from lmt.sales.finding import asked_leads, grounds_of
from lmt.sales.refusals import NotNow, not_now_words

LONGEST_REFERENCE = 20


@dataclass(frozen=True, slots=True)
class Side:
    """A lead that the sale may have come of, with what speaks for it; `share` is 0 to 1.

    `taken` where another sale has it already.
    """

    lead: Lead
    share: float
    reasons: list[dict[str, Any]]
    vin: str
    order_number: str
    days: int
    taken: bool


@blueprint.get("/sales/queue")
@web.require(PERMISSION)
def sale_queue() -> str:
    """The next sale to decide on, or the one that the address names."""
    named = number_asked("sale")
    after = number_asked("after")
    # Those that were put off come again once the others are done.
    sale = _sale(named) if named else _next(after) or _next(0)
    return _page(sale, after, {}, "")


@blueprint.post("/sales/queue/<int:sale_id>")
@web.require(PERMISSION)
def decide_sale(sale_id: int) -> ResponseReturnValue:
    """`do`: confirm (with `lead`), reject, hand (with `reference`), take_back; the next follows."""
    session, at, actor = web.db(), web.at(), web.actor()
    sale, do = _sale(sale_id), request.form.get("do", "")
    after = number_asked("after")
    reference = request.form.get("reference", "").strip()[:LONGEST_REFERENCE]
    try:
        if do == "confirm":
            deciding.confirm(session, sale.id, _lead_id(), at=at, actor=actor)
            flash(_("The sale belongs to the lead now."), "success")
        elif do == "reject":
            deciding.reject(session, sale.id, at=at, actor=actor)
            flash(_("The sale came of none of the leads."), "success")
        elif do == "hand":
            deciding.match_by_hand(session, sale.id, reference, at=at, actor=actor)
            flash(_("The sale belongs to the lead now."), "success")
        elif do == "take_back":
            deciding.take_back(session, sale.id, at=at, actor=actor)
            flash(_("The decision was taken back."), "success")
            return redirect(url_for("hq.sale_queue", sale=sale_id))
        else:
            abort(400)
    except LookupError:
        abort(404)
    except NotNow as refused:
        told = not_now_words(refused.code)
        if do == "hand" and refused.code in {"no_lead", "taken"}:
            return _page(_sale(sale_id), after, {"reference": told}, reference), 422
        flash(told, "warning")
        return redirect(url_for("hq.sale_queue", sale=sale_id))
    return redirect(url_for("hq.sale_queue", after=after or None))


def _page(sale: Sale | None, after: int, problems: dict[str, str], reference: str) -> str:
    session = web.db()
    left = session.scalar(select(func.count()).select_from(Sale).where(Sale.state == "proposed"))
    if sale is None:
        return render_template("hq/sale_queue.html", sale=None, after=after, left=0)
    grounds = grounds_of(session, sale.market_id, web.at())
    return render_template(
        "hq/sale_queue.html",
        sale=sale,
        sides=_sides(session, sale),
        file=session.get_one(SalesFile, sale.file_id),
        market=session.get_one(Market, sale.market_id),
        dealer_names=grounds.dealers.names,
        decided_by=None if sale.decided_by is None else session.get(User, sale.decided_by),
        left=left,
        after=after,
        chips=CHIPS_OF_SALES,
        problems=problems,
        reference=reference,
    )


def _sides(session: Session, sale: Sale) -> list[Side]:
    """The candidates as they stand today, the surest first; the sale's own lead before them."""
    told = {uuid.UUID(each["lead_id"]): each for each in sale.candidates}
    if sale.lead_id is not None and sale.lead_id not in told:
        own = {"confidence": sale.confidence, "reasons": sale.reasons}
        told = {sale.lead_id: own, **told}
    grounds = grounds_of(session, sale.market_id, web.at())
    asked = asked_leads(session, grounds, told)
    leads = {
        lead.id: lead
        for lead in session.scalars(
            select(Lead).where(Lead.id.in_(list(asked))).options(joinedload(Lead.customer))
        )
    }
    taken = set(
        session.scalars(
            select(Sale.lead_id).where(Sale.lead_id.in_(list(asked)), Sale.id != sale.id)
        )
    )
    return [
        Side(
            lead=leads[id],
            share=each["confidence"],
            reasons=each["reasons"],
            vin=asked[id].vin or asked[id].traded_vin,
            order_number=asked[id].order_number,
            days=(sale.sold_on - asked[id].arrived_on).days,
            taken=id in taken,
        )
        for id, each in told.items()
        if id in asked and id in leads
    ]


def _next(after: int) -> Sale | None:
    return (
        web.db()
        .scalars(
            select(Sale).where(Sale.state == "proposed", Sale.id > after).order_by(Sale.id).limit(1)
        )
        .first()
    )


def _sale(sale_id: int) -> Sale:
    sale = web.db().get(Sale, sale_id) if sale_id <= LARGEST else None
    if sale is None:
        abort(404)
    return sale


def _lead_id() -> uuid.UUID:
    try:
        return uuid.UUID(request.form.get("lead", ""))
    except ValueError:
        abort(400)
