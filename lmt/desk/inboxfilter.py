"""Which leads somebody asks the desk for: tab, filters, search and sort, as in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lmt.labels import LABELS
from lmt.lifecycle import CLOSED, WITH_DEALER, WORKED, Status
from lmt.models.lead import BANDS
from lmt.scope import Actor
from lmt.stubs import WAYS

TABS = ("new", "due", "overdue", "mine", "all", "resting", "closed", "passed")
SORTS = ("urgency", "newest", "oldest", "name", "distance")
WIDE_SORTS = ("newest", "oldest")
"""Where a whole market or more is in sight: what an index has in order already."""
NOBODY = "none"
"""As the assignee: leads that nobody has taken as theirs."""
LONGEST = 100

_STATUSES: Mapping[str, frozenset[Status]] = {
    "new": frozenset({Status.OFFERED}),
    "due": WORKED,
    "overdue": WORKED,
    "mine": WITH_DEALER,
    "all": WITH_DEALER,
    "resting": frozenset({Status.RESTING}),
    "closed": CLOSED,
    "passed": frozenset(),
}


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Codes and words, "" for all; what isn't known is dropped, never an error."""

    tab: str = "new"
    search: str = ""
    """Asked of open and closed leads alike, whatever the tab."""
    request_type: str = ""
    model: str = ""
    dealer: str = ""
    """The code of one of the actor's dealers."""
    source: str = ""
    status: str = ""
    market_status: str = ""
    assignee: str = ""
    """The id of a user in digits, or NOBODY."""
    since: date | None = None
    until: date | None = None
    """Days of arrival, both included, in the reader's zone."""
    band: str = ""
    how: str = ""
    """How a lead that went elsewhere left."""
    sort: str = "urgency"

    @classmethod
    def of(cls, args: Mapping[str, str]) -> InboxFilter:
        """As the address or a saved view has it; an unknown tab is kept, for the page to refuse."""
        asked = cls(
            tab=args.get("tab", "new"),
            search=_words(args.get("q", "")),
            request_type=_one_of(args.get("type", ""), LABELS["request_type"]),
            model=_words(args.get("model", "")),
            dealer=_words(args.get("dealer", "")),
            source=_words(args.get("source", "")),
            status=_one_of(args.get("status", ""), WITH_DEALER | CLOSED),
            market_status=_words(args.get("mstatus", "")),
            assignee=_assignee(args.get("who", "")),
            since=_day(args.get("from", "")),
            until=_day(args.get("to", "")),
            band=_one_of(args.get("band", ""), BANDS),
            how=_one_of(args.get("how", ""), WAYS),
            sort=_one_of(args.get("sort", ""), SORTS) or "urgency",
        )
        return asked.in_tab(asked.tab)

    @property
    def place(self) -> str:
        """The tab that is shown: "" for a search, which is beside them all."""
        return "" if self.search else self.tab

    def statuses(self) -> list[Status]:
        """Among which a filter can choose here, in the order of a lead's life."""
        here = _STATUSES.get(self.tab, frozenset()) if not self.search else WITH_DEALER | CLOSED
        return [status for status in Status if status in here]

    def in_tab(self, tab: str) -> InboxFilter:
        """The same in another tab, without what no lead there can be."""
        there = replace(self, tab=tab)
        if there.status and there.status not in there.statuses():
            there = replace(there, status="")
        return there if tab == "passed" else replace(there, how="")

    def address(self) -> dict[str, Any]:
        """What to put in a link to the same list."""
        named = {
            "tab": "" if self.search else self.tab,
            "q": self.search,
            **self.filters(),
            "sort": "" if self.sort == "urgency" else self.sort,
        }
        return {name: value for name, value in named.items() if value}

    def filters(self) -> dict[str, str]:
        """What narrows the tab or the search, as in the address."""
        named = {
            "type": self.request_type,
            "model": self.model,
            "dealer": self.dealer,
            "source": self.source,
            "status": self.status,
            "mstatus": self.market_status,
            "who": self.assignee,
            "from": self.since.isoformat() if self.since else "",
            "to": self.until.isoformat() if self.until else "",
            "band": self.band,
            "how": self.how,
        }
        return {name: value for name, value in named.items() if value}

    def tab_address(self, tab: str) -> dict[str, Any]:
        """What to put in a link to another tab: the filters stay, a search ends."""
        return replace(self, search="").in_tab(tab).address()

    def without_filters(self) -> dict[str, Any]:
        kept = {"tab": self.place, "q": self.search}
        return {name: value for name, value in kept.items() if value}

    def received(self, timezone: str) -> tuple[datetime | None, datetime | None]:
        """From when on, and before when, in the reader's zone."""
        zone = ZoneInfo(timezone)
        since = datetime.combine(self.since, time(), zone) if self.since else None
        after = self.until + timedelta(days=1) if self.until else None
        return since, datetime.combine(after, time(), zone) if after else None


def sees_markets(actor: Actor) -> bool:
    """Whether the actor sees more than the leads of dealers that are named."""
    return actor.everywhere or any(part.dealer_id is None for part in actor.parts)


def sorts_for(wanted: InboxFilter, actor: Actor) -> tuple[str, ...]:
    """In which orders this list can be had, the usual one first."""
    if sees_markets(actor):
        return WIDE_SORTS
    if wanted.search:
        return tuple(sort for sort in SORTS if sort not in {"urgency", "distance"})
    # How far a customer lives no longer matters, and would be looked up for thousands of leads.
    return tuple(sort for sort in SORTS if sort != "distance" or wanted.tab != "closed")


def _words(text: str) -> str:
    return " ".join(text.split())[:LONGEST]


def _one_of(text: str, known: Any) -> str:
    return text if text in known else ""


def _assignee(text: str) -> str:
    return (
        text if text == NOBODY or (text.isascii() and text.isdecimal() and len(text) < 10) else ""
    )


def _day(text: str) -> date | None:
    """None for no day, and for those at the ends of time that no zone can tell."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year < 2200 else None
