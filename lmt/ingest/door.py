"""The door that every delivery comes through: read it, accept it, or keep it with the reason."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt.ingest.accept import (
    Delivery,
    KeyReused,
    Receipt,
    SourceChanged,
    accept,
    earlier,
    quarantine,
)
from lmt.ingest.books import books
from lmt.ingest.characters import storable
from lmt.models import Source
from lmt.scope import as_system

log = structlog.get_logger(__name__)

Leads = Sequence[Mapping[str, Any]]

MOST_ERRORS = 100
"""A body of nothing but mistakes is told so many of them."""


class Unreadable(Exception):
    """Raised by readers: a delivery in which no lead can be found, and why."""

    def __init__(self, code: str, errors: Sequence[Mapping[str, str]] = ()):
        super().__init__(code)
        self.code, self.errors = code, list(errors)


class Quarantined(Exception):
    """The delivery is kept, but is no lead yet; `intake_id` names it."""

    def __init__(
        self, intake_id: uuid.UUID, code: str, errors: Sequence[Mapping[str, str]] = ()
    ) -> None:
        super().__init__(code)
        self.intake_id, self.code, self.errors = intake_id, code, list(errors)


class Paused(Quarantined):
    """The source rests: what it sends is kept unread, and taken in when it goes on."""


def receive(
    session: Session,
    source: Source,
    delivery: Delivery,
    read: Callable[[bytes], Leads],
    at: datetime,
) -> Receipt:
    """Make the delivery durable as leads; commits.

    Raises Paused where the source rests, Quarantined where it can't be read, or reading it broke
    us: its bytes are kept either way. Raises KeyReused, and SourceChanged where it must be read
    anew. Anything else means that nothing was kept, and the sender must repeat.
    """
    if source.paused_at is not None:
        _look_again(session, source)
        if known := earlier(session, source, delivery, at):
            return known
        raise Paused(_keep(session, source, delivery, "paused", [], at), "paused")
    try:
        return accept(session, source, delivery, read(delivery.body), at)
    except (KeyReused, SourceChanged, OperationalError):
        # A database that is away or busy says nothing about the delivery: its sender tries again.
        session.rollback()
        raise
    except Unreadable as problem:
        _look_again(session, source)
        errors = _named(problem.errors)
        intake_id = _keep(session, source, delivery, problem.code, errors, at)
        raise Quarantined(intake_id, problem.code, errors) from problem
    except Exception as problem:
        log.exception("delivery.failed", source=source.code)
        session.rollback()
        _look_again(session, source)
        intake_id = _keep(session, source, delivery, "failed", [], at)
        raise Quarantined(intake_id, "failed") from problem


def _look_again(session: Session, source: Source) -> None:
    """Before a delivery is not taken in: is that still so, or is what we remember out of date?"""
    with as_system(session):
        if not books(session).holds(source):
            raise SourceChanged


def _named(errors: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """A field may be named by anything; what the database refuses must not lose the delivery."""
    return [dict(storable(error)) for error in errors[:MOST_ERRORS]]


def _keep(
    session: Session,
    source: Source,
    delivery: Delivery,
    code: str,
    errors: Sequence[Mapping[str, str]],
    at: datetime,
) -> uuid.UUID:
    problem = {"code": code, "errors": list(errors)}
    return quarantine(session, source, delivery, problem, at)
