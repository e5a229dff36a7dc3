"""Everything headquarters sees of one lead, gathered in a fixed number of queries."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from lmt.attributes import ShownAnswer, answers_of_all
from lmt.hq.duplicates import is_open
from lmt.hq.explain import DecisionWords, dealer_ids, in_words
from lmt.hq.queries import dealer_names
from lmt.i18n import format_km, reader
from lmt.i18n import gettext as _
from lmt.keeping import is_cut
from lmt.labels import label
from lmt.maps import Line, Map, Point
from lmt.models import (
    Consent,
    Contest,
    DealerTerms,
    DuplicateSuggestion,
    Event,
    Feedback,
    HelpThread,
    Inquiry,
    Lead,
    MarketStatus,
    Message,
    Offer,
    Outcome,
    PlannedAction,
    Reply,
    RoutingDecision,
    RoutingPolicy,
    Verdict,
)
from lmt.policies import policy_words
from lmt.statuses import name_in

MOST_EVENTS = 200
MOST_DECISIONS = 20
MOST_INQUIRIES = 50


@dataclass(frozen=True, slots=True)
class LeadView:
    """`decisions` newest first, `events` oldest first; `names` are today's, by dealer id.

    `map` shows the latest decision; None where nobody's place is known. `contests` wait for an
    answer. `inquiries` are what the customer asked again, newest first; `others` counts the
    customer's other leads in the actor's part, `doubts` whom they may be one person with.
    `answers` are those to custom fields, `asked_again` the same of each inquiry as well, by id;
    `consents` what was agreed to or refused.
    """

    lead: Lead
    names: dict[int, str]
    events: Sequence[Event]
    decisions: Sequence[tuple[RoutingDecision, DecisionWords]]
    offer: Offer | None
    messages: Sequence[Message]
    plans: Sequence[PlannedAction]
    outcome: Outcome | None
    map: Map | None
    contests: Sequence[Contest]
    inquiries: Sequence[Inquiry]
    others: int
    doubts: int
    answers: Sequence[ShownAnswer]
    asked_again: Mapping[uuid.UUID, Sequence[ShownAnswer]]
    consents: Sequence[Consent]
    own_status: str
    """The market's own word for where it stands, "" for none."""
    verdicts: Sequence[Verdict]
    threads: Sequence[HelpThread]
    """What dealers asked about it."""
    replies: Sequence[Reply]
    feedback: Feedback | None

    @property
    def is_cut(self) -> bool:
        """Is the beginning of its history no longer kept?"""
        return len(self.events) < MOST_EVENTS and is_cut(self.events)


def lead_view(session: Session, lead_id: uuid.UUID, *, at: datetime) -> LeadView | None:
    """None where there is no such lead, or none that the actor may see."""
    lead = session.scalar(
        select(Lead)
        .options(
            joinedload(Lead.market),
            joinedload(Lead.brand),
            joinedload(Lead.source),
            joinedload(Lead.campaign),
            joinedload(Lead.owner),
        )
        .where(Lead.id == lead_id)
    )
    if lead is None:
        return None
    events = session.scalars(
        select(Event)
        .options(joinedload(Event.actor))
        .where(Event.lead_id == lead_id)
        .order_by(Event.id.desc())
        .limit(MOST_EVENTS)
    ).all()[::-1]
    decisions = session.scalars(
        select(RoutingDecision)
        .where(RoutingDecision.lead_id == lead_id)
        .order_by(RoutingDecision.at.desc())
        .limit(MOST_DECISIONS)
    ).all()
    offer = session.scalar(
        select(Offer).where(Offer.lead_id == lead_id, Offer.state.in_(("open", "accepted")))
    )
    messages = session.scalars(
        select(Message).where(Message.lead_id == lead_id).order_by(Message.id)
    ).all()
    plans = session.scalars(
        select(PlannedAction).where(PlannedAction.lead_id == lead_id).order_by(PlannedAction.due_at)
    ).all()
    contests = session.scalars(
        select(Contest).where(Contest.lead_id == lead_id, Contest.answered_at.is_(None))
    ).all()
    inquiries = session.scalars(
        select(Inquiry)
        .options(joinedload(Inquiry.source))
        .where(Inquiry.lead_id == lead_id)
        .order_by(Inquiry.at.desc())
        .limit(MOST_INQUIRIES)
    ).all()
    verdicts = session.scalars(
        select(Verdict).where(Verdict.lead_id == lead_id).order_by(Verdict.at.desc())
    ).all()
    others, doubts = _customer_counts(session, lead)
    names = dealer_names(
        session,
        {
            lead.dealer_id,
            *(contest.dealer_id for contest in contests),
            *(event.dealer_id for event in events),
            *(verdict.dealer_id for verdict in verdicts),
            *(decision.dealer_id for decision in decisions),
            *dealer_ids(decision.result for decision in decisions),
        },
        at=at,
    )
    rows = session.scalars(
        select(RoutingPolicy).where(RoutingPolicy.id.in_({d.policy_id for d in decisions}))
    )
    policies = {row.id: row for row in rows}
    told = [
        (d, in_words(d.result, names, cause=d.cause, policy=_policy(d, policies)))
        for d in decisions
    ]
    answers = answers_of_all(session, lead.market_id, (lead, *inquiries), "desk")
    return LeadView(
        lead=lead,
        names=names,
        events=events,
        decisions=told,
        offer=offer,
        messages=messages,
        plans=plans,
        outcome=session.scalar(select(Outcome).where(Outcome.lead_id == lead_id)),
        map=decision_map(session, told[0][0], told[0][1], names) if told else None,
        contests=contests,
        inquiries=inquiries,
        others=others,
        doubts=doubts,
        answers=answers.get(lead.id, ()),
        asked_again=answers,
        consents=session.scalars(
            select(Consent).where(Consent.lead_id == lead_id).order_by(Consent.id)
        ).all(),
        own_status=_own_status(session, lead),
        verdicts=verdicts,
        threads=session.scalars(
            select(HelpThread)
            .where(HelpThread.lead_id == lead_id)
            .order_by(HelpThread.opened_at.desc())
            .limit(MOST_INQUIRIES)
        ).all(),
        replies=session.scalars(
            select(Reply)
            .options(joinedload(Reply.author))
            .where(Reply.lead_id == lead_id)
            .order_by(Reply.at.desc())
            .limit(MOST_INQUIRIES)
        ).all(),
        feedback=session.scalars(select(Feedback).where(Feedback.lead_id == lead_id)).first(),
    )


def _own_status(session: Session, lead: Lead) -> str:
    if not lead.market_status:
        return ""
    names = session.scalar(
        select(MarketStatus.names).where(
            MarketStatus.market_id == lead.market_id, MarketStatus.code == lead.market_status
        )
    )
    return name_in(names or {}, reader().locale) or lead.market_status


def _customer_counts(session: Session, lead: Lead) -> tuple[int, int]:
    """The customer's other leads, and the open questions whether they are somebody else too."""
    others = (
        select(func.count())
        .select_from(Lead)
        .where(Lead.customer_id == lead.customer_id, Lead.id != lead.id)
    )
    either = DuplicateSuggestion.customer_id, DuplicateSuggestion.other_id
    doubts = (
        select(func.count())
        .select_from(DuplicateSuggestion)
        .where(or_(*(column == lead.customer_id for column in either)), is_open())
    )
    return session.scalars(others).one(), session.scalars(doubts).one()


def decision_map(
    session: Session, stored: RoutingDecision, words: DecisionWords, names: Mapping[int, str]
) -> Map | None:
    """Where the customer is and where the dealers were that the decision speaks of, as far as the
    actor sees them; None where the customer's place wasn't known."""
    lat, lon = stored.inputs.get("lat"), stored.inputs.get("lon")
    if lat is None or lon is None:
        return None
    ids = dealer_ids([stored.result])
    if stored.dealer_id is not None:
        ids.add(stored.dealer_id)
    found = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id.in_(ids), DealerTerms.holds_at(stored.at))
    )
    places = {terms.dealer_id: (terms.lat, terms.lon) for terms in found}
    within_km = stored.inputs.get("accuracy_km") or None
    points = [Point(lat, lon, "lead", _("The customer"), within_km=within_km)]
    shown: set[int] = set()
    for row, item in zip(words.ranked, stored.result.get("ranked", ()), strict=True):
        if (id := item["id"]) in places and id not in shown:
            kind = "chosen" if id == stored.dealer_id else "ranked"
            note = " · ".join(part for part in (row.distance, row.hours, row.why) if part)
            points.append(_dealer(places[id], kind, row.dealer or row.code, note, str(row.place)))
            shown.add(id)
    for refused, item in zip(words.refused, stored.result.get("refused", ()), strict=True):
        id = item.get("id")
        if id in places and id not in shown:
            kind = "chosen" if id == stored.dealer_id else "refused"
            note = " · ".join(part for part in (refused.distance, refused.reason) if part)
            points.append(_dealer(places[id], kind, refused.dealer or refused.code, note, "×"))
            shown.add(id)
    lines: tuple[Line, ...] = ()
    if stored.dealer_id in places:
        place = places[stored.dealer_id]
        if stored.dealer_id not in shown:
            how = str(stored.result.get("how") or "")
            note = label("how", how) if how else ""
            points.append(_dealer(place, "chosen", names.get(stored.dealer_id, ""), note, ""))
        km = stored.result.get("distance_km")
        lines = (Line((lat, lon), place, "straight", "" if km is None else format_km(km)),)
    return Map(tuple(points), lines)


def _dealer(place: tuple[float, float], kind: str, name: str, note: str, mark: str) -> Point:
    return Point(place[0], place[1], kind, name, note, mark)


def _policy(decision: RoutingDecision, policies: Mapping[int, RoutingPolicy]) -> str:
    row = policies.get(decision.policy_id) if decision.policy_id is not None else None
    return "" if row is None else policy_words(row.version, row.settings, decision.inputs)
