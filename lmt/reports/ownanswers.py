"""Reports by what customers answered to an own field: each fact's answers, joined or asked for.

An answer is a lead's own: whoever sees the lead no more counts it among those without an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, or_, select, true
from sqlalchemy.orm import Session

from lmt.models import Lead, LeadFact
from lmt.reports.dimensions import NONE
from lmt.reports.folding import MOST_COLUMNS, OTHERS

MOST_ANSWERS = 50
MOST_ACROSS = MOST_COLUMNS - 1
"""As columns, of which one is for those without an answer: none of them is folded again, since a
lead with two answers would then count twice in one group."""
_SCALARS = ("string", "number", "boolean")


def most_frequent(
    session: Session, key: str, conditions: Iterable[ColumnElement[bool]], *, across: bool
) -> list[str]:
    """The answers that are told apart, as columns (`across`) or rows: those that most of these
    facts have, the most frequent first."""
    given = _each(key)
    times = func.count()
    found = session.execute(
        select(given.c.value)
        .select_from(LeadFact)
        .join(Lead, Lead.id == LeadFact.lead_id)
        .join(given, true())
        .where(given.c.value != "", *conditions)
        .group_by(given.c.value)
        .order_by(times.desc(), given.c.value)
        .limit(MOST_ACROSS if across else MOST_ANSWERS)
    )
    return list(found.scalars())


def with_answers(
    statement: Select[Any], asked: Mapping[str, list[str]]
) -> tuple[Select[Any], dict[str, ColumnElement[Any]]]:
    """`statement` of facts with a row for each group that the lead is in, and each group's column.

    `asked` has the keys of own fields and the answers that are told apart; a group is one of them,
    OTHERS, or NULL without an answer.
    """
    joined = statement.outerjoin(Lead, Lead.id == LeadFact.lead_id)
    columns: dict[str, ColumnElement[Any]] = {}
    for number, (key, frequent) in enumerate(asked.items()):
        given = _each(key, name=f"answer_{number}")
        group = case((given.c.value.in_(frequent), given.c.value), else_=OTHERS)
        groups = select(group.label("value")).where(given.c.value != "").distinct()
        answers = groups.lateral(f"answers_{number}")
        joined = joined.outerjoin(answers, true())
        columns[key] = answers.c.value
    return joined, columns


def answered(key: str, wanted: Iterable[str]) -> ColumnElement[bool]:
    """Facts of leads that have one of these answers; NONE asks for those without any."""
    keys = set(wanted)
    given = [answer for answer in keys if answer != NONE]
    conditions = [_has(key, lambda value: value.in_(given))] if given else []
    if NONE in keys:
        conditions.append(~_has(key, lambda value: value != ""))
    return or_(false(), *conditions)


def answered_otherwise(key: str, frequent: Iterable[str]) -> ColumnElement[bool]:
    """Facts of leads with an answer beside these."""
    return _has(key, lambda value: and_(value != "", value.not_in(list(frequent))))


def _has(key: str, fits: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[bool]:
    given = _each(key)
    return exists(
        select(1)
        .select_from(Lead)
        .join(given, true())
        .where(Lead.id == LeadFact.lead_id, fits(given.c.value))
        .correlate(LeadFact)
    )


def _each(key: str, *, name: str = "answer") -> Any:
    """The answers of a lead as texts, a row each: one, or those of a list."""
    value = Lead.given["attributes"][key]
    kind = func.jsonb_typeof(value)
    listed = case(
        (kind == "array", value),
        (kind.in_(_SCALARS), func.jsonb_build_array(value)),
    )
    return func.jsonb_array_elements_text(listed).table_valued("value", name=name).lateral()
