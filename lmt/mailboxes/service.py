"""Mailboxes are read: what is due is claimed, each mail settled first and moved then.

A crash in between leaves a mail that is settled and not moved: the next look only moves it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory, wake
from lmt.ingest.accept import SourceChanged
from lmt.ingest.refusals import note_refusal
from lmt.ingest.sourcesecrets import NoSecret, opened
from lmt.ingest.sourcesettings import SourceSettings, source_settings
from lmt.mailboxes.connection import Box, MailboxError, opened_box
from lmt.mailboxes.settling import Place, settle
from lmt.mailboxes.state import Turn, check_soon, end_turn, fail_turn, keep_turn, take_turn
from lmt.models import MailRead, Source
from lmt.scope import SYSTEM, act_as

log = structlog.get_logger(__name__)

MOST_MAIL_BYTES = 20 << 20
"""A larger mail stays where it is, and the mailbox's page says so."""
MOST_MAILS = 200
"""In one look at a mailbox; the rest is for the next, which then comes at once."""
LOOK_SECONDS = 60.0
RUN_SECONDS = 60.0
"""How long one run goes on to other mailboxes."""
TEST_SECONDS = 20.0
TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Tried:
    """What a test of the connection found: mails in the folder, and folders still to be made."""

    mails: int
    missing: tuple[str, ...]


def read_due(sessions: SessionFactory, settings: Settings, at: datetime) -> int:
    """Read the mailboxes that are due at `at`, one by one; returns how many mails were settled."""
    settled, started = 0, time.monotonic()
    while (passed := time.monotonic() - started) < RUN_SECONDS:
        # Leases run in real time, so a long run must not count them from its beginning.
        now = at + timedelta(seconds=passed)
        with _as_system(sessions) as session:
            turn = take_turn(session, now)
        if turn is None:
            break
        settled += _read(sessions, settings, turn, now)
    return settled


def check_now(session: Session, source: Source, at: datetime) -> None:
    """Have a worker look at the mailbox at once; commits."""
    check_soon(session, source, at)
    wake(session, "mailboxes")
    session.commit()


def try_connection(settings: Settings, source: Source) -> Tried:
    """Log in as the source is set up, read nothing, change nothing. Raises MailboxError."""
    own = source_settings(source.settings)
    with _connected(settings, source, own, TEST_SECONDS) as box:
        folders = (own.done_folder, own.failed_folder)
        missing = tuple(name for name in folders if not box.folder.exists(name))
        return Tried(len(box.present()), missing)


def _read(sessions: SessionFactory, settings: Settings, turn: Turn, at: datetime) -> int:
    own = source_settings(turn.source.settings)
    look = _Look(sessions, settings, turn, own, at)
    try:
        with _connected(settings, turn.source, own, LOOK_SECONDS) as box:
            look.go_through(box)
    except MailboxError as problem:
        _failed(sessions, look.turn, at, problem.code, own)
    except Exception:
        log.exception("mailbox.broken", source=turn.source.code)
        _failed(sessions, look.turn, at, "failed", own)
    else:
        if look.broken:
            _failed(sessions, look.turn, at, "failed", own)
            return look.settled
        minutes = 0 if look.more else own.every_minutes
        left = TOO_LARGE if look.too_large else ""
        with _as_system(sessions) as session:
            end_turn(session, look.turn, at, every_minutes=minutes, problem=left)
    return look.settled


def _failed(
    sessions: SessionFactory, turn: Turn, at: datetime, code: str, own: SourceSettings
) -> None:
    log.warning("mailbox.failed", source=turn.source.code, code=code)
    with _as_system(sessions) as session:
        fail_turn(session, turn, at, code, every_minutes=own.every_minutes)
    note_refusal(sessions, turn.source.id, f"mailbox_{code}", at)


@contextmanager
def _connected(
    settings: Settings, source: Source, own: SourceSettings, seconds: float
) -> Iterator[Box]:
    try:
        password = opened(source.secrets, "password", settings.secret_key)
    except NoSecret as problem:
        raise MailboxError(problem.code, own.host) from problem
    with opened_box(own, password, settings.private_targets, seconds=seconds) as box:
        yield box


class _Look:
    """One look at one mailbox: how far it has come."""

    def __init__(
        self,
        sessions: SessionFactory,
        settings: Settings,
        turn: Turn,
        own: SourceSettings,
        at: datetime,
    ) -> None:
        self.sessions, self.settings, self.own, self.at = sessions, settings, own, at
        self.turn = turn
        self.settled = self.too_large = self.broken = 0
        self.more = False

    def go_through(self, box: Box) -> None:
        """Settle what is new, move what is settled."""
        present = box.present()
        with _as_system(self.sessions) as session:
            known = self._known(session, box.uid_validity, present)
            self._forget_gone(session, box.uid_validity, present)
        for uid, outcome in known.items():
            self._move(box, uid, outcome)
        new = [uid for uid in present if uid not in known]
        self.more = len(new) > MOST_MAILS
        sizes = box.sizes(new[:MOST_MAILS])
        for uid in new[:MOST_MAILS]:
            if uid not in sizes:
                continue
            if sizes[uid] > MOST_MAIL_BYTES:
                self.too_large += 1
                continue
            if not self._one(box, uid):
                break

    def _one(self, box: Box, uid: int) -> bool:
        """One mail; False where the mailbox is somebody else's by now."""
        raw = box.raw(uid, MOST_MAIL_BYTES)
        if raw is None:
            return True
        with _as_system(self.sessions) as session:
            kept = keep_turn(session, self.turn, self.at)
            if kept is None:
                log.warning("mailbox.lease_lost", source=self.turn.source.code)
                return False
            self.turn = kept
            source = session.get_one(Source, self.turn.source.id, populate_existing=True)
            if source.paused_at is not None or not source.active:
                return False
            place = Place(box.uid_validity, uid)
            try:
                outcome = settle(session, self.settings, source, place, raw, self.at)
            except SourceChanged:
                # Read anew at the next look, by what the source is then.
                return False
            except Exception:
                # One mail that breaks us must not keep the others waiting.
                log.exception("mailbox.mail_broken", source=source.code, uid=uid)
                self.broken += 1
                return True
        self.settled += 1
        self._move(box, uid, outcome)
        return True

    def _move(self, box: Box, uid: int, outcome: str) -> None:
        folder = self.own.failed_folder if outcome == "quarantined" else self.own.done_folder
        box.ensure(folder)
        box.move(str(uid), folder)
        with _as_system(self.sessions) as session:
            self._mark_moved(session, box.uid_validity, [uid])
            session.commit()

    def _known(self, session: Session, uid_validity: int, present: Sequence[int]) -> dict[int, str]:
        """{number: outcome} of mails that were settled before and still lie here."""
        found: dict[int, str] = {}
        for start in range(0, len(present), 1_000):
            rows = session.execute(
                select(MailRead.uid, MailRead.outcome).where(
                    MailRead.source_id == self.turn.source.id,
                    MailRead.uid_validity == uid_validity,
                    MailRead.uid.in_(present[start : start + 1_000]),
                )
            )
            found |= dict(rows.all())
        return found

    def _forget_gone(self, session: Session, uid_validity: int, present: Sequence[int]) -> None:
        """What is to be moved and lies here no more was moved, by us before a crash or by hand.
        Of an earlier numbering nothing can be said any more: those mails come as new ones."""
        still = set(present)
        waiting = session.execute(
            select(MailRead.uid_validity, MailRead.uid).where(
                MailRead.source_id == self.turn.source.id, MailRead.moved_at.is_(None)
            )
        ).all()
        for validity in {validity for validity, _uid in waiting}:
            gone = [
                uid
                for other, uid in waiting
                if other == validity and (validity != uid_validity or uid not in still)
            ]
            self._mark_moved(session, validity, gone)
        session.commit()

    def _mark_moved(self, session: Session, uid_validity: int, uids: Sequence[int]) -> None:
        session.execute(
            update(MailRead)
            .where(
                MailRead.source_id == self.turn.source.id,
                MailRead.uid_validity == uid_validity,
                MailRead.uid.in_(uids),
            )
            .values(moved_at=self.at)
            .execution_options(synchronize_session=False)
        )


@contextmanager
def _as_system(sessions: SessionFactory) -> Iterator[Session]:
    with sessions() as session:
        act_as(session, SYSTEM)
        yield session
