"""A person's own settings: name, language and time zone of everything they are shown."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from lmt.config import LOCALES
from lmt.i18n import NUMBER_STYLES, number_style, week_days
from lmt.i18n import gettext as _
from lmt.templating import languages
from lmt.web import open_session, user

blueprint = Blueprint("accounts", __name__, url_prefix="/account")


@blueprint.get("/preferences")
def preferences() -> ResponseReturnValue:
    return _page({}, 200)


@blueprint.post("/preferences")
def save_preferences() -> ResponseReturnValue:
    name = request.form.get("name", "").strip()
    language = request.form.get("language", "")
    timezone = request.form.get("timezone", "").strip()
    problems = {}
    if not name:
        problems["name"] = _("Please enter your name.")
    if language not in LOCALES:
        problems["language"] = _("Please choose a language.")
    if timezone not in available_timezones():
        problems["timezone"] = _("Please choose a time zone from the list.")
    week_start, style = request.form.get("week_start", ""), request.form.get("number_style", "")
    if week_start not in {"", *(str(day) for day in range(7))}:
        problems["week_start"] = _("Please choose a day.")
    if style not in NUMBER_STYLES:
        problems["number_style"] = _("Please choose one of the options.")
    if problems:
        return _page(problems, 422)
    person = user()
    person.name, person.language, person.timezone = name[:200], language, timezone
    person.week_start = int(week_start) if week_start else None
    person.number_style = style
    open_session().commit()
    session.pop("lang", None)
    flash(_("Saved."), "success")
    return redirect(url_for("accounts.preferences", lang=language))


def _page(problems: dict[str, str], status: int) -> ResponseReturnValue:
    return (
        render_template(
            "accounts/preferences.html",
            problems=problems,
            given=request.form,
            languages_own=[(code, name) for code, name, _address in languages()],
            styles=[("", _("As in my language"))]
            + [(code, number_style(code)) for code in NUMBER_STYLES if code],
            days=[("", _("As in my language")), *week_days()],
            zones=sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"),
        ),
        status,
    )
