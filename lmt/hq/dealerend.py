"""Headquarters ends a dealer, or one of its competences: looked at before, planned, called off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from lmt import dealers as verbs
from lmt import web
from lmt.dealers import NotNow
from lmt.handover import EndPreview, EndRefused, plan_end, preview_end
from lmt.hq.blueprint import blueprint
from lmt.hq.dealer import edited, not_now, typed
from lmt.hq.dealerform import instant_of, row_of
from lmt.hq.dealerview import OPEN_ORDER, competence_words
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.models import Brand, Competence, Dealer, DealerTerms, Handover
from lmt.openinghours import N_

MOST_LISTED = 1_000
LONGEST_REASON = 300

REFUSED = {
    "past": ("when", _l("This time is over. Choose a later one, or leave it empty: at once.")),
    "no_way_on": ("way", _l("Say where its open leads go.")),
    "unknown_dealer": ("", _l("This dealer is not there any more.")),
    "unknown_brand": ("", _l("The dealer doesn't have this competence.")),
    "no_such_competence": ("", _l("The dealer doesn't have this competence.")),
    "unknown_successor": ("successor", _l("There is no such dealer in this market.")),
    "inactive_successor": ("successor", _l("This dealer takes no leads at that time.")),
    "same_dealer": ("successor", _l("This is the dealer that ends.")),
    "successor_not_competent": ("successor", _l("This dealer lacks the competence that ends.")),
    "planned_already": (
        "",
        _l("An end is planned already. Call it off before you plan another one."),
    ),
}
"""The field, "" for the whole form, and words by `EndRefused.reason`."""

_AS_IT_IS = N_("Goes to %(name)s as it is, with its notes and plans.")
TO_SUCCESSOR = {
    "offered": N_("Goes to %(name)s; its time to answer begins anew there."),
    "accepted": _AS_IT_IS,
    "contacted": _AS_IT_IS,
    "resting": N_("Rests on at %(name)s until its date."),
}
"""What becomes of an open lead by its status; messages to translate."""


@blueprint.get("/dealers/<code>/end")
@web.require(verbs.PERMISSION)
def dealer_end(code: str) -> ResponseReturnValue:
    return _form(code, {name: request.args.get(name, "") for name in ("brand", "service")})


@blueprint.post("/dealers/<code>/end")
@web.require(verbs.PERMISSION)
def end_dealer(code: str) -> ResponseReturnValue:
    """Looked at first (`do=preview`), then planned (`do=confirm`)."""
    _row, terms = edited(code)
    given = typed()
    if given.get("do") == "change":
        return _form(code, given)
    session, at = web.db(), web.at()
    when = instant_of(given["when"], terms.timezone) if given.get("when") else at
    successor = given.get("successor", "") if given.get("way") == "successor" else None
    problems = {}
    if when is None:
        problems["when"] = _("Enter a day and a time, or nothing: at once.")
    if given.get("way") not in {"successor", "reroute"}:
        problems["way"] = _("Say where its open leads go.")
    elif successor == "":
        problems["successor"] = _("Choose a dealer.")
    if not given.get("reason"):
        problems["reason"] = _("Say why, for those who read this later.")
    elif len(given["reason"]) > LONGEST_REASON:
        problems["reason"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_REASON)
    if problems or when is None:
        return _form(code, given, problems), 422
    brand, service = given.get("brand") or None, given.get("service", "")
    try:
        if given.get("do") != "confirm":
            if when < at:
                raise EndRefused("past")
            preview = preview_end(session, code, when, brand, service, successor)
            if preview.problem:
                raise EndRefused(preview.problem)
            return _form(code, given, preview=preview, when=when)
        plan_end(
            session,
            code,
            ends_at=when,
            reason=given["reason"],
            at=at,
            actor=web.actor(),
            brand=brand,
            service=service,
            successor=successor,
            reroute=given["way"] == "reroute",
        )
    except EndRefused as refused:
        session.rollback()
        field, words = REFUSED[refused.reason]
        return _form(code, given, {field: str(words)}), 422
    if when > at:
        flash(_("The end is planned. Its open leads move then."), "success")
    else:
        flash(_("It has ended. Its open leads move in the next minutes."), "success")
    return redirect(url_for("hq.dealer", code=code))


@blueprint.post("/dealers/<code>/end/cancel")
@web.require(verbs.PERMISSION)
def cancel_dealer_end(code: str) -> ResponseReturnValue:
    row, _terms = edited(code)
    number = row_of(request.form.get("row", ""))
    session = web.db()
    planned = None if number is None else session.get(Handover, number)
    if planned is None or planned.dealer_id != row.id:
        abort(404)
    try:
        verbs.cancel_end(session, planned.id, web.at(), web.actor())
    except NotNow as why:
        return not_now(code, why)
    flash(_("The end was called off. The dealer goes on as before."), "success")
    return redirect(url_for("hq.dealer", code=code))


def _form(
    code: str,
    given: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    *,
    preview: EndPreview | None = None,
    when: datetime | None = None,
) -> str:
    dealer, terms = edited(code)
    session, at = web.db(), web.at()
    held = _held(session, dealer.id, at)
    brand, service = given.get("brand", ""), given.get("service", "")
    ending = [
        each
        for each in held
        if brand in {"", each.brand_code} and service in {"", each.Competence.service}
    ]
    if brand and not ending:
        abort(404)
    options = _successors(session, dealer, ending, at)
    chosen = given.get("successor", "")
    names = dict(options or ())
    to = names.get(chosen, chosen) if given.get("way") == "successor" else ""
    return render_template(
        "hq/dealer_end.html",
        dealer=dealer,
        terms=terms,
        what=competence_words(ending[0].brand, service) if brand else "",
        given=given,
        problems=problems or {},
        options=options,
        preview=preview,
        when=when,
        at_once=when is not None and when <= at,
        to=to,
        moves=[] if preview is None else _moves(preview, to),
    )


def _moves(preview: EndPreview, to: str) -> list[tuple[str, int, str]]:
    """Status, how many leads, and what becomes of them."""
    anew = _("Each is routed anew.")
    return [
        (
            status,
            preview.leads[status],
            _(TO_SUCCESSOR[status], name=to) if to else anew,
        )
        for status in OPEN_ORDER
        if status in preview.leads
    ]


def _held(session: Session, dealer_id: int, at: datetime) -> list[Any]:
    return list(
        session.execute(
            select(Competence, Brand.code.label("brand_code"), Brand.name.label("brand"))
            .join(Brand, Brand.id == Competence.brand_id)
            .where(Competence.dealer_id == dealer_id, Competence.holds_at(at))
            .order_by(Brand.name, Competence.service)
        )
    )


def _successors(
    session: Session, dealer: Dealer, ending: list[Any], at: datetime
) -> list[tuple[str, str]] | None:
    """Active dealers of the market with a competence that ends, by name; None where there are too
    many to choose from a list."""
    pairs = {(each.Competence.brand_id, each.Competence.service) for each in ending}
    able = select(Competence.dealer_id).where(
        tuple_(Competence.brand_id, Competence.service).in_(sorted(pairs)),
        Competence.holds_at(at),
    )
    rows = session.execute(
        select(Dealer.code, DealerTerms.name, DealerTerms.city)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(
            Dealer.market_id == dealer.market_id,
            Dealer.id != dealer.id,
            DealerTerms.holds_at(at),
            DealerTerms.active,
            Dealer.id.in_(able),
        )
        .order_by(DealerTerms.name, Dealer.code)
        .limit(MOST_LISTED + 1)
    ).all()
    if len(rows) > MOST_LISTED:
        return None
    return [
        (code, name if city.casefold() in name.casefold() else f"{name}, {city}")
        for code, name, city in rows
    ]
