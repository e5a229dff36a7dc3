"""Headquarters' list of dealers: who is open, how full they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import web
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.models import Closure, Dealer, DealerLoad, DealerTerms
from lmt.workhours import Calendar, hours_problem, is_open, local_date


@dataclass(frozen=True, slots=True)
class DealerRow:
    """Counts hold for today in the dealer's own zone; `bad_hours`: the hours can't be read."""

    dealer: Dealer
    terms: DealerTerms
    open_now: bool
    bad_hours: bool
    day_used: int
    month_used: int
    open_used: int


@blueprint.get("/dealers")
@web.require("lead.assign")
def dealers() -> ResponseReturnValue:
    session, at = web.db(), web.at()
    market = request.args.get("market", "")
    after = request.args.get("after", "").replace("\0", "")
    found = q.dealers(session, at=at, market=market, after=after)
    shown = found[: q.PAGE_ROWS]
    closed: dict[int, list[Closure]] = {}
    for closure in session.scalars(
        select(Closure).where(
            Closure.dealer_id.in_([dealer.id for dealer, _terms, _load in shown]),
            Closure.holds_at(at),
        )
    ):
        closed.setdefault(closure.dealer_id, []).append(closure)
    rows = []
    for dealer, terms, load in shown:
        calendar = Calendar(
            terms.hours,
            terms.timezone,
            terms.country,
            tuple((c.starts_on, c.ends_on) for c in closed.get(dealer.id, ())),
        )
        today = local_date(calendar, at)
        rows.append(
            DealerRow(
                dealer=dealer,
                terms=terms,
                open_now=is_open(calendar, at),
                bad_hours=hours_problem(terms.hours) is not None,
                day_used=load.day_used if load and load.day == today else 0,
                month_used=_month_used(load, (today.year, today.month)),
                open_used=load.open_used if load else 0,
            )
        )
    more = len(found) > len(shown)
    address: dict[str, Any] = {"market": market} if market else {}
    return render_template(
        "hq/dealers.html",
        rows=rows,
        market=market,
        markets=q.choices_for(session).markets,
        next_address=(url_for("hq.dealers", **address, after=rows[-1].dealer.code) if more else ""),
        first_address=url_for("hq.dealers", **address) if after else "",
    )


def _month_used(load: DealerLoad | None, month: tuple[int, int]) -> int:
    if load is None or (load.day.year, load.day.month) != month:
        return 0
    return load.month_used
