"""When imported leads set off: a few at a time, so that a market's dealers can keep up with them.

A call centre's file is thousands of people at once. A market that names how many an hour its
dealers can take gets them one after the other, also across files (`lmt.models.Release`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

_HOUR = timedelta(hours=1)


def release_instants(
    cursor: datetime | None, at: datetime, per_hour: int | None, n: int
) -> list[datetime]:
    """When the next `n` leads set off, each an hour's `per_hour`-th part after the one before.

    `cursor` is when the next may go, None or an instant before `at` for at once. Without
    `per_hour` all of them go at once. Ask for one more than there are: the last is the cursor of
    those to come.
    """
    if per_hour is None:
        return [at] * n
    begins_at = at if cursor is None else max(cursor, at)
    return [begins_at + _HOUR * number / per_hour for number in range(n)]
