"""A dealer asks headquarters, or an expert, about a lead: a thread beside it.

The lead stays with its dealer and its owner throughout; whoever has it later doesn't read the
thread. Each verb commits.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from lmt.colleagues import experts_for
from lmt.models import HelpPost, HelpThread, Lead, record
from lmt.notify import service as notify
from lmt.scope import Actor, as_system

PERMISSION = "help.answer"
LONGEST_TEXT = 4000
LONGEST_TOLD = 500
MOST_THREADS = 20


class Closed(ValueError):
    """The question is closed: nothing can be added."""


class NoExpert(ValueError):
    """Whoever was named gives no advice about leads like this."""


def experts(session: Session, lead: Lead) -> dict[int, str]:
    """Who may be asked by name: people who give advice in the lead's market and brand, by id."""
    return experts_for(session, lead, PERMISSION)


def ask(
    session: Session,
    lead_id: uuid.UUID,
    *,
    text: str,
    expert_id: int | None = None,
    at: datetime,
    actor: Actor,
) -> HelpThread:
    """Begin a thread: with an expert, or with headquarters of the market, who are told.

    Raises LookupError where the actor's dealer hasn't got the lead, ValueError without a text,
    NoExpert.
    """
    lead = session.get(Lead, lead_id)
    if lead is None or lead.dealer_id is None or lead.dealer_id not in actor.dealers:
        raise LookupError(f"no lead {lead_id}")
    said = _said(text)
    asked = experts(session, lead) if expert_id is not None else {}
    if expert_id is not None and expert_id not in asked:
        raise NoExpert(f"no expert {expert_id}")
    assert actor.user_id is not None
    thread = HelpThread(
        lead_id=lead.id,
        market_id=lead.market_id,
        dealer_id=lead.dealer_id,
        asked_by=actor.user_id,
        expert_id=expert_id,
        opened_at=at,
    )
    session.add(thread)
    session.flush()
    session.add(HelpPost(thread_id=thread.id, author_id=actor.user_id, at=at, text=said))
    colleague = asked[expert_id] if expert_id is not None else ""
    _record(session, thread, "help_asked", at, actor, question=said, colleague=colleague)
    session.flush()
    with as_system(session):
        notify.tell_help_asked(session, thread, at)
        session.flush()
    session.commit()
    return thread


def post(
    session: Session, thread_id: uuid.UUID, *, text: str, at: datetime, actor: Actor
) -> HelpThread:
    """Add to a thread: an answer of those asked, or a word more of the dealer; the others are told.

    Raises LookupError where the actor sees no such thread, ValueError without a text, Closed.
    """
    thread = _locked(session, thread_id)
    said = _said(text)
    if thread.closed_at is not None:
        raise Closed
    assert actor.user_id is not None
    session.add(HelpPost(thread_id=thread.id, author_id=actor.user_id, at=at, text=said))
    answers = is_answer(thread, actor)
    if answers:
        thread.answered_at = thread.answered_at or at
        _record(session, thread, "help_answered", at, actor, text=said)
    else:
        _record(session, thread, "help_asked", at, actor, question=said)
    session.flush()
    with as_system(session):
        tell = notify.tell_help_answered if answers else notify.tell_help_asked
        tell(session, thread, at)
        session.flush()
    session.commit()
    return thread


def close(session: Session, thread_id: uuid.UUID, *, at: datetime, actor: Actor) -> HelpThread:
    """Nothing more is to be said. Closing twice changes nothing. Raises LookupError."""
    thread = _locked(session, thread_id)
    if thread.closed_at is None:
        thread.closed_at = at
        _record(session, thread, "help_closed", at, actor)
    session.commit()
    return thread


def is_answer(thread: HelpThread, actor: Actor) -> bool:
    """Whether what the actor writes is an answer: of whoever isn't of the dealer that asks."""
    return thread.dealer_id not in actor.dealers


def threads(session: Session, lead_id: uuid.UUID, dealer_id: int) -> Sequence[HelpThread]:
    """What the dealer asked about the lead, the newest first, with all that was written."""
    return session.scalars(
        select(HelpThread)
        .where(HelpThread.lead_id == lead_id, HelpThread.dealer_id == dealer_id)
        .options(
            joinedload(HelpThread.expert),
            selectinload(HelpThread.posts).joinedload(HelpPost.author),
        )
        .order_by(HelpThread.opened_at.desc(), HelpThread.id)
        .limit(MOST_THREADS)
    ).all()


def _locked(session: Session, thread_id: uuid.UUID) -> HelpThread:
    found = session.scalars(
        select(HelpThread)
        .where(HelpThread.id == thread_id)
        .with_for_update(of=HelpThread)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise LookupError(f"no thread {thread_id}")
    return found


def _said(text: str) -> str:
    said = text.strip()
    if not said or len(said) > LONGEST_TEXT:
        raise ValueError(f"between 1 and {LONGEST_TEXT} characters are said")
    return said


def _record(
    session: Session, thread: HelpThread, kind: str, at: datetime, actor: Actor, **data: str
) -> None:
    """In the history of the lead, to be read by the dealer that asks and by headquarters alone."""
    told = {key: value[:LONGEST_TOLD] for key, value in data.items()}
    record(
        session,
        thread.lead_id,
        kind,
        at=at,
        actor_id=actor.user_id,
        dealer_id=thread.dealer_id,
        thread_id=str(thread.id),
        **told,
    )
