"""The texts that people agree to: every version in every language, never changed, only followed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lmt import web
from lmt.config import LOCALES
from lmt.hq.blueprint import blueprint
from lmt.i18n import gettext as _
from lmt.i18n import language_name
from lmt.models import ConsentText, Market, User, note_change

LONGEST_TEXT = 5_000
PAGE_ROWS = 50
MOST_PURPOSES = 20
EVERYWHERE = "*"
_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was sent, and what is wrong in it."""

    market: str = ""
    purpose: str = "contact"
    version: str = ""
    language: str = ""
    text: str = ""
    errors: dict[str, str] = field(default_factory=dict, init=False)


@blueprint.get("/consent-texts")
@web.require("consent.edit")
def consent_texts() -> ResponseReturnValue:
    return _page(Typed())


@blueprint.post("/consent-texts")
@web.require("consent.edit")
def add_consent_text() -> ResponseReturnValue:
    session = web.db()
    names = ("market", "purpose", "version", "language", "text")
    given = Typed(**{name: request.form.get(name, "").strip() for name in names})
    markets = {market.code: market for market in _markets(session)}
    everywhere = given.market == EVERYWHERE and web.actor().everywhere
    if given.market not in markets and not everywhere:
        given.errors["market"] = _("Choose a market.")
    for name in ("purpose", "version"):
        if not _CODE.fullmatch(getattr(given, name)):
            given.errors[name] = _("Use small letters, digits, dots and dashes.")
    if given.language not in LOCALES:
        given.errors["language"] = _("Choose a language.")
    if not given.text:
        given.errors["text"] = _("Enter the text exactly as people see it.")
    elif len(given.text) > LONGEST_TEXT:
        most = LONGEST_TEXT
        given.errors["text"] = _("Shorten this to %(most)s characters or fewer.", most=most)
    if not given.errors and not _added(session, given, markets.get(given.market)):
        given.errors["version"] = _("This version exists in this language. Name a new one.")
    if given.errors:
        return _page(given), 422
    flash(_("The text was added."), "success")
    return redirect(url_for("hq.consent_texts"))


@blueprint.post("/consent-texts/confirmed")
@web.require("consent.edit")
def save_confirmed_purposes() -> ResponseReturnValue:
    """Which consents of a market count only once their person confirmed them by mail."""
    session = web.db()
    code = request.form.get("market", "")
    market = next((market for market in _markets(session) if market.code == code), None)
    if market is None:
        abort(404)
    typed = request.form.get("purposes", "")
    purposes = (
        list(dict.fromkeys(re.split(r"[\s,;]+", typed.strip().lower()))) if typed.strip() else []
    )
    if len(purposes) > MOST_PURPOSES or not all(_CODE.fullmatch(each) for each in purposes):
        words = _("Use small letters, digits, dots and dashes, with commas between purposes.")
        return _page(Typed(), confirmed=(code, typed[:LONGEST_TEXT], words)), 422
    note_change(
        session,
        "market",
        market.code,
        at=web.at(),
        user_id=web.actor().user_id,
        before={"confirmed_purposes": list(market.confirmed_purposes)},
        after={"confirmed_purposes": purposes},
    )
    market.confirmed_purposes = purposes
    session.commit()
    flash(_("Saved."), "success")
    return redirect(url_for("hq.consent_texts"))


def _added(session: Session, given: Typed, market: Market | None) -> bool:
    """Write the version down; False where it exists."""
    digest = hashlib.sha256(given.text.encode()).hexdigest()
    session.add(
        ConsentText(
            market_id=market.id if market else None,
            purpose=given.purpose,
            version=given.version,
            language=given.language,
            text=given.text,
            hash=digest,
            created_at=web.at(),
            author_id=web.actor().user_id,
        )
    )
    note_change(
        session,
        "consent_text",
        f"{given.market}/{given.purpose}/{given.version}/{given.language}",
        at=web.at(),
        user_id=web.actor().user_id,
        before={},
        after={"hash": digest},
    )
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        return False
    return True


def _page(given: Typed, confirmed: tuple[str, str, str] = ("", "", "")) -> str:
    """`confirmed`: a market's code, what was typed as its purposes, and what is wrong with it."""
    session = web.db()
    after = request.args.get("after", "")
    markets = _markets(session)
    wanted = (
        select(ConsentText, Market.name, User.name)
        .outerjoin(Market, Market.id == ConsentText.market_id)
        .outerjoin(User, User.id == ConsentText.author_id)
        .where(ConsentText.market_id.is_(None) | ConsentText.market_id.in_([m.id for m in markets]))
        .order_by(ConsentText.id.desc())
        .limit(PAGE_ROWS + 1)
    )
    if after.isascii() and after.isdecimal() and len(after) < 10:
        wanted = wanted.where(ConsentText.id < int(after))
    found = session.execute(wanted).all()
    rows, more = found[:PAGE_ROWS], len(found) > PAGE_ROWS
    everywhere = [(EVERYWHERE, _("All markets"))] if web.actor().everywhere else []
    return render_template(
        "hq/consents.html",
        rows=rows,
        given=given,
        markets=[("", _("Choose…")), *((m.code, m.name) for m in markets), *everywhere],
        tongues=[("", _("Choose…")), *((code, language_name(code)) for code in LOCALES)],
        longest=LONGEST_TEXT,
        confirming=[_confirming(market, confirmed) for market in markets],
        next_address=url_for("hq.consent_texts", after=rows[-1][0].id) if more else "",
        first_address=url_for("hq.consent_texts") if after else "",
    )


def _confirming(market: Market, typed: tuple[str, str, str]) -> dict[str, str]:
    code, purposes, error = typed
    if code != market.code:
        purposes, error = ", ".join(market.confirmed_purposes), ""
    return {"code": market.code, "name": market.name, "purposes": purposes, "error": error}


def _markets(session: Session) -> list[Market]:
    actor = web.actor()
    own = {p.market_id for p in actor.parts if p.brand_id is None and p.dealer_id is None}
    found = session.scalars(select(Market).order_by(Market.name)).all()
    return [market for market in found if actor.everywhere or market.id in own]
