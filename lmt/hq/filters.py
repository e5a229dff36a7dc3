"""Which leads headquarters asks to see: the filters of the list, read from the address."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lmt.lifecycle import Status
from lmt.models.lead import BANDS

GROUPED_STATUSES = ("open", "overdue")
"""`open`: nothing final yet; `overdue`: offered, and the time to accept has run out."""
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

    @classmethod
    def of(cls, args: Mapping[str, str]) -> LeadFilter:
        status, band = args.get("status", ""), args.get("band", "")
        return cls(
            market=_code(args.get("market", "")),
            dealer=_code(args.get("dealer", "")),
            status=status if status in {*Status, *GROUPED_STATUSES} else "",
            band=band if band in BANDS else "",
            channel=_code(args.get("channel", "")),
            search=" ".join(args.get("search", "").replace("\0", "").split())[:LONGEST_SEARCH],
            import_id=_uuid(args.get("import", "")),
            field=_code(args.get("field", "")),
            value=" ".join(args.get("value", "").replace("\0", "").split())[:LONGEST_VALUE],
            form=(form := _code(args.get("form") or args.get("by_form", ""))),
            version=_number(args.get("version", "")) if form else "",
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
        }
        return {name: value for name, value in named.items() if value}


def pattern(text: str) -> str:
    """`text` anywhere, for LIKE with the escape sign `!`."""
    escaped = re.sub(r"([!%_])", r"!\1", text)
    return f"%{escaped}%"


def digits_of(text: str) -> str:
    """The digits of a phone number in any script as 0-9, without leading zeros; "" where
    fewer than four, which would find half of everybody."""
    digits = "".join(str(int(letter)) for letter in text if letter.isdecimal()).lstrip("0")
    return digits if len(digits) >= 4 else ""


def reference_of(text: str) -> str:
    """A reference as it is written: capitals, no blanks."""
    return text.replace(" ", "").upper()


def _code(text: str) -> str:
    return text.replace("\0", "")[:100]


def _number(text: str) -> str:
    return text if re.fullmatch(r"[1-9][0-9]{0,6}", text) else ""


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
