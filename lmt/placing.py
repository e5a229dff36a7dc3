"""Where a lead goes next: to a dealer, or into the queue where a person looks at it.

Shared by every verb of the pipeline; nothing here commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.agenda import offered_until, policy_for, schedule
from lmt.calendars import desk_calendar
from lmt.followup.service import end_plans
from lmt.lifecycle import Status, step
from lmt.models import Dealer, Lead, Market, Offer, PlannedAction, record
from lmt.models.capacity import give_back_open
from lmt.notify import service as notify
from lmt.notify.recipients import queue_keepers, terms_of
from lmt.notify.systems import tell_dealer_system
from lmt.routing.capacity import untake_slot
from lmt.routing.locate import Unlocated
from lmt.routing.service import (
    Routed,
    calendar_of_dealer,
    colleague_of,
    locate_lead,
    route_lead,
)
from lmt.workhours import Calendar, is_open, local_date, next_opening

LOOK_AGAIN = timedelta(hours=1)
"""The net below an unrouted lead, whatever else it waits for."""
GIVEN_BACK_MEANWHILE = timedelta(minutes=1)
DESK_NEVER_OPENS = timedelta(days=7)


def place(session: Session, lead: Lead, at: datetime) -> None:
    """Find the next dealer for the lead, or the queue where a person looks at it."""
    if not (lead.email or lead.phone):
        enqueue(session, lead, Status.INCOMPLETE, "no_contact", at)
        return
    if not lead.location_method:
        _locate(session, lead, at)
    routed = route_lead(session, lead, at)
    if routed.offer is None:
        unclear = routed.cause == "unlocated"
        queue = Status.UNLOCATED if unclear else Status.UNROUTED
        enqueue(session, lead, queue, routed.cause, at, routed)
    elif lead.test:
        untake_slot(session, routed.offer.dealer_id)
        session.delete(routed.offer)
        _end_test(session, lead, at)
    else:
        lead.status = step(Status(lead.status), Status.OFFERED)
        hand_over(session, lead, routed.offer, routed.opens_at, at, routed)


def _locate(session: Session, lead: Lead, at: datetime) -> None:
    found = locate_lead(session, lead)
    if isinstance(found, Unlocated):
        if lead.status == Status.UNLOCATED:
            return  # looked for once more, as every morning: nothing new to tell
        guesses = [guess.to_json() for guess in found.guesses[:5]]
        record(session, lead.id, "located", at=at, problem=found.problem, guesses=guesses)
        return
    record(
        session,
        lead.id,
        "located",
        at=at,
        method=found.method,
        place=found.place,
        accuracy_km=round(found.accuracy_km, 1),
    )


def hand_over(
    session: Session,
    lead: Lead,
    offer: Offer,
    opens_at: datetime | None,
    at: datetime,
    routed: Routed | None = None,
) -> None:
    """The lead is the dealer's until the offer's end; dealer and customer are told.

    Where the market assigns at once the dealer has it, and the offer's end is the time to the
    first contact. `routed` has the policy and the calendar, which are read where it is left out.
    """
    moved, waited = lead.promise_at is not None, bool(lead.cause)
    policy = policy_for(session, lead, at) if routed is None else routed.policy
    belongs_to(lead, offer, at)
    lead.dealer = session.get_one(Dealer, offer.dealer_id)
    lead.owner_id = colleague_of(session, lead, offer.dealer_id, at)
    record(
        session,
        lead.id,
        "offered",
        at=at,
        dealer_id=offer.dealer_id,
        expires_at=offer.expires_at.isoformat(),
        distance_km=offer.distance_km,
    )
    if policy.accept_mode == "assign":
        assigned(lead, offer, at)
        record(session, lead.id, "accepted", at=at, dealer_id=offer.dealer_id, mode="assign")
    has_plan = _plan_call(session, lead, at)
    if has_plan or policy.accept_mode == "assign":
        schedule(session, lead, offer, at)
    else:
        calendar = routed.calendar if routed is not None else None
        calendar = calendar or calendar_of_dealer(session, offer.dealer_id, at)
        lead.next_action_at = offered_until(lead, offer, policy, calendar, at)
    notify.tell_dealer(session, lead, offer, terms_of(session, offer.dealer_id, at), at)
    tell_dealer_system(session, lead, offer, at)
    if moved:
        notify.tell_customer_transferred(session, lead, offer, at)
    elif waited:
        # Out of a queue: the customer knows that we have the request, now also who answers it.
        notify.tell_customer_assigned(session, lead, offer, at)
    else:
        notify.tell_customer_received(session, lead, offer, opens_at, at)


def _plan_call(session: Session, lead: Lead, at: datetime) -> bool:
    """Plan the call that the person asked for, where they did. The plan of the dealer that had the
    lead before ends."""
    call = planned_call(lead, at)
    if call is None:
        return False
    end_plans(session, lead.id, at)
    keep_call(session, lead, call, at)
    return True


def keep_call(session: Session, lead: Lead, call: PlannedAction, at: datetime) -> None:
    """Write down a `planned_call`, and that nobody but the road planned it."""
    session.add(call)
    record(
        session,
        lead.id,
        "planned",
        at=at,
        dealer_id=lead.dealer_id,
        plan_kind=call.kind,
        due_at=call.due_at.isoformat(),
    )


def planned_call(lead: Lead, at: datetime) -> PlannedAction | None:
    """Whoever asked to be called at a time is called then by the dealer that has the lead now; at
    once where that time is over. Not yet in the session."""
    if lead.call_at is None:
        return None
    return PlannedAction(
        lead_id=lead.id,
        dealer_id=lead.dealer_id,
        owner_id=lead.owner_id,
        kind="call",
        due_at=max(lead.call_at, at),
        created_at=at,
    )


def belongs_to(lead: Lead, offer: Offer, at: datetime) -> None:
    """What the lead's own row says once a dealer has it, beside its status and its colleague."""
    _begin_anew(lead)
    lead.dealer_id, lead.cause, lead.postponed = offer.dealer_id, "", 0
    lead.waiting_since, lead.waiting_for, lead.resting_until = None, [], None
    lead.offered_at, lead.promise_at = at, lead.promise_at or offer.expires_at


def assigned(lead: Lead, offer: Offer, at: datetime) -> None:
    """The dealer has the lead without being asked."""
    offer.state, offer.closed_at = "accepted", at
    lead.status, lead.accepted_at = step(Status(lead.status), Status.ACCEPTED), at


def enqueue(
    session: Session,
    lead: Lead,
    status: Status,
    cause: str,
    at: datetime,
    routed: Routed | None = None,
) -> None:
    """Nobody has the lead: it waits where headquarters sees it, and is looked at again when that
    may help. Headquarters and the customer are told once. A test ends here, too."""
    if lead.test:
        _end_test(session, lead, at)
        return
    known = (lead.status, lead.cause) == (status, cause)
    if lead.call_at is not None:
        # Planned with the dealer that had it; whoever gets it next is to call instead.
        end_plans(session, lead.id, at)
    if routed is None:
        waits(lead, status, cause, at)
    else:
        waits(lead, status, cause, at, routed.look_again_at, routed.waits_for)
    if status is not Status.UNROUTED:
        lead.next_action_at = next_desk_morning(lead.market, at)
    if known:
        return
    record(session, lead.id, "queued", at=at, status=status, cause=cause)
    keepers = queue_keepers(session, lead)
    notify.alert_unrouted(session, lead, cause, keepers, at)
    opens_at = routed.look_again_at if routed is not None and cause == "no_opening" else None
    notify.tell_customer_received(session, lead, None, opens_at, at)


def waits(
    lead: Lead,
    status: Status,
    cause: str,
    at: datetime,
    look_again_at: datetime | None = None,
    waits_for: Iterable[int] = (),
) -> None:
    """What the lead's own row says while nobody has it: it may find a dealer at `look_again_at`, or
    when one of `waits_for` has a free place. When a lead that isn't unrouted is looked at again
    (`next_desk_morning`) is the caller's to say."""
    known = (lead.status, lead.cause) == (status, cause)
    lead.status = status if known else step(Status(lead.status), status)
    _begin_anew(lead)
    lead.cause, lead.dealer_id, lead.owner_id, lead.resting_until = cause, None, None, None
    lead.waiting_since = lead.waiting_since or at
    lead.waiting_for = list(waits_for)
    if status is Status.UNROUTED:
        lead.next_action_at = _soon(at, look_again_at)
        if lead.waiting_for and not known:
            # A place given back while this was decided woke nobody: it saw no one waiting yet.
            lead.next_action_at = min(lead.next_action_at, at + GIVEN_BACK_MEANWHILE)


def next_desk_morning(market: Market, at: datetime) -> datetime:
    """When the market's desk next begins to work: today where it has not opened yet, else on its
    next working day. A week from `at` for a desk that never opens."""
    calendar = desk_calendar(market)
    opening = next_opening(calendar, at)
    if opening is not None and not _has_opened(calendar, at):
        return opening
    tomorrow = local_date(calendar, at) + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time(0), ZoneInfo(calendar.timezone))
    return next_opening(calendar, midnight.astimezone(at.tzinfo)) or at + DESK_NEVER_OPENS


def held_offer(session: Session, lead: Lead) -> Offer | None:
    """The offer by which a dealer has the lead, locked."""
    return session.scalars(
        select(Offer)
        .where(Offer.lead_id == lead.id, Offer.state.in_(("open", "accepted")))
        .with_for_update(of=Offer)
        .execution_options(populate_existing=True)
    ).first()


def end_offer(
    session: Session, lead: Lead, offer: Offer, state: str, at: datetime, reason: str = ""
) -> None:
    """The dealer has the lead no more, and its place is free; call before the status changes.

    A lead that rests takes no place.
    """
    offer.state, offer.closed_at, offer.reason = state, at, reason
    lead.accepted_at = lead.owner_id = None
    session.flush()
    if lead.status != Status.RESTING:
        give_back_open(session, offer.dealer_id, at)


def _begin_anew(lead: Lead) -> None:
    """Another state or another holder: escalation begins anew."""
    lead.escalated_minutes, lead.touched_at = 0, None


def _soon(at: datetime, expected: datetime | None) -> datetime:
    """When routing says that the lead may find a dealer, and soon in any case."""
    net = at + LOOK_AGAIN
    return net if expected is None or expected <= at else min(net, expected)


def _has_opened(calendar: Calendar, at: datetime) -> bool:
    """Whether the desk has worked today by `at`."""
    today = local_date(calendar, at)
    midnight = datetime.combine(today, time(0), ZoneInfo(calendar.timezone))
    first = next_opening(calendar, midnight.astimezone(at.tzinfo))
    return is_open(calendar, at) or (first is not None and first <= at)


def _end_test(session: Session, lead: Lead, at: datetime) -> None:
    """A test lead shows its decision, where there is one, and ends there: no dealer, no figure,
    no queue and no cap is touched."""
    lead.status, lead.cause, lead.closed_at = Status.WITHDRAWN, "test", at
    lead.next_action_at = lead.waiting_since = None
    lead.waiting_for = []
    record(session, lead.id, "withdrawn", at=at, reason="test")
