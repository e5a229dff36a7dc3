"""What is asked but once of one state of the database, however many answers are made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

T = TypeVar("T")
_KEPT = "asked_once"


def asked_once(session: Session, name: str, ask: Callable[[], T]) -> T:
    """What `ask` finds for the session's actor, kept by `name` as long as the transaction lasts. A
    session that sees what is committed meanwhile (none of `lmt.db.reading_sessions_for`) asks each
    time."""
    bind = session.bind
    if bind is None or bind.get_execution_options().get("isolation_level") != "REPEATABLE READ":
        return ask()
    transaction, found = session.info.get(_KEPT, (None, {}))
    if transaction is None or transaction is not session.get_transaction():
        found = {}
    key: Any = (name, session.info["actor"])
    if key not in found:
        found[key] = ask()
        session.info[_KEPT] = (session.get_transaction(), found)
    answer: T = found[key]
    return answer
