"""The console's roles: named sets of permissions, for administrators to edit."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from lmt import people as verbs
from lmt import web
from lmt.accounts.roles import PERMISSIONS
from lmt.accounts.service import ensure_roles
from lmt.dealers import BadValues
from lmt.hq.blueprint import blueprint
from lmt.hq.sourcewords import changes_of
from lmt.i18n import gettext as _
from lmt.models import Role, User

NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


@blueprint.get("/roles")
@web.require(verbs.ADMIN)
def roles() -> ResponseReturnValue:
    session = web.db()
    known = ensure_roles(session)
    counted = select(Role.name, func.count(User.id)).join(User.roles).group_by(Role.name)
    held = dict(session.execute(counted.where(User.active)).all())
    return render_template(
        "hq/roles.html",
        roles=[known[name] for name in sorted(known)],
        held=held,
        permissions=PERMISSIONS,
    )


@blueprint.get("/roles/<name>")
@web.require(verbs.ADMIN)
def role(name: str) -> ResponseReturnValue:
    return _form(_known(name))


@blueprint.post("/roles/<name>")
@web.require(verbs.ADMIN)
def save_role(name: str) -> ResponseReturnValue:
    _known(name)
    return _save(name)


@blueprint.post("/roles")
@web.require(verbs.ADMIN)
def create_role() -> ResponseReturnValue:
    name = request.form.get("name", "").strip().lower().replace(" ", "_").replace("-", "_")
    if not NAME.fullmatch(name):
        flash(_("A role's name has small letters, digits and _ only."), "danger")
        return redirect(url_for("hq.roles"))
    if name in ensure_roles(web.db()):
        flash(_("There is a role of this name."), "danger")
        return redirect(url_for("hq.roles"))
    return _save(name)


def _save(name: str) -> ResponseReturnValue:
    wanted = [code for code in request.form.getlist("permissions") if code in PERMISSIONS]
    try:
        changed = verbs.save_role(web.db(), name, wanted, at=web.at(), actor=web.actor())
    except BadValues as bad:
        web.db().rollback()
        return _form(_known(name), bad.problems, frozenset(wanted)), 422
    except LookupError:
        abort(404)
    flash(_("Saved.") if changed else _("Nothing was changed."), "success" if changed else "info")
    return redirect(url_for("hq.role", name=name))


def _known(name: str) -> Role:
    found = ensure_roles(web.db()).get(name)
    if found is None:
        abort(404)
    return found


def _form(
    row: Role, problems: Mapping[str, str] | None = None, given: frozenset[str] | None = None
) -> str:
    return render_template(
        "hq/role.html",
        role=row,
        given=frozenset(row.permissions) if given is None else given,
        permissions=PERMISSIONS,
        problems=problems or {},
        history=changes_of(web.db(), "role", row.name),
    )
