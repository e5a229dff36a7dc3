"""The one question after a visit, "How did it go?": who is asked when, the answer, and what the
answers make of a dealer's quality figure. Each verb commits."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from lmt.dealerquality import FORGOTTEN_AFTER_DAYS, quality
from lmt.lifecycle import IllegalStep, Status
from lmt.models import (
    DealerTerms,
    Feedback,
    Lead,
    Market,
    Message,
    PlannedAction,
    Source,
    locked_lead,
    record,
)
from lmt.notify import service as notify
from lmt.routing.directory import dealers_changed

SCORES = (1, 2, 3, 4, 5)
LONGEST_COMMENT = 1000
CHANGEABLE = timedelta(days=7)
AFTER = timedelta(hours=2)
"""So long after its time a visit counts as over, though nobody said that it was done."""
ASKED_WITHIN = timedelta(days=3)
"""Whoever was not asked by then is not asked any more."""
EARLY = timedelta(hours=12)
"""A plan that ended longer before its time did not come to pass: it ended with its lead."""
MOST_ASKED = 200
LEAST_CHANGE = 0.01


def may_answer(session: Session, lead: Lead, at: datetime) -> bool:
    """Whether there is something to ask this lead's customer about, and they may (still) answer."""
    if lead.dealer_id is None or not lead.market.asks_feedback:
        return False
    given = session.get(Feedback, lead.id)
    if given is not None:
        return at < given.at + CHANGEABLE
    if lead.status in {Status.WON, Status.LOST} and lead.contacted_at is not None:
        return True
    visits = select(PlannedAction.id).where(
        PlannedAction.lead_id == lead.id, PlannedAction.dealer_id == lead.dealer_id, _was(at)
    )
    return session.scalars(visits.limit(1)).first() is not None


def answer(
    session: Session, lead_id: uuid.UUID, *, score: int, comment: str, at: datetime
) -> Feedback:
    """Keep the customer's answer; the same again changes nothing. It may be changed for a week; a
    change without a comment keeps the one that was there.

    Raises LookupError, ValueError for a score or comment that can't be one, IllegalStep where
    there is nothing to answer, or no longer.
    """
    if score not in SCORES or len(comment) > LONGEST_COMMENT:
        raise ValueError("a score is 1 to 5, and a comment has 1,000 characters at most")
    lead = locked_lead(session, lead_id)
    if not may_answer(session, lead, at):
        raise IllegalStep(Status(lead.status), Status(lead.status))
    assert lead.dealer_id is not None
    given = session.get(Feedback, lead.id)
    if given is not None and given.score == score and comment in {"", given.comment}:
        session.rollback()
        return given
    if given is None:
        given = Feedback(lead_id=lead.id, dealer_id=lead.dealer_id, at=at)
        session.add(given)
    given.score, given.comment = score, comment or given.comment or ""
    record(
        session, lead.id, "feedback", at=at, dealer_id=given.dealer_id, score=score, text=comment
    )
    session.commit()
    return given


def ask_due(session: Session, at: datetime) -> int:
    """Ask the customers whose test drive or visit was done, or whose time for it has passed;
    returns how many were looked at. Once a lead, and only those who have not answered."""
    plan = PlannedAction
    asked = select(Message.id).where(
        Message.lead_id == plan.lead_id, Message.kind == "customer_feedback"
    )
    answered = select(Feedback.lead_id).where(Feedback.lead_id == plan.lead_id)
    found = session.scalars(
        select(Lead)
        .join(plan, plan.lead_id == Lead.id)
        .join(Market, Market.id == Lead.market_id)
        .join(Source, Source.id == Lead.source_id)
        .where(
            _was(at),
            plan.due_at > at - ASKED_WITHIN,
            plan.dealer_id == Lead.dealer_id,
            Market.asks_feedback,
            # Else those who are never written to would be found again and again.
            or_(Source.tells_customer, Lead.asked_again > 0),
            Lead.email != "",
            ~Lead.test,
            Lead.status != Status.WITHDRAWN,
            ~asked.exists(),
            ~answered.exists(),
        )
        .order_by(plan.due_at.desc())
        .limit(MOST_ASKED)
    ).unique()
    leads = found.all()
    for lead in leads:
        notify.ask_customer_feedback(session, lead, at, at)
    session.commit()
    return len(leads)


def answers_of(session: Session, dealer_id: int, at: datetime) -> tuple[int, float | None]:
    """How many customers answered in the last year, and their mean score; None without any."""
    number, mean = session.execute(
        select(func.count(), func.avg(Feedback.score)).where(
            Feedback.dealer_id == dealer_id, Feedback.at > _year_before(at)
        )
    ).one()
    return number, None if mean is None else float(mean)


def rate_dealers(session: Session, at: datetime) -> int:
    """Write the figure of every dealer that anybody answered about into its terms, where it moved
    by a hundredth or more; returns how many. The worker's, daily.

    A figure that a person or a file set stays until a customer answers: nothing marks it as theirs,
    and from the first answer on the answers say what it is.
    """
    by_dealer: dict[int, list[tuple[int, float]]] = {}
    for dealer_id, score, given_at in session.execute(
        select(Feedback.dealer_id, Feedback.score, Feedback.at).where(
            Feedback.at > _year_before(at)
        )
    ):
        days_old = (at - given_at) / timedelta(days=1)
        by_dealer.setdefault(dealer_id, []).append((score, days_old))
    rated = _rated(session, by_dealer, at)
    if rated:
        dealers_changed(session, at, rated)
    session.commit()
    return len(rated)


def _rated(
    session: Session, by_dealer: dict[int, list[tuple[int, float]]], at: datetime
) -> Sequence[int]:
    rated = []
    terms = select(DealerTerms).where(
        DealerTerms.dealer_id.in_(sorted(by_dealer)), DealerTerms.holds_at(at)
    )
    for row in session.scalars(terms.order_by(DealerTerms.dealer_id).with_for_update()).all():
        figure = round(quality(by_dealer[row.dealer_id]), 3)
        if abs(figure - row.quality) >= LEAST_CHANGE:
            until = row.valid.upper
            successor = row.replace(session, at, quality=figure)
            if until is not None:
                # An end that is planned stays planned.
                successor.end(until)
            rated.append(row.dealer_id)
    return rated


def _was(at: datetime) -> ColumnElement[bool]:
    """The plan was a visit that came to pass, as far as anybody can tell."""
    plan = PlannedAction
    return and_(
        plan.kind != "call",
        plan.cancelled_at.is_(None),
        or_(
            and_(plan.done_at <= at, plan.done_at > plan.due_at - EARLY, ~_lost_before()),
            and_(plan.done_at.is_(None), plan.due_at <= at - AFTER),
        ),
    )


def _lost_before() -> ColumnElement[bool]:
    """The plan ended with its lead, before its time: nobody came."""
    plan, lead = PlannedAction, Lead.__table__.alias("ended").c
    ended = select(lead.id).where(
        lead.id == plan.lead_id, lead.status == Status.LOST, lead.closed_at == plan.done_at
    )
    return and_(plan.done_at < plan.due_at, ended.exists())


def _year_before(at: datetime) -> datetime:
    return at - timedelta(days=FORGOTTEN_AFTER_DAYS)
