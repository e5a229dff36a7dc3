"""Setting up a way in, and changing one: what is typed becomes the terms of a source."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select

from lmt import sources as verbs
from lmt import web
from lmt.config import LOCALES
from lmt.hq.blueprint import blueprint
from lmt.hq.sourcefields import SETTINGS
from lmt.hq.sourcewords import FIELD_WORDS, KIND_HELP
from lmt.i18n import country_name, language_name
from lmt.i18n import gettext as _
from lmt.ingest.countries import iso_codes
from lmt.ingest.kinds import KINDS
from lmt.labels import choices
from lmt.mapping.presets import PRESETS
from lmt.models import Brand, Campaign, Market, Source

KEY_ONCE = "source_key"
"""In the visitor's own cookie until the next page shows it, and never anywhere else."""
DEFAULTS = ("request.type", "request.model")


@blueprint.get("/sources/new")
@web.require(verbs.PERMISSION)
def new_source() -> ResponseReturnValue:
    """First the kind, then what is set of it."""
    kind = request.args.get("kind", "")
    if kind not in verbs.CREATABLE:
        kinds = [(code, KIND_HELP[code]) for code in verbs.CREATABLE]
        return render_template("hq/source_new.html", kinds=kinds)
    markets = _markets()
    given = {"kind": kind, "market": markets[0][0] if len(markets) == 1 else ""}
    given["preset"] = KINDS[kind].preset if kind in KINDS else ""
    begins = {"tells_customer": True, **verbs.BY_KIND.get(kind, {})}
    given |= {name: "yes" for name, is_so in begins.items() if is_so}
    return _form(given, kind, None)


@blueprint.post("/sources/new")
@web.require(verbs.PERMISSION)
def create_source() -> ResponseReturnValue:
    given = _typed()
    kind = given.get("kind", "")
    if kind not in verbs.CREATABLE:
        abort(404)
    preset = PRESETS.get(given.get("preset", ""))
    ready = preset if preset is not None and kind in preset.kinds else None
    code = given.get("code", "") or suggested_code(given.get("name", ""), kind)
    try:
        source, key = verbs.create_source(
            web.db(),
            code=code,
            kind=kind,
            mapping=ready.mapping.to_json() if ready else {},
            at=web.at(),
            actor=web.actor(),
            **_terms(given, kind),
        )
    except verbs.BadSource as bad:
        web.db().rollback()
        return _form({**given, "code": code}, kind, None, bad.problems), 422
    show_once(source.code, key)
    flash(_("The source was set up. This page says how to connect its sender."), "success")
    return redirect(url_for("hq.source", code=source.code))


@blueprint.get("/sources/<code>/edit")
@web.require(verbs.PERMISSION)
def edit_source(code: str) -> ResponseReturnValue:
    source = edited(code)
    return _form(_filled_in(source), source.kind, source)


@blueprint.post("/sources/<code>/edit")
@web.require(verbs.PERMISSION)
def save_source(code: str) -> ResponseReturnValue:
    source, given = edited(code), _typed()
    seen = given.get("seen", "")
    try:
        changed = verbs.change_source(
            web.db(),
            source,
            _terms(given, source.kind),
            web.at(),
            web.actor(),
            seen=int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0,
        )
    except verbs.BadSource as bad:
        web.db().rollback()
        return _form(given, source.kind, edited(code), bad.problems), 422
    except verbs.NotNow as why:
        web.db().rollback()
        flash(str(why), "warning")
        return redirect(url_for("hq.edit_source", code=code))
    flash(_("Saved.") if changed else _("Nothing was changed."), "success" if changed else "info")
    return redirect(url_for("hq.source", code=code))


def edited(code: str) -> Source:
    """A source that the actor may change; else 404."""
    try:
        return verbs.edited_source(web.db(), code, web.actor())
    except LookupError:
        abort(404)


def show_once(code: str, key: str | None) -> None:
    if key:
        session[KEY_ONCE] = [code, key]


def shown_once(code: str) -> str:
    """The key that was just made for this source; "" on every later look."""
    kept = session.get(KEY_ONCE)
    if not kept or kept[0] != code:
        return ""
    del session[KEY_ONCE]
    return str(kept[1])


def suggested_code(name: str, kind: str) -> str:
    """`Spring form, Poland` → `spring-form-poland`; the kind where the name has no Latin letter."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = "".join(sign if sign.isalnum() else " " for sign in plain).split()
    return "-".join(words)[:40].strip("-") or kind.replace("_", "-")


def _typed() -> dict[str, str]:
    return {name: value.strip() for name, value in request.form.items()}


def _terms(given: Mapping[str, str], kind: str) -> dict[str, Any]:
    """As SourceTerms has them, unchecked; an id that is none names nothing that exists."""
    defaults = {path: given.get(f"default.{path}", "") for path in DEFAULTS}
    return {
        "name": given.get("name", ""),
        "market_id": _id(given.get("market", "")) or 0,
        "brand_id": _id(given.get("brand", "")),
        "campaign_id": _id(given.get("campaign", "")),
        "country": given.get("country", ""),
        "language": given.get("language", ""),
        "solicited": given.get("solicited", "") == "yes",
        "tells_customer": given.get("tells_customer", "") == "yes",
        "defaults": {path: text for path, text in defaults.items() if text},
        "settings": _settings(given, kind),
    }


def _settings(given: Mapping[str, str], kind: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for each in SETTINGS.get(kind, ()):
        text = given.get(f"settings.{each.name}", "")
        value: str | list[str] = text
        if each.form == "lines":
            value = text.split()
        elif each.form == "phrases":
            value = [phrase for line in text.splitlines() if (phrase := line.strip())]
        name, _dot, inner = each.name.partition(".")
        if value and not inner:
            settings[name] = value
        elif value:
            settings.setdefault(name, {})[inner] = value
    if not settings.get("signature", {}).get("header"):
        settings.pop("signature", None)
    return settings


def _filled_in(source: Source) -> dict[str, Any]:
    """The form's fields as they are before anybody types."""
    given: dict[str, Any] = {
        "name": source.name,
        "market": str(source.market_id),
        "brand": str(source.brand_id or ""),
        "campaign": str(source.campaign_id or ""),
        "country": source.country,
        "language": source.language,
        "solicited": "yes" if source.solicited else "",
        "tells_customer": "yes" if source.tells_customer else "",
        "seen": str(source.version),
    }
    given |= {f"default.{path}": source.defaults.get(path, "") for path in DEFAULTS}
    for each in SETTINGS.get(source.kind, ()):
        name, _dot, inner = each.name.partition(".")
        value = source.settings.get(name)
        if inner:
            value = (value or {}).get(inner)
        given[f"settings.{each.name}"] = (
            "\n".join(value) if isinstance(value, list) else value or ""
        )
    return given


def _form(
    given: Mapping[str, Any],
    kind: str,
    source: Source | None,
    problems: Mapping[str, str] | None = None,
) -> str:
    return render_template(
        "hq/source_edit.html",
        source=source,
        kind=kind,
        given=given,
        problems=problems or {},
        words=FIELD_WORDS,
        settings=SETTINGS.get(kind, ()),
        rare_open=any(
            f"settings.{each.name}" in (problems or {}) or given.get(f"settings.{each.name}")
            for each in SETTINGS.get(kind, ())
            if each.rarely and each.form != "choice"
        ),
        markets=_markets(),
        brands=_rows(select(Brand.id, Brand.name).order_by(Brand.name)),
        campaigns=_campaigns(source),
        countries=_countries(),
        spoken=_languages(),
        presets=[(preset.code, preset.name) for preset in PRESETS.values() if kind in preset.kinds],
        request_types=choices("request_type"),
    )


def _markets() -> list[tuple[str, str]]:
    own = web.actor().whole_markets(verbs.PERMISSION)
    wanted = select(Market.id, Market.name).order_by(Market.name)
    return _rows(wanted if own is None else wanted.where(Market.id.in_(own)))


def _campaigns(source: Source | None) -> list[tuple[str, str]]:
    """Those that aren't over, and the source's own."""
    today = web.at().date()
    own = web.actor().whole_markets(verbs.PERMISSION)
    going = or_(Campaign.ends_on.is_(None), Campaign.ends_on >= today)
    if source is not None and source.campaign_id is not None:
        going = or_(going, Campaign.id == source.campaign_id)
    wanted = (
        select(Campaign.id, Campaign.name, Market.name)
        .join(Market, Market.id == Campaign.market_id)
        .where(going)
        .order_by(Market.name, Campaign.name)
        .limit(500)
    )
    if source is not None:
        wanted = wanted.where(Campaign.market_id == source.market_id)
    elif own is not None:
        wanted = wanted.where(Campaign.market_id.in_(own))
    found = web.db().execute(wanted)
    return [(str(id), f"{name} · {market}") for id, name, market in found]


def _countries() -> list[tuple[str, str]]:
    named = ((code, country_name(code)) for code in iso_codes())
    return sorted(named, key=lambda pair: pair[1])


def _languages() -> list[tuple[str, str]]:
    spoken = {
        language
        for languages in web.db().scalars(select(Market.languages))
        for language in languages
    }
    codes = sorted({*LOCALES, *spoken})
    return sorted(((code, language_name(code)) for code in codes), key=lambda pair: pair[1])


def _rows(wanted: Any) -> list[tuple[str, str]]:
    return [(str(id), name) for id, name in web.db().execute(wanted)]


def _id(typed: str) -> int | None:
    if not typed:
        return None
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0
