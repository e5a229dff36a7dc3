"""How headquarters keeps the words of its mails: a draft, versions that stay as they were sent, and
the way back to an earlier one or to LMT's own. Each verb commits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from lmt.config import LOCALES
from lmt.models import MailText, MailTextVersion, Market, note_change
from lmt.notify.mails import KINDS
from lmt.notify.words import LONGEST, TextProblem, parts_of, problems_of
from lmt.scope import Actor

log = structlog.get_logger(__name__)

PERMISSION = "text.edit"
CHANGE_KIND = "mail_text"
LONGEST_NOTE = 200
MOST_VERSIONS = 50
INSTALLATION = "all"
"""Stands for the installation where else the code of a market stands."""

Texts = dict[str, Any]
"""{"fallback": language or "", "languages": {language: {part: text}}}"""


class BadMailText(ValueError):
    """Words that can't be published yet."""

    def __init__(self, problems: Sequence[TextProblem]):
        super().__init__("; ".join(f"{each.language} {each.part}" for each in problems))
        self.problems = problems


def may_edit(actor: Actor, market_id: int | None) -> bool:
    """A market's words belong to whoever keeps the whole of it, the installation's to who keeps
    all markets."""
    own = actor.whole_markets(PERMISSION)
    return own is None or (market_id is not None and market_id in own)


def empty_texts() -> Texts:
    return {"fallback": "", "languages": {}}


def kept_text(session: Session, kind: str, market_id: int | None) -> MailText | None:
    return session.scalars(
        select(MailText).where(MailText.kind == kind, MailText.market_id == market_id)
    ).first()


def texts_of(session: Session, row: MailText | None) -> Texts:
    """What is being edited: the draft, else what is published, else nothing."""
    if row is not None and row.draft is not None:
        return row.draft
    if row is not None and row.published_id is not None:
        return session.get_one(MailTextVersion, row.published_id).texts
    return empty_texts()


def versions_of(session: Session, row: MailText | None) -> Sequence[MailTextVersion]:
    """The latest first."""
    if row is None:
        return ()
    return session.scalars(
        select(MailTextVersion)
        .where(MailTextVersion.mail_text_id == row.id)
        .options(joinedload(MailTextVersion.author))
        .order_by(MailTextVersion.number.desc())
        .limit(MOST_VERSIONS)
    ).all()


def cleaned(kind: str, texts: Mapping[str, Any]) -> Texts:
    """Only languages that are shipped and parts that may be written, within twice their bounds;
    what is empty is left out."""
    languages: dict[str, dict[str, str]] = {}
    for language, parts in (texts.get("languages") or {}).items():
        said = {
            part: str(parts.get(part, "")).replace("\r\n", "\n").strip()[: 2 * LONGEST[part]]
            for part in parts_of(kind)
        }
        said = {part: text for part, text in said.items() if text}
        if language in LOCALES and said:
            languages[language] = said
    fallback = str(texts.get("fallback") or "")
    return {"fallback": fallback if fallback in languages else "", "languages": languages}


def unspoken(texts: Mapping[str, Any], languages: Collection[str]) -> list[str]:
    """Languages of a market in which these words say nothing; the fallback stands in for them."""
    return [code for code in languages if code not in (texts.get("languages") or {})]


def locked_texts(session: Session, kind: str, market_id: int | None, actor: Actor) -> Texts:
    """`texts_of` the row, which waits for whoever saves another language of it just now; held
    until the caller's transaction ends. Raises LookupError."""
    return texts_of(session, _locked(session, kind, market_id, actor))


def save_draft(
    session: Session,
    kind: str,
    market_id: int | None,
    texts: Mapping[str, Any],
    at: datetime,
    actor: Actor,
) -> Texts:
    """Kept as it is, sound or not: it is sent to nobody. Raises LookupError."""
    row = _locked(session, kind, market_id, actor)
    draft = cleaned(kind, texts)
    row.draft, row.drafted_at, row.drafted_by = draft, at, actor.user_id
    session.commit()
    return draft


def drop_draft(session: Session, kind: str, market_id: int | None, actor: Actor) -> None:
    row = _locked(session, kind, market_id, actor)
    row.draft = row.drafted_at = row.drafted_by = None
    session.commit()


def publish(
    session: Session, kind: str, market_id: int | None, note: str, at: datetime, actor: Actor
) -> MailTextVersion:
    """The draft is sent from now on. Raises BadMailText, LookupError where there is no draft."""
    row = _locked(session, kind, market_id, actor)
    if row.draft is None or not row.draft["languages"]:
        session.rollback()
        raise LookupError("there is no draft")
    draft = cleaned(kind, row.draft)
    if problems := problems_of(kind, draft):
        session.rollback()
        raise BadMailText(problems)
    newest = select(func.coalesce(func.max(MailTextVersion.number), 0)).where(
        MailTextVersion.mail_text_id == row.id
    )
    version = MailTextVersion(
        mail_text_id=row.id,
        number=session.scalars(newest).one() + 1,
        texts=draft,
        published_at=at,
        published_by=actor.user_id,
        note=note.strip()[:LONGEST_NOTE],
    )
    session.add(version)
    session.flush()
    _put_in_force(session, row, version, at, actor)
    row.draft = row.drafted_at = row.drafted_by = None
    session.commit()
    log.info("mail_text.published", kind=kind, number=version.number, by=actor.user_id)
    return version


def roll_back(
    session: Session, kind: str, market_id: int | None, number: int, at: datetime, actor: Actor
) -> None:
    """An earlier version is sent again, from now on. Raises LookupError."""
    row = _locked(session, kind, market_id, actor)
    version = session.scalars(
        select(MailTextVersion).where(
            MailTextVersion.mail_text_id == row.id, MailTextVersion.number == number
        )
    ).first()
    if version is None:
        session.rollback()
        raise LookupError(f"no version {number}")
    _put_in_force(session, row, version, at, actor)
    session.commit()


def back_to_own(
    session: Session, kind: str, market_id: int | None, at: datetime, actor: Actor
) -> None:
    """LMT's own words from now on (for a market: the installation's, where it has any); the
    versions stay."""
    row = _locked(session, kind, market_id, actor)
    _put_in_force(session, row, None, at, actor)
    session.commit()


def _put_in_force(
    session: Session, row: MailText, version: MailTextVersion | None, at: datetime, actor: Actor
) -> None:
    before = None
    if row.published_id is not None:
        before = session.get_one(MailTextVersion, row.published_id).number
    row.published_id = version.id if version else None
    market = session.get(Market, row.market_id) if row.market_id is not None else None
    note_change(
        session,
        CHANGE_KIND,
        f"{row.kind}/{market.code if market else INSTALLATION}",
        at=at,
        user_id=actor.user_id,
        before={"version": before},
        after={"version": version.number if version else None},
    )


def _locked(session: Session, kind: str, market_id: int | None, actor: Actor) -> MailText:
    """The row, made where it isn't there yet. Raises LookupError for what isn't the actor's."""
    if kind not in KINDS or not parts_of(kind) or not may_edit(actor, market_id):
        raise LookupError(f"no mail text {kind} of market {market_id}")
    session.execute(
        insert(MailText).values(kind=kind, market_id=market_id).on_conflict_do_nothing()
    )
    return session.scalars(
        select(MailText)
        .where(MailText.kind == kind, MailText.market_id == market_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
