"""The queues where leads wait for a person, and what can be done to several of them at once."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import pipeline, web
from lmt.hq import queries as q
from lmt.hq.blueprint import blueprint
from lmt.hq.filters import LeadFilter, position
from lmt.hq.leadlist import leads as leads_that_fit
from lmt.hq.overviewcounts import queue_counts
from lmt.hq.queues import (
    ABOUT,
    NOTHING,
    QUEUE_NAMES,
    TITLES,
    reason_problem,
    remedy,
    remedy_address,
)
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.labels import label
from lmt.lifecycle import IllegalStep

MOST_AT_ONCE = 50
"""A page of a queue."""


@blueprint.get("/queues/unrouted", defaults={"name": "unrouted"}, endpoint="unrouted")
@blueprint.get("/queues/unlocated", defaults={"name": "unlocated"}, endpoint="unlocated")
@blueprint.get("/queues/incomplete", defaults={"name": "incomplete"}, endpoint="incomplete")
@web.require("lead.assign")
def queue(name: str) -> ResponseReturnValue:
    return _page(name)


@blueprint.post("/queues/<any(unrouted,unlocated,incomplete):name>")
@web.require("lead.assign")
def work_queue(name: str) -> ResponseReturnValue:
    """Give the chosen leads to one dealer, or decide them anew; each is tried by itself."""
    chosen, reason = _chosen(request.form.getlist("lead")), request.form.get("reason", "").strip()
    dealer = request.form.get("dealer", "").strip()
    anew = request.form.get("do") == "anew"
    errors = {}
    if not chosen:
        errors["lead"] = _("Choose one lead or several.")
    if not dealer and not anew:
        errors["dealer"] = _("Choose a dealer.")
    if problem := reason_problem(reason):
        errors["reason"] = problem
    if errors:
        return _page(name, errors=errors, chosen={str(id) for id in chosen}), 422
    refused: Counter[str] = Counter()
    for id in chosen:
        refused.update(_one(id, dealer="" if anew else dealer, reason=reason))
    done = len(chosen) - refused.total()
    if done and anew:
        flash(ngettext("%(num)s lead was decided anew.", "%(num)s leads were decided anew.", done),
              "success")  # fmt: skip
    elif done:
        flash(ngettext("%(num)s lead was given to the dealer.",
                       "%(num)s leads were given to the dealer.", done), "success")  # fmt: skip
    for why, many in refused.most_common():
        flash(ngettext("%(num)s lead stays: %(why)s", "%(num)s leads stay: %(why)s", many, why=why),
              "warning")  # fmt: skip
    return redirect(url_for(f"hq.{name}"))


def _one(id: uuid.UUID, *, dealer: str, reason: str) -> Iterable[str]:
    """What kept the lead from moving, in words; nothing where it moved."""
    session, at, actor = web.db(), web.at(), web.actor()
    try:
        if dealer:
            pipeline.reassign(session, id, dealer_code=dealer, reason=reason, at=at, actor=actor)
        else:
            pipeline.route_again(session, id, reason=reason, at=at, actor=actor)
    except pipeline.NotEligible as refused:
        session.rollback()
        return [label("refusal", refused.reason)]
    except (LookupError, IllegalStep, pipeline.TooLate):
        session.rollback()
        return [_("it has moved on in the meantime")]
    return []


def _chosen(given: Iterable[str]) -> list[uuid.UUID]:
    """The ids among what a form named, each once, as many as a page has."""
    found: dict[uuid.UUID, None] = {}
    for text in given:
        try:
            found[uuid.UUID(text)] = None
        except ValueError:
            continue
    return list(found)[:MOST_AT_ONCE]


def _page(name: str, *, errors: dict[str, str] | None = None, chosen: Iterable[str] = ()) -> str:
    after = position(request.args.get("after", ""))
    session = web.db()
    page = leads_that_fit(session, LeadFilter(status=name), at=web.at(), after=after)
    markets = {lead.market.code for lead in page.leads}
    market = next(iter(markets)) if len(markets) == 1 else ""
    here = f"hq.{name}"
    return render_template(
        "hq/queue.html",
        name=name,
        page=page,
        counts=queue_counts(session),
        names=QUEUE_NAMES,
        titles=TITLES,
        about=ABOUT[name],
        nothing=NOTHING[name],
        remedy=remedy,
        remedy_address=remedy_address,
        dealers=q.dealer_options(session, at=web.at(), market=market) if page.leads else [],
        errors=errors or {},
        chosen=set(chosen),
        given=request.form,
        next_address=url_for(here, after=str(page.next)) if page.next else "",
        first_address=url_for(here) if after else "",
    )
