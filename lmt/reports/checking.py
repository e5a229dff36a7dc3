"""Compares what reports count with the leads themselves, and what was added up with its parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, TextClause, bindparam, select, text
from sqlalchemy.orm import Session

from lmt.models import FactSlice, Lead
from lmt.models.facts import COUNTERS, KEPT, SHARES, TIMES
from lmt.reports.dimensions import CUTS, KEEPING
from lmt.reports.facts import COLUMNS
from lmt.reports.gather import gathered
from lmt.reports.pasthours import PastHours
from lmt.reports.refresh import BATCH, Rows, made, raw, sorted_rows, stored_rows
from lmt.reports.rollups import sent_of_lead
from lmt.reports.shares import SHARE_COLUMNS

MOST_TOLD = 100
ROUNDING = 1e-6
"""Parts of a lead; sums of them depend on their order in the last digits."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be: which, and in what."""

    what: str
    says: str


@dataclass(slots=True)
class Checked:
    """`leads` and `months` were compared; `late` leads wait to be made anew, and were not. At most
    MOST_TOLD differences are told."""

    leads: int = 0
    months: int = 0
    late: int = 0
    differences: list[Difference] = field(default_factory=list)

    def differs(self, what: str, says: str) -> None:
        if len(self.differences) < MOST_TOLD:
            self.differences.append(Difference(what, says))


def check(session: Session, at: datetime, *, batch: int = BATCH) -> Checked:
    """Make the facts of every lead in memory as of `at` and compare them with those stored; add
    every month up that is said to hold and compare that. `session` sees one state of the database
    all the while (`lmt.db.reading_sessions_for`)."""
    checked = Checked()
    late = set(
        session.scalars(
            text(
                "SELECT lead_id FROM fact_queue UNION"
                " SELECT lead_id FROM lead_fact WHERE settles_at <= :at"
            ),
            {"at": at},
        )
    )
    checked.late = len(late)
    hours = PastHours()
    for lead_ids in _batches(session, batch):
        _compare(session, [each for each in lead_ids if each not in late], at, hours, checked)
    _find_left_over(session, late, checked)
    rolled = select(FactSlice.market_id, FactSlice.month).where(FactSlice.rolled_at.is_not(None))
    for market_id, month in session.execute(rolled.order_by(FactSlice.month)).all():
        checked.months += 1
        _compare_sums(session, market_id, month, checked)
    return checked


def _batches(session: Session, batch: int) -> Iterator[list[UUID]]:
    after: UUID | None = None
    while True:
        wanted = select(Lead.id).order_by(Lead.id).limit(batch)
        found = list(session.scalars(wanted if after is None else wanted.where(Lead.id > after)))
        if not found:
            return
        yield found
        after = found[-1]


def _compare(
    session: Session, lead_ids: list[UUID], at: datetime, hours: PastHours, checked: Checked
) -> None:
    checked.leads += len(lead_ids)
    facts, shares = made(gathered(session, lead_ids, hours), at, hours)
    for table, columns, rows in (
        ("lead_fact", COLUMNS, facts),
        ("share_fact", SHARE_COLUMNS, shares),
    ):
        stored: Rows = stored_rows(raw(session), table, columns, lead_ids)
        for lead_id in lead_ids:
            true, kept = sorted_rows(rows.get(lead_id, ())), sorted_rows(stored.get(lead_id, ()))
            if true != kept:
                checked.differs(f"{table} of lead {lead_id}", _difference(columns, true, kept))


def _difference(columns: tuple[str, ...], true: list[Any], kept: list[Any]) -> str:
    if len(true) != len(kept):
        return f"{len(kept)} rows instead of {len(true)}"
    return "; ".join(
        f"{name} is {had!r} instead of {has!r}"
        for new, old in zip(true, kept, strict=True)
        for name, has, had in zip(columns, new, old, strict=True)
        if has != had
    )


def _find_left_over(session: Session, late: set[UUID], checked: Checked) -> None:
    for table in ("lead_fact", "share_fact"):
        found = session.scalars(
            text(
                f"SELECT DISTINCT lead_id FROM {table} AS kept"
                " WHERE NOT EXISTS (SELECT FROM lead WHERE lead.id = kept.lead_id)"
            )
        )
        for lead_id in found:
            if lead_id not in late:
                checked.differs(f"{table} of lead {lead_id}", "the lead is no longer stored")


def _compare_sums(session: Session, market_id: int, month: date, checked: Checked) -> None:
    which = {"market_id": market_id, "month": month}
    for name, statement in _SUMS.items():
        parts, kept = (_normal(session, each, which) for each in statement)
        if parts != kept:
            wrong = len(parts.keys() ^ kept.keys()) + sum(
                kept[key] != parts[key] for key in parts.keys() & kept.keys()
            )
            checked.differs(
                f"{name} of market {market_id} in {month:%Y-%m}", f"{wrong} rows differ"
            )


def _normal(session: Session, statement: TextClause, which: dict[str, Any]) -> dict[Any, Any]:
    found = session.execute(statement, which)
    return {key: tuple(_rounded(each) for each in rest) for key, *rest in found}


def _rounded(value: Any) -> Any:
    return round(value / ROUNDING) if isinstance(value, float) else value


def _bound(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("month", type_=Date))


def _cut_sums(cut: str, columns: tuple[str, ...]) -> tuple[TextClause, TextClause]:
    """Of the facts, and as stored: the key as text, the sums, and what is kept packed."""
    key = f"ROW({', '.join(('market_id', *columns))})::text"
    sums = ", ".join(f'sum("{name}")' for name in (*COUNTERS, "value"))
    # What is packed may stand in another order: a digest of the sorted pieces, of so many bytes.
    sent = {name: (f"int4send({name})", 4) for name in TIMES}
    for name in KEEPING.get(cut, ()):
        sent[name] = sent_of_lead(name), sum(KEPT[name].values())
    spans = ", ".join(
        f"coalesce(md5(string_agg({piece}, ''::bytea ORDER BY {piece})), '')"
        for piece, _size in sent.values()
    )
    packed = ", ".join(
        "coalesce((SELECT md5(string_agg(piece, ''::bytea ORDER BY piece)) FROM"
        f" (SELECT substr({name}, {size} * n + 1, {size}) AS piece"
        f" FROM generate_series(0, length({name}) / {size} - 1) AS n) AS pieces), '')"
        for name, (_piece, size) in sent.items()
    )
    stored = ", ".join(f'"{name}"' for name in (*COUNTERS, "value"))
    return (
        _bound(
            f"SELECT {key}, {sums}, {spans} FROM lead_fact"
            " WHERE market_id = :market_id AND month = :month"
            f" GROUP BY {', '.join(('market_id', *columns))}"
        ),
        _bound(
            f"SELECT {key}, {stored}, {packed} FROM fact_month"
            f" WHERE market_id = :market_id AND month = :month AND cut = '{cut}'"
        ),
    )


def _share_sums() -> tuple[TextClause, TextClause]:
    which = "WHERE market_id = :market_id AND month = :month"
    sums = ", ".join(f"sum({name})" for name in SHARES)
    return (
        _bound(f"SELECT dealer_id, {sums} FROM share_fact {which} GROUP BY dealer_id"),
        _bound(f"SELECT dealer_id, {', '.join(SHARES)} FROM share_month {which}"),
    )


_SUMS = {
    **{f"cut {cut}": _cut_sums(cut, columns) for cut, columns in CUTS.items()},
    "fair share": _share_sums(),
}
