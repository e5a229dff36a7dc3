"""Leads that a platform announced are asked for, outside any transaction, until they are there.

One row for each lead, claimed by a lease: a crash between the answer and its mark asks once more,
and the platform's id of the lead makes the second answer the same delivery.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.i18n import gettext as _
from lmt.i18n import reading
from lmt.ingest import notices
from lmt.ingest.accept import Delivery
from lmt.ingest.door import Quarantined, receive
from lmt.ingest.fetching import FETCH_FAILED, Question, Verdict, wait_after
from lmt.ingest.kinds import reader_of
from lmt.ingest.linkedin import linkedin_question, linkedin_verdict
from lmt.ingest.meta import meta_question, meta_verdict
from lmt.ingest.platforms import meta_tokens
from lmt.ingest.sourcesecrets import NoSecret, opened
from lmt.ingest.sourcesettings import source_settings
from lmt.models import Intake, Retrieval, Source
from lmt.outside import Answer, Outside, OutsideError
from lmt.scope import SYSTEM, act_as

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
RUN_SECONDS = 20.0
"""How long one run of `fetch_due` goes on; the rest is for the next ring."""
TIMEOUT_SECONDS = 15.0
_FOR_GOOD = frozenset({"refused", "too_large"})
"""Ways not to get through to a platform that asking again will not mend."""


class _NotYet(Exception):
    """The platform may answer later; `wished` is the pause it asks for, in seconds."""

    def __init__(self, cause: str, wished: str = ""):
        super().__init__(cause)
        self.cause, self.wished = cause, wished


@dataclass(frozen=True, slots=True)
class _Claim:
    id: uuid.UUID
    token: uuid.UUID
    attempts: int
    remote_id: str
    context: Mapping[str, Any]
    source: Source


def fetch_due(sessions: SessionFactory, settings: Settings, at: datetime) -> int:
    """Ask for what is due at `at`, one by one; returns how many answers were kept.

    A source whose platform does not answer rests for the remainder of the run.
    """
    outside = Outside(settings.private_targets)
    fetched, started = 0, time.monotonic()
    resting: set[int] = set()
    while (passed := time.monotonic() - started) < RUN_SECONDS:
        # Leases run in real time, so a long run must not count them from its beginning.
        now = at + timedelta(seconds=passed)
        taken = _claim(sessions, now, resting)
        if taken is None:
            break
        try:
            fetched += _fetch(sessions, settings, outside, taken, now)
        except _NotYet as problem:
            _put_off(sessions, taken, now, problem.cause, problem.wished)
            resting.add(taken.source.id)
        except Exception as problem:
            log.exception("retrieval.broken", retrieval_id=str(taken.id))
            _put_off(sessions, taken, now, type(problem).__name__)
    return fetched


def _claim(sessions: SessionFactory, at: datetime, resting: Collection[int]) -> _Claim | None:
    with _as_system(sessions) as session:
        row = session.scalars(
            select(Retrieval)
            .where(
                Retrieval.status == "queued",
                Retrieval.next_attempt_at <= at,
                or_(Retrieval.lease_until.is_(None), Retrieval.lease_until < at),
                Retrieval.source_id.not_in(resting),
            )
            .order_by(Retrieval.next_attempt_at, Retrieval.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=Retrieval)
        ).first()
        if row is None:
            return None
        row.lease_token, row.lease_until = uuid.uuid4(), at + LEASE
        row.attempts += 1
        source = session.get_one(Source, row.source_id)
        taken = _Claim(
            row.id, row.lease_token, row.attempts, row.remote_id, dict(row.context), source
        )
        session.commit()
        return taken


def _fetch(
    sessions: SessionFactory, settings: Settings, outside: Outside, taken: _Claim, at: datetime
) -> int:
    """One lead; 1 when its answer was kept, 0 when none will come. Raises _NotYet."""
    try:
        question = _question(taken, settings.secret_key)
        answer = outside.ask(
            "GET", question.url, headers=question.headers, timeout_seconds=TIMEOUT_SECONDS
        )
    except NoSecret as problem:
        return _fail(sessions, taken, problem.code)
    except OutsideError as problem:
        if problem.code not in _FOR_GOOD:
            raise _NotYet(f"platform_{problem.code}") from problem
        return _fail(sessions, taken, f"platform_{problem.code}")
    verdict = _verdict(taken, answer)
    if not verdict.code:
        return _take_in(sessions, taken, answer, at)
    if verdict.again:
        raise _NotYet(f"platform_{verdict.code}", answer.headers.get("retry-after", ""))
    return _fail(sessions, taken, f"platform_{verdict.code}")


def _question(taken: _Claim, secret_key: str) -> Question:
    source = taken.source
    settings = source_settings(source.settings)
    token = opened(source.secrets, "access_token", secret_key)
    if source.kind == "linkedin":
        return linkedin_question(taken.remote_id, settings, token)
    app_secret = ""
    if source.secrets.get("app_secret"):
        app_secret = opened(source.secrets, "app_secret", secret_key)
    return meta_question(taken.remote_id, settings, token, app_secret)


def _verdict(taken: _Claim, answer: Answer) -> Verdict:
    return linkedin_verdict(answer) if taken.source.kind == "linkedin" else meta_verdict(answer)


def _take_in(sessions: SessionFactory, taken: _Claim, answer: Answer, at: datetime) -> int:
    """The answer through the door of every delivery; what can't be read is kept there as well."""
    content_type = answer.headers.get("content-type", "application/json")
    lead_ids: Sequence[uuid.UUID] = ()
    with _as_system(sessions) as session:
        if not _holds(session, taken):
            return 0
        source = session.get_one(Source, taken.source.id)
        read = reader_of(source, content_type)
        key = f"{source.kind}:{taken.remote_id}"
        try:
            receipt = receive(
                session,
                source,
                Delivery(body=answer.body, content_type=content_type, key=key),
                lambda body: [_completed(lead, taken) for lead in read(body)],
                at,
            )
            lead_ids = receipt.lead_ids
        except Quarantined as kept:
            log.warning("retrieval.quarantined", source=source.code, code=kept.code)
    _finish(sessions, taken, lead_ids, at)
    return 1


def _completed(lead: Mapping[str, Any], taken: _Claim) -> dict[str, Any]:
    """With what only the notice told: an answer need not repeat the id that was asked for."""
    campaign = dict(lead.get("campaign") or {})
    told = meta_tokens(taken.context) if taken.source.kind == "meta" else ()
    tokens = [*str(campaign.get("platform_ids") or "").split(), *told]
    campaign["platform_ids"] = " ".join(dict.fromkeys(tokens))
    return {**lead, "id": lead.get("id") or taken.remote_id, "campaign": campaign}


def _holds(session: Session, taken: _Claim) -> bool:
    """Is it still ours to do? Its platform may have deleted it while it was asked."""
    found = session.scalar(
        select(Retrieval.id).where(Retrieval.id == taken.id, Retrieval.lease_token == taken.token)
    )
    session.rollback()
    return found is not None


def _finish(
    sessions: SessionFactory, taken: _Claim, lead_ids: Sequence[uuid.UUID], at: datetime
) -> None:
    with _as_system(sessions) as session:
        row = session.get_one(Retrieval, taken.id, with_for_update={"of": Retrieval})
        deleted = row.problem == notices.DELETED
        if row.lease_token != taken.token and not deleted:
            log.warning("retrieval.lease_lost", retrieval_id=str(taken.id))
            return
        row.context = {**row.context, "leads": [str(lead_id) for lead_id in lead_ids]}
        row.status, row.done_at = "done", at
        row.lease_token = row.lease_until = None
        if deleted:
            notices.tell_deleted(session, taken.source, row, at)
        else:
            row.problem = ""
        session.flush()
        notices.settle(session, row.intake_id)
        session.commit()


def _put_off(
    sessions: SessionFactory, taken: _Claim, at: datetime, cause: str, wished: str = ""
) -> None:
    wait = wait_after(taken.attempts, taken.id, wished)
    if wait is None:
        _fail(sessions, taken, cause)
        return
    with _as_system(sessions) as session:
        session.execute(
            update(Retrieval)
            .where(Retrieval.id == taken.id, Retrieval.lease_token == taken.token)
            .values(next_attempt_at=at + wait, problem=cause, lease_token=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )
        session.commit()
    log.info("retrieval.put_off", source=taken.source.code, cause=cause, attempts=taken.attempts)


def _fail(sessions: SessionFactory, taken: _Claim, cause: str) -> int:
    """Say so where headquarters sees it: the notice goes into quarantine, to be asked again."""
    log.warning("retrieval.failed", source=taken.source.code, cause=cause)
    with _as_system(sessions) as session:
        row = session.get_one(Retrieval, taken.id, with_for_update={"of": Retrieval})
        if row.lease_token != taken.token:
            return 0
        row.status, row.problem = "failed", cause
        row.lease_token = row.lease_until = None
        notice = session.get(Intake, row.intake_id, with_for_update={"of": Intake})
        if notice is not None:
            with reading(notice.source.market.default_language):
                errors = [{"field": row.remote_id, "message": remedy(cause)}]
            notice.status = "quarantined"
            notice.problem = {"code": FETCH_FAILED, "cause": cause, "errors": errors}
        session.commit()
    return 0


def remedy(cause: str) -> str:
    """What to do about it, in the reader's language."""
    words = {
        "secret_missing": _("Give the source an access token, then fetch the lead again."),
        "secret_broken": _(
            "The access token can no longer be read, because LMT_SECRET_KEY was changed. Give the"
            " source a new one, then fetch the lead again."
        ),
        "platform_token": _(
            "The platform no longer accepts the access token. Give the source a new one, then"
            " fetch the lead again."
        ),
        "platform_permission": _(
            "The access token may not read leads. Grant the permission at the platform, then fetch"
            " the lead again."
        ),
        "platform_gone": _(
            "The platform doesn't show this lead. It was deleted, or the access token may not see"
            " its page."
        ),
        "platform_version": _(
            "The platform no longer speaks this version of its interface. Set a newer one in the"
            " source, then fetch the lead again."
        ),
    }
    fallback = _("The platform did not give the lead. Look at the source, then fetch it again.")
    return words.get(cause, fallback)


@contextmanager
def _as_system(sessions: SessionFactory) -> Iterator[Session]:
    with sessions() as session:
        act_as(session, SYSTEM)
        yield session
