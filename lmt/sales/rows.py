"""From the cells of a row to a sale, or to what is wrong with it, field by field.

Pure: the day, the market's countries and its currency are arguments.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from babel.numbers import is_currency

from lmt.files.columns import ColumnStyle, is_cut_phone, plain_number, whole_phone
from lmt.files.dates import stated_date
from lmt.files.unanswered import unanswered
from lmt.ingest.characters import clean_line, storable
from lmt.ingest.emails import email_address
from lmt.ingest.namekeys import folded
from lmt.ingest.phones import phone_number
from lmt.ingest.sharedkeys import canonical_mail

LONGEST = 200
LONGEST_GIVEN = 200
MOST_VALUE = Decimal("999999999999.99")
OLDEST = date(2000, 1, 1)
_TOMORROW = timedelta(days=1)
_MONTH_FIRST = frozenset({"US", "FM", "MH", "PH"})
"""As `lmt.ingest.instants` reads dates of these countries."""
_SIGNS: Mapping[str, str] = {
    "€": "EUR", "£": "GBP", "zł": "PLN", "zl": "PLN", "₺": "TRY", "tl": "TRY", "sr": "SAR",
    "ر.س": "SAR", "د.إ": "AED", "dhs": "AED", "dh": "AED",
}  # fmt: skip
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class RowError:
    """`field` of `columns.FIELDS`, "" for the row as a whole; `given` as it stands in the file."""

    field: str
    code: str
    given: str = ""

    def to_json(self, row: int) -> dict[str, object]:
        return {"row": row, "field": self.field, "code": self.code, "given": self.given}


@dataclass(frozen=True, slots=True)
class Home:
    """What a market says of its sales where a row doesn't: countries (ISO, its own first) for
    phones and dates, the currency."""

    countries: tuple[str, ...] = ()
    currency: str = ""


@dataclass(frozen=True, slots=True)
class SaleRow:
    """A sale as a row tells it. `phone` is E.164 where it was understood, else as given; `key`
    makes a repeat of the same sale one."""

    row: int
    sold_on: date
    key: str
    order_number: str = ""
    vin: str = ""
    full_name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    postcode: str = ""
    city: str = ""
    model: str = ""
    dealer_text: str = ""
    value: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row of the file: its sale, or its `errors`."""

    row: int
    cells: tuple[str, ...]
    sale: SaleRow | None
    errors: tuple[RowError, ...] = ()


class SaleReader:
    """Reads the rows of one file. `columns`: {field: place}; `styles` as many as columns;
    `today`: the day from which on nothing can have been sold yet."""

    def __init__(
        self,
        columns: Mapping[str, int],
        styles: Sequence[ColumnStyle],
        home: Home,
        today: date,
    ) -> None:
        self._columns = columns
        self._styles = styles
        self._home = home
        self._today = today

    def read(self, number: int, cells: tuple[str, ...], problem: str = "") -> ReadRow:
        """Never raises for what a file may hold; `problem` is what the file's reader said of it."""
        if problem:
            return ReadRow(number, cells, None, (RowError("", problem),))
        told = {field: self._cell(cells, place) for field, place in self._columns.items()}
        errors: list[RowError] = []
        sold_on = self._day(told.get("sold_on", ""), errors)
        value = self._value(told.get("value", ""), errors)
        currency = self._currency(told, errors) if value is not None else None
        email = self._mail(told.get("email", ""))
        names = [told.get("first_name", ""), told.get("last_name", "")]
        sale = SaleRow(
            row=number,
            sold_on=sold_on or self._today,
            key="",
            order_number=told.get("order_number", ""),
            vin=_vin(told.get("vin", "")),
            full_name=told.get("full_name", "") or " ".join(filter(None, names)),
            company=told.get("company", ""),
            email=email,
            phone=self._phone(told.get("phone", "")),
            postcode=told.get("postcode", ""),
            city=told.get("city", ""),
            model=told.get("model", ""),
            dealer_text=told.get("dealer", ""),
            value=value,
            currency=currency,
        )
        key = key_of(sale)
        if not key:
            errors.append(RowError("", "nothing_telling"))
        if errors:
            return ReadRow(number, cells, None, tuple(errors))
        return ReadRow(number, cells, replace(sale, key=key))

    def _cell(self, cells: Sequence[str], place: int) -> str:
        text = cells[place] if place < len(cells) else ""
        return "" if unanswered(text) else str(storable(clean_line(text)))[:LONGEST]

    def _style(self, field: str) -> ColumnStyle:
        return self._styles[self._columns[field]]

    def _day(self, text: str, errors: list[RowError]) -> date | None:
        if not text:
            errors.append(RowError("sold_on", "missing"))
            return None
        style = self._style("sold_on")
        day = stated_date(text, style.dates) or stated_date(text, self._own_order())
        if day is None or day < OLDEST:
            errors.append(RowError("sold_on", "not_a_date", text[:LONGEST_GIVEN]))
            return None
        if day > self._today + _TOMORROW:
            errors.append(RowError("sold_on", "not_yet", text[:LONGEST_GIVEN]))
            return None
        return day

    def _own_order(self) -> str:
        """How the market's country writes a day where the whole file leaves it open."""
        return "mdy" if _MONTH_FIRST.intersection(self._home.countries[:1]) else "dmy"

    def _value(self, text: str, errors: list[RowError]) -> Decimal | None:
        if not text:
            return None
        number = plain_number(_bare(text), self._style("value"))
        value = Decimal(number).quantize(Decimal("0.01")) if number else None
        if value is None or not 0 <= value <= MOST_VALUE:
            errors.append(RowError("value", "not_a_number", text[:LONGEST_GIVEN]))
            return None
        return value

    def _currency(self, told: Mapping[str, str], errors: list[RowError]) -> str | None:
        """As the row says it, in its own column or beside the number; else the market's."""
        text = told.get("currency", "")
        if not text:
            beside = _currency_in(told.get("value", ""))
            return beside or self._home.currency or None
        code = _currency_in(text)
        if not code:
            errors.append(RowError("currency", "not_a_currency", text[:LONGEST_GIVEN]))
        return code or None

    def _mail(self, text: str) -> str:
        return email_address(text) or text if "@" in text else ""

    def _phone(self, text: str) -> str:
        """A number that a spreadsheet cut is nobody's: it is kept for people to see."""
        if not text or is_cut_phone(text):
            return text
        return phone_number(whole_phone(text), self._home.countries).number or text


def key_of(sale: SaleRow) -> str:
    """What a repeat of this sale has as well: its order number; else VIN and dealer; else person
    and day. "" where nothing tells it from another."""
    dealer = _letters(sale.dealer_text)
    if order := _letters(sale.order_number):
        # Dealers number their orders each for itself.
        return f"order:{order}|{dealer}"
    if sale.vin:
        return f"vin:{sale.vin}|{dealer}"
    if sale.phone.startswith("+") or sale.email:
        person = sale.phone if sale.phone.startswith("+") else canonical_mail(sale.email)
    elif name := folded(sale.full_name or sale.company):
        person = f"{name}|{_letters(sale.postcode) or _letters(sale.city)}"
    else:
        return ""
    # A person's own words don't stand in a key that others may read in an index.
    mark = hashlib.sha256(f"{person}|{_letters(sale.model)}".encode()).hexdigest()[:32]
    return f"person:{mark}|{sale.sold_on.isoformat()}"


def order_key(text: str) -> str:
    """An order number as it is compared: letters and digits alone."""
    return _letters(text)


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text).upper()


def _vin(text: str) -> str:
    """Letters and digits in capitals; what is no whole VIN is kept, and finds nothing."""
    return _letters(text)[:40]


def is_whole_vin(vin: str) -> bool:
    return bool(_VIN.fullmatch(vin))


_CODE = re.compile(r"[A-Za-z]{3}")
_NUMBERLESS = re.compile(r"[\d.,'’\s\u00a0\u202f+-]+")


def _currency_in(text: str) -> str:
    """The code that a text holds, beside a number or alone; "" for none."""
    said = _NUMBERLESS.sub(" ", text.replace(".-", "")).strip()
    said = said or text.strip()
    if _CODE.fullmatch(said) and is_currency(said.upper()):
        return said.upper()
    return _SIGNS.get(said.casefold(), "")


def _bare(text: str) -> str:
    """The number without the code of a currency that the importer's reading doesn't know."""
    for code in re.findall(r"[A-Za-z]{3}", text):
        if is_currency(code.upper()):
            return text.replace(code, "").strip()
    return text
