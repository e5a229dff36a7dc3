"""Headquarters' console: what needs a look, every lead in scope, one lead, and the queues."""

from __future__ import annotations

import uuid
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import pipeline, web
from lmt.eventwords import event_words
from lmt.hq import (
    calendars,
    campaigns,
    consents,
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
    fairshare,
    formbuilder,
    formfields,
    formpage,
    formpreview,
    forms,
    formtexts,
    importpage,
    imports,
    mailboxes,
    network,
    places,
    policies,
    replays,
    reporting,
    sourceform,
    sourcemapping,
    sources,
    sourcetest,
)
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.hq.filters import LeadFilter, position
from lmt.hq.onelead import lead_view
from lmt.hq.queues import ABOUT, NOTHING, QUEUE_NAMES, TITLES, remedy
from lmt.i18n import gettext as _
from lmt.labels import choices, label
from lmt.lifecycle import OPEN, IllegalStep, Status, may_step

__all__ = [
    "blueprint",
    "calendars",
    "campaigns",
    "consents",
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
    "fairshare",
    "formbuilder",
    "formfields",
    "formpage",
    "formpreview",
    "forms",
    "formtexts",
    "importpage",
    "imports",
    "mailboxes",
    "network",
    "places",
    "policies",
    "replays",
    "reporting",
    "sourceform",
    "sourcemapping",
    "sources",
    "sourcetest",
]

LONGEST_REASON = 300


@blueprint.get("/")
@web.require("lead.assign")
def overview() -> ResponseReturnValue:
    counts = q.overview(
        web.db(),
        at=web.at(),
        with_messages=web.may("outbox.read"),
        with_intake=web.may("intake.read"),
    )
    return render_template("hq/overview.html", counts=counts)


@blueprint.get("/leads")
@web.require("lead.assign")
def leads() -> ResponseReturnValue:
    wanted = LeadFilter.of(request.args)
    after = position(request.args.get("after", ""))
    session = web.db()
    page = q.leads(session, wanted, at=web.at(), after=after)
    offered = q.choices_for(session)
    address = wanted.address()
    statuses = [("open", _("All open")), ("overdue", _("Time ran out")), *choices("status")]
    return render_template(
        "hq/leads.html",
        wanted=wanted,
        page=page,
        markets=[("", _("All markets")), *offered.markets],
        channels=[
            ("", _("All channels")),
            *((kind, label("channel", kind)) for kind in offered.channels),
        ],
        statuses=[("", _("All statuses")), *statuses],
        bands=[("", _("All priorities")), *choices("band")],
        dealers=q.dealer_options(session, at=web.at(), market=wanted.market),
        forms=q.form_choices(session),
        fields=q.field_choices(session, wanted.market),
        next_address=(url_for("hq.leads", **address, after=str(page.next)) if page.next else ""),
        first_address=url_for("hq.leads", **address) if after else "",
    )


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
    if not reason:
        errors["reason"] = _("Say why, for those who read this later.")
    elif len(reason) > LONGEST_REASON:
        errors["reason"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_REASON)
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


@blueprint.get("/queues/unrouted", defaults={"name": "unrouted"}, endpoint="unrouted")
@blueprint.get("/queues/unlocated", defaults={"name": "unlocated"}, endpoint="unlocated")
@blueprint.get("/queues/incomplete", defaults={"name": "incomplete"}, endpoint="incomplete")
@web.require("lead.assign")
def queue(name: str) -> ResponseReturnValue:
    after = position(request.args.get("after", ""))
    session = web.db()
    page = q.leads(session, LeadFilter(status=name), at=web.at(), after=after)
    counts = q.overview(session, at=web.at(), with_messages=False, with_intake=False)
    here = f"hq.{name}"
    return render_template(
        "hq/queue.html",
        name=name,
        page=page,
        counts=counts,
        names=QUEUE_NAMES,
        titles=TITLES,
        about=ABOUT[name],
        nothing=NOTHING[name],
        remedy=remedy,
        next_address=url_for(here, after=str(page.next)) if page.next else "",
        first_address=url_for(here) if after else "",
    )


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
        remedy=remedy,
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
