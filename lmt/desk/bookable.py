"""A manager's page of what people may book with the dealer: test drives, visits, calls."""

from __future__ import annotations

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import appointments, web
from lmt.desk.blueprint import blueprint
from lmt.desk.managing import house, number_of
from lmt.i18n import gettext as _
from lmt.slotterms import LIMITS, set_slot_terms, slot_terms

PREVIEW_TIMES = 5
PREVIEW_DAYS = 7


@blueprint.get("/bookable")
@web.require("dealer.manage")
def bookable() -> ResponseReturnValue:
    return _page()


@blueprint.post("/bookable")
@web.require("dealer.manage")
def save_bookable() -> ResponseReturnValue:
    """All kinds at once; nothing is changed where one figure can't be."""
    here, session = house(), web.db()
    given = {
        kind: {name: request.form.get(f"{kind}-{name}", "").strip() for name in LIMITS}
        for kind in slot_terms(session, here.dealer.id)
    }
    problems = {
        f"{kind}-{name}": problem
        for kind, figures in given.items()
        for name, typed in figures.items()
        if (problem := _problem(name, typed))
    }
    if problems:
        return _page(given, problems), 422
    changed = False
    for kind, figures in given.items():
        values = {name: int(typed) for name, typed in figures.items()}
        changed |= set_slot_terms(
            session, here.dealer.id, kind, values, at=web.at(), actor=web.actor()
        )
    if changed:
        flash(_("Saved. What is booked already stays."), "success")
    return redirect(url_for("desk.bookable", dealer=here.code))


def _problem(name: str, typed: str) -> str:
    least, most = LIMITS[name]
    figure = number_of(typed)
    if figure is None or not least <= figure <= most:
        return _("Enter a whole number from %(least)s to %(most)s.", least=least, most=most)
    return ""


def _page(
    given: Mapping[str, Mapping[str, str]] | None = None,
    problems: Mapping[str, str] | None = None,
) -> str:
    here, session, at = house(), web.db(), web.at()
    terms = slot_terms(session, here.dealer.id)
    shown = {
        kind: {name: str(figure) for name, figure in figures.items()}
        for kind, figures in terms.items()
    }
    return render_template(
        "desk/bookable.html",
        here=here,
        shown=given or shown,
        problems=problems or {},
        limits=LIMITS,
        next_times={
            kind: appointments.bookable(session, here.dealer.id, kind, at, PREVIEW_DAYS)[
                :PREVIEW_TIMES
            ]
            for kind in terms
        },
    )
