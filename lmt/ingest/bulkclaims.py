"""Which rows of a chunk are deliveries of their own: claimed together, as `accept` claims one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lmt.ingest import bulkstatements
from lmt.ingest.accept import SAME_BODY_FOR, changed_key, delivery_key
from lmt.ingest.arrival import Hall
from lmt.ingest.bulkrow import BulkRow
from lmt.ingest.bulkstatements import KeyClaim


@dataclass(frozen=True, slots=True)
class Standing:
    """How a row stands to what its sender brought before: `new`; `changed`, the sender's id with
    another body; or `repeated`, the same delivery as an earlier one.

    `key` is the one it is known by, `first_key` that of the sender's id alone. `like` is the place
    of the earlier row that it repeats, if that is in this chunk, else `lead_id` what came of it.
    """

    kind: Literal["new", "changed", "repeated"]
    key: str
    first_key: str
    like: int | None = None
    lead_id: uuid.UUID | None = None


def standings(hall: Hall, rows: Mapping[int, BulkRow]) -> dict[int, Standing]:
    """How each row (by its place in the chunk) stands. What is new or changed is claimed for us.

    All keys are claimed before anybody's people are, or a live delivery that holds the one and
    waits for the other would wait for us, and we for it.
    """
    keys = {place: delivery_key(row.key, row.body_hash) for place, row in rows.items()}
    ids = _claimed(hall, rows, keys)
    found: dict[int, Standing] = {}
    changed: dict[int, str] = {}
    before: dict[int, uuid.UUID | None] = {}
    for place, row in rows.items():
        key = keys[place]
        known = ids[key]
        if known.first == place:
            found[place] = Standing("new", key, key)
        elif known.body_hash == row.body_hash:
            found[place] = Standing("repeated", key, key, known.first, known.lead_id)
        else:
            changed[place] = changed_key(key, row.body_hash)
            before[place] = known.lead_id
    bodies = _claimed(hall, rows, changed) if changed else {}
    for place, key in changed.items():
        known = bodies[key]
        if known.first == place:
            found[place] = Standing("changed", key, keys[place], lead_id=before[place])
        else:
            found[place] = Standing("repeated", key, keys[place], known.first, known.lead_id)
    return found


@dataclass(frozen=True, slots=True)
class _First:
    """Who holds a key: the first row of this chunk that has it, or an earlier delivery."""

    body_hash: bytes
    first: int | None = None
    lead_id: uuid.UUID | None = None


def _claimed(hall: Hall, rows: Mapping[int, BulkRow], keys: Mapping[int, str]) -> dict[str, _First]:
    firsts: dict[str, int] = {}
    for place, key in keys.items():
        firsts.setdefault(key, place)
    ours = bulkstatements.claim_keys(
        hall.connection,
        [_claim(key, rows[place]) for key, place in firsts.items()],
        source_id=hall.source.id,
        intake_id=hall.intake_id,
        at=hall.at,
        forgotten_before=hall.at - SAME_BODY_FOR,
    )
    found = {key: _First(rows[firsts[key]].body_hash, firsts[key]) for key in ours}
    others = [key for key in firsts if key not in ours]
    if others:
        taken = bulkstatements.taken_keys(hall.connection, hall.source.id, others)
        for key in others:
            body_hash, lead_ids = taken[key]
            found[key] = _First(body_hash, None, _one(lead_ids))
    return found


def _claim(key: str, row: BulkRow) -> KeyClaim:
    return KeyClaim(key, row.body_hash, row.arrival.id if row.action == "route" else None)


def _one(lead_ids: Sequence[uuid.UUID]) -> uuid.UUID | None:
    return lead_ids[0] if lead_ids else None
