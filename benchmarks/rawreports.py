"""The questions of the standard reports asked of the tables themselves, as one would without facts:
the baseline of `benchmarks.reports`. Each is the least that such a report needs: leads, contacted,
sold, and the median time to the contact, by the report's rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from lmt.reports.answer import Answer
from lmt.reports.folding import OTHERS

FIGURES = ("leads", "contacted", "sold", "conversion", "response")
Row = tuple[int, int, int, float | None]
"""Leads, contacted, sold, the median response in minutes."""

GROUPS = {
    "": "''::text",
    "market": "l.market_id",
    "dealer": "coalesce(l.dealer_id, 0)",
    "status": "l.status",
    "campaign": "l.campaign_id",
    "source": "l.source_id",
    "region": "l.region",
    "country": "l.country",
    "month": "date_trunc('month', l.created_at AT TIME ZONE m.timezone)",
    "hour": "extract(hour FROM l.created_at AT TIME ZONE m.timezone)",
}

_ASKED = """
SELECT {group}, count(*), count(l.contacted_at),
  count(*) FILTER (WHERE l.status = 'won' OR s.id IS NOT NULL),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY floor(extract(epoch FROM greatest(interval '0',
    l.contacted_at - CASE WHEN l.import_id IS NULL THEN l.created_at
      ELSE least(l.first_call_at, l.contacted_at) END))))
    FILTER (WHERE l.contacted_at IS NOT NULL) / 60
FROM lead AS l
JOIN market AS m ON m.id = l.market_id
LEFT JOIN sale AS s ON s.lead_id = l.id
WHERE NOT l.test
  AND NOT (l.status = 'withdrawn'
    AND l.cause IN ('test','suppressed','import_undone','joined_back'))
  AND l.created_at >= :from AND l.created_at < :to
  AND (l.created_at AT TIME ZONE m.timezone)::date BETWEEN :first AND :last
GROUP BY {group_by}
"""


def asked(connection: Connection, rows: str, first: date, last: date) -> list[Row]:
    """What each group has, in no order."""
    group = GROUPS[rows]
    statement = text(_ASKED.format(group=group, group_by=group if rows else "()"))
    # No wall is farther than a day from UTC: these two let the index find the leads.
    day = timedelta(days=1)
    given = {"from": first - day, "to": last + 2 * day, "first": first, "last": last}
    return [
        (leads, contacted, sold, None if median is None else float(median))
        for _key, leads, contacted, sold, median in connection.execute(statement, given)
    ]


def expect_agreeing(answer: Answer, raw: Sequence[Row], *, whole: Row) -> None:
    """Raises AssertionError where the report tells other figures than the tables do."""
    assert _row(answer, None) == _rounded(whole), (_row(answer, None), whole)
    shown = Counter(_row(answer, key.value) for key in answer.rows if key.value != OTHERS)
    shown.pop((0, 0, 0, None), None)
    there = Counter(_rounded(row) for row in raw)
    if any(key.value == OTHERS for key in answer.rows):
        assert not shown - there, shown - there
    else:
        assert shown == there, ((shown - there), (there - shown))


def _row(answer: Answer, row: str | None) -> Row:
    def of(figure: str) -> Any:
        return answer.value(figure, row)

    return _rounded((of("leads"), of("contacted"), of("sold"), of("response")))


def _rounded(row: Row) -> Row:
    leads, contacted, sold, median = row
    return int(leads), int(contacted), int(sold), None if median is None else round(median, 3)
