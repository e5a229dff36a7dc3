"""One row of a file becomes what its sender meant: a lead, and the call that was made before.

What files do to data is undone here: numbers for phones and dates, "Select" for no answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from lmt.files.columns import ColumnStyle, is_cut_phone, iso_instant, plain_number, whole_phone
from lmt.files.unanswered import may_be_name, unanswered
from lmt.ingest.dispositions import DISPOSITIONS, disposition, told_time
from lmt.ingest.emails import email_address
from lmt.ingest.fields import Reading
from lmt.ingest.phones import is_dialable
from lmt.ingest.sourcesettings import source_settings
from lmt.mapping.bycolumn import ByColumn
from lmt.mapping.model import Mapping as FieldMapping

#: A day without a time of day is meant for when people are at work; no clock change skips these.
_AT_WORK = "T09:00:00"
_AT_NOON = "T12:00:00"
_MIDNIGHT = "T00:00:00"
_ODD_PHONE = re.compile(r"[.,Ee'’]|[^\x00-\x7f]")
_MOST_DEGREES = 180
_CONTACTS = ("customer.email", "customer.phone")
_PLACES = ("address.lat", "address.lon")
_NAMED = ("customer.first_name", "customer.last_name", "customer.full_name", "address.city")


@dataclass(frozen=True, slots=True)
class RowError:
    """Something of a row: the columns it is about, joined by ", ", a code of
    `words.row_error_words`, and what stood there."""

    field: str
    code: str
    given: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made before we had the row, as texts.

    `disposition` is a code of `DISPOSITIONS`, "" where none was told or understood. `at` and
    `back_at` are ISO 8601 where they were understood, without an offset where the file has none;
    `call_instant` places them.
    """

    at: str = ""
    disposition: str = ""
    back_at: str = ""
    agent: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class RowRead:
    """What a row says: `lead` in the shape of the lead JSON.

    With `errors` it can't become a lead; `notes` are only to be known.
    """

    lead: dict[str, Any]
    call: Call | None = None
    errors: tuple[RowError, ...] = ()
    notes: tuple[RowError, ...] = ()

    @property
    def action(self) -> str:
        """`route`, `history` or `suppress`; what tells of no call is worth a dealer's time."""
        known = DISPOSITIONS.get(self.call.disposition) if self.call else None
        return known.action if known else "route"


def call_instant(text: str, zone: tzinfo, country: str = "") -> datetime | None:
    """The instant in UTC of a Call's time, in the market's `zone` where it has no offset.

    `country` (ISO) tells the order of day and month where the file didn't. None for no instant.
    """
    return Reading(zone=zone, country=country).instant(text, "call")


class RowReader:
    """Reads the rows of one file by its mapping; made once, `read` never raises.

    `styles` are as many as `columns`, `settings` those of the source: what it lists as
    `unanswered` is an empty cell, too.
    """

    def __init__(
        self,
        mapping: FieldMapping,
        columns: Sequence[str],
        styles: Sequence[ColumnStyle] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._columns = tuple(columns)
        self._table = ByColumn(mapping, columns)
        own = source_settings(settings or {}).unanswered
        self._unanswered = frozenset(words.strip().casefold() for words in own)
        self._said = frozenset(self._table.columns_of("call.disposition"))
        self._meant = tuple(
            (i, frozenset(given.strip().casefold() for given in line.values))
            for line, _target, found in self._table.lines
            if line.values
            for i in found
        )
        self._names = self._table.columns_of(*_NAMED)
        self._contacts = self._table.columns_of(*_CONTACTS)
        self._phones = self._table.columns_of("customer.phone")
        styles = [*styles, *[ColumnStyle()] * (len(self._columns) - len(styles))]
        self._menders = tuple(_menders(self._table, styles))
        self._joined = tuple(_joined(self._table, styles))
        self._back_style = next(
            (styles[i] for i in self._table.columns_of("call.back_at", "call.at")), ColumnStyle()
        )

    def read(self, cells: Sequence[str], problem: str = "") -> RowRead:
        """What the row says; `problem` is what the file's reader found wrong with it, a code."""
        if problem:
            return RowRead({}, None, (RowError("", problem),))
        row = self._answered(cells)
        for first, others, style in self._joined:
            _join(row, first, others, style)
        for i, mend in self._menders:
            if row[i]:
                row[i] = mend(row[i])
        lead = self._table.lead(row)
        told = lead.pop("call", None)
        call, notes = self._call(told) if told else (None, ())
        cut = [cells[i].strip() for i in self._phones if is_cut_phone(cells[i])]
        if cut:
            notes = (*notes, RowError(self._named("customer.phone"), "phone_cut", cut[0]))
        return RowRead(lead, call, self._errors(lead, cells, cut), notes)

    def _answered(self, cells: Sequence[str]) -> list[str]:
        """The cells, empty where nobody answered. What the mapping gives a meaning stays, and so
        does a name, and a disposition: "NA" is a dialler's no answer."""
        row = ["" if unanswered(cell) else cell for cell in cells]
        for i in self._names:
            row[i] = cells[i] if not row[i] and may_be_name(cells[i]) else row[i]
        if self._unanswered:
            row = ["" if cell.strip().casefold() in self._unanswered else cell for cell in row]
        for i in self._said:
            row[i] = cells[i] if not row[i] and disposition(cells[i]) else row[i]
        for i, meant in self._meant:
            row[i] = cells[i] if cells[i].strip().casefold() in meant else row[i]
        return row

    def _call(self, told: Mapping[str, Any]) -> tuple[Call, tuple[RowError, ...]]:
        notes: list[RowError] = []
        said = told.get("disposition", "")
        known = disposition(said) if said else None
        note = told.get("note", "")
        if said and known is None:
            notes.append(RowError(self._named("call.disposition"), "disposition_not_known", said))
            note = f"{said}\n{note}".strip()
        times = {}
        for name in ("at", "back_at"):
            times[name] = given = str(told.get(name, ""))
            if given and call_instant(given, UTC, "GB") is None:
                notes.append(RowError(self._named(f"call.{name}"), "call_time_not_known", given))
        if said and not times["back_at"] and (when := told_time(said)):
            times["back_at"] = _instant(when, self._back_style, _AT_WORK)
        call = Call(
            at=times["at"],
            disposition=known.code if known else "",
            back_at=times["back_at"],
            agent=told.get("agent", ""),
            note=note,
        )
        return call, tuple(notes)

    def _errors(
        self, lead: Mapping[str, Any], cells: Sequence[str], cut: Sequence[str]
    ) -> tuple[RowError, ...]:
        customer = lead.get("customer") or {}
        phone = "" if cut else customer.get("phone", "")
        if is_dialable(phone) or email_address(customer.get("email", "")):
            return ()
        given = ", ".join(text for i in self._contacts if (text := cells[i].strip()[:200]))
        return (RowError(self._named(*_CONTACTS), "no_contact", given),)

    def _named(self, *targets: str) -> str:
        return ", ".join(self._columns[i] for i in self._table.columns_of(*targets))


_Mender = Callable[[str], str]


def _menders(table: ByColumn, styles: Sequence[ColumnStyle]) -> list[tuple[int, _Mender]]:
    """What is done to the cells of a column, by what the mapping takes them for."""
    menders: dict[int, _Mender] = {}
    for line, target, columns in table.lines:
        alone = line.how != "join" or len(columns) == 1
        for i in columns:
            style = styles[i]
            if target.kind == "instant" and alone:
                daytime = _AT_WORK if target.path == "call.back_at" else _AT_NOON
                menders[i] = _dated(style, daytime)
            elif target.path in _PLACES:
                menders[i] = _degrees(style)
            elif target.kind == "number":
                menders[i] = _numbered(style)
            elif target.path == "customer.phone":
                menders[i] = _phone
    return list(menders.items())


def _joined(
    table: ByColumn, styles: Sequence[ColumnStyle]
) -> list[tuple[int, tuple[int, ...], ColumnStyle]]:
    """The columns that make one instant together, a date and a time: all go to the first."""
    found = []
    for line, target, columns in table.lines:
        if target.kind == "instant" and line.how == "join" and len(columns) > 1:
            dated = next((styles[i] for i in columns if styles[i].dates), styles[columns[0]])
            found.append((columns[0], columns[1:], dated))
    return found


def _join(row: list[str], first: int, others: Sequence[int], style: ColumnStyle) -> None:
    parts = [row[i] for i in (first, *others) if row[i]]
    if parts:
        row[first] = _instant(" ".join(parts), style, _AT_NOON)
        for i in others:
            row[i] = ""


def _dated(style: ColumnStyle, daytime: str) -> _Mender:
    return lambda text: _instant(text, style, daytime)


def _instant(text: str, style: ColumnStyle, daytime: str) -> str:
    """The date and time as ISO 8601, a bare date at that time of day; as given where it is none."""
    stated = iso_instant(text, style)
    if stated.endswith(_MIDNIGHT):
        return stated.removesuffix(_MIDNIGHT) + daytime
    return stated or text


def _numbered(style: ColumnStyle) -> _Mender:
    return lambda text: plain_number(text, style) or text


def _degrees(style: ColumnStyle) -> _Mender:
    """No place lies at 52229 degrees: "52.229" is one also among numbers that group thousands."""

    def mend(text: str) -> str:
        number = plain_number(text, style)
        if number and abs(float(number)) > _MOST_DEGREES:
            other = ColumnStyle(decimal="." if style.decimal == "," else ",")
            number = plain_number(text, other)
        return number or text

    return mend


def _phone(text: str) -> str:
    """As it stands where a spreadsheet cut its last digits off: nobody must dial what is left."""
    return whole_phone(text) if _ODD_PHONE.search(text) and not is_cut_phone(text) else text
