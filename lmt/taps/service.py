"""What a link of a mail does: checks that it still may, acts as its reader would at the desk, says
so in the lead's history, and tells the dealer. Each verb commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.calendars import dealer_calendar
from lmt.followup import service as following
from lmt.lifecycle import WORKED, IllegalStep
from lmt.models import Lead, Offer, PlannedAction, Tap, User, locked_lead, record
from lmt.notify import service as notify
from lmt.notify.taps import ANSWERS, hash_of, works_at
from lmt.pipeline import PlanInput, TooLate
from lmt.scope import SYSTEM, Actor, Part, act_as
from lmt.taps.calltimes import call_times


class State(StrEnum):
    """What a link can still do."""

    READY = "ready"
    USED = "used"
    EXPIRED = "expired"
    LATE = "late"  # the offer is over, or answered by somebody else
    DONE = "done"  # the planned step was done or called off
    GONE = "gone"  # the lead is with another dealer, or closed


@dataclass(frozen=True, slots=True)
class Opened:
    """A link's page: nothing of the customer, since mails are sent on. `until` is the end of the
    offer; `plan` and `plan_at` are the step that is next (or, of a link about one, that step)."""

    state: State
    purpose: str
    lead_id: str
    reference: str
    request_type: str
    car: str
    language: str
    timezone: str
    used_at: datetime | None = None
    until: datetime | None = None
    plan: str = ""
    plan_at: datetime | None = None
    times: tuple[datetime, ...] = ()


def opened(session: Session, token: str, at: datetime) -> Opened | None:
    """What the page of a link shows at `at`; changes nothing. None for a link that is none."""
    tap = session.scalars(select(Tap).where(Tap.token_hash == hash_of(token))).first()
    lead = None if tap is None else session.get(Lead, tap.lead_id)
    if tap is None or lead is None or tap.dealer_id is None:
        return None
    state = _state(session, tap, lead, at)
    offer, plan = _offer(session, tap), _plan(session, tap)
    brand = lead.brand.name if lead.brand else ""
    asks = state is State.READY and tap.purpose == "accept"
    return Opened(
        state=state,
        purpose=tap.purpose,
        lead_id=str(lead.id),
        reference=lead.reference,
        request_type=lead.request_type,
        car=" ".join(part for part in (brand, lead.model) if part),
        language=tap.language,
        timezone=tap.timezone,
        used_at=tap.used_at,
        until=offer.expires_at if offer is not None and state is State.READY else None,
        plan=plan.kind if plan else "",
        plan_at=plan.due_at if plan else None,
        times=call_times(dealer_calendar(session, tap.dealer_id, at), at) if asks else (),
    )


def use(
    session: Session,
    token: str,
    *,
    at: datetime,
    call_at: datetime | None = None,
    reason: str = "",
    note: str = "",
) -> State | None:
    """Do what the link is for, once: READY says that it was done now; any other state, why not.

    None for a link that is none. `call_at` plans a call with an acceptance, `reason` and `note`
    are those of a refusal. The session acts for the system, and for nobody else before.
    """
    tap = session.scalars(
        select(Tap)
        .where(Tap.token_hash == hash_of(token))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if tap is None or tap.lead_id is None or tap.dealer_id is None:
        session.rollback()
        return None
    lead = locked_lead(session, tap.lead_id)
    state = _state(session, tap, lead, at)
    if state is not State.READY:
        session.rollback()
        return state
    tap.used_at = at
    record(
        session,
        lead.id,
        "tapped",
        at=at,
        actor_id=tap.user_id,
        dealer_id=tap.dealer_id,
        purpose=tap.purpose,
    )
    notify.tell_dealer_tapped(session, lead, tap, tap.dealer_id, at)
    session.flush()
    act_as(session, _actor(tap))
    try:
        _act(session, tap, at, call_at, reason, note)
    except (TooLate, IllegalStep, LookupError):
        session.rollback()
        return State.LATE if tap.purpose in ANSWERS else State.GONE
    finally:
        act_as(session, SYSTEM)
    return State.READY


def _act(
    session: Session, tap: Tap, at: datetime, call_at: datetime | None, reason: str, note: str
) -> None:
    actor, lead_id = _actor(tap), tap.lead_id
    assert lead_id is not None
    if tap.purpose == "accept":
        plan = None if call_at is None else PlanInput("call", call_at)
        pipeline.accept(session, lead_id, at=at, actor=actor, plan=plan)
    elif tap.purpose == "decline":
        pipeline.decline(session, lead_id, reason=reason, note=note, at=at, actor=actor)
    elif tap.purpose == "done":
        assert tap.plan_id is not None
        following.finish_plan(session, tap.plan_id, at=at, actor=actor)
    else:
        following.contacted(
            session, lead_id, how="phone", result=tap.purpose, note=note, at=at, actor=actor
        )


def _actor(tap: Tap) -> Actor:
    """Whoever holds the mail: works on this dealer's leads, and no other's."""
    return Actor(
        user_id=tap.user_id,
        permissions=frozenset({"lead.work"}),
        parts=(Part(dealer_id=tap.dealer_id),),
    )


def _state(session: Session, tap: Tap, lead: Lead, at: datetime) -> State:
    if tap.used_at is not None:
        return State.USED
    if at >= tap.expires_at or _reader_left(session, tap):
        return State.EXPIRED
    if tap.purpose in ANSWERS:
        offer = _offer(session, tap)
        is_open = offer is not None and offer.state == "open" and lead.dealer_id == tap.dealer_id
        return State.READY if is_open and offer and offer.expires_at > at else State.LATE
    if lead.dealer_id != tap.dealer_id or lead.status not in WORKED:
        return State.GONE
    plan = _plan(session, tap)
    return State.READY if plan is not None and plan.done_at is None else State.DONE


def _reader_left(session: Session, tap: Tap) -> bool:
    """A person's mails die with their account, or with their work at this dealer."""
    if tap.user_id is None:
        return False
    user = session.get(User, tap.user_id)
    return user is None or not works_at(session, user, tap.dealer_id)


def _offer(session: Session, tap: Tap) -> Offer | None:
    if tap.offer_id is None:
        return None
    return session.scalars(select(Offer).where(Offer.id == tap.offer_id)).first()


def _plan(session: Session, tap: Tap) -> PlannedAction | None:
    """The step that the link is about, else what the dealer does next."""
    if tap.plan_id is not None:
        return session.scalars(select(PlannedAction).where(PlannedAction.id == tap.plan_id)).first()
    return session.scalars(
        select(PlannedAction)
        .where(
            PlannedAction.lead_id == tap.lead_id,
            PlannedAction.dealer_id == tap.dealer_id,
            PlannedAction.done_at.is_(None),
        )
        .order_by(PlannedAction.due_at)
        .limit(1)
    ).first()
