"""Pure: figures of plans: what markets mean to reach, how much of it is reached, and the pace."""

from __future__ import annotations

from lmt.i18n import lazy_gettext as _l
from lmt.reports.figure import MONEY, NUMBER, SHARE, Figure, ratio_of, told_of

PLANNED = ("leads", "sold", "conversion", "within_60", "value")
"""Figures that markets set targets for."""


PLANS = (
    Figure(
        "plan_leads",
        _l("Leads, planned"),
        _l("The market's target for the months of the period."),
        NUMBER,
        told_of("plan_leads"),
        extras=("plan_leads",),
    ),
    Figure(
        "plan_sold",
        _l("Sold, planned"),
        _l("The market's target for the months of the period."),
        NUMBER,
        told_of("plan_sold"),
        extras=("plan_sold",),
    ),
    Figure(
        "plan_value",
        _l("Value, planned"),
        _l("The market's target for the months of the period."),
        MONEY,
        told_of("plan_value"),
        extras=("plan_value",),
    ),
    Figure(
        "plan_conversion",
        _l("Conversion, planned"),
        _l("The market's target; of several months or markets the mean, weighed by their leads."),
        SHARE,
        ratio_of("plan_conversion", "plan_conversion_leads"),
        extras=("plan_conversion", "plan_conversion_leads"),
    ),
    Figure(
        "plan_within_60",
        _l("Contacted within an hour, planned"),
        _l("The market's target; of several months or markets the mean, weighed by their leads."),
        SHARE,
        ratio_of("plan_within_60", "plan_within_60_leads"),
        extras=("plan_within_60", "plan_within_60_leads"),
    ),
    Figure(
        "plan_leads_reached",
        _l("Leads, of the plan"),
        _l("Leads so far ÷ the target of the whole months."),
        SHARE,
        ratio_of("planned_leads", "plan_leads"),
        extras=("planned_leads", "plan_leads"),
        better="more",
    ),
    Figure(
        "plan_sold_reached",
        _l("Sold, of the plan"),
        _l("Sold so far ÷ the target of the whole months."),
        SHARE,
        ratio_of("planned_sold", "plan_sold"),
        extras=("planned_sold", "plan_sold"),
        better="more",
    ),
    Figure(
        "plan_value_reached",
        _l("Value, of the plan"),
        _l("Value of sales so far ÷ the target of the whole months."),
        SHARE,
        ratio_of("planned_value", "plan_value"),
        extras=("planned_value", "plan_value"),
        better="more",
    ),
    *(
        Figure(
            f"pace_{code}",
            name,
            _l("What the whole months come to at the pace of the days of the period so far."),
            unit,
            told_of(f"pace_{code}"),
            extras=(f"pace_{code}",),
            better="more",
        )
        for code, name, unit in (
            ("leads", _l("Leads, at this pace"), NUMBER),
            ("sold", _l("Sold, at this pace"), NUMBER),
            ("value", _l("Value, at this pace"), MONEY),
        )
    ),
)
