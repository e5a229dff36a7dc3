"""What each figure of a report means: its name, its formula in words, and its arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from babel.support import LazyProxy
from babel.units import format_unit

from lmt.i18n import lazy_gettext as _l
from lmt.i18n import reader

TARGETS_MINUTES = (15, 60, 240, 1440)
DEFAULT_TARGET_MINUTES = 60
NO_LEADS_AFTER_ALL = ("test", "suppressed", "import_undone")
"""Causes of a withdrawal by which LMT says that there was nothing to work on."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`unit` is `count`, `share` (0 to 1) or `minutes`."""

    code: str
    name: LazyProxy
    formula: LazyProxy
    unit: str


FIGURES = (
    Figure(
        "leads",
        _l("Leads"),
        _l(
            "Every lead received in the period. Tests, leads of an import that was undone, and"
            " leads stopped by a do-not-contact list are left out."
        ),
        "count",
    ),
    Figure(
        "offered",
        _l("Offered"),
        _l("Of these, the leads that were offered to a dealer."),
        "count",
    ),
    Figure(
        "accepted",
        _l("Accepted"),
        _l("Of these, the leads that a dealer has accepted."),
        "count",
    ),
    Figure(
        "contacted",
        _l("Contacted"),
        _l("Of these, the leads whose customer was contacted by a person."),
        "count",
    ),
    Figure("won", _l("Sold"), _l("Of these, the leads that stand as sold today."), "count"),
    Figure("conversion", _l("Conversion to sale"), _l("Sold ÷ leads."), "share"),
    Figure(
        "median_response_minutes",
        _l("Median response time"),
        _l(
            "The middle value of all times from receiving a lead to contacting its customer, as"
            " the customer felt it: nights and weekends count. Who was approached by us waits from"
            " the first call on. Leads not contacted have no time."
        ),
        "minutes",
    ),
    Figure(
        "within_target",
        _l("Contacted within target"),
        _l(
            "Leads contacted within the target ÷ leads that were contacted or whose target has"
            " passed. Nights and weekends count. Who was approached by us waits from the first call"
            " on, and is left out before it."
        ),
        "share",
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """The counts of one group (a dealer, a market, a channel), or of all of them together.

    `due` counts the leads contacted or older than the target, `in_target` those contacted
    within it; the median is None where nobody was contacted.
    """

    key: str
    name: str
    leads: int
    offered: int
    accepted: int
    contacted: int
    won: int
    due: int
    in_target: int
    median_response_minutes: float | None

    @property
    def conversion(self) -> float | None:
        return share(self.won, self.leads)

    @property
    def within_target(self) -> float | None:
        return share(self.in_target, self.due)

    def value(self, figure: str) -> float | None:
        """The figure of that code; None where it can't be worked out."""
        number: float | None = getattr(self, figure)
        return number


def response_time(minutes: float) -> str:
    """A response time for the reader: minutes below an hour, then hours with one decimal."""
    unit, amount = ("minute", minutes) if minutes < 60 else ("hour", minutes / 60)
    digits = "#,##0" if unit == "minute" else "#,##0.#"
    return format_unit(
        amount, f"duration-{unit}", length="long", format=digits, locale=reader().locale
    )


def share(part: int, whole: int) -> float | None:
    """`part` of `whole`, 0 to 1; None of nothing."""
    return part / whole if whole else None
