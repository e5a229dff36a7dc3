"""Pure: what one lead adds to the figures of reports. docs/reports.md has this as a table.

Whom it counts for: a lead counts once, on the row of the dealer that has it (0: nobody); `offers*`
count on the row of each dealer that was offered it. Tests, and leads withdrawn as suppressed, as
undone by their import, or as joined back to the lead they came from, count nowhere.

- leads: 1. valid: not lost for wrong data, not withdrawn as no lead or a duplicate, and no dealer's
  verdict of wrong data stands. won, withdrawn: by the status now; open, queued, lost: the same, of
  leads that no sale of a file was matched to.
- waiting: the customer waits for us: they asked, or were approached and then called or reached.
  They wait since they asked, else since the first call or contact. `response`: from then to the
  contact. reached_N: within N minutes and not within the bucket before; reached_later: after a day;
  unreached: waiting, not contacted; overdue_N: of these, for N minutes or longer.
- offered, accepted, contacted: the lead has these instants. proven: contacted, and the system saw
  it: a reply was written in it, the customer answered the question after the visit, or an
  appointment that they booked themselves took place.
- appointment: a test drive or visit was planned and not called off; visited: it took place. A plan
  that ended before its hour because the lead ended or moved on did not take place.
- plans: those not called off that were done, or are more than a day overdue; plans_kept: done at
  most a day after their hour. Plans that ended with the lead before their hour count as neither.
- matched: a sale of a file was matched to it. sold: won or matched. sold_elsewhere: the file names
  another dealer than the lead's. value: of the won lead, else of the sale, in the currency of the
  market; what is told in another counts 0. `sale`: from the lead to the sale (noon of the file's
  day on the market's wall), never negative. `handling`: to the end of a won or lost lead.
- `take`: from the moment the offer's clock began (it was made, where it never began) to the
  acceptance, of the holder's offer; none where nobody was asked: the market assigns, or the lead
  was taken over as it was. `work_take`: the same in the dealer's working time. `work_response`:
  working time from the holder's offer to a contact after it. Both by the calendar known when the
  offer was made.
- asked_again: 1 where the customer asked for the same again, inquiries: how often. rerouted: 1
  where several dealers were offered it; reroutes: offers to another dealer than the one before.
  closed: won or lost; closed_by_first: by the dealer of the first offer.
- promised: the promised instant has passed, or they were contacted; promise_kept: by then.
- answers, score: the customer's answers and their points. verdicts: by any dealer; confirmed: those
  of `confirmed`, `partly`, `more`. placed, metres: the distance of the holder's offer is known.
- offers: made to the dealer; offers_accepted, _declined, _expired, _withdrawn: as they stand now.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from lmt.lifecycle import OPEN, QUEUES, Status
from lmt.reports.factrow import COLUMNS, Fact, values_of
from lmt.reports.histories import History, LeadRow, OfferRow, PlanRow, holding_offer
from lmt.workhours import Calendar, working_minutes_between

__all__ = ("COLUMNS", "Fact", "History", "facts_of", "is_counted", "values_of")

NO_LEADS = frozenset({"test", "suppressed", "import_undone", "joined_back"})
"""Causes of a withdrawal by which there never was a lead."""
NOT_VALID = frozenset({"no_lead", "duplicate"})
CONFIRMING = frozenset({"confirmed", "partly", "more"})
REACHED = (5, 15, 30, 60, 240, 1440)
OVERDUE = (15, 60, 240, 1440)
GRACE = timedelta(hours=24)
"""How late a planned action may be done and still be kept."""
NOBODY = 0
MOST_SECONDS = 2**31 - 1
_ONE_SECOND = timedelta(seconds=1)
_STATES = frozenset({"accepted", "declined", "expired", "withdrawn"})


_zone = lru_cache(maxsize=None)(ZoneInfo)


def is_counted(lead: LeadRow) -> bool:
    """Whether reports count the lead at all."""
    return not lead.test and not (lead.status == Status.WITHDRAWN and lead.cause in NO_LEADS)


def facts_of(history: History, at: datetime) -> tuple[Fact, ...]:
    """The rows of one lead as of `at`, by dealer id; none of a lead that doesn't count."""
    lead = history.lead
    if not is_counted(lead):
        return ()
    holder = lead.dealer_id or NOBODY
    facts = {holder: _row(history, holder)}
    for offer in history.offers:
        fact = facts.get(offer.dealer_id)
        if fact is None:
            fact = facts[offer.dealer_id] = _row(history, offer.dealer_id)
            # What became of it elsewhere is no business of a dealer that has it no more.
            fact.owner_id, fact.status, fact.cause, fact.verdict = None, "", "", ""
        fact.offers += 1
        if offer.state in _STATES:
            name = f"offers_{offer.state}"
            setattr(fact, name, getattr(fact, name) + 1)
    own = facts[holder]
    _count_steps(own, history)
    _count_waiting(own, lead, at)
    _count_plans(own, history, at)
    _count_offers(own, history)
    _count_sale(own, history)
    _count_words(own, history)
    own.settles_at = _settles_at(history, at)
    return tuple(facts[dealer_id] for dealer_id in sorted(facts))


def _row(history: History, dealer_id: int) -> Fact:
    lead = history.lead
    wall = lead.created_at.astimezone(_zone(lead.timezone))
    day = wall.date()
    latest = max(history.verdicts, key=lambda each: each.at, default=None)
    return Fact(
        lead_id=lead.id,
        dealer_id=dealer_id,
        market_id=lead.market_id,
        day=day,
        month=day.replace(day=1),
        settles_at=None,
        owner_id=lead.owner_id,
        source_id=lead.source_id,
        channel=lead.channel,
        campaign_id=lead.campaign_id,
        brand_id=lead.brand_id,
        model=lead.model,
        request_type=lead.request_type,
        service=lead.service,
        band=lead.band,
        customer_kind=lead.customer_kind,
        language=lead.language,
        country=lead.country,
        region=lead.region,
        status=str(lead.status),
        cause=lead.cause,
        verdict=latest.verdict if latest is not None else "",
        hour=wall.weekday() * 24 + wall.hour,
        lat_tenth=None if lead.lat is None else math.floor(lead.lat * 10),
        lon_tenth=None if lead.lon is None else math.floor(lead.lon * 10),
    )


def _count_steps(fact: Fact, history: History) -> None:
    lead = history.lead
    fact.leads = 1
    withdrawn = lead.status == Status.WITHDRAWN
    lost = lead.status == Status.LOST
    spoilt = (lost and lead.cause == "bad_data") or (withdrawn and lead.cause in NOT_VALID)
    fact.valid = int(not spoilt and all(each.verdict != "bad_data" for each in history.verdicts))
    # A sale that a file tells is an outcome, whatever the dealer says or doesn't say of it.
    told_sold = history.sale is not None
    fact.open = int(lead.status in OPEN and not told_sold)
    fact.queued = int(lead.status in QUEUES and not told_sold)
    fact.offered = int(lead.offered_at is not None)
    fact.accepted = int(lead.accepted_at is not None)
    fact.contacted = int(lead.contacted_at is not None)
    fact.won = int(lead.status == Status.WON)
    fact.lost, fact.withdrawn = int(lost and not told_sold), int(withdrawn)
    fact.asked_again, fact.inquiries = int(lead.asked_again > 0), lead.asked_again
    if fact.won or lost:
        fact.closed = 1
        fact.handling = _seconds(lead.created_at, lead.closed_at)
        closer = history.outcome.dealer_id if history.outcome is not None else lead.dealer_id
        fact.closed_by_first = int(bool(history.offers) and history.offers[0].dealer_id == closer)


def waits_since(lead: LeadRow) -> datetime | None:
    """Since when the customer waits for us. Whom an import brought did not ask: they wait from the
    first call on, and None says that nobody has called yet."""
    if lead.import_id is None:
        return lead.created_at
    called = [each for each in (lead.first_call_at, lead.contacted_at) if each is not None]
    return min(called, default=None)


def _count_waiting(fact: Fact, lead: LeadRow, at: datetime) -> None:
    since = waits_since(lead)
    if since is not None:
        fact.waiting = 1
        if lead.contacted_at is None:
            fact.unreached = 1
            fact.overdue_15, fact.overdue_60, fact.overdue_240, fact.overdue_1440 = (
                int(since + timedelta(minutes=minutes) <= at) for minutes in OVERDUE
            )
        else:
            seconds = fact.response = _seconds(since, lead.contacted_at)
            reached = [
                minutes for minutes in REACHED if lead.contacted_at - since <= _minutes(minutes)
            ]
            setattr(fact, f"reached_{reached[0]}" if reached else "reached_later", 1)
            assert seconds is not None
    if lead.promise_at is not None:
        fact.promised = int(lead.contacted_at is not None or lead.promise_at <= at)
        fact.promise_kept = int(
            lead.contacted_at is not None and lead.contacted_at <= lead.promise_at
        )


def _count_plans(fact: Fact, history: History, at: datetime) -> None:
    ends = _ends(history)
    for plan in history.plans:
        if plan.cancelled_at is not None:
            continue
        met = plan.kind != "call"
        fact.appointment |= met
        if plan.done_at is None:
            fact.plans += plan.due_at + GRACE <= at
        elif _took_place(plan, ends):
            fact.plans += 1
            fact.plans_kept += plan.done_at <= plan.due_at + GRACE
            fact.visited |= met
            # What the customer booked and came to is no mere word of the dealer's.
            fact.proven |= fact.contacted and met and plan.booked_by == "customer"
    if fact.contacted and (history.replied or history.score is not None):
        fact.proven = 1


def _ends(history: History) -> frozenset[datetime]:
    """When plans ended by themselves: with the lead, or because it left its dealer for another."""
    ended = [offer.closed_at for offer in history.offers if offer.state not in ("open", "accepted")]
    moved = [offer.offered_at for offer in history.offers]
    return frozenset(each for each in (history.lead.closed_at, *ended, *moved) if each is not None)


def _took_place(plan: PlanRow, ends: frozenset[datetime]) -> bool:
    """Whether a plan that is done was carried out."""
    return plan.done_at is not None and not (plan.done_at < plan.due_at and plan.done_at in ends)


def _count_offers(fact: Fact, history: History) -> None:
    lead, offers = history.lead, history.offers
    fact.reroutes = sum(after.dealer_id != before.dealer_id for before, after in pairwise(offers))
    fact.rerouted = int(fact.reroutes > 0)
    offer = holding_offer(lead, offers)
    if offer is None:
        return
    if offer.distance_km is not None:
        fact.placed, fact.metres = 1, round(offer.distance_km * 1000)
    taken = _taken(offer)
    if taken is not None:
        fact.take = _seconds(*taken)
        fact.work_take = _working_seconds(history.calendar, *taken)
    if lead.contacted_at is not None and lead.contacted_at >= offer.offered_at:
        fact.work_response = _working_seconds(history.calendar, offer.offered_at, lead.contacted_at)


def _taken(offer: OfferRow) -> tuple[datetime, datetime] | None:
    """From the question to the acceptance; None where it wasn't accepted, or nobody was asked."""
    end_at = offer.closed_at
    if offer.state != "accepted" or end_at is None or end_at <= offer.offered_at:
        return None
    asked_at = offer.clock_at
    return (offer.offered_at if asked_at is None or asked_at > end_at else asked_at), end_at


def _count_sale(fact: Fact, history: History) -> None:
    lead, outcome, sale = history.lead, history.outcome, history.sale
    fact.matched = int(sale is not None)
    fact.sold = fact.won | fact.matched
    won = outcome if fact.won else None
    if sale is not None:
        fact.sold_elsewhere = int(sale.dealer_id is not None and sale.dealer_id != lead.dealer_id)
        noon = datetime.combine(sale.sold_on, time(12), _zone(lead.timezone))
        fact.sale = _seconds(lead.created_at, noon)
    if won is not None:
        fact.sale = _seconds(lead.created_at, won.at)
    told = won if won is not None and won.value is not None else sale
    if told is not None and told.value is not None and told.currency == lead.currency:
        fact.value = told.value


def _count_words(fact: Fact, history: History) -> None:
    if history.score is not None:
        fact.answers, fact.score = 1, history.score
    fact.verdicts = len(history.verdicts)
    fact.confirmed = sum(each.verdict in CONFIRMING for each in history.verdicts)


def _settles_at(history: History, at: datetime) -> datetime | None:
    """When time alone changes a counter next."""
    lead, since = history.lead, waits_since(history.lead)
    coming: list[datetime] = []
    if lead.contacted_at is None:
        if since is not None:
            coming += [since + _minutes(minutes) for minutes in OVERDUE]
        if lead.promise_at is not None:
            coming.append(lead.promise_at)
    coming += [
        plan.due_at + GRACE
        for plan in history.plans
        if plan.done_at is None and plan.cancelled_at is None
    ]
    return _earliest(each for each in coming if each > at)


def _earliest(instants: Iterable[datetime]) -> datetime | None:
    return min(instants, default=None)


def _minutes(minutes: int) -> timedelta:
    return timedelta(minutes=minutes)


def _seconds(since: datetime, until: datetime | None) -> int | None:
    """Whole seconds, never negative; None without an end."""
    if until is None:
        return None
    return min(max((until - since) // _ONE_SECOND, 0), MOST_SECONDS)


def _working_seconds(calendar: Calendar | None, since: datetime, until: datetime) -> int | None:
    if calendar is None:
        return None
    # A whole second may come as a hair less.
    seconds = working_minutes_between(calendar, since, until) * 60 + 1e-6
    return min(math.floor(seconds), MOST_SECONDS)
