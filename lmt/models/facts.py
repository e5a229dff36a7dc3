"""What reports count: what each lead adds to the figures, and the same by month.

All of it is derived from the leads, their offers, plans and outcomes, and can be made anew at any
time (`lmt report rebuild`). Nothing refers to these rows, and they refer to nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Table,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from lmt.db import Base

DIMENSIONS: dict[str, Any] = {
    "dealer_id": Integer, "owner_id": Integer, "source_id": Integer, "channel": String,
    "campaign_id": Integer, "brand_id": Integer, "model": String, "request_type": String,
    "service": String, "band": String, "customer_kind": String, "language": String,
    "country": String, "region": String, "status": String, "cause": String, "verdict": String,
    "hour": SmallInteger, "lat_tenth": SmallInteger, "lon_tenth": SmallInteger,
}  # fmt: skip
"""What figures are told apart by, beside market and day. `hour`: of the week, 0 to 167, from
Monday's midnight, on the wall of the market's zone. `lat_tenth`, `lon_tenth`: whole tenths of a
degree, rounded down; NULL where the place is not known."""

COUNTERS = (
    "leads", "valid", "waiting", "open", "queued", "offered", "accepted", "contacted", "proven",
    "appointment", "visited", "won", "lost", "withdrawn", "matched", "sold", "sold_elsewhere",
    "asked_again", "inquiries", "rerouted", "reroutes", "closed", "closed_by_first",
    "reached_5", "reached_15", "reached_30", "reached_60", "reached_240", "reached_1440",
    "reached_later", "unreached", "overdue_15", "overdue_60", "overdue_240", "overdue_1440",
    "promised", "promise_kept", "plans", "plans_kept", "answers", "score", "verdicts", "confirmed",
    "placed", "metres",
    "offers", "offers_accepted", "offers_declined", "offers_expired", "offers_withdrawn",
)  # fmt: skip
"""Whole numbers that add up; `lmt.reports.facts` says what each counts."""

OF_OFFERS = tuple(name for name in COUNTERS if name.startswith("offers"))
"""Counters of a dealer's own offers: they stand on the row of each dealer. The others stand on the
row of whoever has the lead now, once a lead."""

TIMES = ("response", "work_response", "take", "work_take", "handling", "sale")
"""Spans of a lead in whole seconds, so that a median can be told of any group."""

KEPT: dict[str, dict[str, int]] = {
    "holders": {"dealer_id": 4, "leads": 2, "sold": 2},
    "squares": {"lat_tenth": 2, "lon_tenth": 2, "leads": 2},
}
"""What months keep of each fact with a lead, these numbers in so many bytes each: who has it, and
where it comes from. Told apart in rows of their own, they would be as many as the leads."""


def _dimensions() -> list[Column[Any]]:
    return [Column(name, kind) for name, kind in DIMENSIONS.items() if name != "dealer_id"]


def _counters(kind: Any, metres: Any) -> list[Column[Any]]:
    return [
        Column(name, metres if name == "metres" else kind, nullable=False, server_default=text("0"))
        for name in COUNTERS
    ]


def _value() -> Column[Any]:
    return Column("value", Numeric(16, 2), nullable=False, server_default=text("0"))


class LeadFact(Base):
    """What a lead adds to the figures of one dealer: a row for whoever has it now (dealer 0 for
    nobody), and one for each dealer that was offered it. Leads that are none (tests, suppressed
    ones) have no row.
    """

    __table__ = Table(
        "lead_fact",
        Base.metadata,
        Column("lead_id", Uuid, primary_key=True),
        Column("dealer_id", Integer, primary_key=True),
        Column("market_id", Integer, nullable=False),
        Column("day", Date, nullable=False),
        Column("month", Date, nullable=False),
        Column("settles_at", DateTime(timezone=True)),
        *_dimensions(),
        *_counters(SmallInteger, Integer),
        _value(),
        *(Column(name, Integer) for name in TIMES),
        Index("ix_lead_fact_market_id_day", "market_id", "day"),
        Index("ix_lead_fact_dealer_id_day", "dealer_id", "day"),
        Index("ix_lead_fact_day", "day", postgresql_using="brin"),
        Index(
            "ix_lead_fact_settles_at", "settles_at", postgresql_where=text("settles_at IS NOT NULL")
        ),
    )
    if TYPE_CHECKING:
        lead_id: Mapped[UUID]
        dealer_id: Mapped[int]
        market_id: Mapped[int]
        brand_id: Mapped[int | None]
        day: Mapped[date]
        """Of the lead's arrival, on the wall of its market."""
        month: Mapped[date]
        """The first of the day's month."""
        settles_at: Mapped[datetime | None]
        """When time alone changes the row next: a target or a plan's hour passes. None: never."""


class FactMonth(Base):
    """Facts of a market's month added up along one cut: the dimensions of the cut are filled, the
    others are NULL. `day` is filled by the cut that has it. The spans of TIMES are kept all: packed
    one after the other as `int4send` writes them; so is what is KEPT, by the cuts that keep it.
    """

    __table__ = Table(
        "fact_month",
        Base.metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("cut", String, nullable=False),
        Column("market_id", Integer, nullable=False),
        Column("month", Date, nullable=False),
        Column("day", Date),
        Column("dealer_id", Integer),
        *_dimensions(),
        *_counters(Integer, BigInteger),
        _value(),
        *(
            Column(name, LargeBinary, nullable=False, server_default=text("''"))
            for name in (*TIMES, *KEPT)
        ),
        Index("ix_fact_month_cut_month_market_id", "cut", "month", "market_id"),
    )
    if TYPE_CHECKING:
        cut: Mapped[str]
        market_id: Mapped[int]
        month: Mapped[date]
        day: Mapped[date | None]


class FactSlice(Base):
    """A month of a market: whether what FactMonth says of it still holds."""

    __tablename__ = "fact_slice"

    market_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    month: Mapped[date] = mapped_column(primary_key=True)
    changed_at: Mapped[datetime]
    rolled_at: Mapped[datetime | None]
    """When it was added up; None: its facts have changed since, or it never was."""


class FactQueue(Base):
    """Leads whose facts are to be made anew: triggers add to it in the transaction of the change,
    the worker takes from it."""

    __tablename__ = "fact_queue"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    lead_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


SHARES = (
    "expected", "received", "taken_over",
    "missed_closed", "missed_cap", "missed_paused", "missed_declined", "missed_timed_out",
    "missed_turn", "lost_declined", "lost_timed_out",
)  # fmt: skip
"""What a decision adds to a dealer's account of the fair-share ledger, in leads."""


def _shares() -> list[Column[Any]]:
    return [Column(name, Double, nullable=False, server_default=text("0")) for name in SHARES]


class ShareFact(Base):
    """What one routing decision adds to the account of one dealer that had a claim."""

    __table__ = Table(
        "share_fact",
        Base.metadata,
        Column("decision_id", Uuid, primary_key=True),
        Column("dealer_id", Integer, primary_key=True),
        Column("lead_id", Uuid, nullable=False, index=True),
        Column("market_id", Integer, nullable=False),
        Column("day", Date, nullable=False),
        Column("month", Date, nullable=False),
        *_shares(),
        Index("ix_share_fact_market_id_day", "market_id", "day"),
    )
    if TYPE_CHECKING:
        dealer_id: Mapped[int]
        lead_id: Mapped[UUID]
        market_id: Mapped[int]
        received: Mapped[float]
        lost_declined: Mapped[float]
        lost_timed_out: Mapped[float]
        day: Mapped[date]
        """Of the decision, on the wall of its market."""


class ShareMonth(Base):
    """Share facts of a market's month added up for each dealer; holds while its FactSlice does."""

    __table__ = Table(
        "share_month",
        Base.metadata,
        Column("market_id", Integer, primary_key=True, autoincrement=False),
        Column("month", Date, primary_key=True),
        Column("dealer_id", Integer, primary_key=True, autoincrement=False),
        *_shares(),
    )
    if TYPE_CHECKING:
        dealer_id: Mapped[int]
        market_id: Mapped[int]
        month: Mapped[date]
