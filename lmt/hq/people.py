"""The console's accounts: who logs in, what they may do, and which part of the world they see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security.recoverable import send_reset_password_instructions
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from lmt import people as verbs
from lmt import web
from lmt.accounts.service import EVERYWHERE, Scope
from lmt.dealerchanges import BadValues, NotNow
from lmt.hq.blueprint import blueprint
from lmt.hq.filters import pattern
from lmt.hq.sourcewords import changes_of
from lmt.i18n import gettext as _
from lmt.labels import label
from lmt.models import Brand, Dealer, DealerGroup, Market, Role, User, UserScope
from lmt.templating import languages

PAGE_ROWS = 50
MOST_CODES = 500
STATES = ("active", "off")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the world in words: a market, a group, a dealer, narrowed to a brand."""

    words: str
    brand: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form says, to be shown again; ids as text."""

    email: str = ""
    name: str = ""
    language: str = "en"
    timezone: str = "UTC"
    roles: frozenset[str] = frozenset()
    everything: bool = False
    markets: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    dealers: str = ""
    seen: str = ""
    unknown: tuple[str, ...] = field(default=())


@blueprint.get("/people", endpoint="users")
@web.require(verbs.PERMISSION)
def everybody() -> ResponseReturnValue:
    session = web.db()
    search = " ".join(request.args.get("search", "").split())[:100]
    role, state = request.args.get("role", "")[:50], request.args.get("state", "")
    after = request.args.get("after", "")
    wanted = (
        select(User)
        .where(verbs.visible_people(web.actor()))
        .order_by(User.email)
        .limit(PAGE_ROWS + 1)
    )
    if search:
        like = pattern(search)
        wanted = wanted.where(
            or_(User.name.ilike(like, escape="!"), User.email.ilike(like, escape="!"))
        )
    if role:
        wanted = wanted.where(User.roles.any(Role.name == role))
    if state in STATES:
        wanted = wanted.where(User.active.is_(state == "active"))
    if after:
        wanted = wanted.where(User.email > after)
    found = session.scalars(wanted).unique().all()
    shown = found[:PAGE_ROWS]
    asked = {"search": search, "role": role, "state": state}
    address: dict[str, Any] = {name: value for name, value in asked.items() if value}
    return render_template(
        "hq/users.html",
        people=shown,
        parts=_parts_in_words(session, shown),
        address=address,
        roles=[
            (each.name, label("role", each.name))
            for each in verbs.roles_to_give(session, web.actor())
        ],
        next_address=(
            url_for("hq.users", **address, after=shown[-1].email) if len(found) > PAGE_ROWS else ""
        ),
        first_address=url_for("hq.users", **address) if after else "",
    )


@blueprint.get("/people/new")
@web.require(verbs.PERMISSION)
def new_user() -> ResponseReturnValue:
    markets = _markets(web.db())
    first = markets[0] if len(markets) == 1 else None
    given = Typed(
        markets=frozenset({str(first.id)}) if first else frozenset(),
        language=first.default_language if first else "en",
        timezone=first.timezone if first else "UTC",
    )
    return _form(given, None)


@blueprint.post("/people/new")
@web.require(verbs.PERMISSION)
def create_user() -> ResponseReturnValue:
    session, given = web.db(), _typed(request.form)
    try:
        person = verbs.invite(
            session, given.email, _account(session, given), at=web.at(), actor=web.actor()
        )
    except BadValues as bad:
        session.rollback()
        return _form(given, None, bad.problems), 422
    _send_invitation(person)
    flash(_("The account was made. A mail tells how to choose a password."), "success")
    return redirect(url_for("hq.user", user_id=person.id))


@blueprint.get("/people/<int:user_id>")
@web.require(verbs.PERMISSION)
def user(user_id: int) -> ResponseReturnValue:
    person = _kept(user_id)
    return _form(_filled_in(web.db(), person), person)


@blueprint.post("/people/<int:user_id>")
@web.require(verbs.PERMISSION)
def save_user(user_id: int) -> ResponseReturnValue:
    session, given = web.db(), _typed(request.form)
    person = _kept(user_id)
    try:
        account = _account(session, given, person)
        changed = verbs.change(
            session, user_id, account, seen=given.seen, at=web.at(), actor=web.actor()
        )
    except BadValues as bad:
        session.rollback()
        return _form(given, _kept(user_id), bad.problems), 422
    except NotNow as refused:
        session.rollback()
        return _form(given, _kept(user_id), {"": str(refused)}), 409
    except LookupError:
        abort(404)
    flash(_("Saved.") if changed else _("Nothing was changed."), "success" if changed else "info")
    return redirect(url_for("hq.user", user_id=user_id))


@blueprint.post("/people/<int:user_id>/active")
@web.require(verbs.PERMISSION)
def set_user_active(user_id: int) -> ResponseReturnValue:
    session, active = web.db(), request.form.get("active") == "yes"
    try:
        verbs.set_active(session, user_id, active, at=web.at(), actor=web.actor())
    except BadValues as bad:
        session.rollback()
        flash(" ".join(bad.problems.values()), "danger")
        return redirect(url_for("hq.user", user_id=user_id))
    except LookupError:
        abort(404)
    flash(_("They may log in again.") if active else _("They can't log in any more."), "success")
    return redirect(url_for("hq.user", user_id=user_id))


@blueprint.post("/people/<int:user_id>/invitation")
@web.require(verbs.PERMISSION)
@web.limiter.limit("30 per hour")
def invite_user(user_id: int) -> ResponseReturnValue:
    person = _kept(user_id)
    if not person.active:
        flash(_("They can't log in any more."), "warning")
    else:
        _send_invitation(person)
        flash(_("A mail tells how to choose a password."), "success")
    return redirect(url_for("hq.user", user_id=user_id))


def _send_invitation(person: User) -> None:
    """The mail by which somebody chooses a password: their first one, too."""
    send_reset_password_instructions(person)  # type: ignore[no-untyped-call]


def _kept(user_id: int) -> User:
    try:
        return verbs.kept_person(web.db(), user_id, web.actor())
    except LookupError:
        abort(404)


def _form(given: Typed, person: User | None, problems: Mapping[str, str] | None = None) -> str:
    session = web.db()
    actor = web.actor()
    return render_template(
        "hq/user_edit.html",
        given=given,
        person=person,
        problems=problems or {},
        roles=verbs.roles_to_give(session, actor),
        everywhere=actor.whole_markets(verbs.PERMISSION) is None,
        markets=_markets(session),
        groups=verbs.groups_to_give(session, actor),
        brands=session.scalars(select(Brand).order_by(Brand.name)).all(),
        languages_own=[(code, name) for code, name, _address in languages()],
        zones=sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"),
        history=changes_of(session, "account", person.email) if person else [],
        is_me=person is not None and person.id == actor.user_id,
    )


def _markets(session: Session) -> list[Market]:
    own = web.actor().whole_markets(verbs.PERMISSION)
    wanted = select(Market).order_by(Market.name)
    if own is not None:
        wanted = wanted.where(Market.id.in_(own))
    return list(session.scalars(wanted))


def _typed(form: MultiDict[str, str]) -> Typed:
    return Typed(
        email=form.get("email", "").strip()[:300],
        name=form.get("name", "").strip(),
        language=form.get("language", ""),
        timezone=form.get("timezone", "").strip(),
        roles=frozenset(form.getlist("roles")),
        everything=form.get("everything") == "yes",
        markets=frozenset(form.getlist("markets")),
        groups=frozenset(form.getlist("groups")),
        brands=frozenset(form.getlist("brands")),
        dealers=form.get("dealers", "")[:20_000],
        seen=form.get("seen", ""),
    )


def _id(typed: str) -> int:
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 10):
        raise BadValues({"parts": _("Please choose one of the options.")})
    return int(typed)


def _account(session: Session, given: Typed, person: User | None = None) -> verbs.Account:
    """`person`, whose account it was. Raises BadValues for dealers and ids that nobody knows."""
    codes = list(dict.fromkeys(given.dealers.replace(",", " ").split()))[:MOST_CODES]
    known = dict(
        session.execute(select(Dealer.code, Dealer.id).where(Dealer.code.in_(codes))).all()
    )
    if unknown := [code for code in codes if code not in known]:
        told = ", ".join(unknown[:10])
        raise BadValues({"dealers": _("There is no dealer %(codes)s.", codes=told)})
    brands: list[int | None] = [_id(typed) for typed in sorted(given.brands)] or [None]
    parts = [Scope(market_id=_id(typed)) for typed in sorted(given.markets)]
    parts += [Scope(group_id=_id(typed)) for typed in sorted(given.groups)]
    parts += [Scope(dealer_id=known[code]) for code in codes]
    if given.everything:
        parts = [EVERYWHERE]
    wanted = tuple(
        Scope(part.market_id, part.dealer_id, brand, part.group_id)
        for part in parts
        for brand in brands
    )
    if person is not None and _same_parts(given, _filled_in(session, person)):
        # A brand in one market and all of another: more than the form can say, so it stays.
        wanted = verbs.parts_of(person)
    return verbs.Account(
        name=given.name,
        roles=tuple(sorted(given.roles)),
        parts=wanted,
        language=given.language,
        timezone=given.timezone,
    )


def _same_parts(one: Typed, other: Typed) -> bool:
    def parts(of: Typed) -> tuple[object, ...]:
        codes = frozenset(of.dealers.replace(",", " ").split())
        return of.everything, of.markets, of.groups, of.brands, codes

    return parts(one) == parts(other)


def _filled_in(session: Session, person: User) -> Typed:
    parts = verbs.parts_of(person)
    ids = [part.dealer_id for part in parts if part.dealer_id is not None]
    codes = session.scalars(select(Dealer.code).where(Dealer.id.in_(ids)).order_by(Dealer.code))
    return Typed(
        email=person.email,
        name=person.name,
        language=person.language,
        timezone=person.timezone,
        roles=frozenset(role.name for role in person.roles),
        everything=any(not (part.market_id or part.dealer_id or part.group_id) for part in parts),
        markets=frozenset(str(part.market_id) for part in parts if part.market_id),
        groups=frozenset(str(part.group_id) for part in parts if part.group_id),
        brands=frozenset(str(part.brand_id) for part in parts if part.brand_id),
        dealers="\n".join(codes),
        seen=verbs.mark_of(session, person),
    )


def _parts_in_words(session: Session, shown: Any) -> dict[int, list[Part]]:
    """By user; a handful of queries for the whole page."""
    rows = session.execute(
        select(UserScope, Market.name, Dealer.code, DealerGroup.name, Brand.name)
        .outerjoin(Market, Market.id == UserScope.market_id)
        .outerjoin(Dealer, Dealer.id == UserScope.dealer_id)
        .outerjoin(DealerGroup, DealerGroup.id == UserScope.group_id)
        .outerjoin(Brand, Brand.id == UserScope.brand_id)
        .where(UserScope.user_id.in_([person.id for person in shown]))
        .order_by(UserScope.id)
    )
    found: dict[int, list[Part]] = {}
    for scope, market, dealer, group, brand in rows:
        words = market or dealer or group or _("Everything")
        found.setdefault(scope.user_id, []).append(Part(words, brand or ""))
    return found
