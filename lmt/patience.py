"""How long the database may take over what somebody asks of reports, and what is said after."""

from __future__ import annotations

from flask import g
from psycopg.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.exceptions import UnprocessableEntity

LONGEST_STATEMENT_SECONDS = 60.0
"""Of what a person or a program asks of reports; the costliest takes a few."""


class AskedTooMuch(UnprocessableEntity):
    """The database was ended in the midst of its answer."""


def in_time(session: Session) -> Session:
    """The same session, whose transaction ends a statement that goes on for too long: whoever asks
    for more than can be told holds up nobody else for good."""
    milliseconds = round(LONGEST_STATEMENT_SECONDS * 1000)
    session.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))
    g.must_be_in_time = True
    return session


def was_given_up(problem: Exception) -> bool:
    """Was it such a statement? Elsewhere an ended one is a busy database, and no one's fault."""
    ended = isinstance(getattr(problem, "orig", None), QueryCanceled)
    return ended and bool(g.get("must_be_in_time"))
