"""Puts the demo's rows into the database, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Table, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import CallableColumnDefault, ScalarElementColumnDefault

from lmt.db import Base


def copy_rows(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """COPY `rows`, which all name the same columns; a column left out takes its default."""
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    defaults = _defaults(table, rows[0])
    names = [*rows[0], *defaults]
    documents = {name for name in names if isinstance(table.c[name].type, JSONB)}
    columns = ", ".join(f'"{name}"' for name in names)
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy,
    ):
        for row in rows:
            whole = row | defaults
            copy.write_row(
                [Jsonb(whole[name]) if name in documents else whole[name] for name in names]
            )


def _defaults(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """What the models give to the columns that `row` leaves out; ids are the database's."""
    found: dict[str, Any] = {}
    for column in table.columns:
        default = column.default
        if column.name in row or column.primary_key:
            continue
        if isinstance(default, ScalarElementColumnDefault):
            found[column.name] = default.arg
        elif isinstance(default, CallableColumnDefault):
            found[column.name] = default.arg(None)  # type: ignore[arg-type]
    return found


def inserted_ids(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert `rows` and return their ids, in the same order."""
    if not rows:
        return []
    table = model.__table__
    assert isinstance(table, Table)
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(session.connection().execute(statement, list(rows)).scalars())
