"""Headquarters' history of settings: who changed what, when, from what to what, and undo."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import settinghistory as verbs
from lmt import web
from lmt.hq.blueprint import blueprint
from lmt.hq.historywords import KIND_WORDS, change_view
from lmt.i18n import gettext as _
from lmt.i18n import reader
from lmt.settingundo import CantUndo


@blueprint.get("/history")
@web.require(verbs.PERMISSION)
def history() -> ResponseReturnValue:
    session, actor = web.db(), web.actor()
    args = _wanted()
    wanted = verbs.ChangeFilter(
        kind=args["kind"],
        subject=args["subject"],
        user_id=_number(args["person"]),
        since=_midnight(args["from"]),
        until=_midnight(args["to"], days=1),
    )
    before = _number(request.args.get("before", ""))
    found = verbs.changes(session, wanted, actor, before=before)
    shown = found[: verbs.PAGE_ROWS]
    address = _address(args)
    last = shown[-1].change.id if shown else 0
    return render_template(
        "hq/setting_history.html",
        rows=[change_view(session, each) for each in shown],
        args=args,
        address=address,
        kinds=[("", _("Everything")), *((kind, str(words)) for kind, words in KIND_WORDS.items())],
        people=[
            ("", _("Anybody")),
            *((str(id), name) for id, name in verbs.authors(session, actor)),
        ],
        next_address=(
            url_for("hq.history", **address, before=last) if len(found) > len(shown) else ""
        ),
        first_address=url_for("hq.history", **address) if before is not None else "",
    )


@blueprint.post("/history/<int:change_id>/undo")
@web.require(verbs.PERMISSION)
def undo_change(change_id: int) -> ResponseReturnValue:
    try:
        verbs.undo(web.db(), change_id, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    except CantUndo as refused:
        web.db().rollback()
        flash(str(refused), "warning")
    else:
        flash(_("It is as it was before."), "success")
    return redirect(url_for("hq.history", **_address(_wanted())))


def _wanted() -> dict[str, str]:
    """What the reader looks for, by the page's address; "" for what doesn't matter."""
    names = ("kind", "subject", "person", "from", "to")
    return {name: request.args.get(name, "").strip()[:200] for name in names}


def _address(wanted: dict[str, str]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if value}


def flash_saved(kind: str, subject: str, changed: bool = True) -> None:
    """Say that it is saved, and offer to take it back where that can be."""
    if not changed:
        flash(_("Nothing was changed."), "info")
        return
    change = verbs.latest_of(web.db(), kind, subject, web.actor())
    if change is None or verbs.why_not(change):
        flash(_("Saved."), "success")
        return
    flash((_("Saved."), url_for("hq.undo_change", change_id=change.id)), "undo")  # type: ignore[arg-type]


def _number(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else None


def _midnight(typed: str, days: int = 0) -> datetime | None:
    """The beginning of a day in the reader's zone."""
    try:
        day = date.fromisoformat(typed) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(reader().timezone))
