"""Pure: the standard reports: questions that everybody asks, under a name, to start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l
from lmt.reports.figures import BUCKETS, STAGES

NETWORK = "lead.assign"
"""The permission of reports that set dealers or markets against each other."""


@dataclass(frozen=True, slots=True)
class Standard:
    """`start` are the parameters of an address that asks it, each of which the reader may change;
    `dimensions` are offered first as rows, "" for one row of all. `permission` is asked beside
    `report.read`; "" for no other."""

    code: str
    name: LazyProxy
    sentence: LazyProxy
    start: Mapping[str, str]
    dimensions: tuple[str, ...] = ()
    permission: str = ""


def _standard(
    code: str,
    name: LazyProxy,
    sentence: LazyProxy,
    figures: tuple[str, ...],
    dimensions: tuple[str, ...],
    permission: str = "",
    **start: str,
) -> Standard:
    asked = {"rows": dimensions[0], "figures": ",".join(figures), "report": code, **start}
    return Standard(code, name, sentence, asked, dimensions, permission)


STANDARD: tuple[Standard, ...] = (
    _standard(
        "conversion",
        _l("Conversion"),
        _l("How far leads come, from arrival to sale, and how many are still open."),
        (*STAGES, "conversion", "open_share"),
        (
            "", "market", "brand", "model", "request_type", "channel", "campaign", "dealer",
            "group", "region", "language",
        ),
        period="last_90_days",
    ),
    _standard(
        "categories",
        _l("Categories"),
        _l("What leads are about, where they stand, and why they were lost."),
        (
            "leads", "valid", "valid_share", "contacted", "contacted_share", "sold", "conversion",
            "lost", "lost_share", "withdrawn", "withdrawn_share", "open_share",
        ),
        ("status", "cause", "verdict", "request_type", "service", "band", "customer_kind"),
    ),
    _standard(
        "response",
        _l("Handling and response time"),
        _l("How long customers wait for us, and how long leads take until they are closed."),
        (
            "leads", "response", "work_response", "within_15", "within_60", "within_240",
            "within_1440", *BUCKETS, "take", "handling", "promise_kept_share", "plans_kept_share",
        ),
        ("market", "dealer", "channel", "request_type", "weekday", "hour", "week", "colleague"),
    ),
    _standard(
        "dealers",
        _l("Comparison of dealers"),
        _l("Dealers side by side, each set against what the leads it got let expect."),
        (
            "leads", "acceptance", "response", "work_response", "within_60", "conversion",
            "expected_conversion", "against_expected", "quality", "first_owner", "reroutes",
            "score",
        ),
        ("dealer", "group", "market"),
        NETWORK,
        period="last_quarter",
    ),
    _standard(
        "campaigns",
        _l("Return of campaigns"),
        _l("What campaigns cost, and what came of them."),
        (
            "cost", "leads", "valid", "sold", "value", "cost_per_lead", "cost_per_sale",
            "return",
        ),
        ("campaign", "market", "month"),
        NETWORK,
        period="last_90_days",
    ),
    _standard(
        "fair_share",
        _l("Fair share"),
        _l("What each dealer could expect of the leads near it, what it got, and why not more."),
        (
            "share_expected", "share_received", "share_difference", "share_kept",
            "share_missed_closed", "share_missed_cap", "share_missed_paused",
            "share_missed_declined", "share_missed_timed_out", "share_missed_turn",
            "share_lost_declined", "share_lost_timed_out",
        ),
        ("dealer", "group", "market", "month"),
        NETWORK,
        sort="share_expected",
    ),
    _standard(
        "sources",
        _l("Health of sources"),
        _l("What each source delivers, what of it could not be read, and how good its leads are."),
        (
            "deliveries", "quarantined", "quarantined_share", "delivery_age", "leads",
            "valid_share", "confirmation", "contacted_share", "conversion", "source_quality",
        ),
        ("source", "market"),
        NETWORK,
    ),
    _standard(
        "coverage",
        _l("Coverage"),
        _l("Where leads come from, how far their dealers are, and where there is none near."),
        ("leads", "located", "distance", "nearest", "uncovered", "uncovered_share", "queued"),
        ("country", "region", "market", "brand"),
        NETWORK,
        period="last_quarter",
    ),
    _standard(
        "call_centre",
        _l("Call centre"),
        _l("When leads arrive, when somebody is there for them, and what calls came to."),
        (
            "leads", "staffed_hours", "leads_per_staffed_hour", "calls", "calls_reached",
            "calls_reached_share", "calls_interested", "calls_refused",
            "calls_qualified", "calls_qualified_share",
        ),
        ("hour", "agent", "disposition", "weekday", "day", "market", "source"),
        NETWORK,
    ),
    _standard(
        "month",
        _l("This month"),
        _l("The month so far against the same days of the last one, and against the plan."),
        (
            "leads", "plan_leads", "plan_leads_reached", "pace_leads", "sold", "plan_sold",
            "plan_sold_reached", "pace_sold", "value", "plan_value", "plan_value_reached",
            "pace_value", "conversion", "plan_conversion", "within_60", "plan_within_60",
        ),
        ("market", "", "month"),
        period="this_month",
        compare="month",
    ),
)  # fmt: skip
BY_CODE = {each.code: each for each in STANDARD}
