"""Pure: figures of dealers: what their mix of leads lets expect, and the fair-share ledger."""

from __future__ import annotations

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l
from lmt.reports.figure import COUNT, NUMBER, SHARE, Figure, ratio_of, told_of, whole_of
from lmt.reports.tally import Tally, share

MISSED = {
    "closed": _l("Missed: closed"),
    "cap": _l("Missed: cap reached"),
    "paused": _l("Missed: paused"),
    "declined": _l("Missed: declined before"),
    "timed_out": _l("Missed: time ran out before"),
    "turn": _l("Missed: another's turn"),
}
LOST = {
    "declined": _l("Lost: declined"),
    "timed_out": _l("Lost: time ran out"),
}


def against_expected(tally: Tally) -> float | None:
    """Sold ÷ expected sold; None where nothing was expected."""
    expected = tally.extra.get("expected_sold")
    return None if expected is None else share(tally.count("sold"), expected)


def expected_conversion(tally: Tally) -> float | None:
    expected = tally.extra.get("expected_sold")
    return None if expected is None else share(expected, tally.count("leads"))


def _share_of_ledger(code: str, name: LazyProxy, formula: LazyProxy, better: str = "") -> Figure:
    parts = code == "share_expected" or code.startswith("share_missed_")
    unit, value = (NUMBER, told_of(code)) if parts else (COUNT, whole_of(code))
    return Figure(code, name, formula, unit, value, extras=(code,), better=better)


def _difference(tally: Tally) -> float | None:
    if "share_received" not in tally.extra:
        return None
    # Parts of leads add up to whole ones but for the last digits of a float.
    return round(tally.extra["share_received"] - tally.extra.get("share_expected", 0.0), 9) + 0.0


def _kept(tally: Tally) -> float | None:
    if "share_received" not in tally.extra:
        return None
    return tally.extra["share_received"] - sum(
        tally.extra.get(f"share_lost_{cause}", 0.0) for cause in LOST
    )


EXPECTED = (
    Figure(
        "expected_sold",
        _l("Expected sold"),
        _l(
            "What the same leads let expect: of each lead the share sold of all leads of its market"
            " by the same channel with the same request that a dealer has, added up. Kinds of"
            " fewer than 30 leads are taken together by their request, else by their market."
        ),
        NUMBER,
        told_of("expected_sold"),
        extras=("expected_sold",),
    ),
    Figure(
        "expected_conversion",
        _l("Expected conversion"),
        _l("Expected sold ÷ leads: what the market makes of the same mix of leads."),
        SHARE,
        expected_conversion,
        whole=("leads",),
        extras=("expected_sold",),
    ),
    Figure(
        "against_expected",
        _l("Against the expected"),
        _l("Sold ÷ expected sold: more than 1 is better than the market with the same leads."),
        SHARE,
        against_expected,
        part=("sold",),
        extras=("expected_sold",),
        better="more",
    ),
    Figure(
        "quality",
        _l("Quality of the dealer"),
        _l(
            "As routing uses it: the customers' answers of a year as 0 to 1, those of 90 days ago"
            " weighing half, drawn to a half where they are few. Of several dealers: the mean."
        ),
        SHARE,
        ratio_of("quality", "quality_dealers"),
        extras=("quality", "quality_dealers"),
        better="more",
    ),
)
SHARES = (
    _share_of_ledger(
        "share_expected",
        _l("Expected"),
        _l(
            "The dealer's part of the leads that it and others were equally near for, by weight:"
            " each decision of the period is one lead, split among those with a claim. Parts of"
            " leads have no list of leads behind them."
        ),
    ),
    _share_of_ledger(
        "share_received",
        _l("Leads received"),
        _l("Decisions of the period, by distance, that the dealer was chosen in."),
    ),
    Figure(
        "share_difference",
        _l("Difference"),
        _l("Received − expected."),
        NUMBER,
        _difference,
        extras=("share_received", "share_expected"),
        better="more",
    ),
    Figure(
        "share_kept",
        _l("Kept"),
        _l("Received, but for those that it declined or let pass."),
        COUNT,
        _kept,
        extras=("share_received", *(f"share_lost_{cause}" for cause in LOST)),
        better="more",
    ),
    *(
        _share_of_ledger(
            f"share_missed_{cause}",
            name,
            _l(
                "The dealer's part of decisions that another was chosen in for this reason. Parts"
                " of leads have no list of leads behind them."
            ),
            "less",
        )
        for cause, name in MISSED.items()
    ),
    *(
        _share_of_ledger(
            f"share_lost_{cause}",
            name,
            _l("Received, and then lost for this reason."),
            "less",
        )
        for cause, name in LOST.items()
    ),
)
