"""Pure: figures of where leads come from: deliveries of sources, places and their dealers."""

from __future__ import annotations

from lmt.i18n import lazy_gettext as _l
from lmt.reports.figure import COUNT, DAYS, KM, SHARE, Figure, ratio_of, whole_of

DELIVERIES = (
    Figure(
        "deliveries",
        _l("Deliveries"),
        _l("What the source delivered in the period, whether or not it could be read."),
        COUNT,
        whole_of("deliveries"),
        extras=("deliveries",),
    ),
    Figure(
        "quarantined",
        _l("Not readable"),
        _l("Deliveries of the period that stand in quarantine today."),
        COUNT,
        whole_of("quarantined"),
        extras=("quarantined",),
        better="less",
    ),
    Figure(
        "quarantined_share",
        _l("Not readable, share"),
        _l("Not readable ÷ deliveries."),
        SHARE,
        ratio_of("quarantined", "deliveries"),
        extras=("quarantined", "deliveries"),
        better="less",
    ),
    Figure(
        "delivery_age",
        _l("Days since the last delivery"),
        _l("From the last delivery of the period until now. Of several sources: the mean."),
        DAYS,
        ratio_of("delivery_days", "delivery_sources"),
        extras=("delivery_days", "delivery_sources"),
        better="less",
    ),
)
COVERAGE = (
    Figure(
        "nearest",
        _l("Nearest dealer, mean distance"),
        _l(
            "The mean distance from the customers' places, to a tenth of a degree, to the nearest"
            " dealer of their market that is active today."
        ),
        KM,
        ratio_of("nearest_km", "near_dealer_leads"),
        extras=("nearest_km", "near_dealer_leads"),
        better="less",
    ),
    Figure(
        "uncovered",
        _l("Uncovered"),
        _l("Leads from places more than 50 km from the nearest dealer of their market."),
        COUNT,
        whole_of("uncovered"),
        extras=("uncovered",),
        better="less",
    ),
    Figure(
        "uncovered_share",
        _l("Uncovered, share"),
        _l("Uncovered ÷ leads whose place is known."),
        SHARE,
        ratio_of("uncovered", "near_leads"),
        extras=("uncovered", "near_leads"),
        better="less",
    ),
)
