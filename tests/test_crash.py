"""kill -9 at every commit: nothing acknowledged is lost, nothing happens twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.models import DealerLoad, Event, Intake, Lead, Message, Offer
from lmt.notify import outbox
from lmt.notify.mailbox import list_mails
from lmt.worker import advance_leads
from tests.crashing_worker import NAME
from tests.world import API_KEY, FRIDAY, World, send, warsaw_lead

MOST_MOMENTS = 60
LEASE_OVER = timedelta(seconds=outbox.LEASE_SECONDS + outbox.RUN_SECONDS)
"""A lease is taken by the clock on the wall, however slowly the run before went."""


class Doomed:
    """The other process (tests/crashing_worker.py), asked for one short life after another."""

    def __init__(self, settings: Settings, session: Session):
        self._session = session
        environment = os.environ | {
            "DATABASE_URL": settings.database_url,
            "LMT_INSTANCE": str(settings.instance),
            "LMT_SECRET_KEY": settings.secret_key,
            "LMT_BASE_URL": settings.base_url,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crashing_worker"],
            env=environment, cwd=Path(__file__).parent.parent, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def lives(self, task: str, die_at: int = 0, **order: Any) -> dict[str, Any]:
        """What became of it, once the database has noticed its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"task": task, "die_at": die_at, **order})
        print(line, file=self._process.stdin, flush=True)
        life = json.loads(self._process.stdout.readline())
        assert life["killed"] or life["code"] == 0, life
        self._wait_until_gone()
        return life  # type: ignore[no-any-return]

    def works(self, at: datetime, die_at: int = 0) -> dict[str, Any]:
        return self.lives("work", die_at, at=at.isoformat())

    def end(self) -> None:
        self._process.communicate(timeout=30)

    def _wait_until_gone(self) -> None:
        """A killed process's locks last until its server process has noticed."""
        still = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
        deadline = time.monotonic() + 30
        while self._session.scalar(still, {"name": NAME}):
            self._session.rollback()
            assert time.monotonic() < deadline
        self._session.rollback()


@pytest.fixture
def doomed(settings: Settings, session: Session) -> Iterator[Doomed]:
    doomed = Doomed(settings, session)
    yield doomed
    doomed.end()


def person(number: int) -> dict[str, Any]:
    return warsaw_lead(phone=f"+48 512 {number:06d}", email=f"p{number}@example.com")


def mails(session: Session, settings: Settings, lead: Lead) -> dict[str, list[int]]:
    """How often each message of the lead lies in the mailbox, by its kind."""
    by_id = Counter(
        mail.message_id.strip("<>").split("@")[0] for mail in list_mails(settings, limit=5_000)
    )
    rows = session.scalars(select(Message).where(Message.lead_id == lead.id).order_by(Message.id))
    found: dict[str, list[int]] = {}
    for row in rows:
        assert row.status == "sent"
        found.setdefault(row.kind, []).append(by_id[str(row.id)])
    return found


def offers(session: Session, lead: Lead) -> list[tuple[str, int]]:
    rows = session.execute(
        select(Offer.state, Offer.dealer_id).where(Offer.lead_id == lead.id).order_by(Offer.id)
    )
    return [(state, dealer_id) for state, dealer_id in rows]


def history(session: Session, lead: Lead) -> Counter[str]:
    rows = session.scalars(select(Event.kind).where(Event.lead_id == lead.id))
    return Counter(rows)


def is_sent(found: dict[str, list[int]], expected: dict[str, int]) -> bool:
    """Each message once; a crash between sending and marking repeats one of them, once."""
    times = [each for kind in found.values() for each in kind]
    in_place = {kind: len(rows) for kind, rows in found.items()} == expected
    return in_place and all(times) and sum(times) - len(times) <= 1


def test_a_lead_is_offered_once_wherever_the_worker_is_killed(
    doomed: Doomed, session: Session, settings: Settings, world: World
) -> None:
    for moment in count(1):
        lead = send(session, "api-pl", person(moment), FRIDAY)
        life = doomed.works(FRIDAY, die_at=moment)
        doomed.works(FRIDAY + LEASE_OVER)
        assert offers(session, lead) == [("open", world.dealers["PL-WAW-1"])], moment
        found = mails(session, settings, lead)
        assert is_sent(found, {"customer_received": 1, "dealer_new_lead": 1}), (moment, found)
        assert history(session, lead) == Counter(
            received=1, qualified=1, located=1, offered=1, mail_sent=2, clock_started=1
        ), moment
        (load,) = session.scalars(select(DealerLoad)).all()
        assert (load.open_used, load.received) == (moment, moment)
        session.expire_all()
        if not life["killed"]:
            break
        assert moment < MOST_MOMENTS
    # One commit for the lead's step, two for each mail, and one that finds no more to do.
    assert moment > 2 * 5


def test_a_lead_nobody_took_moves_on_once_wherever_the_worker_is_killed(
    doomed: Doomed, sessions: SessionFactory, session: Session, settings: Settings, world: World
) -> None:
    for moment in count(1):
        lead = send(session, "api-pl", person(moment), FRIDAY)
        advance_leads(sessions, FRIDAY)
        outbox.send_due(sessions, settings, FRIDAY)
        session.refresh(lead)
        deadline = lead.promise_at
        assert deadline is not None
        life = doomed.works(deadline, die_at=moment)
        doomed.works(deadline + LEASE_OVER)
        assert offers(session, lead) == [
            ("expired", world.dealers["PL-WAW-1"]),
            ("open", world.dealers["PL-WAW-2"]),
        ], moment
        found = mails(session, settings, lead)
        expected = {
            "customer_received": 1, "dealer_new_lead": 2,
            "dealer_lead_taken_away": 1, "customer_transferred": 1,
        }  # fmt: skip
        assert is_sent(found, expected), (moment, found)
        seen = history(session, lead)
        assert (seen["offered"], seen["offer_expired"]) == (2, 1)
        loads = {row.dealer_id: row.open_used for row in session.scalars(select(DealerLoad))}
        assert loads == {world.dealers["PL-WAW-1"]: 0, world.dealers["PL-WAW-2"]: moment}
        session.expire_all()
        if not life["killed"]:
            break
        assert moment < MOST_MOMENTS
    assert moment > 2 * 7


def test_what_was_acknowledged_is_durable_and_a_repeat_is_the_same_lead(
    doomed: Doomed, session: Session, world: World
) -> None:
    outcomes = set()
    for moment in count(1):
        order = {
            "body": json.dumps(person(moment)),
            "headers": {
                "Authorization": f"Bearer {API_KEY}",
                "Content-Type": "application/json",
                "Idempotency-Key": f"call-{moment}",
                "Prefer": "wait=5",
            },
        }
        life = doomed.lives("call", moment, **order)
        durable = session.scalars(select(Lead).where(Lead.email == f"p{moment}@example.com")).all()
        outcomes.add((bool(life["told"]), len(durable)))
        again = json.loads(doomed.lives("call", **order)["told"])
        lead = session.scalars(select(Lead).where(Lead.email == f"p{moment}@example.com")).one()
        assert again["id"] == str(lead.id)
        assert again.get("repeated", False) == bool(durable)
        assert (again["status"], again["dealer"]["code"]) == ("offered", "PL-WAW-1")
        assert offers(session, lead) == [("open", world.dealers["PL-WAW-1"])]
        assert history(session, lead)["received"] == 1
        session.rollback()
        if not life["killed"]:
            assert json.loads(life["told"])["id"] == again["id"]
            break
        assert not life["told"]
        assert moment < MOST_MOMENTS
    # Never told without being durable; told or not, durable leads are there once.
    assert outcomes == {(False, 0), (False, 1), (True, 1)}
    counted = [session.scalars(select(func.count()).select_from(m)).one() for m in (Lead, Intake)]
    assert counted == [moment, moment]
