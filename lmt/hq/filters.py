"""Which leads headquarters asks to see: the filters of the list, read from the address."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lmt.labels import LABELS
from lmt.lifecycle import Status
from lmt.models.lead import BANDS

GROUPED_STATUSES = ("open", "overdue")
"""`open`: nothing final yet; `overdue`: offered, and the time to accept has run out."""
OWN = "own:"
"""Before the code of a market's own status, where a status of the core may stand as well."""
NOBODY = "none"
"""As the assignee: leads that nobody has taken as theirs."""
SORTS = ("newest", "oldest")
CELL_DEGREES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""How large a cell of the map may be; each lies in one of the next size."""
LONGEST_SEARCH = 100
LONGEST_VALUE = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Position:
    """The last lead of a page: the next page begins after it."""

    created_at: datetime
    lead_id: uuid.UUID

    def __str__(self) -> str:
        return f"{(self.created_at - _EPOCH) // _MICROSECOND}.{self.lead_id.hex}"


def position(text: str) -> Position | None:
    """What `str(Position)` wrote; None for anything else."""
    matched = re.fullmatch(r"(\d{1,18})\.([0-9a-f]{32})", text)
    if matched is None:
        return None
    try:
        return Position(_EPOCH + int(matched[1]) * _MICROSECOND, uuid.UUID(hex=matched[2]))
    except OverflowError:
        return None


@dataclass(frozen=True, slots=True)
class Cell:
    """A square of the map: its southern and western edge, and how many degrees it measures."""

    lat: float
    lon: float
    degrees: float

    def __str__(self) -> str:
        return f"{self.lat:g},{self.lon:g},{self.degrees:g}"


def cell(text: str) -> Cell | None:
    """What `str(Cell)` wrote; None for anything else."""
    matched = re.fullmatch(
        r"(-?\d{1,3}(?:\.\d{1,4})?),(-?\d{1,3}(?:\.\d{1,4})?),(\d(?:\.\d{1,3})?)", text
    )
    if matched is None:
        return None
    found = Cell(*(float(part) for part in matched.groups()))
    known = found.degrees in CELL_DEGREES and abs(found.lat) <= 90 and abs(found.lon) <= 180
    return found if known else None


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Codes, "" for all; what isn't a known code is dropped, never an error."""

    market: str = ""
    dealer: str = ""
    status: str = ""
    band: str = ""
    channel: str = ""
    search: str = ""
    import_id: uuid.UUID | None = None
    """Of the import that brought them."""
    field: str = ""
    value: str = ""
    """A custom field, and the answer to it; asked for only where both are given."""
    form: str = ""
    version: str = ""
    """The form that was filled in, and its number where it is one version of it."""
    request_type: str = ""
    brand: str = ""
    model: str = ""
    """Its words, as they stand in the lead."""
    source: str = ""
    campaign: str = ""
    assignee: str = ""
    """A name or mail address, or NOBODY."""
    since: date | None = None
    until: date | None = None
    """Days of arrival, both included, in the reader's zone."""
    cell: Cell | None = None
    sort: str = "newest"

    @classmethod
    def of(cls, args: Mapping[str, str]) -> LeadFilter:
        band, request_type = args.get("band", ""), args.get("type", "")
        return cls(
            market=_code(args.get("market", "")),
            dealer=_code(args.get("dealer", "")),
            status=_status(args.get("status", "")),
            band=band if band in BANDS else "",
            channel=_code(args.get("channel", "")),
            search=_words(args.get("search", ""), LONGEST_SEARCH),
            import_id=_uuid(args.get("import", "")),
            field=_code(args.get("field", "")),
            value=_words(args.get("value", ""), LONGEST_VALUE),
            form=(form := _code(args.get("form") or args.get("by_form", ""))),
            version=_number(args.get("version", "")) if form else "",
            request_type=request_type if request_type in LABELS["request_type"] else "",
            brand=_code(args.get("brand", "")),
            model=_words(args.get("model", ""), LONGEST_SEARCH),
            source=_code(args.get("source", "")),
            campaign=_code(args.get("campaign", "")),
            assignee=_words(args.get("who", ""), LONGEST_SEARCH),
            since=_day(args.get("from", "")),
            until=_day(args.get("to", "")),
            cell=cell(args.get("cell", "")),
            sort=args["sort"] if args.get("sort") in SORTS else "newest",
        )

    def address(self) -> dict[str, Any]:
        """What to put in a link to the same list."""
        named = {
            "market": self.market,
            "dealer": self.dealer,
            "status": self.status,
            "band": self.band,
            "channel": self.channel,
            "search": self.search,
            "import": "" if self.import_id is None else str(self.import_id),
            "field": self.field,
            "value": self.value,
            # Not `form`, which in the address of a file says whether it is a CSV.
            "by_form": self.form,
            "version": self.version,
            "type": self.request_type,
            "brand": self.brand,
            "model": self.model,
            "source": self.source,
            "campaign": self.campaign,
            "who": self.assignee,
            "from": self.since.isoformat() if self.since else "",
            "to": self.until.isoformat() if self.until else "",
            "cell": str(self.cell) if self.cell else "",
            "sort": "" if self.sort == "newest" else self.sort,
        }
        return {name: value for name, value in named.items() if value}

    def within(self, cell: Cell | None) -> LeadFilter:
        """The same on another part of the map."""
        return replace(self, cell=cell)

    def without_words(self) -> LeadFilter:
        """The same but for what is asked of indexes by words."""
        return replace(self, search="", field="", value="")

    def received(self, timezone: str) -> tuple[datetime | None, datetime | None]:
        """From when on, and before when, in the reader's zone."""
        zone = ZoneInfo(timezone)
        since = datetime.combine(self.since, time(), zone) if self.since else None
        after = self.until + timedelta(days=1) if self.until else None
        return since, datetime.combine(after, time(), zone) if after else None


def pattern(text: str) -> str:
    """`text` anywhere, for LIKE with the escape sign `!`."""
    escaped = re.sub(r"([!%_])", r"!\1", text)
    return f"%{escaped}%"


def _status(text: str) -> str:
    known = text in {*Status, *GROUPED_STATUSES}
    return text if known or re.fullmatch(rf"{OWN}[a-z0-9_-]{{1,60}}", text) else ""


def _words(text: str, longest: int) -> str:
    return " ".join(text.replace("\0", "").split())[:longest]


def _day(text: str) -> date | None:
    """None for no day, and for those at the ends of time that no zone can tell."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year < 2200 else None


def _code(text: str) -> str:
    return text.replace("\0", "")[:100]


def _number(text: str) -> str:
    return text if re.fullmatch(r"[1-9][0-9]{0,6}", text) else ""


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
