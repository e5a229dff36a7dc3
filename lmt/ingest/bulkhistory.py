"""A call that made no lead: kept with its customer, and with what they have open."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from lmt.ingest import bulkstatements, statements
from lmt.ingest.arrival import Arrival, Brought, Hall, customer_columns
from lmt.ingest.customers import Recognised, recognise
from lmt.ingest.leadrow import LeadRow

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def keep_person(hall: Hall, new: Arrival, lead: LeadRow, brought: Brought) -> int:
    """The id of the customer that the call was with, found as a lead's is, or a new one."""
    values = lead.values | brought.columns(hall.at) | customer_columns(Recognised(), new.keys)
    customer_id, known = bulkstatements.write_person(hall.connection, values, only_newcomers=True)
    if customer_id is not None:
        return customer_id
    who = recognise(new.person, known, new.given.customer.language)
    if who.customer_id is not None and who.news and not new.given.test:
        statements.move_home(hall.connection, who.customer_id, who.news)
    values |= customer_columns(who, new.keys)
    customer_id, _known = bulkstatements.write_person(hall.connection, values, only_newcomers=False)
    assert customer_id is not None
    return customer_id


def latest_open_lead(hall: Hall, customer_id: int, lead: LeadRow) -> uuid.UUID | None:
    """The customer's open lead in the market of the row, whatever it asks for."""
    found = statements.open_leads(
        hall.connection,
        customer_id,
        lead.market.id,
        test=lead.values["test"],
        since=_LONG_AGO,
    )
    return found[0].id if found else None
