"""Keys by which the reader's programs ask reports: made, shown once, ended."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lmt import reportkeys as verbs
from lmt import web
from lmt.i18n import gettext as _
from lmt.i18n import ngettext
from lmt.reportpages.blueprint import blueprint


@blueprint.get("/keys")
@web.require(verbs.PERMISSION)
def keys() -> ResponseReturnValue:
    return _page()


@blueprint.post("/keys")
@web.require(verbs.PERMISSION)
@web.limiter.limit("30 per hour")
def make_key() -> ResponseReturnValue:
    """The answer to this very request is the only one that has the key."""
    days = request.form.get("days", "")
    try:
        key = verbs.make_key(
            web.db(),
            request.form.get("name", ""),
            int(days) if days in {str(each) for each in verbs.DAYS} else 0,
            at=web.at(),
            actor=web.actor(),
        )
    except verbs.BadKey as bad:
        field = "days" if bad.cause == "days" else "name"
        return _page(problems={field: _problem_words(bad)}), 422
    return _page(key), 200, {"Cache-Control": "no-store"}


@blueprint.post("/keys/<int:key_id>/revoke")
@web.require(verbs.PERMISSION)
def revoke_key(key_id: int) -> ResponseReturnValue:
    try:
        name = verbs.revoke_key(web.db(), key_id, at=web.at(), actor=web.actor())
    except LookupError:
        abort(404)
    flash(_("The key “%(name)s” opens nothing any more.", name=name), "success")
    return redirect(url_for("reports.keys"))


def _page(key: str = "", problems: dict[str, str] | None = None) -> str:
    return render_template(
        "reports/keys.html",
        key=key,
        problems=problems or {},
        given=request.form if problems else {},
        rows=verbs.keys_of(web.db(), web.user().id, web.at()),
        spans=[(str(days), ngettext("%(num)s day", "%(num)s days", days)) for days in verbs.DAYS],
        address=f"{web.settings().base_url}/api/v1/reports",
    )


def _problem_words(bad: verbs.BadKey) -> str:
    match bad.cause:
        case "unnamed":
            return _("Please enter a name.")
        case "long":
            most = verbs.LONGEST_NAME
            return _("Shorten this to %(most)s characters or fewer.", most=most)
        case "many":
            return _("You have too many keys. Revoke one first.")
        case _:
            return _("Please choose one of the options.")
