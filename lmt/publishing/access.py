"""Whose forms are whose: which an actor keeps, and the history of what was changed of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from lmt.models import Form, Source, note_change
from lmt.scope import Actor

PERMISSION = "form.edit"


class BadSettings(ValueError):
    """What was given can't be kept: `problems` by field, in the reader's words."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


def edited_markets(actor: Actor) -> frozenset[int] | None:
    """Ids of the markets whose forms the actor keeps; None for all of them."""
    return actor.whole_markets(PERMISSION)


def kept_by(actor: Actor) -> ColumnElement[bool]:
    """The forms that the actor keeps, for a WHERE."""
    own = edited_markets(actor)
    if own is None:
        return true()
    return Form.source_id.in_(select(Source.id).where(Source.market_id.in_(own)))


def kept_form(session: Session, code: str, actor: Actor) -> Form:
    """Raises LookupError for a form that isn't there, or isn't the actor's to keep."""
    found = session.scalars(select(Form).where(Form.code == code, kept_by(actor))).first()
    if found is None:
        raise LookupError(f"no form {code}")
    return found


def locked_form(session: Session, form: Form, actor: Actor) -> Form:
    """The form as it is now, nobody else's to change until the commit. Raises LookupError."""
    row = session.scalars(
        select(Form)
        .where(Form.id == form.id, kept_by(actor))
        .with_for_update(of=Form)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise LookupError(f"no form {form.id}")
    return row


def note(
    session: Session,
    code: str,
    at: datetime,
    actor: Actor,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    note_change(session, "form", code, at=at, user_id=actor.user_id, before=before, after=after)
