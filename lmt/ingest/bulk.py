"""Stage 1 for a file: many rows become leads at once, and mean what `accept` means for each, but
for what a sender's number says once its lead is closed.

Nearly every row of a file brings somebody new; those are written table by table. Who is a customer
we know, or one of an earlier row, is taken in one by one, as a live delivery is.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from lmt.ingest import bulkstatements, statements
from lmt.ingest.accept import SourceChanged
from lmt.ingest.arrival import Brought, Hall, once_more, take
from lmt.ingest.books import Books, books
from lmt.ingest.bulkclaims import Standing, standings
from lmt.ingest.bulkhistory import keep_person, latest_open_lead
from lmt.ingest.bulklists import on_lists, put_on_lists, ways_of
from lmt.ingest.bulkpeople import Crowd
from lmt.ingest.bulkrelease import Releases
from lmt.ingest.bulkrow import Action, BulkCall, BulkResult, BulkRow, Outcome
from lmt.ingest.bulksheets import Sheets
from lmt.ingest.customers import Recognised
from lmt.ingest.leadrow import LeadRow, lead_of
from lmt.lifecycle import OPEN, Status
from lmt.models import ImportRun, Source
from lmt.scope import as_system

__all__ = ["Action", "BulkCall", "BulkResult", "BulkRow", "Outcome", "accept_rows"]

_EVER = "-infinity"


def accept_rows(
    session: Session, run: ImportRun, source: Source, rows: Sequence[BulkRow], at: datetime
) -> list[BulkResult]:
    """What became of each row, in their order; at most a few hundred at a time.

    Commits nothing and counts nothing: whoever calls does both in this transaction. Raises
    SourceChanged, before anything is written, where the rows were read by what no longer holds.
    """
    if not rows:
        return []
    assert run.intake_id is not None
    with as_system(session):
        connection = statements.connection_of(session)
        known = books(session, statements.stamp_of(connection))
        if not known.holds(source):
            raise SourceChanged
        hall = Hall(session, connection, source, run.intake_id, at)
        chunk = _Chunk(hall, known, run.id, rows)
        return chunk.accepted()


@dataclass(slots=True)
class _Chunk:
    """Rows by their place in the chunk, and what becomes of them."""

    hall: Hall
    books: Books
    import_id: uuid.UUID
    rows: Sequence[BulkRow]
    standing: dict[int, Standing] = field(default_factory=dict)
    leads: dict[int, LeadRow] = field(default_factory=dict)
    customers: dict[int, int] = field(default_factory=dict)
    """Ids kept for those who turn out to be new, growing with the rows: who came first counts
    where two could be meant."""
    found: dict[int, BulkResult] = field(default_factory=dict)

    def accepted(self) -> list[BulkResult]:
        listed = on_lists(self.hall, self.books, self.rows)
        for place in listed:
            self._tell(place, "suppressed")
        rest = {place: row for place, row in enumerate(self.rows) if place not in listed}
        self.standing = standings(self.hall, rest) if rest else {}
        mine = [place for place in rest if self.standing[place].kind != "repeated"]
        if mine:
            self._take_in(mine)
        for place in rest:
            self._repeat(place)
        return [self.found[place] for place in range(len(self.rows))]

    def _take_in(self, mine: Sequence[int]) -> None:
        """Write what is no repeat: newcomers first and all at once, then the others in order.

        None of the newcomers is anybody whom an earlier row could have met, so writing them first
        is the same as writing them in their turn.
        """
        hall, sheets = self.hall, Sheets(self.hall, self.import_id)
        for place in mine:
            given = self.rows[place].arrival.given
            self.leads[place] = lead_of(
                hall.session, hall.source, self.books, given, hall.at, hall.picks
            )
        newcomers, others = self._parted(mine)
        routed = [place for place in mine if self.rows[place].action == "route"]
        releases = Releases.held(hall, [self.leads[place] for place in routed])
        self._write_newcomers(newcomers, sheets, releases)
        self._take_one_by_one(others, sheets, releases)
        sheets.write_history()
        releases.keep()
        unwanted = [place for place in mine if self.rows[place].action == "suppress"]
        if unwanted:
            wanted_after = self._wanted_after(unwanted, routed)
            put_on_lists(hall, [self.leads[place] for place in unwanted], wanted_after=wanted_after)
        if routed:
            bulkstatements.wake_worker(hall.connection)

    def _parted(self, mine: Sequence[int]) -> tuple[dict[int, Recognised], list[int]]:
        """The rows of newcomers, with whom they might be besides, and the others; from here on
        nobody else brings any of their people until we have committed."""
        connection = self.hall.connection
        people = {key for place in mine for key in self.rows[place].arrival.keys}
        statements.hold_people(connection, people)
        named = bulkstatements.customers_named(connection, people)
        known = {customer for customers in named.values() for customer in customers}
        crowd = Crowd(named, bulkstatements.customer_rows(connection, known) if known else {})
        ids = bulkstatements.new_customer_ids(connection, len(mine))
        self.customers = dict(zip(mine, ids, strict=True))
        newcomers: dict[int, Recognised] = {}
        others: list[int] = []
        for place in mine:
            new = self.rows[place].arrival
            if self.standing[place].kind == "changed":
                crowd.meets(new)
                others.append(place)
            elif who := crowd.newcomer(new, self.leads[place], self.customers[place]):
                newcomers[place] = who
            else:
                others.append(place)
        if others:
            first = {self.standing[place].lead_id for place in others} - {None}
            bulkstatements.lock_known(connection, crowd.met & known, first)
        return newcomers, others

    def _write_newcomers(
        self, newcomers: Mapping[int, Recognised], sheets: Sheets, releases: Releases
    ) -> None:
        wanted = sum(self.rows[place].action == "route" for place in newcomers)
        references = iter(bulkstatements.new_references(self.hall.connection, wanted))
        for place, who in newcomers.items():
            row, values = self.rows[place], self.leads[place].values
            customer_id = self.customers[place]
            sheets.add_newcomer(row.arrival, customer_id, values, who)
            lead_id = None
            if row.action == "route":
                lead_id = row.arrival.id
                brought = self._brought(place, releases.taken(self.leads[place]))
                sheets.add_lead(row.arrival, next(references), customer_id, values, brought)
            sheets.add_call(row, customer_id, lead_id)
            self._tell_kept(place, lead_id)
        sheets.write_newcomers()

    def _take_one_by_one(self, others: Sequence[int], sheets: Sheets, releases: Releases) -> None:
        routed = [place for place in others if self.rows[place].action == "route"]
        for place in others:
            if self.rows[place].action == "route":
                self._take_one(place, releases)
            else:
                self._keep_one(place, sheets)
        called = {place: self.found[place].lead_id for place in routed if self.rows[place].call}
        owners = bulkstatements.owners(self.hall.connection, called.values()) if called else {}
        for place, lead_id in called.items():
            if lead_id is not None:
                sheets.add_call(self.rows[place], owners[lead_id], lead_id)

    def _take_one(self, place: int, releases: Releases) -> None:
        hall, row, standing = self.hall, self.rows[place], self.standing[place]
        brought = self._brought(place, releases.next(self.leads[place]))
        first = None
        if standing.kind == "changed":
            first = statements.earlier(hall.connection, hall.source.id, standing.first_key, _EVER)
        if first is not None and first.leads and Status(first.leads[0].status) in OPEN:
            told = once_more(hall, self.books, first.leads[0], row.arrival, brought)
        else:
            # A list's number names the person for years: what they say once their lead is closed
            # is another request, not a correction of the old one.
            told = take(hall, self.books, row.arrival, brought)
        if told.id == row.arrival.id:
            releases.taken(self.leads[place])
            self._tell(place, "accepted", told.id)
            return
        statements.point_key(hall.connection, hall.source.id, standing.key, [told.id])
        self._tell(place, "asked_again", told.id)

    def _wanted_after(self, unwanted: Sequence[int], routed: Sequence[int]) -> set[uuid.UUID]:
        """Leads of people who said yes further down than they said no: what comes last counts."""
        last = {way: place for place in unwanted for way in ways_of(self.leads[place])}
        found = set()
        for place in routed:
            lead_id = self.found[place].lead_id
            refused = [last[way] for way in ways_of(self.leads[place]) if way in last]
            if lead_id is not None and refused and place > max(refused):
                found.add(lead_id)
        return found

    def _keep_one(self, place: int, sheets: Sheets) -> None:
        row, lead = self.rows[place], self.leads[place]
        brought = self._brought(place, None)
        customer_id = keep_person(self.hall, row.arrival, lead, brought)
        lead_id = latest_open_lead(self.hall, customer_id, lead)
        sheets.add_call(row, customer_id, lead_id)
        self._tell_kept(place, lead_id)

    def _brought(self, place: int, next_action_at: datetime | None) -> Brought:
        row = self.rows[place]
        call = row.call
        return Brought(
            self.import_id,
            row.number,
            self.customers[place],
            next_action_at,
            call.back_at if call else None,
            call.spoken_at if call else None,
        )

    def _repeat(self, place: int) -> None:
        """The same delivery as an earlier one: the lead that came of that."""
        standing = self.standing[place]
        if standing.kind != "repeated":
            return
        lead_id, like = standing.lead_id, standing.like
        if like is not None and self.rows[like].action == "route":
            lead_id = self.found[like].lead_id
        self._tell(place, "repeated", lead_id)

    def _tell_kept(self, place: int, lead_id: uuid.UUID | None) -> None:
        action = self.rows[place].action
        outcomes: dict[Action, Outcome] = {"route": "accepted", "suppress": "suppressed"}
        self._tell(place, outcomes.get(action, "history"), lead_id)

    def _tell(self, place: int, outcome: Outcome, lead_id: uuid.UUID | None = None) -> None:
        self.found[place] = BulkResult(self.rows[place].number, outcome, lead_id)
