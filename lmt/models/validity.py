"""Rows that are true for a while: a change closes the row and adds the next one.

What was known at an instant can so be read again, which is what replaying a decision needs.
Overlaps are refused by the database (`no_overlap`), with core GiST operators only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, func, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, Session, mapped_column


class Valid:
    """Adds `valid`, the half-open span of instants in which the row holds."""

    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)

    @classmethod
    def holds_at(cls, at: datetime) -> ColumnElement[bool]:
        """The rows as they were known at `at`."""
        return cls.valid.contains(at)

    def end(self, at: datetime) -> None:
        """From `at` on this row holds no more."""
        self.valid = Range(self.valid.lower, at, bounds="[)")

    def replace(self, session: Session, at: datetime, **changes: Any) -> Self:
        """Close this row at `at` and add its successor with `changes`; returns the successor."""
        columns = [c.key for c in type(self).__mapper__.column_attrs]  # type: ignore[attr-defined]
        values = {c: getattr(self, c) for c in columns if c not in {"id", "valid"}}
        self.end(at)
        session.flush()
        successor = type(self)(**{**values, **changes, "valid": since(at)})
        session.add(successor)
        return successor


def since(at: datetime | None) -> Range[datetime]:
    """From `at` on (None: always) without an end."""
    return Range(at, None, bounds="[)")


def no_overlap(table: str, key: str) -> ExcludeConstraint:
    """Two rows of one `key` never hold at once.

    The key is wrapped in a one-element range because `WITH =` on a plain integer would need
    the btree_gist extension, which a core-only PostgreSQL does not carry.
    """
    return ExcludeConstraint(
        (func.int8range(text(key), text(key), "[]"), "&&"),
        ("valid", "&&"),
        name=f"ex_{table}_{key}_valid",
        using="gist",
    )
