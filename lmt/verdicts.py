"""What a lead was worth, by the dealer that worked on it; its source may contest that, and
headquarters answers.

A dealer says it once, and may change its mind until it is contested. No dealer reads what another
said. Each verb commits.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.labels import LABELS
from lmt.lifecycle import WORKED, IllegalStep, Status
from lmt.models import Verdict, locked_lead, record
from lmt.scope import Actor

LONGEST_TEXT = 1000
BY_SOURCE = "source"
JUDGED = WORKED | {Status.RESTING, Status.WON, Status.LOST}
"""What a lead must be for its dealer to know what it is worth."""


class Contested(ValueError):
    """The verdict is contested, or was: it no longer changes by the dealer's word."""


class AlreadyAnswered(ValueError):
    """Somebody else of headquarters was quicker."""


def give(
    session: Session,
    lead_id: uuid.UUID,
    *,
    verdict: str,
    note: str = "",
    at: datetime,
    actor: Actor,
) -> Verdict:
    """The dealer that has the lead says what it is worth, or says otherwise than before.

    Raises LookupError where the actor's dealer hasn't got it, IllegalStep where it hasn't taken
    it, Contested, and ValueError for an unknown verdict.
    """
    if verdict not in LABELS["verdict"]:
        raise ValueError(f"there is no verdict {verdict!r}")
    lead = locked_lead(session, lead_id)
    if lead.dealer_id is None or lead.dealer_id not in actor.dealers:
        raise LookupError(f"no lead {lead_id}")
    if lead.status not in JUDGED:
        raise IllegalStep(Status(lead.status), Status.ACCEPTED)
    said = note.strip()[:LONGEST_TEXT]
    found = verdict_of(session, lead.id, lead.dealer_id)
    if found is not None and found.contested_at is not None:
        raise Contested
    if found is not None and (found.verdict, found.note) == (verdict, said):
        return found
    if found is None:
        found = Verdict(lead_id=lead.id, dealer_id=lead.dealer_id)
        session.add(found)
    found.verdict, found.note, found.at, found.user_id = verdict, said, at, actor.user_id
    _record(session, found, "verdict", at, actor, verdict=verdict, note=said)
    session.commit()
    return found


def contest(
    session: Session,
    lead_id: uuid.UUID,
    dealer_id: int,
    *,
    note: str,
    by: str,
    at: datetime,
    actor: Actor,
) -> Verdict:
    """Doubt a dealer's verdict: `by` is BY_SOURCE, or the name of a person of headquarters.

    Doing it twice changes nothing. Raises LookupError where there is no verdict to see.
    """
    found = session.scalars(
        select(Verdict)
        .where(Verdict.lead_id == lead_id, Verdict.dealer_id == dealer_id)
        .with_for_update(of=Verdict)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise LookupError(f"no verdict of dealer {dealer_id} on lead {lead_id}")
    if found.contested_at is None:
        said = note.strip()[:LONGEST_TEXT]
        found.contested_at, found.contested_by, found.contest_note = at, by, said
        _record(session, found, "verdict_contested", at, actor, note=said)
    session.commit()
    return found


def answer(
    session: Session,
    verdict_id: int,
    *,
    verdict: str,
    note: str,
    at: datetime,
    actor: Actor,
) -> Verdict:
    """Headquarters decides a contested verdict: the same one upholds it, another changes it.

    Raises LookupError where the actor sees none that is contested, AlreadyAnswered, and ValueError
    for an unknown verdict or without words.
    """
    found = session.scalars(
        select(Verdict)
        .where(Verdict.id == verdict_id, Verdict.contested_at.is_not(None))
        .with_for_update(of=Verdict)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise LookupError(f"no contested verdict {verdict_id}")
    if found.answered_at is not None:
        raise AlreadyAnswered
    said = note.strip()
    if verdict not in LABELS["verdict"] or not said or len(said) > LONGEST_TEXT:
        raise ValueError("an answer names a verdict and says why, in at most 1000 characters")
    found.answer = "upheld" if verdict == found.verdict else "changed"
    found.verdict, found.answer_note = verdict, said
    found.answered_at, found.answered_by = at, actor.user_id
    _record(
        session,
        found,
        "verdict_answered",
        at,
        actor,
        answer=found.answer,
        verdict=verdict,
        text=said,
    )
    session.commit()
    return found


def verdict_of(session: Session, lead_id: uuid.UUID, dealer_id: int) -> Verdict | None:
    """What the dealer said of the lead, if anything."""
    return session.scalars(
        select(Verdict).where(Verdict.lead_id == lead_id, Verdict.dealer_id == dealer_id)
    ).first()


def latest_verdict(session: Session, lead_id: uuid.UUID) -> Verdict | None:
    """What was last said of the lead, by whichever dealer the actor may hear."""
    return session.scalars(
        select(Verdict).where(Verdict.lead_id == lead_id).order_by(Verdict.at.desc()).limit(1)
    ).first()


def _record(
    session: Session, row: Verdict, kind: str, at: datetime, actor: Actor, **data: str
) -> None:
    record(
        session,
        row.lead_id,
        kind,
        at=at,
        actor_id=actor.user_id,
        dealer_id=row.dealer_id,
        **data,
    )
