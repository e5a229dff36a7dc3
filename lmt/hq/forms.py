"""Headquarters' forms: which there are, whether visitors see them, and how a new one begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from lmt import publishing as verbs
from lmt import web
from lmt.forms.defaults import contact_form
from lmt.forms.definition import BadForm
from lmt.hq.blueprint import blueprint
from lmt.hq.sourceform import suggested_code
from lmt.i18n import gettext as _
from lmt.models import Form, FormCount, FormVersion, Market, Source, User

PAGE_ROWS = 50
COUNTED_DAYS = 30
STARTS = ("contact", "empty")
_WILD = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


@dataclass(frozen=True, slots=True)
class FormRow:
    """`state`: `draft`, `shown` or `archived`; `seen` and `sent` of the last COUNTED_DAYS."""

    form: Form
    state: str
    market: str
    editor: str
    seen: int
    sent: int


@blueprint.get("/forms")
@web.require(verbs.PERMISSION)
def forms() -> ResponseReturnValue:
    session = web.db()
    wanted = {name: request.args.get(name, "").strip()[:100] for name in _FILTERS}
    after = request.args.get("after", "")
    found = _listed(session, wanted, after)
    shown = found[:PAGE_ROWS]
    address: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    return render_template(
        "hq/forms.html",
        rows=_rows(session, shown),
        wanted=wanted,
        markets=[(code, name) for _id, code, name in edited_markets()],
        sources=[(row.code, row.name) for row in form_sources(session)],
        days=COUNTED_DAYS,
        next_address=(
            url_for("hq.forms", **address, after=shown[-1].id) if len(found) > len(shown) else ""
        ),
        first_address=url_for("hq.forms", **address) if after else "",
    )


@blueprint.get("/forms/new")
@web.require(verbs.PERMISSION)
def new_form() -> ResponseReturnValue:
    homes = _homes()
    given = {"start": "contact", "home": homes[0][0] if len(homes) == 1 else ""}
    return _new_page(given, homes)


@blueprint.post("/forms/new")
@web.require(verbs.PERMISSION)
def create_form() -> ResponseReturnValue:
    session, given = web.db(), {name: text.strip() for name, text in request.form.items()}
    code = given.get("code", "") or suggested_code(given.get("name", ""), "form")
    given["code"] = code
    problems = {}
    if given.get("start") not in STARTS:
        problems["start"] = _("Choose one of these.")
    home = given.get("home", "")
    if home not in dict(_homes()):
        problems["home"] = _("Choose one of these.")
    try:
        if problems:
            raise verbs.BadSettings(problems)
        source = _home(session, home)
        definition = None
        if given["start"] == "contact":
            definition = _contact(session, source, code)
        form = verbs.create_form(
            session, source, code, given.get("name", ""), definition, at=web.at(), actor=web.actor()
        )
    except verbs.BadSettings as bad:
        session.rollback()
        return _new_page(given, _homes(), bad.problems), 422
    flash(_("The form was set up. Nobody sees it before it is published."), "success")
    return redirect(url_for("hq.form", code=form.code))


def edited_markets() -> list[tuple[int, str, str]]:
    """(id, code, name) of the markets whose forms the reader keeps."""
    own = verbs.edited_markets(web.actor())
    wanted = select(Market.id, Market.code, Market.name).order_by(Market.name)
    found = web.db().execute(wanted if own is None else wanted.where(Market.id.in_(own)))
    return [(id, code, name) for id, code, name in found]


def form_sources(session: Session) -> Sequence[Source]:
    """The sources of forms in the reader's markets."""
    own = verbs.edited_markets(web.actor())
    wanted = select(Source).where(Source.kind == "form").order_by(Source.name, Source.id)
    return session.scalars(wanted if own is None else wanted.where(Source.market_id.in_(own))).all()


_FILTERS = ("market", "source", "search")


def _listed(session: Session, wanted: Mapping[str, str], after: str) -> Sequence[Form]:
    """The newest first, one more than a page where there are more."""
    statement = (
        select(Form)
        .options(joinedload(Form.source).joinedload(Source.market), joinedload(Form.published))
        .where(verbs.kept_by(web.actor()))
        .order_by(Form.id.desc())
        .limit(PAGE_ROWS + 1)
    )
    if wanted["market"]:
        of_market = select(Source.id).join(Source.market).where(Market.code == wanted["market"])
        statement = statement.where(Form.source_id.in_(of_market))
    if wanted["source"]:
        of_source = select(Source.id).where(Source.code == wanted["source"])
        statement = statement.where(Form.source_id.in_(of_source))
    if wanted["search"]:
        like = f"%{wanted['search'].translate(_WILD)}%"
        statement = statement.where(Form.name.ilike(like) | Form.code.ilike(like))
    if after.isascii() and after.isdecimal() and len(after) < 10:
        statement = statement.where(Form.id < int(after))
    return session.scalars(statement).all()


def _rows(session: Session, shown: Sequence[Form]) -> list[FormRow]:
    """In a fixed number of queries."""
    counted: dict[tuple[int, str], int] = {}
    since: date = web.at().date() - timedelta(days=COUNTED_DAYS)
    for form_id, kind, times in session.execute(
        select(FormVersion.form_id, FormCount.kind, func.sum(FormCount.times))
        .join(FormVersion, FormVersion.id == FormCount.version_id)
        .where(
            FormVersion.form_id.in_([each.id for each in shown]),
            FormCount.kind.in_(("seen", "sent")),
            FormCount.day >= since,
        )
        .group_by(FormVersion.form_id, FormCount.kind)
    ):
        counted[form_id, kind] = int(times)
    editors = {each.drafted_by for each in shown if each.drafted_by is not None}
    found = session.execute(select(User.id, User.name).where(User.id.in_(editors)))
    names = dict(found.all())
    return [
        FormRow(
            each,
            state_of(each),
            each.source.market.name,
            names.get(each.drafted_by or 0, ""),
            counted.get((each.id, "seen"), 0),
            counted.get((each.id, "sent"), 0),
        )
        for each in shown
    ]


def state_of(form: Form) -> str:
    if not form.active:
        return "archived"
    return "draft" if form.published_id is None else "shown"


def _homes() -> list[tuple[str, str]]:
    """Where a form's leads may belong: sources there are, and markets that get their first."""
    session = web.db()
    known = form_sources(session)
    markets = edited_markets()
    names = {id: name for id, _code, name in markets}
    homes = [
        (f"source:{each.code}", _("%(source)s (%(market)s)", source=each.name, market=name))
        for each in known
        if each.active and (name := names.get(each.market_id))
    ]
    served = {each.market_id for each in known if each.active}
    return homes + [
        (f"market:{id}", _("%(market)s: a source is set up for it", market=name))
        for id, _code, name in markets
        if id not in served
    ]


def _home(session: Session, home: str) -> Source:
    """What was chosen among `_homes`."""
    kind, _colon, name = home.partition(":")
    if kind == "market":
        return verbs.form_source(session, int(name), web.at(), web.actor())
    return session.scalars(select(Source).where(Source.code == name)).one()


def _contact(session: Session, source: Source, code: str) -> dict[str, Any]:
    market = source.market
    countries, brands = verbs.market_facts(session, market.id)
    try:
        return contact_form(
            code,
            countries=countries,
            brands=brands,
            languages=list(dict.fromkeys((market.default_language, *market.languages))),
            default_language=market.default_language,
        ).to_json()
    except BadForm as problem:
        words = _("This market has no country or no brand yet. Begin with an empty form.")
        raise verbs.BadSettings({"start": words}) from problem


def _new_page(
    given: Mapping[str, str],
    homes: Sequence[tuple[str, str]],
    problems: Mapping[str, str] | None = None,
) -> str:
    return render_template(
        "hq/form_new.html", given=given, homes=homes, problems=problems or {}, starts=STARTS
    )
