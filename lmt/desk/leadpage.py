"""What the desk shows of one lead, to the dealer that has it: its story, its terms, its people."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lmt.attributes import ShownAnswer, answers_of_all
from lmt.contests import contest_of
from lmt.desk.beside import Beside, beside
from lmt.desk.queries import terms_of_dealers
from lmt.keeping import is_cut
from lmt.models import (
    CallRecord,
    Consent,
    Contest,
    DealerTerms,
    Event,
    Inquiry,
    Lead,
    Message,
    Offer,
    Outcome,
    PlannedAction,
    Reply,
    RoutingDecision,
    RoutingPolicy,
)
from lmt.policies import policy_words

MOST_EARLIER, MOST_INQUIRIES, MOST_CALLS = 10, 20, 20
MOST_EVENTS, EVERY_EVENT = 200, 5000


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Everything the page of one lead tells; `contest` is the dealer's own, of this decision.

    `inquiries` are what the customer asked again, `earlier` are the customer's other leads that
    this dealer has or had, `calls` what others heard from them before; all newest first.
    `answers` are those to custom fields, `asked_again` the same of each inquiry as well, by id;
    `consents` what was agreed to or refused. `messages` went to the customer, `replies` are what
    the dealer wrote; `more_events`: older ones are left out.
    """

    lead: Lead
    terms: DealerTerms | None
    offer: Offer | None
    decision: RoutingDecision | None
    events: Sequence[Event]
    plans: list[PlannedAction]
    outcome: Outcome | None
    policy: str = ""
    contest: Contest | None = None
    inquiries: Sequence[Inquiry] = ()
    earlier: Sequence[Lead] = ()
    calls: Sequence[CallRecord] = ()
    answers: Sequence[ShownAnswer] = ()
    asked_again: Mapping[uuid.UUID, Sequence[ShownAnswer]] = field(default_factory=dict)
    consents: Sequence[Consent] = ()
    messages: Sequence[Message] = ()
    replies: Sequence[Reply] = ()
    more_events: bool = False
    beside: Beside = field(default_factory=Beside)

    @property
    def is_cut(self) -> bool:
        """Is the beginning of its story no longer kept?"""
        return not self.more_events and is_cut(self.events)

    @property
    def zone(self) -> str:
        """The wall clock that times are shown by: the dealer's."""
        return self.terms.timezone if self.terms else self.lead.market.timezone

    @property
    def place(self) -> tuple[float, float] | None:
        """Where the dealer is."""
        return (self.terms.lat, self.terms.lon) if self.terms else None


def lead_page(
    session: Session,
    lead_id: uuid.UUID,
    at: datetime,
    *,
    language: str = "en",
    everything: bool = False,
) -> LeadPage | None:
    """The lead with its story; None when there is none that `session` may see at a dealer.

    `language` names what markets named; `everything`: not only the latest events.
    """
    lead = session.scalar(
        select(Lead)
        .where(Lead.id == lead_id, Lead.dealer_id.is_not(None))
        .options(
            joinedload(Lead.source),
            joinedload(Lead.owner),
            joinedload(Lead.brand),
            joinedload(Lead.campaign),
            joinedload(Lead.market),
        )
    )
    if lead is None or lead.dealer_id is None:
        return None
    terms = terms_of_dealers(session, {lead.dealer_id}, at).get(lead.dealer_id)
    offer = _offer(session, lead)
    most = EVERY_EVENT if everything else MOST_EVENTS
    events = session.scalars(
        select(Event)
        .where(Event.lead_id == lead.id)
        .options(joinedload(Event.actor).lazyload("*"))
        .order_by(Event.id.desc())
        .limit(most + 1)
    ).all()
    decision = _decision(session, lead, offer)
    inquiries = _inquiries(session, lead) if lead.asked_again else ()
    answers = answers_of_all(session, lead.market_id, (lead, *inquiries), "desk")
    return LeadPage(
        lead=lead,
        terms=terms,
        offer=offer,
        decision=decision,
        events=events[:most],
        more_events=len(events) > most,
        messages=session.scalars(
            select(Message)
            .where(
                Message.lead_id == lead.id,
                Message.audience == "customer",
                Message.dealer_id == lead.dealer_id,
            )
            .order_by(Message.id.desc())
            .limit(most)
        ).all(),
        replies=session.scalars(
            select(Reply)
            .where(Reply.lead_id == lead.id, Reply.dealer_id == lead.dealer_id)
            .order_by(Reply.at.desc())
            .limit(most)
        ).all(),
        beside=beside(
            session, lead, at, language, terms.timezone if terms else lead.market.timezone
        ),
        plans=list(
            session.scalars(
                select(PlannedAction)
                .where(PlannedAction.lead_id == lead.id, PlannedAction.done_at.is_(None))
                .options(joinedload(PlannedAction.owner))
                .order_by(PlannedAction.due_at)
            )
        ),
        outcome=session.scalar(select(Outcome).where(Outcome.lead_id == lead.id)),
        policy=_policy(session, decision),
        contest=contest_of(session, decision.id, lead.dealer_id) if decision else None,
        inquiries=inquiries,
        calls=_calls(session, lead) if lead.import_id else (),
        earlier=session.scalars(
            select(Lead)
            .where(
                Lead.customer_id == lead.customer_id,
                Lead.id != lead.id,
                Lead.dealer_id.is_not(None),
            )
            .options(joinedload(Lead.brand))
            .order_by(Lead.created_at.desc())
            .limit(MOST_EARLIER)
        ).all(),
        answers=answers.get(lead.id, ()),
        asked_again=answers,
        consents=session.scalars(
            select(Consent).where(Consent.lead_id == lead.id).order_by(Consent.id)
        ).all(),
    )


def _calls(session: Session, lead: Lead) -> Sequence[CallRecord]:
    return session.scalars(
        select(CallRecord)
        .where(CallRecord.customer_id == lead.customer_id)
        .order_by(CallRecord.at.desc().nulls_last(), CallRecord.id.desc())
        .limit(MOST_CALLS)
    ).all()


def _inquiries(session: Session, lead: Lead) -> Sequence[Inquiry]:
    return session.scalars(
        select(Inquiry)
        .where(Inquiry.lead_id == lead.id, Inquiry.split_into_id.is_(None))
        .order_by(Inquiry.at.desc())
        .limit(MOST_INQUIRIES)
    ).all()


def unseen_offer(session: Session, lead_id: uuid.UUID, dealers: Iterable[int]) -> uuid.UUID | None:
    """The running offer of the lead to one of these dealers whose clock has not begun."""
    return session.scalar(
        select(Offer.id).where(
            Offer.lead_id == lead_id,
            Offer.dealer_id.in_(dealers),
            Offer.state == "open",
            Offer.clock_at.is_(None),
        )
    )


def planned(session: Session, plan_id: int) -> tuple[PlannedAction, Lead] | None:
    """A planned action with its lead; None when `session` may not see it."""
    found = session.execute(
        select(PlannedAction, Lead)
        .join(Lead, Lead.id == PlannedAction.lead_id)
        .where(PlannedAction.id == plan_id)
    ).first()
    return (found[0], found[1]) if found else None


def zone_of(session: Session, lead: Lead, at: datetime) -> str:
    """The zone of the dealer that has the lead."""
    terms = terms_of_dealers(session, {lead.dealer_id}, at)
    return next((row.timezone for row in terms.values()), lead.market.timezone)


def shown_decision(session: Session, lead: Lead) -> RoutingDecision | None:
    """The decision that the lead's page shows: that of its latest offer to the dealer."""
    return _decision(session, lead, _offer(session, lead))


def _offer(session: Session, lead: Lead) -> Offer | None:
    return session.scalar(
        select(Offer)
        .where(Offer.lead_id == lead.id, Offer.dealer_id == lead.dealer_id)
        .order_by(Offer.offered_at.desc())
        .limit(1)
    )


def _decision(session: Session, lead: Lead, offer: Offer | None) -> RoutingDecision | None:
    wanted = (
        RoutingDecision.id == offer.decision_id
        if offer is not None and offer.decision_id is not None
        else RoutingDecision.dealer_id == lead.dealer_id
    )
    return session.scalar(
        select(RoutingDecision)
        .where(RoutingDecision.lead_id == lead.id, wanted)
        .order_by(RoutingDecision.at.desc())
        .limit(1)
    )


def _policy(session: Session, decision: RoutingDecision | None) -> str:
    if decision is None or decision.policy_id is None:
        return ""
    row = session.get_one(RoutingPolicy, decision.policy_id)
    return policy_words(row.version, row.settings, decision.inputs)
