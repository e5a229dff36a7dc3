"""The dashboard: what each role looks at first, every number with the way to its leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import web
from lmt.i18n import gettext as _
from lmt.models import Dealer, Market
from lmt.reportpages.asking import (
    address_of,
    answered,
    only_market,
    reader_today,
    reader_week_start,
)
from lmt.reportpages.blueprint import blueprint
from lmt.reportpages.showing import note_words, page_looks
from lmt.reportpages.tables import Number, Table, table_of
from lmt.reportpages.words import FEW_LEADS, names_for
from lmt.reports import dashboard as asking
from lmt.reports.answer import Answer, Key
from lmt.reports.charts import chart_of, chart_title, kinds_of, number_format
from lmt.reports.comparing import past_of
from lmt.reports.dashboard import Asked
from lmt.reports.figures import BY_CODE
from lmt.reports.owncomparison import LEAST_DEALERS, LEAST_LEADS, RATES, Middle, standing
from lmt.reports.ownfigures import middle_of_the_hour
from lmt.reports.question import read
from lmt.reports.standard import BY_CODE as STANDARDS
from lmt.reports.standard import NETWORK
from lmt.reports.wording import (
    days_text,
    dimension_name,
    empty_past,
    figure_text,
    question_words,
)


@dataclass(frozen=True, slots=True)
class Card:
    """One figure, big. `middle` is the market's in words, "" where it isn't told; `standing` how
    the figure stands to it."""

    code: str
    name: str
    formula: str
    number: Number
    middle: str = ""
    standing: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart for the page's script, and what it is called."""

    id: str
    kind: str
    title: str
    source: dict[str, object]


@dataclass(frozen=True, slots=True)
class Panel:
    """Part of the page: `address` opens its report, `links` lead to where it is worked on;
    `footer` has rows in words below the table's own."""

    id: str
    title: str
    days: str
    sentence: str
    address: str
    table: Table | None = None
    drawings: Sequence[Drawing] = ()
    footer: Sequence[tuple[str, Sequence[str]]] = ()
    links: Sequence[tuple[str, str]] = ()
    nothing: str = ""
    """What is said instead of a table without lines."""
    note: str = ""
    """What must be known beside its days."""


@dataclass(slots=True)
class Board:
    """What one reader sees."""

    title: str
    days: str
    address: str
    cards: list[Card] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@blueprint.get("/dashboard")
@web.require("report.read")
def dashboard() -> ResponseReturnValue:
    actor = web.actor()
    if actor.dealers and not actor.markets and not actor.everywhere:
        board = _of_dealers()
    elif (market := only_market()) is not None:
        board = _of_market(market)
    else:
        board = _of_all()
    return render_template(
        "reports/dashboard.html",
        board=board,
        looks=page_looks(),
        numbers=number_format(),
        few_leads=FEW_LEADS,
    )


def _of_dealers() -> Board:
    """The reader's own outlets beside the middle of their market."""
    own = _answer(asking.OWN)
    middles = _middles(own)
    one = middles[0][1] if len(middles) == 1 else Middle()
    board = Board(_("Our figures"), _days(own), _report(own), _cards(own, one))
    board.notes += note_words(own)
    for market, middle in middles:
        if not middle.is_told:
            board.notes.append(
                _(
                    "The market's median isn't shown for %(market)s: with fewer than %(dealers)s"
                    " dealers of %(leads)s leads or more it would tell of single ones.",
                    market=market, dealers=LEAST_DEALERS, leads=LEAST_LEADS,
                )
            )  # fmt: skip
    if len(own.rows) > 1:
        board.panels.append(
            _tabled("outlets", _("Our outlets"), own, footer=_middle_rows(own, middles))
        )
    weeks = _answer(_weeks(("leads", "contacted")))
    board.panels += [
        _drawn("weeks", _("Leads by week"), weeks, ("leads", "contacted")),
        _tabled("colleagues", _("Work of each colleague"), _answer(asking.COLLEAGUES)),
    ]
    return board


def _of_market(market: Market) -> Board:
    month = _answer(asking.MONTH)
    board = Board(market.name, _days(month), _report(month), _cards(month))
    board.notes += note_words(month)
    today = reader_today()
    weeks = _answer(_weeks(("leads", "contacted"), compare="year"))
    console = [
        (_("Overview"), url_for("hq.overview")),
        (_("Queues"), url_for("hq.unrouted")),
        (_("All leads"), url_for("hq.leads")),
    ]
    board.panels += [
        _tabled(
            "open", _("Open now"), _answer(asking.open_now(today)),
            links=console if web.may(NETWORK) else (),
        ),
        _drawn("weeks", _("Leads by week, and a year before"), weeks, ("leads",)),
        _drawn("funnel", _("From the lead to the sale"), _answer(asking.FUNNEL), ("leads",)),
        _tabled("waiting", _("How long customers waited"), _answer(asking.WAITING)),
    ]  # fmt: skip
    if web.may(NETWORK):
        board.panels += _compared()
    return board


def _compared() -> list[Panel]:
    """What sets dealers and sources against each other."""
    expected, sources = _answer(asking.EXPECTED), _answer(asking.SOURCES)
    above, below = asking.far_from_expected(expected)
    return [
        _tabled(
            "below", _("Dealers below what their leads let expect"), expected, rows=below,
            nothing=_("No dealer with enough leads is below."),
        ),
        _tabled(
            "above", _("Dealers above what their leads let expect"), expected, rows=above,
            nothing=_("No dealer with enough leads is above."),
        ),
        _tabled(
            "sources", _("Sources that need a look"), sources, rows=asking.to_look_at(sources),
            nothing=_("No source stands out."),
        ),
    ]  # fmt: skip


def _of_all() -> Board:
    """Markets side by side, in one currency."""
    markets = _answer(asking.MARKETS)
    board = Board(_("All markets"), _days(markets), _report(markets), _cards(markets))
    board.notes += note_words(markets)
    board.panels += [
        _tabled("markets", _("This month by market"), markets),
        _drawn("weeks", _("Leads by week"), _answer(_weeks(("leads",), columns="market"))),
        _drawn("value", _("Sales of this month by market"), markets, ("value",), table=False),
    ]
    return board


def _weeks(figures: Sequence[str], **named: str) -> Asked:
    return asking.by_week(reader_today(), reader_week_start(), figures, **named)


def _answer(asked: Asked) -> Answer:
    standard = STANDARDS.get(asked.get("report", [""])[0])
    start = {} if standard is None else standard.start
    question, _problems = read(asked, reader_today(), week_start=reader_week_start(), start=start)
    return answered(question)


def _days(answer: Answer) -> str:
    """Which days are told, and beside which."""
    asked, before = answer.question, past_of(answer)
    days = days_text(asked.first, asked.last)
    if before is None:
        return days
    past = days_text(before.question.first, before.question.last)
    return _("%(days)s, compared with %(before)s", days=days, before=past)


def _report(answer: Answer) -> str:
    return url_for("reports.report", **address_of(answer.question))


def _sentence(answer: Answer) -> str:
    return question_words(answer.question, names_for(answer.question, answer))


def _cards(answer: Answer, middle: Middle | None = None) -> list[Card]:
    """The figures of all leads of the answer."""
    table = table_of(answer, "")
    numbers = table.total.numbers if table.total else [line.numbers[0] for line in table.lines]
    cards = []
    for code, number in zip(answer.question.figures, numbers, strict=True):
        figure, other = BY_CODE[code], middle.value(code) if middle else None
        cards.append(
            Card(
                code,
                str(figure.name),
                str(figure.formula),
                replace(number, bar=None),
                "" if other is None else figure_text(code, other),
                standing(code, answer.value(code), other),
            )
        )
    return cards


def _tabled(
    id: str,
    title: str,
    answer: Answer,
    *,
    rows: Sequence[Key] | None = None,
    **more: Any,
) -> Panel:
    """With `rows`, only these of the answer, without its total."""
    shown = answer if rows is None else replace(answer, rows=tuple(rows))
    table = _table(shown)
    if rows is not None:
        table = replace(table, total=None)
    return Panel(
        id,
        title,
        _days(answer),
        _sentence(answer),
        _report(answer),
        table,
        note=empty_past(answer),
        **more,
    )


def _table(answer: Answer) -> Table:
    names = names_for(answer.question, answer)
    return table_of(answer, dimension_name(answer.question.rows, names))


def _drawn(
    id: str, title: str, answer: Answer, figures: Sequence[str] = ("",), *, table: bool = True
) -> Panel:
    """A chart of each of these figures; the table behind them, unless it stands elsewhere."""
    names = names_for(answer.question, answer)
    drawings = []
    for place, code in enumerate(figures):
        one = code if len(answer.question.figures) > 1 and answer.question.rows else ""
        spec = chart_of(answer, figure=one, names=names)
        del spec["config"]
        drawings.append(
            Drawing(
                f"chart-{id}-{place}",
                kinds_of(answer, one)[0],
                chart_title(answer, one, names),
                spec,
            )
        )
    return Panel(
        id,
        title,
        _days(answer),
        _sentence(answer),
        _report(answer),
        _table(answer) if table else None,
        drawings,
        note=empty_past(answer),
    )


def _middles(own: Answer) -> list[tuple[str, Middle]]:
    """The middle of each market in which the reader has an outlet, by the market's name."""
    markets = web.reports_db().execute(
        select(Market.id, Market.name)
        .where(Market.id.in_(select(Dealer.market_id).where(Dealer.id.in_(web.actor().dealers))))
        .order_by(Market.id)
    )
    asked = own.question
    return [
        (name, middle_of_the_hour(web.reports_db(), id, asked.first, asked.last, web.at()))
        for id, name in markets
    ]


def _middle_rows(own: Answer, middles: Sequence[tuple[str, Middle]]) -> list[tuple[str, list[str]]]:
    """As many words as the answer has figures; what is no rate has no middle."""
    return [
        (
            _("Median of %(market)s", market=market),
            [
                figure_text(code, middle.value(code)) if code in RATES else ""
                for code in own.question.figures
            ],
        )
        for market, middle in middles
        if middle.is_told
    ]
