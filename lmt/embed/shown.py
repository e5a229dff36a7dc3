"""Which version of a form a visitor has before them, in which language and zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from flask import abort, g, request
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lmt.embed.recent import kept_here
from lmt.forms.definition import FormDefinition
from lmt.forms.page import LANGUAGE_FIELD
from lmt.models import Form, FormVersion, Source

VERSION_FIELD = "version"
ZONE_FIELD = "zone"
_ALL_AT_ONCE = (joinedload(Form.published), joinedload(Form.source).joinedload(Source.market))


@dataclass(frozen=True, slots=True)
class ShownForm:
    """A form that visitors may see, and one of its published versions."""

    form: Form
    version: FormVersion
    definition: FormDefinition


def shown_form(session: Session, code: str, version: int | None = None) -> ShownForm:
    """The form `code` in its published version; `version` is the number of an earlier one, which
    stands where this form was ever shown by it.

    404 for a form that nobody may see: unknown, unpublished, put away, or of a retired source.
    """
    named = select(Form).where(Form.code == code)
    form = session.scalars(named.options(*_ALL_AT_ONCE)).first()
    if form is None or form.published is None or not (form.active and form.source.active):
        abort(404)
    g.shown_form = form
    row = form.published
    if version is not None and version != row.number:
        wanted = select(FormVersion).where(
            FormVersion.form_id == form.id, FormVersion.number == version
        )
        row = session.scalars(wanted).first() or row
    return ShownForm(form, row, _definition(row))


def _definition(version: FormVersion) -> FormDefinition:
    """Read once by this process: a version never changes."""
    return kept_here("definitions").get(
        version.id, lambda: FormDefinition.from_json(version.definition)
    )


def asked_version() -> int | None:
    """The version that the request names; None for none that could be one."""
    return version_number(request.values.get(VERSION_FIELD, ""))


def version_number(told: object) -> int | None:
    """The number of a version as a page or a script tells it; None for what can't be one."""
    text = str(told) if isinstance(told, int | str) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None


def asked_language(definition: FormDefinition) -> str:
    """The language asked for in the address or the form, else the browser's, else the form's."""
    return chosen_language(
        definition,
        request.values.get(LANGUAGE_FIELD, ""),
        [tag for tag, _quality in request.accept_languages],
    )


def chosen_language(definition: FormDefinition, wanted: str, accepted: Iterable[str]) -> str:
    for tag in [wanted, *accepted]:
        if tag and definition.language(tag) == tag.replace("_", "-").split("-")[0].lower():
            return definition.language(tag)
    return definition.default_language


def asked_zone() -> str:
    """The visitor's zone as their browser names it, "" where it names none that is known."""
    zone = request.values.get(ZONE_FIELD, "")
    return zone if zone in _zones() else ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
