"""`lmt worker`: advances leads, sends what the outbox holds, does long jobs. Rows say what is due.

Any number of workers may run on any number of machines: work is claimed by row locks. A notice
from the database, or the scheduler's bell, rings a runner; the runner then does all that is due.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from lmt import appointments, clock, feedback, handover, jobs, keeping, pipeline, retention
from lmt.bulkroad import service as bulkroad
from lmt.config import Settings
from lmt.db import Listener, SessionFactory, engine_for, reading_sessions_for, sessions_for
from lmt.ingest import retrievals, sourcehealth
from lmt.lookahead import look_ahead_all
from lmt.mailboxes import service as mailboxes
from lmt.models import Heartbeat
from lmt.models.partitions import ensure_partitions
from lmt.notify import digests, outbox, posting
from lmt.outages import notice_silence
from lmt.releases import respace_all
from lmt.reports import mailing, reportmail
from lmt.reports.refresh import refresh
from lmt.reports.rollups import roll
from lmt.reports.weekfigures import week_figures
from lmt.routing import directory
from lmt.scope import SYSTEM, act_as

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 10
LATE_BEAT = timedelta(seconds=3 * HEARTBEAT_SECONDS)
FORGOTTEN_AFTER = timedelta(days=1)
BATCH = 20


def advance_batch(sessions: SessionFactory, at: datetime, settings: Settings | None = None) -> int:
    """Take the hottest leads that are due one step further, then newcomers of imports while few
    others wait; returns how many there were.

    Outside services are asked first, where `settings` name any, and never in a transaction.
    """
    with act_as(sessions(), SYSTEM) as session:
        due = pipeline.due_leads(session, at, BATCH)
    if settings is not None:
        look_ahead_all(sessions, settings, due, at)
    # A lead that another worker holds counts as nothing, or two workers would wait in a ring.
    moved = sum(pipeline.advance(sessions, lead_id, at) for lead_id in due)
    return moved if len(due) == BATCH else moved + bulkroad.advance_imported(sessions, at, settings)


def advance_leads(sessions: SessionFactory, at: datetime) -> int:
    """All that is due at `at`, in batches; returns how many there were."""
    done = 0
    while moved := advance_batch(sessions, at):
        done += moved
    return done


def beat(sessions: SessionFactory, process: str, at: datetime) -> None:
    """Say that this process lives; forget those that stopped saying so.

    Where nobody had said so for a while, running offers get back what they lost: call it before
    any lead is advanced.
    """
    with act_as(sessions(), SYSTEM) as session:
        outage = notice_silence(session, at)
        row = insert(Heartbeat).values(process=process, kind="worker", at=at)
        session.execute(
            row.on_conflict_do_update(index_elements=["process"], set_={"at": row.excluded.at})
        )
        session.execute(delete(Heartbeat).where(Heartbeat.at < at - FORGOTTEN_AFTER))
        session.commit()
    if outage is not None:
        log.warning("worker.was_away", since=outage.began_at.isoformat())


@dataclass
class Runner(threading.Thread):
    """Does `work` whenever it is rung, once more if it was rung meanwhile; never twice at once."""

    label: str
    work: Callable[[], None]
    ending: threading.Event
    _rung: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(name=self.label, daemon=True)

    __hash__ = threading.Thread.__hash__

    def ring(self) -> None:
        self._rung.set()

    def run(self) -> None:
        while not self.ending.is_set():
            self._rung.wait()
            self._rung.clear()
            if self.ending.is_set():
                return
            try:
                self.work()
            except Exception:
                log.exception("runner.failed", runner=self.label)


class Worker:
    """One worker process: its runners, its bell, its ear."""

    def __init__(self, settings: Settings):
        self._engine = engine_for(settings.database_url, application_name="lmt worker")
        self._sessions = sessions_for(self._engine)
        self._settings = settings
        replica = settings.reports_database_url
        self._reports_engine = (
            engine_for(replica, pool_size=1, application_name="lmt worker")
            if replica
            else self._engine
        )
        self._makers = reportmail.makers(reading_sessions_for(self._reports_engine))
        self._process = f"worker:{socket.gethostname()}:{os.getpid()}"
        self._ending = threading.Event()
        self._runners = {
            "leads": Runner("leads", self._advance_leads, self._ending),
            "outbox": Runner("outbox", self._send, self._ending),
            "handovers": Runner("handovers", self._hand_over, self._ending),
            "posts": Runner("posts", self._post, self._ending),
            "jobs": Runner("jobs", self._work, self._ending),
            "retrievals": Runner("retrievals", self._fetch, self._ending),
            "mailboxes": Runner("mailboxes", self._read_mailboxes, self._ending),
            "facts": Runner("facts", self._make_facts, self._ending),
            directory.CHANNEL: Runner(directory.CHANNEL, self._warm, self._ending),
        }
        self._beaten_at: datetime | None = None
        self._listener = Listener(
            settings.listen_database_url, tuple(self._runners), self._on_notice
        )
        self._scheduler = BackgroundScheduler(timezone="UTC")

    def run(self) -> None:
        """Until TERM or INT: then finish the step at hand and leave."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ending.set())
        self._beat_or_wait()
        for runner in self._runners.values():
            runner.start()
        self._listener.start()
        self._schedule()
        log.info("worker.started", process=self._process)
        self._ending.wait()
        self._stop()

    def _schedule(self) -> None:
        """The one list of periodic jobs: bells for the runners, and the house-keeping."""
        poll = self._settings.poll_seconds
        for name, runner in self._runners.items():
            self._scheduler.add_job(runner.ring, "interval", seconds=poll, id=f"ring-{name}")
        self._scheduler.add_job(self._beat, "interval", seconds=HEARTBEAT_SECONDS, id="heartbeat")
        self._scheduler.add_job(
            self._find_forgotten, "interval", hours=1, id="forgotten", next_run_time=clock.now()
        )
        self._scheduler.add_job(
            self._partitions, "interval", hours=12, id="partitions", next_run_time=clock.now()
        )
        self._scheduler.add_job(self._watch, "interval", minutes=10, id="sources")
        self._scheduler.add_job(self._digest, "interval", minutes=10, id="digests")
        self._scheduler.add_job(self._mail_reports, "interval", minutes=1, id="reports by mail")
        self._scheduler.add_job(self._respace, "interval", hours=1, id="releases")
        self._scheduler.add_job(self._forget, "cron", hour=2, jitter=1800, id="retention")
        self._scheduler.add_job(self._keep_appointments, "interval", minutes=1, id="appointments")
        self._scheduler.add_job(self._add_up, "interval", minutes=1, id="rollups")
        self._scheduler.add_job(self._rate_dealers, "cron", hour=3, jitter=1800, id="quality")
        self._scheduler.start()

    def _stop(self) -> None:
        self._scheduler.shutdown(wait=False)
        self._listener.stop()
        for runner in self._runners.values():
            runner.ring()
        for runner in self._runners.values():
            runner.join(timeout=30)
        self._reports_engine.dispose()
        self._engine.dispose()
        log.info("worker.stopped", process=self._process)

    def _on_notice(self, channel: str) -> None:
        self._runners[channel].ring()

    def _advance_leads(self) -> None:
        # The time is read for every batch: a hot lead that arrives overtakes a backlog, and no
        # deadline is counted from the beginning of a long sweep.
        while not self._ending.is_set():
            now = clock.now()
            if self._beaten_at is None or now - self._beaten_at > LATE_BEAT:
                # The machine slept: first see what it missed, then end offers.
                self._beat_or_wait()
                if self._beaten_at is None:
                    return
            if not advance_batch(self._sessions, now, self._settings):
                return
            self._runners["outbox"].ring()

    def _send(self) -> None:
        outbox.send_due(self._sessions, self._settings, clock.now(), self._makers)

    def _post(self) -> None:
        posting.post_due(self._sessions, self._settings, clock.now())

    def _hand_over(self) -> None:
        if handover.carry_out(self._sessions, clock.now()):
            self._runners["outbox"].ring()

    def _fetch(self) -> None:
        if retrievals.fetch_due(self._sessions, self._settings, clock.now()):
            self._runners["leads"].ring()

    def _read_mailboxes(self) -> None:
        if mailboxes.read_due(self._sessions, self._settings, clock.now()):
            self._runners["leads"].ring()

    def _work(self) -> None:
        ending = self._ending.is_set
        while not ending() and jobs.work(self._sessions, clock.now(), is_ending=ending):
            pass

    def _make_facts(self) -> None:
        refresh(self._sessions, clock.now(), is_ending=self._ending.is_set)

    def _add_up(self) -> None:
        roll(self._sessions, clock.now(), is_ending=self._ending.is_set)

    def _warm(self) -> None:
        with act_as(self._sessions(), SYSTEM) as session:
            directory.warm(session, None, clock.now())

    def _find_forgotten(self) -> None:
        with act_as(self._sessions(), SYSTEM) as session:
            while found := pipeline.find_forgotten(session, clock.now()):
                log.warning("leads.were_forgotten", number=found)

    def _respace(self) -> None:
        """A policy that was planned may hold by now, with another rate."""
        with act_as(self._sessions(), SYSTEM) as session:
            respace_all(session, clock.now())

    def _digest(self) -> None:
        with act_as(self._sessions(), SYSTEM) as session:
            if digests.enqueue_due(session, clock.now(), week_figures):
                self._runners["outbox"].ring()

    def _mail_reports(self) -> None:
        if mailing.mail_due(self._sessions, self._settings, clock.now()):
            self._runners["outbox"].ring()

    def _keep_appointments(self) -> None:
        """Bookings whose lead went on are called off; who was there is asked how it went."""
        with act_as(self._sessions(), SYSTEM) as session:
            called_off = appointments.call_off_ended(session, clock.now())
            if feedback.ask_due(session, clock.now()) or called_off:
                self._runners["outbox"].ring()

    def _rate_dealers(self) -> None:
        with act_as(self._sessions(), SYSTEM) as session:
            feedback.rate_dealers(session, clock.now())

    def _forget(self) -> None:
        now = clock.now()
        retention.forget_all(self._sessions, now)
        keeping.drop_old_partitions(self._engine, now, keeping.months_kept(self._settings))

    def _beat_or_wait(self) -> None:
        """Where somebody holds a lead that an outage concerns, the next ring tries again."""
        try:
            self._beat()
        except OperationalError:
            log.warning("worker.beat_failed", exc_info=True)

    def _beat(self) -> None:
        now = clock.now()
        beat(self._sessions, self._process, now)
        self._beaten_at = now

    def _watch(self) -> None:
        if sourcehealth.watch(self._sessions, clock.now()):
            self._runners["outbox"].ring()

    def _partitions(self) -> None:
        with self._engine.begin() as connection:
            ensure_partitions(connection, clock.now())
