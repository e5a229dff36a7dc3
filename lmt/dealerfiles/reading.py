"""Reads a line of a list of dealers into values and problems, each problem with its column.

Pure: what needs the gazetteer or the network comes after it. A column that isn't mapped says
nothing, and what the dealer has stays; so does an empty cell, but for caps, closures, territories,
competences and the group, which a mapped column states whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from lmt.dealerfiles.cells import LONGEST, Reading, read_cells
from lmt.dealerfiles.columnmap import ColumnMap
from lmt.dealerfiles.coordinates import degrees_of, place_of
from lmt.dealerfiles.offers import BadOffer, Brands, Offer, listed_offers, models_of, offers_of
from lmt.dealerfiles.row import NOTE, DealerRow, Problem
from lmt.dealerfiles.vocabulary import yes_or_no
from lmt.dealerfiles.weekdays import BadDay, days_of, week_hours
from lmt.files.columns import whole_phone
from lmt.hoursmending import mended
from lmt.ingest.phones import phone_number
from lmt.openinghours import hours_problem

LONGEST_PHONE = 60
_CODE = re.compile(r"[^\s/\\?#%\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the rows of a file with these columns. `today` decides which closures are over."""

    columns: Sequence[str]
    mapping: ColumnMap
    brands: Brands
    today: date

    def read(self, number: int, cells: Sequence[str], problem: str = "") -> DealerRow:
        """A line's cells, as many as columns; `problem` is what the file's reader said of it."""
        if problem:
            return DealerRow(number, "", {}, (Problem(problem),))
        stated = {name: (text.strip(), "") for name, text in self.mapping.defaults.items()}
        for column, cell in zip(self.columns, cells, strict=False):
            name = self.mapping.columns.get(column, "")
            text = cell.strip()
            if name and (text or name not in stated):
                stated[name] = (text, column)
        reading = Reading(stated, self.today, self.mapping.dates)
        code = reading.cell("code")
        if not code:
            reading.tell("missing", "code", "")
        elif len(code) > LONGEST["code"] or not _CODE.fullmatch(code):
            reading.tell("bad_code", "code", code)
        read_cells(reading)
        _read_place(reading)
        _read_hours(reading)
        _read_offers(reading, self.brands)
        _read_phone(reading)
        return DealerRow(
            number, code, reading.values, tuple(reading.problems), reading.cell("region")
        )


def _read_place(reading: Reading) -> None:
    if text := reading.cell("place"):
        place = place_of(text)
        if place is None:
            reading.tell("not_coordinates", "place", text)
        else:
            reading.values["lat"], reading.values["lon"] = place
        return
    given = {axis: reading.cell(axis) for axis in ("lat", "lon")}
    if not any(given.values()):
        return
    read = {axis: degrees_of(text, axis) for axis, text in given.items()}
    for axis, text in given.items():
        if read[axis] is None:
            reading.tell("not_coordinates", axis, text)
    if read == {"lat": 0.0, "lon": 0.0}:
        # Noughts are what systems write where they know nothing.
        reading.tell("not_coordinates", "lat", "0, 0")
    elif None not in read.values():
        reading.values |= {axis: round(value or 0.0, 7) for axis, value in read.items()}


def _read_hours(reading: Reading) -> None:
    if text := reading.cell("hours"):
        problem = _problem_of(text)
        better = text if problem is None else mended(text)
        if better is None:
            reading.tell("not_hours", "hours", text, why=problem)
        else:
            reading.values["hours"] = better
            if better != text:
                reading.tell("hours_mended", "hours", text, NOTE, read=better)
        return
    said = {
        day: name
        for name in reading.stated
        if name.startswith("hours.")
        for day in days_of(name.removeprefix("hours."))
    }
    week = week_hours({day: reading.cell(name) for day, name in said.items()})
    if isinstance(week, BadDay):
        reading.tell("not_day_hours", said[week.day], week.given)
    elif week and (problem := _problem_of(week)):
        reading.tell("not_hours", "hours", week, why=problem)
    elif week:
        reading.values["hours"] = week


@lru_cache(maxsize=4096)
def _problem_of(hours: str) -> str | None:
    # Dealers of a market share a few dozen of them, and reading one takes a millisecond.
    return hours_problem(hours)


def _read_offers(reading: Reading, brands: Brands) -> None:
    told = [*_offers(reading, brands)]
    found: set[Offer] = set()
    for name, offers in told:
        if isinstance(offers, BadOffer):
            by_brand = offers.code in {"unknown_brand", "no_service"} and reading.cell("brands")
            reading.tell(offers.code, "brands" if by_brand else name, offers.given)
        else:
            found |= offers
    if told:
        reading.values["competences"] = frozenset(found)


def _offers(reading: Reading, brands: Brands) -> Iterator[tuple[str, frozenset[Offer] | BadOffer]]:
    """What each column of competences says, by its field."""
    own, models = reading.cell("brands"), reading.cell("models")
    if "competences" in reading.stated:
        yield "competences", offers_of(reading.cell("competences"), brands)
    if "services" in reading.stated:
        yield "services", listed_offers(own, reading.cell("services"), models, brands)
    for name in reading.stated:
        kind, _, rest = name.partition(":")
        if kind == "offer":
            brand, _, service = rest.partition(":")
            yield name, _column_offers(reading.cell(name), brand or own, service, models, brands)


def _column_offers(
    text: str, brand: str, service: str, models: str, brands: Brands
) -> frozenset[Offer] | BadOffer:
    """Of a column of one service: a yes, a no, or the models it is offered for."""
    answer = yes_or_no(text) if text else False
    if answer is None:
        ranged = models_of(text, tuple(brands.models), brands)
        if isinstance(ranged, BadOffer):
            return BadOffer("not_yes_or_no", text)
        return listed_offers(brand, service, text, brands)
    return listed_offers(brand, service, models, brands) if answer else frozenset()


def _read_phone(reading: Reading) -> None:
    """The first number that can be dialled, as E.164; else what stood there, with a note."""
    text = reading.cell("phone")
    if not text:
        return
    country = reading.values.get("country", "")
    countries = (country,) if country else ()
    for part in (*re.split(r"[\n;,]", text), text):
        number = phone_number(whole_phone(part) or part, countries).number
        if number:
            reading.values["phone"] = number
            return
    reading.values["phone"] = " ".join(text.split())[:LONGEST_PHONE]
    reading.tell("not_a_phone", "phone", text, NOTE)
