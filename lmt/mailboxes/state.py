"""Who reads a mailbox now, and when it is read next: rows, so that any number of workers may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.models import MailboxState, Source

LEASE = timedelta(minutes=5)
_FIRST_WAIT = {"login": timedelta(minutes=15)}
"""A server that refuses a password may lock the account of who insists."""
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """A mailbox that is ours to read until `lease_until`, which is also how our claim is known."""

    source: Source
    lease_until: datetime


def take_turn(session: Session, at: datetime) -> Turn | None:
    """The mailbox that has waited longest, where one is due; commits. A paused one rests."""
    _enter_new(session, at)
    row = session.scalars(
        select(MailboxState)
        .join(Source, Source.id == MailboxState.source_id)
        .where(
            _runs(),
            MailboxState.next_check_at <= at,
            or_(MailboxState.lease_until.is_(None), MailboxState.lease_until < at),
        )
        .order_by(MailboxState.next_check_at, MailboxState.source_id)
        .limit(1)
        .with_for_update(skip_locked=True, of=MailboxState)
    ).first()
    if row is None:
        session.commit()
        return None
    row.lease_until = at + LEASE
    source = session.get_one(Source, row.source_id, populate_existing=True)
    turn = Turn(source, row.lease_until)
    session.commit()
    return turn


def keep_turn(session: Session, turn: Turn, at: datetime) -> Turn | None:
    """The same for longer; None where somebody else has it by now. Commits."""
    until = at + LEASE
    if not _ours(session, turn, lease_until=until):
        return None
    return Turn(turn.source, until)


def end_turn(
    session: Session, turn: Turn, at: datetime, *, every_minutes: int, problem: str = ""
) -> None:
    """It was read without `problem`, "" or a code that no failure counts for. Commits."""
    _ours(
        session,
        turn,
        lease_until=None,
        checked_at=at,
        failures=0,
        problem=problem,
        next_check_at=at + timedelta(minutes=every_minutes),
    )


def fail_turn(session: Session, turn: Turn, at: datetime, code: str, *, every_minutes: int) -> None:
    """It could not be read: longer and longer waits, an hour at most. Commits."""
    row = session.get(MailboxState, turn.source.id)
    failures = (row.failures if row is not None else 0) + 1
    _ours(
        session,
        turn,
        lease_until=None,
        checked_at=at,
        failures=failures,
        problem=code,
        next_check_at=at + wait_after(failures, code, every_minutes),
    )


def wait_after(failures: int, code: str, every_minutes: int) -> timedelta:
    """How long a mailbox is left alone after so many failures in a row."""
    usual = timedelta(minutes=every_minutes)
    first = max(usual, _FIRST_WAIT.get(code, timedelta(minutes=1)))
    wait = first * float(2 ** min(failures - 1, 10))
    return max(min(wait, _LONGEST_WAIT), usual)


def check_soon(session: Session, source: Source, at: datetime) -> None:
    """Let the next worker read it, whatever it waits for. No commit."""
    row = insert(MailboxState).values(source_id=source.id, next_check_at=at, failures=0, problem="")
    session.execute(
        row.on_conflict_do_update(index_elements=["source_id"], set_={"next_check_at": at})
    )


def _ours(session: Session, turn: Turn, **values: object) -> bool:
    found = session.execute(
        update(MailboxState)
        .where(
            MailboxState.source_id == turn.source.id,
            MailboxState.lease_until == turn.lease_until,
        )
        .values(**values)
        .returning(MailboxState.source_id)
        .execution_options(synchronize_session=False)
    ).first()
    session.commit()
    return found is not None


def _enter_new(session: Session, at: datetime) -> None:
    new = select(Source.id).where(
        _runs(), ~select(MailboxState).where(MailboxState.source_id == Source.id).exists()
    )
    for source_id in session.scalars(new):
        row = insert(MailboxState).values(
            source_id=source_id, next_check_at=at, failures=0, problem=""
        )
        session.execute(row.on_conflict_do_nothing(index_elements=["source_id"]))


def _runs() -> ColumnElement[bool]:
    return and_(Source.kind == "mailbox", Source.active, Source.paused_at.is_(None))
