"""How headquarters keeps the templates and snippets that dealers reply with. Each verb notes who
changed what, and commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from lmt.config import LOCALES
from lmt.i18n import gettext as _
from lmt.labels import LABELS
from lmt.models import Brand, Market, ReplyTemplate, note_change
from lmt.placeholders import problem_words, problems
from lmt.replies import LONGEST_BODY, LONGEST_SUBJECT, REPLY_VARIABLES
from lmt.scope import Actor

PERMISSION = "text.edit"
CHANGE_KIND = "reply_template"
LONGEST_NAME = 100
IN_SUBJECTS = ("reference", "wish", "brand", "model", "dealer", "market")
"""Subjects show on locked screens, so nothing of a person is in them."""


class BadTemplate(ValueError):
    """What can't be kept: `problems` by field (`subject-pl`, `body-pl` of a language), in the
    reader's words."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is set of a template; `texts`: language → {"subject", "body"}."""

    kind: str
    name: str
    market_id: int | None
    brand_id: int | None
    request_type: str
    texts: Mapping[str, Mapping[str, str]]
    active: bool = True


def kept_by(actor: Actor) -> ColumnElement[bool]:
    """The templates that the actor may change, for a WHERE: those of all markets belong to who
    keeps all markets."""
    own = actor.whole_markets(PERMISSION)
    return true() if own is None else ReplyTemplate.market_id.in_(own)


def kept_template(session: Session, id: int, actor: Actor) -> ReplyTemplate:
    """Raises LookupError for one that isn't there, or isn't the actor's to keep."""
    found = session.scalars(
        select(ReplyTemplate).where(ReplyTemplate.id == id, kept_by(actor))
    ).first()
    if found is None:
        raise LookupError(f"no reply template {id}")
    return found


def create_template(session: Session, terms: Terms, at: datetime, actor: Actor) -> ReplyTemplate:
    """Raises BadTemplate."""
    _check(session, terms, actor)
    row = ReplyTemplate(**asdict(terms))
    session.add(row)
    session.flush()
    _note(session, row.id, {}, asdict(terms), at, actor)
    session.commit()
    return row


def change_template(
    session: Session, row: ReplyTemplate, terms: Terms, at: datetime, actor: Actor
) -> bool:
    """False where nothing differs. Raises BadTemplate, LookupError for another's."""
    held = session.scalars(
        select(ReplyTemplate)
        .where(ReplyTemplate.id == row.id, kept_by(actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if held is None:
        raise LookupError(f"no reply template {row.id}")
    _check(session, terms, actor)
    before = {name: getattr(held, name) for name in asdict(terms)}
    after = asdict(terms)
    for name, value in after.items():
        setattr(held, name, value)
    _note(session, held.id, before, after, at, actor)
    session.commit()
    return before != after


def cleaned_texts(given: Mapping[str, Mapping[str, str]], kind: str) -> dict[str, dict[str, str]]:
    """Without languages in which nothing was written; a snippet has no subject."""
    texts = {}
    for language, parts in given.items():
        body = parts.get("body", "").replace("\r\n", "\n").strip()
        subject = "" if kind == "snippet" else " ".join(parts.get("subject", "").split())
        if language in LOCALES and (body or subject):
            texts[language] = {"subject": subject, "body": body}
    return texts


def _check(session: Session, terms: Terms, actor: Actor) -> None:
    found = problems_of(terms)
    own = actor.whole_markets(PERMISSION)
    if terms.market_id is None:
        if own is not None:
            found["market"] = _("Choose one of these.")
    elif (own is not None and terms.market_id not in own) or not session.get(
        Market, terms.market_id
    ):
        found["market"] = _("Choose one of these.")
    if terms.brand_id is not None and session.get(Brand, terms.brand_id) is None:
        found["brand"] = _("Choose one of these.")
    if found:
        raise BadTemplate(found)


def problems_of(terms: Terms) -> dict[str, str]:
    """What the texts and codes alone show to be wrong, by field."""
    found = {}
    if not terms.name:
        found["name"] = _("Enter a name.")
    elif len(terms.name) > LONGEST_NAME:
        found["name"] = _("Shorten this to %(most)s characters or fewer.", most=LONGEST_NAME)
    if terms.kind not in {"reply", "snippet"}:
        found["kind"] = _("Choose one of these.")
    if terms.request_type and terms.request_type not in LABELS["request_type"]:
        found["request_type"] = _("Choose one of these.")
    if not terms.texts:
        found["texts"] = _("Write it in one language at least.")
    for language, parts in terms.texts.items():
        if terms.kind == "reply" and not parts["subject"]:
            found[f"subject-{language}"] = _("Write a subject.")
        if not parts["body"]:
            found[f"body-{language}"] = _("Write something.")
        _judge(found, f"subject-{language}", parts["subject"], IN_SUBJECTS, LONGEST_SUBJECT)
        _judge(found, f"body-{language}", parts["body"], list(REPLY_VARIABLES), LONGEST_BODY)
    return found


def _judge(
    found: dict[str, str], field: str, text: str, known: Sequence[str], longest: int
) -> None:
    if len(text) > longest:
        found[field] = _("Shorten this to %(most)s characters or fewer.", most=longest)
    for problem in problems(text, known)[:1]:
        found[field] = problem_words(problem)


def _note(
    session: Session,
    id: int,
    before: dict[str, Any],
    after: dict[str, Any],
    at: datetime,
    actor: Actor,
) -> None:
    note_change(
        session, CHANGE_KIND, str(id), at=at, user_id=actor.user_id, before=before, after=after
    )
