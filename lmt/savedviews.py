"""Filters of a list that a person gave a name, in a room of theirs: `desk` or `console`. Each verb
commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lmt.models import SavedView

MOST_VIEWS = 30
LONGEST_NAME = 60


class BadView(ValueError):
    """`cause` is one of: unnamed, long, known, many."""

    def __init__(self, cause: str):
        super().__init__(cause)
        self.cause = cause


def views_of(session: Session, user_id: int, room: str) -> Sequence[SavedView]:
    """By name."""
    return session.scalars(
        select(SavedView)
        .where(SavedView.user_id == user_id, SavedView.room == room)
        .order_by(func.lower(SavedView.name), SavedView.id)
        .limit(MOST_VIEWS)
    ).all()


def keep_view(
    session: Session, user_id: int, room: str, name: str, filters: Mapping[str, str], at: datetime
) -> SavedView:
    """Raises BadView where the name is none, too long or known, or there are too many."""
    name = " ".join(name.split())
    known = views_of(session, user_id, room)
    if not name:
        raise BadView("unnamed")
    if len(name) > LONGEST_NAME:
        raise BadView("long")
    if name.casefold() in {view.name.casefold() for view in known}:
        raise BadView("known")
    if len(known) >= MOST_VIEWS:
        raise BadView("many")
    view = SavedView(user_id=user_id, room=room, name=name, filters=dict(filters), created_at=at)
    session.add(view)
    try:
        session.commit()
    except IntegrityError:
        # Saved twice at once.
        session.rollback()
        raise BadView("known") from None
    return view


def forget_view(
    session: Session, user_id: int, room: str, view_id: int
) -> tuple[str, dict[str, str]]:
    """Its name and filters, to bring it back. Raises LookupError for a view of somebody else."""
    view = session.scalars(
        select(SavedView).where(
            SavedView.id == view_id, SavedView.user_id == user_id, SavedView.room == room
        )
    ).first()
    if view is None:
        raise LookupError(f"no view {view_id}")
    name, filters = view.name, dict(view.filters)
    session.delete(view)
    session.commit()
    return name, filters
