"""A dealer's own figures, and how they stand beside the market's middle and the time before."""

from __future__ import annotations

from dataclasses import dataclass

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l

LEAST_LEADS = 5
"""Below this a dealer's shares mean nothing, and it is left out of the market's middle."""
LEAST_DEALERS = 4
"""With fewer the middle would tell of a single rival."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Leads of one dealer that arrived in a period. `due` counts those contacted or whose target
    has passed, `in_target` those contacted within it; the median is None where none was."""

    offered: int = 0
    accepted: int = 0
    declined: int = 0
    timed_out: int = 0
    contacted: int = 0
    won: int = 0
    due: int = 0
    in_target: int = 0
    response_minutes: float | None = None

    @property
    def accepted_share(self) -> float | None:
        return share(self.accepted, self.accepted + self.declined + self.timed_out)

    @property
    def within_target(self) -> float | None:
        return share(self.in_target, self.due)

    @property
    def conversion(self) -> float | None:
        return share(self.won, self.offered)


@dataclass(frozen=True, slots=True)
class Middle:
    """The market's median of each rate, over `dealers` with LEAST_LEADS or more."""

    dealers: int = 0
    accepted_share: float | None = None
    response_minutes: float | None = None
    within_target: float | None = None
    conversion: float | None = None

    @property
    def is_told(self) -> bool:
        return self.dealers >= LEAST_DEALERS


@dataclass(frozen=True, slots=True)
class Rate:
    """A figure that is compared; `unit` is share or minutes, `less` whether less is better."""

    code: str
    name: LazyProxy
    formula: LazyProxy
    unit: str
    less: bool = False


RATES = (
    Rate(
        "accepted_share",
        _l("Accepted"),
        _l("Accepted ÷ leads that were accepted, declined or not answered in time."),
        "share",
    ),
    Rate(
        "response_minutes",
        _l("Median response time"),
        _l(
            "The middle value of all times from being offered a lead to contacting its customer,"
            " as the customer felt it: nights and weekends count."
        ),
        "minutes",
        less=True,
    ),
    Rate(
        "within_target",
        _l("Contacted within target"),
        _l(
            "Leads contacted within an hour of being offered ÷ leads that were contacted or whose"
            " hour has passed. Declined leads are left out."
        ),
        "share",
    ),
    Rate("conversion", _l("Conversion to sale"), _l("Sold ÷ leads offered."), "share"),
)


def standing(rate: Rate, own: float | None, other: float | None) -> str:
    """How `own` stands to `other`: better, worse, or "" where they are equal or one is unknown."""
    if own is None or other is None or own == other:
        return ""
    return "better" if (own < other) is rate.less else "worse"


def share(part: int, whole: int) -> float | None:
    """`part` of `whole`, 0 to 1; None of nothing."""
    return part / whole if whole else None
