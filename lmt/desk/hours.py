"""A manager's page of the dealer's hours: the week, days that differ, a pause, caps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, or_, select

from lmt import dealerdesk, web
from lmt.calendarpacks import RAMADAN
from lmt.calendars import dealer_calendar
from lmt.dealerchanges import CAPS, HIGHEST_CAP, BadValues, NotNow, mark_of, resumption
from lmt.desk.blueprint import blueprint
from lmt.desk.managing import House, day_of, house, midnight, number_of, typed
from lmt.i18n import gettext as _
from lmt.models import Closure, Lead, Offer, SpecialHours
from lmt.openinghours import hours_problem
from lmt.weekform import (
    BadWeek,
    coming_holidays,
    draft_from,
    draft_of,
    hours_from,
    only_redraws,
    open_on,
    week_start,
)
from lmt.weekhours import MIDNIGHT, Span, day_problem
from lmt.workhours import Calendar, closes_at, is_open, local_date, next_opening

PREVIEW_DAYS = 7
SPECIAL_SPANS = 2
MOST_OFFERS = 5

Spans = tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed in one form of the page, and what is wrong with it by field."""

    given: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PreviewDay:
    day: date
    before: Spans
    after: Spans


@dataclass(frozen=True, slots=True)
class Preview:
    """What new hours would make of the next days; `opens` is False where the dealer never does.
    `offers` are some of the `running` ones: reference and deadline, which stay."""

    hours: str
    days: list[PreviewDay]
    opens: bool
    running: int
    offers: list[tuple[str, datetime]]


@dataclass(frozen=True, slots=True)
class SpecialRow:
    """Days with hours of their own; `row` names the dealer's own, None is the country's."""

    first: date
    last: date
    hours: str
    name: str
    row: int | None


@blueprint.get("/hours")
@web.require(dealerdesk.PERMISSION)
def hours() -> ResponseReturnValue:
    return _page(house())


@blueprint.post("/hours")
@web.require(dealerdesk.PERMISSION)
def save_hours() -> ResponseReturnValue:
    """Draws the editor anew, shows what would change, or saves what was looked at."""
    here, given = house(), typed()
    if only_redraws(given):
        return _page(here, week=Typed(given))
    try:
        wanted = hours_from(given)
    except BadWeek as bad:
        return _page(here, week=Typed(given, bad.problems)), 422
    if unread := hours_problem(wanted):
        return _page(here, week=Typed(given, {"hours": _(unread)})), 422
    if given.get("do") != "save":
        return _page(here, week=Typed(given), wanted=wanted)

    def act(**who: Any) -> str:
        done = dealerdesk.set_own(
            web.db(), here.code, {"hours": wanted}, seen=given.get("seen", ""), **who
        )
        return _("The hours are saved.") if done.changed else _("Nothing was changed.")

    return _do(here, "week", act, given, anchor="h-week")


@blueprint.post("/hours/closures")
@web.require(dealerdesk.PERMISSION)
def close_days() -> ResponseReturnValue:
    here, given = house(), typed()
    first = day_of(given, "first")
    last = day_of(given, "last") if given.get("last") else first
    if first is None or last is None:
        return _page(here, closure=Typed(given, _no_dates(first, last))), 422

    def act(**who: Any) -> str:
        dealerdesk.close_days(web.db(), here.code, first, last, given.get("reason", ""), **who)
        return _("You are closed on these days. No lead counts their hours.")

    return _do(here, "closure", act, given, anchor="h-days")


@blueprint.post("/hours/closures/end")
@web.require(dealerdesk.PERMISSION)
def open_days() -> ResponseReturnValue:
    here = house()

    def act(**who: Any) -> str:
        dealerdesk.open_days(web.db(), here.code, _row(), **who)
        return _("You are open on these days after all.")

    return _do(here, "", act, {}, anchor="h-days")


@blueprint.post("/hours/special")
@web.require(dealerdesk.PERMISSION)
def add_special_days() -> ResponseReturnValue:
    here, given = house(), typed()
    first = day_of(given, "first")
    last = day_of(given, "last") if given.get("last") else first
    spans = _special_spans(given)
    problems = {} if first and last else _no_dates(first, last)
    if not spans or day_problem(spans):
        problems["opens-0"] = _("Enter when you open and close on these days.")
    if first is None or last is None or problems:
        return _page(here, special=Typed(given, problems)), 422
    wanted = ",".join(f"{span.opens}-{span.closes}" for span in spans)

    def act(**who: Any) -> str:
        dealerdesk.add_special_days(
            web.db(), here.code, first, last, wanted, given.get("name", ""), **who
        )
        return _("These days have hours of their own.")

    return _do(here, "special", act, given, anchor="h-days")


@blueprint.post("/hours/special/end")
@web.require(dealerdesk.PERMISSION)
def end_special_days() -> ResponseReturnValue:
    here = house()

    def act(**who: Any) -> str:
        dealerdesk.end_special_days(web.db(), here.code, _row(), **who)
        return _("These days have your normal hours again.")

    return _do(here, "", act, {}, anchor="h-days")


@blueprint.post("/hours/pause")
@web.require(dealerdesk.PERMISSION)
def pause() -> ResponseReturnValue:
    """`do` is pause, until the morning of `until` where one is given, or resume."""
    here, given = house(), typed()

    def act(**who: Any) -> str:
        if given.get("do") == "resume":
            dealerdesk.resume(web.db(), here.code, **who)
            return _("You get new leads again.")
        day = day_of(given, "until")
        if given.get("until") and day is None:
            raise BadValues({"until": _("Enter a date.")})
        until = None if day is None else midnight(day, here.zone)
        dealerdesk.pause(web.db(), here.code, until=until, **who)
        return _("You get no new leads. Those you have stay with you.")

    return _do(here, "pausing", act, given, anchor="h-pause")


@blueprint.post("/hours/caps")
@web.require(dealerdesk.PERMISSION)
def save_caps() -> ResponseReturnValue:
    here, given = house(), typed()
    values = {name: _cap(given.get(name, "")) for name in CAPS}

    def act(**who: Any) -> str:
        done = dealerdesk.set_own(web.db(), here.code, values, seen=given.get("seen", ""), **who)
        return _("Saved.") if done.changed else _("Nothing was changed.")

    return _do(here, "caps", act, given, anchor="h-caps")


def _do(
    here: House, form: str, act: Callable[..., str], given: Mapping[str, str], *, anchor: str
) -> ResponseReturnValue:
    """Run a verb; what it refuses is said beside the fields of `form`, or on the way back."""
    try:
        told = act(at=web.at(), actor=web.actor())
    except BadValues as bad:
        web.db().rollback()
        shown = Typed(given, bad.problems)
        return _page(house(), **{form: shown}), 422  # type: ignore[arg-type]
    except NotNow as why:
        web.db().rollback()
        flash(str(why), "warning")
    except LookupError:
        abort(404)
    else:
        flash(told, "success")
    return redirect(url_for("desk.hours", dealer=here.code, _anchor=anchor))


def _page(
    here: House,
    *,
    week: Typed | None = None,
    wanted: str | None = None,
    closure: Typed = Typed(),
    special: Typed = Typed(),
    pausing: Typed = Typed(),
    caps: Typed | None = None,
) -> str:
    session, at = web.db(), web.at()
    calendar = dealer_calendar(session, here.dealer.id, at)
    opened = is_open(calendar, at)
    today = local_date(calendar, at)
    market = here.dealer.market
    return render_template(
        "desk/hours.html",
        here=here,
        terms=here.terms,
        seen=mark_of(here.terms),
        open_now=opened,
        changes_at=closes_at(calendar, at) if opened else next_opening(calendar, at),
        resumes=resumption(session, here.terms),
        today=today,
        week=draft_from(week.given, week.problems) if week else draft_of(here.terms.hours),
        week_start=week_start(web.user().week_start, market.week_start),
        preview=None if wanted is None else _preview(here, calendar, wanted),
        holidays=coming_holidays(calendar, at),
        closures=_closures(here, today),
        special_days=_special_days(here, today),
        used=dealerdesk.used_leads(session, here.dealer.id, calendar, at),
        caps=caps or Typed({name: _cap_typed(getattr(here.terms, name)) for name in CAPS}),
        closure=closure,
        special=special,
        pausing=pausing,
        spans=range(SPECIAL_SPANS),
    )


def _preview(here: House, calendar: Calendar, wanted: str) -> Preview:
    session, at = web.db(), web.at()
    new = replace(calendar, hours=wanted)
    today = local_date(calendar, at)
    ahead = [today + timedelta(days=number) for number in range(PREVIEW_DAYS)]
    running = (Offer.dealer_id == here.dealer.id, Offer.state == "open")
    offers = session.execute(
        select(Lead.reference, Offer.expires_at)
        .join(Lead, Lead.id == Offer.lead_id)
        .where(*running)
        .order_by(Offer.expires_at)
        .limit(MOST_OFFERS)
    )
    return Preview(
        hours=wanted,
        days=[PreviewDay(day, open_on(calendar, day), open_on(new, day)) for day in ahead],
        opens=next_opening(new, at) is not None,
        running=session.scalars(select(func.count(Offer.id)).where(*running)).one(),
        offers=[(reference, expires_at) for reference, expires_at in offers],
    )


def _closures(here: House, today: date) -> Sequence[Closure]:
    return (
        web.db()
        .scalars(
            select(Closure)
            .where(
                Closure.dealer_id == here.dealer.id,
                Closure.holds_at(web.at()),
                Closure.ends_on >= today,
            )
            .order_by(Closure.starts_on, Closure.id)
        )
        .all()
    )


def _special_days(here: House, today: date) -> list[SpecialRow]:
    own = SpecialHours.dealer_id == here.dealer.id
    of_country = SpecialHours.dealer_id.is_(None) & (SpecialHours.country == here.terms.country)
    rows = web.db().scalars(
        select(SpecialHours)
        .where(
            SpecialHours.market_id == here.dealer.market_id,
            SpecialHours.ends_on >= today,
            SpecialHours.holds_at(web.at()),
            # A team serves all of its market's countries and keeps the days of none.
            own if here.dealer.kind == "team" else or_(own, of_country),
        )
        .order_by(SpecialHours.starts_on, SpecialHours.id)
    )
    return [
        SpecialRow(
            first=row.starts_on,
            last=row.ends_on,
            hours=row.hours,
            name=_("Ramadan") if row.name == RAMADAN else row.name,
            row=None if row.dealer_id is None else row.id,
        )
        for row in rows
    ]


def _special_spans(given: Mapping[str, str]) -> list[Span]:
    rows = [
        (given.get(f"opens-{number}", ""), given.get(f"closes-{number}", ""))
        for number in range(SPECIAL_SPANS)
    ]
    return sorted(
        Span(opens, MIDNIGHT if closes == "00:00" else closes)
        for opens, closes in rows
        if opens or closes
    )


def _no_dates(first: date | None, last: date | None) -> dict[str, str]:
    days = {"first": first, "last": last if first else first}
    return {name: _("Enter a date.") for name, day in days.items() if day is None}


def _row() -> int:
    row = number_of(request.form.get("row", ""))
    if row is None:
        raise LookupError("no row")
    return row


def _cap(given: str) -> int | None:
    """What is no whole number is refused as one that is too high."""
    if not given:
        return None
    return int(given) if given.isdecimal() and len(given) < 10 else HIGHEST_CAP + 1


def _cap_typed(cap: int | None) -> str:
    return "" if cap is None else str(cap)
