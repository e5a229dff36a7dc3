"""The door that every delivery comes through: read it, accept it, or keep it with the reason."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt.ingest.accept import Delivery, KeyReused, Receipt, accept, quarantine
from lmt.ingest.characters import storable
from lmt.models import Source

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

    def __init__(self, intake_id: uuid.UUID, code: str, errors: Sequence[Mapping[str, str]]):
        super().__init__(code)
        self.intake_id, self.code, self.errors = intake_id, code, list(errors)


def receive(
    session: Session,
    source: Source,
    delivery: Delivery,
    read: Callable[[bytes], Leads],
    at: datetime,
) -> Receipt:
    """Make the delivery durable as leads; commits.

    Raises Quarantined where it can't be read, or reading it broke us: its bytes are kept either
    way. Raises KeyReused. Anything else means that nothing was kept, and the sender must repeat.
    """
    try:
        leads = read(delivery.body)
    except Unreadable as problem:
        raise _keep(session, source, delivery, problem.code, problem.errors, at) from problem
    try:
        return accept(session, source, delivery, leads, at)
    except (KeyReused, OperationalError):
        # A database that is away or busy says nothing about the delivery: its sender tries again.
        session.rollback()
        raise
    except Exception as problem:
        log.exception("delivery.failed", source=source.code)
        session.rollback()
        raise _keep(session, source, delivery, "failed", [], at) from problem


def _keep(
    session: Session,
    source: Source,
    delivery: Delivery,
    code: str,
    errors: Sequence[Mapping[str, str]],
    at: datetime,
) -> Quarantined:
    # A field may be named by anything; what the database refuses must not lose the delivery.
    named = storable([dict(error) for error in errors[:MOST_ERRORS]])
    problem = {"code": code, "errors": named}
    return Quarantined(quarantine(session, source, delivery, problem, at), code, named)
