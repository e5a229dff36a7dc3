"""Pure: the figures that need more than the leads: expectations, plans, shares, deliveries, hours.

What they need beside counters is in `Tally.extra`, put there by `lmt.reports.enrich`; where it
isn't, they can't be told.
"""

from __future__ import annotations

from lmt.i18n import lazy_gettext as _l
from lmt.reports.callfigures import CALLS
from lmt.reports.dealerfigures import EXPECTED, SHARES
from lmt.reports.figure import NUMBER, Figure, count_of, share_of
from lmt.reports.planfigures import PLANS
from lmt.reports.sourcefigures import COVERAGE, DELIVERIES
from lmt.reports.tally import share

_OF_LEADS = (
    share_of(
        "lost_share", _l("Lost, share"), _l("Lost ÷ leads."), ("lost",), ("leads",), better="less"
    ),
    share_of(
        "withdrawn_share",
        _l("Withdrawn, share"),
        _l("Withdrawn ÷ leads."),
        ("withdrawn",),
        ("leads",),
        better="",
    ),
    Figure(
        "return",
        _l("Return"),
        _l("Value of sales ÷ cost: 1 gives back what was spent."),
        NUMBER,
        lambda t: None if t.cost is None else share(float(t.value), float(t.cost)),
        amounts=("value", "cost"),
        better="more",
    ),
    count_of(
        "located",
        _l("With a place and a dealer"),
        _l("Leads that a dealer has, and whose distance to it is known."),
        "placed",
    ),
)

MORE_FIGURES: tuple[Figure, ...] = (
    *_OF_LEADS,
    *EXPECTED,
    *SHARES,
    *DELIVERIES,
    *COVERAGE,
    *CALLS,
    *PLANS,
)
