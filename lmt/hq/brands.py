"""Headquarters' catalogue: brands, their models, and what a customer's words would mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from lmt import brands as verbs
from lmt import markets, web
from lmt.dealerchanges import BadValues, NotNow
from lmt.hq.blueprint import blueprint
from lmt.hq.history import flash_saved
from lmt.i18n import gettext as _
from lmt.ingest.books import books_as_system
from lmt.models import Brand, VehicleModel

MOST_ROWS = 500
LONGEST_TEXT = 200


@blueprint.get("/brands")
@web.require(verbs.PERMISSION)
def brands() -> ResponseReturnValue:
    session = web.db()
    counts = dict(
        session.execute(
            select(VehicleModel.brand_id, func.count()).group_by(VehicleModel.brand_id)
        ).all()
    )
    rows = session.scalars(select(Brand).order_by(Brand.name).limit(MOST_ROWS)).all()
    return render_template(
        "hq/brands.html",
        rows=rows,
        counts=counts,
        may_edit=verbs.may_edit(web.actor()),
        **_tried(),
    )


@blueprint.get("/brands/new")
@web.require(verbs.PERMISSION)
def new_brand() -> ResponseReturnValue:
    if not verbs.may_edit(web.actor()):
        abort(404)
    return _brand_page(None, {})


@blueprint.post("/brands/new")
@web.require(verbs.PERMISSION)
def create_brand() -> ResponseReturnValue:
    return _save_brand(None)


@blueprint.get("/brands/<code>")
@web.require(verbs.PERMISSION)
def brand(code: str) -> ResponseReturnValue:
    row = _brand(code)
    given = {"code": row.code, "name": row.name, "aliases": "\n".join(row.aliases)}
    return _brand_page(row, given)


@blueprint.post("/brands/<code>")
@web.require(verbs.PERMISSION)
def save_brand(code: str) -> ResponseReturnValue:
    return _save_brand(_brand(code).code)


@blueprint.get("/brands/<code>/models/new")
@web.require(verbs.PERMISSION)
def new_model(code: str) -> ResponseReturnValue:
    if not verbs.may_edit(web.actor()):
        abort(404)
    return _model_page(_brand(code), None, {})


@blueprint.post("/brands/<code>/models/new")
@web.require(verbs.PERMISSION)
def create_model(code: str) -> ResponseReturnValue:
    return _save_model(code, None)


@blueprint.get("/brands/<code>/models/<model_code>")
@web.require(verbs.PERMISSION)
def model(code: str, model_code: str) -> ResponseReturnValue:
    row = _model(code, model_code)
    given = {"code": row.code, "name": row.name, "aliases": "\n".join(row.aliases)}
    given |= {f"aliases.{name}": "\n".join(words) for name, words in row.market_aliases.items()}
    return _model_page(_brand(code), row, given, markets_ticked=row.markets)


@blueprint.post("/brands/<code>/models/<model_code>")
@web.require(verbs.PERMISSION)
def save_model(code: str, model_code: str) -> ResponseReturnValue:
    _model(code, model_code)
    return _save_model(code, model_code)


@blueprint.post("/brands/<code>/models/<model_code>/delete")
@web.require(verbs.PERMISSION)
def delete_model(code: str, model_code: str) -> ResponseReturnValue:
    try:
        verbs.delete_model(web.db(), code, model_code, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except NotNow as refused:
        web.db().rollback()
        flash(str(refused), "warning")
        return redirect(url_for("hq.model", code=code, model_code=model_code))
    flash(_("The model was deleted."), "success")
    return redirect(url_for("hq.brand", code=code))


def _save_brand(code: str | None) -> ResponseReturnValue:
    given = _typed()
    session = web.db()
    new = given.get("code", "")
    try:
        changed = verbs.save_brand(
            session,
            code,
            new,
            given.get("name", ""),
            _listed(given.get("aliases", "")),
            at=web.at(),
            actor=web.actor(),
        )
    except BadValues as bad:
        session.rollback()
        return _brand_page(_brand(code) if code else None, given, bad.problems), 422
    except LookupError:
        abort(404)
    flash_saved(verbs.BRAND, new, changed)
    return redirect(url_for("hq.brand", code=new))


def _save_model(brand_code: str, code: str | None) -> ResponseReturnValue:
    given, session, actor = _typed(), web.db(), web.actor()
    by_market = {
        name.removeprefix("aliases."): _listed(typed)
        for name, typed in given.items()
        if name.startswith("aliases.")
    }
    ticked = request.form.getlist("markets")
    try:
        if verbs.may_edit(actor):
            new = given.get("code", "")
            terms = verbs.ModelTerms(
                new, given.get("name", ""), _listed(given.get("aliases", "")), by_market,
                tuple(sorted(ticked)),
            )  # fmt: skip
            changed = verbs.save_model(session, brand_code, code, terms, at=web.at(), actor=actor)
            flash_saved(verbs.MODEL, f"{brand_code}/{new}", changed)
        else:
            new = code or abort(404)
            market = request.form.get("market", "")
            changed = verbs.save_market_aliases(
                session, market, brand_code, new, by_market.get(market, ()),
                at=web.at(), actor=actor,
            )  # fmt: skip
            flash_saved(verbs.ALIASES, f"{market}/{brand_code}/{new}", changed)
    except BadValues as bad:
        session.rollback()
        row = _model(brand_code, code) if code else None
        return _model_page(_brand(brand_code), row, given, bad.problems, markets_ticked=ticked), 422
    except LookupError:
        abort(404)
    return redirect(url_for("hq.model", code=brand_code, model_code=new))


def _brand(code: str) -> Brand:
    try:
        return verbs.brand_of(web.db(), code)
    except LookupError:
        abort(404)


def _model(brand_code: str, code: str) -> VehicleModel:
    try:
        return verbs.model_of(web.db(), brand_code, code)
    except LookupError:
        abort(404)


def _typed() -> dict[str, str]:
    return {name: value.strip() for name, value in request.form.items()}


def _listed(typed: str) -> tuple[str, ...]:
    """One a line."""
    return tuple(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))


def _brand_page(
    row: Brand | None, given: Mapping[str, str], problems: Mapping[str, str] | None = None
) -> str:
    models: Sequence[VehicleModel] = ()
    if row is not None:
        models = (
            web.db()
            .scalars(
                select(VehicleModel)
                .where(VehicleModel.brand_id == row.id)
                .order_by(VehicleModel.name)
                .limit(MOST_ROWS)
            )
            .all()
        )
    return render_template(
        "hq/brand.html",
        brand=row,
        models=models,
        given=given,
        problems=problems or {},
        may_edit=verbs.may_edit(web.actor()),
        **(_tried() if row is not None else {}),
    )


def _model_page(
    brand: Brand,
    row: VehicleModel | None,
    given: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    markets_ticked: Sequence[str] = (),
) -> str:
    session, actor = web.db(), web.actor()
    return render_template(
        "hq/brand_model.html",
        brand=brand,
        model=row,
        given=given,
        problems=problems or {},
        ticked=markets_ticked,
        may_edit=verbs.may_edit(actor),
        markets=markets.edited_markets(session, actor),
    )


def _tried() -> dict[str, object]:
    """What the catalogue recognises in a customer's words, for the page's try-out."""
    text = request.args.get("text", "").strip()[:LONGEST_TEXT]
    market = request.args.get("market", "")
    session = web.db()
    known = [(row.code, row.name) for row in markets.edited_markets(session, web.actor())]
    if market not in dict(known):
        market = known[0][0] if known else ""
    brand = model = ""
    if text:
        meant = books_as_system(session).catalogue.wanted("", text, market)
        model = meant.model.name if meant.model else ""
        if meant.brand_id is not None:
            row = session.get(Brand, meant.brand_id)
            brand = row.name if row is not None else ""
    return {
        "text": text, "market": market, "markets": known, "meant_brand": brand,
        "meant_model": model,
    }  # fmt: skip
