"""Pure: every figure of every report, defined once: its name, its formula in words, its arithmetic.

`docs/reports.md` lists them, with what each counter counts (`lmt.reports.facts`).
"""

from __future__ import annotations

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l
from lmt.reports.figure import (
    COUNT,
    DAYS,
    KM,
    MINUTES,
    MONEY,
    NUMBER,
    SCORE,
    SHARE,
    Figure,
)
from lmt.reports.figure import count_of as _count
from lmt.reports.figure import median_of as _median
from lmt.reports.figure import share_of as _share
from lmt.reports.morefigures import MORE_FIGURES
from lmt.reports.tally import Tally, share

__all__ = ["COUNT", "DAYS", "KM", "MINUTES", "MONEY", "NUMBER", "SCORE", "SHARE", "Figure"]

TARGETS_MINUTES = (15, 60, 240, 1440)
REACHED = (
    "reached_5", "reached_15", "reached_30", "reached_60", "reached_240", "reached_1440",
    "reached_later",
)  # fmt: skip
"""Buckets of the response time, each without the ones before."""
ANSWERED = ("offers_accepted", "offers_declined", "offers_expired")


def _within(minutes: int, name: LazyProxy, formula: LazyProxy) -> Figure:
    upper = {"reached_5": 5, "reached_15": 15, "reached_30": 30, "reached_60": 60,
             "reached_240": 240, "reached_1440": 1440}  # fmt: skip
    part = tuple(code for code, most in upper.items() if most <= minutes)
    return _share(f"within_{minutes}", name, formula, part, (*REACHED, f"overdue_{minutes}"))


def _cost_per(tally: Tally, counter: str) -> float | None:
    return None if tally.cost is None else share(float(tally.cost), tally.count(counter))


def source_quality(tally: Tally) -> float | None:
    """0 to 1: the share of valid leads, of contacted ones and of confirmed verdicts, weighed 2, 1
    and 1; what is not known is left out. None of no leads."""
    parts = (
        (share(tally.count("valid"), tally.count("leads")), 2),
        (share(tally.count("contacted"), tally.count("leads")), 1),
        (share(tally.count("confirmed"), tally.count("verdicts")), 1),
    )
    known = [(part, weight) for part, weight in parts if part is not None]
    return share(sum(p * w for p, w in known), sum(w for _p, w in known))


_FIGURES: tuple[Figure, ...] = (
    _count(
        "leads",
        _l("Leads"),
        _l(
            "Every lead received in the period. Tests, leads of an import that was undone, and"
            " leads stopped by a do-not-contact list are left out."
        ),
    ),
    _count(
        "valid",
        _l("Valid leads"),
        _l(
            "Leads but those that turned out to be none: lost or judged for wrong data, withdrawn"
            " as no request or as entered twice."
        ),
    ),
    _share("valid_share", _l("Valid share"), _l("Valid leads ÷ leads."), ("valid",), ("leads",)),
    _count("offered", _l("Offered"), _l("Leads that were offered to a dealer.")),
    _count("accepted", _l("Accepted"), _l("Leads that a dealer has accepted.")),
    _count(
        "contacted",
        _l("Contacted"),
        _l("Leads whose customer was reached by a person. Automatic replies are no contact."),
    ),
    _count(
        "appointment",
        _l("Appointments"),
        _l("Leads with a test drive or a visit that was planned and not called off."),
    ),
    _count("visited", _l("Visits"), _l("Leads whose test drive or visit took place.")),
    _count(
        "sold",
        _l("Sold"),
        _l("Leads that stand as sold today, or that a sale of a sales file was matched to."),
    ),
    _count("won", _l("Sold, as the dealer says"), _l("Leads that stand as sold today.")),
    _count(
        "matched",
        _l("Sold, as the sales file says"),
        _l("Leads that a sale of a sales file was matched to."),
    ),
    _count(
        "sold_elsewhere",
        _l("Sold by another dealer"),
        _l("Leads whose matched sale was made by another dealer than the one that has the lead."),
    ),
    _count("lost", _l("Lost"), _l("Leads that were closed without a sale."), better="less"),
    _count("withdrawn", _l("Withdrawn"), _l("Leads that were taken back.")),
    _count(
        "open",
        _l("Still open"),
        _l("Leads neither sold nor lost nor withdrawn: their outcome is not known yet."),
    ),
    _count(
        "queued",
        _l("In a queue"),
        _l("Open leads that no dealer has: place unclear, nobody found, or no way to reach."),
        better="less",
    ),
    _share(
        "conversion",
        _l("Conversion to sale"),
        _l("Sold ÷ leads, by the day on which the lead came. Open leads count as not sold yet."),
        ("sold",),
        ("leads",),
    ),
    _share(
        "valid_conversion",
        _l("Conversion of valid leads"),
        _l("Sold ÷ valid leads."),
        ("sold",),
        ("valid",),
    ),
    _share(
        "open_share",
        _l("Still open, share"),
        _l("Open ÷ leads: so much of the conversion is not decided yet."),
        ("open",),
        ("leads",),
        better="",
    ),
    _share("offered_share", _l("Offered, share"), _l("Offered ÷ leads."), ("offered",), ("leads",)),
    _share(
        "accepted_share",
        _l("Accepted, share"),
        _l("Accepted ÷ leads."),
        ("accepted",),
        ("leads",),
    ),
    _share(
        "contacted_share",
        _l("Contacted, share"),
        _l("Contacted ÷ leads."),
        ("contacted",),
        ("leads",),
    ),
    _share(
        "appointment_share",
        _l("Appointments, share"),
        _l("Leads with an appointment ÷ leads."),
        ("appointment",),
        ("leads",),
    ),
    _share("visited_share", _l("Visits, share"), _l("Visits ÷ leads."), ("visited",), ("leads",)),
    _median(
        "response",
        _l("Median response time"),
        _l(
            "The middle of all times from receiving a lead to reaching its customer, as the"
            " customer felt it: nights and weekends count. Who was approached by us waits from the"
            " first call on. Leads not contacted have no time."
        ),
        "response",
        MINUTES,
    ),
    _median(
        "work_response",
        _l("Median response time in working time"),
        _l(
            "The middle of all times from the offer to the dealer that has the lead to reaching"
            " its customer, in that dealer's working minutes."
        ),
        "work_response",
        MINUTES,
    ),
    _within(
        15,
        _l("Contacted within 15 minutes"),
        _l(
            "Leads contacted within 15 minutes ÷ leads that were contacted or whose 15 minutes"
            " have passed. Nights and weekends count."
        ),
    ),
    _within(
        60,
        _l("Contacted within an hour"),
        _l(
            "Leads contacted within an hour ÷ leads that were contacted or whose hour has passed."
            " Nights and weekends count."
        ),
    ),
    _within(
        240,
        _l("Contacted within 4 hours"),
        _l(
            "Leads contacted within 4 hours ÷ leads that were contacted or whose 4 hours have"
            " passed. Nights and weekends count."
        ),
    ),
    _within(
        1440,
        _l("Contacted within a day"),
        _l(
            "Leads contacted within 24 hours ÷ leads that were contacted or whose 24 hours have"
            " passed."
        ),
    ),
    _count("reached_5", _l("Within 5 minutes"), _l("Contacted in 5 minutes at most.")),
    _count("reached_15", _l("5 to 15 minutes"), _l("Contacted after more than 5 minutes.")),
    _count("reached_30", _l("15 to 30 minutes"), _l("Contacted after more than 15 minutes.")),
    _count("reached_60", _l("30 to 60 minutes"), _l("Contacted after more than 30 minutes.")),
    _count("reached_240", _l("1 to 4 hours"), _l("Contacted after more than an hour.")),
    _count("reached_1440", _l("4 to 24 hours"), _l("Contacted after more than 4 hours.")),
    _count("reached_later", _l("Later than a day"), _l("Contacted after more than 24 hours.")),
    _count(
        "unreached",
        _l("Not yet contacted"),
        _l("Leads whose customer waits for us and was never reached, closed ones included."),
        better="less",
    ),
    _median(
        "take",
        _l("Median time to take"),
        _l("The middle of all times from the offer to its being accepted, nights included."),
        "take",
        MINUTES,
    ),
    _median(
        "work_take",
        _l("Median time to take in working time"),
        _l("The middle of all times from the offer to its being accepted, in working minutes."),
        "work_take",
        MINUTES,
    ),
    _median(
        "handling",
        _l("Median handling time"),
        _l("The middle of all times from receiving a lead to closing it as sold or lost."),
        "handling",
        DAYS,
    ),
    _median(
        "sale_days",
        _l("Median days to sale"),
        _l("The middle of all times from receiving a lead to the sale."),
        "sale",
        DAYS,
    ),
    _count("offers", _l("Offers"), _l("How often these leads were offered, to each dealer.")),
    _share(
        "acceptance",
        _l("Offers accepted"),
        _l("Offers accepted ÷ offers that were accepted, declined or not answered in time."),
        ("offers_accepted",),
        ANSWERED,
    ),
    _share(
        "decline",
        _l("Offers declined"),
        _l("Offers declined ÷ offers that were accepted, declined or not answered in time."),
        ("offers_declined",),
        ANSWERED,
        better="less",
    ),
    _share(
        "timeout",
        _l("Offers not answered in time"),
        _l("Offers whose time ran out ÷ offers accepted, declined or not answered in time."),
        ("offers_expired",),
        ANSWERED,
        better="less",
    ),
    _count(
        "reroutes",
        _l("Re-routes"),
        _l("How often these leads went on to another dealer."),
        better="less",
    ),
    _share(
        "rerouted_share",
        _l("Re-routed, share"),
        _l("Leads offered to more than one dealer ÷ leads offered."),
        ("rerouted",),
        ("offered",),
        better="less",
    ),
    _share(
        "first_owner",
        _l("Closed by the first dealer"),
        _l("Leads sold or lost by the dealer that got them first ÷ leads sold or lost."),
        ("closed_by_first",),
        ("closed",),
    ),
    _share(
        "asked_again_share",
        _l("Asked again, share"),
        _l("Leads whose customer asked for the same again while they were open ÷ leads."),
        ("asked_again",),
        ("leads",),
        better="less",
    ),
    _share(
        "proven_share",
        _l("Contact proven, share"),
        _l(
            "Leads whose contact the system saw itself (a reply sent through it, or the customer's"
            " own answer) ÷ leads contacted. The rest is as the dealer says."
        ),
        ("proven",),
        ("contacted",),
    ),
    _share(
        "promise_kept_share",
        _l("Promises kept"),
        _l(
            "Leads contacted by the time that the customer was first promised ÷ leads whose"
            " promise was kept or has passed."
        ),
        ("promise_kept",),
        ("promised",),
    ),
    _share(
        "plans_kept_share",
        _l("Planned actions kept"),
        _l(
            "Planned actions done within 24 hours of their time ÷ planned actions done or more"
            " than 24 hours past. Those called off are left out."
        ),
        ("plans_kept",),
        ("plans",),
    ),
    Figure(
        "score",
        _l("Customers' answer"),
        _l("The mean of customers' answers on how it went, 1 (bad) to 5 (very good)."),
        SCORE,
        lambda t: share(t.count("score"), t.count("answers")),
        whole=("answers",),
        part=("score",),
        better="more",
    ),
    _share(
        "confirmation",
        _l("Confirmed by dealers"),
        _l(
            "Verdicts by which a lead was as sent, partly as sent or more than asked ÷ all"
            " verdicts of dealers on leads."
        ),
        ("confirmed",),
        ("verdicts",),
    ),
    Figure(
        "distance",
        _l("Mean distance"),
        _l("The mean distance between the customers and the dealer that has their lead."),
        KM,
        lambda t: share(t.count("metres") / 1000, t.count("placed")),
        part=("metres",),
        whole=("placed",),
        better="less",
    ),
    Figure(
        "value",
        _l("Value of sales"),
        _l("The sum of what the sales were worth, where somebody said so."),
        MONEY,
        lambda t: float(t.value),
        amounts=("value",),
        better="more",
    ),
    Figure(
        "cost",
        _l("Cost"),
        _l("What the campaigns cost, each spread evenly over its days."),
        MONEY,
        lambda t: None if t.cost is None else float(t.cost),
        amounts=("cost",),
    ),
    Figure(
        "cost_per_lead",
        _l("Cost per lead"),
        _l("Cost ÷ leads."),
        MONEY,
        lambda t: _cost_per(t, "leads"),
        whole=("leads",),
        amounts=("cost",),
        better="less",
    ),
    Figure(
        "cost_per_sale",
        _l("Cost per sale"),
        _l("Cost ÷ sold."),
        MONEY,
        lambda t: _cost_per(t, "sold"),
        whole=("sold",),
        amounts=("cost",),
        better="less",
    ),
    Figure(
        "source_quality",
        _l("Quality of the source"),
        _l(
            "The valid share, the contacted share and the confirmed share, weighed 2, 1 and 1;"
            " what is not known is left out."
        ),
        SHARE,
        source_quality,
        part=("valid", "contacted", "confirmed"),
        whole=("leads", "verdicts"),
        better="more",
    ),
)

FIGURES = (*_FIGURES, *MORE_FIGURES)
BY_CODE = {figure.code: figure for figure in FIGURES}
STAGES = ("leads", "valid", "offered", "accepted", "contacted", "appointment", "visited", "sold")
"""The funnel."""
BUCKETS = (*REACHED, "unreached")
