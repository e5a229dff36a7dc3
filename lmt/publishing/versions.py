"""From a draft to a version that stays, shown to visitors or rolled back from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.forms.definition import BadForm, FormDefinition
from lmt.forms.findings import Finding, findings
from lmt.forms.lead import consent_text_version
from lmt.i18n import gettext as _
from lmt.models import ConsentText, Form, FormVersion, note_change
from lmt.publishing.access import BadSettings, locked_form, note
from lmt.publishing.settings import kept_draft
from lmt.scope import Actor

log = structlog.get_logger(__name__)

LONGEST_NOTE = 500


class StaleDraft(ValueError):
    """The draft was changed since it was read."""


class Unpublishable(ValueError):
    """The draft can't be shown to visitors: `reason` where it is no form at all (a BadForm's
    words), else what was found in it, the errors among `findings`."""

    def __init__(self, reason: str = "", found: Sequence[Finding] = ()) -> None:
        super().__init__(reason or ", ".join(f"{each.code} {each.where}" for each in found))
        self.reason = reason
        self.findings = tuple(found)


def save_draft(
    session: Session,
    form: Form,
    definition: Mapping[str, Any],
    *,
    number: int,
    at: datetime,
    actor: Actor,
) -> int:
    """Keep `definition` as the draft, whether or not it could be published; the draft's new number.

    `number` is that of the draft which was edited. Raises StaleDraft where it isn't the present
    one, BadSettings where it is too large, LookupError.
    """
    row = locked_form(session, form, actor)
    if number != row.draft_number:
        raise StaleDraft(f"{row.code}: draft {number} is now {row.draft_number}")
    draft = kept_draft(row.code, definition)
    if draft == row.draft:
        session.rollback()
        return number
    row.draft = draft
    row.draft_number += 1
    row.drafted_at, row.drafted_by = at, actor.user_id
    # By itself: a draft changes with every field, and would bury what else was set.
    note_change(
        session,
        "form_draft",
        row.code,
        at=at,
        user_id=actor.user_id,
        before={"draft": number},
        after={"draft": row.draft_number},
    )
    session.commit()
    return number + 1


def publish(
    session: Session,
    form: Form,
    note: str,
    *,
    at: datetime,
    actor: Actor,
    number: int | None = None,
) -> FormVersion:
    """The draft as a version that stays, shown from now on; the words of its consents are kept so
    that each consent can be proven.

    `number` is that of the draft which was looked at. Raises Unpublishable, StaleDraft,
    BadSettings for a note too long, LookupError.
    """
    row = locked_form(session, form, actor)
    if number is not None and number != row.draft_number:
        raise StaleDraft(f"{row.code}: draft {number} is now {row.draft_number}")
    if len(note) > LONGEST_NOTE:
        most = LONGEST_NOTE
        raise BadSettings({"note": _("Shorten this to %(most)s characters or fewer.", most=most)})
    definition = publishable(row.draft)
    latest = session.scalar(
        select(func.max(FormVersion.number)).where(FormVersion.form_id == row.id)
    )
    version = FormVersion(
        form_id=row.id,
        number=(latest or 0) + 1,
        definition=definition.to_json(),
        published_at=at,
        published_by=actor.user_id,
        note=note,
    )
    session.add(version)
    session.flush()
    _keep_consent_texts(session, definition, row.source.market_id, at, actor)
    _show(session, row, version, at, actor)
    log.info("form.published", form=row.code, version=version.number, by=actor.user_id)
    return version


def publishable(draft: Mapping[str, Any]) -> FormDefinition:
    """The draft as a form that may be shown. Raises Unpublishable."""
    try:
        definition = FormDefinition.from_json(draft)
    except (BadForm, ValueError) as problem:
        raise Unpublishable(str(problem)) from problem
    found = findings(definition)
    if any(each.severity == "error" for each in found):
        raise Unpublishable(found=found)
    return definition


def roll_back(
    session: Session, form: Form, version: FormVersion, *, at: datetime, actor: Actor
) -> None:
    """Show an old version again; the draft stays as it is. Raises LookupError for a version of
    another form."""
    row = locked_form(session, form, actor)
    if version.form_id != row.id:
        raise LookupError(f"no version {version.id} of {row.code}")
    _show(session, row, version, at, actor)
    log.info("form.rolled_back", form=row.code, version=version.number, by=actor.user_id)


def _show(session: Session, row: Form, version: FormVersion, at: datetime, actor: Actor) -> None:
    before = None if row.published is None else row.published.number
    row.published_id = version.id
    note(session, row.code, at, actor, {"version": before}, {"version": version.number})
    session.commit()


def _keep_consent_texts(
    session: Session, definition: FormDefinition, market_id: int, at: datetime, actor: Actor
) -> None:
    rows = [
        {
            "market_id": market_id,
            "purpose": item.purpose,
            "version": consent_text_version(definition, item, language),
            "language": language,
            "text": (words := definition.words(item.label, language)),
            "hash": hashlib.sha256(words.encode()).hexdigest(),
            "created_at": at,
            "author_id": actor.user_id,
        }
        for item in definition.fields
        if item.type == "consent"
        for language in definition.languages
    ]
    if rows:
        # The same words were published before: they are the same text.
        session.execute(insert(ConsentText).values(rows).on_conflict_do_nothing())
