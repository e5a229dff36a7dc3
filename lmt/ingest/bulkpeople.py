"""Who is new among a chunk's rows: looked up together, and judged as live intake judges one.

A name that many bear in one city leads to customers who are somebody else; their row is a
newcomer's all the same, with a question to people. Only who surely is somebody we know, and whoever
could meet what such a row changes, is taken in one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lmt.ingest.arrival import Arrival
from lmt.ingest.bulkstatements import SOME_OF_MANY, Key
from lmt.ingest.customers import Recognised, recognise
from lmt.ingest.leadrow import LeadRow


class Newcomer(NamedTuple):
    """A customer's row as it will be, and the keys that lead to it."""

    id: int
    full_name: str
    company: str
    language: str
    country: str
    postcode: str
    city: str
    street: str
    keys: Sequence[Key]


@dataclass(slots=True)
class Crowd:
    """The customers whom the chunk's rows may be, those of its earlier rows included."""

    named: dict[Key, list[int]]
    """The customers that a key leads to, the latest last."""
    customers: dict[int, Any]
    """Their rows, and which keys lead to each, by id."""
    changing: set[Key] = field(default_factory=set)
    """Keys of rows that are taken in one by one: where they will lead isn't known yet."""
    met: set[int] = field(default_factory=set)
    """Customers whom these rows may change."""

    def newcomer(self, new: Arrival, lead: LeadRow, customer_id: int) -> Recognised | None:
        """Whom a newcomer might be besides; None for a row that has to be taken in by itself.

        Asked in the order of the rows.
        """
        ids = self._candidates(new)
        if not self.changing.isdisjoint(new.keys) or not self.met.isdisjoint(ids):
            self.meets(new)
            return None
        rows = [self.customers[id] for id in ids if id in self.customers]
        who = recognise(new.person, rows, new.given.customer.language) if rows else Recognised()
        if who.customer_id is not None:
            self.meets(new)
            return None
        values = lead.values
        self.customers[customer_id] = Newcomer(
            customer_id,
            values["full_name"],
            values["company"],
            values["spoken"],
            values["country"],
            values["postcode"],
            values["city"],
            values["street"],
            new.keys,
        )
        for key in new.keys:
            self.named.setdefault(key, []).append(customer_id)
        return who

    def meets(self, new: Arrival) -> None:
        """The row is taken in by itself: what it meets may be other than it was."""
        self.changing.update(new.keys)
        self.met.update(self._candidates(new))

    def _candidates(self, new: Arrival) -> set[int]:
        named = self.named
        return {id for key in new.keys if key in named for id in named[key][-SOME_OF_MANY:]}
