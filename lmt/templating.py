"""What every page template can say: texts, dates, figures, codes and icons for its reader."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel import Locale
from flask import Flask, request, url_for
from flask_login import current_user
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from lmt import i18n, navigation, web
from lmt.assets import asset
from lmt.config import LOCALES
from lmt.labels import choices, label

SOON_MINUTES = 15


def map_tiles() -> tuple[str, str]:
    """The address of map tiles and their credit; empty where maps show outlines alone."""
    settings = web.settings()
    return settings.tiles_url, settings.tiles_credit


def register(app: Flask) -> None:
    """Fill the template environment."""
    env = app.jinja_env
    env.add_extension("jinja2.ext.i18n")
    env.newstyle_gettext = True  # type: ignore[attr-defined]
    env.trim_blocks = env.lstrip_blocks = True
    env.globals.update(
        _=page_gettext,
        gettext=page_gettext,
        ngettext=page_ngettext,
        asset=asset,
        at=web.at,
        choices=choices,
        deadline=deadline,
        direction=i18n.direction,
        is_here=navigation.is_here,
        label=label,
        languages=languages,
        map_tiles=map_tiles,
        may=web.may,
        reader=i18n.reader,
        rooms=navigation.rooms,
        timer_state=timer_state,
        user=current_user,
    )
    env.filters.update(
        age=lambda when: i18n.format_age(when, web.at()),
        country=i18n.country_name,
        date=i18n.format_date,
        datetime=i18n.format_datetime,
        day_time=i18n.format_day_time,
        duration=i18n.format_duration,
        km=i18n.format_km,
        label=lambda code, kind: label(kind, code),
        language=i18n.language_name,
        number=i18n.format_number,
        percent=i18n.format_percent,
        time=i18n.format_time,
    )
    app.context_processor(lambda: {"locale": i18n.reader().locale, "zone": i18n.reader().timezone})


@pass_eval_context
def page_gettext(context: EvalContext, message: str, **variables: Any) -> str:
    """`message` in the reader's language; in HTML its variables are escaped, itself is ours."""
    if not context.autoescape:
        return i18n.gettext(message, **variables)
    return Markup(i18n.gettext(message, **_escaped(variables)))


@pass_eval_context
def page_ngettext(
    context: EvalContext, singular: str, plural: str, num: int, **variables: Any
) -> str:
    """The form for `num`, which the text may show as %(num)s."""
    if not context.autoescape:
        return i18n.ngettext(singular, plural, num, **variables)
    return Markup(i18n.ngettext(singular, plural, num, **_escaped(variables)))


def languages() -> list[tuple[str, str, str]]:
    """(code, own name, this page in that language), in the order of the setting."""
    # Never as arguments of url_for, some of which it takes for its own (`_scheme`, `_external` …).
    asked = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    endpoint = request.endpoint if request.method == "GET" else None
    path = url_for(endpoint, **(request.view_args or {})) if endpoint else ""
    rows = []
    for code in LOCALES:
        name = Locale(code).get_display_name() or code
        query = urlencode([*(asked if endpoint else []), ("lang", code)])
        rows.append((code, name[:1].upper() + name[1:], f"{path}?{query}"))
    return rows


def timer_state(expires_at: datetime, at: datetime) -> str:
    """How a clock stands at `at`: `fine`, `soon` (a quarter of an hour or less), `overdue`."""
    minutes = (expires_at - at).total_seconds() / 60
    if minutes <= 0:
        return "overdue"
    return "soon" if minutes <= SOON_MINUTES else "fine"


def deadline(when: datetime, zone: str | None = None) -> str:
    """The time on the wall of `zone` (default: the reader's), with the day unless it is today."""
    wall = ZoneInfo(zone or i18n.reader().timezone)
    if when.astimezone(wall).date() == web.at().astimezone(wall).date():
        return i18n.format_time(when, wall.key)
    return i18n.format_day_time(when, wall.key)


def _escaped(variables: dict[str, Any]) -> dict[str, Any]:
    return {name: escape(value) for name, value in variables.items()}
