"""Conversion and response time, asked of the database in one grouped query a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    and_,
    case,
    cast,
    func,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from lmt.forms.fields import FieldDefinition
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.lifecycle import Status
from lmt.models import Dealer, DealerTerms, Lead, Market, Source
from lmt.reports.byanswer import answer_name, by_answer
from lmt.reports.oldfigures import DEFAULT_TARGET_MINUTES, NO_LEADS_AFTER_ALL, Row

GROUPINGS = ("dealer", "market", "channel")


@dataclass(frozen=True, slots=True)
class Question:
    """What a report is asked: leads received from `first` to `last` (days in `timezone`, both
    included), grouped `by` one of GROUPINGS, or `field:<key>` by the answers to `field`; `market`
    and `channel` narrow it where given."""

    by: str
    first: date
    last: date
    timezone: str = "UTC"
    market: str = ""
    channel: str = ""
    target_minutes: int = DEFAULT_TARGET_MINUTES
    field: FieldDefinition | None = None

    @property
    def period(self) -> tuple[datetime, datetime]:
        """Half open: from the first day's midnight to the midnight after the last."""
        zone = ZoneInfo(self.timezone)
        after = self.last + timedelta(days=1)
        return (
            datetime.combine(self.first, time(), zone),
            datetime.combine(after, time(), zone),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """Groups with the most leads first, leads without a dealer last; and all of them together."""

    rows: tuple[Row, ...]
    total: Row


def conversion(session: Session, question: Question, *, at: datetime) -> Report:
    """Conversion and response time of the leads that the session's actor may see."""
    if question.field is not None:
        return _conversion_by_answer(session, question, question.field, at)
    # The grouping set () is the total: medians of groups can't be added up.
    key = _GROUPS[question.by]
    statement = _counted(question, at).add_columns(key, func.grouping(key))
    statement = _narrowed(statement, question).group_by(func.grouping_sets(tuple_(key), tuple_()))
    rows: list[Row] = []
    total = _total()
    found = session.execute(statement).all()
    names = _NAMES[question.by](session, at, [row[-2] for row in found])
    for *figures, value, grouped_away in found:
        if grouped_away:
            total = Row(total.key, total.name, *figures)
        else:
            code, name = names.get(value, ("", _("No dealer yet")))
            rows.append(Row(code, name, *figures))
    return Report(_ordered(rows), total)


def _conversion_by_answer(
    session: Session, question: Question, item: FieldDefinition, at: datetime
) -> Report:
    """A lead with several answers counts in several rows, and once in the total."""
    leads = _narrowed(_counted(question, at), question)
    figures = session.execute(leads).one()
    joined, group = by_answer(session, leads, item)
    # Grouped by its name: the column has parameters, which are not the same twice.
    named = joined.add_columns(group.label("answer_group"))
    found = session.execute(named.group_by("answer_group")).all()
    rows = [Row(*answer_name(item, answer), *counts) for *counts, answer in found]
    return Report(_ordered(rows), _total(*figures)) if rows else Report((), _total())


def _total(*figures: Any) -> Row:
    return Row("", _("All together"), *(figures or (0, 0, 0, 0, 0, 0, 0, None)))


def _ordered(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: (not row.key, -row.leads, row.name, row.key)))


def _counted(question: Question, at: datetime) -> Select[*tuple[Any, ...]]:
    waits_since = _waits_since()
    seconds = cast(func.extract("epoch", Lead.contacted_at - waits_since), Float)
    target = timedelta(minutes=question.target_minutes)
    contacted = Lead.contacted_at.is_not(None)
    counted: Select[*tuple[Any, ...]] = select(
        func.count(),
        _count(Lead.offered_at.is_not(None)),
        _count(Lead.accepted_at.is_not(None)),
        _count(contacted),
        _count(Lead.status == Status.WON),
        _count(or_(contacted, waits_since + target <= at)),
        _count(Lead.contacted_at - waits_since <= target),
        func.percentile_cont(0.5).within_group(seconds.asc()) / 60,
    )
    return counted


def _waits_since() -> ColumnElement[datetime]:
    """Since when the customer waits for us. Whom an import brought did not ask: they wait from the
    first call on, and NULL says that nobody has called yet."""
    asked = Lead.import_id.is_(None)
    # Reached before the first call was noted: they waited for nothing.
    called_at = func.least(Lead.first_call_at, Lead.contacted_at)
    return case((asked, Lead.created_at), else_=called_at)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


def _narrowed(statement: Select[*tuple[Any, ...]], question: Question) -> Select[*tuple[Any, ...]]:
    start_at, end_at = question.period
    statement = (
        statement.select_from(Lead)
        .join(Source, Lead.source_id == Source.id)
        .where(
            Lead.test.is_(False),
            not_(and_(Lead.status == Status.WITHDRAWN, Lead.cause.in_(NO_LEADS_AFTER_ALL))),
            Lead.created_at >= start_at,
            Lead.created_at < end_at,
        )
    )
    if question.market:
        statement = statement.join(Market, Lead.market_id == Market.id).where(
            Market.code == question.market
        )
    if question.channel:
        statement = statement.where(Source.kind == question.channel)
    return statement


Names = dict[Any, tuple[str, str]]


def _dealer_names(session: Session, at: datetime, keys: list[Any]) -> Names:
    known = [key for key in keys if key is not None]
    names: Names = {key: ("", _("A dealer of another market")) for key in known}
    found = session.execute(
        select(Dealer.id, Dealer.code, DealerTerms.name)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(Dealer.id.in_(known), DealerTerms.holds_at(at))
    )
    return names | {id: (code, name) for id, code, name in found}


def _market_names(session: Session, at: datetime, keys: list[Any]) -> Names:
    found = session.execute(select(Market.id, Market.code, Market.name).where(Market.id.in_(keys)))
    return {id: (code, name) for id, code, name in found}


def _channel_names(session: Session, at: datetime, keys: list[Any]) -> Names:
    return {kind: (kind, label("channel", kind)) for kind in keys if kind is not None}


_GROUPS: dict[str, ColumnElement[Any]] = {
    "dealer": Lead.dealer_id,  # type: ignore[dict-item]
    "market": Lead.market_id,  # type: ignore[dict-item]
    "channel": Source.kind,  # type: ignore[dict-item]
}
_NAMES: dict[str, Callable[[Session, datetime, list[Any]], Names]] = {
    "dealer": _dealer_names,
    "market": _market_names,
    "channel": _channel_names,
}
