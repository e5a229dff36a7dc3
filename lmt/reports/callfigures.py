"""Pure: figures of the call centre: calls that lists told of, and hours with somebody there."""

from __future__ import annotations

from lmt.i18n import lazy_gettext as _l
from lmt.reports.figure import COUNT, NUMBER, SHARE, Figure, ratio_of, told_of, whole_of
from lmt.reports.tally import share

CALLS = (
    Figure(
        "calls",
        _l("Calls"),
        _l("Calls of the period that call lists told of, by the day of the call."),
        COUNT,
        whole_of("calls"),
        extras=("calls",),
    ),
    Figure(
        "calls_reached",
        _l("Calls that reached somebody"),
        _l("Calls that ended with a person who said something."),
        COUNT,
        whole_of("calls_reached"),
        extras=("calls_reached",),
        better="more",
    ),
    Figure(
        "calls_reached_share",
        _l("Calls that reached somebody, share"),
        _l("Calls that reached somebody ÷ calls."),
        SHARE,
        ratio_of("calls_reached", "calls"),
        extras=("calls_reached", "calls"),
        better="more",
    ),
    Figure(
        "calls_interested",
        _l("Calls with interest"),
        _l(
            "Calls that ended with interest, an appointment, a wish to be called back, a sale, or"
            " being put through."
        ),
        COUNT,
        whole_of("calls_interested"),
        extras=("calls_interested",),
        better="more",
    ),
    Figure(
        "calls_refused",
        _l("Calls that were refused"),
        _l("Calls that ended with no interest, no right to buy, or a wish not to be called."),
        COUNT,
        whole_of("calls_refused"),
        extras=("calls_refused",),
        better="less",
    ),
    Figure(
        "calls_qualified",
        _l("Calls that made a lead"),
        _l("Calls of which a lead came."),
        COUNT,
        whole_of("calls_qualified"),
        extras=("calls_qualified",),
        better="more",
    ),
    Figure(
        "calls_qualified_share",
        _l("Calls that made a lead, share"),
        _l("Calls that made a lead ÷ calls."),
        SHARE,
        ratio_of("calls_qualified", "calls"),
        extras=("calls_qualified", "calls"),
        better="more",
    ),
    Figure(
        "staffed_hours",
        _l("Staffed hours"),
        _l(
            "The opening hours of the active dealers and of the desk in the period, as their"
            " calendars stand today, added up."
        ),
        NUMBER,
        told_of("staffed_hours"),
        extras=("staffed_hours",),
    ),
    Figure(
        "leads_per_staffed_hour",
        _l("Leads per staffed hour"),
        _l("Leads ÷ staffed hours."),
        NUMBER,
        lambda t: share(t.count("leads"), t.extra.get("staffed_hours", 0.0)),
        whole=("leads",),
        extras=("staffed_hours",),
    ),
)
