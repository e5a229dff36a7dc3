"""The do-not-contact lists and a file: whom it may not approach, and who asks to be left alone."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from lmt.donotcontact import canonical_email, note_refusals
from lmt.ingest import bulkstatements
from lmt.ingest.arrival import Hall
from lmt.ingest.books import Books
from lmt.ingest.bulkrow import BulkRow
from lmt.ingest.bulkstatements import Way
from lmt.ingest.leadrow import LeadRow

ORIGIN = "list"


def on_lists(hall: Hall, books: Books, rows: Sequence[BulkRow]) -> set[int]:
    """The places of rows whose person may not be approached in any way they gave, where the
    source's people didn't ask. What an earlier row of the chunk says of them counts."""
    source = hall.source
    if not source.solicited:
        return set()
    ways = []
    for row in rows:
        given = row.arrival.given
        market = books.market(given.address.country, source.market_id)
        phone = given.customer.phone if given.reachable else ""
        ways.append(_ways(given.customer.email, phone, market.id))
    asked = {way for each in ways for way in each}
    listed = bulkstatements.listed_ways(hall.connection, asked) if asked else set()
    found: set[int] = set()
    for place, row in enumerate(rows):
        theirs = ways[place]
        if row.action == "suppress":
            listed |= _listable(theirs)
        elif row.action == "route" and theirs and all(_is_on(way, listed) for way in theirs):
            found.add(place)
    return found


def put_on_lists(
    hall: Hall, leads: Sequence[LeadRow], *, wanted_after: Collection[uuid.UUID] = ()
) -> None:
    """Nobody calls or writes to these people again, in the market of each. What imports brought of
    them is left alone, but for the leads of those who were `wanted_after` they said no."""
    ways: set[Way] = set()
    for lead in leads:
        ways |= _listable(ways_of(lead))
    if ways:
        bulkstatements.list_ways(hall.connection, ways, origin=ORIGIN, at=hall.at)
        note_refusals(hall.session, ways, origin=ORIGIN, at=hall.at, but=wanted_after)


def ways_of(lead: LeadRow) -> set[Way]:
    """The phone and the mail of a row, with its market."""
    return _ways(lead.values["email"], lead.values["phone"], lead.market.id)


def _ways(email: str, phone: str, market_id: int) -> set[Way]:
    ways: set[Way] = set()
    if phone:
        ways.add(("phone", phone, market_id))
    if email:
        ways.add(("email", canonical_email(email), market_id))
    return ways


def _listable(ways: set[Way]) -> set[Way]:
    """Without what is no number: it would stop nobody, or somebody else."""
    return {way for way in ways if way[0] != "phone" or way[1].startswith("+")}


def _is_on(way: Way, listed: set[Way]) -> bool:
    kind, value, _market = way
    return way in listed or (kind, value, None) in listed
