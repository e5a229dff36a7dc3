"""What the form of a report offers to choose from, as far as the reader's part goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flask import url_for

from lmt import web
from lmt.attributes import field_label
from lmt.i18n import gettext as _
from lmt.reportpages.asking import address_of, own_fields
from lmt.reports import dimensions, figures
from lmt.reports.answer import Key
from lmt.reports.dimensions import FIELD
from lmt.reports.keys import choices
from lmt.reports.question import Question
from lmt.reports.standard import Standard
from lmt.reports.wording import Names, dimension_name

Options = list[tuple[str, str]]
FILTERED = (
    "market", "dealer", "group", "brand", "model", "request_type", "service", "channel", "source",
    "campaign", "country", "language", "band", "customer_kind", "status",
)  # fmt: skip
"""Dimensions whose keys are few enough to choose from; others are filtered by following a link."""
MOST_CHOICES = 300
_PLACES = ("market", "dealer", "group", "colleague", "country", "region")
_TIMES = tuple(each.code for each in dimensions.DIMENSIONS if each.ordered)
_ROADS = ("channel", "source", "campaign")


@dataclass(frozen=True, slots=True)
class Filter:
    """A dimension that can be filtered by; `most` says that it has more keys than are offered."""

    code: str
    name: str
    keys: list[Key]
    chosen: tuple[str, ...]
    most: bool

    @property
    def options(self) -> Options:
        return [(key.value, key.name) for key in self.keys]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force: `address` is the same report without it."""

    dimension: str
    key: str
    address: str


def filters(question: Question, names: Names) -> list[Filter]:
    """Those that part what the reader sees, and those in force."""
    found = []
    for code in FILTERED:
        chosen = question.filters.get(code, ())
        keys = choices(web.reports_db(), code, web.at())
        if len(keys) < 2 and not chosen:
            continue
        offered = keys[:MOST_CHOICES]
        known = {key.value for key in offered}
        beside = [Key(value, names(code, value)) for value in chosen if value not in known]
        found.append(
            Filter(
                code,
                dimension_name(code, names),
                [*beside, *offered],
                chosen,
                len(keys) > MOST_CHOICES,
            )
        )
    return found


def chips(question: Question, names: Names) -> list[Chip]:
    """What is filtered by, each with the way to be rid of it."""
    found = []
    for code, keys in question.filters.items():
        for key in keys:
            rest = tuple(each for each in keys if each != key)
            without = {c: k for c, k in {**question.filters, code: rest}.items() if k}
            address = url_for("reports.report", **address_of(replace(question, filters=without)))
            found.append(Chip(dimension_name(code, names), names(code, key), address))
    return found


def unfiltered(question: Question) -> str:
    """The same report of everything."""
    return url_for("reports.report", **address_of(replace(question, filters={})))


def groupings(
    question: Question, standard: Standard | None, parted: Iterable[str]
) -> list[tuple[str, Options]]:
    """Dimensions to group by, under headings; a standard report's own come first. `parted` are
    dimensions that the reader sees several keys of."""
    hidden = {"market", "dealer", "group"} - set(parted) - {question.rows, question.columns}
    usual = [code for code in (standard.dimensions if standard else ()) if code]
    under: dict[str, Options] = {}
    for each in dimensions.DIMENSIONS:
        if each.of_calls and each.code not in {*usual, question.rows, question.columns}:
            continue
        if each.code not in hidden:
            under.setdefault(_heading(each.code, usual), []).append((each.code, str(each.name)))
    for item in own_fields():
        code = FIELD + item.key
        under.setdefault(_heading(code, usual), []).append((code, field_label(item)))
    order = [_heading(code, usual) for code in (*usual, *_PLACES, *_ROADS, *_TIMES)]
    named = dict.fromkeys(heading for heading in [*order, *under] if heading in under)
    return [(heading, under[heading]) for heading in named]


def _heading(code: str, usual: list[str]) -> str:
    if code in usual:
        return _("Usual here")
    if code in _PLACES:
        return _("Where")
    if code in _TIMES:
        return _("When")
    if code in _ROADS:
        return _("How they came")
    return _("Your own fields") if code.startswith(FIELD) else _("What they are")


def figure_groups() -> list[tuple[str, Options]]:
    """Every figure under the heading of what it tells."""
    under: dict[str, Options] = {}
    for figure in figures.FIGURES:
        under.setdefault(_figure_heading(figure), []).append((figure.code, str(figure.name)))
    return list(under.items())


def _figure_heading(figure: figures.Figure) -> str:
    code = figure.code
    if figure.unit == figures.MONEY or code == "return":
        return _("Money")
    if code in _OFFERS:
        return _("Offers")
    if code.startswith("share_"):
        return _("Fair share")
    if code.startswith(("plan_", "pace_")):
        return _("Plan")
    if code.startswith("call") or "staffed" in code:
        return _("Call centre")
    if code in _QUALITY or code.startswith(("deliver", "quarantined")):
        return _("Quality")
    if figure.unit in {figures.MINUTES, figures.DAYS} or code in _SPEED:
        return _("Speed")
    if figure.unit == figures.SHARE:
        return _("Conversion")
    return _("Stages") if figure.unit == figures.COUNT else _("Quality")


_OFFERS = frozenset({
    "offers", "acceptance", "decline", "timeout", "reroutes", "rerouted_share", "first_owner",
})  # fmt: skip
_QUALITY = frozenset({
    "asked_again_share", "proven_share", "promise_kept_share", "plans_kept_share", "score",
    "confirmation", "source_quality", "quality", "distance", "nearest", "uncovered",
    "uncovered_share", "located",
})  # fmt: skip
_SPEED = frozenset({*figures.BUCKETS, *(f"within_{m}" for m in figures.TARGETS_MINUTES)})
