"""The templates and snippets that dealers reply with, by market, brand, request and language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import replies, web
from lmt import replytemplates as verbs
from lmt.config import LOCALES
from lmt.hq.blueprint import blueprint
from lmt.hq.sourcewords import changes_of
from lmt.i18n import gettext as _
from lmt.i18n import language_name
from lmt.labels import choices
from lmt.models import Brand, Lead, Market, ReplyTemplate

PAGE_ROWS = 50
ALL = "all"


@blueprint.get("/reply-templates")
@web.require(verbs.PERMISSION)
def reply_templates() -> ResponseReturnValue:
    session = web.db()
    markets = _markets()
    market, kind = request.args.get("market", "")[:100], request.args.get("kind", "")
    after = _number(request.args.get("after", "")) or 0
    wanted = (
        select(ReplyTemplate)
        .where(verbs.kept_by(web.actor()), ReplyTemplate.id > after)
        .order_by(ReplyTemplate.id)
        .limit(PAGE_ROWS + 1)
    )
    if market == ALL:
        wanted = wanted.where(ReplyTemplate.market_id.is_(None))
    elif market:
        wanted = wanted.where(
            ReplyTemplate.market_id.in_(select(Market.id).where(Market.code == market))
        )
    if kind in {"reply", "snippet"}:
        wanted = wanted.where(ReplyTemplate.kind == kind)
    found = session.scalars(wanted).all()
    shown = found[:PAGE_ROWS]
    address: dict[str, Any] = {
        name: value for name, value in (("market", market), ("kind", kind)) if value
    }
    return render_template(
        "hq/reply_templates.html",
        rows=shown,
        names={id: name for id, _code, name in markets},
        brands=_brands(),
        market=market,
        kind=kind,
        markets=[(code, name) for _id, code, name in markets],
        next_address=(
            url_for("hq.reply_templates", **address, after=shown[-1].id)
            if len(found) > len(shown)
            else ""
        ),
        first_address=url_for("hq.reply_templates", **address) if after else "",
    )


@blueprint.get("/reply-templates/new")
@web.require(verbs.PERMISSION)
def new_reply_template() -> ResponseReturnValue:
    markets = _markets()
    kind = "snippet" if request.args.get("kind") == "snippet" else "reply"
    given = {"kind": kind, "active": "1", "market": str(markets[0][0] or "") if markets else ""}
    return _form(given, None)


@blueprint.post("/reply-templates/new")
@web.require(verbs.PERMISSION)
def create_reply_template() -> ResponseReturnValue:
    try:
        row = verbs.create_template(web.db(), _terms(), web.at(), web.actor())
    except verbs.BadTemplate as bad:
        web.db().rollback()
        return _form(request.form, None, bad.problems), 422
    flash(_("Saved. Dealers find it in their leads from now on."), "success")
    return redirect(url_for("hq.reply_template", id=row.id))


@blueprint.get("/reply-templates/<int:id>")
@web.require(verbs.PERMISSION)
def reply_template(id: int) -> ResponseReturnValue:
    row = _kept(id)
    return _form(_filled_in(row), row)


@blueprint.post("/reply-templates/<int:id>")
@web.require(verbs.PERMISSION)
def save_reply_template(id: int) -> ResponseReturnValue:
    row = _kept(id)
    try:
        changed = verbs.change_template(web.db(), row, _terms(), web.at(), web.actor())
    except verbs.BadTemplate as bad:
        web.db().rollback()
        return _form(request.form, _kept(id), bad.problems), 422
    flash(_("Saved.") if changed else _("Nothing was changed."), "success" if changed else "info")
    return redirect(url_for("hq.reply_template", id=id))


def _kept(id: int) -> ReplyTemplate:
    try:
        return verbs.kept_template(web.db(), id, web.actor())
    except LookupError:
        abort(404)


def _terms() -> verbs.Terms:
    """As typed; what is wrong is the verbs' to say. A market that can't be read is none of ours."""
    form = request.form
    kind = form.get("kind", "reply")
    texts = {
        code: {"subject": form.get(f"subject-{code}", ""), "body": form.get(f"body-{code}", "")}
        for code in LOCALES
    }
    market = form.get("market", "")
    return verbs.Terms(
        kind=kind,
        name=" ".join(form.get("name", "").split()),
        market_id=(_number(market) or 0) if market else None,
        brand_id=_number(form.get("brand", "")),
        request_type=form.get("request_type", ""),
        texts=verbs.cleaned_texts(texts, kind),
        active=form.get("active") == "1",
    )


def _filled_in(row: ReplyTemplate) -> dict[str, str]:
    given = {
        "kind": row.kind,
        "name": row.name,
        "market": str(row.market_id or ""),
        "brand": str(row.brand_id or ""),
        "request_type": row.request_type,
        "active": "1" if row.active else "",
    }
    for code, parts in row.texts.items():
        given |= {f"{part}-{code}": text for part, text in parts.items()}
    return given


def _form(
    given: Mapping[str, str], row: ReplyTemplate | None, problems: Mapping[str, str] | None = None
) -> str:
    markets = _markets()
    spoken = _spoken(_number(given.get("market", "")))
    return render_template(
        "hq/reply_template.html",
        given=given,
        row=row,
        problems=problems or {},
        markets=[(str(id or ""), name) for id, _code, name in markets],
        brands=[(str(id), name) for id, name in _brands().items()],
        request_types=choices("request_type"),
        spoken=[
            (code, code in spoken, bool(given.get(f"body-{code}")))
            for code in dict.fromkeys([*spoken, *LOCALES])
        ],
        variables=[(name, str(words)) for name, words in replies.REPLY_VARIABLES.items()],
        in_subject=verbs.IN_SUBJECTS,
        preview=_preview(row) if row is not None and not problems else None,
        history=changes_of(web.db(), verbs.CHANGE_KIND, str(row.id)) if row else [],
    )


def _preview(row: ReplyTemplate) -> dict[str, Any] | None:
    """The stored template for a lead that the reader may see; None where there is none."""
    if not web.may("lead.assign"):
        return None
    typed = request.args.get("lead", "").strip().upper()
    wanted = select(Lead).where(~Lead.test).order_by(Lead.id.desc()).limit(1)
    if row.market_id is not None:
        wanted = wanted.where(Lead.market_id == row.market_id)
    if typed:
        wanted = wanted.where(Lead.reference == typed)
    lead = web.db().scalars(wanted).first()
    written = [code for code in LOCALES if code in row.texts]
    language = request.args.get("language", "")
    if language not in written:
        language = replies.language_for(lead, written) if lead else written[0]
    letter = None
    if lead is not None:
        letter = replies.filled(web.db(), lead, row, language, web.user(), web.at())
    return {
        "lead": lead,
        "typed": typed,
        "problem": _("No lead of yours has this reference.") if typed and lead is None else "",
        "letter": letter,
        "language": language,
        "languages": [(code, language_name(code)) for code in written],
    }


def _markets() -> list[tuple[int | None, str, str]]:
    """(id, code, name) of the markets whose templates the reader keeps; all of them first, for who
    keeps all."""
    own = web.actor().whole_markets(verbs.PERMISSION)
    wanted = select(Market.id, Market.code, Market.name).order_by(Market.name)
    if own is not None:
        wanted = wanted.where(Market.id.in_(own))
    found: list[tuple[int | None, str, str]] = [
        (row.id, row.code, row.name) for row in web.db().execute(wanted)
    ]
    return [(None, ALL, _("All markets")), *found] if own is None else found


def _brands() -> dict[int, str]:
    wanted = select(Brand.id, Brand.name).order_by(Brand.name)
    return {row.id: row.name for row in web.db().execute(wanted)}


def _spoken(market_id: int | None) -> list[str]:
    if market_id is None:
        return list(LOCALES[:1])
    market = web.db().get(Market, market_id)
    return [code for code in market.languages if code in LOCALES] if market else []


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
