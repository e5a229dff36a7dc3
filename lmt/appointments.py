"""Appointments with a dealer: booked, moved and called off by the dealer, by the customer on their
page and by an agent of headquarters, all from the same calendar.

Each verb commits. Locks are taken in the order lead, offer, dealer, time. Whoever books or moves,
the other sides are told; the lead's owner owns the plan.
"""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from lmt import slotuse
from lmt.calendars import dealer_calendar
from lmt.followup.service import touch
from lmt.lifecycle import WITH_DEALER, WORKED, IllegalStep, Status
from lmt.models import Lead, PlannedAction, SlotTerms, locked_lead, record
from lmt.notify import service as notify
from lmt.notify.faces import UNDO_TIME
from lmt.resting import come_back
from lmt.scope import Actor, as_system
from lmt.slotgrid import Slot, slot_at, slots
from lmt.workhours import Calendar, local_date

MOST_CALLED_OFF = 200
"""Plans looked after in one round of the worker."""
LONGEST_REASON = 300


class Taken(Exception):
    """That time can't be booked: it is taken by now, or the dealer does not offer it."""


class NotBookable(Exception):
    """Nothing can be booked for this lead now: no dealer has it, or one is booked already."""


def bookable(
    session: Session, dealer_id: int, kind: str, at: datetime, days: int
) -> tuple[Slot, ...]:
    """The free times of the next `days` days, today included; () where the dealer offers none."""
    terms = terms_of(session, dealer_id, kind)
    if terms is None:
        return ()
    calendar = dealer_calendar(session, dealer_id, at)
    first_day = local_date(calendar, at)
    midnight = datetime.combine(first_day, time(), ZoneInfo(calendar.timezone))
    # A stretch that begins on the last day may go on through the night.
    used = slotuse.used(session, dealer_id, kind, midnight, midnight + timedelta(days=days + 2))
    found = slots(calendar, terms, at, first_day, days, used)
    return tuple(slot for slot in found if slot.free)


def zone_of(session: Session, dealer_id: int, at: datetime) -> str:
    """On whose wall the dealer's times are told."""
    return dealer_calendar(session, dealer_id, at).timezone


def terms_of(session: Session, dealer_id: int, kind: str) -> SlotTerms | None:
    """What the dealer lets people book of this kind; None where it lets them book nothing."""
    terms = session.get(SlotTerms, (dealer_id, kind))
    return terms if terms is not None and terms.capacity else None


def book(
    session: Session,
    lead_id: uuid.UUID,
    *,
    kind: str,
    starts_at: datetime,
    by: str,
    note: str = "",
    at: datetime,
    actor: Actor,
) -> PlannedAction:
    """Book a time with the dealer that has the lead; `by` is dealer, customer or agent.

    The same again gives the plan that is there. A dealer books for leads it works on; the others
    for any lead that a dealer has, and one that rests comes back by it. Raises Taken, NotBookable
    and LookupError.
    """
    lead = locked_lead(session, lead_id)
    before = _booked_already(session, lead, kind, starts_at, by, at)
    if before is not None:
        session.rollback()
        return before
    _make_bookable(session, lead, by, at, actor)
    assert lead.dealer_id is not None
    _take(session, lead.dealer_id, kind, starts_at, at)
    plan = PlannedAction(
        lead_id=lead.id,
        dealer_id=lead.dealer_id,
        owner_id=lead.owner_id,
        kind=kind,
        due_at=starts_at,
        slot_at=starts_at,
        note=note,
        booked_by=by,
        created_at=at,
    )
    session.add(plan)
    session.flush()
    _note(session, lead, plan, "booked", by, at, actor, note=note)
    _tell(session, lead, plan, "booked", by, at)
    session.commit()
    return plan


def rebook(
    session: Session, plan_id: int, *, starts_at: datetime, by: str, at: datetime, actor: Actor
) -> PlannedAction:
    """Move an appointment to another time that the dealer offers; its owner is reminded anew.

    Raises Taken, LookupError where there is none to see, IllegalStep where it is over.
    """
    plan, lead = _locked(session, plan_id)
    if plan.done_at is not None or lead.dealer_id != plan.dealer_id:
        raise IllegalStep(Status(lead.status), Status.CONTACTED)
    if plan.slot_at == plan.due_at == starts_at:
        session.rollback()
        return plan
    slotuse.lock(session, plan, starts_at)
    if plan.slot_at != starts_at:
        _take(session, plan.dealer_id, plan.kind, starts_at, at)
        slotuse.free(session, plan)
    moved_from, plan.due_at, plan.slot_at = plan.due_at, starts_at, starts_at
    plan.reminded_at = None
    _note(
        session, lead, plan, "appointment_moved", by, at, actor, moved_from=moved_from.isoformat()
    )
    _tell(session, lead, plan, "moved", by, at)
    session.commit()
    return plan


def cancel(
    session: Session, plan_id: int, *, by: str, reason: str = "", at: datetime, actor: Actor
) -> None:
    """Call an appointment off. One that is over stays as it is; LookupError where there is none."""
    plan, lead = _locked(session, plan_id)
    if plan.done_at is not None:
        session.rollback()
        return
    # A call that the dealer wrote into its own calendar is nobody's appointment but its own.
    is_told = by != "dealer" or plan.kind != "call" or plan.slot_at is not None
    plan.done_at = plan.cancelled_at = at
    slotuse.free(session, plan)
    reason = reason[:LONGEST_REASON]
    _note(session, lead, plan, "appointment_cancelled", by, at, actor, reason=reason)
    if is_told:
        _tell(session, lead, plan, "cancelled", by, at)
    session.commit()


def call_off_ended(session: Session, at: datetime) -> int:
    """Give back the places of booked plans that ended before their time, or were put elsewhere;
    where the lead moved on, the customer is told. Returns how many there were; the worker's.

    Plans end with the lead, by whoever ends it: this is where a booking hears of it. A sale or a
    loss can be taken back for a while; its bookings wait for that.
    """
    plan = PlannedAction
    is_final = or_(plan.done_at <= at - UNDO_TIME, Lead.status.not_in((Status.WON, Status.LOST)))
    wanted = (
        select(plan.id)
        .join(Lead, Lead.id == plan.lead_id)
        .where(plan.slot_at.is_not(None), plan.slot_at > at)
        .where(or_(and_(plan.done_at.is_not(None), is_final), plan.due_at != plan.slot_at))
        .order_by(plan.slot_at)
        .limit(MOST_CALLED_OFF)
    )
    found = session.scalars(wanted).all()
    for plan_id in found:
        _let_go(session, plan_id, at)
        session.commit()
    return len(found)


def _let_go(session: Session, plan_id: int, at: datetime) -> None:
    plan, lead = _locked(session, plan_id)
    if plan.slot_at is None or (plan.done_at is None and plan.due_at == plan.slot_at):
        return
    slotuse.free(session, plan)
    if plan.done_at is None:
        notify.tell_customer_appointment(session, lead, plan, at)
    elif plan.cancelled_at is None and _moved_on(lead, plan):
        plan.cancelled_at = plan.done_at
        record(
            session,
            lead.id,
            "appointment_cancelled",
            at=at,
            dealer_id=plan.dealer_id,
            plan_kind=plan.kind,
            due_at=plan.due_at.isoformat(),
        )
        notify.tell_customer_appointment_cancelled(session, lead, plan, at)


def _moved_on(lead: Lead, plan: PlannedAction) -> bool:
    """Whether the customer would come in vain. Whoever bought knows, and so does who withdrew."""
    if lead.status in {Status.WON, Status.WITHDRAWN}:
        return False
    return lead.dealer_id != plan.dealer_id or lead.status not in WORKED | {Status.RESTING}


def _booked_already(
    session: Session, lead: Lead, kind: str, starts_at: datetime, by: str, at: datetime
) -> PlannedAction | None:
    """The very plan, where this was sent twice. A customer has one of a kind ahead at a time, so
    that a link in other hands can't fill a dealer's calendar."""
    held = session.scalars(
        select(PlannedAction).where(
            PlannedAction.lead_id == lead.id,
            PlannedAction.dealer_id == lead.dealer_id,
            PlannedAction.kind == kind,
            PlannedAction.done_at.is_(None),
            PlannedAction.slot_at.is_not(None),
        )
    ).all()
    same = next((plan for plan in held if plan.slot_at == starts_at), None)
    if same is None and by == "customer" and any(plan.due_at > at for plan in held):
        raise NotBookable
    return same


def _make_bookable(session: Session, lead: Lead, by: str, at: datetime, actor: Actor) -> None:
    status = Status(lead.status)
    if status not in (WORKED if by == "dealer" else WITH_DEALER):
        raise NotBookable
    if status is Status.RESTING:
        dealer_id = lead.dealer_id
        with as_system(session):
            come_back(session, lead, at, actor, is_asked_for=True)
            session.flush()
        if lead.dealer_id != dealer_id or lead.status not in WORKED:
            session.rollback()
            raise NotBookable


def _take(session: Session, dealer_id: int, kind: str, starts_at: datetime, at: datetime) -> None:
    terms = terms_of(session, dealer_id, kind)
    calendar: Calendar = dealer_calendar(session, dealer_id, at)
    # Whether a place is left is asked of the count alone, in the statement that takes it.
    if terms is None or slot_at(calendar, terms, at, starts_at, {}) is None:
        session.rollback()
        raise Taken
    if not slotuse.take(session, dealer_id, kind, starts_at, terms.capacity):
        session.rollback()
        raise Taken


def _locked(session: Session, plan_id: int) -> tuple[PlannedAction, Lead]:
    """The plan and its lead; the lead is locked first, as by every other verb."""
    plan = session.get(PlannedAction, plan_id)
    if plan is None:
        raise LookupError(f"no planned action {plan_id}")
    lead = locked_lead(session, plan.lead_id)
    session.refresh(plan, with_for_update=True)
    return plan, lead


def _note(
    session: Session,
    lead: Lead,
    plan: PlannedAction,
    kind: str,
    by: str,
    at: datetime,
    actor: Actor,
    **told: str,
) -> None:
    """Into the history; what a dealer books is work, what others book only wakes the clocks."""
    if by == "dealer":
        touch(lead, actor, at)
    elif lead.status in WORKED or lead.status == Status.OFFERED:
        lead.next_action_at = at
    record(
        session,
        lead.id,
        kind,
        at=at,
        actor_id=actor.user_id,
        dealer_id=plan.dealer_id,
        plan_kind=plan.kind,
        due_at=plan.due_at.isoformat(),
        booked_by=by,
        **{name: value for name, value in told.items() if value},
    )


def _tell(
    session: Session, lead: Lead, plan: PlannedAction, what: str, by: str, at: datetime
) -> None:
    session.flush()
    if by != "dealer":
        notify.tell_dealer_appointment(session, lead, plan, what, at)
    if what == "cancelled":
        notify.tell_customer_appointment_cancelled(session, lead, plan, at)
    else:
        notify.tell_customer_appointment(session, lead, plan, at)
