"""Headquarters' dealer groups: which dealers belong together, and who sees them all."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from lmt import dealergroups as verbs
from lmt import dealers, web
from lmt.dealerchanges import BadValues, NotNow
from lmt.hq.blueprint import blueprint
from lmt.hq.history import flash_saved
from lmt.hq.sourceform import suggested_code
from lmt.i18n import gettext as _
from lmt.models import DealerGroup

PAGE_ROWS = 30
NEW = "new"


@blueprint.get("/groups")
@web.require(dealers.PERMISSION)
def groups() -> ResponseReturnValue:
    return _page()


@blueprint.post("/groups")
@web.require(dealers.PERMISSION)
def create_group() -> ResponseReturnValue:
    given = _typed()
    code = given.get("code", "") or suggested_code(given.get("name", ""), "group")
    try:
        verbs.create_group(
            web.db(), code, given.get("name", ""), _codes(given), at=web.at(), actor=web.actor()
        )
    except BadValues as bad:
        web.db().rollback()
        return _page(NEW, {**given, "code": code}, bad.problems), 422
    flash(_("The group was made."), "success")
    return redirect(url_for("hq.groups"))


@blueprint.post("/groups/<code>")
@web.require(dealers.PERMISSION)
def save_group(code: str) -> ResponseReturnValue:
    given, session = _typed(), web.db()
    try:
        if given.get("do") == "delete":
            verbs.delete_group(session, code, at=web.at(), actor=web.actor())
            flash(_("The group was deleted."), "success")
            return redirect(url_for("hq.groups"))
        changed = verbs.change_group(
            session, code, given.get("name", ""), _codes(given), at=web.at(), actor=web.actor()
        )
    except BadValues as bad:
        session.rollback()
        return _page(code, given, bad.problems), 422
    except NotNow as refused:
        session.rollback()
        flash(str(refused), "warning")
        return redirect(url_for("hq.groups", open=code))
    except LookupError:
        abort(404)
    flash_saved(verbs.KIND, code, changed)
    return redirect(url_for("hq.groups", open=code))


def _typed() -> dict[str, str]:
    return {name: value.strip() for name, value in request.form.items()}


def _codes(given: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(re.findall(r"[^\s,;]+", given.get("dealers", ""))))


def _page(
    at_code: str = "",
    given: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> str:
    """`given` and `problems` belong to the form of the group `at_code`."""
    session, after = web.db(), request.args.get("after", "")[:100]
    opened = at_code or request.args.get("open", "")[:100]
    wanted = (
        select(DealerGroup)
        .where(verbs.edited_by(web.actor()))
        .order_by(func.lower(DealerGroup.name), DealerGroup.code)
        .limit(PAGE_ROWS + 1)
    )
    if opened and opened != NEW:
        wanted = wanted.where(DealerGroup.code == opened)
    elif after:
        name, _bar, code = after.rpartition("|")
        place = (func.lower(DealerGroup.name), DealerGroup.code)
        wanted = wanted.where(func.row(*place) > func.row(name, code))
    found = session.scalars(wanted).all()
    shown = found[:PAGE_ROWS]
    ids = [each.id for each in shown]
    people: dict[int, list[tuple[str, str]]] = {}
    for group_id, name, email in verbs.people_of(session, ids):
        people.setdefault(group_id or 0, []).append((name, email))
    last = shown[-1] if shown else None
    return render_template(
        "hq/groups.html",
        rows=shown,
        members=verbs.members_of(session, ids, verbs.MOST_DEALERS),
        people=people,
        at_code=at_code,
        opened=opened,
        new=NEW,
        given=given or {},
        problems=problems or {},
        next_address=(
            url_for("hq.groups", after=f"{last.name.lower()}|{last.code}")
            if last is not None and len(found) > len(shown)
            else ""
        ),
        first_address=url_for("hq.groups") if after or opened not in ("", NEW) else "",
    )
