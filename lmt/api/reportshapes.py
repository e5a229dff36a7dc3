"""What programs ask of reports and are answered, as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

ANY = "any"
"""Stands in the place of a report's name for a question that begins from none."""


class ReportListed(Schema):
    """A report that can be asked for."""

    id = fields.String(required=True, metadata={"description": "Its code, or its number"})
    name = fields.String(required=True)
    kind = fields.String(required=True, metadata={"enum": ["standard", "saved"]})
    url = fields.String(required=True)
    parameters = fields.Dict(required=True, metadata={"description": "What it asks by itself"})


class ReportList(Schema):
    """Standard reports, then those that were saved."""

    reports = fields.List(fields.Nested(ReportListed), required=True)


class FigureShape(Schema):
    """A figure and its definition."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    formula = fields.String(required=True)
    unit = fields.String(
        required=True,
        metadata={
            "enum": ["count", "share", "minutes", "days", "money", "km", "score", "number"],
            "description": "share: from 0 to 1",
        },
    )


class GroupShape(Schema):
    """A row or a column."""

    value = fields.String(required=True, metadata={"description": "As filters name it"})
    name = fields.String(required=True)


class CellShape(Schema):
    """The figures of a group, or of where two meet."""

    row = fields.String()
    column = fields.String()
    values = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.Float(allow_none=True),
        metadata={"description": "By the code of the figure"},
    )


class TotalsShape(Schema):
    """Of each row, of each column, and of all."""

    rows = fields.List(fields.Nested(CellShape), required=True)
    columns = fields.List(fields.Nested(CellShape), required=True)
    all = fields.Dict(required=True, keys=fields.String(), values=fields.Float(allow_none=True))


class NumbersShape(Schema):
    """What was counted."""

    question = fields.Dict(required=True, metadata={"description": "As it was understood"})
    cells = fields.List(fields.Nested(CellShape), required=True)
    totals = fields.Nested(TotalsShape, required=True)


class ReportAnswer(NumbersShape):
    """A question answered; `before` is of the days it is compared with."""

    figures = fields.List(fields.Nested(FigureShape), required=True)
    rows = fields.List(fields.Nested(GroupShape), required=True)
    columns = fields.List(fields.Nested(GroupShape), required=True)
    before = fields.Nested(NumbersShape, allow_none=True, required=True)
    currency = fields.String(
        allow_none=True,
        required=True,
        metadata={"description": "Of all amounts; null where they are in several"},
    )
    as_of = fields.DateTime(required=True)
    notes = fields.List(fields.String(), required=True)


def _text(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": {"type": "string"},
        "description": description,
    }


ASKED = [
    {
        "name": "report",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "description": f"The code of a standard report, the number of a saved one, or `{ANY}`",
    },
    _text("rows", "A dimension"),
    _text("columns", "A dimension"),
    _text("figures", "Codes with commas between"),
    _text("period", "Such as last_quarter"),
    _text("from", "The first day, as 2026-03-31"),
    _text("to", "The last day"),
    _text("compare", "before, month or year"),
    _text("currency", "market or one"),
    _text("sort", "The code of a figure"),
]
