"""What a dealer is good at, and which leads of late only this dealer could have taken."""

from __future__ import annotations

from collections.abc import Mapping

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import competences as verbs
from lmt import web
from lmt.dealerchanges import BadValues, NotNow
from lmt.hq.blueprint import blueprint
from lmt.hq.history import flash_saved
from lmt.i18n import gettext as _
from lmt.labels import choices
from lmt.models import Brand, Dealer, VehicleModel

EDIT = "network.edit"


@blueprint.get("/dealers/<code>/competences")
@web.require(EDIT)
def competences(code: str) -> ResponseReturnValue:
    return _page(_dealer(code))


@blueprint.post("/dealers/<code>/competences")
@web.require(EDIT)
def save_competences(code: str) -> ResponseReturnValue:
    """Add one, give one other models, or end one, from now on."""
    dealer, form, session = _dealer(code), request.form, web.db()
    held = verbs.competences_of(session, dealer.id, web.at())
    brand, service = form.get("brand", ""), form.get("service", "")
    models = tuple(sorted(set(form.getlist("models"))))
    was = _parsed(form.get("was", ""))
    wanted = set(held) - {was} if was else set(held)
    if form.get("do") != "end":
        wanted.add((brand, service, models))
    try:
        if form.get("do") != "end" and any(
            (b, s) == (brand, service) and (b, s, m) != was for b, s, m in held
        ):
            words = _("The dealer offers this already. Change its models instead.")
            raise BadValues({"service": words})
        changed = verbs.set_competences(
            session, code, frozenset(wanted), seen=form.get("seen", ""),
            at=web.at(), actor=web.actor(),
        )  # fmt: skip
    except BadValues as bad:
        session.rollback()
        return _page(_dealer(code), form, bad.problems), 422
    except NotNow as refused:
        session.rollback()
        return _page(_dealer(code), form, {"": str(refused)}), 409
    except LookupError:
        abort(404)
    flash_saved(verbs.KIND, code, changed)
    return redirect(url_for("hq.competences", code=code))


def key_of(offered: verbs.Offered) -> str:
    """A competence as a form names it."""
    brand, service, models = offered
    return "|".join([brand, service, ",".join(models)])


def _parsed(key: str) -> verbs.Offered | None:
    if key.count("|") != 2:
        return None
    brand, service, models = key.split("|")
    return brand, service, tuple(models.split(",")) if models else ()


def _dealer(code: str) -> Dealer:
    try:
        return verbs.edited_dealer(web.db(), code, web.actor())
    except LookupError:
        abort(404)


def _page(
    dealer: Dealer,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> str:
    session, at = web.db(), web.at()
    held = verbs.competences_of(session, dealer.id, at)
    brands = session.scalars(select(Brand).order_by(Brand.name)).all()
    models: dict[str, list[VehicleModel]] = {}
    codes = {each.id: each.code for each in brands}
    for each in session.scalars(select(VehicleModel).order_by(VehicleModel.name).limit(2_000)):
        models.setdefault(codes[each.brand_id], []).append(each)
    effects = verbs.effects_of(session, dealer, held, at)
    return render_template(
        "hq/competences.html",
        dealer=dealer,
        terms=verbs.terms_now(session, dealer.id, at),
        rows=[(offered, key_of(offered), effects[offered]) for offered in sorted(held)],
        brands=[(each.code, each.name) for each in brands],
        brand_names={each.code: each.name for each in brands},
        models=models,
        services=choices("service"),
        seen=verbs.mark_of(held),
        days=verbs.LOOKED_AT_DAYS,
        typed=typed or {},
        problems=problems or {},
    )
