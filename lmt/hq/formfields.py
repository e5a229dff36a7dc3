"""The library of own fields: what forms of a market ask beside the system's questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.support import LazyProxy
from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lmt import customfields as verbs
from lmt import web
from lmt.config import LOCALES
from lmt.dealerchanges import NotNow
from lmt.forms.fields import MOST_FILE_MB, SHOWN_IN, WITH_OPTIONS, in_words
from lmt.hq.blueprint import blueprint
from lmt.hq.fieldtyping import FieldTyping, read_typing, typing_of
from lmt.hq.formhistory import TYPE_WORDS, history_of
from lmt.hq.forms import edited_markets
from lmt.i18n import gettext as _
from lmt.i18n import language_name, reader
from lmt.i18n import lazy_gettext as _l
from lmt.models import CustomField, Market

PAGE_ROWS = 50
EVERYWHERE = "*"
MORE_OPTIONS = 5
SHOWN_WORDS: Mapping[str, LazyProxy] = {
    "desk": _l("To dealers and headquarters, with the lead"),
    "reports": _l("In reports"),
    "exports": _l("In downloads"),
}
BOUNDED = frozenset({"number", "date"})


@dataclass(frozen=True, slots=True)
class FieldRow:
    """`missing` are the names of the market's languages in which it has no label."""

    field: CustomField
    words: str
    kind: str
    market: str
    shows: list[str]
    missing: list[str]
    editable: bool


@blueprint.get("/form-fields")
@web.require(verbs.PERMISSION)
def custom_fields() -> ResponseReturnValue:
    session = web.db()
    market, after = request.args.get("market", "")[:100], request.args.get("after", "")
    wanted = (
        select(CustomField)
        .where(verbs.seen_by(web.actor()))
        .order_by(CustomField.id.desc())
        .limit(PAGE_ROWS + 1)
    )
    if market == EVERYWHERE:
        wanted = wanted.where(CustomField.market_id.is_(None))
    elif market:
        of_market = select(Market.id).where(Market.code == market)
        wanted = wanted.where(CustomField.market_id.in_(of_market))
    if after.isascii() and after.isdecimal() and len(after) < 10:
        wanted = wanted.where(CustomField.id < int(after))
    found = session.scalars(wanted).all()
    shown = found[:PAGE_ROWS]
    address: dict[str, Any] = {"market": market} if market else {}
    markets = [(code, name) for _id, code, name in edited_markets()]
    return render_template(
        "hq/form_fields.html",
        rows=_rows(shown),
        market=market,
        markets=[("", _("All fields")), *markets, (EVERYWHERE, _("Of every market"))],
        next_address=(
            url_for("hq.custom_fields", **address, after=shown[-1].id)
            if len(found) > len(shown)
            else ""
        ),
        first_address=url_for("hq.custom_fields", **address) if after else "",
    )


@blueprint.get("/form-fields/new")
@web.require(verbs.PERMISSION)
def new_custom_field() -> ResponseReturnValue:
    """First the type and the market, then what is set of it."""
    kind, home = request.args.get("type", ""), request.args.get("market", "")
    homes = _homes()
    if len(homes) == 1:
        home = homes[0][0]
    if kind not in verbs.CUSTOM_TYPES or home not in dict(homes):
        types = [(code, str(words)) for code, words in TYPE_WORDS.items()]
        return render_template("hq/form_field_new.html", types=types, homes=homes, home=home)
    return _form(FieldTyping(kind=kind), home, None)


@blueprint.post("/form-fields/new")
@web.require(verbs.PERMISSION)
def create_custom_field() -> ResponseReturnValue:
    home = request.form.get("market", "")
    if home not in dict(_homes()):
        abort(404)
    typed = read_typing(request.form, _languages(home, {}))
    if request.form.get("do") == "more":
        return _form(typed, home, None)
    try:
        if typed.problems:
            raise verbs.BadField(typed.problems)
        verbs.create_field(
            web.db(), typed.definition(), market_id=_market_id(home), at=web.at(), actor=web.actor()
        )
    except verbs.BadField as bad:
        web.db().rollback()
        return _form(typed, home, None, bad.problems), 422
    flash(_("The field was set up. Forms can ask it from now on."), "success")
    return redirect(url_for("hq.custom_fields"))


@blueprint.get("/form-fields/<int:field_id>")
@web.require(verbs.PERMISSION)
def custom_field(field_id: int) -> ResponseReturnValue:
    row = _kept(field_id)
    return _form(typing_of(row.definition), _home_of(row), row)


@blueprint.post("/form-fields/<int:field_id>")
@web.require(verbs.PERMISSION)
def save_custom_field(field_id: int) -> ResponseReturnValue:
    row = _kept(field_id)
    home = _home_of(row)
    typed = read_typing(request.form, _languages(home, row.definition), row.definition)
    if request.form.get("do") == "more":
        return _form(typed, home, row)
    try:
        if typed.problems:
            raise verbs.BadField(typed.problems)
        changed = verbs.save_field(
            web.db(),
            row,
            typed.definition(),
            seen=request.form.get("seen", ""),
            at=web.at(),
            actor=web.actor(),
        )
    except verbs.BadField as bad:
        web.db().rollback()
        return _form(typed, home, _kept(field_id), bad.problems), 422
    except NotNow as refused:
        web.db().rollback()
        return _form(typed, home, _kept(field_id), {"": str(refused)}), 409
    flash(_("Saved.") if changed else _("Nothing was changed."), "success" if changed else "info")
    return redirect(url_for("hq.custom_fields"))


@blueprint.post("/form-fields/<int:field_id>/state")
@web.require(verbs.PERMISSION)
def set_custom_field_state(field_id: int) -> ResponseReturnValue:
    """Retire, or offer again, as the pressed button says."""
    row, do = _kept(field_id), request.form.get("do", "")
    if do == "retire":
        verbs.retire_field(web.db(), row, at=web.at(), actor=web.actor())
        flash(_("Retired: it is no longer offered. What leads have of it stays."), "success")
    elif do == "restore":
        verbs.restore_field(web.db(), row, at=web.at(), actor=web.actor())
        flash(_("Forms can ask this field again."), "success")
    else:
        abort(400)
    return redirect(url_for("hq.custom_fields"))


def _kept(field_id: int) -> CustomField:
    """A field that the reader may change; else 404."""
    try:
        return verbs.kept_field(web.db(), field_id, web.actor())
    except LookupError:
        abort(404)


def _rows(shown: Sequence[CustomField]) -> list[FieldRow]:
    names, spoken = {}, {}
    for id, name, languages in web.db().execute(select(Market.id, Market.name, Market.languages)):
        names[id], spoken[id] = name, languages
    return [
        FieldRow(
            field=each,
            words=in_words(each.definition["label"], reader().locale) or each.key,
            kind=str(TYPE_WORDS.get(each.definition["type"], each.definition["type"])),
            market=names[each.market_id] if each.market_id is not None else "",
            shows=list(each.definition.get("shows", SHOWN_IN)),
            missing=[
                language_name(language)
                for language in (spoken[each.market_id] if each.market_id else LOCALES)
                if not each.definition["label"].get(language)
            ],
            editable=verbs.may_edit(each.market_id, web.actor()),
        )
        for each in shown
    ]


def _homes() -> list[tuple[str, str]]:
    homes = [(code, name) for _id, code, name in edited_markets()]
    if verbs.may_edit(None, web.actor()):
        homes.append((EVERYWHERE, _("Every market")))
    return homes


def _home_of(row: CustomField) -> str:
    market = web.db().get(Market, row.market_id) if row.market_id is not None else None
    return EVERYWHERE if market is None else market.code


def _market_id(home: str) -> int | None:
    return web.db().scalar(select(Market.id).where(Market.code == home))


def _languages(home: str, definition: Mapping[str, Any]) -> list[str]:
    """Those of the market, its first one first; of every market all; and any with words already."""
    spoken: list[str] = list(LOCALES)
    market = web.db().scalars(select(Market).where(Market.code == home)).first()
    if market is not None:
        spoken = [market.default_language, *market.languages, "en"]
    written = [language for language in definition.get("label", {}) if language in LOCALES]
    return list(dict.fromkeys((*spoken, *written)))


def _form(
    typed: FieldTyping,
    home: str,
    row: CustomField | None,
    problems: Mapping[str, str] | None = None,
) -> str:
    blanks = MORE_OPTIONS if request.form.get("do") == "more" or row is None else 2
    return render_template(
        "hq/form_field.html",
        field_row=row,
        typed=typed,
        home=home,
        home_words=dict(_homes()).get(home, home),
        problems=problems or {},
        type_words=TYPE_WORDS,
        shown_words=SHOWN_WORDS,
        tongues=_languages(home, row.definition if row is not None else {}),
        with_options=typed.kind in WITH_OPTIONS,
        bounded=typed.kind in BOUNDED,
        most_file_mb=MOST_FILE_MB,
        blanks=blanks,
        seen=request.form.get("seen") or (verbs.mark_of(row) if row is not None else ""),
        used=row is not None and verbs.is_used(web.db(), row),
        history=(
            history_of(web.db(), "custom_field", verbs.subject_of(row)) if row is not None else []
        ),
    )
