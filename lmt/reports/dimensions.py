"""Pure: what the figures of a report can be told apart by."""

from __future__ import annotations

from dataclasses import dataclass

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l

FIELD = "field:"
"""Stands before the key of an own field where an address names it."""
NONE = "-"
"""In an address: the leads that have none of it."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """`column` of the facts is grouped by; where `fold` is given, its values are then put together:
    a dealer's to the group's, an hour of the week's to the day's. `ordered` ones run in an order of
    their own, not by size. Those `of_calls` tell calls apart, of which the facts know nothing."""

    code: str
    name: LazyProxy | str
    column: str
    fold: str = ""
    ordered: bool = False
    of_calls: bool = False


DIMENSIONS = (
    Dimension("market", _l("Market"), "market_id"),
    Dimension("dealer", _l("Dealer"), "dealer_id"),
    Dimension("group", _l("Dealer group"), "dealer_id", "group"),
    Dimension("colleague", _l("Colleague"), "owner_id"),
    Dimension("brand", _l("Brand"), "brand_id"),
    Dimension("model", _l("Model"), "model"),
    Dimension("request_type", _l("Request"), "request_type"),
    Dimension("service", _l("Service"), "service"),
    Dimension("channel", _l("Channel"), "channel"),
    Dimension("source", _l("Source"), "source_id"),
    Dimension("campaign", _l("Campaign"), "campaign_id"),
    Dimension("country", _l("Country"), "country"),
    Dimension("region", _l("Region"), "region"),
    Dimension("language", _l("Language"), "language"),
    Dimension("band", _l("Priority"), "band"),
    Dimension("customer_kind", _l("Kind of customer"), "customer_kind"),
    Dimension("status", _l("Status"), "status"),
    Dimension("cause", _l("Reason"), "cause"),
    Dimension("verdict", _l("Verdict of the dealer"), "verdict"),
    Dimension("month", _l("Month"), "month", ordered=True),
    Dimension("week", _l("Week"), "day", "week", ordered=True),
    Dimension("day", _l("Day"), "day", ordered=True),
    Dimension("weekday", _l("Day of the week"), "hour", "weekday", ordered=True),
    Dimension("hour", _l("Hour of the day"), "hour", "hour", ordered=True),
    Dimension("agent", _l("Agent of the call centre"), "agent", of_calls=True),
    Dimension("disposition", _l("How the call ended"), "disposition", of_calls=True),
)
BY_CODE = {dimension.code: dimension for dimension in DIMENSIONS}


def dimension_of(code: str) -> Dimension:
    """The one of this code; an own field (`field:<key>`) has the column "", since no fact tells it.
    Raises KeyError for none of either."""
    if code.startswith(FIELD):
        return Dimension(code, code.removeprefix(FIELD), "")
    return BY_CODE[code]


CUTS: dict[str, tuple[str, ...]] = {
    "total": (),
    "day": ("day", "channel"),
    "dealer": ("dealer_id",),
    "dealer_mix": ("dealer_id", "channel", "request_type"),
    "car": ("brand_id", "model", "request_type"),
    "source": ("channel", "source_id", "campaign_id", "request_type"),
    "country": ("country", "region"),
    "customer": ("language", "customer_kind", "band", "service"),
    "colleague": ("owner_id", "dealer_id"),
    "hour": ("hour",),
    "outcome": ("status", "cause", "verdict", "request_type"),
}
"""What the facts of a market's month are added up by, beside market and month; each has the
dimensions of the questions asked most."""
KEEPING: dict[str, tuple[str, ...]] = {
    "source": ("holders",),
    "country": ("squares",),
    "car": ("squares",),
}
"""What of `lmt.models.facts.KEPT` a cut keeps beside its sums."""


def cut_for(columns: set[str]) -> str | None:
    """The narrowest cut that tells all of these columns apart, or keeps them packed; None where
    only facts do."""
    wanted = columns - {"market_id", "month"}
    fitting = [name for name, cut in CUTS.items() if wanted <= {*cut, *KEEPING.get(name, ())}]
    return min(fitting, key=lambda name: len(CUTS[name]), default=None)
