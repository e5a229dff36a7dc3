"""Pure: an answer as JSON, for programs: raw numbers under the codes that addresses use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lmt.reports.answer import Answer, Key
from lmt.reports.chartdata import value_of
from lmt.reports.figures import BY_CODE


def as_json(answer: Answer) -> dict[str, Any]:
    """Shares from 0 to 1, spans in minutes or days, amounts in `currency` (null where they are in
    several), null for what can't be worked out. Cells without a lead are left out."""
    return {
        "question": question_json(answer),
        "figures": [
            {
                "code": code,
                "name": str(BY_CODE[code].name),
                "formula": str(BY_CODE[code].formula),
                "unit": BY_CODE[code].unit,
            }
            for code in answer.question.figures
        ],
        "rows": _keys(answer.rows),
        "columns": _keys(answer.columns),
        **_numbers(answer),
        "before": None
        if answer.before is None
        else {"question": question_json(answer.before), **_numbers(answer.before)},
        "currency": answer.currency or None,
        "as_of": answer.as_of.isoformat(),
        "notes": list(answer.notes),
    }


def question_json(answer: Answer) -> dict[str, Any]:
    """As it was understood; `first` and `last` are days, both included."""
    question = answer.question
    return {
        "report": question.report or None,
        "first": question.first.isoformat(),
        "last": question.last.isoformat(),
        "period": question.period,
        "rows": question.rows or None,
        "columns": question.columns or None,
        "figures": list(question.figures),
        "filters": {code: list(keys) for code, keys in question.filters.items()},
        "compare": question.compare or None,
        "currency": question.currency,
        "sort": question.sort or None,
    }


def _numbers(answer: Answer) -> dict[str, Any]:
    return {
        "cells": [
            {"row": row.value, "column": column.value, "values": _values(answer, row, column)}
            for row in answer.rows
            for column in answer.columns
            if (row.value, column.value) in answer.cells
        ],
        "totals": {
            "rows": [
                {"row": row.value, "values": _values(answer, row, None)} for row in answer.rows
            ],
            "columns": [
                {"column": column.value, "values": _values(answer, None, column)}
                for column in answer.columns
            ],
            "all": _values(answer, None, None),
        },
    }


def _values(answer: Answer, row: Key | None, column: Key | None) -> dict[str, float | None]:
    at = (None if row is None else row.value, None if column is None else column.value)
    tally = answer.tally(*at)
    return {code: value_of(code, tally, answer.currency) for code in answer.question.figures}


def _keys(keys: Iterable[Key]) -> list[dict[str, str]]:
    return [{"value": key.value, "name": key.name} for key in keys]
