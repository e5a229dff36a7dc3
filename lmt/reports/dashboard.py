"""Pure: what the dashboard of each role asks, as the parameters of a report's address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from lmt.lifecycle import OPEN
from lmt.reports.answer import Answer, Key
from lmt.reports.dimensions import NONE
from lmt.reports.figures import BUCKETS, STAGES
from lmt.reports.folding import DAYS_OF_WEEK, OTHERS
from lmt.reports.owncomparison import RATES

Asked = Mapping[str, list[str]]
MOST_NAMED = 5
"""Dealers at either end, and sources, that are named."""
FEW_LEADS = 30
"""Who has fewer is not held against others."""
MUCH_UNREAD = 0.05
"""A share of deliveries that could not be read that needs a look."""
LITTLE_VALID = 0.8
"""A share of valid leads below which a source needs a look."""
WEEKS_BEFORE = 12
"""Shown before the present one."""
_YEAR = timedelta(days=365)


def _asked(figures: Iterable[str], **named: str) -> Asked:
    return {"figures": [",".join(figures)], **{name: [value] for name, value in named.items()}}


OWN = _asked(("leads", *RATES), rows="dealer", period="last_30_days", compare="before")
COLLEAGUES = _asked(
    ("leads", "open", "contacted", "response", "plans_kept_share", "sold"),
    rows="colleague", period="last_90_days",
)  # fmt: skip

MONTH = _asked(
    ("leads", "plan_leads", "plan_leads_reached", "sold", "plan_sold_reached", "conversion",
     "within_60", "value"),
    report="month", rows="",
)  # fmt: skip
FUNNEL = _asked(STAGES, report="conversion", rows="", period="last_90_days", view="chart")
EXPECTED = _asked(
    ("leads", "conversion", "expected_conversion", "against_expected"),
    report="dealers", rows="dealer", period="last_quarter",
)  # fmt: skip
WAITING = _asked(BUCKETS, report="response", rows="", period="last_30_days")
SOURCES = _asked(
    ("leads", "deliveries", "quarantined_share", "valid_share", "source_quality"),
    report="sources", rows="source", period="last_30_days",
)  # fmt: skip

MARKETS = _asked(
    ("leads", "within_60", "conversion", "sold", "value", "plan_leads_reached"),
    report="month", rows="market", currency="one",
)  # fmt: skip


def by_week(today: date, week_start: int, figures: Sequence[str], **named: str) -> Asked:
    """Whole weeks of the reader's up to the present one."""
    begun = today - timedelta(days=(today.weekday() - week_start) % DAYS_OF_WEEK)
    return {
        **_asked(figures, rows="week", view="chart", **named),
        "from": [(begun - WEEKS_BEFORE * timedelta(days=DAYS_OF_WEEK)).isoformat()],
        "to": [today.isoformat()],
    }


def open_now(today: date) -> Asked:
    """What came within a year and is not closed."""
    return {
        **_asked(("open", "queued", "unreached"), rows="status"),
        "from": [(today - _YEAR).isoformat()],
        "to": [today.isoformat()],
        "status": sorted(OPEN),
    }


def far_from_expected(answer: Answer) -> tuple[Sequence[Key], Sequence[Key]]:
    """The dealers with FEW_LEADS or more that sell most above and most below what their leads let
    expect, the furthest first."""
    known = [
        (value, row)
        for row in _named(answer)
        if (value := answer.value("against_expected", row.value)) is not None
        and answer.tally(row.value).count("leads") >= FEW_LEADS
    ]
    known.sort(key=lambda each: (each[0], each[1].value))
    below = [row for value, row in known if value < 1][:MOST_NAMED]
    above = [row for value, row in reversed(known) if value > 1][:MOST_NAMED]
    return above, below


def to_look_at(answer: Answer) -> Sequence[Key]:
    """The sources of which much could not be read, or little was a lead, the worst first."""
    found = []
    for row in _named(answer):
        unread = answer.value("quarantined_share", row.value) or 0.0
        valid = answer.value("valid_share", row.value)
        few = answer.tally(row.value).count("leads") < FEW_LEADS
        spoilt = 0.0 if valid is None or few or valid >= LITTLE_VALID else 1 - valid
        if unread >= MUCH_UNREAD or spoilt:
            found.append((-max(unread, spoilt), row.value, row))
    return [row for _how, _code, row in sorted(found, key=lambda each: each[:2])][:MOST_NAMED]


def _named(answer: Answer) -> list[Key]:
    return [row for row in answer.rows if row.value not in (NONE, OTHERS)]
