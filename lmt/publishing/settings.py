"""What is set of a form beside its draft: its name, where it may stand, whether it is offered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from lmt.forms.origins import BadOrigin, clean_origin
from lmt.i18n import gettext as _
from lmt.models import Form
from lmt.publishing.access import BadSettings, locked_form, note
from lmt.scope import Actor

log = structlog.get_logger(__name__)

LONGEST_NAME = 100
MOST_ORIGINS = 50
LARGEST_DRAFT = 1_000_000
"""Characters of a draft as JSON: a hundred fields in eight languages take a tenth of it."""
NOT_CODES = frozenset({"new", "fields", "frame", "visit", "static", "preview"})
"""Where pages of the console and scripts of all forms stand, so no form is called so."""
_CODE = re.compile(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?")


def rename(session: Session, form: Form, name: str, *, at: datetime, actor: Actor) -> None:
    """What the console calls it; visitors see the title of its version. Raises BadSettings."""
    row = locked_form(session, form, actor)
    if problems := setting_problems(row.code, name):
        raise BadSettings(problems)
    note(session, row.code, at, actor, {"name": row.name}, {"name": name})
    row.name = name
    session.commit()


def set_origins(
    session: Session, form: Form, origins: Sequence[str], *, at: datetime, actor: Actor
) -> tuple[str, ...]:
    """Where the form may be embedded from now on, cleaned. Raises BadSettings, LookupError."""
    row = locked_form(session, form, actor)
    cleaned: dict[str, None] = {}
    for origin in origins:
        try:
            cleaned[clean_origin(origin)] = None
        except BadOrigin as problem:
            words = _(
                "“%(origin)s” can't be such an address. Write it as in https://www.brand.example.",
                origin=origin[:100],
            )
            raise BadSettings({"origins": words}) from problem
    if len(cleaned) > MOST_ORIGINS:
        raise BadSettings({"origins": _("These are too many.")})
    note(session, row.code, at, actor, {"origins": row.origins}, {"origins": list(cleaned)})
    row.origins = list(cleaned)
    session.commit()
    log.info("form.origins", form=row.code, origins=len(cleaned), by=actor.user_id)
    return tuple(cleaned)


def set_active(session: Session, form: Form, active: bool, *, at: datetime, actor: Actor) -> None:
    """Show it to nobody, or to visitors again; its leads and versions stay. Raises LookupError."""
    row = locked_form(session, form, actor)
    states = {True: "shown", False: "archived"}
    note(session, row.code, at, actor, {"state": states[row.active]}, {"state": states[active]})
    row.active = active
    session.commit()
    log.info("form.state", form=row.code, active=active, by=actor.user_id)


def setting_problems(code: str, name: str) -> dict[str, str]:
    """By field, in the reader's words."""
    problems = {}
    if not _CODE.fullmatch(code) or code in NOT_CODES:
        problems["code"] = _("Use small letters, digits and hyphens, 60 at most.")
    if not name:
        problems["name"] = _("Enter a name.")
    elif len(name) > LONGEST_NAME:
        problems["name"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_NAME)
    return problems


def kept_draft(code: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """The draft with the code of its form. Raises BadSettings where it is too large."""
    draft = {**definition, "code": code}
    if len(json.dumps(draft, ensure_ascii=False)) > LARGEST_DRAFT:
        raise BadSettings({"draft": _("This form is too large.")})
    return draft
