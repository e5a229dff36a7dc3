"""Files as call centres send them, made up: seeded, written in a stream, of any size.

One row in twenty repeats an earlier one to the letter, one in fifty reaches nobody. Who makes a
file is told what must become of its rows.
"""

from __future__ import annotations

import csv
import os
import random
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

ROWS = int(os.environ.get("LMT_IMPORT_ROWS", "8000"))
REPEATED, BAD = 0.05, 0.02


@dataclass(frozen=True)
class Style:
    """How one call centre writes its files."""

    name: str
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    dates: str
    firsts: tuple[str, ...]
    endings: tuple[str, ...]


POLISH = (
    "Łucja",
    "Bożena",
    "Jan",
    "Światosław",
    "Paweł",
    "Zofia",
    "Michał",
    "Róża",
    "Ewa",
    "Jędrzej",
)
LATIN = ("Anna", "Jürgen", "François", "Zoë", "Peter", "Núria", "Björn", "Chloé", "Marc", "Irène")
TURKISH = ("Ayşe", "Çağrı", "Gökhan", "İpek", "Şule", "Mehmet", "Özgür", "Yağmur", "Işıl")
_SYLLABLES = ("ba", "ko", "mi", "ra", "to", "le", "wa", "ni", "su", "de", "ga", "po", "zu", "ha",
              "fe", "lo", "cy", "mar", "tel", "bor", "kan", "dor", "wis", "jul", "pen")  # fmt: skip
_ENGLISH = ("First name", "Last name", "Phone", "Email", "Postcode", "City", "Model", "Call result",
            "Call date", "Call back at", "Agent", "Remarks")  # fmt: skip
_POLISH_HEADER = ("Imię", "Nazwisko", "Telefon", "E-mail", "Kod pocztowy", "Miasto", "Model",
                  "Wynik rozmowy", "Data rozmowy", "Oddzwonić", "Agent", "Uwagi")  # fmt: skip

STYLES = (
    Style("plain", "utf-8", ",", _ENGLISH, "%Y-%m-%d %H:%M", POLISH,
          ("ski", "wicz", "ek", "cki")),
    Style("excel", "utf-8-sig", ";", _POLISH_HEADER, "%d.%m.%Y %H:%M", POLISH,
          ("ński", "wicz", "ąk", "ołek")),
    Style("unicode", "utf-16", "\t", _ENGLISH, "%d/%m/%Y %H:%M", TURKISH,
          ("oğlu", "can", "yıldız", "taş")),
    Style("windows", "cp1250", ";", _POLISH_HEADER, "%d.%m.%Y %H:%M", POLISH,
          ("ński", "wicz", "ąk", "ołek")),
    Style("western", "cp1252", "|", _ENGLISH, "%d-%m-%Y %H:%M", LATIN,
          ("mann", "ère", "sson", "é")),
)  # fmt: skip
"""Five encodings, four delimiters, four ways to write a date."""

#: What the agent noted → (what becomes of the row, how many in a hundred).
_RESULTS = {
    "": ("accepted", 30), "Interested": ("accepted", 44), "Call back": ("accepted", 12),
    "No answer": ("history", 8), "Not interested": ("history", 4), "Do not call": ("suppressed", 2),
}  # fmt: skip
_CITIES = ("Warszawa", "Łódź", "Kraków")
_PLAIN_CITIES = ("Warszawa", "Lodz", "Warsaw")
_FIRST_CALL = datetime(2026, 2, 2, 9, 0)
_REMEMBERED = 2_000


@dataclass(frozen=True)
class Made:
    """A file, and what must become of its rows."""

    path: Path
    style: Style
    expected: Counter[str]

    @property
    def rows(self) -> int:
        return self.expected.total()


def import_files(folder: Path, rows: int = ROWS, seed: int = 5) -> list[Made]:
    """One file in each style, `rows` in all; nobody is in two of them."""
    each = rows // len(STYLES)
    sizes = [each + (n < rows % len(STYLES)) for n in range(len(STYLES))]
    first = 0
    made = []
    for style, size in zip(STYLES, sizes, strict=True):
        made.append(import_file(folder, style, size, first=first, seed=seed))
        first += size
    return made


def import_file(folder: Path, style: Style, rows: int, *, first: int = 0, seed: int = 5) -> Made:
    """One file; its people are numbered from `first`, so that files can be told apart."""
    expected: Counter[str] = Counter()
    path = folder / f"{style.name}.csv"
    with path.open("w", encoding=style.encoding, newline="") as file:
        writer = csv.writer(file, delimiter=style.delimiter)
        writer.writerow(style.header)
        for cells, outcome in _rows(style, rows, first, random.Random(f"{seed}{style.name}")):
            writer.writerow(cells)
            expected[outcome] += 1
    return Made(path, style, expected)


def _rows(
    style: Style, rows: int, first: int, chance: random.Random
) -> Iterator[tuple[list[str], str]]:
    results = [(said, outcome) for said, (outcome, share) in _RESULTS.items() for _ in range(share)]
    earlier: deque[list[str]] = deque(maxlen=_REMEMBERED)
    for number in range(first, first + rows):
        kind = chance.random()
        if kind < REPEATED and earlier:
            yield earlier[chance.randrange(len(earlier))], "repeated"
            continue
        said, outcome = results[chance.randrange(len(results))]
        cells = _person(style, number, said, chance)
        if kind > 1 - BAD:
            cells[2], cells[3] = chance.choice((("", ""), ("unknown", "n/a"), ("0", "none@")))
            outcome = "failed"
        elif outcome == "accepted":
            earlier.append(cells)
        yield cells, outcome


def _person(style: Style, number: int, said: str, chance: random.Random) -> list[str]:
    first = chance.choice(style.firsts)
    last = "".join(chance.choices(_SYLLABLES, k=3)).title() + chance.choice(style.endings)
    called = _FIRST_CALL + timedelta(minutes=chance.randrange(30 * 24 * 60))
    back = called + timedelta(days=chance.randrange(40, 60)) if said == "Call back" else None
    cities = _PLAIN_CITIES if style.encoding == "cp1252" else _CITIES
    return [
        first,
        last,
        f"+48 60{number // 100_000:02d} {number % 100_000:05d}",
        f"p{number}@mail.example",
        f"0{chance.randrange(10)}-{chance.randrange(1000):03d}",
        chance.choice(cities),
        "Mira",
        said,
        called.strftime(style.dates) if said else "",
        back.strftime(style.dates) if back else "",
        f"Agent {chance.randrange(20)}" if said else "",
        chance.choice(("", "", "asked for the price", "prefers the evening, after 18:00")),
    ]
