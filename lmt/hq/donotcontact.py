"""The do-not-contact lists: looked up, added to by hand or from a file, taken off again."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lmt import donotcontact as lists
from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.ingest.contactlist import MOST_SHOWN, contacts_of, decoded
from lmt.models import Market, MarketCountry, Suppression, User

PAGE_ROWS = 50
EVERYWHERE = "*"
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Added:
    """What came of a list: how many are new, how many were there, which lines held nothing."""

    new: int = 0
    known: int = 0
    unread: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was sent, and what is wrong in it."""

    text: str = ""
    market: str = ""
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@blueprint.get("/do-not-contact")
@web.require("consent.edit")
def do_not_contact() -> ResponseReturnValue:
    return _page()


@blueprint.post("/do-not-contact")
@web.require("consent.edit")
def add_do_not_contact() -> ResponseReturnValue:
    session = web.db()
    upload = request.files.get("file")
    text = request.form.get("contacts", "")
    uploaded = decoded(upload.read()) if upload is not None and upload.filename else ""
    given = Typed(text, request.form.get("market", ""), request.form.get("reason", "").strip())
    market = next((m for m in _markets(session) if m.code == given.market), None)
    everywhere = given.market == EVERYWHERE and web.actor().everywhere
    if market is None and not everywhere:
        given.errors["market"] = _("Choose a market.")
    if len(given.reason) > LONGEST_REASON:
        most = LONGEST_REASON
        given.errors["reason"] = _("Shorten this to %(most)s characters or fewer.", most=most)
    if not text.strip() and not uploaded.strip():
        given.errors["contacts"] = _("Enter phones or mail addresses, or choose a file.")
    if given.errors:
        return _page(given), 422
    read = contacts_of(
        "\n".join(filter(None, (text.strip(), uploaded))), _countries(session, market)
    )
    new = sum(
        lists.suppress(
            session,
            kind,
            value,
            market_id=market.id if market else None,
            origin="list" if uploaded else "person",
            reason=given.reason,
            actor_id=web.actor().user_id,
            at=web.at(),
        )
        for kind, value in read.contacts
    )
    session.commit()
    if read.unread or not read.contacts:
        known = len(read.contacts) - new
        return _page(added=Added(new, known, read.unread)), 200 if read.contacts else 422
    flash(ngettext("%(num)s entry was added.", "%(num)s entries were added.", new), "success")
    return redirect(url_for("hq.do_not_contact"))


@blueprint.post("/do-not-contact/<int:entry_id>/lift")
@web.require("consent.edit")
def lift_do_not_contact(entry_id: int) -> ResponseReturnValue:
    session = web.db()
    try:
        lists.lift(session, entry_id, actor_id=web.actor().user_id, at=web.at())
    except LookupError:
        abort(404)
    session.commit()
    flash(_("The entry was taken off the list."), "success")
    return redirect(url_for("hq.do_not_contact"))


def _page(given: Typed | None = None, added: Added | None = None) -> str:
    session = web.db()
    search, after = request.args.get("search", "").strip()[:320], request.args.get("after", "")
    wanted = (
        select(Suppression, Market.name, User.name)
        .outerjoin(Market, Market.id == Suppression.market_id)
        .outerjoin(User, User.id == Suppression.author_id)
        .where(Suppression.lifted_at.is_(None))
        .order_by(Suppression.id.desc())
        .limit(PAGE_ROWS + 1)
    )
    if search:
        phones = [value for kind, value in contacts_of(search, _countries(session, None)).contacts]
        wanted = wanted.where(
            or_(
                Suppression.value.startswith(search.lower(), autoescape=True),
                Suppression.value.in_(phones),
            )
        )
    if after.isascii() and after.isdecimal() and len(after) < 10:
        wanted = wanted.where(Suppression.id < int(after))
    found = session.execute(wanted).all()
    rows, more = found[:PAGE_ROWS], len(found) > PAGE_ROWS
    return render_template(
        "hq/donotcontact.html",
        rows=rows,
        search=search,
        markets=_market_options(session),
        given=given or Typed(market=_only_market(session)),
        added=added,
        most_shown=MOST_SHOWN,
        next_address=(
            url_for("hq.do_not_contact", search=search or None, after=rows[-1][0].id)
            if more
            else ""
        ),
        first_address=url_for("hq.do_not_contact", search=search or None) if after else "",
    )


def _markets(session: Session) -> list[Market]:
    """The markets whose lists the reader may keep: whole ones only."""
    actor = web.actor()
    markets = session.scalars(select(Market).order_by(Market.name)).all()
    own = {p.market_id for p in actor.parts if p.brand_id is None and p.dealer_id is None}
    return [market for market in markets if actor.everywhere or market.id in own]


def _market_options(session: Session) -> list[tuple[str, str]]:
    options = [(market.code, market.name) for market in _markets(session)]
    if web.actor().everywhere:
        options.append((EVERYWHERE, _("All markets")))
    return options if len(options) == 1 else [("", _("Choose…")), *options]


def _only_market(session: Session) -> str:
    markets = _markets(session)
    return markets[0].code if len(markets) == 1 and not web.actor().everywhere else ""


def _countries(session: Session, market: Market | None) -> list[str]:
    """A phone without a country code is read as of the market's countries."""
    wanted = select(MarketCountry.country).order_by(MarketCountry.country)
    if market is not None:
        wanted = wanted.where(MarketCountry.market_id == market.id)
    else:
        wanted = wanted.where(MarketCountry.market_id.in_([m.id for m in _markets(session)]))
    return list(session.scalars(wanted))
