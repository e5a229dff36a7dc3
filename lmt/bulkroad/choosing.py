"""Who gets each newcomer: decided one after the other in memory, counted in rows for all at once.

Each decision sees what the ones before it have taken. Places are taken under the dealers' locks, in
the order of their ids; where somebody else was faster, all is decided anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from lmt.bulkroad.books import Books
from lmt.bulkroad.chunk import Newcomer
from lmt.bulkroad.places import PlacesOfChunk
from lmt.bulkroad.plain import goes_plainly, is_worth_asking
from lmt.qualify.classify import Qualification
from lmt.qualify.service import qualify_by
from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.capacity import (
    NetworkMoved,
    Slots,
    loads_of_market,
    one_move_at_a_time,
    take_slots,
)
from lmt.routing.decision import Decision
from lmt.routing.directory import Stamp, directory, stamp_of
from lmt.routing.locate import Located, Unlocated
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.routing.service import put_at, stood_in
from lmt.routing.tally import Tally

log = structlog.get_logger(__name__)

ATTEMPTS = 3
"""How often a chunk is decided before its leads go one by one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A newcomer that is qualified and located, with what its decision starts from."""

    newcomer: Newcomer
    qualified: Qualification
    found: Located | Unlocated
    facts: LeadFacts
    policy: Policy


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was decided for a newcomer. Without a dealer it waits for a freed place, if it does,
    `until` then."""

    asked: Asked
    decision: Decision
    dealer: Candidate | None
    until: datetime | None
    within_caps: bool = True


def ask(
    books: Books, newcomer: Newcomer, places: PlacesOfChunk, *, asks_outside: bool
) -> Asked | None:
    """Qualify and locate the lead, and gather its facts; None where it has to take the single road
    after all."""
    found = places.place_of(newcomer.lead)
    if asks_outside and is_worth_asking(newcomer, found):
        return None
    lead = newcomer.lead
    qualified = qualify_by(lead, books.rules)
    put_at(lead, found)
    facts = books.facts(newcomer)
    policy = books.book.policy_for(facts)
    return Asked(newcomer, qualified, found, facts, policy) if goes_plainly(policy) else None


def choose(
    session: Session, market_id: int, asked: Sequence[Asked], at: datetime
) -> list[Chosen] | None:
    """Decide for leads of a market in their order, and count them with their dealers; None, and
    nothing is counted, where others were in the way each time."""
    for _ in range(ATTEMPTS):
        stamp = stamp_of(session)
        network = directory.network(session, market_id, at, stamp)
        chosen = _decided(session, network, market_id, asked, at)
        # Only now, so that nobody waits while we think.
        one_move_at_a_time(session, market_id)
        if _is_taken(session, chosen, at, stamp):
            return chosen
        log.info("bulkroad.decides_anew", market=market_id, leads=len(asked))
    return None


def _decided(
    session: Session, network: Network, market_id: int, asked: Sequence[Asked], at: datetime
) -> list[Chosen]:
    tally = Tally(at, loads_of_market(session, network, market_id, at))
    tally.among(network.by_id)
    loaded = network.with_load(tally)
    return [_choice(loaded, each, tally, at) for each in asked]


def _choice(network: Network, asked: Asked, tally: Tally, at: datetime) -> Chosen:
    decision = decide_nearest(network, asked.facts, asked.policy, at)
    if decision.chosen is not None:
        dealer = network.by_code(decision.chosen)
        assert dealer is not None
        tally.take(dealer, at)
        return Chosen(asked, decision, dealer, None)
    lead = asked.newcomer.lead
    decision, team, until = stood_in(network, decision, asked.policy, lead, at)
    if team is not None:
        tally.take(team, at)
    return Chosen(asked, decision, team, until, within_caps=False)


def _is_taken(session: Session, chosen: Sequence[Chosen], at: datetime, stamp: Stamp) -> bool:
    """Count the leads with their dealers; False, and nothing is counted nor locked, where a cap
    would be overfilled or dealers were edited."""
    dealers = {each.dealer.id: each.dealer for each in chosen if each.dealer is not None}
    numbers = Counter(each.dealer.id for each in chosen if each.dealer is not None)
    capped = {each.dealer.id for each in chosen if each.dealer is not None and each.within_caps}
    wanted = [Slots(dealers[id], number, id in capped) for id, number in numbers.items()]
    if not wanted:
        return True
    savepoint = session.begin_nested()
    try:
        taken = take_slots(session, wanted, at, version=stamp.version)
    except NetworkMoved:
        taken = False
    if taken:
        savepoint.commit()
    else:
        savepoint.rollback()
    return taken
