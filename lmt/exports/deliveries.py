"""Deliveries that could not be read, to take away: when, whence, why; no bytes."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from lmt.exports.listing import Column, Listing, Record, Wanted, as_they_are
from lmt.i18n import lazy_gettext as _l
from lmt.labels import label
from lmt.models import Intake, Market, Source

_market, _source = aliased(Market), aliased(Source)


def deliveries_listing(conditions: Iterable[ColumnElement[bool]]) -> Listing[Record]:
    """The deliveries that fit, the latest first."""
    wanted = _DELIVERIES.where(*conditions)
    return Listing("intake", _l("Quarantine"), COLUMNS, wanted, Intake.id, as_they_are)


def _cause(row: Record) -> str:
    code = str(row.problem.get("code", ""))
    return label("intake_problem", code) if code else ""


def _fields(row: Record) -> str:
    """What was said of single fields."""
    told = [
        ": ".join(filter(None, (str(error.get("field", "")), str(error.get("message", "")))))
        for error in row.problem.get("errors") or ()
    ]
    return "; ".join(dict.fromkeys(told))


_DELIVERIES: Wanted = (
    select(
        Intake.id,
        Intake.received_at,
        Intake.content_type,
        Intake.problem,
        Intake.times,
        Intake.answered_at,
        func.octet_length(Intake.body).label("size"),
        _source.code.label("source_code"),
        _source.name.label("source"),
        _source.kind.label("channel"),
        _market.name.label("market"),
    )
    .join(_source, _source.id == Intake.source_id)
    .join(_market, _market.id == _source.market_id)
)

COLUMNS: tuple[Column[Record], ...] = (
    Column(_l("Delivery"), lambda row: str(row.id)),
    Column(_l("Received"), lambda row: row.received_at, instant=True),
    Column(_l("Source"), lambda row: row.source),
    Column(_l("Source's code"), lambda row: row.source_code),
    Column(_l("Channel"), lambda row: label("channel", row.channel)),
    Column(_l("Market"), lambda row: row.market),
    Column(_l("Cause"), _cause),
    Column(_l("Fields"), _fields),
    Column(_l("Times"), lambda row: row.times),
    Column(_l("Content type"), lambda row: row.content_type),
    Column(_l("Size in bytes"), lambda row: row.size),
    Column(_l("Answered"), lambda row: row.answered_at, instant=True),
)
