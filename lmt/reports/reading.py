"""What parameters ask: of a page, a file, a mail, a program, an operator; each gets the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from lmt.attributes import field_label, fields_at_hand
from lmt.i18n import first_weekday, reader
from lmt.models import Market
from lmt.reports.answer import Answer
from lmt.reports.dimensions import FIELD
from lmt.reports.keys import markets_in_sight, names_of
from lmt.reports.ownfields import grouping_fields
from lmt.reports.question import Problem, Question, read
from lmt.reports.standard import BY_CODE
from lmt.reports.wording import Names
from lmt.scope import Actor

Parameters = Mapping[str, list[str]]


def parameters_of(address: Mapping[str, str | list[str]]) -> dict[str, list[str]]:
    """As a saved report keeps them → as an address gives them."""
    return {
        name: [value] if isinstance(value, str) else list(value) for name, value in address.items()
    }


def question_for(
    session: Session,
    told: Parameters,
    *,
    at: datetime,
    week_start: int,
    begun: Parameters = MappingProxyType({}),
) -> tuple[Question, list[Problem]]:
    """What these parameters ask of the reader's days (`lmt.i18n` knows whose), weeks and own
    fields, and what of them could not be used: the same on a page, in a file, in a mail, through
    the API and in the terminal.

    `begun` are the parameters of a saved report that `told` changes; what neither says is as in the
    standard report that they name, else as usual. `session` acts as the reader.
    """
    asked = _over(begun, told)
    return read(
        asked,
        at.astimezone(ZoneInfo(reader().timezone)).date(),
        week_start=week_start,
        fields=[item.key for item in grouping_fields(fields_at_hand(session))],
        start=start_of(session, (asked.get("report") or [""])[0]),
    )


def start_of(session: Session, report: str) -> dict[str, str]:
    """How a standard report is asked at first, or ("", and what is none) one built freely: by
    something of which the reader sees several."""
    standard = BY_CODE.get(report)
    offered: tuple[str, ...] = ("market", "dealer", "channel")
    if standard is not None:
        offered = (standard.start.get("rows", ""), *standard.dimensions)
    single = _undivided(session)
    rows = next((code for code in offered if code not in single), offered[0])
    usual = {"currency": usual_currency(session)}
    return {**usual, **(standard.start if standard else {}), "rows": rows}


def usual_currency(session: Session) -> str:
    """Whoever sees markets of several currencies is told all amounts in one, which adds up."""
    seen = _markets(session, Market.currency).distinct().limit(2)
    return "one" if len(session.scalars(seen).all()) > 1 else "market"


def only_market(session: Session) -> Market | None:
    """The market of a reader who sees no other; `session` acts as the reader."""
    found = session.scalars(_markets(session, Market).order_by(Market.id).limit(2)).all()
    return found[0] if len(found) == 1 else None


def _markets(session: Session, what: Any) -> Select[Any]:
    """Of those in the reader's sight."""
    return select(what).where(Market.id.in_(markets_in_sight(session)))


def _over(begun: Parameters, told: Parameters) -> dict[str, list[str]]:
    """`told` comes first; a period has no days beside it, and days have no period."""
    dated = {"from", "to"}
    if told.get("period", ["days"])[:1] not in (["days"], [""], []):
        # A form sends the days of before with the period that was chosen since.
        told = {name: values for name, values in told.items() if name not in dated}
        begun = {name: values for name, values in begun.items() if name not in dated}
    return {**begun, **told}


def _undivided(session: Session) -> frozenset[str]:
    """Dimensions of which the reader sees but one: a table of a single row."""
    if only_market(session) is None:
        return frozenset()
    actor: Actor = session.info["actor"]
    one_dealer = not actor.markets and len(actor.dealers) == 1
    return frozenset({"market", "dealer", "group"} if one_dealer else {"market"})


def names_in(session: Session, question: Question, answer: Answer, at: datetime) -> Names:
    """What the reader calls the groups that question and answer speak of."""
    known: dict[str, dict[str, str]] = {}
    asked = (question.rows, question.columns, *question.filters)
    if any(code.startswith(FIELD) for code in asked):
        known = {FIELD + f.key: {"": field_label(f)} for f in fields_at_hand(session)}
    for code, keys in question.filters.items():
        known.setdefault(code, {}).update(names_of(session, code, list(keys), at))
    for code, found in ((question.rows, answer.rows), (question.columns, answer.columns)):
        known.setdefault(code, {}).update({key.value: key.name for key in found})
    return lambda code, key: known.get(code, {}).get(key, key or code.removeprefix(FIELD))


def week_start_of(session: Session, own: int | None = None) -> int:
    """On which day somebody's weeks begin, 0 for Monday: as they chose, else as in all markets that
    they see, else as in their language. `session` acts as the reader."""
    if own is not None:
        return own
    found = session.scalars(_markets(session, Market.week_start).distinct().limit(2)).all()
    return first_weekday(found[0] if len(found) == 1 else None)
