"""A manager's pages of the dealer's people: who has how much, who is away, who takes over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import absences, dealerdesk, web
from lmt.dealerchanges import BadValues, NotNow, mark_of
from lmt.desk.blueprint import blueprint
from lmt.desk.managing import House, day_of, house, midnight, number_of, typed
from lmt.desk.workload import Workload, workloads
from lmt.handing import NoColleague, hand_to
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.labels import LABELS
from lmt.lifecycle import WITH_DEALER, IllegalStep
from lmt.models import Absence, Lead, User

MOST_HANDED = 200
"""Leads handed over at once; the rest by pressing again."""


@dataclass(frozen=True, slots=True)
class Person:
    user: User
    work: Workload
    away: list[Absence]
    in_team: bool = True
    """Not so of whoever left, and still has leads here."""

    def is_away(self, at: datetime) -> bool:
        return any(each.starts_at <= at for each in self.away)


@blueprint.get("/team")
@web.require(dealerdesk.PERMISSION)
def team() -> ResponseReturnValue:
    return _team(house())


@blueprint.post("/team/assignment")
@web.require(dealerdesk.PERMISSION)
def set_assignment() -> ResponseReturnValue:
    """Whether new leads go to the whole team, or to one colleague each."""
    here, given = house(), typed()
    values = {"assign_to": given.get("assign_to", "")}
    seen = given.get("seen", "")
    try:
        dealerdesk.set_own(web.db(), here.code, values, seen=seen, at=web.at(), actor=web.actor())
    except (BadValues, NotNow) as why:
        web.db().rollback()
        told = why.problems["assign_to"] if isinstance(why, BadValues) else str(why)
        flash(told, "warning")
    else:
        flash(_("Saved."), "success")
    return redirect(url_for("desk.team", dealer=here.code))


@blueprint.get("/team/<int:user_id>")
@web.require(dealerdesk.PERMISSION)
def colleague(user_id: int) -> ResponseReturnValue:
    return _colleague(house(), user_id)


@blueprint.post("/team/<int:user_id>")
@web.require(dealerdesk.PERMISSION)
def save_colleague(user_id: int) -> ResponseReturnValue:
    here = house()
    try:
        dealerdesk.set_colleague(
            web.db(),
            here.code,
            user_id,
            skills=request.form.getlist("skills"),
            languages=request.form.getlist("languages"),
            at=web.at(),
            actor=web.actor(),
        )
    except LookupError:
        abort(404)
    flash(_("Saved. New leads are given by it from now on."), "success")
    return redirect(url_for("desk.colleague", user_id=user_id, dealer=here.code))


@blueprint.post("/team/<int:user_id>/absences")
@web.require(dealerdesk.PERMISSION)
def add_absence(user_id: int) -> ResponseReturnValue:
    """Whole days: from the first one's morning to the end of the last one."""
    here, given = house(), typed()
    first, last = day_of(given, "first"), day_of(given, "last")
    if first is None or last is None:
        days = {"first": first, "last": last}
        problems = {name: _("Enter a date.") for name, day in days.items() if day is None}
        return _colleague(here, user_id, given, problems), 422
    deputy = given.get("deputy", "")
    try:
        entered = absences.add_absence(
            web.db(),
            here.dealer.id,
            user_id=user_id,
            starts_at=midnight(first, here.zone),
            ends_at=midnight(last + timedelta(days=1), here.zone),
            deputy_id=(number_of(deputy) or 0) if deputy else None,
            reason=given.get("reason", ""),
            at=web.at(),
            actor=web.actor(),
        )
    except absences.BadAbsence as bad:
        web.db().rollback()
        if bad.field == "person":
            abort(404)
        beside = {"starts": "first", "ends": "last"}.get(bad.field, bad.field)
        return _colleague(here, user_id, given, {beside: bad.reason}), 422
    flash(_("The absence was entered."), "success")
    if entered.warning:
        flash(entered.warning, "warning")
    return redirect(url_for("desk.colleague", user_id=user_id, dealer=here.code))


@blueprint.post("/team/<int:user_id>/absences/end")
@web.require(dealerdesk.PERMISSION)
def end_absence(user_id: int) -> ResponseReturnValue:
    here = house()
    row = number_of(request.form.get("row", ""))
    try:
        if row is None:
            raise LookupError("no row")
        absences.end_absence(web.db(), here.dealer.id, row, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    flash(_("The absence was ended."), "success")
    return redirect(url_for("desk.colleague", user_id=user_id, dealer=here.code))


@blueprint.post("/team/<int:user_id>/hand-over")
@web.require(dealerdesk.PERMISSION)
def hand_over_all(user_id: int) -> ResponseReturnValue:
    """All open leads of somebody to one colleague, or to the team."""
    here, given = house(), typed()
    _person(here, user_id)
    to = number_of(given.get("to", "")) if given.get("to") else None
    if given.get("to") and to not in {each.id for each in _people(here)} - {user_id}:
        return _colleague(here, user_id, given, {"to": _("Choose somebody of this dealer.")}), 422
    leads = web.db().scalars(_held(here, user_id).limit(MOST_HANDED)).all()
    handed = sum(_hand(lead_id, to) for lead_id in leads)
    flash(
        ngettext("%(num)s lead was handed over.", "%(num)s leads were handed over.", handed),
        "success" if handed == len(leads) else "warning",
    )
    if handed < len(leads):
        flash(_("Some could not be handed over: their colleague doesn't work on them."), "warning")
    return redirect(url_for("desk.colleague", user_id=user_id, dealer=here.code))


def _hand(lead_id: Any, to: int | None) -> bool:
    try:
        hand_to(web.db(), lead_id, user_id=to, at=web.at(), actor=web.actor())
    except (IllegalStep, NoColleague, LookupError):
        web.db().rollback()
        return False
    return True


def _held(here: House, user_id: int) -> Any:
    return (
        select(Lead.id)
        .where(
            Lead.dealer_id == here.dealer.id,
            Lead.owner_id == user_id,
            Lead.status.in_(sorted(WITH_DEALER)),
        )
        .order_by(Lead.id)
    )


def _people(here: House) -> list[User]:
    return list(absences.people_of(web.db(), here.dealer.id))


def _others(owners: Iterable[int | None], people: Sequence[User]) -> list[User]:
    """Owners of leads of the dealer who are not in its team: they left, or are a group's."""
    ids = set(owners) - {None} - {each.id for each in people}
    if not ids:
        return []
    return list(web.db().scalars(select(User).where(User.id.in_(ids)).order_by(User.name, User.id)))


def _person(here: House, user_id: int) -> User:
    known = [*_people(here), *_others(_work(here), _people(here))]
    person = next((each for each in known if each.id == user_id), None)
    if person is None:
        abort(404)
    return person


def _work(here: House) -> dict[int | None, Workload]:
    today = web.at().astimezone(ZoneInfo(here.zone)).date()
    day = (midnight(today, here.zone), midnight(today + timedelta(days=1), here.zone))
    return workloads(web.db(), here.dealer.id, at=web.at(), day=day)


def _team(here: House) -> str:
    people, work = _people(here), _work(here)
    others = _others(work, people)
    away: dict[int, list[Absence]] = {person.id: [] for person in people}
    for absence in absences.absences_of(web.db(), list(away), web.at()):
        away[absence.user_id].append(absence)
    return render_template(
        "desk/team.html",
        here=here,
        terms=here.terms,
        seen=mark_of(here.terms),
        people=[
            *(Person(each, work.get(each.id, Workload()), away[each.id]) for each in people),
            *(Person(each, work[each.id], [], in_team=False) for each in others),
        ],
        nobody=work.get(None, Workload()),
    )


def _colleague(
    here: House,
    user_id: int,
    given: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> str:
    person, people = _person(here, user_id), _people(here)
    away = list(absences.absences_of(web.db(), [user_id], web.at()))
    work = _work(here).get(user_id, Workload())
    return render_template(
        "desk/colleague.html",
        here=here,
        terms=here.terms,
        person=Person(person, work, away, in_team=person in people),
        others=[each for each in people if each.id != user_id],
        skills=list(LABELS["service"]),
        spoken=sorted({*dealerdesk.spoken_languages(here.dealer), *person.languages}),
        most_handed=MOST_HANDED,
        given=given or {},
        problems=problems or {},
    )
