"""All leads as a list and on a map, by the same filters, which a person may keep under a name."""

from __future__ import annotations

import math
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import savedviews, web
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.hq.filterchoices import offered
from lmt.hq.filters import LeadFilter, position
from lmt.hq.leadlist import WALK
from lmt.hq.leadlist import leads as leads_that_fit
from lmt.hq.leadmap import LeadMap, Square
from lmt.hq.leadmap import lead_map as leads_on_a_map
from lmt.i18n import format_km, format_number, ngettext
from lmt.i18n import gettext as _
from lmt.maps import Area, Map, Point

ROOM = "console"


@blueprint.get("/leads")
@web.require("lead.assign")
def leads() -> ResponseReturnValue:
    wanted = LeadFilter.of(request.args)
    after = position(request.args.get("after", ""))
    page = leads_that_fit(web.db(), wanted, at=web.at(), after=after)
    address = wanted.address()
    return render_template(
        "hq/leads.html",
        **_shared(wanted),
        page=page,
        walk=WALK,
        next_address=(url_for("hq.leads", **address, after=str(page.next)) if page.next else ""),
        first_address=url_for("hq.leads", **address) if after else "",
    )


@blueprint.get("/map")
@web.require("lead.assign")
def lead_map() -> ResponseReturnValue:
    wanted = LeadFilter.of(request.args)
    found = leads_on_a_map(web.db(), wanted, at=web.at())
    return render_template(
        "hq/lead_map.html",
        **_shared(wanted),
        found=found,
        drawing=_drawing(found, wanted),
        list_of=lambda square: url_for("hq.leads", **wanted.within(square.cell).address()),
    )


@blueprint.post("/views")
@web.require("lead.assign")
def save_view() -> ResponseReturnValue:
    """Kept are the filters of the page that the form stands on."""
    filters = LeadFilter.of(request.form).address()
    room = "hq.lead_map" if request.form.get("room") == "map" else "hq.leads"
    try:
        name = request.form.get("view", "")
        savedviews.keep_view(web.db(), web.user().id, ROOM, name, filters, web.at())
    except savedviews.BadView as problem:
        flash(_problem(problem.cause), "danger")
    else:
        flash(_("The view was saved."), "success")
    return redirect(url_for(room, **filters))


@blueprint.post("/views/<int:view_id>/delete")
@web.require("lead.assign")
def delete_view(view_id: int) -> ResponseReturnValue:
    try:
        name, filters = savedviews.forget_view(web.db(), web.user().id, ROOM, view_id)
    except LookupError:
        abort(404)
    undo: dict[str, Any] = {"view": name, **filters}
    # A pair of words and address, as the macro of the flashes has it.
    told: Any = (_("The view was deleted."), url_for("hq.restore_view", **undo))
    flash(told, "undo")
    return redirect(url_for("hq.leads"))


@blueprint.post("/views/restore")
@web.require("lead.assign")
def restore_view() -> ResponseReturnValue:
    filters = LeadFilter.of(request.args).address()
    try:
        name = request.args.get("view", "")
        savedviews.keep_view(web.db(), web.user().id, ROOM, name, filters, web.at())
    except savedviews.BadView as problem:
        flash(_problem(problem.cause), "danger")
    return redirect(url_for("hq.leads", **filters))


def _problem(cause: str) -> str:
    words = {
        "unnamed": _("Give the view a name."),
        "long": _(
            "Shorten the name to %(most)s characters or fewer.", most=savedviews.LONGEST_NAME
        ),
        "known": _("You have a view of this name already."),
        "many": _("You have as many views as there can be. Delete one first."),
    }
    return words[cause]


def _shared(wanted: LeadFilter) -> dict[str, Any]:
    """What the panel of filters needs, above list and map."""
    session = web.db()
    return {
        "wanted": wanted,
        "offered": offered(session, wanted, web.actor()),
        "dealers": q.dealer_options(session, at=web.at(), market=wanted.market),
        "views": savedviews.views_of(session, web.user().id, ROOM),
    }


def _drawing(found: LeadMap, wanted: LeadFilter) -> Map:
    dealers = [
        Point(dealer.lat, dealer.lon, "dealer", dealer.name) for dealer in found.dealers or ()
    ]
    most = max((square.leads for square in found.squares), default=1)
    return Map(tuple(dealers), (), tuple(_area(square, most, wanted) for square in found.squares))


def _area(square: Square, most: int, wanted: LeadFilter) -> Area:
    cell = square.cell
    # By the logarithm: one city has as many as a whole region.
    depth = 1 + int(4 * math.log1p(square.leads) / math.log1p(most)) if most > 1 else 1
    return Area(
        cell.lat,
        cell.lon,
        cell.lat + cell.degrees,
        cell.lon + cell.degrees,
        "uncovered" if square.uncovered else "leads",
        format_number(square.leads),
        ngettext("%(num)s lead", "%(num)s leads", square.leads),
        uncovered_words(square),
        min(5, depth),
        url_for("hq.leads", **wanted.within(cell).address()),
    )


def uncovered_words(square: Square) -> str:
    """Why a square is not covered; "" for one that is."""
    told = []
    if square.nearest_km is not None:
        told.append(_("the nearest dealer is %(km)s away", km=format_km(square.nearest_km)))
    if square.stranded:
        told.append(
            ngettext("%(num)s waits out of reach", "%(num)s wait out of reach", square.stranded)
        )
    return " · ".join(told)


blueprint.context_processor(lambda: {"uncovered_words": uncovered_words})
