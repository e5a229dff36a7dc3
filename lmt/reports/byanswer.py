"""A report by what customers answered to a custom field: its groups, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, true
from sqlalchemy.orm import Session

from lmt.attributes import option_label
from lmt.forms.fields import FieldDefinition
from lmt.i18n import gettext as _
from lmt.models import Lead

PREFIX = "field:"
"""Stands before the field's key where a report names its grouping."""
COUNTED = frozenset({"choice", "choices", "text", "hidden"})
"""Types whose answers come again, so that leads can be grouped by them."""
MOST_ANSWERS = 50
OTHERS = "*"
"""No option's id: all answers but the most frequent."""

Statement = Select[*tuple[Any, ...]]


def grouping_fields(fields: Iterable[FieldDefinition]) -> list[FieldDefinition]:
    """The custom fields that a report can be grouped by."""
    return [item for item in fields if item.type in COUNTED and "reports" in item.shows]


def by_answer(
    session: Session, counted: Statement, item: FieldDefinition
) -> tuple[Statement, ColumnElement[Any]]:
    """`counted` with each lead's answers joined to it, and the column that names the group.

    NULL are the leads without an answer, OTHERS those beside the MOST_ANSWERS most frequent ones. A
    lead with several answers counts in the group of each.
    """
    value = Lead.given["attributes"][item.key]
    kind = func.jsonb_typeof(value)
    listed = case(
        (kind == "array", value),
        (or_(*(kind == scalar for scalar in _SCALARS)), func.jsonb_build_array(value)),
    )
    answers = func.jsonb_array_elements_text(listed).table_valued("value", name="answer").lateral()
    joined = counted.join(answers, true(), isouter=True)
    answer = answers.c.value
    times = func.count()
    frequent = session.execute(
        joined.with_only_columns(answer)
        .where(answer.is_not(None))
        .group_by(answer)
        .order_by(times.desc(), answer)
        .limit(MOST_ANSWERS)
    )
    group = case(
        (answer.is_(None), None), (answer.in_(list(frequent.scalars())), answer), else_=OTHERS
    )
    return joined, group


_SCALARS = ("string", "number", "boolean")


def answer_name(item: FieldDefinition, answer: str | None) -> tuple[str, str]:
    """What a group is called: its code, and its words for the reader."""
    if answer is None:
        return "", _("No answer")
    return (
        (OTHERS, _("Other answers")) if answer == OTHERS else (answer, option_label(item, answer))
    )
