"""Headquarters' statuses: what a market calls the steps within accepted, contacted and resting."""

from __future__ import annotations

from collections.abc import Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import markets, web
from lmt import marketstatuses as verbs
from lmt.dealerchanges import BadValues, NotNow
from lmt.hq.blueprint import blueprint
from lmt.hq.history import flash_saved
from lmt.i18n import gettext as _
from lmt.i18n import language_name
from lmt.models import Market

NEW = "new"
"""In the place of a code: the form of a new one."""


@blueprint.get("/statuses")
@web.require(markets.PERMISSION)
def statuses() -> ResponseReturnValue:
    return _page(request.args.get("market", ""))


@blueprint.post("/statuses/<market>")
@web.require(markets.PERMISSION)
def add_status(market: str) -> ResponseReturnValue:
    given = _typed()
    code = given.get("code", "")
    try:
        verbs.add_status(
            web.db(), market, code, given.get("status", ""), _names(given),
            at=web.at(), actor=web.actor(),
        )  # fmt: skip
    except BadValues as bad:
        web.db().rollback()
        return _page(market, NEW, given, bad.problems), 422
    except LookupError:
        abort(404)
    flash(_("The status was added."), "success")
    return redirect(url_for("hq.statuses", market=market))


@blueprint.post("/statuses/<market>/<code>")
@web.require(markets.PERMISSION)
def save_status(market: str, code: str) -> ResponseReturnValue:
    """The button pressed says what is done: save, up, down, on, off, delete."""
    given, session, at, actor = _typed(), web.db(), web.at(), web.actor()
    wanted = given.get("do", "save")
    changed = True
    try:
        if wanted in {"up", "down"}:
            step = -1 if wanted == "up" else 1
            verbs.move_status(session, market, code, step, at=at, actor=actor)
            return redirect(url_for("hq.statuses", market=market) + f"#status-{code}")
        if wanted == "delete":
            verbs.delete_status(session, market, code, at=at, actor=actor)
            flash(_("The status was deleted."), "success")
            return redirect(url_for("hq.statuses", market=market))
        changes: dict[str, object] = (
            {"active": wanted == "on"} if wanted in {"on", "off"} else {"names": _names(given)}
        )
        changed = verbs.change_status(session, market, code, changes, at=at, actor=actor)
    except BadValues as bad:
        session.rollback()
        return _page(market, code, given, bad.problems), 422
    except NotNow as refused:
        session.rollback()
        flash(str(refused), "warning")
        return redirect(url_for("hq.statuses", market=market))
    except LookupError:
        abort(404)
    flash_saved(verbs.KIND, f"{market}/{code}", changed)
    return redirect(url_for("hq.statuses", market=market) + f"#status-{code}")


def _typed() -> dict[str, str]:
    return {name: value.strip() for name, value in request.form.items()}


def _names(given: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix("names."): value
        for name, value in given.items()
        if name.startswith("names.")
    }


def _page(
    market_code: str,
    at_code: str = "",
    given: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> str:
    """`given` and `problems` belong to the form of the status `at_code`."""
    session = web.db()
    own = markets.edited_markets(session, web.actor())
    market = next((each for each in own if each.code == market_code), None)
    if market is None and market_code:
        abort(404)
    market = market or (own[0] if own else None)
    rows = verbs.statuses_of(session, market.id) if market is not None else []
    return render_template(
        "hq/statuses.html",
        market=market,
        markets=[(each.code, each.name) for each in own],
        groups=[(core, [row for row in rows if row.status == core]) for core in verbs.CORE],
        spoken=_languages(market),
        at_code=at_code,
        new=NEW,
        given=given or {},
        problems=problems or {},
    )


def _languages(market: Market | None) -> list[tuple[str, str]]:
    """The market's own first."""
    if market is None:
        return []
    codes = dict.fromkeys([market.default_language, *market.languages])
    return [(code, language_name(code)) for code in codes]
