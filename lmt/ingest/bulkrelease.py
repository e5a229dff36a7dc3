"""The release of a chunk's leads, market by market, one after those that others released."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lmt.ingest import bulkstatements
from lmt.ingest.arrival import Hall
from lmt.ingest.leadrow import LeadRow
from lmt.ingest.release import release_instants
from lmt.routing.facts import policy_book_of


@dataclass(slots=True)
class Releases:
    """When the next lead of each market that sets a rate may set off; at once in any other."""

    hall: Hall
    instants: dict[int, list[datetime]] = field(default_factory=dict)
    released: Counter[int] = field(default_factory=Counter)

    @classmethod
    def held(cls, hall: Hall, leads: Sequence[LeadRow]) -> Releases:
        """For leads like these, as far as they turn out to be new ones. The rate is that of the
        market's policy itself: which case of it a lead goes by is not known yet."""
        counts = Counter(lead.market.id for lead in leads if not lead.values["test"])
        rates = {
            market_id: policy_book_of(hall.session, market_id, hall.at)[1].base.release_per_hour
            for market_id in counts
        }
        paced = {market_id: rate for market_id, rate in rates.items() if rate is not None}
        if not paced:
            return cls(hall)
        cursors = bulkstatements.hold_releases(hall.connection, paced, hall.at)
        return cls(
            hall,
            {
                # One more than there are: it is the next one's.
                market: release_instants(cursors[market], hall.at, rate, counts[market] + 1)
                for market, rate in paced.items()
            },
        )

    def next(self, lead: LeadRow) -> datetime | None:
        """When this lead may set off, if it is a new one; None for at once."""
        instants = self.instants.get(lead.market.id)
        if instants is None or lead.values["test"]:
            return None
        return instants[self.released[lead.market.id]]

    def taken(self, lead: LeadRow) -> datetime | None:
        """The same, and it is one."""
        instant = self.next(lead)
        if instant is not None:
            self.released[lead.market.id] += 1
        return instant

    def keep(self) -> None:
        """Those who come later come after ours."""
        if self.released:
            cursors = {market: self.instants[market][n] for market, n in self.released.items()}
            bulkstatements.move_releases(self.hall.connection, cursors)
