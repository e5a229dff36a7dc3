"""The leads behind a number as rows of a file: what each was and came to, its customer where the
reader may take customers away."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import structlog
from babel.support import LazyProxy
from sqlalchemy import ARRAY, Row, Uuid, and_, any_, func, literal, select
from sqlalchemy.orm import Session, aliased

from lmt.files.writing import Cell, csv_bytes, write_xlsx
from lmt.i18n import Reader, direction, reading
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import label
from lmt.models import Campaign, Dealer, DealerTerms, Lead, LeadFact, Market, Source
from lmt.reports.drill import Entry

log = structlog.get_logger(__name__)

BATCH = 1_000
_CAUSES = {"lost": "lost_reason", "withdrawn": "withdraw_reason"}
_market, _source, _campaign = aliased(Market), aliased(Source), aliased(Campaign)
_OF_FACTS = ("response", "value")
Record = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class LeadLine:
    """`lead` is None where the reader sees it no more; `dealer` is (code, name)."""

    entry: Entry
    lead: Record | None
    dealer: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is called, its cell of any lead behind the number, and of one in sight."""

    words: LazyProxy
    known: Callable[[Entry], Cell] | None = None
    seen: Callable[[LeadLine, Record], Cell] | None = None

    def cell(self, line: LeadLine) -> Cell:
        if self.known is not None:
            return self.known(line.entry)
        if line.lead is None or self.seen is None:
            return None
        return self.seen(line, line.lead)


COLUMNS = (
    Column(_l("Reference"), lambda entry: entry.reference),
    Column(_l("Day"), lambda entry: entry.day),
    Column(_l("Counted"), lambda entry: entry.times),
    Column(_l("Request"), lambda entry: _request(entry)),
    Column(_l("Brand"), lambda entry: entry.brand),
    Column(_l("Model"), lambda entry: entry.model),
    Column(_l("Market"), seen=lambda _line, lead: lead.market),
    Column(_l("Dealer's code"), seen=lambda line, _lead: line.dealer[0]),
    Column(_l("Dealer"), seen=lambda line, _lead: line.dealer[1]),
    Column(_l("Channel"), seen=lambda _line, lead: label("channel", lead.channel)),
    Column(_l("Source"), seen=lambda _line, lead: lead.source),
    Column(_l("Campaign"), seen=lambda _line, lead: lead.campaign),
    Column(_l("Status"), seen=lambda _line, lead: label("status", lead.status)),
    Column(_l("Reason"), seen=lambda _line, lead: _cause(lead)),
    Column(_l("Response time in minutes"), seen=lambda _line, lead: _minutes(lead.response)),
    Column(_l("Value"), seen=lambda _line, lead: _worth(lead.value)),
)  # fmt: skip
"""Nothing of a person."""
OF_PERSONS = (
    Column(_l("Name"), seen=lambda _line, lead: lead.full_name),
    Column(_l("Company"), seen=lambda _line, lead: lead.company),
    Column(_l("Mail address"), seen=lambda _line, lead: lead.email),
    Column(_l("Phone"), seen=lambda _line, lead: lead.phone),
    Column(_l("Language"), seen=lambda _line, lead: lead.language),
    Column(_l("Street"), seen=lambda _line, lead: lead.street),
    Column(_l("Postcode"), seen=lambda _line, lead: lead.postcode),
    Column(_l("City"), seen=lambda _line, lead: lead.city),
    Column(_l("Country"), seen=lambda _line, lead: lead.country),
)


def columns(*, persons: bool) -> Sequence[Column]:
    return (*COLUMNS, *OF_PERSONS) if persons else COLUMNS


def header(*, persons: bool) -> list[str]:
    """In the language of the reader in force."""
    return [str(column.words) for column in columns(persons=persons)]


def rows(
    session: Session, entries: Iterable[Entry], at: datetime, reader: Reader, *, persons: bool
) -> Iterator[list[Cell]]:
    """A row for each entry, in their order, read by the thousand and told in the words of `reader`
    whoever is it when they are taken; dealers are named as at `at`."""
    shown = columns(persons=persons)
    left = iter(entries)
    dealers: dict[int, tuple[str, str]] = {}
    while batch := list(islice(left, BATCH)):
        leads = _leads(session, [entry.lead_id for entry in batch if entry.in_sight])
        _name(session, dealers, {lead.dealer_id for lead in leads.values()}, at)
        with reading(reader.locale, reader.timezone):
            cells = [_cells(shown, entry, leads.get(entry.lead_id), dealers) for entry in batch]
        yield from cells


def _cells(
    shown: Sequence[Column],
    entry: Entry,
    lead: Record | None,
    dealers: Mapping[int, tuple[str, str]],
) -> list[Cell]:
    nobody = ("", "")
    line = LeadLine(entry, lead, nobody if lead is None else dealers.get(lead.dealer_id, nobody))
    return [column.cell(line) for column in shown]


def csv(
    session: Session, entries: Iterable[Entry], at: datetime, reader: Reader, *, persons: bool
) -> Iterator[bytes]:
    """Read as fast as it is taken, from one state of the database.

    Where that fails on the way, the last line says so: a server ends a broken answer like a whole
    one.
    """
    with reading(reader.locale, reader.timezone):
        heads = header(persons=persons)
        broken = _("The download broke off here, and rows are missing. Take the list again.")
    lines = rows(session, entries, at, reader, persons=persons)
    return csv_bytes(heads, _or_say(broken, lines))


def _or_say(broken: str, lines: Iterable[list[Cell]]) -> Iterator[list[Cell]]:
    try:
        yield from lines
    except Exception:
        log.exception("report.broke_off")
        yield [broken]


def write_workbook(
    out: IO[bytes],
    session: Session,
    entries: Iterable[Entry],
    at: datetime,
    reader: Reader,
    *,
    persons: bool,
    folder: Path,
) -> None:
    """Row by row, whatever their number; `folder` keeps what the workbook is made from meanwhile.
    Raises ValueError for more than a sheet holds."""
    with TemporaryDirectory(prefix=".report-", dir=folder) as workshop:
        write_xlsx(
            out,
            header(persons=persons),
            rows(session, entries, at, reader, persons=persons),
            title=_("Leads"),
            right_to_left=direction(reader.locale) == "rtl",
            folder=Path(workshop),
        )


def _leads(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Record]:
    found = session.execute(_LEADS.where(Lead.id == any_(literal(ids, ARRAY(Uuid)))))
    return {row.id: row for row in found}


def _name(
    session: Session, known: dict[int, tuple[str, str]], ids: set[int | None], at: datetime
) -> None:
    """Look up the dealers that are not `known` yet; one that the reader may not see stays blank."""
    wanted = {id for id in ids if id is not None and id not in known}
    if not wanted:
        return
    known |= dict.fromkeys(wanted, ("", ""))
    found = session.execute(
        select(Dealer.id, Dealer.code, DealerTerms.name)
        .outerjoin(DealerTerms, and_(DealerTerms.dealer_id == Dealer.id, DealerTerms.holds_at(at)))
        .where(Dealer.id.in_(wanted))
    )
    known |= {id: (code, name or "") for id, code, name in found}


def _request(entry: Entry) -> str:
    return label("request_type", entry.request_type) if entry.request_type else ""


def _cause(lead: Record) -> str:
    return label(_CAUSES.get(lead.status, "cause"), lead.cause) if lead.cause else ""


def _minutes(seconds: int | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 1)


def _worth(value: Decimal | None) -> float | None:
    return float(value) if value else None


_LEADS = (
    select(
        Lead.id,
        Lead.dealer_id,
        Lead.status,
        Lead.cause,
        Lead.full_name,
        Lead.company,
        Lead.email,
        Lead.phone,
        Lead.language,
        Lead.street,
        Lead.postcode,
        Lead.city,
        Lead.country,
        _market.name.label("market"),
        _source.name.label("source"),
        _source.kind.label("channel"),
        _campaign.name.label("campaign"),
        *(getattr(LeadFact, name) for name in _OF_FACTS),
    )
    .join(_market, _market.id == Lead.market_id)
    .join(_source, _source.id == Lead.source_id)
    .outerjoin(_campaign, _campaign.id == Lead.campaign_id)
    .outerjoin(
        LeadFact,
        and_(LeadFact.lead_id == Lead.id, LeadFact.dealer_id == func.coalesce(Lead.dealer_id, 0)),
    )
)
