"""Stage 5, pure: when the owner of a planned action is reminded that it comes."""

from __future__ import annotations

from datetime import datetime, timedelta

from lmt.workhours import Calendar, is_open, next_opening, open_stretches

BEFORE = timedelta(minutes=30)
BEFORE_CLOSING = timedelta(minutes=15)
"""At the closing itself nobody reads it any more."""
_LOOK_BACK = timedelta(days=14)


def reminder_at(calendar: Calendar, due_at: datetime, planned_at: datetime) -> datetime | None:
    """Half an hour before `due_at`, inside the dealer's working time; where the dealer is closed
    then, a quarter of an hour before the last closing.

    Where that lies before the plan was made, the next opening in time counts. None: there is no
    such instant between the planning and the action.
    """
    usual = due_at - BEFORE
    if usual > planned_at and is_open(calendar, usual):
        return usual
    if usual > planned_at:
        stretches = open_stretches(calendar, max(planned_at, usual - _LOOK_BACK), usual)
        if stretches:
            opened_at, closes_at = stretches[-1]
            return max(opened_at, closes_at - BEFORE_CLOSING)
    opening = next_opening(calendar, max(planned_at, usual))
    return opening if opening is not None and max(planned_at, usual) < opening < due_at else None
