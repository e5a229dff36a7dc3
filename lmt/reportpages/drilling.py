"""The leads behind a number: as many as it says, one's own with their customer, others without."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from lmt import web
from lmt.models import Dealer, DealerTerms, Lead
from lmt.models.facts import OF_OFFERS
from lmt.reportpages.asking import address_of, asked, reader_week_start
from lmt.reportpages.blueprint import blueprint
from lmt.reportpages.choices import chips
from lmt.reportpages.words import cell_words, names_for, said_at
from lmt.reports import drill
from lmt.reports.drill import Cell, Entry
from lmt.reports.enrich import behind as listed_behind
from lmt.reports.figures import BY_CODE
from lmt.reports.question import Question
from lmt.reports.wording import days_text

PAGE_ROWS = 50
SIDES = ("part", "whole")
SEVERAL_TIMES = frozenset({
    *OF_OFFERS, "reroutes", "inquiries", "plans", "plans_kept", "answers", "score", "verdicts",
    "confirmed", "metres",
})  # fmt: skip
"""Counters that may count a lead more than once."""


@dataclass(frozen=True, slots=True)
class Behind:
    """One lead behind a number. `lead` is None where the reader sees it no more; `address` is where
    it can be read, "" where it can't."""

    entry: Entry
    lead: Lead | None
    dealer: str
    address: str


@blueprint.get("/leads")
@web.require("report.read")
def leads() -> ResponseReturnValue:
    question, problems = asked()
    cell = asked_cell(question)
    session = web.reports_db()
    after = request.args.get("after", "")
    many = drill.count(session, question, cell, at=web.at(), week_start=reader_week_start())
    page = drill.leads(
        session,
        question,
        cell,
        at=web.at(),
        after=after,
        rows=PAGE_ROWS,
        week_start=reader_week_start(),
    )
    keys = {question.rows: cell.row, question.columns: cell.column}
    names = names_for(question, cell={code: key for code, key in keys.items() if key is not None})
    address = address_of(question)
    here = {**address, **cell_address(cell)}
    return render_template(
        "reports/leads.html",
        question=question,
        problems=said_at(problems),
        days=days_text(question.first, question.last),
        told=cell_words(question, names, cell.row, cell.column, cell.figure, cell.side),
        chips=chips(question, names),
        many=many,
        leads=leads_counted(cell, many, page, after),
        rows=behind(page.entries),
        back=url_for("reports.report", **address),
        next_address=url_for("reports.leads", **here, after=page.next) if page.next else "",
        first_address=url_for("reports.leads", **here) if after else "",
        files=[
            (form, url_for("reports.leads_file", form=form, **here)) for form in ("xlsx", "csv")
        ],
    )


def asked_cell(question: Question) -> Cell:
    """The cell that the address names; 404 where no figure leads to it."""
    figure = request.args.get("figure", "leads")
    side = request.args.get("side", "part")
    if figure not in BY_CODE or side not in SIDES:
        abort(404)
    of = BY_CODE[figure]
    listed = of.part or of.times or figure == "value" or listed_behind(figure) is not None
    if not (of.whole if side == "whole" else listed):
        abort(404)
    row = request.args.get("row") if question.rows else None
    column = request.args.get("column") if question.columns else None
    return Cell(row=row, column=column, figure=figure, side=side)


def leads_counted(cell: Cell, many: int, page: drill.Page, after: str) -> int | None:
    """How many leads a number counts, some of them perhaps several times; None where that isn't
    known without reading them all."""
    if not (page.next or after):
        return len(page.entries)
    if listed_behind(cell.figure) is not None:
        return None
    of = BY_CODE[cell.figure]
    counters = of.part if cell.side == "part" else of.whole
    return None if SEVERAL_TIMES.intersection(counters) else many


def cell_address(cell: Cell) -> dict[str, str]:
    """The cell as parameters of an address."""
    named = {"row": cell.row, "column": cell.column, "figure": cell.figure, "side": cell.side}
    return {name: value for name, value in named.items() if value is not None}


def behind(entries: Iterable[Entry]) -> list[Behind]:
    """The entries with what the reader may see of their leads, in two queries."""
    entries = list(entries)
    seen = _leads_in_sight(entry.lead_id for entry in entries)
    dealers = _dealer_names(lead.dealer_id for lead in seen.values())
    rows = []
    for entry in entries:
        lead = seen.get(entry.lead_id)
        dealer = dealers.get(lead.dealer_id or 0, "") if lead is not None else ""
        rows.append(Behind(entry, lead, dealer, lead_address(entry.lead_id, lead is not None)))
    return rows


def lead_address(lead_id: uuid.UUID, in_sight: bool) -> str:
    """The page on which the reader may read the lead: headquarters' or the desk's."""
    if in_sight and web.may("lead.assign"):
        return url_for("hq.lead", lead_id=lead_id)
    # The desk shows what is left of a lead that has gone.
    return url_for("desk.lead", lead_id=lead_id) if web.may("lead.work") else ""


def _leads_in_sight(ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, Lead]:
    wanted = (
        select(Lead)
        .where(Lead.id.in_(list(ids)))
        .options(joinedload(Lead.brand), joinedload(Lead.source), joinedload(Lead.market))
    )
    return {lead.id: lead for lead in web.reports_db().scalars(wanted)}


def _dealer_names(ids: Iterable[int | None]) -> Mapping[int, str]:
    found = web.reports_db().execute(
        select(Dealer.id, Dealer.code, DealerTerms.name)
        .outerjoin(
            DealerTerms, and_(DealerTerms.dealer_id == Dealer.id, DealerTerms.holds_at(web.at()))
        )
        .where(Dealer.id.in_({id for id in ids if id is not None}))
    )
    return {id: name or code for id, code, name in found}
