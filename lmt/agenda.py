"""What is next for a lead that a dealer holds: which escalation steps have come, and when the
worker looks at it again.

Reads the market's policy, the dealer's calendar and the lead's plans; writes `next_action_at` and
how far escalation has got, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from lmt.escalation import Step, due_steps, next_instant
from lmt.followup.plans import reminder_at
from lmt.lifecycle import Status
from lmt.models import Event, Lead, Offer, PlannedAction
from lmt.offerclock import LOOK_AGAIN, mail_of, runs_from
from lmt.outages import lost_minutes
from lmt.routing.candidate import LeadFacts
from lmt.routing.policy import Policy
from lmt.routing.service import calendar_of_dealer, policy_book_of
from lmt.workhours import Calendar, add_working_minutes


@dataclass(frozen=True, slots=True)
class Watch:
    """One clock that runs on a lead: of its state, or of a planned action that is overdue."""

    state: str
    since: datetime
    done_minutes: int
    plan: PlannedAction | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A step that has come, and the watch that it belongs to."""

    step: Step
    watch: Watch


@dataclass(frozen=True, slots=True)
class Agenda:
    """All that the next step depends on; `offer` is the one by which the dealer holds the lead."""

    lead: Lead
    offer: Offer
    policy: Policy
    calendar: Calendar
    plans: tuple[PlannedAction, ...]
    watches: tuple[Watch, ...]

    def due(self, at: datetime) -> tuple[tuple[Due, ...], int]:
        """The steps that have come, in order, and the minutes reached in the lead's own state."""
        found: list[Due] = []
        reached = self.lead.escalated_minutes
        for watch in self.watches:
            steps, minutes = due_steps(self._steps(), at=at, **self._asked(watch))
            found += [Due(step, watch) for step in steps]
            if watch.plan is None:
                reached = minutes
        return tuple(found), reached

    def next_at(self, at: datetime) -> datetime:
        """When something comes next; there always is such an instant."""
        instants = [self._next_of(watch, at) for watch in self.watches]
        if self.offer.state == "open":
            instants.append(self.offer.expires_at)
            if not self.watches:
                instants.append(at + LOOK_AGAIN)
        instants += [instant for plan in self.plans if (instant := self.reminder_of(plan))]
        return max(min(instants), at)

    def reminder_of(self, plan: PlannedAction) -> datetime | None:
        """When the plan's owner is to be reminded; None where that was done, or is of no use."""
        if plan.reminded_at is not None:
            return None
        return reminder_at(self.calendar, plan.due_at, plan.created_at)

    def _next_of(self, watch: Watch, at: datetime) -> datetime:
        asked = self._asked(watch)
        steps, reached = due_steps(self._steps(), at=at, **asked)
        if not steps:
            # A round without a notice leaves no trace to go on from.
            asked["done_minutes"] = reached
        return next_instant(self._steps(), at=at, **asked)

    def _asked(self, watch: Watch) -> dict[str, Any]:
        return {
            "state": watch.state,
            "band": self.lead.band,
            "hop": self.offer.hop,
            "since": watch.since,
            "done_minutes": watch.done_minutes,
            "calendar": self.calendar,
        }

    def _steps(self) -> tuple[Step, ...]:
        """An offer's own end is written on it, and no step of the watch."""
        return tuple(
            step
            for step in self.policy.escalation
            if not (step.state == "offered" and step.action == "reroute")
        )


def agenda_of(session: Session, lead: Lead, offer: Offer, at: datetime) -> Agenda:
    """What is next for a lead that is offered, accepted or contacted."""
    calendar = calendar_of_dealer(session, offer.dealer_id, at)
    plans = open_plans(session, lead)
    return Agenda(
        lead=lead,
        offer=offer,
        policy=policy_for(session, lead, at),
        calendar=calendar,
        plans=plans,
        watches=_watches(session, lead, offer, plans, calendar, at),
    )


def offered_until(
    lead: Lead,
    offer: Offer,
    policy: Policy,
    calendar: Calendar,
    at: datetime,
    plan: PlannedAction | None = None,
) -> datetime:
    """When the worker looks at a lead again that was offered a moment ago: at the offer's end, or
    at the first step before it. `plan` was made with it. Asks the database nothing."""
    clock = Watch("offered", runs_from(offer), 0)
    plans = () if plan is None else (plan,)
    return Agenda(lead, offer, policy, calendar, plans, (clock,)).next_at(at)


def assigned_until(
    lead: Lead,
    offer: Offer,
    policy: Policy,
    calendar: Calendar,
    at: datetime,
    plan: PlannedAction | None = None,
) -> datetime:
    """As `offered_until`, for a lead that was assigned a moment ago."""
    clock = Watch("accepted", at, 0)
    if plan is None:
        return Agenda(lead, offer, policy, calendar, (), (clock,)).next_at(at)
    overdue = Watch("plan_overdue", plan.due_at, 0, plan)
    return Agenda(lead, offer, policy, calendar, (plan,), (clock, overdue)).next_at(at)


def schedule(session: Session, lead: Lead, offer: Offer, at: datetime) -> None:
    """Write down when the worker looks at the lead again."""
    session.flush()
    lead.next_action_at = agenda_of(session, lead, offer, at).next_at(at)


def policy_for(session: Session, lead: Lead, at: datetime) -> Policy:
    """The market's policy at `at`, for such a lead."""
    _row, book = policy_book_of(session, lead.market_id, at)
    facts = LeadFacts(
        lat=None,
        lon=None,
        service=lead.service,
        band=lead.band,
        asked_at=lead.created_at,
        country=lead.country,
        brand=lead.brand.code if lead.brand else "",
        model=lead.model,
        language=lead.language,
        customer_kind=lead.customer.kind,
        request_type=lead.request_type,
    )
    return book.policy_for(facts)


def open_plans(session: Session, lead: Lead) -> tuple[PlannedAction, ...]:
    """What is planned for the lead and not yet done, the earliest first."""
    return tuple(
        session.scalars(
            select(PlannedAction)
            .where(PlannedAction.lead_id == lead.id, PlannedAction.done_at.is_(None))
            .order_by(PlannedAction.due_at, PlannedAction.id)
        )
    )


def _watches(
    session: Session,
    lead: Lead,
    offer: Offer,
    plans: tuple[PlannedAction, ...],
    calendar: Calendar,
    at: datetime,
) -> tuple[Watch, ...]:
    """The clocks that run now. None on an offer that its dealer can't know of yet."""
    status = Status(lead.status)
    watches = []
    if status is Status.OFFERED:
        if offer.clock_at is not None or mail_of(session, offer) not in {"queued", "failed"}:
            watches.append(Watch("offered", runs_from(offer), lead.escalated_minutes))
    elif status is Status.ACCEPTED:
        since = lead.touched_at or lead.accepted_at or lead.created_at
        watches.append(Watch("accepted", since, lead.escalated_minutes))
    elif not plans:
        since = lead.touched_at or lead.contacted_at or lead.created_at
        watches.append(Watch("contacted", since, lead.escalated_minutes))
    if plans and status is not Status.OFFERED:
        done = _plan_minutes(session, plans[0])
        watches.append(Watch("plan_overdue", plans[0].due_at, done, plans[0]))
    return tuple(_without_outages(session, watch, calendar, at) for watch in watches)


def _without_outages(session: Session, watch: Watch, calendar: Calendar, at: datetime) -> Watch:
    """While the service was down nobody could act: those minutes don't count."""
    if watch.since >= at:
        return watch
    lost = lost_minutes(session, calendar, watch.since, at)
    later = add_working_minutes(calendar, watch.since, lost) if lost else None
    return watch if later is None else replace(watch, since=later)


def _plan_minutes(session: Session, plan: PlannedAction) -> int:
    """How far escalation of the overdue plan has got, as the lead's history tells. What was done
    before it was put off belongs to the time it had then."""
    minutes = Event.data["minutes"].as_string().cast(Integer)
    return (
        session.scalars(
            select(func.max(minutes)).where(
                Event.lead_id == plan.lead_id,
                Event.at >= plan.due_at,
                Event.kind.in_(("reminded", "escalated", "raised")),
                Event.data["plan_id"].as_string() == str(plan.id),
                Event.data["state"].as_string() == "plan_overdue",
            )
        ).one()
        or 0
    )
