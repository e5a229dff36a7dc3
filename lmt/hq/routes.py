"""Headquarters' console: what needs a look, every lead in scope, one lead, and the queues."""

from __future__ import annotations

import uuid
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import pipeline, web
from lmt.eventwords import event_words
from lmt.hq import (
    appointments,
    brands,
    calendars,
    campaigns,
    competences,
    consents,
    console,
    contests,
    correspondence,
    customer,
    dealer,
    dealerend,
    dealerimport,
    dealersystem,
    deliveries,
    deliveryacts,
    donotcontact,
    duplicates,
    exporting,
    formbuilder,
    formfields,
    formpage,
    formpreview,
    forms,
    formtexts,
    groups,
    history,
    importpage,
    imports,
    mailboxes,
    mailtexts,
    markets,
    network,
    people,
    places,
    policies,
    questions,
    queuepage,
    replays,
    replytemplates,
    roles,
    rules,
    salequeue,
    sales,
    sourceform,
    sourcemapping,
    sources,
    sourcetest,
    statuses,
    verdicts,
)
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.hq.onelead import lead_view
from lmt.hq.overviewcounts import overview as overview_counts
from lmt.hq.queues import reason_problem, remedy, remedy_address
from lmt.i18n import gettext as _
from lmt.labels import choices, label
from lmt.lifecycle import OPEN, IllegalStep, Status, may_step

__all__ = [
    "appointments",
    "blueprint",
    "brands",
    "calendars",
    "campaigns",
    "competences",
    "consents",
    "console",
    "contests",
    "correspondence",
    "customer",
    "dealer",
    "dealerend",
    "dealerimport",
    "dealersystem",
    "deliveries",
    "deliveryacts",
    "donotcontact",
    "duplicates",
    "exporting",
    "formbuilder",
    "formfields",
    "formpage",
    "formpreview",
    "forms",
    "formtexts",
    "groups",
    "history",
    "importpage",
    "imports",
    "mailboxes",
    "mailtexts",
    "markets",
    "network",
    "people",
    "places",
    "policies",
    "questions",
    "queuepage",
    "replays",
    "replytemplates",
    "roles",
    "rules",
    "salequeue",
    "sales",
    "sourceform",
    "sourcemapping",
    "sources",
    "sourcetest",
    "statuses",
    "verdicts",
]


@blueprint.get("/")
@web.require("lead.assign")
def overview() -> ResponseReturnValue:
    counts = overview_counts(
        web.db(),
        at=web.at(),
        with_messages=web.may("outbox.read"),
        with_intake=web.may("intake.read"),
        with_help=web.may("help.answer"),
    )
    # Asked again by itself: the numbers alone, not the page around them.
    part = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
    template = "hq/overview_tiles.html" if part else "hq/overview.html"
    response = make_response(render_template(template, counts=counts))
    response.vary.add("HX-Request")
    return response


@blueprint.get("/leads/<uuid:lead_id>")
@web.require("lead.assign")
def lead(lead_id: uuid.UUID) -> ResponseReturnValue:
    return _lead_page(lead_id)


@blueprint.post("/leads/<uuid:lead_id>/assign")
@web.require("lead.assign")
def assign(lead_id: uuid.UUID) -> ResponseReturnValue:
    dealer = request.form.get("dealer", "").strip()
    reason = request.form.get("reason", "").strip()
    errors = {}
    if not dealer:
        errors["dealer"] = _("Choose a dealer.")
    if problem := reason_problem(reason):
        errors["reason"] = problem
    if errors:
        return _lead_page(lead_id, errors=errors, given=request.form.to_dict()), 422
    session = web.db()
    if lead_view(session, lead_id, at=web.at()) is None:
        abort(404)
    try:
        pipeline.reassign(
            session,
            lead_id,
            dealer_code=dealer,
            reason=reason,
            at=web.at(),
            actor=web.actor(),
        )
    except pipeline.NotEligible as refused:
        session.rollback()
        words = label("refusal", refused.reason)
        errors = {"dealer": _("This dealer can't be given the lead: %(why)s", why=words)}
        return _lead_page(lead_id, errors=errors, given=request.form.to_dict()), 422
    except LookupError:
        session.rollback()
        errors = {"dealer": _("This dealer can't be found.")}
        return _lead_page(lead_id, errors=errors, given=request.form.to_dict()), 422
    except (IllegalStep, pipeline.TooLate):
        return _moved_on(lead_id)
    flash(_("The lead was given to the dealer."), "success")
    return redirect(url_for("hq.lead", lead_id=lead_id))


@blueprint.post("/leads/<uuid:lead_id>/route")
@web.require("lead.assign")
def route_again(lead_id: uuid.UUID) -> ResponseReturnValue:
    reason = request.form.get("reason", "").strip()
    problem = reason_problem(reason)
    if problem:
        return _lead_page(lead_id, errors={"anew": problem}, given=request.form.to_dict()), 422
    session = web.db()
    try:
        pipeline.route_again(session, lead_id, reason=reason, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except IllegalStep:
        return _moved_on(lead_id)
    flash(_("It was decided anew. This is what came of it."), "success")
    return redirect(url_for("hq.lead", lead_id=lead_id))


@blueprint.post("/leads/<uuid:lead_id>/withdraw")
@web.require("lead.assign")
def withdraw(lead_id: uuid.UUID) -> ResponseReturnValue:
    reason = request.form.get("reason", "")
    if reason not in dict(choices("withdraw_reason")):
        errors = {"withdraw": _("Choose one of the options.")}
        return _lead_page(lead_id, errors=errors), 422
    session = web.db()
    try:
        pipeline.withdraw(session, lead_id, reason=reason, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except (IllegalStep, pipeline.TooLate):
        return _moved_on(lead_id)
    flash(_("The lead was withdrawn."), "success")
    return redirect(url_for("hq.lead", lead_id=lead_id))


def _lead_page(
    lead_id: uuid.UUID,
    *,
    errors: dict[str, str] | None = None,
    given: dict[str, Any] | None = None,
) -> str:
    session = web.db()
    view = lead_view(session, lead_id, at=web.at())
    if view is None:
        abort(404)
    status = Status(view.lead.status)
    movable = status in OPEN
    dealers = (
        q.dealer_options(session, at=web.at(), market=view.lead.market.code) if movable else []
    )
    ranked = [row for _stored, words in view.decisions[:1] for row in words.ranked]
    return render_template(
        "hq/lead.html",
        view=view,
        lead=view.lead,
        event_words=event_words,
        nearest=[row for row in ranked if row.code != _code_of(view)],
        dealers=dealers,
        may_assign=movable,
        may_withdraw=may_step(status, Status.WITHDRAWN),
        may_decide_anew=movable and status is not Status.RECEIVED,
        remedy=remedy,
        remedy_address=remedy_address,
        errors=errors or {},
        given=given or {},
    )


def _code_of(view: Any) -> str:
    """The code of the dealer that has the lead, as the last decision named it."""
    for stored, _words in view.decisions:
        if stored.dealer_id is not None and stored.dealer_id == view.lead.dealer_id:
            return str(stored.result.get("chosen") or "")
    return ""


def _moved_on(lead_id: uuid.UUID) -> ResponseReturnValue:
    web.db().rollback()
    flash(_("The lead has moved on in the meantime. This is how it stands now."), "warning")
    return redirect(url_for("hq.lead", lead_id=lead_id))
